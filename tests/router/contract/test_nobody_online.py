"""What happens while nobody is online, and who is never given anything (KS-03, KS-10, KS-11, KS-14)."""

from typing import Any

import pytest

from protocol.codes import Reason
from tests.router.desk import MINUTE_MS, OFFLINE, ONLINE, PAUSED, Desk, receivers, spread

LISTED: dict[str, Any] = {"offline_routing": True, "offline_list": ["ann", "bob", "cat"]}


@pytest.mark.req("KS-03", "KS-10")
@pytest.mark.parametrize("distribution", ["even", "least_loaded"])
async def test_offline_routing_spreads_evenly_over_the_list_and_says_that_answers_come_later(
    desk: Desk, distribution: str
) -> None:
    await desk.open(**LISTED, distribution=distribution)
    for name in ("ann", "bob", "cat"):
        await desk.hire(name, status=OFFLINE, on_offline_list=True)
    await desk.hire("dan", status=OFFLINE)
    answers = [await desk.asks(f"c{number}") for number in range(9)]
    assert spread(answers) == {"ann": 3, "bob": 3, "cat": 3}
    assert {(answer.reason, answer.offline) for answer in answers} == {(Reason.OFFLINE_LIST, True)}
    assert await desk.loads() == {"ann": 3, "bob": 3, "cat": 3, "dan": 0}


@pytest.mark.req("KS-10")
async def test_the_offline_list_respects_capacity_and_then_customers_wait(desk: Desk) -> None:
    await desk.open(**LISTED)
    await desk.hire("ann", status=OFFLINE, on_offline_list=True, capacity=1)
    await desk.asks("c1")
    answer = await desk.asks("c2")
    assert answer.owner is None
    assert [(tried.tier, tried.outcome) for tried in answer.tried[-2:]] == [
        (Reason.OFFLINE_LIST, Reason.ALL_FULL),
        (Reason.QUEUE_POOL, Reason.NOBODY_ONLINE),
    ]


@pytest.mark.req("KS-10")
async def test_one_agent_at_work_is_enough_to_leave_the_list_alone(desk: Desk) -> None:
    await desk.open(**LISTED)
    await desk.hire("ann", status=OFFLINE, on_offline_list=True)
    await desk.hire("dan", status=PAUSED)
    answer = await desk.asks("c1")
    assert answer.owner is None
    assert answer.tried[-2].outcome is Reason.SOMEBODY_ONLINE


@pytest.mark.req("KS-10")
async def test_an_empty_live_list_says_so(desk: Desk) -> None:
    await desk.open(**LISTED)
    await desk.hire("dan", status=OFFLINE)
    assert (await desk.asks("c1")).tried[-2].outcome is Reason.NOBODY_ONLINE


@pytest.mark.req("KS-05", "KS-10", "KS-13")
async def test_grouped_mode_ends_at_the_offline_list_too(desk: Desk) -> None:
    await desk.open(**LISTED, mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("bob", "pre", status=OFFLINE, on_offline_list=True)
    answer = await desk.asks("c1", state="trade_done")
    assert (answer.owner, answer.reason) == ("bob", Reason.OFFLINE_LIST)
    assert answer.tried[0].outcome is Reason.NOBODY_ONLINE


@pytest.mark.req("KS-03", "KS-11")
async def test_without_offline_routing_customers_wait_until_an_agent_comes_and_are_drained_in_order(
    desk: Desk,
) -> None:
    await desk.open()
    await desk.hire("ann", status=OFFLINE, capacity=2, on_offline_list=True)
    for number in (1, 2, 3):
        desk.later(1)
        assert (await desk.asks(f"c{number}")).owner is None
    made = await desk.status("ann", ONLINE)
    assert receivers(made) == [("c1", "ann"), ("c2", "ann")]
    assert await desk.queue() == ["c3"]
    assert receivers(await desk.close("c2"))[1:] == [("c3", "ann")]


@pytest.mark.req("KS-11")
async def test_waiting_customers_are_not_given_to_the_offline_list_when_the_last_agent_goes(
    desk: Desk,
) -> None:
    await desk.open(**LISTED)
    await desk.hire("ann", capacity=1)
    await desk.hire("bob", status=OFFLINE, on_offline_list=True)
    await desk.asks("c1")
    await desk.asks("c2")
    assert await desk.status("ann", OFFLINE) == ()
    assert await desk.queue() == ["c2"]


@pytest.mark.req("KS-14")
async def test_an_excluded_account_is_never_assigned_automatically(desk: Desk) -> None:
    await desk.open(**LISTED, returning_customer_priority=True)
    await desk.hire("ann", excluded=True, on_offline_list=True)
    answer = await desk.asks("c1", last="ann")
    assert answer.owner is None
    assert [tried.outcome for tried in answer.tried] == [
        Reason.EXCLUDED,
        Reason.NOBODY_ONLINE,
        Reason.NOBODY_ONLINE,
        Reason.HAS_AGENTS,
        Reason.NOBODY_ONLINE,
        Reason.NOBODY_ONLINE,
    ]


@pytest.mark.req("KS-14")
async def test_its_group_and_offline_settings_are_void_while_the_mark_stands_and_kept(desk: Desk) -> None:
    await desk.open(**LISTED, mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", on_offline_list=True, excluded=True)
    await desk.hire("bob", "pre")
    assert (await desk.asks("c1", state="trade_done")).owner == "bob", (
        "an excluded agent does not hold a group"
    )
    await desk.edit("ann", excluded=False)
    assert (await desk.asks("c2", state="trade_done")).owner == "ann"
    await desk.status("ann", OFFLINE)
    await desk.status("bob", OFFLINE)
    assert (await desk.asks("c3", state="trade_done")).reason is Reason.OFFLINE_LIST


@pytest.mark.req("KS-14", "KS-19")
async def test_lifting_the_mark_lets_waiting_customers_in(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", excluded=True)
    await desk.asks("c1")
    assert receivers(await desk.edit("ann", excluded=False)) == [("c1", "ann")]


@pytest.mark.req("KS-14", "KS-21")
async def test_an_excluded_account_may_pull_and_be_assigned_to_by_hand(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", excluded=True)
    await desk.asks("c1")
    await desk.asks("c2")
    pulled = await desk.pull("ann", conversation="c1")
    assert receivers(pulled) == [("c1", "ann")]
    assert (pulled[0].reason, pulled[0].by) == (Reason.BY_HAND, "ann")
    assert receivers(await desk.assign("c2", "ann", by="boss")) == [("c2", "ann")]


@pytest.mark.req("KS-18", "KS-10")
async def test_counted_offline_is_offline_for_the_list_too(desk: Desk) -> None:
    await desk.open(offline_routing=True, offline_list=["ann"])
    await desk.hire("ann", on_offline_list=True)
    await desk.disconnect("ann", "ann-web")
    assert (await desk.asks("c1")).reason is Reason.ANY_ONLINE, "the grace runs"
    desk.later(MINUTE_MS)
    await desk.expire()
    assert (await desk.asks("c2")).reason is Reason.OFFLINE_LIST
