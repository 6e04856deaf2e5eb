"""PostgreSQL with deadlines: a pool of connections whose every call is answered in time, also by a frozen server.

asyncpg alone does not promise that: cancelling a call waits for the server. Here a call that overruns loses its
connection (the socket is aborted, nothing is waited for), and the pool makes a new one when one is needed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from server.store import acting, failures, wire

Row: TypeAlias = asyncpg.Record
Link: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
T = TypeVar("T")

APPLICATION: Final = "pointsman"
IDLE_S: Final = 300.0
"""A connection unused for this long is closed."""
ANSWER_S: Final = 0.1
"""How long after its deadline a call's own end is waited for, before the caller is answered without it."""


class Transaction:
    """Statements that take effect together, or not at all."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._declared = False

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """All rows."""
        await self._declare(sql)
        return await self._link.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        """The first row; None when there is none."""
        await self._declare(sql)
        return await self._link.fetchrow(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """The number of rows touched."""
        await self._declare(sql)
        return _touched(await self._link.execute(sql, *args))

    @asynccontextmanager
    async def part(self) -> AsyncGenerator[None]:
        """A part of the transaction that is taken back for itself when an exception leaves it."""
        async with self._link.transaction():
            yield

    async def _declare(self, sql: str) -> None:
        """Before the first audited change: who makes it."""
        if not self._declared and (declaration := acting.declaration(sql)) is not None:
            await self._link.execute(declaration)
            self._declared = True


class Database:
    """One PostgreSQL database.

    Every call is answered within `deadline_s` (and a moment). Refusals: UNAVAILABLE `database_down` or `database_slow`
    (nothing happened), COMMIT_UNKNOWN (a change was sent, its answer is lost), INVALID_PARAMS `bad_text` (U+0000).
    Everything else that PostgreSQL complains of is raised as it is: a bug, or a constraint that the caller handles.

    A change of an audited table that somebody makes (`store.acting`) tells PostgreSQL who, in a transaction of its own
    if it is in none; all other statements are one round trip, as they are written.
    """

    def __init__(self, url: str, *, pool_max: int = 10, deadline_s: float = 5.0) -> None:
        self._url = url
        self._pool_max = pool_max
        self.deadline_s = deadline_s
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Make the pool. Succeeds while PostgreSQL is down: connections are made when they are needed."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._pool_max,
            max_inactive_connection_lifetime=IDLE_S,
            connect=self._connect,
            reset=_keep,  # nothing here changes a session's state, so nothing is to be reset: saves a round trip
        )

    async def connect(self, deadline_s: float) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of the caller's own, outside the pool, on which no statement runs longer than `deadline_s`.

        Raises what asyncpg raises, within that time.
        """
        # A little before the deadline: then the server itself says that nothing happened. And what nobody waits for any
        # more must not go on and hold locks.
        limit_ms = str(int(deadline_s * 900))
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._url,
            timeout=deadline_s,
            server_settings={
                "application_name": APPLICATION,
                "timezone": "UTC",
                "statement_timeout": limit_ms,
                "idle_in_transaction_session_timeout": limit_ms,
            },
        )
        _notice_silence(connection, int(deadline_s * 1000))
        await wire.prepare(connection)
        return connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """All rows."""
        return await self._bounded(lambda link: link.fetch(sql, *args), sql)

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        """The first row; None when there is none."""
        return await self._bounded(lambda link: link.fetchrow(sql, *args), sql)

    async def execute(self, sql: str, *args: Any) -> int:
        """The number of rows touched."""
        return _touched(await self._bounded(lambda link: link.execute(sql, *args), sql))

    async def ping(self) -> None:
        """Returns when PostgreSQL answers; raises UNAVAILABLE when it does not."""
        await self.fetch("SELECT 1")

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """One transaction; the deadline holds for all of it. Any exception rolls back."""
        until = asyncio.get_running_loop().time() + self.deadline_s
        link = await self._acquire()
        use = _Use(link)
        timer = asyncio.get_running_loop().call_at(until, use.give_up)
        committing = False
        try:
            transaction = link.transaction()
            await transaction.start()
            try:
                yield Transaction(link)
            except Exception:
                await transaction.rollback()
                raise
            committing = True
            await transaction.commit()
        except Exception as error:
            if use.given_up:
                raise (failures.unknown() if committing else failures.slow()) from error
            answer = failures.refusal(error, sent_change=committing)
            if answer is error:
                raise
            raise answer from error
        except BaseException:
            # Cancelled: asyncpg would wait for the server before it lets go; without a connection nothing commits.
            use.give_up()
            raise
        finally:
            timer.cancel()
            await use.release(self._running())

    async def aclose(self) -> None:
        """Close the pool; calls under way are given the deadline to end."""
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        closing = asyncio.ensure_future(pool.close())
        done, _ = await asyncio.wait({closing}, timeout=self.deadline_s)
        if not done:
            pool.terminate()
            await asyncio.wait({closing})
        await asyncio.gather(closing, return_exceptions=True)

    async def _connect(self, *_: Any, **__: Any) -> asyncpg.Connection[asyncpg.Record]:
        """As the pool asks for it; it passes on what it was made with."""
        return await self.connect(self.deadline_s)

    def _running(self) -> asyncpg.Pool[asyncpg.Record]:
        if self._pool is None:
            raise RuntimeError("Database.open() comes first")
        return self._pool

    async def _acquire(self) -> Link:
        taking = asyncio.ensure_future(_take(self._running()))
        try:
            done, _ = await asyncio.wait({taking}, timeout=self.deadline_s)
        except BaseException:
            _abandon(taking)
            raise
        if not done:
            _abandon(taking)
            raise failures.slow()
        try:
            return taking.result()
        except Exception as error:
            raise failures.refusal(error, sent_change=False) from error

    async def _bounded(self, work: Callable[[Link], Awaitable[T]], sql: str) -> T:
        """Run `work` with a connection, in a task of its own: a caller that is cancelled leaves it to end by itself."""
        loop = asyncio.get_running_loop()
        use = _Use(None)
        declaration = acting.declaration(sql)
        if declaration is not None:
            work = _declared(work, declaration)
        task = loop.create_task(_run(self._running(), use, work))
        timer = loop.call_later(self.deadline_s, use.give_up, task)
        task.add_done_callback(lambda done: (timer.cancel(), done.cancelled() or done.exception()))
        await asyncio.wait({task}, timeout=self.deadline_s + ANSWER_S)
        change = use.link is not None and not sql.lstrip().startswith("SELECT")
        if use.given_up or not task.done():
            raise failures.unknown() if change else failures.slow()
        try:
            return task.result()
        except Exception as error:
            answer = failures.refusal(error, sent_change=change)
            if answer is error:
                raise
            raise answer from error


class _Use:
    """One use of a connection, which a timer may end."""

    def __init__(self, link: Link | None) -> None:
        self.link = link
        self.given_up = False
        self._released = False

    def give_up(self, task: asyncio.Task[Any] | None = None) -> None:
        """End the use now: abort the connection or, while there is none yet, `task`."""
        if self._released:
            return
        self.given_up = True
        if self.link is not None:
            self.link.terminate()
        elif task is not None:
            task.cancel()

    async def release(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        """Give the connection back; a dead one frees its place."""
        self._released = True
        if self.link is not None:
            await pool.release(self.link)


async def _run(pool: asyncpg.Pool[asyncpg.Record], use: _Use, work: Callable[[Link], Awaitable[T]]) -> T:
    use.link = await _take(pool)
    try:
        return await work(use.link)
    finally:
        await use.release(pool)


def _declared(work: Callable[[Link], Awaitable[T]], declaration: str) -> Callable[[Link], Awaitable[T]]:
    """`work` in a transaction that begins with the declaration of who acts."""

    async def run(link: Link) -> T:
        await link.execute(f"BEGIN; {declaration}")
        try:
            result = await work(link)
        except Exception:
            if not link.is_closed():
                await link.execute("ROLLBACK")
            raise
        await link.execute("COMMIT")
        return result

    return run


async def _take(pool: asyncpg.Pool[asyncpg.Record]) -> Link:
    return await pool.acquire()


def _abandon(taking: asyncio.Future[Link]) -> None:
    def give_back(done: asyncio.Future[Link]) -> None:
        # It may have succeeded in the moment in which it was given up; asking for the exception marks it as seen.
        if not done.cancelled() and done.exception() is None:
            done.result().terminate()

    taking.add_done_callback(give_back)
    taking.cancel()


async def _keep(_: asyncpg.Connection[asyncpg.Record]) -> None:
    """The reset of a connection that comes back to the pool: nothing."""


def _touched(tag: str) -> int:
    """The count at the end of a command tag, such as `UPDATE 3`."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdecimal() else 0


def _notice_silence(connection: asyncpg.Connection[asyncpg.Record], after_ms: int) -> None:
    """Let the kernel end a connection whose peer is gone without a word (unplugged, half-open)."""
    transport: asyncio.Transport = connection._transport
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, after_ms)
