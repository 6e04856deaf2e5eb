"""The scope engine: who may do what, to whom (GP-02 to GP-05, GP-07, CO-06). The only place that judges reach.

Every method, route, bulk action and chooser asks here. Grants come from the roles of the shop (`protocol.rights`),
remembered for at most a second; the facts they are judged by (groups, owners) are read when they are needed. A refusal
changes nothing; the doors (dispatch, HTTP) put it into the audit.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, CustomerId, GroupId, PersonId, ShopId
from protocol.rights import BUILT_IN, LENT, Grants, Reach, Right, united
from protocol.states import Life, PersonKind, Role
from server.services.pools import POOLS
from server.services.shops import Shops
from server.services.viewer import API_KEY, Viewer
from server.store.glass import BrokenGlass
from server.store.roles import Roles
from server.store.rows import ConversationRow, CustomerRow
from server.store.within import Within

KEEP_S = 1.0
"""A role that another node changed is judged by its old grants for at most this long."""
NOTHING: Grants = MappingProxyType({})


class Why(StrEnum):
    """How a judgement came out."""

    PERMITTED = "permitted"
    NO_RIGHT = "no_right"
    """no role of theirs grants it"""
    OUT_OF_SCOPE = "out_of_scope"
    """granted, but not that far"""


@dataclass(frozen=True, slots=True)
class Cover:
    """All that a grant covers, for lists and choosers: the same answer as `judge` gives for each. None: everybody's,
    every group, every pool."""

    accounts: frozenset[AccountId] | None = None
    groups: frozenset[GroupId] | None = None
    pools: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Shop:
    """What is remembered of a shop."""

    until: float
    roles: Mapping[str, Grants]
    unbound: frozenset[AccountId]
    """to whom reach over everything is lent now (break-glass)"""


class Scope:
    """Judges. `None` for a subject means that the act has none of that kind."""

    def __init__(self, roles: Roles, glass: BrokenGlass, shops: Shops) -> None:
        self._roles = roles
        self._glass = glass
        self._shops = shops
        self._kept: dict[ShopId, _Shop] = {}

    def forget(self, shop: ShopId) -> None:
        """Roles or break-glass of the shop changed here."""
        self._kept.pop(shop, None)

    async def grants(self, actor: Viewer, *, fresh: bool = False) -> Grants:
        """Everything that somebody may do, at its widest reach; by what holds now, if `fresh`. Customers have no
        grants: they see what is theirs."""
        if actor.kind is PersonKind.CUSTOMER:
            return NOTHING
        if actor.kind is PersonKind.BOT:
            return BUILT_IN[Role.BOT]
        if fresh:
            self.forget(actor.shop_id)
        shop = await self._shop(actor.shop_id)
        held = [shop.roles[role] for role in actor.roles if role in shop.roles]
        return united((*held, LENT) if actor.person_id in shop.unbound else held)

    async def may(self, actor: Viewer, right: Right) -> bool:
        """Whether somebody has a right at all."""
        return right in await self.grants(actor)

    async def judge(
        self,
        actor: Viewer,
        right: Right,
        *,
        conversation: ConversationRow | None = None,
        account: AccountId | None = None,
        group: GroupId | None = None,
        customer: CustomerRow | None = None,
    ) -> Why:
        """Whether the actor's grant of `right` covers all the subjects given."""
        reach = (await self.grants(actor)).get(right)
        if reach is None:
            return Why.NO_RIGHT
        if reach is Reach.ALL:
            return Why.PERMITTED
        covered = (
            (conversation is None or await self._covers_conversation(actor, right, reach, conversation))
            and (account is None or await self._covers_account(actor, reach, account))
            and (group is None or await self._covers_group(actor, reach, group))
            and (customer is None or await self._covers_customer(actor, reach, customer))
        )
        return Why.PERMITTED if covered else Why.OUT_OF_SCOPE

    async def require(
        self,
        actor: Viewer,
        right: Right,
        act: str,
        *,
        conversation: ConversationRow | None = None,
        account: AccountId | None = None,
        group: GroupId | None = None,
        customer: CustomerRow | None = None,
    ) -> None:
        """Raise FORBIDDEN (`no_right`, `out_of_scope`) unless it is permitted. `act` completes "You may not ..."."""
        why = await self.judge(
            actor, right, conversation=conversation, account=account, group=group, customer=customer
        )
        if why is not Why.PERMITTED:
            raise refusal(why, act, right)

    async def cover(self, actor: Viewer, right: Right) -> Cover:
        """All that the actor's grant of `right` covers; nothing when they have none."""
        reach = (await self.grants(actor)).get(right)
        if reach is Reach.ALL:
            return Cover()
        if reach is None or actor.kind is not PersonKind.ACCOUNT:
            return Cover(frozenset(), frozenset(), frozenset())
        if reach is Reach.OWN:
            return Cover(frozenset({AccountId(actor.person_id)}), frozenset(), frozenset())
        groups = await self._groups(actor)
        bound = (await self._shops.get(actor.shop_id)).live_policy.pools
        pools = frozenset(pool for pool in POOLS if not bound.get(pool) or groups.intersection(bound[pool]))
        return Cover(await self.colleagues(actor), groups, pools)

    async def may_see(self, actor: Viewer, row: ConversationRow) -> bool:
        """Whether somebody may know of a conversation at all; to the others it does not exist (I5)."""
        if actor.kind is PersonKind.CUSTOMER:
            return row.customer_id == CustomerId(actor.person_id)
        if takes_part(actor.person_id, row) or actor.person_id in (row.last_owner_id, *row.invited):
            return True
        if (
            row.state is Life.QUEUED
            and await self.judge(actor, Right.PULL, conversation=row) is Why.PERMITTED
        ):
            return True
        if await self.judge(actor, Right.VIEW, conversation=row) is Why.PERMITTED:
            return True
        return await self._roles.concerned(actor.shop_id, AccountId(actor.person_id), row.id, row.customer_id)

    async def within(self, actor: Viewer) -> Within:
        """What `may_see` gives, for lists and search; for colleagues only."""
        view, pull = await self.cover(actor, Right.VIEW), await self.cover(actor, Right.PULL)
        return Within(actor.person_id, view.accounts, view.pools, pull.pools)

    async def colleagues(self, actor: Viewer) -> frozenset[AccountId]:
        """Whom the reach `groups` covers: the actor, and who shares a group with them now."""
        return await self._roles.colleagues(actor.shop_id, AccountId(actor.person_id))

    # --- reach -------------------------------------------------------------------------------------------------------
    async def _covers_conversation(
        self, actor: Viewer, right: Right, reach: Reach, row: ConversationRow
    ) -> bool:
        # Watching lets somebody read; it widens nothing that changes the conversation.
        if actor.person_id in (row.following if right is Right.VIEW else row.speaking):
            return True
        if reach is Reach.OWN:
            return False
        holder = row.last_owner_id if row.state is Life.CLOSED and row.owner_id is None else row.owner_id
        if holder is not None:
            return await self._covers_account(actor, reach, holder)
        bound = await self._bound_groups(row)
        return not bound or not bound.isdisjoint(await self._groups(actor))

    async def _covers_account(self, actor: Viewer, reach: Reach, account: AccountId) -> bool:
        if account == actor.person_id:
            return True
        return reach is Reach.GROUPS and account in await self.colleagues(actor)

    async def _covers_group(self, actor: Viewer, reach: Reach, group: GroupId) -> bool:
        return reach is Reach.GROUPS and group in await self._groups(actor)

    async def _covers_customer(self, actor: Viewer, reach: Reach, customer: CustomerRow) -> bool:
        if customer.owner_id is None:
            return reach is Reach.GROUPS
        return await self._covers_account(actor, reach, customer.owner_id)

    async def _groups(self, actor: Viewer) -> frozenset[GroupId]:
        return await self._roles.groups_of(actor.shop_id, AccountId(actor.person_id))

    async def _bound_groups(self, row: ConversationRow) -> frozenset[GroupId]:
        """The groups whose pool a waiting conversation is in; none: it is everybody's."""
        policy = (await self._shops.get(row.shop_id)).live_policy
        return frozenset(policy.pools.get(row.pool, ())) if row.pool is not None else frozenset()

    async def _shop(self, shop: ShopId) -> _Shop:
        kept = self._kept.get(shop)
        now = time.monotonic()
        if kept is not None and kept.until > now:
            return kept
        roles = await self._roles.of_shop(shop)
        grants = {role: row.grants for role, row in roles.items()} | {API_KEY: BUILT_IN[Role.OPERATIONS]}
        fresh = _Shop(now + KEEP_S, grants, await self._glass.unbound(shop))
        self._kept[shop] = fresh
        return fresh


def takes_part(person: PersonId, row: ConversationRow) -> bool:
    """Whether somebody owns a conversation, takes part in it, or watches it."""
    return person in row.following


def refusal(why: Why, act: str, right: Right) -> RequestError:
    """The error for a judgement that is not a permission."""
    message = {
        Why.NO_RIGHT: f"You may not {act}: none of your roles grants {right.value}.",
        Why.OUT_OF_SCOPE: f"You may not {act}: it is outside the reach of your roles.",
    }[why]
    return RequestError(ErrorCode.FORBIDDEN, why.value, message, detail={"right": right.value})
