"""What is refused as a rule: every fault at once (CO-07)."""

from typing import Any

import pytest

from server.automation.conditions import DEEPEST, MOST_CONDITIONS
from server.automation.validation import Known, RuleError, parse

pytestmark = pytest.mark.req("CO-07")

ANN = "00000000-0000-7000-8000-00000000000a"
NIGHT = "00000000-0000-7000-8000-0000000000aa"
NOBODY = "00000000-0000-7000-8000-0000000000ff"
KNOWN = Known(groups=frozenset({NIGHT}), people=frozenset({ANN}))
KEYWORD = {"kind": "keyword", "any_of": ["refund"]}
NOTE = {"kind": "note", "text": "look"}


def made(**members: Any) -> dict[str, Any]:
    return {"name": "a rule", "conditions": KEYWORD, "actions": [NOTE], **members}


def faults(**members: Any) -> list[str]:
    with pytest.raises(RuleError) as caught:
        parse(made(**members), KNOWN)
    return [fault.field for fault in caught.value.faults]


def nested(levels: int) -> dict[str, Any]:
    condition: dict[str, Any] = KEYWORD
    for _ in range(levels):
        condition = {"kind": "not", "of": condition}
    return condition


def test_a_rule_with_everything_is_accepted_as_it_is() -> None:
    everything = made(
        conditions={
            "kind": "all",
            "of": [
                KEYWORD,
                {"kind": "any", "of": [{"kind": "group", "any_of": [NIGHT]}, {"kind": "pool", "any_of": ["default"]}]},
                {"kind": "not", "of": {"kind": "in_queue", "longer_than_s": 5}},
                {"kind": "participants", "at_least": 2},
                {"kind": "time_of_day", "begins": "22:00", "until": "06:00", "weekdays": [5, 6]},
            ],
        },
        actions=[
            {"kind": "invite", "account_ids": [ANN]},
            {"kind": "add", "account_ids": [ANN]},
            {"kind": "set_priority", "priority": "priority"},
            {"kind": "notify", "group_id": NIGHT, "text": "x"},
            {"kind": "hand_on", "group_id": NIGHT, "stay": True},
            NOTE,
            {"kind": "tag", "add": ["x"], "remove": ["y"]},
        ],
        cooldown_s=60,
        valid_from_ms=1,
        valid_until_ms=2,
    )  # fmt: skip
    rule = parse(everything, KNOWN)
    assert parse(rule.model_dump(mode="json"), KNOWN) == rule


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"surprise": 1}, ["surprise"]),
        ({"conditions": {"kind": "nothing"}}, ["conditions"]),
        ({"conditions": {"kind": "keyword", "any_of": ["  "]}}, ["conditions.any_of.0"]),
        ({"conditions": {"kind": "customer_waits", "longer_than_s": 0}}, ["conditions.longer_than_s"]),
        ({"conditions": {"kind": "customer_waits", "longer_than_s": 8 * 86_400}}, ["conditions.longer_than_s"]),
        ({"conditions": {"kind": "participants"}}, ["conditions"]),
        ({"conditions": {"kind": "participants", "at_least": 3, "at_most": 2}}, ["conditions"]),
        ({"conditions": {"kind": "full_agents_percent", "at_least": 101}}, ["conditions.at_least"]),
        ({"conditions": {"kind": "order_state", "any_of": ["lost"]}}, ["conditions.any_of"]),
        ({"conditions": {"kind": "group", "any_of": [NIGHT, NOBODY]}}, ["conditions.any_of"]),
        ({"conditions": {"kind": "time_of_day", "begins": "9:00", "until": "24:00"}},
         ["conditions.begins", "conditions.until"]),
        ({"conditions": {"kind": "time_of_day", "begins": "09:00", "until": "09:00"}}, ["conditions"]),
        ({"conditions": {"kind": "all", "of": []}}, ["conditions.of"]),
        ({"actions": []}, ["actions"]),
        ({"actions": [{"kind": "invite"}]}, ["actions.0"]),
        ({"actions": [{"kind": "invite", "account_ids": [NOBODY]}]}, ["actions.0.account_ids"]),
        ({"actions": [{"kind": "notify", "text": "x", "group_id": NOBODY}]}, ["actions.0.group_id"]),
        ({"actions": [{"kind": "hand_on", "group_id": NOBODY}]}, ["actions.0.group_id"]),
        ({"actions": [{"kind": "hand_on", "group_id": NIGHT, "account_id": ANN}]}, ["actions.0"]),
        ({"actions": [{"kind": "hand_on", "group_id": NIGHT}, {"kind": "hand_on", "account_id": ANN}]}, ["actions.1"]),
        ({"actions": [{"kind": "hand_on", "group_id": NIGHT}, {"kind": "set_priority", "priority": "normal"}]},
         ["actions.1"]),
        ({"actions": [{"kind": "tag"}]}, ["actions.0"]),
        ({"actions": [{"kind": "tag", "add": ["a"], "remove": ["a"]}]}, ["actions.0"]),
        ({"actions": [NOTE] * 11}, ["actions"]),
        ({"cooldown_s": 59}, ["cooldown_s"]),
        ({"valid_from_ms": 2, "valid_until_ms": 2}, ["rule"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_field(members: dict[str, Any], fields: list[str]) -> None:
    assert faults(**members) == fields


@pytest.mark.parametrize(
    "of",
    [
        [{"kind": "state", "any_of": ["queued"]}, {"kind": "state", "any_of": ["active", "wrap_up"]}],
        [{"kind": "state", "any_of": ["active"]}, {"kind": "in_queue", "longer_than_s": 5}],
        [{"kind": "participants", "at_least": 3}, {"kind": "participants", "at_most": 2}],
    ],
)
def test_conditions_that_cannot_hold_together_are_refused(of: list[dict[str, Any]]) -> None:
    assert faults(conditions={"kind": "all", "of": of}) == ["conditions.of"]
    assert faults(conditions={"kind": "not", "of": {"kind": "all", "of": of}}) == ["conditions.of.of"]
    parse(made(conditions={"kind": "any", "of": of}), KNOWN)


def test_all_faults_are_told_together() -> None:
    told = faults(
        name="",
        conditions={"kind": "all", "of": [{"kind": "keyword", "any_of": []}, {"kind": "in_queue"}]},
        actions=[{"kind": "note", "text": ""}, {"kind": "sing"}],
        cooldown_s=1,
    )
    assert told == [
        "name",
        "conditions.of.0.any_of",
        "conditions.of.1.longer_than_s",
        "actions.0.text",
        "actions.1",
        "cooldown_s",
    ]


def test_trees_are_bounded_before_they_are_looked_into() -> None:
    parse(made(conditions=nested(DEEPEST)), KNOWN)
    assert faults(conditions=nested(DEEPEST + 1)) == ["conditions"]
    assert "conditions" in faults(conditions=nested(900))
    most = {"kind": "any", "of": [KEYWORD] * (MOST_CONDITIONS - 1)}
    parse(made(conditions=most), KNOWN)
    assert "conditions" in faults(conditions={"kind": "any", "of": [KEYWORD] * MOST_CONDITIONS})
    assert "conditions" in faults(
        conditions={"kind": "all", "of": [{"kind": "any", "of": [KEYWORD] * 40}] * 2}
    )
