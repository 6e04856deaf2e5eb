"""A short storm on a whole Pointsman of two nodes, with everything checked, and its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest import load, report
from loadtest.people import PROFILES
from loadtest.show import Show


@pytest.mark.req("PF-05", "I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9")
@pytest.mark.timeout(240)
async def test_a_short_storm_loses_and_doubles_nothing(tmp_path: Path) -> None:
    wishes = load.Wishes(PROFILES["storm"], seconds=10, seed=7, customers=12, agents=3)
    outcome = await load.run(wishes, Show(), tmp_path)
    assert outcome.verdict.violations == []
    assert outcome.verdict.checked["acked"] > 50
    assert outcome.book.of("storms") == 1
    assert outcome.book.latencies()["back after a lost connection"]["p99"] < 10_000
    html = report.page(outcome.document())
    assert "Everything holds" in html
    assert html.count("<svg") == 5
