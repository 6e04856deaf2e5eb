"""What the tests of the HTTP side share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from router.link import Link, link_to
from server.scripts import SCRIPTS
from server.store.database import Database
from tests.server.http.world import Shop, World


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[Link]:
    """Redis, as the server speaks to it."""
    link = link_to(redis_url, scripts=SCRIPTS)
    await link.open()
    yield link
    await link.close()


@pytest.fixture
async def world(migrated_database_url: str, redis_url: str) -> AsyncIterator[World]:
    """The HTTP side over an empty database."""
    db = Database(migrated_database_url)
    await db.open()
    world = World(db, database_url=migrated_database_url, redis_url=redis_url)
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
