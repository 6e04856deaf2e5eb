"""Decisions in the log: fenced by their revision, the same whatever their order (I3, fault 11)."""

import asyncio
import itertools
from typing import Any

import pytest

from protocol.codes import Reason
from protocol.states import Life
from router.model import PRIORITY, Change, Tried
from server.store.conversations import Conversations
from server.store.decisions import Decisions
from server.store.log import Log
from server.store.rows import ConversationRow
from tests.server.store.world import World

pytestmark = pytest.mark.req("I3")


def story(world: World) -> list[Any]:
    """Waits, goes to the bot, is handed over, goes to ann over her head, ends."""
    return [
        world.decision(
            1, Change.QUEUED, pool="default", place=3, priority=PRIORITY, arrived_ms=1_794_000_000_000
        ),
        world.decision(2, Change.ASSIGNED, world.robo, reason=Reason.BOT, arrived_ms=1_794_000_000_000),
        world.decision(
            3, Change.QUEUED, previous_owner=world.robo, pool="after_sale", arrived_ms=1_794_000_000_000
        ),
        world.decision(4, Change.ASSIGNED, world.ann, offline=True, arrived_ms=1_794_000_000_000),
        world.decision(
            5,
            Change.ENDED,
            world.ann,
            epoch=4,
            wrap_up_until_ms=1_795_000_900_000,
            arrived_ms=1_794_000_000_000,
        ),
    ]


def facts(row: ConversationRow) -> tuple[Any, ...]:
    return (
        row.state,
        row.owner_id,
        row.owner_kind,
        row.assign_epoch,
        row.live_rev,
        row.priority,
        row.pool,
        row.arrived_ms,
        row.assigned_ms,
        row.answers_later,
        row.wrap_up_until_ms,
        row.closed_ms,
        row.via_bot,
        row.last_owner_id,
        row.detached_ms,
    )


async def test_each_decision_shows_in_the_conversation(world: World, log: Log) -> None:
    waits, with_bot, waits_again, with_ann, ended = [
        (await log.append(world.decided(decision))).conversation for decision in story(world)
    ]
    assert (waits.state, waits.owner_id, waits.pool, waits.priority) == (
        Life.QUEUED,
        None,
        "default",
        PRIORITY,
    )
    assert (with_bot.state, with_bot.owner_id, with_bot.owner_kind) == (Life.ACTIVE, world.robo, "bot")
    assert (waits_again.state, waits_again.owner_kind, waits_again.via_bot) == (Life.QUEUED, None, True)
    assert (with_ann.owner_id, with_ann.owner_kind, with_ann.answers_later) == (world.ann, "agent", True)
    assert with_ann.assigned_ms == 1_795_000_004_000
    assert (ended.state, ended.wrap_up_until_ms, ended.last_owner_id) == (
        Life.WRAP_UP,
        1_795_000_900_000,
        world.ann,
    )
    assert ended == await world.now()
    assert [seq for seq, _ in await world.seqs(world.talk)] == [1, 2, 3, 4, 5]


async def test_in_every_order_the_end_is_the_same(world: World, log: Log) -> None:
    for decision in story(world):
        await log.append(world.decided(decision))
    expected = facts(await world.now())
    for order in itertools.permutations(range(5)):
        other = await World.make(world.db)
        decisions = story(other)
        for n in order:
            await log.append(other.decided(decisions[n]))
        found = facts(await other.now())
        same = {other.ann: world.ann, other.robo: world.robo}
        assert tuple(same.get(fact, fact) for fact in found) == expected, order


async def test_in_one_batch_the_end_is_the_same_too(world: World, log: Log) -> None:
    await asyncio.gather(*(log.append(world.decided(decision)) for decision in reversed(story(world))))
    row = await world.now()
    assert (row.state, row.owner_id, row.live_rev, row.head_seq) == (Life.WRAP_UP, world.ann, 5, 5)


async def test_an_older_decision_is_recorded_and_changes_nothing(world: World, log: Log) -> None:
    await world.assign(log, world.bob, rev=7)
    late = await world.assign(log, world.ann, rev=3)
    assert (late.duplicate, late.conversation.owner_id, late.conversation.assign_epoch) == (
        False,
        world.bob,
        7,
    )
    assert [d.rev for d in await Decisions(world.db).of_conversation(world.shop, world.talk)] == [3, 7]


async def test_the_same_decision_again_is_a_duplicate(world: World, log: Log) -> None:
    first = await world.assign(log, world.ann, rev=3)
    again = await world.assign(log, world.ann, rev=3)
    assert (again.seq, again.message_id, again.duplicate) == (first.seq, first.message_id, True)
    assert len(await Decisions(world.db).of_conversation(world.shop, world.talk)) == 1


@pytest.mark.req("KS-22")
async def test_a_decision_is_given_back_whole(world: World, log: Log) -> None:
    decision = world.decision(
        1,
        Change.QUEUED,
        previous_owner=world.bob,
        reason=Reason.QUEUE_POOL,
        pool="after_sale",
        priority=PRIORITY,
        arrived_ms=1_794_000_000_123,
        place=2,
        by=world.ann,
        tried=(
            Tried(Reason.LAST_AGENT, Reason.OFFLINE, agent=world.bob),
            Tried(Reason.QUEUE_POOL, Reason.TAKEN, pool="after_sale"),
        ),
    )
    await log.append(world.decided(decision))
    assert await Decisions(world.db).of_conversation(world.shop, world.talk) == (decision,)


@pytest.mark.req("KS-02")
async def test_what_each_was_given_since_then_is_remembered(world: World, log: Log) -> None:
    await world.assign(log, world.ann, rev=1, at_ms=1_000_000)
    await world.assign(log, world.ann, rev=2, at_ms=2_000_000)
    await world.assign(log, world.bob, rev=3, at_ms=3_000_000)
    remembered = await Conversations(world.db).remembered(world.shop, 2_000_000)
    assert list(remembered.received.items()) == [(world.ann, 1), (world.bob, 1)]
    assert remembered.since_ms == {world.talk: 3_000_000}


@pytest.mark.req("KS-01")
async def test_stickiness_remembers_the_last_human_who_wrote_publicly(world: World, log: Log) -> None:
    await world.assign(log, world.robo, rev=1)
    await log.append(world.entry("beep", by=world.robo))
    assert (await world.now()).last_agent_id is None
    await world.assign(log, world.ann, rev=2)
    answer = await log.append(world.entry("hello", by=world.ann))
    await log.append(world.entry("a note", by=world.bob, visibility="internal", must_own=False))
    row = await world.now()
    assert (row.last_agent_id, row.last_contact_ms) == (world.ann, answer.created_ms)


async def test_waiting_since_is_the_oldest_unanswered_message(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    first = await log.append(world.entry("anybody?"))
    second = await log.append(world.entry("hello?"))
    assert first.conversation.waiting_since_ms == second.conversation.waiting_since_ms == first.created_ms
    note = await log.append(world.entry("hm", by=world.ann, visibility="internal"))
    assert note.conversation.waiting_since_ms == first.created_ms
    answered = await log.append(world.entry("here I am", by=world.ann))
    assert answered.conversation.waiting_since_ms is None
    third = await log.append(world.entry("thanks"))
    assert third.conversation.waiting_since_ms == third.created_ms
