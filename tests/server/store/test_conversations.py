"""Conversations: opening, marks, ratings, detaching, and what a rebuild reads."""

import asyncio

import pytest

from protocol.codes import ErrorCode, Reason
from protocol.errors import RequestError
from protocol.ids import ConversationId, CustomerId, new_id
from protocol.states import Life
from router.model import Change, Contact, ConversationState
from server.store.conversations import Conversations
from server.store.database import Database
from server.store.log import Log
from server.store.rows import ConversationRow, Side
from tests.server.store.world import World


@pytest.fixture
def conversations(db: Database) -> Conversations:
    return Conversations(db)


async def test_opening_twenty_times_at_once_opens_one(world: World, conversations: Conversations) -> None:
    customer = await world.customer()
    opened = await asyncio.gather(
        *(
            conversations.open(world.shop, customer, ConversationId(new_id()), order_state="after_sale")
            for _ in range(20)
        )
    )
    assert len({each.conversation.id for each in opened}) == 1
    assert sum(each.created for each in opened) == 1
    row = opened[0].conversation
    assert (row.state, row.live_rev, row.head_seq, row.order_state) == (Life.QUEUED, 0, 0, "after_sale")
    assert row.opened_ms == row.arrived_ms


async def test_after_closing_a_new_one_is_opened(world: World, log: Log) -> None:
    await world.close(log)
    assert (await world.open(world.cara)).id != world.talk


@pytest.mark.req("KS-01", "KS-08")
async def test_opening_tells_the_last_contact_over_all_conversations(
    world: World, log: Log, conversations: Conversations
) -> None:
    await world.assign(log, world.ann)
    answer = await log.append(world.entry("hello", by=world.ann))
    await world.close(log)
    opened = await conversations.open(
        world.shop, world.cara, ConversationId(new_id()), order_state="trade_done"
    )
    assert opened.last_contact == Contact(world.ann, answer.created_ms)
    assert opened.customer.id == world.cara


async def test_a_customer_who_does_not_exist_opens_nothing(
    world: World, conversations: Conversations
) -> None:
    other = await World.make(world.db)
    for stranger in (CustomerId(new_id()), other.cara, CustomerId("nobody")):
        with pytest.raises(RequestError) as refused:
            await conversations.open(world.shop, stranger, ConversationId(new_id()), order_state="trade_done")
        assert refused.value.reason == "customer_not_found"


@pytest.mark.req("I5")
async def test_a_conversation_is_found_by_its_own_shop_and_customer_only(
    world: World, conversations: Conversations
) -> None:
    other = await World.make(world.db)
    assert (await conversations.get(world.shop, world.talk)).id == world.talk
    with pytest.raises(RequestError):
        await conversations.get(other.shop, world.talk)
    with pytest.raises(RequestError):
        await conversations.get_for_customer(world.shop, other.cara, world.talk)
    ids = (world.talk, other.talk, ConversationId("made up"))
    assert [row.id for row in await conversations.of_ids(world.shop, ids)] == [world.talk]


async def test_read_marks_only_advance_and_never_beyond_the_head(
    world: World, log: Log, conversations: Conversations
) -> None:
    for _ in range(3):
        await log.append(world.entry())
        await log.append(world.entry(by=world.ann, visibility="internal", must_own=False))

    async def mark(side: Side, seq: int) -> tuple[ConversationRow, bool, bool]:
        done = await conversations.mark_read(world.shop, world.talk, side, seq)
        return done.conversation, done.moved, done.for_customer

    row, *moved = await mark("staff", 4)
    assert (row.staff_read_seq, row.customer_read_seq, moved) == (4, 0, [True, True])
    row, *moved = await mark("staff", 2)
    assert (row.staff_read_seq, moved) == (4, [False, False])
    row, *moved = await mark("customer", 99)
    assert (row.customer_read_seq, row.staff_read_seq, moved) == (3, 4, [True, True])
    again, *moved = await mark("customer", 99)
    assert (again.rev, again.customer_rev, moved) == (row.rev, row.customer_rev, [False, False])


@pytest.mark.req("CO-05")
async def test_reading_a_note_moves_nothing_for_the_customer(
    world: World, log: Log, conversations: Conversations
) -> None:
    await log.append(world.entry())
    await log.append(world.entry(by=world.ann, visibility="internal", must_own=False))
    first = (await conversations.mark_read(world.shop, world.talk, "staff", 1)).conversation
    done = await conversations.mark_read(world.shop, world.talk, "staff", 2)
    assert (done.moved, done.for_customer) == (True, False)
    assert done.conversation.rev == first.rev + 1
    assert done.conversation.customer_rev == first.customer_rev


async def test_each_side_s_mark_is_known_in_the_other_s_numbering(
    world: World, log: Log, conversations: Conversations
) -> None:
    for words in ("c1", "note", "c2"):
        internal = words == "note"
        await log.append(
            world.entry(words, by=world.ann, visibility="internal", must_own=False)
            if internal
            else world.entry(words)
        )
    row = (await conversations.mark_read(world.shop, world.talk, "customer", 2)).conversation
    assert (row.customer_read_seq, row.customer_read_log_seq) == (2, 3)
    row = (await conversations.mark_read(world.shop, world.talk, "staff", 2)).conversation
    assert (row.staff_read_seq, row.staff_read_customer_seq) == (2, 1)


async def test_a_rating_is_the_customer_s_and_comes_at_the_end(
    world: World, log: Log, conversations: Conversations
) -> None:
    with pytest.raises(RequestError) as early:
        await conversations.rate(world.shop, world.cara, world.talk, 5, "fine")
    assert early.value.code is ErrorCode.INVALID_STATE
    await world.close(log)
    with pytest.raises(RequestError) as stranger:
        await conversations.rate(world.shop, await world.customer(), world.talk, 1, "")
    assert stranger.value.code is ErrorCode.NOT_FOUND
    row = await conversations.rate(world.shop, world.cara, world.talk, 5, "fine")
    assert (row.rating, row.rating_comment) == (5, "fine")
    again = await conversations.rate(
        world.shop, world.cara, world.talk, 2, "", reasons=("slow",), correct_s=60
    )
    assert (again.rating, again.rating_reasons, again.rated_ms) == (2, ("slow",), row.rated_ms)
    with pytest.raises(RequestError) as late:
        await conversations.rate(world.shop, world.cara, world.talk, 5, "", correct_s=0)
    assert late.value.reason == "rated_already"


@pytest.mark.req("KS-18")
async def test_detaching_lasts_until_the_next_decision(
    world: World, log: Log, conversations: Conversations
) -> None:
    await world.assign(log, world.ann)
    row, moved = await conversations.detach(world.shop, world.talk, world.bob)
    assert (row.detached_ms, moved) == (None, False)
    row, moved = await conversations.detach(world.shop, world.talk, world.ann)
    assert (row.detached_ms is not None, moved) == (True, True)
    _, moved = await conversations.detach(world.shop, world.talk, world.ann)
    assert moved is False
    assert (await world.assign(log, world.bob, rev=2)).conversation.detached_ms is None


async def test_a_rebuild_reads_every_routed_open_conversation_once(
    world: World, log: Log, conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.conversations.LIVE_PART", 2)
    expected = set()
    for n in range(5):
        row = await world.open(await world.customer())
        await world.assign(log, world.ann, rev=n + 1, conversation=row.id)
        expected.add(row.id)
    closed = await world.open(await world.customer())
    await world.assign(log, world.ann, conversation=closed.id)
    await log.append(world.decided(world.decision(2, Change.CLOSED, conversation=closed.id)))
    parts = [part async for part in conversations.live(world.shop)]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert {state.conversation for part in parts for state in part} == expected


async def test_a_rebuilt_conversation_says_what_the_engine_must_know(
    world: World, log: Log, conversations: Conversations
) -> None:
    await world.assign(log, world.ann, rev=3, reason=Reason.LAST_AGENT, arrived_ms=1_794_000_000_000)
    await log.append(
        world.decided(
            world.decision(
                4,
                Change.ENDED,
                world.ann,
                epoch=3,
                arrived_ms=1_794_000_000_000,
                wrap_up_until_ms=1_796_000_000_000,
            )
        )
    )
    ((state,),) = [part async for part in conversations.live(world.shop)]
    assert state == ConversationState(
        conversation=world.talk,
        life=Life.WRAP_UP,
        owner=world.ann,
        epoch=3,
        rev=4,
        priority=1,
        arrived_ms=1_794_000_000_000,
        pool=None,
        wrap_up_until_ms=1_796_000_000_000,
        reason=Reason.LAST_AGENT,
    )


async def test_what_nobody_routed_is_found_when_it_is_old_enough(
    world: World, log: Log, conversations: Conversations
) -> None:
    assert [row.id for row in await conversations.unrouted(world.shop, older_than_ms=0)] == [world.talk]
    assert await conversations.unrouted(world.shop, older_than_ms=60_000) == ()
    await world.assign(log, world.ann)
    assert await conversations.unrouted(world.shop, older_than_ms=0) == ()
