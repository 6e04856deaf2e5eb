"""What the tests of the HTTP side share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from server.store.database import Database
from tests.server.http.world import Shop, World


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[Any]:
    """A client as the server has it: explicit time-outs, nothing repeated behind our back."""
    client = Redis.from_url(
        redis_url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
    yield client
    await client.aclose()


@pytest.fixture
async def world(migrated_database_url: str, redis_url: str, redis_client: Any) -> AsyncIterator[World]:
    """The HTTP side over an empty database."""
    db = Database(migrated_database_url)
    await db.open()
    world = World(db, redis_client, database_url=migrated_database_url, redis_url=redis_url)
    await world.open()
    yield world
    await world.aclose()
    await db.aclose()


@pytest.fixture
async def demo(world: World) -> Shop:
    """A shop with people of every role."""
    return await world.found("demo")


@pytest.fixture
async def other(world: World) -> Shop:
    """Another one."""
    return await world.found("other")


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Lines without colours and without the values of local variables, which take seconds to print."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    yield
    structlog.reset_defaults()
