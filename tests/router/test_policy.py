"""Settings: what is accepted, what is refused whole, what is warned about (KS-23)."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from protocol.ids import AccountId, GroupId
from protocol.states import OrderState
from router.policy import Policy, PolicyError, ShopFacts

FACTS = ShopFacts(
    groups=frozenset({GroupId("pre"), GroupId("post")}),
    accounts=frozenset({AccountId("ann"), AccountId("bob"), AccountId("robot")}),
    excluded=frozenset({AccountId("bob")}),
)


def refused(data: dict[str, Any]) -> list[str]:
    """The fields named by the refusal of `data`."""
    with pytest.raises(PolicyError) as refusal:
        Policy.parse(data)
    return [fault["field"] for fault in refusal.value.detail()]


@pytest.mark.req("KS-01", "KS-02", "KS-15", "KS-18", "KS-19", "KS-20", "KS-06")
def test_defaults_are_the_documented_ones() -> None:
    policy = Policy.parse({})
    assert policy.mode == "basic"
    assert policy.distribution == "even"
    assert policy.sticky_window_s == 72 * 3600
    assert policy.sticky_over_capacity is None
    assert policy.order_lookback_s == 30 * 86_400
    assert (policy.new_customer_bought_within_s, policy.new_customer_first_paid_within_s) == (
        30 * 86_400,
        180 * 86_400,
    )
    assert (policy.offline_after_s.web, policy.offline_after_s.mobile) == (60, None)
    assert policy.requeue_after_s == 600
    assert (policy.wrap_up_s, policy.wrap_up_holds_slot) == (1200, True)
    assert policy.default_capacity == 10
    assert policy.timezone == "Asia/Shanghai"
    switches = (policy.offline_routing, policy.new_customer_priority, policy.returning_customer_priority)
    assert switches == (False, False, False)
    assert not policy.bot.enabled


@pytest.mark.req("KS-23")
@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"mode": "both"}, ["mode"]),
        ({"distribution": "random"}, ["distribution"]),
        ({"sticky_window_s": 0}, ["sticky_window_s"]),
        ({"sticky_window_s": "259200"}, ["sticky_window_s"]),
        ({"sticky_over_capacity": -1}, ["sticky_over_capacity"]),
        ({"offline_routing": 1}, ["offline_routing"]),
        ({"wrap_up_s": 7201}, ["wrap_up_s"]),
        ({"default_capacity": 501}, ["default_capacity"]),
        ({"default_capacity": 0}, ["default_capacity"]),
        ({"timezone": "Mars/Olympus"}, ["timezone"]),
        ({"timezone": "../etc/passwd"}, ["timezone"]),
        ({"offline_after_s": {"web": 1}}, ["offline_after_s.web"]),
        ({"offline_after_s": {"fridge": 60}}, ["offline_after_s.fridge"]),
        ({"order_state_groups": {"gift_wrapped": ["pre"]}}, ["order_state_groups.gift_wrapped"]),
        ({"order_state_groups": {"trade_done": ["pre", "pre"]}}, ["order_state_groups"]),
        ({"order_state_groups": {"trade_done": [""]}}, ["order_state_groups.trade_done.0"]),
        ({"offline_list": ["ann", "ann"]}, ["offline_list"]),
        ({"routing": "basic"}, ["routing"]),
        # contradictions
        ({"offline_routing": True}, ["offline_list"]),
        ({"bot": {"enabled": True}}, ["bot.account"]),
        ({"bot": {"account": "robot"}, "offline_list": ["robot"]}, ["offline_list"]),
        ({"returning_customer_priority": True, "sticky_over_capacity": 3}, ["sticky_over_capacity"]),
        (
            {"new_customer_bought_within_s": 86_400 * 10, "new_customer_first_paid_within_s": 86_400 * 9},
            ["new_customer_bought_within_s"],
        ),
    ],
)
def test_wrong_settings_are_refused_by_field(data: dict[str, Any], fields: list[str]) -> None:
    assert refused(data) == fields


@pytest.mark.req("KS-23")
def test_all_faults_are_reported_together_contradictions_included() -> None:
    data = {"mode": "both", "wrap_up_s": -1, "offline_routing": True, "bot": {"enabled": True}}
    assert sorted(refused(data)) == ["bot.account", "mode", "offline_list", "wrap_up_s"]


@pytest.mark.req("KS-23")
def test_a_broken_field_makes_no_false_contradiction() -> None:
    assert refused({"offline_routing": True, "offline_list": ["ann", 7]}) == ["offline_list.1"]


@pytest.mark.req("KS-23")
def test_contradictions_are_refused_however_a_policy_is_made() -> None:
    with pytest.raises(ValidationError):
        Policy(offline_routing=True)


@pytest.mark.req("KS-13")
def test_offline_routing_goes_with_either_mode() -> None:
    for mode in ("basic", "grouped"):
        assert Policy.parse({"mode": mode, "offline_routing": True, "offline_list": ["ann"]}).offline_routing


@pytest.mark.req("KS-23")
def test_settings_survive_json_and_cannot_be_changed_in_place() -> None:
    policy = Policy.parse({"mode": "grouped", "order_state_groups": {"trade_done": ["post"]}})
    assert Policy.parse(policy.model_dump(mode="json")) == policy
    with pytest.raises(ValidationError):
        policy.mode = "basic"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.req("KS-23")
def test_every_setting_is_described() -> None:
    def undescribed(model: type[BaseModel]) -> list[str]:
        missing = [name for name, field in model.model_fields.items() if not field.description]
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                missing += undescribed(field.annotation)
        return missing

    assert undescribed(Policy) == []


@pytest.mark.req("KS-23")
def test_unknown_groups_and_accounts_are_refused_together() -> None:
    policy = Policy.parse(
        {
            "order_state_groups": {"trade_done": ["post", "gone"]},
            "offline_list": ["ann", "zoe"],
            "bot": {"account": "hal"},
        }
    )
    with pytest.raises(PolicyError) as refusal:
        policy.check(FACTS)
    fields = [fault.field for fault in refusal.value.faults]
    assert fields == ["order_state_groups.trade_done", "offline_list", "bot.account"]
    assert "gone" in refusal.value.faults[0].problem


def test_known_groups_and_accounts_pass() -> None:
    Policy.parse({"order_state_groups": {"trade_done": ["post"]}, "offline_list": ["ann"]}).check(FACTS)


@pytest.mark.req("KS-06")
def test_grouped_mode_warns_about_every_unbound_order_state() -> None:
    policy = Policy.parse(
        {"mode": "grouped", "order_state_groups": {"trade_done": ["post"], "after_sale": []}}
    )
    warned = {notice.about for notice in policy.warnings(FACTS) if notice.word == "unbound_order_state"}
    assert warned == set(OrderState) - {OrderState.TRADE_DONE}
    assert Policy.parse({}).warnings(FACTS) == ()


@pytest.mark.req("KS-14")
def test_an_excluded_account_may_stay_on_the_offline_list_and_is_shown_as_void() -> None:
    policy = Policy.parse({"offline_routing": True, "offline_list": ["ann", "bob"]})
    policy.check(FACTS)
    assert [(notice.word, notice.about) for notice in policy.warnings(FACTS)] == [
        ("void_when_excluded", "bob")
    ]


@pytest.mark.req("KS-14", "KS-17")
def test_an_excluded_bot_is_shown_as_void() -> None:
    policy = Policy.parse({"bot": {"enabled": True, "account": "bob"}})
    assert [notice.field for notice in policy.warnings(FACTS)] == ["bot.account"]


@pytest.mark.req("KS-12")
def test_grouped_mode_without_groups_binds_no_pool_and_says_so() -> None:
    policy = Policy.parse({"mode": "grouped", "order_state_groups": {"trade_done": ["post"]}})
    assert policy.live(groups_exist=True).pools == {"trade_done": ("post",)}
    assert policy.live(groups_exist=False).pools == {}
    assert [notice.word for notice in policy.warnings(ShopFacts())] == ["no_groups"]


@pytest.mark.req("KS-13")
def test_basic_mode_keeps_bindings_and_binds_no_pool() -> None:
    policy = Policy.parse({"order_state_groups": {"trade_done": ["post"]}, "distribution": "least_loaded"})
    live = policy.live(groups_exist=True)
    assert (live.pools, live.distribution, live.wrap_up_holds_slot) == ({}, "least_loaded", True)
