"""A short storm on a whole Pointsman of two nodes, with every conversation checked."""

from __future__ import annotations

import pytest

from loadtest import load
from loadtest.profiles import PROFILES


@pytest.mark.timeout(180)
async def test_a_short_storm_loses_and_doubles_nothing() -> None:
    wishes = load.Wishes(PROFILES["stormy"], customers=8, agents=3, seconds=6, seed=7)
    outcome = await load.run(wishes, lambda _: None)
    assert outcome.violations == []
    assert outcome.checked == 8
    assert outcome.book.counts["messages"] > 16
    assert outcome.book.counts["connections broken"] > 0
