"""What walls ask the database (CO-09), and what they must not cost: updates of conversations stay in place."""

from __future__ import annotations

import pytest

from protocol.ids import ConversationId
from server.store.database import Database
from server.store.log import Log
from server.store.wall import WallReads
from tests.server.store.world import World

CHANGED_BY_MESSAGES = (
    "rev",
    "head_seq",
    "customer_head_seq",
    "waiting_since",
    "last_contact_at",
    "last_agent_id",
)


@pytest.fixture
def reads(db: Database) -> WallReads:
    return WallReads(db)


async def served(world: World, log: Log, number: int, *, waits: bool) -> ConversationId:
    """One more customer's conversation with Ann, who has answered unless the customer waits."""
    customer = await world.customer()
    talk = (await world.open(customer)).id
    await world.assign(log, world.ann, rev=number, conversation=talk)
    await log.append(world.entry(by=customer, to=talk))
    if not waits:
        await log.append(world.entry(by=world.ann, to=talk))
    return talk


@pytest.mark.req("CO-09")
async def test_the_longest_unanswered_come_first_and_all_are_counted(
    world: World, log: Log, reads: WallReads
) -> None:
    waiting = [await served(world, log, number, waits=True) for number in (1, 2, 3)]
    await served(world, log, 4, waits=False)

    held = await reads.held(world.shop, None, most=2)

    assert [row.id for row in held.unanswered] == waiting[:2]
    assert (held.in_service, held.wrap_up) == (4, 0)
    assert held.unanswered[0].owner_id == world.ann


@pytest.mark.req("CO-09", "GP-02")
async def test_only_what_these_owners_hold_is_looked_at(world: World, log: Log, reads: WallReads) -> None:
    await served(world, log, 1, waits=True)

    held = await reads.held(world.shop, (world.bob,), most=2)

    assert (held.in_service, held.wrap_up, held.unanswered) == (0, 0, ())


@pytest.mark.req("CO-09")
async def test_nothing_in_hand_is_no_row_and_no_error(world: World, reads: WallReads) -> None:
    held = await reads.held(world.shop, None, most=2)

    assert (held.in_service, held.wrap_up, held.unanswered) == (0, 0, ())
    assert await reads.waiting(world.shop, (), most=2) == ()


@pytest.mark.req("CO-09")
async def test_no_index_holds_what_every_message_changes(db: Database, world: World) -> None:
    """Or PostgreSQL would write a new entry into every index of the table for every message."""
    rows = await db.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'conversations'")

    indexed = [
        (column, row["indexdef"])
        for row in rows
        for column in CHANGED_BY_MESSAGES
        if column in row["indexdef"].replace("(", " ").replace(")", " ").replace(",", " ").split()
    ]
    assert indexed == []
    assert len(rows) > 5
