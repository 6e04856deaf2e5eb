"""Status, connections, and the time between: three facts kept apart (KS-18)."""

import pytest

from protocol.codes import Reason
from router.model import Refusal
from tests.router.desk import MINUTE_MS, OFFLINE, ONLINE, PAUSED, Desk, receivers

NEVER = None


@pytest.mark.req("KS-18")
async def test_a_lost_connection_alone_makes_nobody_offline(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.disconnect("ann", "ann-web")
    state = await desk.agent("ann")
    assert (state.status, state.connected, state.counted_offline) == (ONLINE, False, False)
    assert (await desk.asks("c1")).owner == "ann"


@pytest.mark.req("KS-18")
async def test_the_grace_ends_neither_early_nor_twice(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS - 1)
    assert (await desk.expire()).counted_offline == ()
    desk.later(1)
    assert (await desk.expire()).counted_offline == ("ann",)
    assert (await desk.expire()).counted_offline == ()
    state = await desk.agent("ann")
    assert (state.status, state.counted_offline, state.availability) == (ONLINE, True, Reason.OFFLINE)


@pytest.mark.req("KS-18")
async def test_a_reconnect_inside_the_grace_is_never_noticed(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS - 1)
    await desk.connect("ann", "ann-web2")
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ()


@pytest.mark.req("KS-18")
async def test_only_the_last_of_several_connections_starts_the_grace(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.connect("ann", "ann-desktop")
    await desk.disconnect("ann", "ann-web")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ()
    await desk.disconnect("ann", "ann-desktop")
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ("ann",)


@pytest.mark.req("KS-18")
async def test_closing_the_mobile_app_never_makes_offline_even_with_a_browser_seen_too(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.connect("ann", "phone", offline_after_ms=NEVER)
    await desk.disconnect("ann", "phone")
    await desk.disconnect("ann", "ann-web")
    desk.later(365 * 24 * 60 * MINUTE_MS)
    assert (await desk.expire()).counted_offline == ()
    assert (await desk.asks("c1")).owner == "ann"


@pytest.mark.req("KS-18")
async def test_the_longest_grace_since_coming_to_work_applies(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", offline_after_ms=5 * MINUTE_MS)
    await desk.connect("ann", "tab", offline_after_ms=MINUTE_MS)
    await desk.disconnect("ann", "ann-web")
    await desk.disconnect("ann", "tab")
    desk.later(5 * MINUTE_MS - 1)
    assert (await desk.expire()).counted_offline == ()
    desk.later(1)
    assert (await desk.expire()).counted_offline == ("ann",)


@pytest.mark.req("KS-18")
async def test_signing_out_forgets_which_devices_were_seen(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.connect("ann", "phone", offline_after_ms=NEVER)
    await desk.status("ann", OFFLINE)
    await desk.disconnect("ann", "phone")
    await desk.disconnect("ann", "ann-web")
    await desk.connect("ann", "tomorrow", offline_after_ms=MINUTE_MS)
    await desk.status("ann", ONLINE)
    await desk.disconnect("ann", "tomorrow")
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ("ann",)


@pytest.mark.req("KS-18")
async def test_going_offline_and_back_in_the_same_browser_keeps_its_grace(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.status("ann", OFFLINE)
    await desk.status("ann", ONLINE)
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ("ann",)


@pytest.mark.req("KS-18")
async def test_somebody_who_chose_offline_is_never_counted_offline(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.disconnect("ann", "ann-web")
    await desk.status("ann", OFFLINE)
    desk.later(MINUTE_MS)
    due = await desk.expire()
    assert (due.counted_offline, due.requeue) == ((), ())


@pytest.mark.req("KS-18")
async def test_a_manager_sets_an_absent_agent_to_work_and_the_grace_starts_anew(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    await desk.expire()
    await desk.status("ann", PAUSED)
    state = await desk.agent("ann")
    assert (state.counted_offline, state.availability) == (False, Reason.PAUSED)
    desk.later(MINUTE_MS)
    assert (await desk.expire()).counted_offline == ("ann",)


@pytest.mark.req("KS-18", "KS-09")
async def test_being_counted_offline_opens_the_pool_of_the_group(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]})
    await desk.hire("ann", "post", capacity=1)
    await desk.hire("bob", "pre")
    await desk.asks("c1", state="trade_done")
    await desk.asks("c2", state="trade_done")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    due = await desk.expire()
    assert due.counted_offline == ("ann",)
    assert [(one.conversation, one.owner, one.reason) for one in due.decisions] == [
        ("c2", "bob", Reason.OVERFLOW)
    ]
    assert await desk.owner("c1") == "ann", "what she had in hand stays hers"


@pytest.mark.req("KS-18")
async def test_what_an_absent_agent_has_in_hand_is_reported_once_after_requeue_after(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    for name in ("c2", "c1", "ended"):
        await desk.asks(name)
    await desk.end("ended", wrap_up_ms=60 * MINUTE_MS)
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    await desk.expire()
    desk.later(10 * MINUTE_MS - 1)
    assert (await desk.expire()).requeue == ()
    desk.later(1)
    assert (await desk.expire()).requeue == (("ann", ("c1", "c2")),)
    assert (await desk.expire()).requeue == ()


@pytest.mark.req("KS-18")
async def test_coming_back_in_time_keeps_everything(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    await desk.expire()
    await desk.connect("ann", "again")
    state = await desk.agent("ann")
    assert (state.connected, state.counted_offline, state.availability) == (True, False, Reason.HAS_ROOM)
    desk.later(60 * MINUTE_MS)
    assert (await desk.expire()).requeue == ()


@pytest.mark.req("KS-18", "KS-19", "KS-11")
async def test_coming_back_drains_the_queue_at_once(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.disconnect("ann", "ann-web")
    desk.later(MINUTE_MS)
    await desk.expire()
    assert (await desk.asks("c1")).owner is None
    assert receivers(await desk.connect("ann", "again")) == [("c1", "ann")]


@pytest.mark.req("KS-18")
async def test_giving_back_to_the_queue_keeps_the_original_age(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.asks("first")
    arrived = desk.now
    desk.later(1)
    await desk.asks("second")
    await desk.status("ann", OFFLINE)
    (given_back,) = await desk.requeue("first", by="ann")
    assert (given_back.arrived_ms, given_back.place, given_back.previous_owner) == (arrived, 1, "ann")
    assert await desk.queue() == ["first", "second"]


@pytest.mark.req("KS-18")
async def test_status_of_somebody_unknown_is_refused(desk: Desk) -> None:
    await desk.open()
    verb = desk.engine.set_status("ghost", ONLINE, **desk.stamp())  # pyright: ignore[reportArgumentType]
    assert await desk.refused(verb) is Refusal.UNKNOWN_AGENT


@pytest.mark.req("KS-18")
async def test_status_since_moves_only_with_the_status(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    came = desk.now
    desk.later(5)
    await desk.status("ann", ONLINE)
    assert (await desk.agent("ann")).status_since_ms == came
    await desk.status("ann", PAUSED)
    assert (await desk.agent("ann")).status_since_ms == desk.now
