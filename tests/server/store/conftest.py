"""A shop in a database of the test's own, and writers on it."""

from collections.abc import AsyncIterator, Callable

import pytest

from server.store.database import Database
from server.store.log import Log
from tests.server.store.world import World

MakeLog = Callable[..., Log]


@pytest.fixture
async def db(migrated_database_url: str) -> AsyncIterator[Database]:
    database = Database(migrated_database_url)
    await database.open()
    yield database
    await database.aclose()


@pytest.fixture
async def world(db: Database) -> World:
    return await World.make(db)


@pytest.fixture
async def make_log(db: Database) -> AsyncIterator[MakeLog]:
    """Makes writers, each as if it were another node; closes them at the end."""
    made: list[Log] = []

    def make(node: str = "node-1", **options: int) -> Log:
        made.append(Log(db, node, **options))
        return made[-1]

    yield make
    for log in made:
        await log.aclose()


@pytest.fixture
def log(make_log: MakeLog) -> Log:
    return make_log()
