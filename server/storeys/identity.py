"""Who people are: sign-in, tokens, tickets, accounts; and the sessions that they open."""

import time
from collections.abc import Callable

from protocol.codes import CloseCode
from protocol.ids import AccountId, PersonId, ShopId
from protocol.states import AgentStatus
from server.push import Control
from server.services.accounts import Accounts
from server.services.api_keys import ApiKeys
from server.services.authentication import Authentication
from server.services.passwords import Passwords
from server.services.sessions import Sessions
from server.services.sign_in import SignIn
from server.services.tickets import Tickets
from server.services.tokens import Tokens
from server.settings import Settings
from server.store.api_keys import ApiKeys as ApiKeyStore
from server.store.tokens import RefreshTokens
from server.storeys.conversing import Conversing


class Identity(Conversing):
    """Proofs of identity, and what a session begins with."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now=now)
        self.tokens = Tokens(
            settings.secret.get_secret_value(),
            access_s=settings.access_token_s,
            customer_s=settings.customer_token_s,
        )
        self.tickets = Tickets(self.link, ticket_s=settings.ticket_s, session_s=settings.session_s)
        self.api_keys = ApiKeys(ApiKeyStore(self.db))
        self.authentication = Authentication(
            tokens=self.tokens,
            tickets=self.tickets,
            api_keys=self.api_keys,
            accounts=self.account_store,
            shops=self.shop_store,
        )
        self.passwords = Passwords()
        self.refresh_tokens = RefreshTokens(self.db)
        self.accounts = Accounts(
            accounts=self.account_store,
            roles=self.role_store,
            scope=self.scope,
            refresh_tokens=self.refresh_tokens,
            passwords=self.passwords,
            revoke=self._revoke,
            audit=self.audit,
            live=self.changes,
        )
        self.sign_in = SignIn(
            shops=self.shop_store,
            accounts=self.account_store,
            refresh_tokens=self.refresh_tokens,
            tokens=self.tokens,
            passwords=self.passwords,
            attempts=self.attempts,
            people=self.accounts,
            signed_out=self._signed_out,
            audit=self.audit,
            background=self.background,
            tries_per_minute=settings.login_per_minute,
            refresh_s=settings.refresh_token_s,
        )
        self.sessions = Sessions(
            self.authentication,
            self.link,
            self.live,
            self.routing,
            self.shops,
            self.agents,
            self.feed,
            self.seeing,
            self.lists,
            self.history,
            self.limits,
            self.scope,
            self.supervision.watching,
            self.participants,
            self.together.naming,
            self.workbenches,
            self.queues,
        )

    async def _revoke(self, shop: ShopId, person: PersonId) -> None:
        """Revocation reaches open sockets on every node within a second (fault 23)."""
        self.bus.publish(shop, [Control((person,), CloseCode.AUTH_FAILED, "sign-in revoked")])

    async def _signed_out(self, shop: ShopId, account: AccountId) -> None:
        """Signing out makes an agent offline (KS-18), and ends watching."""
        await self.supervision.watching.end_all(shop, account)
        if await self.live.ask(shop, lambda engine: engine.agent(account)) is not None:
            await self.agents.change_status(shop, account, AgentStatus.OFFLINE)
