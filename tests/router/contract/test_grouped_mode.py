"""Grouped routing, spoken on both engines (KS-05, KS-08, KS-09, KS-13)."""

from typing import Any

import pytest

from protocol.codes import Reason
from tests.router.desk import OFFLINE, ONLINE, PAUSED, Desk, receivers

BOUND: dict[str, Any] = {
    "mode": "grouped",
    "order_state_groups": {"trade_done": ["post"], "placed_unpaid": ["pre", "vip"]},
}


async def staffed(desk: Desk, **settings: Any) -> None:
    """ann in post, bob in pre, cat in vip; one conversation each."""
    await desk.open(**(BOUND | settings))
    await desk.hire("ann", "post", capacity=1)
    await desk.hire("bob", "pre", capacity=1)
    await desk.hire("cat", "vip", capacity=1)


@pytest.mark.req("KS-05", "KS-06")
async def test_the_order_state_selects_the_groups_bound_to_it(desk: Desk) -> None:
    await staffed(desk)
    assert (await desk.asks("c1", state="trade_done")).owner == "ann"
    assert (await desk.asks("c2", state="placed_unpaid")).owner == "bob"
    answer = await desk.asks("c3", state="placed_unpaid")
    assert (answer.owner, answer.reason) == ("cat", Reason.ORDER_STATE_GROUP)
    assert answer.tried[0].groups == ("pre", "vip")


@pytest.mark.req("KS-05")
async def test_the_best_of_several_groups_is_the_best_of_all_their_agents(desk: Desk) -> None:
    await desk.open(**BOUND)
    await desk.hire("bob", "pre", "vip")
    await desk.hire("cat", "vip")
    await desk.hire("dan", "pre")
    owners = [(await desk.asks(f"c{number}", state="placed_unpaid")).owner for number in range(6)]
    assert owners == ["bob", "cat", "dan", "bob", "cat", "dan"]


@pytest.mark.req("KS-05")
async def test_the_last_agent_comes_before_the_groups(desk: Desk) -> None:
    await staffed(desk)
    answer = await desk.asks("c1", state="trade_done", last="cat")
    assert (answer.owner, answer.reason) == ("cat", Reason.LAST_AGENT)


@pytest.mark.req("KS-08")
async def test_a_returning_customer_goes_to_the_last_agent_above_capacity(desk: Desk) -> None:
    await staffed(desk)
    for number in range(3):
        assert (await desk.asks(f"c{number}", state="placed_unpaid", last="ann")).owner == "ann"
    slots = [slot.over_capacity for slot in await desk.slots("ann")]
    assert sorted(slots) == [False, True, True]


@pytest.mark.req("KS-08")
async def test_a_setting_bounds_how_far_above_capacity(desk: Desk) -> None:
    await staffed(desk, sticky_over_capacity=1)
    await desk.asks("c0", last="ann")
    await desk.asks("c1", last="ann")
    answer = await desk.asks("c2", state="placed_unpaid", last="ann")
    assert answer.owner == "bob"
    assert answer.tried[0].outcome is Reason.OVER_CAPACITY_LIMIT


@pytest.mark.req("KS-08")
async def test_a_bound_of_none_above_capacity_reads_as_full(desk: Desk) -> None:
    await staffed(desk, sticky_over_capacity=0)
    await desk.asks("c0", last="ann")
    answer = await desk.asks("c1", state="placed_unpaid", last="ann")
    assert (answer.owner, answer.tried[0].outcome) == ("bob", Reason.FULL)


@pytest.mark.req("KS-08")
async def test_stickiness_does_not_disturb_an_agent_who_is_paused(desk: Desk) -> None:
    await staffed(desk)
    await desk.status("ann", PAUSED)
    answer = await desk.asks("c1", state="placed_unpaid", last="ann")
    assert (answer.owner, answer.tried[0].outcome) == ("bob", Reason.PAUSED)


@pytest.mark.req("KS-09")
async def test_full_bound_groups_hold_the_customer_although_others_have_room(desk: Desk) -> None:
    await staffed(desk)
    await desk.asks("c1", state="trade_done")
    answer = await desk.asks("c2", state="trade_done")
    assert (answer.owner, answer.pool, answer.place) == (None, "trade_done", 1)
    assert [tried.tier for tried in answer.tried] == [Reason.ORDER_STATE_GROUP, Reason.QUEUE_POOL]
    assert receivers(await desk.close("c1")) == [("c1", "ann"), ("c2", "ann")]


@pytest.mark.req("KS-09")
async def test_a_paused_group_still_holds_its_customers(desk: Desk) -> None:
    await staffed(desk)
    await desk.status("ann", PAUSED)
    assert (await desk.asks("c1", state="trade_done")).owner is None
    made = await desk.status("ann", ONLINE)
    assert [(one.owner, one.reason) for one in made] == [("ann", Reason.FILLED)]


@pytest.mark.req("KS-09", "KS-05")
async def test_bound_groups_without_anybody_online_leave_the_customer_to_any_other(desk: Desk) -> None:
    await staffed(desk)
    await desk.status("ann", OFFLINE)
    answer = await desk.asks("c1", state="trade_done")
    assert (answer.owner, answer.reason) == ("bob", Reason.ANY_ONLINE)
    assert answer.tried[0].outcome is Reason.NOBODY_ONLINE


@pytest.mark.req("KS-09")
async def test_all_others_full_too_means_the_pool_and_whoever_has_room_first(desk: Desk) -> None:
    await staffed(desk)
    await desk.status("ann", OFFLINE)
    await desk.asks("c1", state="placed_unpaid")
    await desk.asks("c2", state="placed_unpaid")
    answer = await desk.asks("c3", state="trade_done")
    assert (answer.owner, answer.pool) == (None, "trade_done")
    made = await desk.close("c2")
    assert [(one.conversation, one.owner, one.reason) for one in made[1:]] == [("c3", "cat", Reason.OVERFLOW)]


@pytest.mark.req("KS-09")
async def test_waiting_customers_overflow_when_the_last_of_their_groups_goes(desk: Desk) -> None:
    await staffed(desk)
    await desk.hire("amy", "post", capacity=1)
    for number in range(4):
        await desk.asks(f"c{number}", state="trade_done")
    assert await desk.queue("trade_done") == ["c2", "c3"]
    assert await desk.status("ann", OFFLINE) == (), "amy is still there"
    made = await desk.status("amy", OFFLINE)
    assert [(one.conversation, one.reason) for one in made] == [
        ("c2", Reason.OVERFLOW),
        ("c3", Reason.OVERFLOW),
    ]
    assert {one.owner for one in made} == {"bob", "cat"}


@pytest.mark.req("KS-09")
@pytest.mark.parametrize("how", ["excluded", "off duty", "another group", "removed"])
async def test_every_way_of_leaving_a_group_opens_its_pool(desk: Desk, how: str) -> None:
    await staffed(desk)
    await desk.asks("c1", state="trade_done")
    await desk.asks("c2", state="trade_done")
    match how:
        case "excluded":
            made = await desk.edit("ann", excluded=True)
        case "off duty":
            made = await desk.edit("ann", on_duty=False)
        case "another group":
            made = await desk.edit("ann", groups=())
        case _:
            made = await desk.fire("ann")
    assert [(one.conversation, one.owner) for one in made] == [("c2", "bob")]


@pytest.mark.req("KS-09", "KS-06")
async def test_an_unbound_state_waits_in_the_default_pool_open_to_everybody(desk: Desk) -> None:
    await staffed(desk)
    for number in range(3):
        await desk.asks(f"c{number}", state="after_sale")
    answer = await desk.asks("c3", state="after_sale")
    assert (answer.owner, answer.pool) == (None, "default")
    assert receivers(await desk.close("c1"))[1:] == [("c3", "bob")]


@pytest.mark.req("KS-09", "KS-19")
async def test_a_freed_slot_goes_to_the_oldest_of_all_pools_that_it_serves(desk: Desk) -> None:
    await staffed(desk)
    for name, state in (("c0", "trade_done"), ("c1", "placed_unpaid"), ("c2", "placed_unpaid")):
        await desk.asks(name, state=state)
    desk.later(1)
    await desk.asks("unbound", state="after_sale")
    desk.later(1)
    await desk.asks("bound", state="trade_done")
    assert receivers(await desk.close("c0"))[1:] == [("unbound", "ann")]
    assert receivers(await desk.close("unbound"))[1:] == [("bound", "ann")]


@pytest.mark.req("KS-23", "KS-09")
async def test_new_bindings_take_effect_at_once(desk: Desk) -> None:
    await staffed(desk)
    await desk.asks("c1", state="trade_done")
    await desk.asks("c2", state="trade_done")
    made = await desk.change_settings(mode="grouped", order_state_groups={"trade_done": ["post", "pre"]})
    assert receivers(made) == [("c2", "bob")]


@pytest.mark.req("KS-13", "KS-23")
async def test_changing_to_basic_mode_opens_every_pool(desk: Desk) -> None:
    await staffed(desk)
    await desk.asks("c1", state="trade_done")
    await desk.asks("c2", state="trade_done")
    made = await desk.change_settings(mode="basic")
    assert [(one.conversation, one.owner, one.reason) for one in made] == [("c2", "bob", Reason.FILLED)]
