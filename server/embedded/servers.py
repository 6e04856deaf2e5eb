"""The servers that Pointsman needs, from wherever they can be had: given ones, installed ones, wheels.

    async with await servers.start(state_dir=Path(".run")) as running:
        serve(running.database_url, running.redis_url)

Given URLs are passed through: such servers are neither started, nor asked, nor stopped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from server.embedded.binaries import Prefer, find_postgres, find_redis
from server.embedded.postgres_process import PostgresProcess
from server.embedded.redis_process import RedisProcess
from server.embedded.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Servers:
    """A PostgreSQL and a Redis to use until `aclose`. `postgres` and `redis` are None where a URL was given."""

    database_url: str
    redis_url: str
    postgres: PostgresProcess | None
    redis: RedisProcess | None
    _stop: Callable[[], Awaitable[None]]

    def describe(self) -> list[str]:
        """One line per server, for people; without passwords."""
        postgres = self.postgres or f"PostgreSQL given: {_without_password(self.database_url)}"
        redis = self.redis or f"Redis given: {_without_password(self.redis_url)}"
        return [str(postgres), str(redis)]

    async def aclose(self) -> None:
        """Stops in good order what was started here, and nothing else. Fine to call twice."""
        await self._stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def start(
    *,
    state_dir: Path | None = None,
    database_url: str | None = None,
    redis_url: str | None = None,
    prefer: Prefer = "auto",
    durable: bool = True,
    append_only: bool | None = None,
) -> Servers:
    """Starts what no URL is given for, and returns when it answers.

    Without `state_dir` the data is temporary. `durable=False` is PostgreSQL without fsync, for tests; `append_only` is
    Redis's log on disk, by default on when durable. Call it from a thread that lives as long as the servers shall:
    they end with it, even when we are killed. Raises `EmbeddedServerError`, and then nothing runs.
    """
    if database_url is not None and redis_url is not None:
        return Servers(database_url, redis_url, None, None, AsyncExitStack().aclose)
    postgres_programs = find_postgres(prefer) if database_url is None else None
    redis_program = find_redis(prefer) if redis_url is None else None
    workspace = Workspace.temporary() if state_dir is None else Workspace.kept(state_dir)
    with_log = durable if append_only is None else append_only

    async with AsyncExitStack() as undo:
        undo.callback(workspace.release)
        postgres = redis = None
        if postgres_programs is not None:
            postgres = await PostgresProcess.start(postgres_programs, workspace, durable=durable)
            undo.push_async_callback(postgres.aclose)
            database_url = postgres.url
        if redis_program is not None:
            redis = await RedisProcess.start(redis_program, workspace, append_only=with_log)
            undo.push_async_callback(redis.aclose)
            redis_url = redis.url
        stop = undo.pop_all().aclose
    return Servers(database_url or "", redis_url or "", postgres, redis, stop)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
