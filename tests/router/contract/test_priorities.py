"""Who goes first: new customers, returning customers, the bot (KS-15 to KS-17)."""

from typing import Any

import pytest

from protocol.codes import Reason
from protocol.ids import ConversationId
from protocol.states import PauseMode
from router.model import NORMAL, PRIORITY, Change, Refusal
from tests.router.desk import MINUTE_MS, OFFLINE, ONLINE, PAUSED, Desk, receivers

BOT: dict[str, Any] = {"bot": {"enabled": True, "account": "robot"}}


async def with_bot(desk: Desk, **settings: Any) -> None:
    await desk.open(**(BOT | settings))
    await desk.hire("robot", routable=False, capacity=1)
    await desk.hire("ann")
    await desk.hire("bob")


@pytest.mark.req("KS-15")
async def test_new_customers_queue_at_the_very_front_and_keep_their_own_order(desk: Desk) -> None:
    await desk.open(new_customer_priority=True)
    await desk.hire("ann", capacity=1)
    await desk.asks("busy")
    for name, new in (("old1", False), ("new1", True), ("old2", False), ("new2", True)):
        desk.later(1)
        answer = await desk.asks(name, new=new)
        assert answer.priority == (PRIORITY if new else NORMAL)
    assert await desk.queue() == ["new1", "new2", "old1", "old2"]
    assert receivers(await desk.close("busy"))[1:] == [("new1", "ann")]
    assert receivers(await desk.requeue("new1")) == [("new1", None), ("new1", "ann")], (
        "at its old age and class"
    )


@pytest.mark.req("KS-15")
async def test_priority_holds_across_pools(desk: Desk) -> None:
    await desk.open(new_customer_priority=True, mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    await desk.asks("busy", state="trade_done")
    await desk.asks("old", state="trade_done")
    desk.later(1)
    await desk.asks("new", state="after_sale", new=True)
    assert receivers(await desk.close("busy"))[1:] == [("new", "ann")]


@pytest.mark.req("KS-15", "KS-17")
async def test_a_new_customer_skips_the_bot(desk: Desk) -> None:
    await with_bot(desk, new_customer_priority=True)
    assert (await desk.asks("c1", new=True, bot="robot")).owner == "ann"
    assert (await desk.asks("c2", bot="robot")).owner == "robot"


@pytest.mark.req("KS-16")
@pytest.mark.parametrize("mode", ["basic", "grouped"])
async def test_a_returning_customer_goes_first_to_the_same_agent_even_full_and_paused(
    desk: Desk, mode: str
) -> None:
    await desk.open(returning_customer_priority=True, mode=mode, order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", capacity=1)
    await desk.hire("bob", "post")
    await desk.asks("busy", last="ann")
    await desk.status("ann", PAUSED)
    answer = await desk.asks("c1", last="ann", state="trade_done")
    assert (answer.owner, answer.reason) == ("ann", Reason.RETURNING_PRIORITY)
    assert {slot.conversation: slot.over_capacity for slot in await desk.slots("ann")} == {
        "busy": False,
        "c1": True,
    }


@pytest.mark.req("KS-16")
async def test_but_never_to_an_agent_who_is_offline(desk: Desk) -> None:
    await desk.open(returning_customer_priority=True)
    await desk.hire("ann", status=OFFLINE)
    await desk.hire("bob")
    answer = await desk.asks("c1", last="ann")
    assert (answer.owner, answer.reason) == ("bob", Reason.RANDOM_ONLINE)
    assert answer.tried[0].outcome is Reason.OFFLINE


@pytest.mark.req("KS-16", "KS-18")
async def test_nor_to_one_who_is_counted_offline(desk: Desk) -> None:
    await desk.open(returning_customer_priority=True)
    await desk.hire("ann")
    await desk.hire("bob")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    await desk.expire()
    assert (await desk.asks("c1", last="ann")).owner == "bob"


@pytest.mark.req("KS-16", "KS-19")
async def test_it_reaches_an_agent_who_paused_by_load(desk: Desk) -> None:
    await desk.open(returning_customer_priority=True)
    await desk.hire("ann", pause_mode=PauseMode.AT_N, pause_at=1)
    await desk.hire("bob")
    await desk.asks("c1", last="ann")
    assert (await desk.asks("c2", last="ann")).owner == "ann"


@pytest.mark.req("KS-16", "KS-17")
async def test_the_switch_outranks_the_bot(desk: Desk) -> None:
    await with_bot(desk, returning_customer_priority=True)
    assert (await desk.asks("c1", last="bob", bot="robot")).owner == "bob"
    await desk.status("bob", OFFLINE)
    assert (await desk.asks("c2", last="bob", bot="robot")).owner == "robot"


@pytest.mark.req("KS-17")
async def test_the_bot_speaks_first_without_any_limit(desk: Desk) -> None:
    await with_bot(desk)
    for number in range(3):
        answer = await desk.asks(f"c{number}", last="bob", bot="robot")
        assert (answer.owner, answer.reason) == ("robot", Reason.BOT)


@pytest.mark.req("KS-17")
async def test_after_the_hand_off_returning_customers_are_distributed_evenly(desk: Desk) -> None:
    await with_bot(desk)
    owners = [
        (await desk.asks(f"c{number}", last="bob", bot="robot", via_bot=True)).owner for number in range(4)
    ]
    assert owners == ["ann", "bob", "ann", "bob"]


@pytest.mark.req("KS-17")
async def test_the_hand_off_frees_the_bot_and_routes_in_the_same_step(desk: Desk) -> None:
    await with_bot(desk)
    arrived = desk.now
    first = await desk.asks("c1", bot="robot")
    desk.later(1_000)
    answer = await desk.asks(
        "c1", bot="robot", via_bot=True, takes_from="robot", epoch=first.epoch, rev=first.rev
    )
    assert (answer.owner, answer.previous_owner, answer.reason) == ("ann", "robot", Reason.ANY_ONLINE)
    assert (answer.epoch, answer.rev, answer.arrived_ms) == (first.epoch + 1, first.rev + 1, arrived)
    assert await desk.loads() == {"ann": 1, "bob": 0, "robot": 0}


@pytest.mark.req("KS-17", "KS-15")
async def test_a_hand_off_to_nobody_waits_by_first_arrival_and_class(desk: Desk) -> None:
    await with_bot(desk, new_customer_priority=True)
    await desk.status("ann", PAUSED)
    await desk.status("bob", PAUSED)
    await desk.asks("c1", bot="robot")
    desk.later(1_000)
    await desk.asks("c2", via_bot=True)
    answer = await desk.asks("c1", bot="robot", via_bot=True, takes_from="robot")
    assert (answer.owner, answer.previous_owner, answer.place) == (None, "robot", 1)
    assert await desk.queue() == ["c1", "c2"]


@pytest.mark.req("KS-17", "KS-18")
async def test_nothing_is_taken_from_who_does_not_have_it(desk: Desk) -> None:
    await with_bot(desk)
    assert await desk.asks_in_vain("c1", takes_from="robot") is Refusal.NOT_OWNER
    await desk.asks("c1", bot="robot")
    assert await desk.asks_in_vain("c1", takes_from="ann") is Refusal.NOT_OWNER
    await desk.end("c1")
    assert await desk.asks_in_vain("c1", takes_from="robot") is Refusal.NOT_OWNER


@pytest.mark.req("KS-18")
async def test_an_agent_away_for_too_long_is_taken_from_and_the_customer_routed_anew(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    await desk.hire("bob")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    await desk.expire()
    answer = await desk.asks("c1", last="ann", takes_from="ann")
    assert (answer.owner, answer.reason) == ("bob", Reason.RANDOM_ONLINE)


@pytest.mark.req("KS-17")
async def test_a_setting_keeps_stickiness_after_the_hand_off(desk: Desk) -> None:
    await with_bot(desk, bot={**BOT["bot"], "keep_stickiness": True})
    assert (await desk.asks("c1", last="bob", bot="robot", via_bot=True)).owner == "bob"


@pytest.mark.req("KS-17")
@pytest.mark.parametrize("how", ["disconnected", "offline", "paused", "excluded", "removed"])
async def test_a_bot_that_cannot_answer_is_passed_over(desk: Desk, how: str) -> None:
    await with_bot(desk)
    expected = Reason.OFFLINE
    match how:
        case "disconnected":
            await desk.disconnect("robot", "robot-web")
        case "offline":
            await desk.status("robot", OFFLINE)
        case "paused":
            await desk.status("robot", PAUSED)
        case "excluded":
            await desk.edit("robot", excluded=True)
            expected = Reason.EXCLUDED
        case _:
            await desk.fire("robot")
            expected = Reason.NOT_AN_AGENT
    answer = await desk.asks("c1", bot="robot")
    assert (answer.owner, answer.tried[0].outcome) == ("ann", expected)


@pytest.mark.req("KS-17", "KS-04")
async def test_the_bot_is_no_agent_to_anybody_else(desk: Desk) -> None:
    await desk.open(**BOT)
    await desk.hire("robot", routable=False)
    await desk.hire("ann", status=OFFLINE)
    assert (await desk.asks("c1", via_bot=True, bot="robot")).owner is None
    assert receivers(await desk.status("ann", ONLINE)) == [("c1", "ann")]


@pytest.mark.req("CO-07", "KS-15")
async def test_one_that_is_raised_waits_before_the_others_and_lowered_again_at_its_old_age(
    desk: Desk,
) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.asks("busy")
    for name in ("c1", "c2", "c3"):
        desk.later(1)
        await desk.asks(name)
    (raised,) = await desk.set_priority("c3", PRIORITY)
    assert (raised.change, raised.reason, raised.place, raised.priority) == (
        Change.QUEUED,
        Reason.QUEUE_POOL,
        1,
        PRIORITY,
    )
    await desk.set_priority("c2", PRIORITY)
    assert await desk.queue() == ["c2", "c3", "c1"], "by arrival among their like"
    (lowered,) = await desk.set_priority("c3", NORMAL)
    assert (lowered.place, lowered.arrived_ms) == (3, raised.arrived_ms)
    assert await desk.queue() == ["c2", "c1", "c3"]
    assert receivers(await desk.close("busy"))[1:] == [("c2", "ann")]


@pytest.mark.req("CO-07")
async def test_one_that_is_raised_overtakes_in_all_pools_and_stays_in_its_own(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    await desk.asks("busy", state="trade_done")
    await desk.asks("bound", state="trade_done")
    desk.later(1)
    await desk.asks("open", state="after_sale")
    assert (await desk.set_priority("open", PRIORITY))[0].pool == "default"
    assert receivers(await desk.close("busy"))[1:] == [("open", "ann")]


@pytest.mark.req("CO-07")
async def test_raising_what_is_raised_decides_nothing(desk: Desk) -> None:
    await desk.open()
    await desk.asks("c1")
    assert len(await desk.set_priority("c1", PRIORITY)) == 1
    assert await desk.set_priority("c1", PRIORITY) == ()


@pytest.mark.req("CO-07")
async def test_only_what_waits_can_be_raised(desk: Desk) -> None:
    async def refusal(name: str) -> Refusal:
        return await desk.refused(desk.engine.set_priority(ConversationId(name), PRIORITY, **desk.stamp()))

    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    assert await refusal("c1") is Refusal.NOT_WAITING
    assert await refusal("nothing") is Refusal.UNKNOWN_CONVERSATION


@pytest.mark.req("CO-07", "KS-15")
async def test_it_keeps_its_class_when_it_comes_back_to_the_queue(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.asks("busy")
    desk.later(1)
    await desk.asks("c1")
    desk.later(1)
    await desk.asks("c2")
    await desk.set_priority("c2", PRIORITY)
    await desk.close("busy")
    assert await desk.owner("c2") == "ann"
    await desk.status("ann", PAUSED)
    await desk.requeue("c2")
    assert await desk.queue() == ["c2", "c1"]
