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
