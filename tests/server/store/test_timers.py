"""Durable deadlines: once, never early, on whichever node looks (CO-07)."""

import asyncio
import time
from collections import Counter

import pytest
import time_machine

from protocol.ids import new_id
from server.store.database import Database
from server.store.timers import Timer, Timers
from tests.server.store.world import World

KIND = "test"


async def clock(db: Database) -> int:
    """What time it is to the database."""
    row = await db.fetchrow("SELECT now() AS now")
    assert row is not None
    return int(row["now"])


async def taken(timers: Timers, *, limit: int = 100, **again: float) -> tuple[Timer, ...]:
    return await timers.take_due((KIND,), limit=limit, **again)


@pytest.fixture
def timers(db: Database) -> Timers:
    return Timers(db)


@pytest.mark.req("CO-07")
async def test_it_is_due_at_its_instant_and_not_before(world: World, timers: Timers) -> None:
    due_ms = await clock(world.db) + 250
    await timers.set(world.shop, KIND, new_id(), due_ms, {"what": 7})
    found: tuple[Timer, ...] = ()
    while not found:
        before_ms = await clock(world.db)
        found = await taken(timers)
        assert not found or await clock(world.db) >= due_ms, "never early"
        assert found or before_ms < due_ms + 200, "nor late"
    (timer,) = found
    assert timer.taken_ms >= timer.due_ms == due_ms
    assert (timer.payload, timer.tries) == ({"what": 7}, 1)


@pytest.mark.req("CO-07")
async def test_what_is_done_is_never_due_again(world: World, timers: Timers) -> None:
    await timers.set(world.shop, KIND, new_id(), 0)
    (timer,) = await taken(timers, again_s=0)
    assert await timers.done(timer)
    assert await taken(timers) == ()


@pytest.mark.req("CO-07")
async def test_whoever_takes_it_and_dies_leaves_it_to_the_others(world: World, timers: Timers) -> None:
    await timers.set(world.shop, KIND, new_id(), 0)
    (lost,) = await taken(timers, again_s=0.2)
    assert await taken(timers) == (), "it has its time first"
    deadline = time.monotonic() + 5
    while not (again := await taken(timers)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert (again[0].id, again[0].tries) == (lost.id, 2)
    assert not await timers.done(lost), "it is the other's now"
    assert await timers.done(again[0])


@pytest.mark.req("CO-07")
async def test_two_nodes_that_look_at_once_share_what_is_due(
    world: World, migrated_database_url: str
) -> None:
    subjects = [new_id() for _ in range(300)]
    first, second = Database(migrated_database_url), Database(migrated_database_url)
    await first.open()
    await second.open()
    try:
        nodes = [Timers(first), Timers(second)]
        await asyncio.gather(*(nodes[0].set(world.shop, KIND, subject, 0) for subject in subjects))
        fired: Counter[str] = Counter()

        async def look(timers: Timers) -> None:
            while due := await taken(timers, limit=7):
                for timer in due:
                    fired[timer.subject_id] += 1
                    assert await timers.done(timer)

        await asyncio.gather(*(look(timers) for timers in nodes * 4))
    finally:
        await first.aclose()
        await second.aclose()
    assert fired == Counter(subjects), "each exactly once"


@pytest.mark.req("CO-07")
async def test_one_that_was_set_outlives_the_node(world: World, migrated_database_url: str) -> None:
    before = Database(migrated_database_url)
    await before.open()
    await Timers(before).set(world.shop, KIND, new_id(), 0)
    await before.aclose()
    assert len(await taken(Timers(world.db))) == 1


@pytest.mark.req("CO-07")
@pytest.mark.parametrize("off_s", [-3600, 3600], ids=["an-hour-behind", "an-hour-ahead"])
async def test_the_nodes_own_clock_does_not_matter(world: World, timers: Timers, off_s: int) -> None:
    now_ms = await clock(world.db)
    await timers.set(world.shop, KIND, new_id(), now_ms - 1)
    await timers.set(world.shop, KIND, new_id(), now_ms + 60_000)
    with time_machine.travel(time.time() + off_s, tick=True):
        (timer,) = await taken(timers)
    assert timer.due_ms == now_ms - 1


@pytest.mark.req("CO-07")
async def test_set_anew_it_is_due_at_the_new_instant_only(world: World, timers: Timers) -> None:
    subject = new_id()
    await timers.set(world.shop, KIND, subject, 0)
    await timers.set(world.shop, KIND, subject, await clock(world.db) + 60_000)
    assert await taken(timers) == ()


@pytest.mark.req("CO-07")
async def test_set_anew_while_it_is_carried_out_it_stays(world: World, timers: Timers) -> None:
    subject = new_id()
    await timers.set(world.shop, KIND, subject, 0)
    (timer,) = await taken(timers)
    await timers.set(world.shop, KIND, subject, 1)
    assert not await timers.done(timer)
    assert [each.due_ms for each in await taken(timers)] == [1]


@pytest.mark.req("CO-07")
async def test_cancelled_it_is_not_due(world: World, timers: Timers) -> None:
    subject = new_id()
    await timers.set(world.shop, KIND, subject, 0)
    assert await timers.cancel(KIND, subject)
    assert await taken(timers) == ()
    assert not await timers.cancel(KIND, subject)


@pytest.mark.req("CO-07")
async def test_a_node_takes_only_what_it_knows(world: World, timers: Timers) -> None:
    await timers.set(world.shop, "of a later version", new_id(), 0)
    assert await taken(timers) == ()


@pytest.mark.req("CO-07")
async def test_looking_reads_the_index_not_the_table(world: World, timers: Timers) -> None:
    await world.db.execute(
        "INSERT INTO timers (shop_id, kind, subject_id, due_at, take_at, payload)"
        " SELECT $1, $2, gen_random_uuid(), t, t, '{}' FROM (SELECT now() + interval '1 hour' AS t) t,"
        " generate_series(1, 20000)",
        world.shop,
        KIND,
    )
    await world.db.execute("ANALYZE timers")
    plan = await world.db.fetch(
        "EXPLAIN SELECT id FROM timers WHERE take_at <= now() AND kind = ANY ($1) ORDER BY take_at LIMIT 100",
        [KIND],
    )
    assert any("timers_due" in row[0] for row in plan), plan
