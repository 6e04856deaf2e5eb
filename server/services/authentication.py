"""Who is there: for requests over HTTP (access token or API key) and for sockets (ticket or access token).

Every answer is checked against the account as it is now: a revoked token version, a disabled account or a suspended
shop ends it, whatever the token says. Roles are the account's, not the token's.
"""

from dataclasses import dataclass

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, PersonId, ShopId
from protocol.states import Role
from server.services.api_keys import MARK, ApiKeys
from server.services.callers import Caller
from server.services.tickets import Tickets
from server.services.tokens import Principal, Tokens, unauthenticated
from server.store.accounts import AccountRow
from server.store.accounts import Accounts as AccountStore
from server.store.shops import Shops


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is given out. Seconds to live; when the session it opens ends, in milliseconds since 1970 UTC."""

    ticket: str
    ticket_s: int
    session_until_ms: int


class Authentication:
    """Proves identities. Refusals: UNAUTHENTICATED with a reason, FORBIDDEN `shop_suspended`."""

    def __init__(
        self, *, tokens: Tokens, tickets: Tickets, api_keys: ApiKeys, accounts: AccountStore, shops: Shops
    ) -> None:
        self._tokens = tokens
        self._tickets = tickets
        self._api_keys = api_keys
        self._accounts = accounts
        self._shops = shops

    async def caller(self, credentials: str) -> Caller:
        """Who sends these credentials in an Authorization header over HTTP."""
        if credentials.startswith(MARK):
            caller = await self._api_keys.caller(credentials)
            await self._require_active(caller.shop_id)
            return caller
        claims = self._tokens.read_access(credentials)
        account = await self._account(ShopId(claims.shop), AccountId(claims.sub), claims.tv)
        return Caller(account.shop_id, account.name, account.id, frozenset(account.roles))

    async def ticket_for(self, caller: Caller, origin: str) -> Ticket:
        """A ticket for the socket, for the caller's account, from this origin ("" for none)."""
        account = await self._accounts.get(caller.shop_id, caller.account)
        return await self.ticket_of(principal_of(account, until_ms=0), origin)

    async def ticket_of(self, principal: Principal, origin: str) -> Ticket:
        """A ticket for somebody whose identity was proved."""
        ticket, until_ms = await self._tickets.issue(principal, origin)
        return Ticket(ticket, self._tickets.ticket_s, until_ms)

    async def by_ticket(self, ticket: str, origin: str) -> Principal:
        """Who opens a socket with this ticket, from this origin ("" for none). Works once."""
        principal = await self._tickets.redeem(ticket, origin)
        if principal.kind == "customer":
            await self._require_active(principal.shop_id)
            return principal
        account = await self._account(
            principal.shop_id, AccountId(principal.person_id), principal.token_version
        )
        return principal_of(account, until_ms=principal.expires_at_ms)

    async def by_authorization(self, header: str) -> Principal:
        """Who opens a socket with an Authorization header: servers and bots, with an access token. The session ends
        with the token, unless it is refreshed."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthenticated("token_missing", "Authorization: Bearer <access token>.")
        claims = self._tokens.read_access(token.strip())
        account = await self._account(ShopId(claims.shop), AccountId(claims.sub), claims.tv)
        return principal_of(account, until_ms=claims.exp * 1000)

    async def holds(self, shop: ShopId, account: AccountId, token_version: int) -> None:
        """Whether what was proved a moment ago still holds. Raises UNAUTHENTICATED `token_revoked`."""
        await self._account(shop, account, token_version)

    async def _account(self, shop: ShopId, account: AccountId, token_version: int) -> AccountRow:
        revoked = unauthenticated("token_revoked", "This sign-in has ended; sign in again.")
        try:
            row = await self._accounts.get(shop, account)
        except RequestError as error:
            if error.code is ErrorCode.NOT_FOUND:
                raise revoked from None
            raise
        if row.disabled_ms is not None or row.token_version != token_version:
            raise revoked
        await self._require_active(shop)
        return row

    async def _require_active(self, shop: ShopId) -> None:
        if (await self._shops.get(shop)).status != "active":
            raise RequestError(ErrorCode.FORBIDDEN, "shop_suspended", "This shop is suspended.")


def principal_of(account: AccountRow, *, until_ms: int) -> Principal:
    """An account as somebody at a socket."""
    roles = frozenset(account.roles)
    kind = "bot" if Role.BOT in roles else "account"
    return Principal(
        account.shop_id, PersonId(account.id), kind, roles, account.name, until_ms, account.token_version
    )
