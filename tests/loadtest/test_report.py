"""The pages that runs leave behind: charts that fit their axes, a verdict that says what is broken, escaped words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadtest import report
from loadtest.chart import Chart
from loadtest.faults import FAULTS, Limit
from loadtest.faults.table import TABLE
from loadtest.reliability_page import page
from loadtest.soak import LIMITS, Standing


def document(**changes: Any) -> dict[str, Any]:
    """What a run of two seconds wrote."""
    sample: dict[str, Any] = {
        "at_s": 1.0,
        "messages_per_s": 100.0,
        "visits_per_s": 1.0,
        "send_p50_ms": 2.0,
        "send_p99_ms": 9.0,
        "connected": 5,
        "waiting": 1,
        "cpu": {"node-1": 0.5, "people": 0.1},
        "memory_mib": {"node-1": 100.0, "people": 50.0},
    }
    verdict = {"holds": True, "checked": {"acked": 3}, "broken": {"I1": 0}, "violations": [], "took_s": 0.1}
    machine = {
        "processor": "a <fast> one", "cores": 2, "memory_gib": 4, "kernel": "6", "python": "3.11", "node": "",
        "load_before": 0.0,
    }  # fmt: skip
    return {
        "title": "Load: steady",
        "what": "an <ordinary> day",
        "at": "2026-01-01T00:00:00+00:00",
        "machine": machine,
        "run": {"nodes": 2, "seconds": 2.0, "seed": 1},
        "acknowledged": 200,
        "messages_per_s": 100.0,
        "counts": {"visits": 2},
        "latencies_ms": {"send to acknowledgement": {"p50": 1.0, "p90": 2.0, "p99": 3.0, "max": 4.0}},
        "verdict": verdict,
        "gauge": {"samples": [sample, {**sample, "at_s": 2.0}], "marks": [[1.5, "1 kill"]]},
        **changes,
    }


def test_a_run_that_held_says_so_and_draws_five_charts() -> None:
    html = report.page(document())
    assert "Everything holds" in html
    assert html.count("<svg") == 5
    assert "an &lt;ordinary&gt; day" in html
    assert "<fast>" not in html
    assert "1 kill" in html
    assert "http" not in html, "the page loads nothing"


def test_a_broken_invariant_is_the_first_thing_one_sees() -> None:
    verdict = {
        "holds": False,
        "checked": {},
        "broken": {"I1": 2, "I2": 0},
        "violations": ["I1: c: lost"],
        "took_s": 0.1,
    }
    html = report.page(document(verdict=verdict))
    assert "Broken: I1 2 times" in html
    assert "I1: c: lost" in html


def test_a_figure_beyond_its_limit_is_told_though_the_invariants_hold() -> None:
    assert "a figure does not keep to its limit" in report.page(document(failed=True))


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, "1"), (0.35, "0.40"), (7.0, "8"), (83.0, "100"), (240.0, "400")]
)
def test_an_axis_ends_with_a_round_number_above_everything(value: float, top: str) -> None:
    svg = Chart("t", "u", [0.0, 1.0], {"a": [0.0, value]}).svg()
    labels = [part.partition("</text>")[0].rpartition(">")[2] for part in svg.split('class="y"')[1:]]
    assert labels[-1] == top


def test_a_limit_holds_nothing_that_was_not_measured() -> None:
    limit = Limit("resume_p99_s", at_most=10)
    assert limit.holds({"resume_p99_s": 10.0})
    assert not limit.holds({"resume_p99_s": 10.1})
    assert not limit.holds({})
    assert Limit("lost_packets_fenced_after_s", at_most=9, if_possible=True).holds({}), (
        "not every machine can"
    )


def test_every_fault_of_the_specification_is_in_the_table_once_and_has_a_proof(tmp_path: Any) -> None:
    assert [row.number for row in TABLE] == list(range(1, 34))
    assert all(row.tests for row in TABLE if row.number >= 20)
    assert all(row.tests or row.number in FAULTS for row in TABLE)
    assert set(FAULTS) <= {row.number for row in TABLE}
    written = page(tmp_path)
    assert "| 1 |" in written
    assert "not measured" in written


def test_a_mixed_run_tells_what_could_not_be_done(tmp_path: Any) -> None:
    faults = [
        {"number": 2, "trouble": ""},
        {"number": 2, "trouble": "ChildFailed: node-1 gives no metrics: "},
    ]
    run = document(faults=faults, run={"faults": 2, "minutes_mixed": 30, "seed": 7})
    (tmp_path / "chaos-mixed.json").write_text(json.dumps(run))
    words = page(tmp_path)
    assert "1 could not be injected or measured: 2 (ChildFailed: node-1 gives no metrics:)." in words
    assert "| 2 | gateway frozen 20 s (SIGSTOP), then continues | 2 |" in words


def test_the_tests_that_the_table_names_are_there(pytestconfig: pytest.Config) -> None:
    named = {test for row in TABLE for test in row.tests}
    assert [test for test in sorted(named) if not (pytestconfig.rootpath / test).is_file()] == []


def test_what_has_grown_in_a_soak_is_told_by_name() -> None:
    before = Standing(100.0, 200.0, 50.0, 20.0, 1000.0)
    same = before.grew(before)
    assert [str(limit) for limit in LIMITS if not limit.holds(same)] == []
    after = Standing(140.0, 230.0, 51.0, 20.0, 1200.0)
    grew = after.grew(before)
    assert grew["redis_keys_grew_percent"] == 20.0
    assert [limit.figure for limit in LIMITS if not limit.holds(grew)] == [
        "memory_mib_per_node_grew",
        "tasks_grew",
        "sockets_grew",
        "redis_keys_grew_percent",
    ]


def test_what_a_fault_did_alone_later_counts_for_it(tmp_path: Any) -> None:
    found: dict[str, Any] = {"number": 14, "figures": {"sockets": 1000}, "broken": [], "trouble": ""}
    in_turn = document(faults=[{**found, "number": 1}, found])
    alone = document(faults=[{**found, "figures": {"sockets": 5000}}], at="2026-01-02T00:00:00+00:00")
    (tmp_path / "chaos.json").write_text(json.dumps(in_turn))
    (tmp_path / "chaos-14.json").write_text(json.dumps(alone))
    rows = page(tmp_path).splitlines()
    [storm] = [row for row in rows if row.startswith("| 14 |")]
    assert storm.endswith("| holds: sockets 5,000 | `make chaos FAULTS=14 SOCKETS=5000` |")
    [killed] = [row for row in rows if row.startswith("| 1 |")]
    assert "holds: sockets 1,000" in killed


def test_what_was_not_measured_again_stays_on_the_page(tmp_path: Any) -> None:
    found: dict[str, Any] = {"number": 1, "figures": {"resumed": 10}, "broken": [], "trouble": ""}
    both = document(faults=[found, {**found, "number": 2, "figures": {"sockets": 20}}])
    (tmp_path / "chaos.json").write_text(json.dumps(both))
    (tmp_path / "wipe.json").write_text(
        json.dumps({"conversations": 5, "differences": [], "figures": {"routing_back_s": 1}})
    )
    first = page(tmp_path)
    assert page(tmp_path / "nothing", first) == first

    later = tmp_path / "later"
    later.mkdir()
    anew = document(
        faults=[{**found, "number": 2, "figures": {"sockets": 30}}], at="2026-02-02T00:00:00+00:00"
    )
    (later / "chaos.json").write_text(json.dumps(anew))
    second = page(later, first)
    assert "- 1: 2026-01-01 on " in second
    assert "- 2: 2026-02-02 on " in second
    assert "| holds: resumed 10 |" in second
    assert "| holds: sockets 30 |" in second
    assert "sockets 20" not in second
    assert "5 open conversations" in second
    assert "Not run yet: `make load`." in second


def test_loads_and_races_and_broken_builds_have_their_tables(tmp_path: Any) -> None:
    run = {"nodes": 2, "seconds": 60.0, "seed": 1, "profile": "steady", "customers": 60, "agents": 8}
    (tmp_path / "load-steady.json").write_text(json.dumps(document(run=run)))
    verdict = document()["verdict"]
    races = {"seeds": 10, "seconds": 2.0, "races": {"pull: first": 10}, "wrong": [], "check": verdict}
    (tmp_path / "races.json").write_text(json.dumps(races))
    trial = {
        "build": "skips the fence",
        "breaks": "I3",
        "as_it_should": True,
        "violations": ["I3: two owners"],
    }
    (tmp_path / "proof.json").write_text(json.dumps({"trials": [trial]}))
    words = page(tmp_path)
    assert "| an <ordinary> day (`steady`) | 60, 8 | 60 | 200 | 100 | 1, 3 |  | everything holds |" in words
    assert "10 in 2 s; 0 in which not exactly one won" in words
    assert "| skips the fence | I3 | 1 of 1 times | I3: two owners |" in words
