"""Times between milliseconds, moments and text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.times import moment_of, moment_of_ms, ms_of, ms_of_moment, text_of, text_of_ms


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_334_400_000, "2026-11-22T08:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_milliseconds_and_text_are_the_same_moment(ms: int, text: str) -> None:
    assert (text_of_ms(ms), ms_of(text)) == (text, ms)


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_every_millisecond_survives(ms: int) -> None:
    assert ms_of(text_of_ms(ms)) == ms_of_moment(moment_of_ms(ms)) == ms


def test_another_zone_is_told_in_utc_and_microseconds_are_cut() -> None:
    beijing = timezone(timedelta(hours=8))
    moment = datetime(2026, 11, 22, 16, 0, 0, 999_999, tzinfo=beijing)
    assert text_of(moment) == "2026-11-22T08:00:00.999Z"
    assert moment_of("2026-11-22T08:00:00.999Z") == datetime(2026, 11, 22, 8, 0, 0, 999_000, tzinfo=UTC)


def test_a_moment_without_zone_is_refused() -> None:
    naive = datetime(2026, 11, 22, 8)  # noqa: DTZ001 - the point of the test
    for convert in (text_of, ms_of_moment):
        with pytest.raises(ValueError, match="time zone"):
            convert(naive)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T08:00:00Z",
        "2026-11-22T08:00:00.000",
        "2026-11-22T08:00:00.000z",
        "2026-11-22 08:00:00.000Z",
        "2026-11-22T08:00:00,000Z",
        "2026-11-22T08:00:00.0000Z",
        "2026-13-22T08:00:00.000Z",
        "2026-11-22T25:00:00.000Z",
        "٢٠٢٦-11-22T08:00:00.000Z",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ms_of(text)
