"""Working hours and holidays of a configuration, into the stores."""

from collections.abc import Mapping, Sequence
from datetime import date

from protocol.errors import RequestError
from protocol.ids import AccountId, GroupId
from server.services.configuration.names import Names, UnknownName
from server.services.configuration.shapes import DAYS, Holiday, Schedule, stretch
from server.services.configuration.under_way import UnderWay
from server.services.duty import DAY
from server.services.schedules import WEEK, accepted_holidays, check_stretches, week_rev
from server.store.groups import Shift
from server.store.hours import FIRST_DAY, LAST_DAY, DatedDay, Stretch
from server.store.hours import Holiday as StoredHoliday


async def write_schedules(way: UnderWay, wanted: Mapping[str, Schedule]) -> None:
    """The hours of those who are named; nobody else has any."""
    names = await way.names()
    members = await way.stored.groups.memberships(way.shop)
    given: dict[AccountId, Schedule] = {}
    for email, schedule in wanted.items():
        account = way.account(names, email, f"schedules.{email}")
        if account is not None:
            given[account] = schedule
    weeks: dict[AccountId, list[Shift]] = {}
    for shift in await way.stored.groups.shifts(way.shop):
        weeks.setdefault(shift.account_id, []).append(shift)
    dated = (await way.stored.hours.overrides(way.shop, FIRST_DAY, LAST_DAY)).dated
    for account in sorted({*given, *weeks, *dated}):
        place = f"schedules.{names.email(account)}"
        hours = _Hours(way, names, frozenset(members.get(account, ())))
        schedule = given.get(account, Schedule())
        week = hours.week(schedule, f"{place}.week")
        if week is not None and week_rev(week) != week_rev(weeks.get(account, [])):
            await way.stored.groups.set_shifts(way.shop, account, week)
        await _write_dates(way, account, schedule, dated.get(account, ()), hours, f"{place}.dates")


async def _write_dates(
    way: UnderWay,
    account: AccountId,
    schedule: Schedule,
    there: Sequence[DatedDay],
    hours: "_Hours",
    place: str,
) -> None:
    before = {day.day: day for day in there}
    named: set[date] = set()
    for text, given in schedule.dates.items():
        day = _date(way, text, f"{place}.{text}")
        stretches = hours.day(given.hours, f"{place}.{text}.hours")
        if day is None or stretches is None:
            continue
        named.add(day)
        wanted = DatedDay(account, day, given.note, stretches)
        if before.get(day) != wanted:
            await way.stored.hours.set_dated(way.shop, wanted)
    for day in before.keys() - named:
        await way.stored.hours.delete_dated(way.shop, account, day)


async def write_holidays(way: UnderWay, wanted: Mapping[str, Holiday]) -> None:
    """All of them."""
    holidays: list[StoredHoliday] = []
    for text, holiday in wanted.items():
        place = f"holidays.{text}"
        day = _date(way, text, place)
        stretches: list[Stretch] = []
        for at, hours in enumerate(holiday.hours):
            start, end, group = stretch(hours)
            if group is not None:
                way.fault(f"{place}.hours.{at}", "hours of a holiday are for everybody, not for a group")
            stretches.append(Stretch(start, end))
        if day is not None:
            holidays.append(StoredHoliday(day, holiday.name, tuple(stretches)))
    try:
        ordered = accepted_holidays(holidays)
    except RequestError as error:
        way.refused(error, instead_of="body.holidays", place="holidays")
        return
    if ordered != await way.stored.hours.holidays(way.shop):
        await way.stored.hours.set_holidays(way.shop, ordered)


def _date(way: UnderWay, text: str, place: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        way.fault(place, "there is no such date")
        return None


class _Hours:
    """Reads the hours of one account, who is in these groups."""

    def __init__(self, way: UnderWay, names: Names, groups: frozenset[GroupId]) -> None:
        self._way = way
        self._names = names
        self._groups = groups

    def week(self, schedule: Schedule, place: str) -> tuple[Shift, ...] | None:
        """A week in order; None: it cannot be."""
        shifts: list[Shift] = []
        sound = True
        for day, texts in schedule.week.items():
            for at, text in enumerate(texts):
                part = self._stretch(text, f"{place}.{day}.{at}")
                if part is None or part.start_minute >= DAY:
                    sound = False
                    continue
                shifts.append(Shift(DAYS.index(day), part.start_minute, part.end_minute, part.group_id))
        around = [
            (each.weekday * DAY, Stretch(each.start_minute, each.end_minute, each.group_id))
            for each in shifts
        ]
        ordered = sorted(shifts, key=lambda each: (each.weekday, each.start_minute, each.group_id or ""))
        return tuple(ordered) if self._check(around, place, WEEK) and sound else None

    def day(self, texts: Sequence[str], place: str) -> tuple[Stretch, ...] | None:
        """Hours of one date in order; None: they cannot be."""
        parts = [self._stretch(text, f"{place}.{at}") for at, text in enumerate(texts)]
        known = [part for part in parts if part is not None]
        ordered = sorted(known, key=lambda part: (part.start_minute, part.group_id or ""))
        return tuple(ordered) if self._check([(0, part) for part in known], place, None) else None

    def _stretch(self, text: str, place: str) -> Stretch | None:
        start, end, name = stretch(text)
        if start >= DAY:
            self._way.fault(place, "begins after its day; name the next day instead")
            return None
        if name is None:
            return Stretch(start, end)
        try:
            group = self._names.group(name)
        except UnknownName as error:
            self._way.fault(place, error.problem)
            return None
        if group not in self._groups:
            self._way.fault(place, f"the account is not in group {name}")
            return None
        return Stretch(start, end, group)

    def _check(self, stretches: list[tuple[int, Stretch]], place: str, around: int | None) -> bool:
        try:
            check_stretches(place, stretches, around=around)
        except RequestError as error:
            self._way.refused(error)
            return False
        return True
