"""Real PostgreSQL and Redis for the tests: one of each per pytest process, a database of its own per test.

Given servers (POINTSMAN_TEST_DATABASE_URL, POINTSMAN_TEST_REDIS_URL) are used when named, else private ones are
started. The methods are synchronous on a loop of their own, so that fixtures serve synchronous and asynchronous
tests alike.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg
from redis import Redis

from server.embedded.binaries import Prefer, find_postgres, find_redis
from server.embedded.postgres_process import PostgresProcess
from server.embedded.redis_process import RedisProcess
from server.embedded.workspace import Workspace

T = TypeVar("T")


def preferred() -> Prefer:
    """Which private servers to start: POINTSMAN_EMBEDDED, `auto` when it is not set."""
    choice = os.environ.get("POINTSMAN_EMBEDDED") or "auto"
    if choice not in {"auto", "installed", "wheels"}:
        raise ValueError(f"POINTSMAN_EMBEDDED is {choice!r}; it must be auto, installed or wheels")
    return cast(Prefer, choice)


_LEAVE = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2"
_SCHEMA = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT oid::text || ' ' || relname || ' ' || relnatts FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT oid::text || ' ' || tgenabled::text FROM pg_trigger
    UNION ALL SELECT oid::text || ' ' || xmin::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT oid::text || ' ' || xmin::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace
) parts (part)
"""
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SEQUENCES = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A copy of a template that tests use one after the other, and how it was when it was new."""

    connection: asyncpg.Connection[asyncpg.Record]
    pid: int
    template: str
    schema: str
    as_new: str
    """SQL that makes it as it was"""

    @classmethod
    async def of(cls, url: str, template: str) -> Borrowed:
        """Of a new copy."""
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(url)
        # No trigger and no foreign key has a say in what follows.
        as_new = ["SET LOCAL session_replication_role = replica"]
        for (table,) in await connection.fetch(_TABLES):
            as_new.append(f'DELETE FROM "{table}"')
            rows = await connection.fetchval(f'SELECT quote_literal(json_agg(t)) FROM "{table}" t')
            if rows is not None:
                as_new.append(
                    f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", {rows})'
                )
        as_new += [f'ALTER SEQUENCE "{name}" RESTART' for (name,) in await connection.fetch(_SEQUENCES)]
        schema = await connection.fetchval(_SCHEMA)
        return cls(connection, connection.get_server_pid(), template, schema, ";".join(as_new))

    async def restore(self) -> bool:
        """Whether it is as it was; not, when a test has changed its schema."""
        if await self.connection.fetchval(_SCHEMA) != self.schema:
            return False
        async with self.connection.transaction():
            await self.connection.execute(self.as_new)
        return True


class LivePostgres:
    """A PostgreSQL on which each test gets a database; several pytest processes may share a given one."""

    def __init__(self, worker: str) -> None:
        self._prefix = f"pointsman_test_{worker}_{os.getpid()}"
        self._numbers = count(1)
        self._templates: dict[str, str] = {}
        self._free: dict[str, list[str]] = {}
        self._borrowed: dict[str, Borrowed] = {}
        # With a loop factory the runner leaves the thread's current event loop alone.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._workspace: Workspace | None = None
        self._process: PostgresProcess | None = None
        self._url = os.environ.get("POINTSMAN_TEST_DATABASE_URL", "")
        if not self._url:
            self._workspace = Workspace.temporary()
            self._process = self.run(
                PostgresProcess.start(find_postgres(preferred()), self._workspace, durable=False)
            )
            self._url = self._process.url
        self._admin: asyncpg.Connection[asyncpg.Record] = self.run(asyncpg.connect(self._url))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def create(self, template: str | None = None) -> str:
        """Makes a new database, empty or a copy of `template` (see `template`), and gives its URL."""
        name = f"{self._prefix}_{next(self._numbers)}"
        copy = f' TEMPLATE "{template}"' if template else ""
        self.run(self._admin.execute(f'CREATE DATABASE "{name}"{copy}'))
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def drop(self, url: str) -> None:
        """Drops a database that `create` made, whoever is still connected to it."""
        self.run(self._admin.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)'))

    def borrow(self, template: str) -> str:
        """A copy of `template` for one test, and its URL: one that was given back, else a new one."""
        free = self._free.setdefault(template, [])
        if free:
            return free.pop()
        url = self.create(template)
        self._borrowed[url] = self.run(Borrowed.of(url, template))
        return url

    def give_back(self, url: str) -> None:
        """Empties the copy for the next test, which costs a tenth of a new one; dropped when its schema has changed."""
        self.run(self._admin.execute(_LEAVE, urlsplit(url).path[1:], self._borrowed[url].pid))
        if self.run(self._borrowed[url].restore()):
            self._free[self._borrowed[url].template].append(url)
            return
        self.run(self._borrowed.pop(url).connection.close())
        self.drop(url)

    def template(self, key: str, fill: Callable[[str], Awaitable[object]]) -> str:
        """The name of a database that `fill` has filled, made at the first use of `key`."""
        if key not in self._templates:
            url = self.create()

            async def filled() -> None:
                await fill(url)

            self.run(filled())
            self._templates[key] = urlsplit(url).path[1:]
        return self._templates[key]

    def close(self) -> None:
        for url, copy in self._borrowed.items():
            self.run(copy.connection.close())
            self.drop(url)
        for name in self._templates.values():
            self.run(self._admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        self.run(self._admin.close())
        if self._process is not None:
            self.run(self._process.aclose())
        if self._workspace is not None:
            self._workspace.release()
        self._runner.close()


class LiveRedis:
    """A Redis with one numbered database for this pytest process; several may share a given server."""

    def __init__(self, worker: str) -> None:
        self._workspace: Workspace | None = None
        self._process: RedisProcess | None = None
        given = os.environ.get("POINTSMAN_TEST_REDIS_URL", "")
        # "gw0" or "master". Database 0 of a given server may be somebody's: 1 and up are ours.
        number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 1
        if given:
            self.url = urlsplit(given)._replace(path=f"/{number}").geturl()
        else:
            self._workspace = Workspace.temporary()
            self._process = asyncio.run(RedisProcess.start(find_redis(preferred()), self._workspace))
            self.url = self._process.url_of(number)

    def empty(self) -> None:
        """Empties our numbered database, and no other."""
        with Redis.from_url(self.url) as client:
            client.flushdb()

    def close(self) -> None:
        if self._process is not None:
            asyncio.run(self._process.aclose())
        if self._workspace is not None:
            self._workspace.release()
