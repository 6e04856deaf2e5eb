"""What fault tests do to servers: kill them, freeze them, bring them back with their data or with none."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.embedded.postgres_process import PostgresProcess
from server.embedded.redis_process import RedisProcess


@pytest.mark.parametrize("empty", [False, True])
async def test_postgres_killed_and_restarted_at_the_same_url(
    own_postgres: PostgresProcess, empty: bool
) -> None:
    url, pid = own_postgres.url, own_postgres.pid
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (number int)")
    await own_postgres.kill()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.execute("INSERT INTO kept VALUES (1)")
    connection.terminate()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(url)

    await own_postgres.restart(empty=empty)

    assert own_postgres.url == url
    assert own_postgres.pid != pid
    connection = await asyncpg.connect(url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'kept'")
    await connection.close()
    assert tables == (0 if empty else 1)


async def test_postgres_frozen_answers_after_the_thaw(own_postgres: PostgresProcess) -> None:
    connection = await asyncpg.connect(own_postgres.url)
    own_postgres.freeze()
    answer = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait([answer], timeout=0.2)
    assert not done
    own_postgres.thaw()
    assert await asyncio.wait_for(answer, 10) == 1
    await connection.close()


async def test_a_frozen_postgres_can_be_stopped(own_postgres: PostgresProcess) -> None:
    own_postgres.freeze()
    await own_postgres.restart()
    connection = await asyncpg.connect(own_postgres.url)
    await connection.close()


async def test_several_databases_on_one_server(own_postgres: PostgresProcess) -> None:
    model = await own_postgres.create_database("model")
    connection = await asyncpg.connect(model)
    await connection.execute("CREATE TABLE word (text text)")
    await connection.close()
    copy = await asyncpg.connect(await own_postgres.create_database('a "copy"', template="model"))
    assert await copy.fetchval("SELECT count(*) FROM word") == 0
    # Whoever is connected is thrown out.
    await own_postgres.drop_database('a "copy"')
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await copy.fetchval("SELECT 1")
    await own_postgres.drop_database("was never there")


def link(server: RedisProcess, timeout_s: float = 5) -> Redis:
    # Without the client's own repeats, which would hide what the server does.
    return Redis.from_url(server.url, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 0))


@pytest.mark.parametrize("empty", [False, True])
async def test_redis_killed_and_restarted_at_the_same_url(own_redis: RedisProcess, empty: bool) -> None:
    url, pid = own_redis.url, own_redis.pid
    async with link(own_redis) as client:
        await client.set("kept", 1)
        await own_redis.kill()
        with pytest.raises(RedisError):
            await client.ping()
        await own_redis.restart(empty=empty)
        assert own_redis.url == url
        assert own_redis.pid != pid
        assert await client.exists("kept") == (0 if empty else 1)


async def test_redis_frozen_answers_after_the_thaw(own_redis: RedisProcess) -> None:
    async with link(own_redis, timeout_s=0.2) as client:
        own_redis.freeze()
        with pytest.raises(RedisError):
            await client.ping()
        own_redis.thaw()
    async with link(own_redis) as client:
        assert await client.ping()
