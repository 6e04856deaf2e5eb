"""Working hours (GP-06): weeks, dates, holidays and duty by hand, and how it stands now. No hours at all: always.

What the parts mean together is said in `services.duty`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from protocol.ids import AccountId, GroupId, ShopId
from protocol.rights import Right
from server.services.accounts import invalid
from server.services.callers import Caller, CallerEyes
from server.services.duty import DAY, HORIZON_DAYS, Duty, day_of, duty
from server.services.profiles import AROUND_DAYS, hours_of
from server.services.revisions import NOTHING, check_revision, revision_of
from server.services.scope import Scope
from server.services.shops import Shops
from server.store.accounts import Accounts as AccountStore
from server.store.editing import Editing
from server.store.groups import Groups as GroupStore
from server.store.groups import Shift
from server.store.hours import ByHand, DatedDay, Holiday, Hours, Stretch

WEEK: Final = 7 * DAY


class LiveHours(Protocol):
    """Live routing, as far as hours matter to it."""

    async def hours_changed(self, shop_id: ShopId) -> None:
        """Hours, holidays or duty by hand changed, durably; repeating changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class DutyNow:
    """How it stands with an account. `by_hand` None: the schedule decides."""

    duty: Duty
    by_hand: ByHand | None


class Schedules:
    """Reads and sets hours. Everything is the caller's shop's; else NOT_FOUND. Setting is refused with FORBIDDEN when
    the account is outside the caller's reach. What is set holds in routing when the call returns."""

    def __init__(
        self,
        *,
        groups: GroupStore,
        accounts: AccountStore,
        hours: Hours,
        editing: Editing,
        shops: Shops,
        scope: Scope,
        live: LiveHours,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._groups = groups
        self._accounts = accounts
        self._hours = hours
        self._editing = editing
        self._shops = shops
        self._scope = scope
        self._live = live
        self._now = now

    # --- the week ----------------------------------------------------------------------------------------------------
    async def get(self, caller: Caller, account: AccountId) -> tuple[Shift, ...]:
        """The week of an account, in order."""
        await self._accounts.get(caller.shop_id, account)
        return tuple(sorted(await self._groups.shifts(caller.shop_id, account), key=_order))

    async def set(
        self, caller: Caller, account: AccountId, hours: tuple[Shift, ...], *, rev: str
    ) -> tuple[Shift, ...]:
        """Replace the whole week. CONFLICT `stale_rev`; INVALID_PARAMS when a stretch is empty, longer than a day,
        overlaps another of the same group (Sunday's night and Monday included), or names a group that the account is
        not in."""
        await self._may_set(caller, account)
        ordered = tuple(sorted(hours, key=_order))
        await self._check(
            caller.shop_id,
            account,
            [
                (
                    shift.weekday * DAY,
                    Stretch(shift.start_minute, shift.end_minute, shift.group_id),
                )
                for shift in ordered
            ],
            around=WEEK,
        )
        async with self._editing.of(caller.shop_id) as stored:
            holds = await stored.groups.shifts(caller.shop_id, account)
            check_revision(rev, week_rev(holds))
            await stored.groups.set_shifts(caller.shop_id, account, ordered)
        await self._live.hours_changed(caller.shop_id)
        return ordered

    # --- single dates ------------------------------------------------------------------------------------------------
    async def dated(
        self, caller: Caller, account: AccountId, first: date, last: date
    ) -> tuple[DatedDay, ...]:
        """The dates (both ends included) on which an account works other hours than its week's, in order."""
        await self._accounts.get(caller.shop_id, account)
        return await self._hours.dated(caller.shop_id, account, first, last)

    async def set_dated(self, caller: Caller, day: DatedDay, *, rev: str) -> DatedDay:
        """Set what an account works on a date, instead of its week and whatever holiday it is; nothing: off. `rev`:
        `NOTHING` for a date on which the week decided so far. Refused like `set`."""
        await self._may_set(caller, day.account_id)
        await self._check(caller.shop_id, day.account_id, [(0, stretch) for stretch in day.hours])
        ordered = tuple(sorted(day.hours, key=lambda part: (part.start_minute, part.group_id or "")))
        kept = DatedDay(day.account_id, day.day, day.note, ordered)
        async with self._editing.of(caller.shop_id) as stored:
            there = await stored.hours.dated(caller.shop_id, day.account_id, day.day, day.day)
            check_revision(rev, dated_rev(there[0]) if there else NOTHING)
            await stored.hours.set_dated(caller.shop_id, kept)
        await self._live.hours_changed(caller.shop_id)
        return kept

    async def delete_dated(self, caller: Caller, account: AccountId, day: date) -> None:
        """Let the week decide about a date again; once more changes nothing."""
        await self._may_set(caller, account)
        await self._hours.delete_dated(caller.shop_id, account, day)
        await self._live.hours_changed(caller.shop_id)

    # --- the shop's holidays -----------------------------------------------------------------------------------------
    async def holidays(self, caller: Caller) -> tuple[Holiday, ...]:
        """All of them, by date."""
        return await self._hours.holidays(caller.shop_id)

    async def set_holidays(
        self, caller: Caller, holidays: tuple[Holiday, ...], *, rev: str
    ) -> tuple[Holiday, ...]:
        """Replace all of them. CONFLICT `stale_rev`; INVALID_PARAMS as `accepted_holidays`."""
        ordered = accepted_holidays(holidays)
        async with self._editing.of(caller.shop_id) as stored:
            check_revision(rev, revision_of(await stored.hours.holidays(caller.shop_id)))
            await stored.hours.set_holidays(caller.shop_id, ordered)
        await self._live.hours_changed(caller.shop_id)
        return ordered

    # --- by hand, and how it stands ----------------------------------------------------------------------------------
    async def duty(self, caller: Caller, account: AccountId) -> DutyNow:
        """Whether an account is on duty now, for which groups, and until when."""
        row = await self._accounts.get(caller.shop_id, account)
        zone = ZoneInfo((await self._shops.get(caller.shop_id)).policy.timezone)
        now_ms = self._now_ms()
        today = day_of(now_ms, zone)
        overrides = await self._hours.overrides(
            caller.shop_id,
            today - timedelta(AROUND_DAYS),
            today + timedelta(HORIZON_DAYS + AROUND_DAYS),
            account,
        )
        week = await self._groups.shifts(caller.shop_id, account)
        groups = await self._groups.of_account(caller.shop_id, account)
        by_hand = overrides.by_hand.get(account)
        if by_hand is not None and by_hand.until_ms is not None and by_hand.until_ms <= now_ms:
            by_hand = None
        return DutyNow(duty(now_ms, groups, hours_of(row, week, overrides), zone), by_hand)

    async def set_by_hand(self, caller: Caller, given: ByHand) -> DutyNow:
        """Put an account on duty (for all its groups) or off duty, until a time or until it is taken back.
        INVALID_PARAMS when the time has passed."""
        await self._may_set(caller, given.account_id)
        if given.until_ms is not None and given.until_ms <= self._now_ms():
            raise invalid("body.until", "must be in the future; null: until it is taken back")
        await self._hours.set_by_hand(caller.shop_id, given)
        await self._live.hours_changed(caller.shop_id)
        return await self.duty(caller, given.account_id)

    async def end_by_hand(self, caller: Caller, account: AccountId) -> DutyNow:
        """Let the schedule decide again; once more changes nothing."""
        await self._may_set(caller, account)
        await self._hours.end_by_hand(caller.shop_id, account)
        await self._live.hours_changed(caller.shop_id)
        return await self.duty(caller, account)

    # --- what is refused ---------------------------------------------------------------------------------------------
    async def _may_set(self, caller: Caller, account: AccountId) -> None:
        await self._accounts.get(caller.shop_id, account)
        await self._scope.require(
            CallerEyes(caller), Right.AGENT_MANAGE, "set somebody's working hours", account=account
        )

    async def _check(
        self,
        shop: ShopId,
        account: AccountId,
        stretches: Sequence[tuple[int, Stretch]],
        *,
        around: int | None = None,
    ) -> None:
        of_account = frozenset(await self._groups.of_account(shop, account))
        for _, stretch in stretches:
            if stretch.group_id is not None and stretch.group_id not in of_account:
                raise invalid("body.hours", f"the account is not in group {stretch.group_id}")
        check_stretches("body.hours", stretches, around=around)

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def accepted_holidays(holidays: Sequence[Holiday]) -> tuple[Holiday, ...]:
    """Holidays in order. INVALID_PARAMS when a date comes twice, or a holiday's hours are empty, overlap, or leave the
    day."""
    ordered = tuple(
        Holiday(holiday.day, holiday.name, tuple(sorted(holiday.hours, key=lambda part: part.start_minute)))
        for holiday in sorted(holidays, key=lambda holiday: holiday.day)
    )
    for earlier, later in pairwise(ordered):
        if earlier.day == later.day:
            raise invalid("body.holidays", f"{later.day} is named twice")
    for holiday in ordered:
        if any(part.end_minute > DAY for part in holiday.hours):
            raise invalid(
                "body.holidays",
                f"{holiday.day}: hours of a holiday end by midnight; name the next day too",
            )
        check_stretches("body.holidays", [(0, part) for part in holiday.hours], f"{holiday.day}: ")
    return ordered


def week_rev(week: Sequence[Shift]) -> str:
    """The revision of a week: of its stretches, in whatever order they come."""
    return revision_of(
        [(h.weekday, h.start_minute, h.end_minute, h.group_id) for h in sorted(week, key=_order)]
    )


def dated_rev(day: DatedDay) -> str:
    """The revision of what an account works on a date."""
    return revision_of(day.note, day.hours)


def check_stretches(
    field: str, stretches: Sequence[tuple[int, Stretch]], about: str = "", *, around: int | None = None
) -> None:
    """Each (minute at which its day begins, stretch). `around`: minutes after which it all begins again."""
    taken: dict[GroupId | None, list[tuple[int, int]]] = {}
    for day, stretch in stretches:
        if stretch.start_minute >= stretch.end_minute:
            raise invalid(
                field,
                f"{about}a stretch must end after it begins; an end past midnight counts on: 06:00 is {DAY + 360}",
            )
        if stretch.end_minute - stretch.start_minute > DAY:
            raise invalid(field, f"{about}a stretch is at most a day long")
        taken.setdefault(stretch.group_id, []).append((day + stretch.start_minute, day + stretch.end_minute))
    for of_group in taken.values():
        of_group.sort()
        following = of_group[1:]
        if around is not None:
            following.append((of_group[0][0] + around, 0))
        if any(later[0] < earlier[1] for earlier, later in zip(of_group, following, strict=False)):
            raise invalid(field, f"{about}two stretches of the same group overlap")


def _order(shift: Shift) -> tuple[int, int, int, str]:
    return shift.weekday, shift.start_minute, shift.end_minute, shift.group_id or ""
