"""Medians, spreads, ratios, percentiles, and whether a goal is met."""

from __future__ import annotations

import pytest

from loadtest.figures import Figure, Goal, percentile, ratio, told


def test_a_figure_is_the_median_with_the_ends_of_its_spread() -> None:
    assert Figure.of([5.0, 1.0, 9.0]) == Figure(median=5.0, least=1.0, most=9.0)


def test_a_ratio_is_taken_round_by_round() -> None:
    # The medians are 20 and 20: their ratio, 1.0, would hide that we were twice as fast in every round.
    assert ratio([20.0, 40.0, 20.0], [10.0, 20.0, 10.0]) == Figure(2.0, 2.0, 2.0)
    assert ratio([10.0, 20.0, 30.0], [20.0, 10.0, 30.0]) == Figure(1.0, 0.5, 2.0)


def test_rounds_that_do_not_pair_are_a_mistake() -> None:
    with pytest.raises(ValueError):
        ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0), (0.505, 51.0)]
)
def test_percentiles_are_values_that_occurred(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert [percentile([7.0], share) for share in (0.01, 0.5, 0.99)] == [7.0, 7.0, 7.0]


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("at_least", "median", "met"),
    [(True, 1.5, True), (True, 1.49, False), (False, 1.5, True), (False, 1.51, False)],
)
def test_a_goal_is_met_at_its_bound_and_beyond(at_least: bool, median: float, met: bool) -> None:
    goal = Goal("P1", "what", 1.5, at_least=at_least)
    facts = goal.facts(Figure(median, 0.0, 9.0))
    assert (facts["met"], facts["goal"]) == (met, ">= 1.5" if at_least else "<= 1.5")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("resume_p99_s", 0.5493, "resume p99 0.549 s"),
        ("longest_send_ms", 1319.4, "longest send 1,319 ms"),
        ("memory_grew_mib", 0.0, "memory grew 0 MiB"),
        ("messages", 10950.0, "messages 10,950"),
        ("races_per_s", 11.4, "races 11.4 per s"),
        ("acknowledged_in_3_s", 413.0, "acknowledged in 3 s: 413"),
        ("aborted_after_s", 40.01, "aborted after 40.0 s"),
    ],
)
def test_figures_are_told_with_their_units(name: str, value: float, words: str) -> None:
    assert told({name: value}) == words
    assert told({name: value, "resumed": 3}) == f"{words}, resumed 3"
