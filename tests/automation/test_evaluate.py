"""Whether rules hold, why, and when next by time alone (CO-07, CO-11)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.automation.evaluate import LOOK_AGAIN_MS, NEVER, Fired, judge, may_fire, next_look
from server.automation.facts import COUNTED, LASTING, WORDS, Facts, Happening, Subject
from server.automation.rule import Rule

SUBJECT = Subject.CONVERSATION
NOW = 1_795_000_000_000
HOUR_MS = 3_600_000
NOTE = [{"kind": "note", "text": "x"}]


def rule(conditions: dict[str, Any], **more: Any) -> Rule:
    return Rule.model_validate({"name": "r", "conditions": conditions, "actions": NOTE, **more})


def facts(**more: Any) -> Facts:
    return Facts(SUBJECT, "c", NOW, "Asia/Shanghai", **more)


def words(**kinds: str) -> dict[str, frozenset[str]]:
    return {kind: frozenset(given.split()) for kind, given in kinds.items()}


TRUE = {"kind": "participants", "at_least": 0}
FALSE = {"kind": "participants", "at_least": 1}


@pytest.mark.req("CO-07")
@pytest.mark.parametrize(
    ("condition", "given", "holds", "found"),
    [
        ({"kind": "keyword", "any_of": ["退款", "refund"]}, {"said": ("ok", "退款 refund")}, True, ["退款", "refund"]),
        ({"kind": "keyword", "any_of": ["退款"]}, {"said": ("hello",)}, False, []),
        ({"kind": "customer_tag", "any_of": ["vip"]}, {"words": words(customer_tag="new vip")}, True, ["new", "vip"]),
        ({"kind": "customer_tag", "any_of": ["vip"]}, {}, False, []),
        ({"kind": "order_state", "any_of": ["after_sale"]}, {"words": words(order_state="after_sale")}, True,
         ["after_sale"]),
        ({"kind": "pool", "any_of": ["default"]}, {"words": words(pool="trade_done")}, False, ["trade_done"]),
        ({"kind": "group", "any_of": ["g1", "g2"]}, {"words": words(group="g2 g3")}, True, ["g2", "g3"]),
        ({"kind": "priority", "any_of": ["priority"]}, {"words": words(priority="normal")}, False, ["normal"]),
        ({"kind": "state", "any_of": ["queued"]}, {"words": words(state="queued")}, True, ["queued"]),
        ({"kind": "customer_waits", "longer_than_s": 60}, {"since_ms": {"customer_waits": NOW - 60_000}}, True, 60),
        ({"kind": "customer_waits", "longer_than_s": 60}, {"since_ms": {"customer_waits": NOW - 59_999}}, False, 59),
        ({"kind": "customer_waits", "longer_than_s": 60}, {}, False, None),
        ({"kind": "in_queue", "longer_than_s": 1}, {"since_ms": {"in_queue": NOW - 1000}}, True, 1),
        ({"kind": "collaboration_open", "longer_than_s": 1}, {"since_ms": {"in_queue": 0}}, False, None),
        ({"kind": "participants", "at_least": 2}, {"numbers": {"participants": 2}}, True, 2),
        ({"kind": "participants", "at_least": 2, "at_most": 3}, {"numbers": {"participants": 4}}, False, 4),
        ({"kind": "queue_length", "at_most": 0}, {}, True, 0),
        ({"kind": "full_agents_percent", "at_least": 80}, {"numbers": {"full_agents_percent": 79}}, False, 79),
        ({"kind": "time_of_day", "begins": "19:06", "until": "19:07"}, {}, True, "2 19:06"),
        ({"kind": "time_of_day", "begins": "19:06", "until": "19:07", "weekdays": [1]}, {}, False, "2 19:06"),
    ],
)  # fmt: skip
def test_a_condition(condition: dict[str, Any], given: dict[str, Any], holds: bool, found: Any) -> None:
    judgement = judge(rule(condition), facts(**given))
    (finding,) = judgement.findings
    assert (judgement.holds, finding.holds, finding.found) == (holds, holds, found)


@pytest.mark.req("CO-07")
@pytest.mark.parametrize(
    ("kind", "of", "holds"),
    [
        ("all", [TRUE, TRUE], True),
        ("all", [TRUE, FALSE], False),
        ("any", [FALSE, TRUE], True),
        ("any", [FALSE, FALSE], False),
        ("not", FALSE, True),
        ("not", TRUE, False),
        ("not", {"kind": "any", "of": [FALSE, {"kind": "not", "of": TRUE}]}, True),
    ],
)
def test_a_tree(kind: str, of: Any, holds: bool) -> None:
    assert judge(rule({"kind": kind, "of": of}), facts()).holds is holds


@pytest.mark.req("CO-07")
def test_every_condition_is_explained_also_those_that_did_not_matter() -> None:
    tree = {"kind": "all", "of": [FALSE, {"kind": "not", "of": {"kind": "any", "of": [TRUE, FALSE]}}]}
    findings = judge(rule(tree), facts()).findings
    assert [(each.path, each.kind, each.holds) for each in findings] == [
        ("", "all", False),
        ("of.0", "participants", False),
        ("of.1", "not", False),
        ("of.1.of", "any", True),
        ("of.1.of.of.0", "participants", True),
        ("of.1.of.of.1", "participants", False),
    ]


@pytest.mark.req("CO-07")
@pytest.mark.parametrize(
    ("more", "fired", "over", "may"),
    [
        ({}, NEVER, False, True),
        ({}, NEVER, True, False),
        ({"enabled": False}, NEVER, False, False),
        ({}, Fired(1, 0), False, False),
        ({"cooldown_s": 60}, Fired(3, NOW - 60_000), False, True),
        ({"cooldown_s": 60}, Fired(3, NOW - 59_999), False, False),
        ({"valid_from_ms": NOW}, NEVER, False, True),
        ({"valid_from_ms": NOW + 1}, NEVER, False, False),
        ({"valid_until_ms": NOW + 1}, NEVER, False, True),
        ({"valid_until_ms": NOW}, NEVER, False, False),
    ],
)
def test_when_a_rule_may_fire(more: dict[str, Any], fired: Fired, over: bool, may: bool) -> None:
    assert may_fire(rule(TRUE, **more), facts(over=over), fired) is may


@pytest.mark.req("CO-07")
@pytest.mark.parametrize(
    ("conditions", "given", "more", "fired", "next_ms"),
    [
        ({"kind": "customer_waits", "longer_than_s": 60}, {"customer_waits": NOW - 1000}, {}, NEVER, NOW + 59_000),
        ({"kind": "customer_waits", "longer_than_s": 60}, {}, {}, NEVER, None),
        ({"kind": "not", "of": {"kind": "customer_waits", "longer_than_s": 60}}, {}, {}, NEVER, None),
        ({"kind": "all", "of": [{"kind": "customer_waits", "longer_than_s": 60}, FALSE]}, {"customer_waits": NOW}, {},
         NEVER, None),
        ({"kind": "all", "of": [{"kind": "customer_waits", "longer_than_s": 60}, {"kind": "in_queue",
          "longer_than_s": 90}]}, {"customer_waits": NOW, "in_queue": NOW}, {}, NEVER, NOW + 90_000),
        ({"kind": "any", "of": [{"kind": "customer_waits", "longer_than_s": 60}, {"kind": "in_queue",
          "longer_than_s": 90}]}, {"customer_waits": NOW, "in_queue": NOW}, {}, NEVER, NOW + 60_000),
        (TRUE, {}, {"valid_from_ms": NOW + 5}, NEVER, NOW + 5),
        (TRUE, {}, {"cooldown_s": 60}, Fired(1, NOW - 1000), NOW + 59_000),
        (TRUE, {}, {}, Fired(1, NOW - 1000), None),
        ({"kind": "customer_waits", "longer_than_s": 60}, {"customer_waits": NOW}, {"valid_until_ms": NOW + 60_000},
         NEVER, None),
        ({"kind": "time_of_day", "begins": "20:00", "until": "21:00"}, {}, {}, NEVER, NOW + 3_200_000),
        ({"kind": "time_of_day", "begins": "18:00", "until": "18:30", "weekdays": [2]}, {}, {}, NEVER,
         NOW + 7 * 24 * HOUR_MS - 4_000_000),
    ],
)  # fmt: skip
def test_when_to_look_again(
    conditions: dict[str, Any], given: dict[str, int], more: dict[str, Any], fired: Fired, next_ms: int | None
) -> None:
    assert next_look(rule(conditions, **more), facts(since_ms=given), fired) == next_ms


@pytest.mark.req("CO-11")
def test_a_peak_is_looked_for_again_while_all_else_holds() -> None:
    peak = {"kind": "queue_length", "at_least": 5}
    assert next_look(rule(peak), facts(), NEVER) == NOW + LOOK_AGAIN_MS
    assert next_look(rule({"kind": "all", "of": [peak, FALSE]}), facts(), NEVER) is None
    waits = {"kind": "customer_waits", "longer_than_s": 600}
    both = rule({"kind": "all", "of": [peak, waits]})
    assert next_look(both, facts(since_ms={"customer_waits": NOW}), NEVER) == NOW + 600_000


@pytest.mark.req("CO-07")
@pytest.mark.parametrize(
    ("condition", "heard"),
    [
        ({"kind": "keyword", "any_of": ["x"]}, {Happening.WRITTEN}),
        ({"kind": "customer_waits", "longer_than_s": 5}, {Happening.WRITTEN}),
        ({"kind": "not", "of": {"kind": "customer_waits", "longer_than_s": 5}},
         {Happening.ANSWERED, Happening.QUEUED, Happening.ASSIGNED}),
        ({"kind": "collaboration_open", "longer_than_s": 5}, {Happening.ROSTER}),
    ],
)  # fmt: skip
def test_a_rule_listens_only_to_what_may_make_it_hold(
    condition: dict[str, Any], heard: set[Happening]
) -> None:
    assert rule(condition).listens_to() == heard


# --- properties ------------------------------------------------------------------------------------------------------
STEP_MS = 60_000
LASTS = st.builds(
    lambda kind, minutes: {"kind": kind, "longer_than_s": minutes * 60},
    st.sampled_from(sorted(LASTING[SUBJECT])),
    st.integers(1, 120),
)
CLOCK = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
DAYTIME = st.builds(
    lambda begins, until, days: {"kind": "time_of_day", "begins": begins, "until": until, "weekdays": days},
    CLOCK,
    CLOCK,
    st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True),
).filter(lambda window: window["begins"] != window["until"])
CONSTANT = st.sampled_from([TRUE, FALSE])
TREES = st.recursive(
    LASTS | DAYTIME | CONSTANT,
    lambda inner: (
        st.builds(lambda kind, of: {"kind": kind, "of": of}, st.sampled_from(["all", "any"]),
                  st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda of: {"kind": "not", "of": of}, inner)
    ),
    max_leaves=6,
)  # fmt: skip
SINCE = st.dictionaries(
    st.sampled_from(sorted(LASTING[SUBJECT])), st.integers(-90, 0).map(lambda m: NOW + m * STEP_MS)
)


@pytest.mark.req("CO-07")
@settings(max_examples=150, deadline=None)
@given(TREES, SINCE, st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"]))
def test_between_now_and_the_next_look_it_never_holds_and_at_it_it_does(
    tree: dict[str, Any], since: dict[str, int], zone: str
) -> None:
    made = rule(tree)
    now = replace(facts(since_ms=since), zone=zone, now_ms=NOW // STEP_MS * STEP_MS)
    now = replace(now, since_ms={kind: ms // STEP_MS * STEP_MS for kind, ms in since.items()})
    found = next_look(made, now, NEVER)
    horizon = now.now_ms + 26 * HOUR_MS
    if found is not None:
        assert found > now.now_ms
        assert judge(made, replace(now, now_ms=found)).holds
    # what a rule that holds now does later is not asked for: it has fired
    if judge(made, now).holds:
        return
    for at in range(now.now_ms + STEP_MS, min(found or horizon, horizon), STEP_MS):
        assert not judge(made, replace(now, now_ms=at)).holds, f"missed by {(found or 0) - at} ms"


@pytest.mark.req("CO-07")
@settings(max_examples=100)
@given(TREES, SINCE)
def test_the_opposite_of_a_rule_comes_out_the_opposite(tree: dict[str, Any], since: dict[str, int]) -> None:
    now = facts(since_ms=since)
    assert judge(rule(tree), now).holds is not judge(rule({"kind": "not", "of": tree}), now).holds


@pytest.mark.req("CO-07")
def test_every_kind_of_condition_has_its_row_in_every_table() -> None:
    from server.automation.facts import BECOMES_FALSE, BECOMES_TRUE

    kinds = {"keyword", "time_of_day", *WORDS[SUBJECT], *LASTING[SUBJECT], *COUNTED[SUBJECT]}
    assert set(BECOMES_TRUE) == set(BECOMES_FALSE) == kinds
