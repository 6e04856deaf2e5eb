"""When somebody is on duty, for which of their groups, and until when (GP-06). Pure: no clock, no store.

What decides, the first that says something:
1. by hand: a manager put the account on duty (for all its groups) or off duty, until a time or until it is taken back;
2. the date: the account's own hours for the date on which a stretch begins; none: off that day. Holidays do not cut it;
3. the holiday: on that date of the calendar the week's stretches hold only inside the holiday's hours;
4. the week; an account without any is at work around the clock.

Days and minutes are those of the clock on the shop's wall. A time on that clock means the first instant at which the
clock shows it or a later one. So stretches that meet on the clock meet in truth, and nothing is counted twice: a time
that daylight saving leaps over is the leap itself, one that comes twice is its first coming, and a stretch that spans
a change is as much shorter or longer as the day is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from protocol.ids import GroupId
from server.store.groups import Shift
from server.store.hours import ByHand, Stretch

DAY: Final = 1440
HORIZON_DAYS: Final = 32
_AROUND_THE_CLOCK: Final = (Stretch(0, DAY),)


@dataclass(frozen=True, slots=True)
class Hours:
    """Everything that decides when one account is on duty. `holidays`: the hours that remain of a date."""

    week: Sequence[Shift] = ()
    dated: Mapping[date, Sequence[Stretch]] = field(default_factory=dict[date, Sequence[Stretch]])
    holidays: Mapping[date, Sequence[Stretch]] = field(default_factory=dict[date, Sequence[Stretch]])
    by_hand: ByHand | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """How it stands at an instant. `until_ms`: when the next thing changes; None: not within the days looked at."""

    on: bool
    groups: tuple[GroupId, ...]
    """those served, sorted; none when off duty"""
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class _Span:
    start_ms: int
    end_ms: int
    group: GroupId | None


def duty(
    at_ms: int, groups: Iterable[GroupId], hours: Hours, zone: ZoneInfo, *, days: int = HORIZON_DAYS
) -> Duty:
    """How it stands at `at_ms` (since 1970 UTC) for an account in `groups`, looking `days` dates ahead for the end."""
    every = tuple(sorted(groups))
    if not hours.week and not hours.dated and not hours.holidays and hours.by_hand is None:
        return Duty(True, every, None)
    today = day_of(at_ms, zone)
    # A stretch reaches one day on, and where the clock falls back over midnight the date is behind by one more.
    spans = [span for ahead in range(-2, 2) for span in _spans(today + timedelta(ahead), hours, zone)]
    now = _state(at_ms, every, spans, hours.by_hand)
    by_hand = None if hours.by_hand is None else hours.by_hand.until_ms
    seen = at_ms
    for ahead in range(1, days + 1):
        spans += _spans(today + timedelta(ahead + 1), hours, zone)
        upto = instant(zone, today + timedelta(ahead), 0)
        edges = {edge for span in spans for edge in (span.start_ms, span.end_ms)}
        if by_hand is not None:
            edges.add(by_hand)
        for edge in sorted(edge for edge in edges if seen < edge <= upto):
            if _state(edge, every, spans, hours.by_hand) != now:
                return Duty(*now, edge)
        seen = max(seen, upto)
    return Duty(*now, None)


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The date on the shop's wall."""
    return datetime.fromtimestamp(at_ms // 1000, zone).date()


@lru_cache(maxsize=65536)
def instant(zone: ZoneInfo, day: date, minute: int) -> int:
    """The first instant (ms since 1970 UTC) at which the clock of `zone` shows this time of this day, or a later."""
    wall = datetime.combine(day, time(), UTC).replace(tzinfo=None) + timedelta(minutes=minute)
    first = int(wall.replace(tzinfo=zone, fold=0).timestamp())
    if _wall(first, zone) == wall:
        return first * 1000
    # The clock leaps over it: between what the time was before and what it is after lies the leap.
    before, after = int(wall.replace(tzinfo=zone, fold=1).timestamp()), first
    while after - before > 1:
        middle = (before + after) // 2
        if _wall(middle, zone) < wall:
            before = middle
        else:
            after = middle
    return after * 1000


def _wall(at_s: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_s, zone).replace(tzinfo=None, fold=0)


def _spans(day: date, hours: Hours, zone: ZoneInfo) -> list[_Span]:
    """What begins on a date, as stretches of true time."""
    if day in hours.dated:
        parts = list(hours.dated[day])
    else:
        weekday = day.weekday()
        week: Sequence[Stretch] = (
            [
                Stretch(shift.start_minute, shift.end_minute, shift.group_id)
                for shift in hours.week
                if shift.weekday == weekday
            ]
            if hours.week
            else _AROUND_THE_CLOCK
        )
        parts = [part for stretch in week for part in _open(stretch, day, hours.holidays)]
    found = (
        _Span(instant(zone, day, part.start_minute), instant(zone, day, part.end_minute), part.group_id)
        for part in parts
    )
    return [span for span in found if span.start_ms < span.end_ms]


def _open(stretch: Stretch, day: date, holidays: Mapping[date, Sequence[Stretch]]) -> list[Stretch]:
    """What holidays leave of a stretch that begins on `day`."""
    parts: list[Stretch] = []
    for shift, on in ((0, day), (DAY, day + timedelta(1))):
        start, end = max(stretch.start_minute, shift), min(stretch.end_minute, shift + DAY)
        remain = holidays.get(on, _AROUND_THE_CLOCK)
        for hours in remain:
            first, last = max(start, hours.start_minute + shift), min(end, hours.end_minute + shift)
            if first < last:
                parts.append(Stretch(first, last, stretch.group_id))
    return parts


def _state(
    at_ms: int, every: tuple[GroupId, ...], spans: Sequence[_Span], by_hand: ByHand | None
) -> tuple[bool, tuple[GroupId, ...]]:
    if by_hand is not None and (by_hand.until_ms is None or at_ms < by_hand.until_ms):
        return by_hand.on_duty, every if by_hand.on_duty else ()
    running = {span.group for span in spans if span.start_ms <= at_ms < span.end_ms}
    if None in running:
        return True, every
    return bool(running), tuple(group for group in every if group in running)
