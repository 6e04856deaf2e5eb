"""Faults under load, in short: a node is killed, PostgreSQL is, both at random; the journal is read by the checker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest import chaos, reliability_page, report
from loadtest.show import Show


@pytest.mark.req("PF-04", "PF-05", "KS-18", "I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9")
@pytest.mark.timeout(240)
async def test_a_killed_node_loses_nothing_and_its_people_are_back_in_time(tmp_path: Path) -> None:
    wishes = chaos.Wishes(faults=(1,), seed=7, customers=16, agents=3)
    outcome = await chaos.run(wishes, Show(), tmp_path)
    assert outcome.verdict.violations == []
    assert outcome.verdict.checked["acked"] > 200
    [killed] = outcome.injected
    assert (killed.trouble, killed.broken) == ("", [])
    assert killed.figures["resumed"] >= 2
    assert not outcome.failed

    document = outcome.document()
    (tmp_path / "chaos.json").write_text(json.dumps(document))
    assert "kill -9 a gateway under load" in report.page(document)
    page = reliability_page.page(tmp_path)
    assert f": 2 nodes behind {outcome.balancer}, seed 7, " in page
    [row] = [line for line in page.splitlines() if line.startswith("| 1 |")]
    assert "holds: resumed" in row
    assert "`make chaos FAULTS=1`" in row


@pytest.mark.req("PF-05", "I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9")
@pytest.mark.timeout(240)
async def test_faults_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    wishes = chaos.Wishes(faults=(1, 2, 8, 9), minutes=0.4, seed=5, customers=16, agents=3)
    outcome = await chaos.run(wishes, Show(), tmp_path)
    assert outcome.verdict.violations == []
    assert [each.trouble for each in outcome.injected if each.trouble] == []
    assert len(outcome.injected) >= 2
    assert outcome.verdict.checked["faults"] == len(outcome.injected)
