"""The checks themselves: each finds what it is for, in a snapshot that is wrong in just that."""

from dataclasses import replace

import pytest

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, GroupId
from protocol.states import AgentStatus, Life
from router.invariants import broken_between, violations
from router.model import (
    AgentState,
    Change,
    ConversationState,
    Decision,
    LivePolicy,
    Profile,
    Slot,
    Snapshot,
)

ANN, BOB = AccountId("ann"), AccountId("bob")
SERVED, WAITS = ConversationId("served"), ConversationId("waits")
SLOT = Slot(SERVED, "in_service", 1, Reason.ANY_ONLINE)
POST = GroupId("post")
AGENT = AgentState(
    Profile(ANN, capacity=1, groups=(POST,)), AgentStatus.ONLINE, True, False, 1, 1, Reason.FULL, (SLOT,)
)
IDLE = AgentState(Profile(BOB), AgentStatus.OFFLINE, False, False, 0, 0, Reason.OFFLINE)
IN_SERVICE = ConversationState(SERVED, Life.ACTIVE, ANN, 1, 1, 1, 5, "default")
QUEUED = ConversationState(WAITS, Life.QUEUED, None, 0, 1, 1, 6, "default", place=1)
GOOD = Snapshot((AGENT, IDLE), (IN_SERVICE, QUEUED), (("default", (WAITS,)),))


def found(snapshot: Snapshot, policy: LivePolicy | None = None) -> list[tuple[str, str]]:
    return [(one.invariant, one.about) for one in violations(snapshot, policy or LivePolicy())]


def with_agent(**changes: object) -> Snapshot:
    return replace(GOOD, agents=(replace(AGENT, **changes), IDLE))


def with_served(**changes: object) -> Snapshot:
    return replace(GOOD, conversations=(replace(IN_SERVICE, **changes), QUEUED))


def with_waiting(**changes: object) -> Snapshot:
    return replace(GOOD, conversations=(IN_SERVICE, replace(QUEUED, **changes)))


def test_a_sound_shop_has_no_violation() -> None:
    assert found(GOOD) == []
    assert found(Snapshot((), (), ())) == []


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (with_waiting(owner=BOB), [("I3", "waits")]),
        (with_served(life=Life.CLOSED), [("I3", "served")]),
        (with_agent(load=2), [("I4", "ann")]),
        (with_agent(slots=(), load=0), [("I4", "served")]),
        (with_agent(slots=(SLOT, SLOT), load=2), [("I4", "ann")]),
        (with_agent(slots=(replace(SLOT, why="wrap_up"),)), [("I4", "ann")]),
        (with_agent(slots=(replace(SLOT, until_ms=9),)), [("I4", "ann")]),
        (
            with_agent(slots=(SLOT, replace(SLOT, conversation=ConversationId("gone"))), load=2),
            [("I4", "ann")],
        ),
        (replace(GOOD, agents=(AGENT, replace(IDLE, slots=(SLOT,), load=1))), [("I3", "served")]),
        (replace(GOOD, pools=()), [("I8", "waits")]),
        (replace(GOOD, pools=(*GOOD.pools, ("trade_done", (WAITS,)))), [("I8", "waits"), ("I8", "waits")]),
        (
            replace(GOOD, pools=(("default", (WAITS, SERVED)),)),
            [("I8", "served"), ("I8", "default"), ("I8", "served")],
        ),
        (replace(GOOD, pools=(("default", (WAITS, ConversationId("gone"))),)), [("I8", "gone")]),
        (replace(GOOD, pools=(*GOOD.pools, ("after_sale", ()))), [("I8", "after_sale")]),
        (with_waiting(place=2), [("I8", "waits")]),
        (with_waiting(pool="trade_done"), [("I8", "waits")]),
        (with_agent(availability=Reason.HAS_ROOM), [("I8", "waits")]),
    ],
)
def test_each_fault_is_found(snapshot: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert found(snapshot) == expected


def test_queue_order_is_class_then_arrival_then_id() -> None:
    early = replace(QUEUED, conversation=ConversationId("early"), arrived_ms=1, place=2)
    snapshot = replace(
        GOOD, conversations=(IN_SERVICE, QUEUED, early), pools=(("default", (WAITS, early.conversation)),)
    )
    assert found(snapshot) == [("I8", "default")]


@pytest.mark.req("KS-09")
def test_a_bound_pool_waits_rightly_while_its_own_groups_are_at_work() -> None:
    policy = LivePolicy(pools={"default": (POST,)})
    free = replace(IDLE, availability=Reason.HAS_ROOM)
    assert found(replace(GOOD, agents=(AGENT, free)), policy) == []
    away = replace(AGENT, availability=Reason.OFFLINE)
    assert found(replace(GOOD, agents=(away, free)), policy) == [("I8", "waits")]


def test_announced_rest_is_no_fault() -> None:
    assert violations(with_agent(availability=Reason.HAS_ROOM), LivePolicy(), more=True) == []


GIVEN = Decision(WAITS, 2, 1, Change.ASSIGNED, 9, BOB, reason=Reason.FILLED, arrived_ms=6)
BOB_SERVES = replace(
    IDLE,
    load=1,
    slots=(Slot(WAITS, "in_service", 9, Reason.FILLED),),
    status=AgentStatus.ONLINE,
    availability=Reason.HAS_ROOM,
)
AFTER = replace(
    GOOD,
    agents=(AGENT, BOB_SERVES),
    conversations=(IN_SERVICE, replace(QUEUED, life=Life.ACTIVE, owner=BOB, epoch=1, rev=2, place=None)),
    pools=(),
)


def test_a_sound_step_breaks_nothing() -> None:
    assert broken_between(GOOD, AFTER, (GIVEN,)) == []


@pytest.mark.parametrize(
    ("after", "decision", "expected"),
    [
        (AFTER, replace(GIVEN, rev=3), ["I3", "I3"]),
        (AFTER, replace(GIVEN, epoch=0), ["I3", "I3"]),
        (AFTER, replace(GIVEN, arrived_ms=7), ["I8"]),
        (replace(AFTER, conversations=(IN_SERVICE,)), GIVEN, ["I3"]),
        (
            replace(AFTER, agents=(AGENT, replace(BOB_SERVES, availability=Reason.OFFLINE))),
            GIVEN,
            ["I9"],
        ),
        (
            replace(AFTER, agents=(AGENT, replace(BOB_SERVES, profile=Profile(BOB, excluded=True)))),
            replace(GIVEN, reason=Reason.OFFLINE_LIST),
            ["I9"],
        ),
        (
            replace(
                AFTER,
                agents=(
                    AGENT,
                    replace(BOB_SERVES, slots=(replace(BOB_SERVES.slots[0], over_capacity=True),)),
                ),
            ),
            GIVEN,
            ["I4"],
        ),
    ],
)
def test_each_broken_step_is_found(after: Snapshot, decision: Decision, expected: list[str]) -> None:
    assert [one.invariant for one in broken_between(GOOD, after, (decision,))] == expected


def test_people_may_choose_whom_the_rules_may_not() -> None:
    away = replace(AFTER, agents=(AGENT, replace(BOB_SERVES, availability=Reason.OFFLINE)))
    by_hand = replace(GIVEN, reason=Reason.BY_HAND)
    assert broken_between(GOOD, away, (by_hand,), by_hand=True) == []
    over = replace(
        AFTER,
        agents=(AGENT, replace(BOB_SERVES, slots=(replace(BOB_SERVES.slots[0], over_capacity=True),))),
    )
    assert broken_between(GOOD, over, (replace(GIVEN, reason=Reason.RETURNING_PRIORITY),)) == []
