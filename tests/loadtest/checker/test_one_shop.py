"""The checker on all decisions of a shop: who was given what, in which order, with how much in hand."""

from __future__ import annotations

from itertools import groupby

import pytest

from loadtest.checker import givings
from loadtest.checker.givings import Staff
from loadtest.checker.histories import History
from loadtest.checker.loads import Loads
from loadtest.checker.queues import Queues
from loadtest.checker.rows import Decision, Violation


def made(at_ms: int, conversation: str, change: str, owner: str = "", **more: object) -> Decision:
    facts: dict[str, object] = {
        "rev": 1, "shop": "shop", "epoch": 1, "previous_owner": "", "reason": "filled", "by": "", "pool": "default",
        "priority": 1, "arrived_ms": 0, "groups": (),
    }  # fmt: skip
    return Decision(
        **{"conversation": conversation, "at_ms": at_ms, "change": change, "owner": owner} | facts | more  # type: ignore[arg-type]
    )


def judged(judge: Loads | Queues, *decisions: Decision) -> list[str]:
    found: list[Violation] = []
    for _, moment in groupby(decisions, key=lambda decision: decision.at_ms):
        found += judge.at(list(moment))
    return [str(violation) for violation in found]


def loads(*decisions: Decision, capacity: int = 1, wrap_up_holds: bool = True) -> list[str]:
    return judged(Loads({"lily": History([(0, capacity)])}, wrap_up_holds=wrap_up_holds), *decisions)


@pytest.mark.req("PF-05", "KS-19")
def test_i4_finds_who_was_given_too_many() -> None:
    assert loads(made(1, "a", "assigned", "lily"), made(2, "b", "assigned", "lily", reason="any_online")) == [
        "I4: b: any_online gave lily number 2, who may hold 1"
    ]


@pytest.mark.parametrize("reason", ["last_agent", "returning_priority", "by_hand", "bot", "owner_fallback"])
@pytest.mark.req("KS-07", "KS-08", "KS-16")
def test_i4_allows_what_a_rule_allows(reason: str) -> None:
    assert loads(made(1, "a", "assigned", "lily"), made(2, "b", "assigned", "lily", reason=reason)) == []


def test_i4_knows_a_slot_that_was_given_back_in_the_same_moment() -> None:
    first = made(1, "a", "assigned", "lily")
    assert loads(first, made(2, "b", "assigned", "lily"), made(2, "a", "closed", "lily")) == []


def test_i4_knows_a_slot_that_was_taken_and_given_back_in_one_moment() -> None:
    both = made(1, "a", "closed", "lily", rev=2), made(1, "a", "assigned", "lily")
    assert loads(*both, made(2, "b", "assigned", "lily")) == []


@pytest.mark.parametrize(("holds", "found"), [(True, 1), (False, 0)])
@pytest.mark.req("KS-20")
def test_i4_knows_whether_wrap_up_holds_a_slot(holds: bool, found: int) -> None:
    ended = made(2, "a", "ended", "lily")
    decisions = (made(1, "a", "assigned", "lily"), ended, made(3, "b", "assigned", "lily"))
    assert len(loads(*decisions, wrap_up_holds=holds)) == found


def test_i4_lets_a_change_of_capacity_take_its_time() -> None:
    judge = Loads({"lily": History([(0, 2), (10_000, 1)])}, wrap_up_holds=True)
    assert judged(judge, *(made(10_001 + n, f"c{n}", "assigned", "lily") for n in range(2))) == []
    assert judged(judge, made(30_000, "late", "assigned", "lily")) != []


QUEUED = (made(1, "early", "queued", arrived_ms=1), made(2, "late", "queued", arrived_ms=2))


@pytest.mark.req("PF-05", "KS-19")
def test_i8_finds_who_was_passed_over() -> None:
    assert judged(Queues(), *QUEUED, made(3, "late", "assigned", "lily", arrived_ms=2)) == [
        "I8: early: passed over in default by late, which came 1 ms later (classes 1, 1)"
    ]


@pytest.mark.req("KS-15")
def test_i8_finds_that_the_class_was_not_looked_at() -> None:
    first = made(2, "new customer", "queued", arrived_ms=2, priority=0)
    assert judged(Queues(), QUEUED[0], first, made(3, "early", "assigned", "lily", arrived_ms=1)) == [
        "I8: new customer: passed over in default by early, which came -1 ms later (classes 0, 1)"
    ]


@pytest.mark.parametrize(
    "last",
    [
        made(3, "early", "assigned", "lily", arrived_ms=1),
        made(3, "late", "assigned", "lily", arrived_ms=2, reason="by_hand"),
        made(3, "late", "assigned", "lily", arrived_ms=2, reason="last_agent"),
        made(3, "late", "assigned", "lily", arrived_ms=2, pool="after_sale"),
    ],
    ids=["the first one", "by hand", "to the last agent", "from another pool"],
)
def test_i8_allows(last: Decision) -> None:
    assert judged(Queues(), *QUEUED, last) == []


def test_i8_takes_no_order_from_one_moment() -> None:
    both = [made(3, name, "assigned", "lily", arrived_ms=n) for n, name in ((2, "late"), (1, "early"))]
    assert judged(Queues(), *QUEUED, *both) == []
    assert judged(Queues(), QUEUED[1], made(3, "early", "queued", arrived_ms=1), both[0]) == []


@pytest.mark.parametrize("change", ["assigned", "closed"])
def test_i8_knows_who_came_and_left_in_one_moment(change: str) -> None:
    left = made(1, "early", change, arrived_ms=1, rev=2)
    taken = made(3, "late", "assigned", "lily", arrived_ms=2)
    assert judged(Queues(), *QUEUED[:1], left, QUEUED[1], taken) == []
    assert judged(Queues(), left, *QUEUED, taken) == [], "whatever order they are read in"


def test_i8_forgets_who_left_and_knows_who_came_back() -> None:
    gone, back = made(3, "early", "closed", arrived_ms=1), made(4, "early", "queued", arrived_ms=1)
    taken = made(5, "late", "assigned", "lily", arrived_ms=2)
    assert judged(Queues(), *QUEUED, gone, taken) == []
    assert len(judged(Queues(), *QUEUED, gone, back, taken)) == 1


STAFF = Staff(
    states={
        "lily": History([(0, "online"), (100_000, "offline"), (200_000, "online"), (300_000, "paused")]),
        "max": History([(0, "away")]),
    },
    excluded={"lily": History([(400_000, True)]), "bob": History([(0, True)])},
    groups={"lily": {"north": History([(0, True), (150_000, False)])}},
)


def given(at_ms: int, to: str, reason: str = "any_online", groups: tuple[str, ...] = ()) -> list[str]:
    decision = made(at_ms, "c", "assigned", to, reason=reason, groups=groups)
    return [str(violation) for violation in givings.violations(decision, STAFF)]


@pytest.mark.parametrize(
    ("at_ms", "to", "reason", "says"),
    [
        (150_000, "lily", "any_online", "any_online gave it to lily, who was offline"),
        (350_000, "lily", "last_agent", "last_agent gave it to lily, who was paused"),
        (50_000, "max", "filled", "filled gave it to max, who was away"),
        (50_000, "bob", "offline_list", "offline_list gave it to bob, who is excluded"),
    ],
)
@pytest.mark.req("PF-05", "KS-14")
def test_i9_finds_who_should_not_have_been_given_anything(
    at_ms: int, to: str, reason: str, says: str
) -> None:
    assert given(at_ms, to, reason) == [f"I9: c: {says}"]


@pytest.mark.req("PF-05", "KS-05")
def test_i9_finds_who_is_in_none_of_the_groups() -> None:
    assert given(50_000, "lily", "order_state_group", ("north", "south")) == []
    assert given(250_000, "lily", "order_state_group", ("north",)) == [
        "I9: c: order_state_group gave it to lily, who is in none of its groups"
    ]


@pytest.mark.parametrize(
    ("at_ms", "to", "reason"),
    [
        (150_000, "lily", "by_hand"),
        (150_000, "lily", "offline_list"),
        (350_000, "lily", "returning_priority"),
        (104_000, "lily", "any_online"),
        (196_000, "lily", "any_online"),
    ],
    ids=["by hand", "the offline list", "returning, though paused", "just gone", "just back"],
)
@pytest.mark.req("KS-10", "KS-16")
def test_i9_allows(at_ms: int, to: str, reason: str) -> None:
    assert given(at_ms, to, reason) == []
