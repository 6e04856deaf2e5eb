"""What every verb promises: once, whole, fenced, live, noted until confirmed, and never cut off silently."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, PersonId
from protocol.states import Life
from router.engine import FILL_LIMIT, Engine
from router.invariants import violations
from router.model import (
    Change,
    ConversationState,
    Done,
    Due,
    LivePolicy,
    Profile,
    Refusal,
    Refused,
    Remembered,
)
from router.policy import Policy
from router.rules import plan
from tests.router.conftest import Node
from tests.router.desk import MINUTE_MS, OFFLINE, ONLINE, PAUSED, Desk, receivers

POLICY = LivePolicy()


def waiting(name: str, arrived_ms: int) -> ConversationState:
    return ConversationState(ConversationId(name), Life.QUEUED, None, 1, 4, 1, arrived_ms, "default")


# --- once ----------------------------------------------------------------------------------------------------------
@pytest.mark.req("PF-05")
async def test_a_repeat_changes_nothing_and_answers_with_the_first_outcome(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    made = plan(desk.request("c1"), desk.policy, now_ms=desk.now, groups_exist=True)
    stamp = desk.stamp()
    first = await desk.engine.claim(made, rand=0, **stamp)
    before = await desk.engine.snapshot()
    stamp["now_ms"] += 59_000
    assert await desk.engine.claim(made, rand=1, **stamp) == first
    assert await desk.engine.snapshot() == before


async def test_a_refusal_is_an_outcome_that_repeats_too(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    stamp = desk.stamp()
    refused = await desk.engine.close(ConversationId("c1"), **stamp)
    await desk.asks("c1")
    assert await desk.engine.close(ConversationId("c1"), **stamp) == refused
    assert await desk.owner("c1") == "ann"


async def test_what_fell_due_is_told_once_more_to_who_asks_with_the_same_id(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    await desk.end("c1", wrap_up_ms=1)
    desk.later(1)
    stamp = desk.stamp()
    first = await desk.engine.expire(requeue_after_ms=0, **stamp)
    assert [one.change for one in first.decisions] == [Change.CLOSED]
    assert await desk.engine.expire(requeue_after_ms=0, **stamp) == first


@pytest.mark.req("KS-19", "KS-02", "I4")
async def test_many_claims_at_once_never_exceed_capacity(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cat"):
        await desk.hire(name, capacity=3)
    claims = [
        desk.engine.claim(
            plan(desk.request(f"c{number}"), desk.policy, now_ms=desk.now, groups_exist=True),
            rand=number,
            **desk.stamp(),
        )
        for number in range(30)
    ]
    outcomes = await asyncio.gather(*claims)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert await desk.loads() == {"ann": 3, "bob": 3, "cat": 3}
    assert len(await desk.queue()) == 21
    assert violations(await desk.engine.snapshot(), desk.live) == []


# --- noted until confirmed -----------------------------------------------------------------------------------------
async def test_every_decision_is_noted_until_it_is_confirmed(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    first = await desk.asks("c1")
    desk.later(100)
    second = await desk.asks("c2")
    desk.later(100)
    made = await desk.close("c1")
    unconfirmed = desk.engine.unconfirmed
    assert set(await unconfirmed(0, now_ms=desk.now)) == {first, second, *made}
    assert await unconfirmed(100, now_ms=desk.now) == (first, second), "oldest first"
    assert await unconfirmed(0, limit=1, now_ms=desk.now) == (first,)
    await desk.engine.confirm([(first.conversation, first.rev), (made[0].conversation, made[0].rev)])
    await desk.engine.confirm([])
    await desk.engine.confirm([(ConversationId("nothing"), 1)])
    assert await unconfirmed(0, now_ms=desk.now) == (second, made[1])


async def test_decisions_of_one_step_are_told_in_the_order_of_their_revisions(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1", rev=8)
    made = await desk.requeue("c1")
    assert [one.rev for one in made] == [10, 11]
    told = await desk.engine.unconfirmed(0, now_ms=desk.now)
    assert [one.rev for one in told] == [9, 10, 11]


# --- fenced --------------------------------------------------------------------------------------------------------
@pytest.mark.req("PF-04", "KS-18")
async def test_a_node_declared_dead_is_refused_and_its_connections_are_gone(desk: Desk, node: Node) -> None:
    await desk.open()
    dead = Desk(node("n2:bbbb"), node="n2:bbbb")
    await desk.hire("ann")
    await desk.hire("bob")
    await dead.connect("ann", "second")
    await desk.disconnect("bob", "bob-web")
    await dead.connect("bob", "only")
    await dead.connect("customer", "widget")
    await desk.act(desk.engine.reap("n2:bbbb", **desk.stamp()))
    await desk.act(desk.engine.reap("n2:bbbb", **desk.stamp()))
    assert (await desk.agent("ann")).connected
    assert not (await desk.agent("bob")).connected
    assert (await desk.engine.snapshot()).extra["directory"] == {"ann": {"ann-web": "n1:aaaa"}}
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ("bob",)

    late: dict[str, Any] = {"op_id": "late", "day": desk.day, "now_ms": desk.now}
    before = await desk.engine.snapshot()
    assert await dead.engine.fill(**late) == Refused(Refusal.FENCED)
    assert await dead.engine.expire(requeue_after_ms=0, **late) == Due()
    assert await dead.engine.reap("n1:aaaa", **late) == Refused(Refusal.FENCED)
    assert await dead.engine.rebuild(POLICY, [], [], offline_after_ms=None, **late) == Refused(Refusal.FENCED)
    assert await desk.engine.snapshot() == before
    reborn = node("n2:cccc")
    assert await reborn.fill(**late) == Done(), (
        "a new incarnation is welcome, and nothing was kept for the dead one"
    )


async def test_a_late_farewell_of_a_dead_node_does_not_end_a_connection_elsewhere(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.connect("ann", "ann-web", node="n2:bbbb")
    await desk.disconnect("ann", "ann-web", node="n1:aaaa")
    assert (await desk.agent("ann")).connected
    await desk.act(desk.engine.reap("n1:bbbb", **desk.stamp()))
    assert (await desk.agent("ann")).connected


# --- live ----------------------------------------------------------------------------------------------------------
async def test_a_shop_that_is_not_live_refuses_and_knows_nothing(engine: Engine) -> None:
    stamp: dict[str, Any] = {"op_id": "op1", "day": 1, "now_ms": 1}
    assert not await engine.is_live()
    not_live = Refused(Refusal.NOT_LIVE)
    request = Desk(engine).request("c1")
    made = plan(request, Policy(), now_ms=1, groups_exist=True)
    assert await engine.claim(made, rand=0, **stamp) == not_live
    assert await engine.set_profile(Profile(AccountId("ann")), **stamp) == not_live
    assert await engine.fill(**stamp) == not_live
    assert await engine.expire(requeue_after_ms=0, **stamp) == Due()
    assert await engine.agents() == ()
    assert await engine.agent(AccountId("ann")) is None
    assert await engine.conversation(ConversationId("c1")) is None
    assert await engine.explain(ConversationId("c1")) is None
    assert await engine.pools() == ()
    assert await engine.waiting("default") == ()
    assert await engine.unconfirmed(0, now_ms=1) == ()
    snapshot = await engine.snapshot()
    assert (snapshot.agents, snapshot.conversations, snapshot.pools) == ((), (), ())


async def test_being_not_live_is_no_outcome_to_keep(engine: Engine) -> None:
    stamp: dict[str, Any] = {"op_id": "op1", "day": 1, "now_ms": 1}
    assert await engine.fill(**stamp) == Refused(Refusal.NOT_LIVE)
    await engine.rebuild(POLICY, [], [], offline_after_ms=None, op_id="op2", day=1, now_ms=1)
    assert await engine.fill(**stamp) == Done()


async def test_reaping_works_before_the_shop_is_live(engine: Engine, node: Node) -> None:
    stamp: dict[str, Any] = {"op_id": "op1", "day": 1, "now_ms": 1}
    assert await engine.reap("n9:dead", **stamp) == Done()
    dead = await node("n9:dead").rebuild(POLICY, [], [], offline_after_ms=None, op_id="op2", day=1, now_ms=1)
    assert dead == Refused(Refusal.FENCED)


# --- rebuilt -------------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-11", "KS-18", "KS-20", "PF-02")
async def test_a_rebuild_makes_the_same_shop_from_durable_facts(desk: Desk) -> None:
    now = desk.now
    serving = ConversationState(
        ConversationId("s1"),
        Life.ACTIVE,
        AccountId("ann"),
        3,
        9,
        1,
        now - 50,
        "default",
        reason=Reason.BY_HAND,
    )
    ending = replace(serving, conversation=ConversationId("s2"), life=Life.WRAP_UP, wrap_up_until_ms=now + 7)
    closed = replace(serving, conversation=ConversationId("s3"), life=Life.CLOSED)
    stranded = replace(serving, conversation=ConversationId("s4"), owner=AccountId("gone"))
    first, second = waiting("w1", now - 30), replace(waiting("w2", now - 40), pool=None)
    profiles = [
        (Profile(AccountId("ann"), capacity=3), ONLINE),
        (Profile(AccountId("bob"), capacity=3), OFFLINE),
    ]
    outcome = await desk.engine.rebuild(
        POLICY,
        profiles,
        [serving, ending, closed, stranded, first, second],
        offline_after_ms=MINUTE_MS,
        **desk.stamp(),
    )
    assert isinstance(outcome, Done)
    assert [(one.conversation, one.owner, one.rev, one.epoch) for one in outcome.decisions] == [
        ("w2", "ann", 5, 2)
    ]
    assert await desk.queue() == ["w1"]
    assert await desk.owner("s4") == "gone"
    assert await desk.engine.conversation(ConversationId("s3")) is None
    reasons = {slot.conversation: (slot.why, slot.reason) for slot in await desk.slots("ann")}
    assert reasons == {
        "s1": ("in_service", Reason.BY_HAND),
        "s2": ("wrap_up", Reason.BY_HAND),
        "w2": ("in_service", Reason.FILLED),
    }
    desk.later(7)
    closing = await desk.expire()
    assert [(one.conversation, one.owner) for one in closing.decisions] == [("s2", "ann"), ("w1", "ann")]
    desk.later(MINUTE_MS - 7)
    assert (await desk.expire()).counted_offline == ("ann",), "nobody of theirs connected within the grace"


async def test_a_connection_after_the_rebuild_ends_the_grace(desk: Desk) -> None:
    await desk.engine.rebuild(
        POLICY, [(Profile(AccountId("ann")), ONLINE)], [], offline_after_ms=MINUTE_MS, **desk.stamp()
    )
    await desk.connect("ann", "ann-web", offline_after_ms=5)
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ()
    await desk.disconnect("ann", "ann-web")
    desk.later(5)
    assert (await desk.expire()).counted_offline == ("ann",), "the connection's own grace holds"


@pytest.mark.req("KS-18")
async def test_everybody_gets_their_own_grace_after_a_rebuild(desk: Desk) -> None:
    """By the device that durable facts remember; on that they come back, too."""
    await desk.open()
    profiles = [(Profile(AccountId(name)), ONLINE) for name in ("web", "desktop", "mobile", "unknown")]
    grace_ms = {AccountId("web"): 5, AccountId("desktop"): 2 * MINUTE_MS, AccountId("mobile"): None}
    await desk.engine.rebuild(
        POLICY,
        [*profiles, (Profile(AccountId("home")), OFFLINE)],
        [],
        offline_after_ms=MINUTE_MS,
        remembered=Remembered(grace_ms={**grace_ms, AccountId("home"): 5}),
        **desk.stamp(),
    )
    counted: list[tuple[str, ...]] = []
    for passed_ms in (5, MINUTE_MS - 5, MINUTE_MS, 7 * 24 * 60 * MINUTE_MS):
        desk.later(passed_ms)
        counted.append((await desk.expire()).counted_offline)
    assert counted == [("web",), ("unknown",), ("desktop",), ()]
    await desk.connect("mobile", "browser", offline_after_ms=5)
    await desk.disconnect("mobile", "browser")
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == (), "the mobile was used since coming to work"


@pytest.mark.req("KS-18")
async def test_who_was_counted_offline_is_so_after_a_rebuild(desk: Desk) -> None:
    await desk.open()
    profiles = [(Profile(AccountId("ann")), ONLINE), (Profile(AccountId("home")), OFFLINE)]
    held = ConversationState(
        ConversationId("c1"), Life.ACTIVE, AccountId("ann"), 1, 1, 1, desk.now, "default"
    )
    away = Remembered(
        grace_ms={AccountId("ann"): MINUTE_MS}, away=frozenset({AccountId("ann"), AccountId("home")})
    )
    await desk.engine.rebuild(
        POLICY,
        profiles,
        [held, waiting("w1", desk.now)],
        offline_after_ms=None,
        remembered=away,
        **desk.stamp(),
    )
    assert await desk.queue() == ["w1"], "they are given nothing (I9)"
    assert (await desk.expire(requeue_after_ms=MINUTE_MS)).counted_offline == ("ann",)
    desk.later(MINUTE_MS)
    assert (await desk.expire(requeue_after_ms=MINUTE_MS)).requeue == (("ann", ("c1",)),)
    given = await desk.connect("ann", "ann-web", offline_after_ms=5)
    assert [one.conversation for one in given] == ["w1"]


async def test_a_rebuild_replaces_everything(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    await desk.hire("bob", "pre", status=PAUSED, on_offline_list=True, is_owner=True)
    for number in range(4):
        await desk.asks(f"c{number}", state="trade_done" if number % 2 else "after_sale")
    await desk.end("c1") if await desk.owner("c1") else await desk.end("c0")
    await desk.connect("customer", "widget")
    await desk.fire("ann")
    outcome = await desk.engine.rebuild(POLICY, [], [], offline_after_ms=None, **desk.stamp())
    assert outcome == Done()
    snapshot = await desk.engine.snapshot()
    assert (snapshot.agents, snapshot.conversations, snapshot.pools) == ((), (), ())
    assert snapshot.extra == {"seq": 0, "due": [], "unconfirmed": [], "directory": {}}


async def test_a_large_shop_is_rebuilt_whole(desk: Desk) -> None:
    profiles = [(Profile(AccountId(f"a{number:03}"), capacity=10), PAUSED) for number in range(300)]
    conversations = [
        ConversationState(
            ConversationId(f"s{number:04}"),
            Life.ACTIVE,
            AccountId(f"a{number % 300:03}"),
            1,
            1,
            1,
            desk.now,
            "default",
        )
        for number in range(3_000)
    ]
    conversations += [waiting(f"w{number:04}", desk.now - number) for number in range(2_000)]
    await desk.engine.rebuild(POLICY, profiles, conversations, offline_after_ms=None, **desk.stamp())
    snapshot = await desk.engine.snapshot()
    assert violations(snapshot, POLICY) == []
    assert {state.load for state in snapshot.agents} == {10}
    assert [conversation for _, queue in snapshot.pools for conversation in queue] == [
        f"w{number:04}" for number in reversed(range(2_000))
    ]


@pytest.mark.req("KS-02", "KS-22", "PF-05")
async def test_what_durable_facts_remember_of_the_day_goes_on_after_a_rebuild(desk: Desk) -> None:
    """Nobody begins the day anew: who was given least today is next, and a slot is as old as it was."""
    await desk.open()
    profiles = [(Profile(AccountId(name), capacity=9), ONLINE) for name in ("ann", "bob", "eve")]
    held = ConversationState(
        ConversationId("c1"), Life.ACTIVE, AccountId("ann"), 1, 1, 1, desk.now, "default"
    )
    remembered = Remembered({held.conversation: desk.now - 5_000}, {AccountId("bob"): 2, AccountId("ann"): 2})
    await desk.engine.rebuild(
        POLICY, profiles, [held], offline_after_ms=None, remembered=remembered, **desk.stamp()
    )
    agents = {state.profile.agent: state for state in (await desk.engine.snapshot()).agents}
    assert {name: state.received_today for name, state in agents.items()} == {"ann": 2, "bob": 2, "eve": 0}
    assert [slot.since_ms for slot in agents[AccountId("ann")].slots] == [desk.now - 5_000]
    assert [(await desk.asks(f"n{number}")).owner for number in range(4)] == ["eve", "eve", "bob", "ann"]


@pytest.mark.req("KS-22")
async def test_an_account_that_was_removed_and_comes_back_holds_its_slots_again(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    for name in ("c1", "c2", "c3"):
        await desk.asks(name, last="ann")
    await desk.assign("c2", "ann")
    await desk.fire("ann")
    assert await desk.owner("c1") == "ann", "what she had in hand stays hers until it is given on"
    assert await desk.queue() == ["c3"]
    desk.later(5)
    await desk.hire("ann", capacity=1)
    held = [(slot.conversation, slot.since_ms, slot.over_capacity) for slot in await desk.slots("ann")]
    assert held == [("c1", desk.now, False), ("c2", desk.now, True)]
    assert await desk.queue() == ["c3"]


# --- never cut off silently ------------------------------------------------------------------------------------------
@pytest.mark.req("KS-19", "KS-11")
async def test_more_than_one_verb_may_give_out_is_announced_and_goes_on(desk: Desk) -> None:
    await desk.open(
        *(waiting(f"w{number:03}", desk.now - 500 + number) for number in range(FILL_LIMIT * 2 + 5))
    )
    made = await desk.hire("ann", capacity=500)
    assert receivers(made) == [(f"w{number:03}", "ann") for number in range(FILL_LIMIT)]
    assert desk.more
    made = await desk.act(desk.engine.fill(**desk.stamp()))
    assert (len(made), made[0].conversation, desk.more) == (FILL_LIMIT, f"w{FILL_LIMIT:03}", True)
    made = await desk.act(desk.engine.fill(**desk.stamp()))
    assert (len(made), desk.more) == (5, False)


@pytest.mark.req("KS-19")
async def test_who_arrives_in_the_middle_of_that_does_not_jump_the_queue(desk: Desk) -> None:
    await desk.open(*(waiting(f"w{number:03}", desk.now - 500 + number) for number in range(FILL_LIMIT + 3)))
    await desk.hire("ann", capacity=500)
    assert desk.more
    made = await desk.act(
        desk.engine.claim(
            plan(desk.request("late"), desk.policy, now_ms=desk.now, groups_exist=True),
            rand=0,
            **desk.stamp(),
        )
    )
    assert [(one.conversation, one.change) for one in made] == [
        ("late", Change.QUEUED),
        *((f"w{number:03}", Change.ASSIGNED) for number in range(FILL_LIMIT, FILL_LIMIT + 3)),
        ("late", Change.ASSIGNED),
    ]
    assert made[0].tried[0].outcome is Reason.OTHERS_WAIT
    assert (made[0].place, made[0].rev, made[-1].rev) == (4, 1, 2)


async def test_the_exact_limit_leaves_nothing_to_announce(desk: Desk) -> None:
    await desk.open(*(waiting(f"w{number:03}", desk.now + number) for number in range(FILL_LIMIT)))
    assert len(await desk.hire("ann", capacity=500)) == FILL_LIMIT
    assert not desk.more


# --- separate ------------------------------------------------------------------------------------------------------
async def test_customers_are_in_the_directory_and_nothing_else(desk: Desk) -> None:
    await desk.open()
    await desk.connect("carl", "widget1")
    await desk.connect("carl", "widget2", node="n2:bbbb")
    directory = (await desk.engine.snapshot()).extra["directory"]
    assert directory == {"carl": {"widget1": "n1:aaaa", "widget2": "n2:bbbb"}}
    await desk.disconnect("carl", "widget1")
    await desk.disconnect("carl", "widget2", node="n2:bbbb")
    assert (await desk.engine.snapshot()).extra["directory"] == {}
    assert await desk.engine.agent(AccountId(PersonId("carl"))) is None
