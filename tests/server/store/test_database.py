"""The pool: deadlines that hold, transactions that end."""

import asyncio
import time

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.store.database import Database
from tests.server.store.world import World


async def slow_database(url: str, deadline_s: float = 0.3, pool_max: int = 2) -> Database:
    database = Database(url, pool_max=pool_max, deadline_s=deadline_s)
    await database.open()
    return database


async def test_a_read_that_takes_too_long_is_refused_in_time(migrated_database_url: str) -> None:
    db = await slow_database(migrated_database_url)
    started = time.monotonic()
    with pytest.raises(RequestError) as refused:
        await db.fetch("SELECT pg_sleep(5)")
    assert (refused.value.code, refused.value.reason) == (ErrorCode.UNAVAILABLE, "database_slow")
    assert time.monotonic() - started < 4
    await db.ping()
    await db.aclose()


async def test_an_exhausted_pool_is_answered_for_and_recovers(migrated_database_url: str) -> None:
    db = await slow_database(migrated_database_url)
    started = time.monotonic()
    answers = await asyncio.gather(
        *(db.fetch("SELECT pg_sleep(5)") for _ in range(20)), return_exceptions=True
    )
    assert time.monotonic() - started < 4
    assert {type(answer) for answer in answers} == {RequestError}
    await asyncio.gather(*(db.ping() for _ in range(20)))
    await db.aclose()


async def test_a_transaction_has_one_deadline_for_all_of_it(world: World, migrated_database_url: str) -> None:
    db = await slow_database(migrated_database_url)

    async def many_short_statements() -> None:
        async with db.transaction() as transaction:
            await transaction.execute("UPDATE shops SET name = 'changed' WHERE id = $1", world.shop)
            for _ in range(100):
                await transaction.fetch("SELECT pg_sleep(0.02)")

    with pytest.raises(RequestError) as refused:
        await many_short_statements()
    assert (refused.value.code, refused.value.reason) == (ErrorCode.UNAVAILABLE, "database_slow")
    row = await db.fetchrow("SELECT name FROM shops WHERE id = $1", world.shop)
    assert row is not None
    assert row["name"] == "Shop"
    await db.aclose()


async def test_an_exception_rolls_back_and_the_connection_is_used_again(
    world: World, migrated_database_url: str
) -> None:
    db = await slow_database(migrated_database_url, deadline_s=5, pool_max=1)
    before = await db.fetchrow("SELECT pg_backend_pid() AS pid")

    async def fails_halfway() -> None:
        async with db.transaction() as transaction:
            await transaction.execute("UPDATE shops SET name = 'changed' WHERE id = $1", world.shop)
            raise LookupError

    with pytest.raises(LookupError):
        await fails_halfway()
    after = await db.fetchrow("SELECT pg_backend_pid() AS pid, name FROM shops WHERE id = $1", world.shop)
    assert before is not None
    assert after is not None
    assert (after["name"], after["pid"]) == ("Shop", before["pid"])
    await db.aclose()


async def test_a_cancelled_transaction_commits_nothing_and_returns_its_place(
    world: World, migrated_database_url: str
) -> None:
    db = await slow_database(migrated_database_url, deadline_s=5, pool_max=1)
    inside = asyncio.Event()

    async def work() -> None:
        async with db.transaction() as transaction:
            await transaction.execute("UPDATE shops SET name = 'changed' WHERE id = $1", world.shop)
            inside.set()
            await transaction.fetch("SELECT pg_sleep(60)")

    task = asyncio.create_task(work())
    await inside.wait()
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    row = await db.fetchrow("SELECT name FROM shops WHERE id = $1", world.shop)
    assert row is not None
    assert row["name"] == "Shop"
    assert time.monotonic() - started < 2
    await db.aclose()


async def test_a_cancelled_caller_leaves_the_call_to_end_by_itself(migrated_database_url: str) -> None:
    db = await slow_database(migrated_database_url, deadline_s=5, pool_max=1)
    task = asyncio.create_task(db.fetch("SELECT pg_sleep(0.2)"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await db.ping()
    await db.aclose()


async def test_without_a_server_the_pool_opens_and_calls_are_refused() -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/none", deadline_s=1)
    await db.open()
    with pytest.raises(RequestError) as refused:
        await db.ping()
    assert (refused.value.code, refused.value.reason) == (ErrorCode.UNAVAILABLE, "database_down")

    async def begin() -> None:
        async with db.transaction():
            raise AssertionError("there is nothing to begin")

    with pytest.raises(RequestError) as refused:
        await begin()
    assert refused.value.reason == "database_down"
    await db.aclose()


async def test_times_and_ids_travel_as_plain_values(db: Database) -> None:
    row = await db.fetchrow(
        "SELECT $1::timestamptz AS at, $2::uuid AS id, $3::jsonb AS body, NULL::timestamptz AS never",
        1_795_000_000_123,
        "not an id",
        {"a": [1, "二"]},
    )
    assert row is not None
    assert tuple(row.values()) == (
        1_795_000_000_123,
        "00000000-0000-0000-0000-000000000000",
        {"a": [1, "二"]},
        None,
    )
