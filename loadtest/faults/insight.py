"""A look into the Redis of a stage, for faults that must know what the server keeps there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from loadtest.faults.fault import Scene


@asynccontextmanager
async def insight(scene: Scene) -> AsyncGenerator[Any]:
    """A client of it, answering bytes. A connection that does not end in time is left behind: that is no finding."""
    redis: Any = cast("Any", Redis).from_url(scene.stage.servers.redis_url)
    try:
        yield redis
    finally:
        with suppress(RedisError, OSError):
            await redis.aclose()
