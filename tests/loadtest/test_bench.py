"""The report of a bench: goals with their ratios, what was left out, and the command line's refusals."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from loadtest import __main__ as command_line
from loadtest.bench import BenchFailed, Report, router_verdicts
from loadtest.end_to_end import EndToEnd
from loadtest.figures import Figure
from loadtest.stand import Cell


def cell(per_s: float, cpu_us: float, latencies_ms: list[float]) -> Cell:
    return Cell(per_s, {"node A": cpu_us - 10, "redis": 10.0}, 20.0, 0.3, latencies_ms)


def measured() -> EndToEnd:
    """Two rounds in which we were twice as fast at half the cost, and as quick."""
    return EndToEnd(
        saturated={
            "pointsman": [cell(20_000, 50, []), cell(22_000, 60, [])],
            "socket.io": [cell(10_000, 100, []), cell(11_000, 120, [])],
        },
        paced={
            "pointsman": [cell(500, 300, [1.0, 2.0]), cell(500, 300, [2.0, 4.0])],
            "socket.io": [cell(500, 300, [1.0, 2.0]), cell(500, 300, [2.0, 4.0])],
        },
    )


def test_the_goals_are_ratios_of_the_rounds() -> None:
    verdicts = {(each["id"], each["median"], each["met"]) for each in measured().verdicts()}
    assert verdicts == {("P1", 2.0, True), ("P1", 0.5, True), ("P3", 1.0, True)}


def test_without_the_peer_there_are_figures_and_no_ratios() -> None:
    alone = measured()
    del alone.saturated["socket.io"], alone.paced["socket.io"]
    assert alone.verdicts() == []
    assert alone.figures()["pointsman"]["messages/s"] == Figure(21_000, 20_000, 22_000)


def test_a_report_says_what_was_missed_and_what_was_left_out() -> None:
    report = Report(machine_facts(), rounds=2, left_out=["P2: no peer"])
    report.figures = measured().figures()
    slow = measured()
    slow.saturated["pointsman"] = slow.saturated["socket.io"]
    report.verdicts = slow.verdicts()
    text = report.text()
    assert "goal >= 1.5: MISSED" in text
    assert "Left out: P2: no peer" in text
    assert json.loads(json.dumps(report.document()))["goals"][0]["met"] is False


def test_the_routers_own_report_gives_its_goals() -> None:
    row = {"median": 0.9, "least": 0.8, "most": 1.0}
    ratios = {"P4 claims: link / redis-benchmark (goal >= 0.8)": row, "P4 lives: link / bare writer": row}
    found: dict[str, Any] = {"ratios": ratios}
    assert [(each["id"], each["met"]) for each in router_verdicts(found, frozenset({"P4"}))] == [("P4", True)]
    with pytest.raises(BenchFailed, match="P5"):
        router_verdicts(found, frozenset({"P5"}))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bench", "--only", "P1,P9"], "cannot measure P9; there are P1, P3, P4, P5"),
        (["bench", "--rounds", "0"], "must be between 1 and 100"),
        (["load", "--customers", "3000"], "must be between 0 and 2000"),
        (["load", "--profile", "quiet"], "invalid choice: 'quiet'"),
    ],
)
def test_wrong_options_are_refused_with_what_would_do(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["loadtest", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def machine_facts() -> dict[str, Any]:
    return {
        "processor": "a processor",
        "cores": 2,
        "memory_gib": 24.0,
        "kernel": "6.1",
        "python": "3.11.7",
        "node": "v20",
        "load_before": 0.1,
    }
