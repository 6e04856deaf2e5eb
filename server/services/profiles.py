"""Accounts as routing sees them: durable facts, settings and the clock in one `Profile` (GP-01, GP-06,
KS-04, KS-14, KS-19)."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from protocol.ids import AccountId, ShopId
from protocol.rights import Right
from protocol.states import AgentStatus, Role
from router.model import Profile
from router.policy import Policy
from server.services.duty import Duty, Hours, day_of, duty
from server.store.accounts import AccountRow, Accounts, LastSeen
from server.store.glass import BrokenGlass
from server.store.groups import Groups, ShiftRow
from server.store.hours import Hours as HoursStore
from server.store.hours import Overrides
from server.store.roles import RoleRow, Roles

AROUND_DAYS: Final = 3
"""Days before and after today that may decide about today and tomorrow, whatever the clock does."""


class Profiles:
    """Makes profiles. `now`: seconds since 1970, for schedules."""

    def __init__(
        self,
        accounts: Accounts,
        groups: Groups,
        roles: Roles,
        glass: BrokenGlass,
        hours: HoursStore,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._groups = groups
        self._roles = roles
        self._glass = glass
        self._hours = hours
        self._now = now

    async def one(self, shop: ShopId, account: AccountId, policy: Policy) -> Profile | None:
        """The profile of one account; None when it can serve nobody (unknown, disabled, or without such a role)."""
        row = await self._accounts.find(shop, account)
        if row is None or not await self._serving(shop, row):
            return None
        groups = await self._groups.of_account(shop, account)
        at_ms = self._now_ms()
        overrides = await self._overrides(shop, policy, at_ms, account)
        hours = hours_of(row, await self._groups.shifts(shop, account), overrides)
        return _profile(row, duty(at_ms, groups, hours, ZoneInfo(policy.timezone), days=1), policy)

    async def all(self, shop: ShopId, policy: Policy) -> list[tuple[Profile, AgentStatus]]:
        """Every profile of a shop, with the status its account chose last."""
        return [
            (_profile(row, on, policy), AgentStatus.ONLINE if Role.BOT in row.roles else row.status)
            for row, on in await self._duties(shop, policy, self._now_ms())
        ]

    async def last_seen(self, shop: ShopId) -> dict[AccountId, LastSeen]:
        """How everybody was connected last."""
        return await self._accounts.last_seen(shop)

    async def next_change_ms(self, shop: ShopId, policy: Policy) -> int | None:
        """The next instant at which anybody of the shop goes on or off duty, or serves other groups; None: nobody does
        before tomorrow begins."""
        ends = [on.until_ms for _, on in await self._duties(shop, policy, self._now_ms())]
        return min((end for end in ends if end is not None), default=None)

    async def _duties(self, shop: ShopId, policy: Policy, at_ms: int) -> list[tuple[AccountRow, Duty]]:
        """Everybody who may serve, and how it stands with them."""
        members = await self._groups.memberships(shop)
        shifts: dict[AccountId, list[ShiftRow]] = {}
        for shift in await self._groups.shifts(shop):
            shifts.setdefault(shift.account_id, []).append(shift)
        roles = await self._roles.of_shop(shop)
        lent = await self._glass.unbound(shop)
        overrides = await self._overrides(shop, policy, at_ms)
        zone = ZoneInfo(policy.timezone)
        return [
            (
                row,
                duty(
                    at_ms,
                    members.get(row.id, ()),
                    hours_of(row, shifts.get(row.id, ()), overrides),
                    zone,
                    days=1,
                ),
            )
            for row in await self._accounts.of_shop(shop)
            if _serves(row, roles, lent)
        ]

    async def _overrides(
        self, shop: ShopId, policy: Policy, at_ms: int, account: AccountId | None = None
    ) -> Overrides:
        today, around = day_of(at_ms, ZoneInfo(policy.timezone)), timedelta(AROUND_DAYS)
        return await self._hours.overrides(shop, today - around, today + around, account)

    async def _serving(self, shop: ShopId, row: AccountRow) -> bool:
        return _serves(row, await self._roles.of_shop(shop), await self._glass.unbound(shop))

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def hours_of(row: AccountRow, week: Sequence[ShiftRow], overrides: Overrides) -> Hours:
    """What decides about one account. A bot keeps no holidays."""
    return Hours(
        week=week,
        dated={day.day: day.hours for day in overrides.dated.get(row.id, ())},
        holidays={}
        if Role.BOT in row.roles
        else {holiday.day: holiday.hours for holiday in overrides.holidays},
        by_hand=overrides.by_hand.get(row.id),
    )


def _profile(row: AccountRow, on: Duty, policy: Policy) -> Profile:
    return Profile(
        agent=row.id,
        capacity=row.capacity or policy.default_capacity,
        groups=on.groups,
        excluded=row.excluded,
        on_duty=on.on,
        on_offline_list=row.id in policy.offline_list,
        pause_mode=row.pause_mode,
        pause_at=row.pause_at,
        routable=Role.AGENT in row.roles,
        is_owner=Role.OWNER in row.roles,
    )


def _serves(row: AccountRow, roles: Mapping[str, RoleRow], lent: frozenset[AccountId]) -> bool:
    """Whether somebody may own conversations: by routing (role `agent`), by hand, or by taking over. `lent`: to whom
    the right to is lent now (break-glass)."""
    return row.disabled_ms is None and (
        row.id in lent
        or any(
            role == Role.BOT or (role in roles and Right.SERVE in roles[role].grants) for role in row.roles
        )
    )
