"""Capacity, pauses, the queue that drains at once, and work given by hand (KS-07, KS-19, KS-21)."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId
from protocol.states import AgentStatus, PauseMode
from router.model import Done, Refusal, Refused
from tests.router.desk import OFFLINE, ONLINE, PAUSED, Desk, receivers


@pytest.mark.req("KS-07", "KS-21")
@pytest.mark.parametrize("state", ["full", "paused", "offline", "excluded"])
async def test_by_hand_reaches_an_agent_in_any_state(desk: Desk, state: str) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.hire("bob", capacity=1)
    await desk.asks("c1", last="ann")
    await desk.asks("c2", last="bob")
    if state == "excluded":
        await desk.edit("ann", excluded=True)
    elif state != "full":
        await desk.status("ann", AgentStatus(state))
    (given,) = await desk.assign("c2", "ann", by="bob")
    assert (given.owner, given.previous_owner, given.reason, given.by) == (
        "ann",
        "bob",
        Reason.BY_HAND,
        "bob",
    )
    assert given.offline is (state == "offline")
    assert {slot.conversation: slot.over_capacity for slot in await desk.slots("ann")} == {
        "c1": False,
        "c2": True,
    }


@pytest.mark.req("KS-07", "KS-19", "KS-21")
async def test_a_transfer_frees_the_former_owners_slot_and_refills_it(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.hire("bob", status=PAUSED)
    await desk.asks("c1")
    await desk.asks("c2")
    made = await desk.assign("c1", "bob")
    assert receivers(made) == [("c1", "bob"), ("c2", "ann")]


@pytest.mark.req("CO-10")
async def test_whom_one_chose_by_their_load_is_not_given_more_when_it_is_another(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.hire("bob", capacity=1)
    await desk.asks("c1", last="ann")
    give = partial(desk.engine.assign, ConversationId("c1"), AccountId("bob"), by=None)
    assert await desk.refused(give(expected_load=1, **desk.stamp())) is Refusal.LOAD_CHANGED
    assert await desk.owner("c1") == "ann"
    await desk.act(give(expected_load=0, **desk.stamp()), by_hand=True)
    assert await desk.owner("c1") == "bob"


@pytest.mark.req("CO-10")
async def test_whether_the_former_owner_stays_is_carried_by_the_decision(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    await desk.asks("c1", last="ann")
    for to, stay in (("bob", '= "why" / 为何\n'), ("ann", ""), ("bob", None)):
        [told] = await desk.assign("c1", to, stay=stay)
        assert told.stay == stay
        assert (await desk.engine.unconfirmed(0, now_ms=desk.now))[-1] == told


@pytest.mark.req("KS-21")
async def test_assigning_a_waiting_conversation_takes_it_out_of_its_pool(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", status=PAUSED)
    await desk.asks("c1")
    await desk.assign("c1", "ann")
    assert await desk.queue() == []
    assert await desk.owner("c1") == "ann"


@pytest.mark.req("KS-21")
async def test_assigning_during_wrap_up_makes_it_active_again(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    await desk.asks("c1")
    await desk.end("c1")
    (given,) = await desk.assign("c1", "bob")
    assert given.wrap_up_until_ms is None
    assert await desk.loads() == {"ann": 0, "bob": 1}
    desk.later(24 * 3_600_000)
    assert (await desk.expire()).decisions == (), "its wrap-up is over and done with"


@pytest.mark.req("KS-21")
async def test_two_managers_transfer_and_exactly_one_wins(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cat"):
        await desk.hire(name)
    epoch = (await desk.asks("c1")).epoch
    transfers = [
        desk.engine.assign("c1", agent, by="boss", expected_epoch=epoch, **desk.stamp())  # pyright: ignore[reportArgumentType]
        for agent in ("bob", "cat")
    ]
    first, second = await asyncio.gather(*transfers)
    assert {type(first), type(second)} == {Done, Refused}
    assert Refused(Refusal.STALE_EPOCH) in (first, second)


@pytest.mark.req("CO-12")
async def test_who_takes_it_by_their_own_hand_is_there_whatever_their_status(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("vera", routable=False)
    await desk.asks("c1")
    await desk.status("vera", AgentStatus.OFFLINE)
    (taken,) = await desk.assign("c1", "vera", by="vera")
    assert (taken.owner, taken.offline) == ("vera", False)


@pytest.mark.req("KS-21")
async def test_what_by_hand_cannot_do(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    epoch = (await desk.asks("c1")).epoch

    def assign(name: str, agent: str, expected: int | None = None) -> Awaitable[object]:
        return desk.refused(
            desk.engine.assign(name, agent, by="boss", expected_epoch=expected, **desk.stamp())  # pyright: ignore[reportArgumentType]
        )

    assert await assign("nothing", "ann") is Refusal.UNKNOWN_CONVERSATION
    assert await assign("c1", "nobody") is Refusal.UNKNOWN_AGENT
    assert await assign("c1", "ann") is Refusal.SAME_OWNER
    await desk.hire("bob")
    assert await assign("c1", "bob", epoch + 1) is Refusal.STALE_EPOCH


@pytest.mark.req("KS-21", "KS-14")
async def test_pulling_takes_the_first_of_a_pool_or_of_all_even_above_capacity(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", capacity=1, status=PAUSED)
    for name, state in (
        ("d1", "after_sale"),
        ("t1", "trade_done"),
        ("d2", "after_sale"),
        ("t2", "trade_done"),
    ):
        desk.later(1)
        await desk.asks(name, state=state)
    assert receivers(await desk.pull("ann", pool="trade_done")) == [("t1", "ann")]
    assert receivers(await desk.pull("ann")) == [("d1", "ann")]
    assert receivers(await desk.pull("ann", conversation="t2")) == [("t2", "ann")]
    over = {slot.conversation: slot.over_capacity for slot in await desk.slots("ann")}
    assert over == {"t1": False, "d1": True, "t2": True}


@pytest.mark.req("KS-21")
async def test_of_several_pullers_exactly_one_wins(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cat"):
        await desk.hire(name, status=PAUSED)
    await desk.asks("c1")
    pulls = [
        desk.engine.pull(name, conversation="c1", **desk.stamp())  # pyright: ignore[reportArgumentType]
        for name in ("ann", "bob", "cat")
    ]
    outcomes = await asyncio.gather(*pulls)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Refused", "Refused"]
    assert outcomes.count(Refused(Refusal.NOT_WAITING)) == 2


@pytest.mark.req("KS-21")
async def test_what_a_puller_cannot_do(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")

    def pull(agent: str, **what: str) -> Awaitable[Refusal]:
        return desk.refused(desk.engine.pull(agent, **what, **desk.stamp()))  # pyright: ignore[reportArgumentType]

    assert await pull("nobody") is Refusal.UNKNOWN_AGENT
    assert await pull("ann") is Refusal.POOL_EMPTY
    assert await pull("ann", pool="trade_done") is Refusal.POOL_EMPTY
    assert await pull("ann", conversation="c1") is Refusal.NOT_WAITING
    assert await pull("ann", conversation="nothing") is Refusal.NOT_WAITING


async def raise_capacity(desk: Desk) -> object:
    return await desk.edit("ann", capacity=2)


async def return_from_pause(desk: Desk) -> object:
    return await desk.status("bob", ONLINE)


async def come_online(desk: Desk) -> object:
    return await desk.status("cat", ONLINE)


async def join_the_group(desk: Desk) -> object:
    return await desk.edit("dan", groups=("post",))


async def close_one(desk: Desk) -> object:
    return (await desk.close("busy"))[1:]


async def give_one_back(desk: Desk) -> object:
    return (await desk.requeue("busy"))[1:]


async def come_on_duty(desk: Desk) -> object:
    return await desk.edit("eve", on_duty=True)


async def become_an_agent(desk: Desk) -> object:
    return await desk.edit("boss", routable=True)


@pytest.mark.req("KS-19")
@pytest.mark.parametrize(
    "chance",
    [
        raise_capacity,
        return_from_pause,
        come_online,
        join_the_group,
        close_one,
        give_one_back,
        come_on_duty,
        become_an_agent,
    ],
)
async def test_every_chance_drains_the_queue_at_once_oldest_first(
    desk: Desk, chance: Callable[[Desk], Awaitable[tuple[object, ...]]]
) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    await desk.hire("bob", "post", capacity=1, status=PAUSED)
    await desk.hire("cat", "post", capacity=1, status=OFFLINE)
    await desk.hire("dan", capacity=1)
    await desk.hire("eve", "post", capacity=1, on_duty=False)
    await desk.hire("boss", "post", capacity=1, routable=False, is_owner=True)
    await desk.asks("busy", state="trade_done", arrived=desk.now + 5)
    for number in (2, 1):
        await desk.asks(f"c{number}", state="trade_done", arrived=desk.now + number)
    made = await chance(desk)
    assert [one.conversation for one in made] == ["c1"]  # pyright: ignore[reportAttributeAccessIssue]
    assert await desk.queue("trade_done") in (["c2"], ["c2", "busy"])


@pytest.mark.req("KS-19")
async def test_pausing_at_n_happens_and_ends_by_itself(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=5, pause_mode=PauseMode.AT_N, pause_at=2)
    await desk.asks("c1")
    await desk.asks("c2")
    assert (await desk.agent("ann")).availability is Reason.AUTO_PAUSED
    assert (await desk.asks("c3")).owner is None
    assert receivers(await desk.close("c1"))[1:] == [("c3", "ann")]


@pytest.mark.req("KS-19")
@pytest.mark.parametrize("mode", [PauseMode.BY_HAND, PauseMode.NEVER])
async def test_the_other_pause_modes_ignore_n(desk: Desk, mode: PauseMode) -> None:
    await desk.open()
    await desk.hire("ann", capacity=2, pause_mode=mode, pause_at=1)
    await desk.asks("c1")
    assert (await desk.asks("c2")).owner == "ann"


@pytest.mark.req("KS-19")
async def test_lowering_the_capacity_takes_nothing_away(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=2)
    await desk.asks("c1")
    await desk.asks("c2")
    await desk.edit("ann", capacity=1)
    assert await desk.loads() == {"ann": 2}
    await desk.asks("c3")
    assert receivers(await desk.close("c1")) == [("c1", "ann")], "still full"
    assert receivers(await desk.close("c2"))[1:] == [("c3", "ann")]


@pytest.mark.req("KS-19")
async def test_capacity_one_to_five_hundred(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=500)
    desk.checking = False
    for number in range(500):
        assert (await desk.asks(f"c{number}")).owner == "ann"
    desk.checking = True
    assert (await desk.asks("one_too_many")).owner is None


@pytest.mark.req("KS-19", "KS-21")
async def test_a_requeued_conversation_may_change_its_pool_and_keeps_its_age(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    arrived = desk.now
    epoch = (await desk.asks("c1", state="trade_done")).epoch
    await desk.status("ann", PAUSED)
    desk.later(10)
    (queued,) = await desk.requeue("c1", pool="default", expected_epoch=epoch)
    assert (queued.pool, queued.arrived_ms, queued.epoch) == ("default", arrived, epoch + 1)


@pytest.mark.req("KS-21")
async def test_what_cannot_be_requeued(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    epoch = (await desk.asks("c1")).epoch
    await desk.asks("c2")

    def requeue(name: str, expected: int | None = None) -> Awaitable[Refusal]:
        return desk.refused(desk.engine.requeue(name, expected_epoch=expected, **desk.stamp()))  # pyright: ignore[reportArgumentType]

    assert await requeue("nothing") is Refusal.UNKNOWN_CONVERSATION
    assert await requeue("c2") is Refusal.NOT_ACTIVE
    assert await requeue("c1", epoch + 1) is Refusal.STALE_EPOCH


async def test_a_conversation_that_is_live_cannot_be_claimed_again(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    assert await desk.asks_in_vain("c1") is Refusal.ALREADY_ROUTED
