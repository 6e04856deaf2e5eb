"""Accounts as routing sees them: durable facts, settings and the clock in one `Profile` (GP-01, GP-06,
KS-04, KS-14, KS-19)."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from protocol.ids import AccountId, GroupId, ShopId
from protocol.rights import Right
from protocol.states import AgentStatus, Role
from router.model import Profile
from router.policy import Policy
from server.store.accounts import AccountRow, Accounts
from server.store.groups import Groups, ShiftRow
from server.store.roles import RoleRow, Roles


class Profiles:
    """Makes profiles. `now`: seconds since 1970, for schedules."""

    def __init__(
        self, accounts: Accounts, groups: Groups, roles: Roles, now: Callable[[], float] = time.time
    ) -> None:
        self._accounts = accounts
        self._groups = groups
        self._roles = roles
        self._now = now

    async def one(self, shop: ShopId, account: AccountId, policy: Policy) -> Profile | None:
        """The profile of one account; None when it can serve nobody (unknown, disabled, or without such a role)."""
        row = await self._accounts.find(shop, account)
        if row is None or not _serves(row, await self._roles.of_shop(shop)):
            return None
        groups = await self._groups.of_account(shop, account)
        shifts = await self._groups.shifts(shop, account)
        return self._profile(row, groups, shifts, policy)

    async def all(self, shop: ShopId, policy: Policy) -> list[tuple[Profile, AgentStatus]]:
        """Every profile of a shop, with the status its account chose last."""
        members = await self._groups.memberships(shop)
        shifts = await self._groups.shifts(shop)
        roles = await self._roles.of_shop(shop)
        return [
            (
                self._profile(
                    row,
                    tuple(members.get(row.id, ())),
                    [shift for shift in shifts if shift.account_id == row.id],
                    policy,
                ),
                AgentStatus.ONLINE if Role.BOT in row.roles else row.status,
            )
            for row in await self._accounts.of_shop(shop)
            if _serves(row, roles)
        ]

    def _profile(
        self, row: AccountRow, groups: Sequence[GroupId], shifts: Sequence[ShiftRow], policy: Policy
    ) -> Profile:
        on_duty, serving = self._duty(groups, shifts, policy)
        return Profile(
            agent=row.id,
            capacity=row.capacity or policy.default_capacity,
            groups=tuple(sorted(serving)),
            excluded=row.excluded,
            on_duty=on_duty,
            on_offline_list=row.id in policy.offline_list,
            pause_mode=row.pause_mode,
            pause_at=row.pause_at,
            routable=Role.AGENT in row.roles,
            is_owner=Role.OWNER in row.roles,
        )

    def _duty(
        self, groups: Sequence[GroupId], shifts: Sequence[ShiftRow], policy: Policy
    ) -> tuple[bool, Sequence[GroupId]]:
        """Whether somebody is on duty now, and for which of their groups. Without shifts: always, for all (GP-06).

        A shift that names no group counts for all of them; its end is exclusive, and it does not reach over midnight.
        """
        if not shifts:
            return True, groups
        local = datetime.fromtimestamp(self._now(), ZoneInfo(policy.timezone))
        minute = local.hour * 60 + local.minute
        running = [
            shift
            for shift in shifts
            if shift.weekday == local.weekday() and shift.start_minute <= minute < shift.end_minute
        ]
        if any(shift.group_id is None for shift in running):
            return True, groups
        named = {shift.group_id for shift in running}
        return bool(running), [group for group in groups if group in named]


def _serves(row: AccountRow, roles: Mapping[str, RoleRow]) -> bool:
    """Whether somebody may own conversations: by routing (role `agent`), by hand, or by taking over."""
    return row.disabled_ms is None and any(
        role == Role.BOT or (role in roles and Right.SERVE in roles[role].grants) for role in row.roles
    )
