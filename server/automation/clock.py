"""Windows of the day in a shop's time zone, exactly, also on days on which clocks are put forward or back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


def _moment(ms: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + ms * _MS).astimezone(zone)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


@dataclass(frozen=True, slots=True)
class Window:
    """From one minute of the day (included) to another (not included), on weekdays on which it begins (0: Monday)."""

    begins: int
    until: int
    weekdays: frozenset[int]

    @classmethod
    def of(cls, begins: str, until: str, weekdays: tuple[int, ...]) -> Self:
        """From `HH:MM`."""
        return cls(_minute(begins), _minute(until), frozenset(weekdays))

    def holds(self, ms: int, zone: str) -> bool:
        """Whether the clocks of the zone are within it at this instant."""
        local = _moment(ms, ZoneInfo(zone))
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.begins < self.until:
            return self.begins <= minute < self.until and today in self.weekdays
        if minute >= self.begins:
            return today in self.weekdays
        return minute < self.until and (today - 1) % 7 in self.weekdays

    def clock(self, ms: int, zone: str) -> str:
        """What the clocks show: weekday and time."""
        local = _moment(ms, ZoneInfo(zone))
        return f"{local.weekday()} {local:%H:%M}"


def edges(windows: frozenset[Window], zone: str, from_ms: int, to_ms: int) -> Iterator[int]:
    """Every instant of that time at which one of the windows may begin or end: when clocks show its limits, at
    midnight, and when clocks are put forward or back."""
    place = ZoneInfo(zone)
    minutes = {0, *(window.begins for window in windows), *(window.until for window in windows)}
    day, last = _moment(from_ms, place).date() - _DAY, _moment(to_ms, place).date() + _DAY
    while day <= last:
        for minute in minutes:
            shown = datetime.combine(day, time(minute // 60, minute % 60), place)
            yield _ms(shown)
            yield _ms(shown.replace(fold=1))  # shown twice on the day on which clocks are put back
        yield from _shift(day, place)
        day += _DAY


def _shift(day: date, zone: ZoneInfo) -> Iterator[int]:
    """The instant of that day at which clocks are put forward or back, if there is one, to the second."""
    low = _ms(datetime.combine(day, time(), zone)) // 1000
    high = _ms(datetime.combine(day + _DAY, time(), zone)) // 1000
    before = _moment(low * 1000, zone).utcoffset()
    if _moment(high * 1000, zone).utcoffset() == before:
        return
    while high - low > 1:
        middle = (low + high) // 2
        if _moment(middle * 1000, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield high * 1000


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
