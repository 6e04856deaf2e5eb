"""Failpoints: refused where they have no business, and exactly as often as they say where they have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from router.scripts import SOURCES
from server import failpoints
from server.settings import Settings, SettingsError, load

URLS = {
    "database_url": "postgresql://localhost/x",
    "redis_url": "redis://localhost",
    "secret": "a secret for tests that is long enough",
}


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def settings(rules: str, *, demo: bool) -> Settings:
    return load(**URLS, demo=demo, failpoints=rules)


def test_they_are_refused_outside_demo_mode_and_the_error_says_so() -> None:
    with pytest.raises(SettingsError) as refused:
        settings("fence.skip", demo=False)
    assert refused.value.faults == [
        {
            "field": "POINTSMAN_FAILPOINTS",
            "problem": "faults on purpose are refused outside demo mode; leave it empty",
        }
    ]
    assert settings("fence.skip", demo=True).failpoints == "fence.skip"
    assert settings("", demo=False).failpoints == ""


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("fence.jump", "'fence.jump' is no rule"),
        ("append.after_commit", "append.after_commit can delay, exit, fail, not nothing"),
        ("append.after_commit=drop", "not drop"),
        ("append.after_commit=delay", "seconds belong to `delay`"),
        ("append.after_commit=exit:3", "seconds belong to `delay`"),
        ("delivery.drop/0", "'delivery.drop/0' is no rule"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(rule: str, says: str) -> None:
    with pytest.raises(SettingsError, match="POINTSMAN_FAILPOINTS") as refused:
        settings(rule, demo=True)
    assert says in refused.value.faults[0]["problem"]


def test_a_point_strikes_every_nth_time() -> None:
    assert not any(failpoints.strikes("delivery.drop") for _ in range(10))
    failpoints.arm("delivery.drop/3 fence.skip")
    assert [failpoints.strikes("delivery.drop") for _ in range(6)] == [False, False, True, False, False, True]
    assert failpoints.strikes("fence.skip")
    assert not failpoints.strikes("script.repeat")


async def test_a_failing_point_looks_like_a_lost_connection() -> None:
    failpoints.arm("append.after_commit=fail/2")
    await failpoints.hit("append.after_commit")
    with pytest.raises(ConnectionResetError):
        await failpoints.hit("append.after_commit")


def test_the_repeating_build_counts_slots_twice_and_no_other_does() -> None:
    assert failpoints.scripts(SOURCES) == SOURCES
    failpoints.arm("script.repeat")
    changed = {name for name, source in failpoints.scripts(SOURCES).items() if source != SOURCES[name]}
    assert {"claim", "assign", "pull", "fill"} <= changed
