"""How much of a wall somebody sees: as far as their right to watch reaches (GP-02, CO-12).

Everybody with the same reach sees the same wall, so it is made once for all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from protocol.ids import AccountId, GroupId, ShopId
from protocol.rights import Reach, Right
from server.services.scope import Scope, Why, refusal
from server.session import Session
from server.store.wall import WallReads


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to see a shop's wall. `groups`: with reach `groups`, whose members and pools are seen; `account`: who
    sees nobody but themselves. `figures`: how far their right to see reports reaches; None: they have none."""

    reach: Reach
    groups: frozenset[GroupId] = field(default_factory=frozenset[GroupId])
    account: AccountId | None = None
    figures: "Variant | None" = None


class WallReach:
    """Finds variants by the grants and groups that hold now."""

    def __init__(self, scope: Scope, reads: WallReads) -> None:
        self._scope = scope
        self._reads = reads

    async def of(self, session: Session) -> Variant:
        """Which variant somebody sees. Raises FORBIDDEN when they may watch nothing."""
        variants = await self.of_each([session])
        if session not in variants:
            raise refusal(Why.NO_RIGHT, "see the wall", Right.WATCH)
        return variants[session]

    async def of_each(self, sessions: Iterable[Session]) -> dict[Session, Variant]:
        """Which variant each of these sees, all of one shop; who may watch nothing is left out."""
        watches: dict[Session, Reach] = {}
        reports: dict[Session, Reach] = {}
        for session in sessions:
            grants = await self._scope.grants(session)
            if Right.WATCH in grants:
                watches[session] = grants[Right.WATCH]
                if Right.REPORT in grants:
                    reports[session] = grants[Right.REPORT]
        grouped = {
            session
            for reaches in (watches, reports)
            for session in reaches
            if reaches[session] is Reach.GROUPS
        }
        groups: dict[AccountId, frozenset[GroupId]] = {}
        if grouped:
            accounts = tuple({AccountId(session.person_id) for session in grouped})
            groups = await self._reads.groups_of(next(iter(grouped)).shop_id, accounts)
        return {
            session: replace(
                variant_of(AccountId(session.person_id), reach, groups),
                figures=variant_of(AccountId(session.person_id), reports[session], groups)
                if session in reports
                else None,
            )
            for session, reach in watches.items()
        }

    async def people(self, shop: ShopId, variant: Variant) -> frozenset[AccountId] | None:
        """Whose work the variant shows; None: everybody's."""
        if variant.reach is Reach.ALL:
            return None
        if variant.account is not None:
            return frozenset({variant.account})
        return await self._reads.members(shop, variant.groups)


def variant_of(account: AccountId, reach: Reach, groups: Mapping[AccountId, frozenset[GroupId]]) -> Variant:
    """The variant of somebody with this reach, whose groups are in `groups`."""
    if reach is Reach.ALL:
        return Variant(reach)
    if reach is Reach.GROUPS and account in groups:
        return Variant(reach, groups[account])
    return Variant(reach, account=account)


def sees_pool(variant: Variant, bound: Iterable[GroupId]) -> bool:
    """Whether the variant shows a pool that is bound to these groups; bound to none, it is everybody's."""
    if variant.reach is Reach.ALL:
        return True
    groups = frozenset(bound)
    return variant.reach is Reach.GROUPS and (not groups or not groups.isdisjoint(variant.groups))
