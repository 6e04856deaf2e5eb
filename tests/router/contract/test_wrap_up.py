"""From the agent's end to the close, and back (KS-20)."""

from collections.abc import Awaitable

import pytest

from protocol.codes import Reason
from protocol.ids import ConversationId
from protocol.states import Life
from router.model import Change, Refusal
from tests.router.desk import MINUTE_MS, OFFLINE, Desk, receivers


@pytest.mark.req("KS-20", "KS-22")
async def test_wrap_up_holds_the_slot_until_it_closes_by_itself(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.asks("c1")
    (ended,) = await desk.end("c1", by="ann")
    until = desk.now + 20 * MINUTE_MS
    assert (ended.change, ended.wrap_up_until_ms, ended.owner) == (Change.ENDED, until, "ann")
    (slot,) = await desk.slots("ann")
    assert (slot.why, slot.until_ms, slot.reason) == ("wrap_up", until, Reason.ANY_ONLINE)
    await desk.asks("c2")
    desk.later(20 * MINUTE_MS - 1)
    assert (await desk.expire()).decisions == (), "never early"
    desk.later(1)
    due = await desk.expire()
    assert [(one.conversation, one.change) for one in due.decisions] == [
        ("c1", Change.CLOSED),
        ("c2", Change.ASSIGNED),
    ]
    assert due.decisions[0].reason is None


@pytest.mark.req("KS-20")
async def test_a_setting_frees_the_slot_at_once(desk: Desk) -> None:
    await desk.open(wrap_up_holds_slot=False)
    await desk.hire("ann", capacity=1)
    await desk.asks("c1")
    await desk.asks("c2")
    made = await desk.end("c1")
    assert receivers(made) == [("c1", "ann"), ("c2", "ann")]
    assert await desk.loads() == {"ann": 1}


@pytest.mark.req("KS-20")
async def test_whether_the_slot_is_held_is_settled_when_it_ends(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.asks("c1")
    await desk.end("c1")
    await desk.change_settings(wrap_up_holds_slot=False)
    assert await desk.loads() == {"ann": 1}


@pytest.mark.req("KS-20")
async def test_without_a_length_it_closes_at_once(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.asks("c1")
    await desk.asks("c2")
    made = await desk.end("c1", wrap_up_ms=0, by="ann")
    assert [(one.conversation, one.change, one.owner) for one in made] == [
        ("c1", Change.CLOSED, "ann"),
        ("c2", Change.ASSIGNED, "ann"),
    ]
    assert await desk.engine.conversation(ConversationId("c1")) is None


@pytest.mark.req("KS-20")
async def test_the_customer_writes_and_is_back_with_the_same_agent_without_routing(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.hire("bob")
    epoch = (await desk.asks("c1")).epoch
    await desk.end("c1")
    await desk.status("ann", OFFLINE)
    (back,) = await desk.reopen("c1")
    assert (back.change, back.owner, back.epoch, back.reason) == (
        Change.REOPENED,
        "ann",
        epoch,
        Reason.REOPENED,
    )
    (slot,) = await desk.slots("ann")
    assert (slot.why, slot.until_ms, slot.reason) == ("in_service", None, Reason.ANY_ONLINE)
    desk.later(60 * MINUTE_MS)
    assert (await desk.expire()).decisions == ()
    assert (await desk.agent("ann")).received_today == 1, "coming back is no new receipt"


@pytest.mark.req("KS-20")
async def test_coming_back_takes_a_slot_even_above_capacity(desk: Desk) -> None:
    await desk.open(wrap_up_holds_slot=False)
    await desk.hire("ann", capacity=1)
    await desk.asks("c1")
    await desk.end("c1")
    await desk.asks("c2")
    desk.later(5)
    await desk.reopen("c1")
    first, second = await desk.slots("ann")
    assert (first.conversation, first.over_capacity) == ("c2", False)
    assert (second.conversation, second.over_capacity, second.reason) == ("c1", True, Reason.REOPENED)
    assert second.since_ms == desk.now


@pytest.mark.req("KS-20")
async def test_after_closing_it_is_a_new_conversation_and_is_routed(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    first = await desk.asks("c1")
    await desk.end("c1", wrap_up_ms=0)
    closed = (await desk.engine.unconfirmed(0, now_ms=desk.now))[-1]
    again = await desk.asks("c1", epoch=closed.epoch, rev=closed.rev)
    assert (again.epoch, again.rev) == (first.epoch + 1, first.rev + 2)


@pytest.mark.req("KS-20")
async def test_a_customer_who_leaves_the_queue_is_forgotten(desk: Desk) -> None:
    await desk.open()
    await desk.asks("c1")
    (closed,) = await desk.close("c1")
    assert (closed.change, closed.owner) == (Change.CLOSED, None)
    assert await desk.queue() == []


@pytest.mark.req("KS-20")
async def test_a_few_at_a_time_fall_due_in_their_order(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    for number, minutes in ((1, 3), (2, 1), (3, 2)):
        await desk.asks(f"c{number}")
        await desk.end(f"c{number}", wrap_up_ms=minutes * MINUTE_MS)
    desk.later(5 * MINUTE_MS)
    due = await desk.expire(limit=2)
    assert ([one.conversation for one in due.decisions], due.more) == (["c2", "c3"], True)
    due = await desk.expire(limit=2)
    assert ([one.conversation for one in due.decisions], due.more) == (["c1"], False)


@pytest.mark.req("KS-20")
async def test_what_cannot_end_or_come_back(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    epoch = (await desk.asks("c1")).epoch

    def end(name: str, expected: int | None = None) -> Awaitable[Refusal]:
        verb = desk.engine.end(ConversationId(name), wrap_up_ms=1, expected_epoch=expected, **desk.stamp())
        return desk.refused(verb)

    def reopen(name: str) -> Awaitable[Refusal]:
        return desk.refused(desk.engine.reopen(ConversationId(name), **desk.stamp()))

    assert await end("nothing") is Refusal.UNKNOWN_CONVERSATION
    assert await end("c1", epoch + 1) is Refusal.STALE_EPOCH
    assert await reopen("nothing") is Refusal.UNKNOWN_CONVERSATION
    assert await reopen("c1") is Refusal.NOT_IN_WRAP_UP
    await desk.end("c1")
    assert await end("c1") is Refusal.NOT_ACTIVE
    nothing = desk.engine.close(ConversationId("nothing"), **desk.stamp())
    assert await desk.refused(nothing) is Refusal.UNKNOWN_CONVERSATION


@pytest.mark.req("KS-20", "KS-21")
async def test_wrap_up_of_a_removed_agent_closes_normally(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    await desk.end("c1")
    await desk.fire("ann")
    desk.later(20 * MINUTE_MS)
    assert [one.change for one in (await desk.expire()).decisions] == [Change.CLOSED]


@pytest.mark.req("KS-14")
@pytest.mark.parametrize(
    ("expected", "refusal"),
    [
        (Life.QUEUED, Refusal.NOT_WAITING),
        (Life.ACTIVE, Refusal.NOT_ACTIVE),
        (Life.WRAP_UP, Refusal.NOT_IN_WRAP_UP),
    ],
)
async def test_what_is_no_longer_as_expected_is_not_closed(
    desk: Desk, expected: Life, refusal: Refusal
) -> None:
    await desk.open()
    await desk.asks("c1")
    if expected is not Life.ACTIVE:
        await desk.hire("ann")  # who takes it at once
    before = await desk.engine.snapshot()
    close = desk.engine.close(ConversationId("c1"), expected=expected, **desk.stamp())
    assert await desk.refused(close) is refusal
    assert await desk.engine.snapshot() == before


@pytest.mark.req("KS-14")
async def test_what_is_as_expected_is_closed(desk: Desk) -> None:
    await desk.open()
    await desk.asks("c1")
    close = desk.engine.close(ConversationId("c1"), expected=Life.QUEUED, **desk.stamp())
    (closed,) = await desk.act(close)
    assert closed.change is Change.CLOSED
