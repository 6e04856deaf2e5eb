"""Races over two real nodes (fault 17): exactly one winner, the other told, and everything still holds afterwards."""

from __future__ import annotations

import pytest

from loadtest import races

SEEDS = 200


@pytest.mark.timeout(300)
@pytest.mark.req("KS-21", "KS-14", "KS-19", "KS-20", "I3", "I4", "I8")
async def test_of_two_who_want_the_same_exactly_one_gets_it() -> None:
    outcome = await races.run(SEEDS, 1, lambda done, of: None)
    assert outcome.wrong == []
    assert outcome.verdict.violations == []
    assert outcome.seeds == SEEDS
    assert len({race.partition(":")[0] for race in outcome.races}) == 7, "every kind of race was run"
