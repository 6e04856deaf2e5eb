"""Why does a customer wait although an agent looks free? The product answers (KS-22)."""

import pytest

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId
from protocol.states import Life, PauseMode
from router.model import Place, PoolState, Tried
from router.policy import Policy
from router.rules import plan
from tests.router.desk import MINUTE_MS, OFFLINE, PAUSED, Desk


@pytest.mark.req("KS-22")
async def test_the_slot_ledger_says_for_every_slot_why_it_is_held(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=2)
    started = desk.now
    await desk.asks("serving")
    desk.later(1)
    await desk.asks("ending")
    await desk.end("ending")
    desk.later(1)
    await desk.asks("waiting")
    await desk.assign("waiting", "ann")
    until = started + 1 + 20 * MINUTE_MS
    ledger = [
        (slot.conversation, slot.why, slot.since_ms - started, slot.reason, slot.over_capacity, slot.until_ms)
        for slot in await desk.slots("ann")
    ]
    assert ledger == [
        ("serving", "in_service", 0, Reason.ANY_ONLINE, False, None),
        ("ending", "wrap_up", 1, Reason.ANY_ONLINE, False, until),
        ("waiting", "in_service", 2, Reason.BY_HAND, True, None),
    ]
    assert (await desk.agent("ann")).availability is Reason.FULL


@pytest.mark.req("KS-22")
async def test_a_waiting_conversation_says_why_each_eligible_agent_cannot_take_it(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("full", "post", capacity=1)
    await desk.hire("paused", "post", status=PAUSED)
    await desk.hire("away", "post", status=OFFLINE)
    await desk.hire("barred", "post", excluded=True)
    await desk.hire("off_duty", "post", on_duty=False)
    await desk.hire("other", "pre")
    await desk.hire("boss", "post", routable=False)
    await desk.asks("c1", state="trade_done")
    desk.later(1)
    await desk.asks("c2", state="trade_done")
    await desk.asks("c3", state="trade_done")
    why = await desk.engine.explain(ConversationId("c3"))
    assert why is not None
    assert (why.pool, why.place, why.length, why.arrived_ms) == ("trade_done", 2, 2, desk.now)
    assert (why.reason, why.groups, why.open_to_everybody) == (Reason.ALL_FULL, ("post",), False)
    assert why.agents == (
        ("away", Reason.OFFLINE),
        ("barred", Reason.EXCLUDED),
        ("full", Reason.FULL),
        ("off_duty", Reason.OFF_DUTY),
        ("paused", Reason.PAUSED),
    )


@pytest.mark.req("KS-22", "KS-09")
async def test_an_open_pool_names_everybody(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", status=OFFLINE)
    await desk.hire("bob", "pre", pause_mode=PauseMode.AT_N, pause_at=1)
    await desk.asks("c1", state="trade_done")
    await desk.asks("c2", state="trade_done")
    why = await desk.engine.explain(ConversationId("c2"))
    assert why is not None
    assert (why.groups, why.open_to_everybody, why.reason) == (("post",), True, Reason.ALL_FULL)
    assert why.agents == (("ann", Reason.OFFLINE), ("bob", Reason.AUTO_PAUSED))


@pytest.mark.req("KS-22", "KS-11")
async def test_nobody_online_is_an_answer(desk: Desk) -> None:
    await desk.open()
    await desk.asks("c1")
    why = await desk.engine.explain(ConversationId("c1"))
    assert why is not None
    assert (why.reason, why.agents) == (Reason.NOBODY_ONLINE, ())


@pytest.mark.req("KS-22", "GP-06")
async def test_out_of_hours_is_when_all_who_could_serve_are_off_duty(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", on_duty=False)
    await desk.hire("max", excluded=True)
    await desk.asks("c1")

    async def why() -> Reason | None:
        place = await desk.engine.place(ConversationId("c1"))
        return None if place is None else place.reason

    assert await why() is Reason.OFF_DUTY
    await desk.hire("bob", status=OFFLINE)
    assert await why() is Reason.NOBODY_ONLINE, "somebody is expected, and not there"
    await desk.hire("cat", status=PAUSED)
    assert await why() is Reason.ALL_FULL


@pytest.mark.req("KS-22")
async def test_the_place_in_the_queue_is_a_question_of_its_own(desk: Desk) -> None:
    await desk.open()
    await desk.asks("c1")
    desk.later(1)
    await desk.asks("c2")
    assert await desk.engine.place(ConversationId("c2")) == Place(
        "default", 2, 2, Reason.NOBODY_ONLINE, desk.now
    )
    await desk.hire("ann", status=PAUSED)
    assert await desk.engine.place(ConversationId("c1")) == Place(
        "default", 1, 2, Reason.ALL_FULL, desk.now - 1
    )


@pytest.mark.req("KS-22")
async def test_only_what_waits_is_explained(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    assert await desk.engine.place(ConversationId("c1")) is None
    assert await desk.engine.place(ConversationId("nothing")) is None
    assert await desk.engine.explain(ConversationId("c1")) is None
    assert await desk.engine.explain(ConversationId("nothing")) is None


@pytest.mark.req("KS-22")
async def test_an_assignment_says_which_rules_were_tried_and_how_each_ended(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", status=OFFLINE)
    await desk.hire("bob", "pre")
    answer = await desk.asks("c1", state="trade_done", last="ann")
    assert answer.tried == (
        Tried(Reason.LAST_AGENT, Reason.OFFLINE, agent=AccountId("ann")),
        Tried(Reason.ORDER_STATE_GROUP, Reason.NOBODY_ONLINE, groups=("post",)),  # pyright: ignore[reportArgumentType]
        Tried(Reason.ANY_ONLINE, Reason.TAKEN, agent=AccountId("bob"), groups=("*",)),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.req("KS-22")
async def test_a_filled_slot_says_so_too(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    await desk.asks("c1", state="trade_done")
    await desk.asks("c2", state="trade_done")
    _, filled = await desk.close("c1")
    assert filled.tried == (
        Tried(Reason.FILLED, Reason.TAKEN, agent=AccountId("ann"), groups=("post",), pool="trade_done"),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.req("KS-22")
async def test_pools_at_a_glance_and_in_order(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]}, new_customer_priority=True)
    await desk.hire("ann", "post", status=PAUSED)
    start = desk.now
    await desk.asks("c1", state="trade_done")
    desk.later(5)
    await desk.asks("c2", state="trade_done", new=True)
    await desk.asks("c3", state="after_sale")
    assert await desk.engine.pools() == (
        PoolState("default", 1, start + 5, (), True, ("c3",)),  # pyright: ignore[reportArgumentType]
        PoolState("trade_done", 2, start, ("post",), False, ("c2", "c1")),  # pyright: ignore[reportArgumentType]
    )
    states = await desk.engine.waiting("trade_done")
    assert [(state.conversation, state.place) for state in states] == [("c2", 1), ("c1", 2)]
    assert len(await desk.engine.waiting("trade_done", limit=1)) == 1
    [second] = await desk.engine.waiting("trade_done", first=2, limit=5)
    assert (second.conversation, second.place) == ("c1", 2)
    assert await desk.engine.waiting("trade_done", first=3) == ()
    assert await desk.engine.waiting("nothing") == ()


@pytest.mark.req("KS-22")
async def test_one_conversation_and_one_agent(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    first = await desk.asks("c1")
    await desk.assign("c1", "bob")
    state = await desk.engine.conversation(ConversationId("c1"))
    assert state is not None
    assert (state.life, state.owner, state.previous_owner) == (Life.ACTIVE, "bob", "ann")
    assert (state.epoch, state.rev, state.reason) == (first.epoch + 1, first.rev + 1, Reason.BY_HAND)
    assert await desk.engine.conversation(ConversationId("nothing")) is None
    assert await desk.engine.agent(AccountId("nobody")) is None
    assert [(agent.profile.agent, agent.slots) for agent in await desk.engine.agents()] == [
        ("ann", ()),
        ("bob", ()),
    ]


@pytest.mark.req("KS-22")
async def test_what_some_agents_hold_is_one_moment_of_the_whole(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cid"):
        await desk.hire(name)
        await desk.asks(f"c-{name}")
    everything = await desk.engine.snapshot()
    part = await desk.engine.holdings([AccountId("cid"), AccountId("ann"), AccountId("nobody")])
    assert part.agents == tuple(agent for agent in everything.agents if agent.profile.agent in ("ann", "cid"))
    held = {slot.conversation for agent in part.agents for slot in agent.slots}
    assert len(held) == 2
    assert set(part.conversations) == {each for each in everything.conversations if each.conversation in held}
    assert part.pools == ()

    named = await desk.engine.holdings(
        [AccountId("ann")], [ConversationId(name) for name in ("c-ann", "c-bob", "never was")]
    )
    assert [agent.profile.agent for agent in named.agents] == ["ann"]
    assert sorted(each.conversation for each in named.conversations) == ["c-ann", "c-bob"]


@pytest.mark.req("KS-22", "KS-23")
async def test_a_look_ahead_says_who_would_take_it_and_changes_nothing(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"after_sale": ["refunds"]})
    await desk.hire("ann", "refunds", capacity=1)
    await desk.hire("bob")
    before = await desk.engine.snapshot()

    foreseen = await desk.preview("c1", state="after_sale", last="bob")

    assert [(each.tier, each.outcome, each.agent) for each in foreseen] == [
        (Reason.LAST_AGENT, Reason.TAKEN, "bob")
    ]
    assert await desk.engine.snapshot() == before, "nothing was claimed"
    await desk.asks("c1", state="after_sale")
    foreseen = await desk.preview("c2", state="after_sale")
    assert [(each.tier, each.outcome) for each in foreseen] == [
        (Reason.ORDER_STATE_GROUP, Reason.ALL_FULL),
        (Reason.QUEUE_POOL, Reason.ALL_FULL),
    ], "the group holds its customers"


@pytest.mark.req("KS-22")
async def test_nobody_is_foreseen_while_the_shop_is_not_live(desk: Desk) -> None:
    assert (
        await desk.engine.preview(
            plan(desk.request("c1"), Policy(), now_ms=desk.now, groups_exist=False), day=desk.day, rand=0
        )
        == ()
    )
