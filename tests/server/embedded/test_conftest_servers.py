"""The shared fixtures: every test gets servers with nothing in them, at the price of some milliseconds."""

from __future__ import annotations

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.live_servers import LivePostgres


@pytest.mark.parametrize("round_", [1, 2])
async def test_each_test_has_an_empty_database(database_url: str, round_: int) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE mine (round int)")
        await connection.execute("INSERT INTO mine VALUES ($1)", round_)
        assert await connection.fetchval("SELECT count(*) FROM mine") == 1
    finally:
        await connection.close()


@pytest.mark.parametrize("round_", [1, 2])
async def test_each_test_has_an_empty_redis(redis_url: str, round_: int) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("round", round_)


def test_a_synchronous_test_gets_the_same(database_url: str, redis_url: str) -> None:
    assert database_url.startswith("postgresql://")
    assert redis_url.startswith("redis://")


def test_a_template_is_filled_once_and_its_copies_are_separate(postgres: LivePostgres) -> None:
    fillings: list[str] = []

    async def fill(url: str) -> None:
        fillings.append(url)
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE word (text text)")
        await connection.close()

    async def add_word(url: str) -> int:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("INSERT INTO word VALUES ('hello')")
            return await connection.fetchval("SELECT count(*) FROM word")
        finally:
            await connection.close()

    first = postgres.create(postgres.template("words", fill))
    second = postgres.create(postgres.template("words", fill))
    assert postgres.run(add_word(first)) == 1
    assert postgres.run(add_word(second)) == 1
    assert len(fillings) == 1
    postgres.drop(first)
    postgres.drop(second)


def test_what_is_given_back_is_as_new_for_the_next_test(postgres: LivePostgres) -> None:
    async def fill(url: str) -> None:
        await _run(
            url, "CREATE TABLE mark (at int); INSERT INTO mark VALUES (7); CREATE TABLE line (n serial)"
        )

    first = postgres.borrow(postgres.template("borrowed", fill))
    postgres.run(_run(first, "UPDATE mark SET at = 9; INSERT INTO line DEFAULT VALUES"))
    left_open = postgres.run(asyncpg.connect(first))
    postgres.give_back(first)

    second = postgres.borrow(postgres.template("borrowed", fill))
    assert second == first
    assert postgres.run(_run(second, "INSERT INTO line DEFAULT VALUES RETURNING n")) == [(1,)]
    assert postgres.run(_run(second, "SELECT at FROM mark")) == [(7,)]
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        postgres.run(left_open.fetch("SELECT 1"))

    postgres.run(_run(second, "ALTER TABLE line ADD COLUMN more int"))
    postgres.give_back(second)
    assert postgres.borrow(postgres.template("borrowed", fill)) != second, "its schema was changed"


async def _run(url: str, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        if ";" in sql:
            await connection.execute(sql)
            return []
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()
