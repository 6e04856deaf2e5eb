"""Two shops with people of every role, and the HTTP side over real stores: what the tests of this folder talk to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from protocol.errors import not_found
from protocol.ids import AccountId, ConversationId, CustomerId, GroupId, PersonId, ShopId, new_id
from protocol.methods.agents import SlotsResult
from protocol.methods.conversations import ExplainResult, ListParams, ListResult
from protocol.shapes import AgentCard, Conversation, Message, PoolCard
from protocol.states import Role
from router.policy import Policy
from server.app import App
from server.http.api import build_api
from server.http.deps import Deps
from server.http.figures import HttpFigures
from server.services import views
from server.services.accounts import Accounts
from server.services.api_keys import ApiKeys
from server.services.attempts import Attempts
from server.services.authentication import Authentication
from server.services.callers import Caller
from server.services.casts import Cast
from server.services.collaborating import Collaborating
from server.services.customers import CustomerFacts
from server.services.dry_run import DryRun
from server.services.endings import Endings
from server.services.groups import Groups
from server.services.identity import IdentityTokens
from server.services.passwords import Passwords
from server.services.policies import Policies
from server.services.schedules import Schedules
from server.services.shop_settings import ShopSettings
from server.services.sign_in import SignIn
from server.services.statistics import ReportKeys, Reports
from server.services.tickets import Tickets
from server.services.tokens import Tokens
from server.services.views import Audience
from server.services.widget import WidgetSessions
from server.settings import load
from server.store.accounts import Accounts as AccountStore
from server.store.api_keys import ApiKeys as ApiKeyStore
from server.store.conversations import Conversations
from server.store.customers import Customers
from server.store.database import Database
from server.store.finding import Finding, Wanted
from server.store.groups import Groups as GroupStore
from server.store.history import History
from server.store.orders import Orders
from server.store.policies import Policies as PolicyStore
from server.store.rows import ConversationView
from server.store.shops import Shops
from server.store.statistics import Statistics
from server.store.tokens import RefreshTokens

SECRET = "a secret of the tests, long enough for anybody"
PASSWORD = "correct horse battery"
STAFF_ROLES = (
    Role.OWNER,
    Role.ADMIN,
    Role.SERVICE_ADMIN,
    Role.OPERATIONS,
    Role.AGENT,
    Role.SUPERVISOR,
    Role.BOT,
)
# Small costs: the tests are about who gets in, not about how long guessing takes.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Told:
    """What live routing and the gateways were told, in order."""

    calls: list[tuple[str, ...]] = field(default_factory=list)

    async def profile_changed(self, shop_id: ShopId, account_id: AccountId) -> None:
        self.calls.append(("profile_changed", account_id))

    async def policy_changed(self, shop_id: ShopId) -> None:
        self.calls.append(("policy_changed", shop_id))

    async def hours_changed(self, shop_id: ShopId) -> None:
        self.calls.append(("hours_changed", shop_id))

    async def account_removed(self, shop_id: ShopId, account_id: AccountId) -> None:
        self.calls.append(("account_removed", account_id))

    async def revoked(self, shop_id: ShopId, person: PersonId) -> None:
        self.calls.append(("revoked", person))

    async def signed_out(self, shop_id: ShopId, account_id: AccountId) -> None:
        self.calls.append(("signed_out", account_id))


class StoredReads:
    """Conversations as the database has them; no live state is running in these tests."""

    def __init__(self, db: Database) -> None:
        self._conversations = Conversations(db)
        self._finding = Finding(db)
        self._history = History(db)

    async def search(self, caller: Caller, wanted: Wanted, *, cursor: str | None, limit: int) -> ListResult:
        page = await self._finding.conversations(caller.shop_id, wanted, cursor=cursor, limit=limit)
        return ListResult(conversations=[self._shown(view) for view in page.rows], cursor=page.cursor)

    async def list(self, caller: Caller, params: ListParams) -> ListResult:
        return await self.search(caller, Wanted(), cursor=params.cursor, limit=params.limit)

    async def get(self, caller: Caller, conversation: ConversationId) -> Conversation:
        return self._shown(await self._conversations.view(caller.shop_id, conversation))

    async def transcript(
        self, caller: Caller, conversation: ConversationId
    ) -> tuple[Conversation, Sequence[Message]]:
        shown = await self.get(caller, conversation)
        parts = self._history.transcript(caller.shop_id, conversation)
        return shown, [views.message(row, Audience.STAFF) async for part in parts for row in part]

    async def explain(self, caller: Caller, conversation: ConversationId) -> ExplainResult:
        await self.get(caller, conversation)
        return ExplainResult(conversation_id=conversation, decisions=[])

    def _shown(self, view: ConversationView) -> Conversation:
        return views.conversation(
            view.conversation,
            view.customer,
            Cast(None),
            Audience.STAFF,
            place=None,
            last=view.last_message,
        )


class NothingLive:
    """A shop in which nobody is at work."""

    async def agents(self, shop: ShopId) -> list[AgentCard]:
        return []

    async def slots(self, shop: ShopId, account: AccountId) -> SlotsResult:
        raise not_found("agent")

    async def pools(self, shop: ShopId) -> list[PoolCard]:
        return []

    async def invariants(self, shop: ShopId) -> dict[str, int]:
        return {"I3": 0, "I4": 0, "I8": 0}


@dataclass
class Shop:
    """One shop with an account of every role, a group, a customer and a conversation."""

    id: ShopId
    slug: str
    people: dict[Role, AccountId]
    group: GroupId
    customer: CustomerId
    conversation: ConversationId
    api_key: str
    api_key_id: str
    identity_kid: str
    identity_secret: str
    others: dict[str, str] = field(default_factory=dict)
    """more things of the shop, by the name that a path has for their id"""

    def email(self, role: Role) -> str:
        return f"{role}@{self.slug}.example"


class World:
    """Everything, over real PostgreSQL and Redis: a node's own parts, but for those that are watched here. The node
    does not run: what it would tell live routing and sockets is in `told`.
    """

    def __init__(
        self, db: Database, *, database_url: str, redis_url: str, tries_per_minute: int = 10
    ) -> None:
        self.node = App(
            load(database_url=database_url, redis_url=redis_url, secret=SECRET, demo=True, node="world")
        )
        self.db = db
        self.told = Told()
        self.problems: dict[str, str] = {}
        self.shops = Shops(db)
        self.accounts = AccountStore(db)
        self.groups = GroupStore(db)
        self.customers = Customers(db)
        self.tokens = Tokens(SECRET)
        self.passwords = Passwords(CHEAP)
        policies, refresh_tokens = PolicyStore(db), RefreshTokens(db)
        attempts, tickets = Attempts(self.node.link), Tickets(self.node.link)
        self.api_keys = ApiKeys(ApiKeyStore(db))
        self.authentication = Authentication(
            tokens=self.tokens,
            tickets=tickets,
            api_keys=self.api_keys,
            accounts=self.accounts,
            shops=self.shops,
        )
        people = Accounts(
            accounts=self.accounts,
            roles=self.node.role_store,
            scope=self.node.scope,
            refresh_tokens=refresh_tokens,
            passwords=self.passwords,
            revoke=self.told.revoked,
            audit=self.node.audit,
            live=self.told,
        )
        facts = CustomerFacts(customers=self.customers, orders=Orders(db))
        settings = Policies(policies, self.accounts, self.groups, self.told)
        deps: Deps = replace(
            self.node.web.state.deps,
            authentication=self.authentication,
            sign_in=SignIn(
                shops=self.shops,
                accounts=self.accounts,
                refresh_tokens=refresh_tokens,
                tokens=self.tokens,
                passwords=self.passwords,
                attempts=attempts,
                people=people,
                signed_out=self.told.signed_out,
                audit=self.node.audit,
                background=self.node.background,
                tries_per_minute=tries_per_minute,
            ),
            accounts=people,
            groups=Groups(
                groups=self.groups,
                accounts=self.accounts,
                policies=policies,
                editing=self.node.editing,
                live=self.told,
            ),
            schedules=Schedules(
                groups=self.groups,
                accounts=self.accounts,
                hours=self.node.hours,
                editing=self.node.editing,
                shops=self.node.shops,
                scope=self.node.scope,
                live=self.told,
                now=self.node.now,
            ),
            reports=Reports(
                Statistics(db),
                self.node.agent_states,
                self.node.shops,
                ReportKeys(self.accounts, self.groups),
                self.node.scope,
            ),
            api_keys=self.api_keys,
            customers=facts,
            policies=settings,
            dry_run=DryRun(settings),
            shop_settings=ShopSettings(self.shops, self.node.editing),
            collaborating=Collaborating(self.shops, self.node.editing, self.node.shops),
            endings=Endings(self.shops, self.node.editing, self.node.shops),
            widget=WidgetSessions(
                shops=self.shops,
                customers=self.customers,
                facts=facts,
                tokens=self.tokens,
                identity_tokens=IdentityTokens(self.node.link),
                authentication=self.authentication,
                attempts=attempts,
                begins_per_minute=10_000,
            ),
            conversations=StoredReads(db),
            live=NothingLive(),
            readiness=self._readiness,
            openrpc=lambda: {"openrpc": "1.3.2"},
            asyncapi=lambda: {"asyncapi": "3.0.0"},
            metrics=HttpFigures(CollectorRegistry()),
        )
        self.app: FastAPI = build_api(deps)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("192.0.2.1", 1)), base_url="http://pointsman.test"
        )

    async def _readiness(self) -> dict[str, str]:
        return self.problems

    async def open(self) -> None:
        """The node's own connections."""
        await self.node.db.open()
        await self.node.link.open()

    async def aclose(self) -> None:
        await self.client.aclose()
        await self.node.background.finish(1)
        self.node.passwords.close()
        await self.node.writer.aclose()
        await self.node.link.close()
        await self.node.db.aclose()
        self.passwords.close()

    def bearer(self, shop: Shop, role: Role, *, token_version: int = 0) -> dict[str, str]:
        """The header of an account that signed in a moment ago."""
        token = self.tokens.access(shop.id, shop.people[role], frozenset({role}), token_version)
        return {"Authorization": f"Bearer {token}"}

    async def ask(
        self, method: str, path: str, *, who: tuple[Shop, Role] | None = None, **options: Any
    ) -> httpx.Response:
        """One request, by somebody or by nobody."""
        headers = {**(self.bearer(*who) if who else {}), **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def saves(self, path: str, who: tuple[Shop, Role], body: dict[str, Any]) -> httpx.Response:
        """Replace what was read at this address a moment before."""
        read = (await self.ask("GET", path, who=(who[0], Role.OWNER))).json()
        return await self.ask("PUT", path, who=who, json={**body, "rev": read["rev"]})

    async def refusals(self, shop: Shop) -> list[Any]:
        """What the audit has of refused tries, in order."""
        return await self.db.fetch(
            "SELECT * FROM audit WHERE shop_id = $1 AND outcome = 'refused' ORDER BY at, id", shop.id
        )

    async def found(self, slug: str) -> Shop:
        """Makes a shop with people of every role."""
        shop = await self.shops.add(slug=slug, name=slug.title(), policy=Policy().model_dump(mode="json"))
        encoded = await self.passwords.hash(PASSWORD)
        people: dict[Role, AccountId] = {}
        for role in STAFF_ROLES:
            row = await self.accounts.add(
                shop.id,
                email=f"{role}@{slug}.example",
                name=f"{slug} {role}",
                password_hash=encoded,
                roles=frozenset({role}),
            )
            people[role] = row.id
        group = await self.groups.add(shop.id, name="North", kind="region")
        customer = await self.customers.add_anonymous(shop.id)
        conversation = ConversationId(new_id())
        await self.db.execute(
            """INSERT INTO conversations (id, shop_id, customer_id, state, order_state, opened_at, arrived_at)
            VALUES ($1, $2, $3, 'queued', 'no_active_order', now(), now())""",
            conversation,
            shop.id,
            customer.id,
        )
        key, row = await self.api_keys.create(
            shop.id, "erp", frozenset({"customers:read", "customers:write"})
        )
        kid, secret = f"ik_{slug}", "the shop's identity secret, 32 characters"
        await self.shops.add_identity_key(shop.id, kid, secret)
        others = await self._things_of(shop.id, people[Role.OWNER])
        return Shop(
            shop.id, slug, people, group.id, customer.id, conversation, key, row.id, kid, secret, others
        )

    async def _things_of(self, shop: ShopId, owner: AccountId) -> dict[str, str]:
        things = {name: new_id() for name in ("break_glass_id", "rule_id", "reassignment_id", "reply_id")}
        await self.db.execute(
            """INSERT INTO break_glass (id, shop_id, account_id, opened_by, reason, until)
            VALUES ($1, $2, $3, $3, 'a reason', now() + interval '1 hour')""",
            things["break_glass_id"],
            shop,
            owner,
        )
        await self.db.execute(
            """INSERT INTO rules (id, shop_id, subject, position, name, enabled, conditions, actions)
            VALUES ($1, $2, 'conversation', 1, 'A rule', false,
                '{"kind": "keyword", "any_of": ["x"]}', '[{"kind": "note", "text": "x"}]')""",
            things["rule_id"],
            shop,
        )
        await self.db.execute(
            """INSERT INTO reassignments (id, shop_id, by_id, reason, actor, total, state, finished_at)
            VALUES ($1, $2, $3, '', '{}', 0, 'done', now())""",
            things["reassignment_id"],
            shop,
            owner,
        )
        await self.db.execute(
            """INSERT INTO quick_replies (id, shop_id, folder, shortcut, title, text, pinyin, initials)
            VALUES ($1, $2, '', 'hi', 'Hi', 'Hello', 'hi', 'hi')""",
            things["reply_id"],
            shop,
        )
        return things
