"""All logs of a session, kept whole: what is missing is fetched, unless it comes by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from protocol.client.logs import Log
from protocol.errors import PointsmanError, RequestError
from protocol.events import StreamReset
from protocol.methods.messages import HistoryParams, HistoryResult
from protocol.shapes import Message

_PAGE = 200


class Logbook:
    """Logs by conversation. `told` gets every message exactly once, in the order of its log.

    `history` asks for a page over the next live connection (RequestError: refused; any other PointsmanError: the client
    has stopped). `spawn` runs an errand beside the reading. `pause_s` says how long to wait after a refusal.
    """

    def __init__(
        self,
        told: Callable[[Message], None],
        history: Callable[[HistoryParams], Awaitable[HistoryResult]],
        live: Callable[[], Awaitable[object]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        pause_s: Callable[[RequestError, int], float],
        *,
        gap_s: float,
        whole: bool,
        keep: bool,
    ) -> None:
        self.logs: dict[str, Log] = {}
        self._told = told
        self._history = history
        self._live = live
        self._spawn = spawn
        self._pause_s = pause_s
        self._gap_s = gap_s
        self._whole = whole
        self._keep = keep
        self._fetching: set[str] = set()

    def take(self, message: Message) -> None:
        """A message came, in whatever way."""
        log = self._log(message.conversation_id, message.seq - 1)
        for taken in log.take(message):
            self._told(taken)
        self._complete(message.conversation_id, log)

    def update(self, message: Message) -> bool:
        """A message changed. False for an older version of what is kept."""
        return self._log(message.conversation_id, message.seq).update(message)

    def exists(self, conversation_id: str, head: int) -> None:
        """The log is known to reach `head`."""
        log = self._log(conversation_id, head)
        log.exists(head)
        self._complete(conversation_id, log)

    def reset(self, reset: StreamReset) -> None:
        """Too much was missed to be sent: go on from what is there, or (logs that are not kept whole) from the end."""
        known = self._log(reset.conversation_id, reset.head_seq)
        if reset.head_seq < known.cursor:
            self._spawn(self._look_where_it_ends(reset.conversation_id))
            return
        if not self._whole:
            self.logs[reset.conversation_id] = Log(reset.head_seq, keep=self._keep)
        self.exists(reset.conversation_id, reset.head_seq)

    async def _look_where_it_ends(self, conversation_id: str) -> None:
        """Before what is there, by what was said: the log is shorter than it was (PostgreSQL was restored), or an old
        entry that was told once more is all that the server had to go by. Only the first makes it begin there."""
        params = HistoryParams(
            conversation_id=conversation_id, after_seq=self.logs[conversation_id].cursor, limit=1
        )
        try:
            page = await self._history(params)
        except PointsmanError:
            return  # the next resume says it again
        log = self.logs.get(conversation_id)
        if log is not None and page.head_seq < log.cursor:
            self.logs[conversation_id] = Log(page.head_seq, keep=self._keep)

    def _log(self, conversation_id: str, head: int) -> Log:
        log = self.logs.get(conversation_id)
        if log is None:
            log = self.logs[conversation_id] = Log(0 if self._whole else head, keep=self._keep)
        return log

    def _complete(self, conversation_id: str, log: Log) -> None:
        if log.missing and conversation_id not in self._fetching:
            self._fetching.add(conversation_id)
            self._spawn(self._fetch(conversation_id))

    async def _fetch(self, conversation_id: str) -> None:
        """One errand per conversation, until nothing is missing."""
        try:
            await asyncio.sleep(self._gap_s)
            attempt = 0
            while await self._lacks(conversation_id):
                known = self.logs[conversation_id].head
                try:
                    await self._fetch_page(conversation_id)
                except RequestError as refusal:
                    if not refusal.retryable:  # not for this session, or not any more
                        if self.logs[conversation_id].head > known:
                            continue  # more came after we asked: it has been given back
                        self._give_up(conversation_id)
                        return
                    await asyncio.sleep(self._pause_s(refusal, attempt))
                    attempt += 1
        except PointsmanError:
            return  # the client has stopped; its callers know why
        finally:
            self._fetching.discard(conversation_id)

    async def _lacks(self, conversation_id: str) -> bool:
        """Whether something is missing still, once there is a connection that had the time to bring it."""
        log = self.logs.get(conversation_id)
        if log is None or not log.missing:
            return False
        await self._live()
        log = self.logs.get(conversation_id)
        return log is not None and log.missing

    def _give_up(self, conversation_id: str) -> None:
        """What is missing will not come. Should the log be given back, it goes on after what was taken."""
        log = self.logs[conversation_id]
        if log.cursor:
            log.ends_at(log.cursor)
        else:
            del self.logs[conversation_id]

    async def _fetch_page(self, conversation_id: str) -> None:
        log = self.logs[conversation_id]
        params = HistoryParams(conversation_id=conversation_id, after_seq=log.cursor, limit=_PAGE)
        page = await self._history(params)
        for message in page.messages:
            self.take(message)
        if not page.more:
            log.ends_at(page.head_seq if page.messages else log.cursor)
