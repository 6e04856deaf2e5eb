"""When somebody is on duty (GP-06): by the week, the date, the holiday, the hand, and the clock on the wall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.ids import AccountId, GroupId
from server.services.duty import Duty, Hours, duty, instant
from server.store.groups import Shift
from server.store.hours import ByHand, Stretch

pytestmark = pytest.mark.req("GP-06")

SHANGHAI, BERLIN, NEW_YORK = (
    ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
)
UTC_ZONE = ZoneInfo("UTC")
LILY = AccountId("lily")
NORTH, SOUTH = GroupId("north"), GroupId("south")
GROUPS = (SOUTH, NORTH)
BOTH = (NORTH, SOUTH)


def ms(text: str, zone: ZoneInfo = UTC_ZONE, *, fold: int = 0) -> int:
    """What the clock on the wall of a zone shows, as an instant."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def at(hour: float) -> int:
    return int(hour * 60)


def weekly(
    start: float, end: float, group: GroupId | None = None, days: Sequence[int] = range(7)
) -> list[Shift]:
    return [Shift(day, at(start), at(end), group) for day in days]


def hand(on: bool, until: int | None = None) -> ByHand:
    return ByHand(LILY, on, until)


MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NINE_TO_FIVE = weekly(9, 17, days=range(5))
NIGHTS = weekly(22, 30)


@pytest.mark.parametrize(
    ("now", "hours", "expected"),
    [
        pytest.param("2026-11-23T03:00", Hours(), Duty(True, BOTH, None), id="no hours at all: always"),
        pytest.param(
            "2026-11-23T08:59", Hours(NINE_TO_FIVE), Duty(False, (), ms("2026-11-23T09:00")), id="before"
        ),
        pytest.param(
            "2026-11-23T09:00",
            Hours(NINE_TO_FIVE),
            Duty(True, BOTH, ms("2026-11-23T17:00")),
            id="the first minute belongs to it",
        ),
        pytest.param(
            "2026-11-23T17:00",
            Hours(NINE_TO_FIVE),
            Duty(False, (), ms("2026-11-24T09:00")),
            id="the end does not belong to it",
        ),
        pytest.param(
            "2026-11-27T18:00",
            Hours(NINE_TO_FIVE),
            Duty(False, (), ms("2026-11-30T09:00")),
            id="over the weekend",
        ),
        pytest.param(
            "2026-11-24T05:59", Hours(NIGHTS), Duty(True, BOTH, ms("2026-11-24T06:00")), id="past midnight"
        ),
        pytest.param(
            "2026-11-30T02:00",
            Hours([Shift(6, at(22), at(28))]),
            Duty(True, BOTH, ms("2026-11-30T04:00")),
            id="past Sunday's midnight into the week after",
        ),
        pytest.param(
            "2026-11-23T09:00",
            Hours([*weekly(8, 12, NORTH), *weekly(10, 14, SOUTH)]),
            Duty(True, (NORTH,), ms("2026-11-23T10:00")),
            id="which groups: the next one begins",
        ),
        pytest.param(
            "2026-11-23T11:00",
            Hours([*weekly(8, 12, NORTH), *weekly(10, 14, SOUTH)]),
            Duty(True, BOTH, ms("2026-11-23T12:00")),
            id="which groups: the first one ends",
        ),
        pytest.param(
            "2026-11-23T09:00",
            Hours([*weekly(8, 12), *weekly(10, 14, SOUTH)]),
            Duty(True, BOTH, ms("2026-11-23T12:00")),
            id="one group of all that are served anyway changes nothing",
        ),
        pytest.param(
            "2026-11-23T11:59",
            Hours([*weekly(8, 12), *weekly(12, 14)]),
            Duty(True, BOTH, ms("2026-11-23T14:00")),
            id="stretches that meet are one",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(weekly(9, 17, GroupId("left"))),
            Duty(True, (), ms("2026-11-23T17:00")),
            id="hours for a group that is not theirs",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, dated={MONDAY: ()}),
            Duty(False, (), ms("2026-11-24T09:00")),
            id="off on a date",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, dated={MONDAY: [Stretch(at(12), at(26), NORTH)]}),
            Duty(False, (), ms("2026-11-23T12:00")),
            id="other hours on a date",
        ),
        pytest.param(
            "2026-11-24T01:00",
            Hours(NINE_TO_FIVE, dated={MONDAY: [Stretch(at(12), at(26), NORTH)]}),
            Duty(True, (NORTH,), ms("2026-11-24T02:00")),
            id="a date's hours past midnight",
        ),
        pytest.param(
            "2026-11-24T01:00",
            Hours(NIGHTS, dated={TUESDAY: ()}),
            Duty(True, BOTH, ms("2026-11-24T06:00")),
            id="a night belongs to the day on which it began",
        ),
        pytest.param(
            "2026-11-22T12:00",
            Hours(dated={MONDAY: [Stretch(at(10), at(11))]}),
            Duty(True, BOTH, ms("2026-11-23T00:00")),
            id="around the clock, but for a date",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, holidays={MONDAY: ()}),
            Duty(False, (), ms("2026-11-24T09:00")),
            id="a holiday",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, holidays={MONDAY: [Stretch(at(8), at(12))]}),
            Duty(True, BOTH, ms("2026-11-23T12:00")),
            id="a holiday with other hours cuts",
        ),
        pytest.param(
            "2026-11-22T23:00",
            Hours(NIGHTS, holidays={MONDAY: ()}),
            Duty(True, BOTH, ms("2026-11-23T00:00")),
            id="a holiday cuts the night into it",
        ),
        pytest.param(
            "2026-11-23T23:00",
            Hours(NIGHTS, holidays={MONDAY: ()}),
            Duty(False, (), ms("2026-11-24T00:00")),
            id="and the night out of it up to midnight",
        ),
        pytest.param(
            "2026-11-20T10:00",
            Hours(holidays={MONDAY: ()}),
            Duty(True, BOTH, ms("2026-11-23T00:00")),
            id="who has no hours keeps holidays",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, holidays={MONDAY: ()}, dated={MONDAY: [Stretch(at(9), at(11))]}),
            Duty(True, BOTH, ms("2026-11-23T11:00")),
            id="a date's own hours go above a holiday",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, by_hand=hand(False)),
            Duty(False, (), None),
            id="off by hand until it is taken back",
        ),
        pytest.param(
            "2026-11-23T20:00",
            Hours(weekly(9, 17, NORTH), by_hand=hand(True, ms("2026-11-23T21:30"))),
            Duty(True, BOTH, ms("2026-11-23T21:30")),
            id="on by hand until a time, for all groups",
        ),
        pytest.param(
            "2026-11-23T16:00",
            Hours(NINE_TO_FIVE, by_hand=hand(True, ms("2026-11-23T16:30"))),
            Duty(True, BOTH, ms("2026-11-23T17:00")),
            id="the hand's end changes nothing while the schedule says the same",
        ),
        pytest.param(
            "2026-11-23T10:00",
            Hours(NINE_TO_FIVE, by_hand=hand(False, ms("2026-11-23T10:00"))),
            Duty(True, BOTH, ms("2026-11-23T17:00")),
            id="the hand's end is exclusive",
        ),
    ],
)
def test_who_is_on_duty(now: str, hours: Hours, expected: Duty) -> None:
    assert duty(ms(now), GROUPS, hours, UTC_ZONE) == expected


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        pytest.param(SHANGHAI, "2026-11-23T09:00", "2026-11-23T01:00", id="Shanghai has no summer time"),
        pytest.param(BERLIN, "2026-03-29T01:59", "2026-03-29T00:59", id="Berlin before the leap"),
        pytest.param(BERLIN, "2026-03-29T02:00", "2026-03-29T01:00", id="Berlin, the leap itself"),
        pytest.param(BERLIN, "2026-03-29T02:30", "2026-03-29T01:00", id="Berlin, leapt over: the leap"),
        pytest.param(BERLIN, "2026-03-29T03:00", "2026-03-29T01:00", id="Berlin after the leap"),
        pytest.param(BERLIN, "2026-10-25T02:30", "2026-10-25T00:30", id="Berlin, twice: the first time"),
        pytest.param(BERLIN, "2026-10-25T03:00", "2026-10-25T02:00", id="Berlin after both"),
        pytest.param(NEW_YORK, "2026-03-08T02:15", "2026-03-08T07:00", id="New York, leapt over"),
        pytest.param(NEW_YORK, "2026-11-01T01:15", "2026-11-01T05:15", id="New York, twice"),
    ],
)
def test_what_a_time_on_the_wall_means(zone: ZoneInfo, wall: str, utc: str) -> None:
    moment = datetime.fromisoformat(wall)
    assert instant(zone, moment.date(), moment.hour * 60 + moment.minute) == ms(utc)


def lengths(hours: Hours, zone: ZoneInfo, day: date) -> list[tuple[str, float]]:
    """When stretches begin (UTC) and how many hours each lasts, on one day of the shop."""
    found: list[tuple[str, float]] = []
    now, end = instant(zone, day, 0), instant(zone, day, 1440)
    while now < end:
        state = duty(now, GROUPS, hours, zone)
        assert state.until_ms is not None
        if state.on:
            begins = datetime.fromtimestamp(now / 1000, UTC).strftime("%H:%M")
            found.append((begins, (state.until_ms - now) / 3_600_000))
        now = state.until_ms
    return found


@pytest.mark.parametrize(
    ("day", "hours", "expected"),
    [
        pytest.param(date(2026, 3, 29), weekly(1, 4), [("00:00", 2.0)], id="a night of one hour less"),
        pytest.param(date(2026, 3, 29), weekly(2, 3), [], id="all of it leapt over"),
        pytest.param(date(2026, 3, 29), weekly(2.5, 4), [("01:00", 1.0)], id="begins at the leap"),
        pytest.param(date(2026, 10, 25), weekly(1, 4), [("23:00", 4.0)], id="a night of one hour more"),
        pytest.param(date(2026, 10, 25), weekly(2, 3), [("00:00", 2.0)], id="the hour that comes twice"),
        pytest.param(date(2026, 10, 25), weekly(1, 2.5), [("23:00", 1.5)], id="ends when it is first shown"),
        pytest.param(date(2026, 10, 25), weekly(2.5, 4), [("00:30", 2.5)], id="begins when first shown"),
        pytest.param(date(2026, 7, 1), weekly(1, 4), [("23:00", 3.0)], id="any other night"),
    ],
)
def test_shifts_over_daylight_saving_in_berlin(
    day: date, hours: list[Shift], expected: list[tuple[str, float]]
) -> None:
    assert lengths(Hours(hours), BERLIN, day) == expected


# --- against a clock that is looked at every minute ------------------------------------------------------------------
def walls(zone: ZoneInfo, first: datetime, minutes: int) -> list[datetime]:
    """What the clock showed at most so far, minute by minute: a clock that is set back does not undo what it showed."""
    shown, top = [], first.replace(tzinfo=None) - timedelta(days=9)
    for n in range(-1440, minutes):
        top = max(top, (first + timedelta(minutes=n)).astimezone(zone).replace(tzinfo=None))
        if n >= 0:
            shown.append(top)
    return shown


def looked_up(wall: datetime, at_ms: int, hours: Hours) -> tuple[bool, tuple[GroupId, ...]]:
    """The same by looking the minute up in the plan, with nothing of what `duty` does."""
    by_hand = hours.by_hand
    if by_hand is not None and (by_hand.until_ms is None or at_ms < by_hand.until_ms):
        return by_hand.on_duty, BOTH if by_hand.on_duty else ()
    serving: set[GroupId | None] = set()
    for back in (0, 1):
        day = wall.date() - timedelta(back)
        minute = wall.hour * 60 + wall.minute + back * 1440
        own = day in hours.dated
        stretches: list[tuple[int, int, GroupId | None]]
        if own:
            stretches = [(part.start_minute, part.end_minute, part.group_id) for part in hours.dated[day]]
        elif hours.week:
            stretches = [
                (shift.start_minute, shift.end_minute, shift.group_id)
                for shift in hours.week
                if shift.weekday == day.weekday()
            ]
        else:
            stretches = [(0, 1440, None)]
        today = minute - back * 1440
        closed = wall.date() in hours.holidays and not any(
            part.start_minute <= today < part.end_minute for part in hours.holidays[wall.date()]
        )
        if own or not closed:
            serving |= {group for start, end, group in stretches if start <= minute < end}
    if None in serving:
        return True, BOTH
    return bool(serving), tuple(group for group in BOTH if group in serving)


def minutes_of(low: int, high: int) -> st.SearchStrategy[int]:
    """Any minute, more often a round one near the hours in which clocks change."""
    return st.one_of(
        st.sampled_from(
            [m for m in (0, 30, 60, 90, 119, 120, 150, 180, 1439, 1440, 1500, 1560) if low <= m <= high]
        ),
        st.integers(low, high),
    )


@st.composite
def stretches(draw: st.DrawFn, *, latest: int = 2879) -> Stretch:
    start = draw(minutes_of(0, 1439))
    end = draw(st.integers(start + 1, min(start + 1440, latest)))
    return Stretch(start, end, draw(st.sampled_from([None, NORTH, SOUTH])))


WEEKS = {
    "Berlin, forward": (BERLIN, date(2026, 3, 27)),
    "Berlin, back": (BERLIN, date(2026, 10, 23)),
    "New York, forward": (NEW_YORK, date(2026, 3, 6)),
    "New York, back": (NEW_YORK, date(2026, 10, 30)),
    "Santiago, back over midnight": (ZoneInfo("America/Santiago"), date(2026, 4, 3)),
    "Beirut, forward at midnight": (ZoneInfo("Asia/Beirut"), date(2026, 3, 27)),
    "Lord Howe, by half an hour": (ZoneInfo("Australia/Lord_Howe"), date(2026, 4, 3)),
    "Shanghai, never": (SHANGHAI, date(2026, 3, 27)),
}
SHOWN: Mapping[str, list[datetime]] = {
    name: walls(zone, datetime(day.year, day.month, day.day, tzinfo=UTC), 4 * 1440)
    for name, (zone, day) in WEEKS.items()
}


@given(data=st.data(), week=st.sampled_from(sorted(WEEKS)))
@settings(max_examples=60, deadline=None)
def test_duty_agrees_with_a_look_at_the_clock_every_minute(data: st.DataObject, week: str) -> None:
    zone, first = WEEKS[week]
    days = [first + timedelta(n) for n in range(-1, 6)]
    start = ms(first.isoformat())
    hours = Hours(
        week=[
            Shift(draw_day, part.start_minute, part.end_minute, part.group_id)
            for draw_day, part in data.draw(
                st.lists(st.tuples(st.integers(0, 6), stretches()), max_size=8), label="week"
            )
        ],
        dated=data.draw(
            st.dictionaries(st.sampled_from(days), st.lists(stretches(), max_size=2), max_size=2),
            label="dated",
        ),
        holidays=data.draw(
            st.dictionaries(st.sampled_from(days), st.lists(stretches(latest=1440), max_size=2), max_size=2),
            label="holidays",
        ),
        by_hand=data.draw(
            st.none()
            | st.builds(
                hand, st.booleans(), st.none() | st.integers(0, 4 * 1440).map(lambda n: start + n * 60_000)
            ),
            label="by hand",
        ),
    )
    truth = [looked_up(wall, start + n * 60_000, hours) for n, wall in enumerate(SHOWN[week])]
    n = 0
    while n < len(truth):
        found = duty(start + n * 60_000, GROUPS, hours, zone)
        end = len(truth)
        if found.until_ms is not None:
            assert found.until_ms % 60_000 == 0
            end = min(end, (found.until_ms - start) // 60_000)
        assert end > n
        assert set(truth[n:end]) == {(found.on, found.groups)}, f"minute {n} of {week}"
        if end < len(truth):
            assert truth[end] != truth[n], f"minute {end} of {week}: nothing changed"
        n = end
