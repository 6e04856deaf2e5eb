"""The log's writer: many senders, few transactions.

Entries that come while a COMMIT is under way go together into the next one ("natural" batching: nobody ever waits on a
timer), in one statement, with one round trip. A writer has a connection of its own, beside the pool.

Guarantees:
- an entry is answered only after its COMMIT, and within `deadline_s` whatever PostgreSQL does;
- an entry that is refused harms no other; one that PostgreSQL itself cannot take is found and refused alone;
- entries of one conversation are written in the order in which they were given;
- at most `backlog_max` entries wait; more are refused at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import asyncpg
import structlog

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import MessageId, new_id
from server.failpoints import armed, hit
from server.store import failures
from server.store.conversation_columns import NAMES, columns, conversation_from
from server.store.database import Database
from server.store.entry import Appended, Entry, Key, in_batch, key_of, refused
from server.store.rows import ConversationRow

__all__ = ["Appended", "Entry", "Log"]

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
logger = structlog.get_logger("pointsman.log")

APPEND: Final = f"""
    SELECT n, verdict, entry_seq, entry_customer_seq, entry_message_id, entry_created_at, entry_released, {columns("a")}
    FROM append_entries($1, $2, $3, $4) a
"""
_EPOCH: Final = NAMES.index("assign_epoch")
_OWNER: Final = NAMES.index("owner_id")
TRIES: Final = 3
"""How often a batch is sent that PostgreSQL rolls back for the sake of another transaction."""
RECONNECT_S: Final = (0.05, 0.1, 0.2, 0.5)
"""Pauses between tries to connect; the last one repeats."""
TIMER_GRAIN_S: Final = 0.001


class Log:
    """The writer of one node. Entries of one conversation always go through the same of its `writers` connections.

    Two, since then one batch is prepared while PostgreSQL works on another (1.6 times one at 128 callers); more only
    make batches smaller.
    """

    def __init__(
        self,
        db: Database,
        node: str,
        *,
        writers: int = 2,
        batch_max: int = 256,
        backlog_max: int = 10_000,
        deadline_s: float = 5.0,
    ) -> None:
        self._backlog_max = backlog_max
        self._writers = [_Writer(db, node, batch_max, deadline_s) for _ in range(writers)]

    async def append(self, entry: Entry) -> Appended:
        """Write `entry`, durably; the same entry again gives the first result as a duplicate.

        Refused: NOT_FOUND, STALE_ASSIGNMENT, INVALID_STATE (`conversation_closed`, `conversation_ended`),
        IDEMPOTENCY_CONFLICT, INVALID_PARAMS (`bad_text`); UNAVAILABLE (nothing was written: `backlog_full`,
        `database_down`, `database_slow`, `shutting_down`); COMMIT_UNKNOWN (repeat it unchanged).
        """
        if self.backlog >= self._backlog_max:
            raise _refusal("backlog_full", "Too many messages are waiting; try again.")
        writers = self._writers
        return await writers[hash(entry.conversation_id) % len(writers)].append(entry)

    @property
    def backlog(self) -> int:
        """Entries not answered yet."""
        return sum(writer.backlog for writer in self._writers)

    def rename(self, node: str) -> None:
        """This node has a new incarnation: what is written from now on is under its name."""
        for writer in self._writers:
            writer.node = node

    async def aclose(self) -> None:
        """Write what is waiting, within the deadline, then close. Later entries are refused."""
        await asyncio.gather(*(writer.aclose() for writer in self._writers))


class _Waiting:
    """An entry on its way, and who waits for it."""

    __slots__ = ("answer", "entry", "key", "since")

    def __init__(self, entry: Entry, since: float, answer: asyncio.Future[Appended]) -> None:
        self.entry = entry
        self.key: Key = key_of(entry)
        self.since = since
        self.answer = answer

    def refuse(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Writer:
    """One connection and the entries that wait for it.

    Half of the deadline is for waiting: an entry that has waited for so long has not been sent, and is refused
    as such. The rest is for the database: what overruns it may have been committed.
    """

    def __init__(self, db: Database, node: str, batch_max: int, deadline_s: float) -> None:
        self._db = db
        self.node = node
        self._batch_max = batch_max
        self._deadline_s = deadline_s
        self._wait_s = deadline_s / 2
        self._queue: deque[_Waiting] = deque()
        self._under_way = 0
        self._work: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._connection: Connection | None = None
        self._failures = 0
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        """kept from the first append: asking for the running loop costs a system call each time"""

    @property
    def backlog(self) -> int:
        return len(self._queue) + self._under_way

    async def append(self, entry: Entry) -> Appended:
        if self._closing:
            raise _refusal("shutting_down", "This server is stopping; come back.", retry_after_ms=0)
        loop = self._loop = self._loop or asyncio.get_running_loop()
        waiting = _Waiting(entry, loop.time(), loop.create_future())
        self._queue.append(waiting)
        if self._alarm is None:
            self._alarm = loop.call_later(self._wait_s, self._refuse_late)
        if self._work is None:
            self._work = loop.create_task(self._drain())
        return await waiting.answer

    async def aclose(self) -> None:
        self._closing = True
        if self._work is not None:
            await self._work
        if self._alarm is not None:
            self._alarm.cancel()
        if self._connection is not None:
            self._connection.terminate()

    def _refuse_late(self) -> None:
        """Answer those who have waited for too long; they were never sent."""
        loop = asyncio.get_running_loop()
        self._alarm = None
        late = loop.time() - self._wait_s + TIMER_GRAIN_S
        error = failures.down if self._failures else failures.slow
        while self._queue and self._queue[0].since <= late:
            self._queue.popleft().refuse(error())
        if self._queue:
            self._alarm = loop.call_at(self._queue[0].since + self._wait_s, self._refuse_late)

    async def _drain(self) -> None:
        # Everybody who is ready to send in this turn of the loop gets into the first batch.
        await asyncio.sleep(0)
        while self._queue:
            connection = await self._connected()
            if connection is None:
                continue
            batch = self._collect()
            if batch:
                self._under_way = len(batch)
                try:
                    await self._write(connection, batch)
                except Exception as error:  # a bug; but nobody shall wait for ever because of it
                    for waiting in batch:
                        waiting.refuse(error)
                self._under_way = 0
        self._work = None

    async def _connected(self) -> Connection | None:
        """The connection, made anew when it is gone; None after a failure and a pause."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        try:
            self._connection = await self._db.connect(self._wait_s)
        except Exception as error:
            if failures.refusal(error, sent_change=False) is error:
                logger.error("cannot connect", error=repr(error))
            await asyncio.sleep(RECONNECT_S[min(self._failures, len(RECONNECT_S) - 1)])
            self._failures += 1
            return None
        self._failures = 0
        return self._connection

    def _collect(self) -> list[_Waiting]:
        """The next batch: the oldest entries, without those that nobody waits for any more, and each name once."""
        batch: list[_Waiting] = []
        again: list[_Waiting] = []
        names: set[Key] = set()
        queue = self._queue
        while queue and len(batch) < self._batch_max:
            waiting = queue.popleft()
            if waiting.answer.done():
                continue
            if waiting.key in names:
                again.append(waiting)
            else:
                names.add(waiting.key)
                batch.append(waiting)
        queue.extendleft(reversed(again))
        return batch

    async def _write(self, connection: Connection, batch: Sequence[_Waiting]) -> None:
        """One batch, from the first try to the last answer."""
        loop = asyncio.get_running_loop()
        overran = loop.call_at(batch[0].since + self._deadline_s, connection.terminate)
        try:
            rows = await self._send(connection, batch)
        except Exception as error:
            overran.cancel()
            answer = failures.refusal(error, sent_change=True)
            if len(batch) > 1 and not failures.is_retryable(answer):
                # PostgreSQL cannot take one of them: that one alone shall have the trouble.
                for waiting in batch:
                    if loop.time() > waiting.since + self._deadline_s - self._wait_s / 2:
                        waiting.refuse(failures.slow())
                    else:
                        await self._write(connection, [waiting])
                return
            if failures.is_retryable(answer):
                connection.terminate()  # a new one may reach a server that works
            for waiting in batch:
                # One exception for each: a traceback grows in every task that raises it.
                waiting.refuse(failures.refusal(error, sent_change=True))
        else:
            overran.cancel()
            _answer(batch, rows)

    async def _send(self, connection: Connection, batch: Sequence[_Waiting]) -> list[asyncpg.Record]:
        conversations = list({waiting.entry.conversation_id for waiting in batch})
        entries = [in_batch(waiting.entry, n, MessageId(new_id())) for n, waiting in enumerate(batch)]
        decided = any(waiting.entry.decision is not None for waiting in batch)
        tries = TRIES
        while True:
            tries -= 1
            try:
                if armed:
                    await hit("append.before_commit")
                rows = await connection.fetch(APPEND, self.node, conversations, entries, decided)
                if armed:
                    await hit("append.after_commit")
                return rows
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                if tries == 0:
                    raise


def _answer(batch: Sequence[_Waiting], rows: Iterable[asyncpg.Record]) -> None:
    conversations: dict[str, ConversationRow] = {}
    for row in rows:
        values: tuple[Any, ...] = tuple(row.values())
        n, verdict, seq, customer_seq, message_id, created_ms, released, *conversation = values
        waiting = batch[int(n)]
        if waiting.answer.done():  # its caller was cancelled
            continue
        if verdict not in ("ok", "duplicate"):
            waiting.answer.set_exception(refused(verdict, conversation[_EPOCH], conversation[_OWNER]))
            continue
        state = conversations.get(conversation[0])
        if state is None:
            state = conversations[conversation[0]] = conversation_from(conversation)
        waiting.answer.set_result(
            Appended(
                seq,
                customer_seq,
                message_id,
                created_ms,
                verdict == "duplicate",
                state,
                () if released is None else tuple(released),
            )
        )


def _refusal(reason: str, message: str, *, retry_after_ms: int = failures.RETRY_AFTER_MS) -> RequestError:
    return RequestError(ErrorCode.UNAVAILABLE, reason, message, retry_after_ms=retry_after_ms)
