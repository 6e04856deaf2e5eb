"""Windows of the day in the shop's zone, also when clocks are put forward or back (CO-07)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from server.automation.clock import Window, edges

pytestmark = pytest.mark.req("CO-07")

ALL_DAYS = tuple(range(7))
MINUTE_MS = 60_000


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("begins", "until", "days", "at", "holds"),
    [
        ("09:00", "18:00", ALL_DAYS, "2026-11-22T09:00", True),
        ("09:00", "18:00", ALL_DAYS, "2026-11-22T08:59", False),
        ("09:00", "18:00", ALL_DAYS, "2026-11-22T17:59", True),
        ("09:00", "18:00", ALL_DAYS, "2026-11-22T18:00", False),
        ("22:00", "06:00", ALL_DAYS, "2026-11-22T23:00", True),
        ("22:00", "06:00", ALL_DAYS, "2026-11-22T05:59", True),
        ("22:00", "06:00", ALL_DAYS, "2026-11-22T06:00", False),
        ("22:00", "06:00", (6,), "2026-11-23T05:00", True),  # Monday morning belongs to Sunday's night
        ("22:00", "06:00", (6,), "2026-11-22T05:00", False),
        ("09:00", "18:00", (0,), "2026-11-22T10:00", False),  # a Sunday
        ("09:00", "18:00", (6,), "2026-11-22T10:00", True),
    ],
)
def test_a_window_holds_from_its_beginning_up_to_its_end(
    begins: str, until: str, days: tuple[int, ...], at: str, holds: bool
) -> None:
    assert Window.of(begins, until, days).holds(ms(at, "Asia/Shanghai"), "Asia/Shanghai") is holds


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"]
)
@pytest.mark.parametrize("start", ["2026-03-07T00:00", "2026-03-28T00:00", "2026-10-03T00:00", "2026-10-24T00:00",
                                   "2026-10-31T00:00", "2026-04-04T00:00"])  # fmt: skip
@pytest.mark.parametrize(("begins", "until"), [("02:30", "03:30"), ("01:30", "02:15"), ("22:00", "02:45")])
def test_no_minute_of_change_is_missed(zone: str, start: str, begins: str, until: str) -> None:
    window = Window.of(begins, until, ALL_DAYS)
    first, last = ms(start), ms(start) + 3 * 24 * 60 * MINUTE_MS
    known = set(edges(frozenset({window}), zone, first, last))
    for at in range(first, last, MINUTE_MS):
        if window.holds(at, zone) != window.holds(at - MINUTE_MS, zone):
            assert at in known, datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
