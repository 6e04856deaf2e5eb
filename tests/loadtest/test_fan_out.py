"""The fan-out figures: what they say, and that a small run of them on a whole Pointsman measures what it should."""

from __future__ import annotations

import pytest

from loadtest import fan_out
from loadtest.fan_out import Report, Sample, Wishes


def sample(size: int, cpu_s: float, *, events: int = 10) -> Sample:
    return Sample(size, events, 1.0, cpu_s, 0.0, pushes=size * events, bytes=size * events * 1024)


def test_growth_is_told_beside_what_would_be_linear() -> None:
    report = Report(
        {
            "cores": 2,
            "processor": "?",
            "memory_gib": 1,
            "kernel": "?",
            "python": "?",
            "node": "",
            "load_before": 0,
        },
        # 10 us for each reader, the customer included
        gatherings={size: [sample(size, (size + 1) * 1e-4)] for size in (2, 50)},
        # a change costs 1 ms, looking 2 ms, each push 10 us
        walls={size: [sample(size, 1e-2 + (2e-2 + size * 1e-4 if size else 0))] for size in (0, 2, 50, 500)},
    )

    text = report.text()

    assert (
        "one message for 50 agents costs 17.00 times one for 2 (17.00 to 17.00 over the rounds; 25 would"
        in text
    )
    assert (
        "one change for 500 connections costs 2.80 times one for 50 (2.80 to 2.80 over the rounds; 10 would"
        in text
    )
    assert text.count("each more costs 10 us") == 2
    assert report.document()["conversation"][50]["us_per_reader"] == pytest.approx(10)


@pytest.mark.timeout(180)
async def test_a_small_run_reaches_every_reader() -> None:
    wishes = Wishes(sizes=(2, 4), messages=20, subscribers=(1, 4), changes=3)

    report = await fan_out.run(1, lambda _: None, wishes=wishes)

    assert {size: len(samples) for size, samples in report.gatherings.items()} == {2: 1, 4: 1}
    assert {size: samples[0].pushes >= size * 3 for size, samples in report.walls.items() if size} == {
        1: True,
        2: True,
        4: True,
    }
