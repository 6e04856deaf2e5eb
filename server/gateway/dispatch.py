"""Request -> door -> handler -> reply, each within its deadline.

The only place where exceptions end: RequestErrors become error objects, anything else is a bug, logged once here and
answered with -32603.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, final

from protocol.codec import NotificationFrame, RequestFrame, RequestId, encode_error, encode_result
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.states import PersonKind
from server.limits import GatewayLimits
from server.metrics import GatewayMetrics
from server.session import Door, Handlers, NoticeHandlers, Session

log = logging.getLogger(__name__)

Reply = Callable[[bytes], None]
Finished = Callable[[], None]

RECORDED = frozenset({ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND})
"""Refusals of colleagues that go into the audit (GP-03): they tried what they may not, or what is not theirs."""
INTERNAL = RequestError(
    ErrorCode.INTERNAL_ERROR, "internal", "The server failed on this request; its operators have been told."
)
TOO_LATE = RequestError(
    ErrorCode.UNAVAILABLE,
    "deadline",
    "The server could not answer in time. What was asked may still happen; repeat it with the same ids.",
    retry_after_ms=1000,
)


@final
class _Call:
    """A request under way."""

    __slots__ = ("answered", "began", "id", "method", "reply")

    def __init__(self, id: RequestId, method: str, began: float, reply: Reply) -> None:
        self.id = id
        self.method = method
        self.began = began
        self.reply = reply
        self.answered = False


@final
class Dispatcher:
    """Serves the requests of all connections of a process. `due` makes it an entry of the timer wheel."""

    def __init__(
        self,
        handlers: Handlers,
        notices: NoticeHandlers,
        door: Door,
        limits: GatewayLimits,
        metrics: GatewayMetrics,
    ) -> None:
        # Kept: asking for the running loop costs a system call each time, and this is asked for every message.
        self._loop = asyncio.get_running_loop()
        self._handlers = handlers
        self._notices = notices
        self._door = door
        self._deadline_s = limits.request_deadline_s
        self._check_s = max(limits.tick_s, 0.1)
        self._metrics = metrics
        self._calls: deque[_Call] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """Handlers that have not come back, those that were answered for included."""
        return len(self._tasks)

    def serve(self, session: Session, frame: RequestFrame, reply: Reply, finished: Finished) -> None:
        """Answer a request exactly once through `reply`; call `finished` when its handler has come back."""
        call = _Call(frame.id, frame.method.name, self._loop.time(), reply)
        self._calls.append(call)
        self.spawn(self._run(call, session, frame, finished))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something of a connection that must come to its end although the connection may not."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def notice(self, session: Session, frame: NotificationFrame) -> None:
        """Hand a notification of the client to its handler, if there is one."""
        handler = self._notices.get(frame.event.name)
        if handler is not None:
            self.spawn(self._notify(handler(session, frame.params), frame.event.name, session))

    def due(self, now: float) -> float:
        """Answer for what is overdue. All have the same deadline, so they are in order."""
        calls = self._calls
        while calls and (calls[0].answered or now >= calls[0].began + self._deadline_s):
            call = calls.popleft()
            if not call.answered:
                self._answer(call, encode_error(call.id, TOO_LATE), "deadline", now)
        return now + self._check_s

    async def settle(self, within_s: float) -> int:
        """Wait for what is under way, at the end of the process. Returns how many did not come back."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=within_s)
        return len(self._tasks)

    async def _run(self, call: _Call, session: Session, frame: RequestFrame, finished: Finished) -> None:
        outcome = "ok"
        try:
            await self._door.admit(session, frame.method)
            handler = self._handlers.get(call.method)
            if handler is None:
                raise RequestError(
                    ErrorCode.METHOD_NOT_FOUND, "not_served", f"{call.method} is not served here."
                )
            data = encode_result(frame.id, await handler(session, frame.params))
        except RequestError as error:
            outcome = error.code.name.lower()
            data = encode_error(frame.id, error)
            if error.code in RECORDED and session.kind is not PersonKind.CUSTOMER:
                await self._door.refused(session, frame.method, frame.params, error)
        except Exception:
            log.exception("%s of connection %s failed", call.method, session.connection_id)
            outcome = "internal_error"
            data = encode_error(frame.id, INTERNAL)
        finally:
            finished()
        if not call.answered:
            self._answer(call, data, outcome, self._loop.time())

    def _answer(self, call: _Call, data: bytes, outcome: str, now: float) -> None:
        call.answered = True
        self._metrics.answered(call.method, outcome, now - call.began)
        call.reply(data)

    async def _notify(self, handling: Awaitable[None], name: str, session: Session) -> None:
        try:
            await handling
        except RequestError:
            self._metrics.refused["notice"] += 1
        except Exception:
            log.exception("%s of connection %s failed", name, session.connection_id)
