"""The shunting order as a table: settings and request in, tiers out. `line` writes a tier the way people say it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from protocol.ids import AccountId, ConversationId, CustomerId
from router.model import NORMAL, PRIORITY, Contact, Request, Tier
from router.policy import Policy
from router.rules import plan

HOUR_MS = 3_600_000
NOW = 500_000 * HOUR_MS

BOUND = {"mode": "grouped", "order_state_groups": {"trade_done": ["post", "vip"]}}
BOT = {"enabled": True, "account": "robot"}
STICKY_BOT = {**BOT, "keep_stickiness": True}
SWITCH = {"returning_customer_priority": True}
OFFLINE = {"offline_routing": True, "offline_list": ["ann"]}

ANY, OWNER, DEFAULT = "any_online *", "owner_fallback", "wait in default"
TAIL = [ANY, OWNER, DEFAULT]
BASIC_STICKY = ["last_agent ann", "random_online unless ann", *TAIL]
GROUPED = ["order_state_group post,vip hold", ANY, OWNER, "wait in trade_done"]


def line(tier: Tier) -> str:
    """One tier in words; every field that is not its default shows."""
    if tier.pool:
        return f"wait in {tier.pool}"
    words: list[str] = [tier.reason.value]
    words += [tier.agent] if tier.agent else []
    words += [",".join(tier.groups)] if tier.groups else []
    words += (
        []
        if tier.over_capacity == 0
        else ["no limit" if tier.over_capacity is None else f"+{tier.over_capacity}"]
    )
    words += ["even paused"] if tier.even_paused else []
    words += ["hold"] if tier.hold else []
    words += [f"unless {tier.only_if_offline}"] if tier.only_if_offline else []
    return " ".join(words)


@dataclass
class Case:
    """One row: what holds, and the order that follows."""

    id: str
    reqs: tuple[str, ...]
    tiers: list[str]
    policy: dict[str, Any] = field(default_factory=dict[str, Any])
    contact_h: float | None = None
    state: str = "trade_done"
    new: bool = False
    bot: bool = False
    via_bot: bool = False
    groups_exist: bool = True
    priority: int = NORMAL


CASES = [
    Case("basic, new customer", ("KS-02",), TAIL),
    Case("basic, contact 1 h ago", ("KS-01",), BASIC_STICKY, contact_h=1),
    Case("basic, contact exactly 72 h ago", ("KS-01",), BASIC_STICKY, contact_h=72),
    Case("basic, contact 72 h and 1 s ago", ("KS-01",), TAIL, contact_h=72 + 1 / 3600),
    Case("basic, shorter window", ("KS-01",), TAIL, policy={"sticky_window_s": 3600}, contact_h=2),
    Case(
        "basic mode never goes above capacity",
        ("KS-01",),
        BASIC_STICKY,
        policy={"sticky_over_capacity": 5},
        contact_h=1,
    ),
    Case(
        "basic ignores bindings",
        ("KS-13",),
        TAIL,
        policy={"order_state_groups": {"trade_done": ["post"]}},
    ),
    Case("offline list last", ("KS-03", "KS-10"), [ANY, OWNER, "offline_list", DEFAULT], policy=OFFLINE),
    Case("offline off: wait", ("KS-03", "KS-11"), TAIL),
    Case("owner before the offline list", ("KS-04",), [ANY, OWNER, "offline_list", DEFAULT], policy=OFFLINE),
    Case("grouped, bound state", ("KS-05", "KS-09"), GROUPED, policy=BOUND),
    Case("grouped, unbound state", ("KS-06", "KS-09"), TAIL, policy=BOUND, state="placed_unpaid"),
    Case(
        "grouped, state bound to nothing",
        ("KS-06",),
        TAIL,
        policy={"mode": "grouped", "order_state_groups": {"trade_done": []}},
    ),
    Case("grouped, a state nobody knows", ("KS-06",), TAIL, policy=BOUND, state="gift_wrapped"),
    Case(
        "grouped, offline routing works too",
        ("KS-05", "KS-13"),
        [*GROUPED[:3], "offline_list", "wait in trade_done"],
        policy={**BOUND, **OFFLINE},
    ),
    Case(
        "grouped, returning: above capacity without limit",
        ("KS-05", "KS-08"),
        ["last_agent ann no limit", *GROUPED],
        policy=BOUND,
        contact_h=1,
    ),
    Case(
        "grouped, returning: bounded",
        ("KS-08",),
        ["last_agent ann +2", *GROUPED],
        policy={**BOUND, "sticky_over_capacity": 2},
        contact_h=1,
    ),
    Case("grouped, contact too old", ("KS-08",), GROUPED, policy=BOUND, contact_h=73),
    Case(
        "grouped without groups: basic",
        ("KS-12",),
        BASIC_STICKY,
        policy=BOUND,
        contact_h=1,
        groups_exist=False,
    ),
    Case(
        "new customer, switch on",
        ("KS-15",),
        TAIL,
        policy={"new_customer_priority": True},
        new=True,
        priority=PRIORITY,
    ),
    Case("new customer, switch off", ("KS-15",), TAIL, new=True),
    Case("old customer, switch on", ("KS-15",), TAIL, policy={"new_customer_priority": True}),
    Case(
        "new customer skips the bot",
        ("KS-15",),
        TAIL,
        policy={"new_customer_priority": True, "bot": BOT},
        new=True,
        bot=True,
        priority=PRIORITY,
    ),
    Case(
        "returning switch, basic",
        ("KS-16",),
        ["returning_priority ann no limit even paused", "random_online unless ann", *TAIL],
        policy=SWITCH,
        contact_h=1,
    ),
    Case(
        "returning switch, grouped",
        ("KS-16",),
        ["returning_priority ann no limit even paused", *GROUPED],
        policy={**BOUND, **SWITCH},
        contact_h=1,
    ),
    Case("returning switch, contact too old", ("KS-16",), TAIL, policy=SWITCH, contact_h=73),
    Case("returning switch, no contact", ("KS-16",), TAIL, policy=SWITCH),
    Case(
        "returning switch outranks the bot",
        ("KS-16", "KS-17"),
        ["returning_priority ann no limit even paused", "bot robot no limit", *TAIL],
        policy={**SWITCH, "bot": BOT},
        contact_h=1,
        bot=True,
    ),
    Case("bot first", ("KS-17",), ["bot robot no limit", *TAIL], policy={"bot": BOT}, bot=True),
    Case(
        "bot first, stickiness void",
        ("KS-17",),
        ["bot robot no limit", *TAIL],
        policy={"bot": BOT},
        contact_h=1,
        bot=True,
    ),
    Case("bot on and not there, stickiness void", ("KS-17",), TAIL, policy={"bot": BOT}, contact_h=1),
    Case(
        "after the hand-off: evenly",
        ("KS-17",),
        TAIL,
        policy={"bot": BOT},
        contact_h=1,
        bot=True,
        via_bot=True,
    ),
    Case(
        "grouped, after the hand-off",
        ("KS-17",),
        GROUPED,
        policy={**BOUND, "bot": BOT},
        contact_h=1,
        bot=True,
        via_bot=True,
    ),
    Case("bot switched off in between", ("KS-17",), TAIL, contact_h=1, via_bot=True),
    Case(
        "stickiness kept after the hand-off",
        ("KS-17",),
        BASIC_STICKY,
        policy={"bot": STICKY_BOT},
        contact_h=1,
        bot=True,
        via_bot=True,
    ),
    Case(
        "returning switch after the hand-off",
        ("KS-16", "KS-17"),
        ["returning_priority ann no limit even paused", *TAIL],
        policy={**SWITCH, "bot": BOT},
        contact_h=1,
        bot=True,
        via_bot=True,
    ),
    Case("bot connected and switched off", ("KS-17",), TAIL, bot=True),
]


def row(case: Case) -> Any:
    return pytest.param(case, id=case.id, marks=pytest.mark.req(*case.reqs))


@pytest.mark.parametrize("case", [row(case) for case in CASES])
def test_the_order_of_tiers(case: Case) -> None:
    contact = (
        None if case.contact_h is None else Contact(AccountId("ann"), NOW - int(case.contact_h * HOUR_MS))
    )
    request = Request(
        ConversationId("c1"),
        CustomerId("carl"),
        arrived_ms=NOW,
        order_state=case.state,
        last_contact=contact,
        new_customer_priority=case.new,
        via_bot=case.via_bot,
        bot=AccountId("robot") if case.bot else None,
    )
    made = plan(request, Policy.parse(case.policy), now_ms=NOW, groups_exist=case.groups_exist)
    assert [line(tier) for tier in made.tiers] == case.tiers
    assert made.priority == case.priority
    assert made.request is request
