"""Sets a server up without a running node: shops, their first accounts, groups and keys, straight into the database.

It goes through the same services as the HTTP routes, so the same rules hold. Live routing is told where there is any;
where there is none, the next node reads the database anyway.
"""

import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from protocol.codes import CloseCode
from protocol.errors import not_found
from protocol.ids import AccountId, PersonId, ShopId
from protocol.states import OrderState, Role
from router.link import link_to
from router.policy import Policy
from router.redis_link import LinkError
from router.scripts import SOURCES
from server.allowances import file_rules, reply_limits
from server.bus import order_everywhere
from server.push import Control
from server.scripts import SCRIPTS
from server.services.accounts import Accounts, NewAccount, check_password
from server.services.actors import OnCommandLine
from server.services.api_keys import ApiKeys
from server.services.audit import Audit
from server.services.callers import Caller
from server.services.collaboration_settings import CollaborationSettings
from server.services.configuration.configurations import Brought, Configurations
from server.services.groups import Groups
from server.services.live import Live, routing_unavailable
from server.services.passwords import Passwords
from server.services.policies import Policies
from server.services.profiles import Profiles
from server.services.scope import Scope
from server.services.shop_settings import KeyIssued, ShopSettings
from server.services.shops import Shops as ShopFacts
from server.settings import Settings
from server.store.accounts import AccountRow
from server.store.accounts import Accounts as AccountStore
from server.store.acting import acting
from server.store.api_keys import ApiKeyRow
from server.store.api_keys import ApiKeys as ApiKeyStore
from server.store.audit import AuditStore
from server.store.conversations import Conversations
from server.store.database import Database
from server.store.editing import Editing
from server.store.glass import BrokenGlass
from server.store.groups import GroupRow
from server.store.groups import Groups as GroupStore
from server.store.hours import Hours as HoursStore
from server.store.policies import Policies as PolicyStore
from server.store.roles import Roles
from server.store.shops import ShopRow, Shops, WidgetSettings
from server.store.tokens import RefreshTokens

NODE = "command-line"
"""What live state calls the maker of changes; it holds no connections and no lease."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The first account of a shop."""

    email: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class ShopMade:
    """A new shop with what its people need first. The key's secret is shown this once."""

    shop: ShopRow
    owner: AccountRow
    identity_key: KeyIssued


class Setup:
    """The services on one database, without a node. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._link = link_to(
            settings.redis_url.get_secret_value(), scripts={**SOURCES, **SCRIPTS}, name="pointsman-setup"
        )
        self._database = Database(
            settings.database_url.get_secret_value(), pool_max=2, deadline_s=settings.database_deadline_s
        )
        self._passwords = Passwords(parallel=1)
        self._shops = Shops(self._database)
        self._editing = Editing(self._database)
        self._accounts = AccountStore(self._database)
        self._groups = GroupStore(self._database)
        self._policies = PolicyStore(self._database)
        self._roles = Roles(self._database)
        self._glass = BrokenGlass(self._database)
        self._facts = ShopFacts(self._shops, self._accounts, self._groups)
        self._live = Live(
            self._link,
            lambda: NODE,
            self._facts,
            Profiles(self._accounts, self._groups, self._roles, self._glass, HoursStore(self._database)),
            Conversations(self._database),
        )
        self._told = _Told(self._live)
        self._acts = acting(OnCommandLine())

    async def __aenter__(self) -> Self:
        # Standard output is for the command's own answer; what services log at their work is no news here.
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        )
        await self._database.open()
        self._acts.__enter__()
        with suppress(OSError, LinkError):
            await self._link.open()
            self._told.reachable = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._acts.__exit__(kind, error, trace)
        self._passwords.close()
        if self._told.reachable:
            await self._link.close()
        await self._database.aclose()

    async def shops(self) -> tuple[ShopRow, ...]:
        """Every shop, suspended ones included, oldest first."""
        return await self._shops.all()

    async def create_shop(
        self, *, slug: str, name: str, owner: Owner, origins: tuple[str, ...] = ()
    ) -> ShopMade:
        """A shop, its owner, and a key for identity tokens. RequestError: `slug_taken`, `weak_password`.

        `origins`: the web pages of its widget and its desk; programs such as `pointsman chat` name one as well.
        """
        check_password(owner.password, owner.name, owner.email, field="password")
        shop = await self._add(slug, name)
        made = await self._make_owner(shop.id, owner)
        for surface in ("widget", "desk"):
            await self._shops.set_origins(shop.id, surface, origins)
        key = await ShopSettings(self._shops, self._editing).new_identity_key(_manager(shop.id))
        # A key that is given out is meant to be used: what it signs is believed, visitors without it may come too.
        await self._shops.set_widget(shop.id, WidgetSettings(identity_mode="enforce", anonymous_allowed=True))
        return ShopMade(shop, made, key)

    async def _add(self, slug: str, name: str) -> ShopRow:
        # What holds is written down whole, so that the first change of it shows what it was.
        return await self._shops.add(
            slug=slug,
            name=name,
            policy=Policy().model_dump(mode="json"),
            collaboration=CollaborationSettings().model_dump(mode="json"),
        )

    async def ensure_shop(self, *, slug: str, name: str, owner: Owner) -> None:
        """The shop and its owner are there afterwards, whatever was there before."""
        shop = await self._shops.find(slug)
        if shop is None:
            shop = await self._add(slug, name)
        if await self._accounts.find_by_email(shop.id, owner.email) is None:
            await self._make_owner(shop.id, owner)

    async def create_account(self, shop: str, new: NewAccount, groups: list[str]) -> AccountRow:
        """An account, in these groups (by name). RequestError: `shop_not_found`, `group_not_found`, `email_taken`..."""
        shop_id = await self._shop(shop)
        found = [await self._group(shop_id, name) for name in groups]
        row = await self._account_service().create(_manager(shop_id), new)
        for group in found:
            await self._group_service().add_member(_manager(shop_id), group.id, row.id)
        return row

    async def create_group(
        self, shop: str, name: str, kind: str, members: list[str], order_states: list[OrderState]
    ) -> GroupRow:
        """A group with these members (by e-mail); with order states it is bound to them and routing is grouped."""
        shop_id = await self._shop(shop)
        accounts = [await self._account(shop_id, email) for email in members]
        service = self._group_service()
        row = await service.create(_manager(shop_id), name, kind)
        for account in accounts:
            await service.add_member(_manager(shop_id), row.id, account.id)
        if order_states:
            await self._bind(shop_id, row, order_states)
        return row

    async def create_api_key(self, shop: str, name: str, scopes: frozenset[str]) -> tuple[str, ApiKeyRow]:
        """An API key, shown this once, and its row."""
        return await ApiKeys(ApiKeyStore(self._database)).create(await self._shop(shop), name, scopes)

    async def rebuild_live(self, shop: str | None) -> list[str]:
        """Make live routing state anew from the database, of one shop or of all. The short names of those rebuilt.

        RequestError UNAVAILABLE when Redis does not answer.
        """
        if not self._told.reachable:
            raise routing_unavailable()
        rows = await self.shops() if shop is None else (await self._shops.get(await self._shop(shop)),)
        try:
            for row in rows:
                await self._live.rebuild(row.id)
        except LinkError:
            raise routing_unavailable() from None
        return [row.slug for row in rows]

    async def export_settings(self, shop: str) -> str:
        """All settings of a shop as YAML. RequestError `shop_not_found`."""
        return await self._configurations().export(_manager(await self._shop(shop)))

    async def import_settings(self, shop: str, text: str, *, rehearse: bool) -> Brought:
        """Let a shop be as the file says, or only say what that would change. RequestError `shop_not_found`,
        `invalid_configuration`."""
        manager = _manager(await self._shop(shop))
        return await self._configurations().bring(manager, text, rev=None, rehearse=rehearse)

    async def suspend(self, shop: str) -> ShopRow:
        """The shop is served no longer: nobody gets in, and every socket is closed. Repeating it is harmless.

        RequestError: `shop_not_found`; UNAVAILABLE when Redis does not answer: then who is in stays in; repeat it.
        """
        row = await self._shops.set_status(await self._shop(shop), "suspended")
        if not self._told.reachable:
            raise routing_unavailable()
        try:
            await order_everywhere(
                self._link, row.id, Control((), CloseCode.SHOP_SUSPENDED, "shop suspended")
            )
        except LinkError:
            raise routing_unavailable() from None
        return row

    async def serve_again(self, shop: str) -> ShopRow:
        """The shop is served again. RequestError: `shop_not_found`."""
        return await self._shops.set_status(await self._shop(shop), "active")

    async def _make_owner(self, shop: ShopId, owner: Owner) -> AccountRow:
        new = NewAccount(owner.email, owner.name, frozenset({Role.OWNER}), owner.password)
        return await self._account_service().create(_manager(shop), new)

    async def _bind(self, shop: ShopId, group: GroupRow, states: list[OrderState]) -> None:
        service = Policies(self._policies, self._accounts, self._groups, self._told)
        current = await service.current(shop)
        policy = current.policy.model_dump(mode="json")
        bound: dict[str, list[str]] = policy["order_state_groups"]
        for state in states:
            bound[state] = [*bound.get(state, []), group.id]
        policy["mode"] = "grouped"
        note = f"group {group.name} bound from the command line"
        await service.update(_manager(shop), policy, rev=current.rev, note=note)

    async def _shop(self, slug: str) -> ShopId:
        shop = await self._shops.find(slug)
        if shop is None:
            raise not_found("shop")
        return shop.id

    async def _group(self, shop: ShopId, name: str) -> GroupRow:
        found = next((row for row in await self._groups.of_shop(shop) if row.name == name), None)
        if found is None:
            raise not_found("group")
        return found

    async def _account(self, shop: ShopId, email: str) -> AccountRow:
        found = await self._accounts.find_by_email(shop, email)
        if found is None:
            raise not_found("account")
        return found

    def _account_service(self) -> Accounts:
        return Accounts(
            accounts=self._accounts,
            roles=self._roles,
            scope=Scope(self._roles, self._glass, self._facts),
            refresh_tokens=RefreshTokens(self._database),
            passwords=self._passwords,
            revoke=_nothing_to_revoke,
            audit=Audit(AuditStore(self._database)),
            live=self._told,
        )

    def _configurations(self) -> Configurations:
        return Configurations(
            editing=self._editing,
            scope=Scope(self._roles, self._glass, self._facts),
            kinds=frozenset(kind.value for kind in file_rules(self._settings).kinds),
            limits=reply_limits(self._settings),
            effects=self._told,
        )

    def _group_service(self) -> Groups:
        return Groups(
            groups=self._groups,
            accounts=self._accounts,
            policies=self._policies,
            editing=self._editing,
            live=self._told,
        )


class _Told:
    """Tells live routing of changes (`LiveProfiles`) where there is any; elsewhere the next rebuild reads all."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.reachable = False

    async def profile_changed(self, shop_id: ShopId, account_id: AccountId) -> None:
        if await self._is_live(shop_id):
            await self._live.set_profile(shop_id, account_id)

    async def policy_changed(self, shop_id: ShopId) -> None:
        if await self._is_live(shop_id):
            await self._live.set_policy(shop_id)

    async def configured(self, shop: ShopId, sections: frozenset[str]) -> None:
        # Running nodes see settings within a second, and profiles in their next round (`duty`).
        await self.policy_changed(shop)

    async def account_removed(self, shop_id: ShopId, account_id: AccountId) -> None:
        if await self._is_live(shop_id):
            await self._live.remove_agent(shop_id, account_id)

    async def _is_live(self, shop: ShopId) -> bool:
        return self.reachable and await self._live.engine(shop).is_live()


def _manager(shop: ShopId) -> Caller:
    """Whoever may run commands on the server's machine may do what an owner may."""
    return Caller(shop, "command line", roles=frozenset({Role.OWNER}))


async def _nothing_to_revoke(shop: ShopId, person: PersonId) -> None:
    """Accounts that were just made have no sockets."""
