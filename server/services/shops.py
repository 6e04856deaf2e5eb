"""What the hot path needs to know about a shop, remembered for at most a second.

A change made on this node is seen here at once (`forget`), one made on another node within `KEEP_S`; what
live state itself must know (pools, distribution) is exchanged in Redis by the change and never remembered.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.ids import AccountId, GroupId, ShopId
from protocol.states import Role
from router.model import LivePolicy
from router.policy import Policy
from server.services.collaboration_settings import CollaborationSettings
from server.services.ending_settings import EndingSettings
from server.store.accounts import Accounts
from server.store.groups import Groups
from server.store.shops import Shops as Store

KEEP_S = 1.0
IDS_KEEP_S = 5.0
"""A new shop's deadlines are first looked at this late."""


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """A shop, as routing and sessions see it."""

    id: ShopId
    name: str
    suspended: bool
    policy: Policy
    groups_exist: bool
    bot: AccountId | None
    """the account of the bot, when it is switched on and still is a bot"""
    collaboration: CollaborationSettings
    endings: EndingSettings
    groups: Mapping[GroupId, str] = field(default_factory=dict[GroupId, str])
    """the names of its groups, in their order"""

    @property
    def live_policy(self) -> LivePolicy:
        """What live state must know."""
        return self.policy.live(groups_exist=self.groups_exist)


class Shops:
    """Facts of shops by id."""

    def __init__(self, store: Store, accounts: Accounts, groups: Groups) -> None:
        self._store = store
        self._accounts = accounts
        self._groups = groups
        self._kept: dict[ShopId, tuple[float, ShopFacts]] = {}
        self._ids: tuple[float, tuple[ShopId, ...]] = (0.0, ())

    async def get(self, shop: ShopId, *, fresh: bool = False) -> ShopFacts:
        """The shop's facts, not older than `KEEP_S` (fresh: read now). Raises NOT_FOUND."""
        kept = self._kept.get(shop)
        now = time.monotonic()
        if kept is not None and kept[0] > now and not fresh:
            return kept[1]
        facts = await self._load(shop)
        self._kept[shop] = (now + KEEP_S, facts)
        return facts

    def forget(self, shop: ShopId) -> None:
        """The shop is new, or its settings, groups or bot have changed here."""
        self._kept.pop(shop, None)
        if shop not in self._ids[1]:
            self._ids = (0.0, ())

    async def all_ids(self) -> tuple[ShopId, ...]:
        """Every shop that is served, for sweeps."""
        until, ids = self._ids
        now = time.monotonic()
        if until <= now:
            ids = await self._store.active_ids()
            self._ids = (now + IDS_KEEP_S, ids)
        return ids

    async def _load(self, shop: ShopId) -> ShopFacts:
        row = await self._store.get(shop)
        policy = Policy.parse(row.policy)
        groups = await self._groups.of_shop(shop)
        return ShopFacts(
            id=shop,
            name=row.name,
            suspended=row.status == "suspended",
            policy=policy,
            groups_exist=bool(groups),
            bot=await self._bot(shop, policy),
            collaboration=CollaborationSettings.of(row.collaboration),
            groups={group.id: group.name for group in groups},
            endings=EndingSettings.of(row.endings),
        )

    async def _bot(self, shop: ShopId, policy: Policy) -> AccountId | None:
        if not policy.bot.enabled or policy.bot.account is None:
            return None
        account = await self._accounts.find(shop, policy.bot.account)
        return None if account is None or Role.BOT not in account.roles else account.id
