"""Jobs that give customers to somebody (GP-07): batches of several nodes never meet, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from protocol.ids import CustomerId
from server.store.customer_list import CustomersWanted, Sight, everybody, named
from server.store.customers import Customers
from server.store.database import Database
from server.store.reassignments import BATCH, CUSTOMERS_MOST, ReassignmentRow, Reassignments
from server.store.rows import CustomerRow
from tests.server.store.world import World

pytestmark = pytest.mark.req("GP-07")


async def everything_is_permitted(_customers: Sequence[CustomerRow]) -> Mapping[CustomerId, str]:
    return {}


@pytest.fixture
async def job(db: Database, world: World) -> ReassignmentRow:
    """Two batches and a bit, from nobody to ann."""
    await db.execute(
        "INSERT INTO customers (id, shop_id, anonymous) SELECT gen_random_uuid(), $1, true"
        " FROM generate_series(2, $2::int)",
        world.shop,
        2 * BATCH + 10,
    )
    found = everybody(world.shop, CustomersWanted(), Sight(), CUSTOMERS_MOST + 1)
    return await Reassignments(db).create(
        world.shop, by=world.bob, to=world.ann, reason="", actor={"kind": "account"}, customers=found
    )


async def given(db: Database, world: World) -> int:
    rows = await db.fetch("SELECT FROM customers WHERE shop_id = $1 AND owner_id = $2", world.shop, world.ann)
    return len(rows)


async def test_workers_at_once_take_different_customers_and_the_last_one_ends_the_job(
    db: Database, world: World, job: ReassignmentRow
) -> None:
    store = Reassignments(db)
    assert job.total == 2 * BATCH + 10
    together = asyncio.Barrier(3)

    async def waits_for_the_others(_customers: Sequence[CustomerRow]) -> Mapping[CustomerId, str]:
        await together.wait()
        return {}

    steps = await asyncio.gather(*(store.step(job, waits_for_the_others) for _ in range(3)))
    assert sorted(step.worked for step in steps) == [10, BATCH, BATCH]
    changed = [customer for step in steps for customer in step.changed]
    assert len(changed) == len(set(changed)) == job.total
    ended = await store.get(world.shop, job.id)
    assert (ended.state, ended.done, ended.refused) == ("done", job.total, 0)
    assert await given(db, world) == job.total
    assert await store.running() == ()


async def test_a_worker_that_dies_leaves_its_batch_whole_to_the_next(
    db: Database, world: World, job: ReassignmentRow
) -> None:
    store = Reassignments(db)
    begun = asyncio.Event()

    async def never(_customers: Sequence[CustomerRow]) -> Mapping[CustomerId, str]:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    dying = asyncio.create_task(store.step(job, never))
    await begun.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert await given(db, world) == 0

    while (await store.step(job, everything_is_permitted)).worked:
        pass
    ended = await store.get(world.shop, job.id)
    assert (ended.state, ended.done) == ("done", job.total)


async def test_what_is_refused_stays_and_is_told_with_why(db: Database, world: World) -> None:
    store = Reassignments(db)
    kept, taken = await world.customer(), await world.customer()
    stranger = "01930000-0000-7000-8000-000000000000"

    async def not_that_one(_customers: Sequence[CustomerRow]) -> Mapping[CustomerId, str]:
        return {kept: "out_of_scope"}

    job = await store.create(
        world.shop,
        by=world.bob,
        to=world.ann,
        reason="",
        actor={},
        customers=named([kept, taken, taken, stranger, "no id at all"]),
    )
    step = await store.step(job, not_that_one)
    assert step.changed == (taken,)
    assert (await Customers(db).get(world.shop, kept)).owner_id is None
    report = await store.refused(world.shop, job.id)
    assert {row.customer_id: row.why for row in report.rows} == {
        kept: "out_of_scope",
        stranger: "not_found",
        "00000000-0000-0000-0000-000000000000": "not_found",
    }


async def test_colleagues_revision_of_an_open_conversation_rises_and_the_customers_does_not(
    db: Database, world: World
) -> None:
    store = Reassignments(db)
    before = await world.now()
    job = await store.create(
        world.shop, by=world.bob, to=world.ann, reason="", actor={}, customers=named([world.cara])
    )
    (talk,) = (await store.step(job, everything_is_permitted)).talks
    assert (talk.id, talk.rev, talk.customer_rev) == (world.talk, before.rev + 1, before.customer_rev)

    again = await store.create(
        world.shop, by=world.bob, to=world.ann, reason="", actor={}, customers=named([world.cara])
    )
    assert (await store.step(again, everything_is_permitted)).talks == (), "it is so already"
