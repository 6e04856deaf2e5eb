"""Keeps one session live over as many connections as it takes: ticket, hello or resume, heartbeat, coming back."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from protocol.client.reconnect import Ended, Patience, delay_s, final_error, is_final
from protocol.client.wire import ABNORMAL, Wire, WireEnded
from protocol.codec import NotificationFrame
from protocol.codes import CloseCode
from protocol.errors import ConnectionClosed, PointsmanError, RequestError
from protocol.events import GoingAway, Heartbeat, Ready
from protocol.methods.session import HelloParams, HelloResult

TicketSource = Callable[[], Awaitable[str | None]]
"""Gets a fresh single-use ticket (None: the Authorization header speaks for the client).

Raises RequestError: a retryable one is tried again later, any other stops the client.
"""
_SILENCE = 1.6
"""Heartbeats without a frame of the server after which the connection counts as dead: 40 s of 25."""
_CURSORS_MAX = 1000


@dataclass(frozen=True)
class Ears:
    """What a link tells, and asks of, whoever it belongs to: in order, and all from the one task that reads."""

    hello_params: Callable[[str | None], HelloParams]
    """What to begin, or resume, with; given the ticket."""
    cursors: Callable[[], dict[str, int]]
    """What the client has, for the heartbeat."""
    begin: Callable[[HelloResult], None]
    """A session began or was resumed; what was missed follows."""
    heard: Callable[[NotificationFrame], None]
    """A notification came."""
    stopped: Callable[[PointsmanError | None], None]
    """There will be nothing more: because of `stop` (None), or for this reason."""


class Link:
    """The running connection, if there is one. `connections` counts the sessions begun or resumed so far."""

    def __init__(
        self,
        url: str,
        tickets: TicketSource,
        ears: Ears,
        *,
        origin: str | None,
        headers: Mapping[str, str],
        patience: Patience,
        rng: random.Random,
    ) -> None:
        self._url = url
        self._tickets = tickets
        self._ears = ears
        self._origin = origin
        self._headers = headers
        self._patience = patience
        self._rng = rng
        self._task: asyncio.Task[None] | None = None
        self._wire: Wire | None = None
        self._live = asyncio.Event()
        self._stopped = asyncio.Event()
        self._closing = False
        self._away_s: float | None = None
        self.failure: PointsmanError | None = None
        self.connections = 0
        self.ended: Ended | None = None
        """how the last session's connection ended"""

    @property
    def live(self) -> Wire | None:
        """The connection, when its session is live."""
        return self._wire if self._live.is_set() else None

    @property
    def is_stopped(self) -> bool:
        """Whether there will be nothing more."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Begin to connect, and go on until `stop` or a final refusal."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"link to {self._url}")

    def closing(self) -> None:
        """From now on the end of the connection is the end."""
        self._closing = True

    async def stop(self) -> None:
        """Close the connection and come to rest."""
        self._closing = True
        if self._wire is not None:
            await self._wire.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._finish(None)

    async def until_live(self) -> Wire:
        """The live connection. Raises what stopped the link, or ConnectionClosed 1000, when there will be none."""
        while True:
            if self._stopped.is_set():
                raise self.failure or ConnectionClosed(1000, "the client was closed")
            if self._wire is not None and self._live.is_set():
                return self._wire
            waits = [asyncio.ensure_future(event.wait()) for event in (self._live, self._stopped)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def until_stopped(self) -> None:
        """Until there will be nothing more."""
        await self._stopped.wait()

    def drop(self) -> None:
        """End the present connection without a word, as a broken network would."""
        if self._wire is not None:
            self._wire.abort()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        attempt = 0
        failure: PointsmanError | None = None
        try:
            while not self._closing:
                began = loop.time()
                ended = await self._connection()
                if self._closing:
                    break
                if is_final(ended):
                    failure = final_error(ended)
                    break
                if loop.time() - began >= self._patience.stable_s:
                    attempt = 0
                await asyncio.sleep(delay_s(ended, attempt, self._patience, self._rng))
                attempt += 1
        except RequestError as refusal:  # of the ticket source
            failure = refusal
        except (
            Exception
        ) as error:  # a fault of this program, or of whoever listens: callers must not wait for ever
            failure = ConnectionClosed(CloseCode.INTERNAL, f"{type(error).__name__} in the client")
            raise
        finally:
            self._finish(failure)

    async def _connection(self) -> Ended:
        """One connection from its ticket to its end. RequestError when the ticket source says that there is no use."""
        try:
            ticket = await self._tickets()
        except RequestError as refusal:
            if not refusal.retryable:
                raise
            return Ended(ABNORMAL, refusal.message, seconds(refusal.retry_after_ms))
        try:
            wire = await Wire.open(
                self._url, origin=self._origin, headers=self._headers, timeout_s=self._patience.open_s
            )
        except WireEnded as end:
            return end.ended
        self._wire = wire
        ended = Ended(ABNORMAL)
        try:
            self.ended = ended = await self._session(wire, ticket)
        finally:
            self._live.clear()
            self._wire = None
            wire.lost(ended)
            await wire.close()
        if self._away_s is not None and ended.wait_s is None:
            ended = Ended(ended.code, ended.reason, self._away_s)
        self._away_s = None
        return ended

    async def _session(self, wire: Wire, ticket: str | None) -> Ended:
        """Hello, and all that follows it on this connection."""
        heart: asyncio.Task[None] | None = None
        try:
            hello = await wire.hello(self._ears.hello_params(ticket), HelloResult, self._patience.open_s)
            heart = asyncio.create_task(self._beat(wire, hello.heartbeat_ms / 1000))
            self._ears.begin(hello)
            async for frame in wire.frames():
                if isinstance(frame.params, GoingAway):
                    self._away_s = frame.params.reconnect_in_ms / 1000
                elif isinstance(frame.params, Ready):
                    self.connections += 1
                    self._live.set()
                self._ears.heard(frame)
            raise AssertionError("frames end with WireEnded")
        except WireEnded as end:
            return end.ended
        except RequestError as refusal:  # of hello
            code = CloseCode.OVERLOAD if refusal.retryable else CloseCode.AUTH_FAILED
            return Ended(code, refusal.message, seconds(refusal.retry_after_ms))
        finally:
            if heart is not None:
                heart.cancel()

    async def _beat(self, wire: Wire, every_s: float) -> None:
        """Say that the client lives, and what it has; give up a connection that has gone silent."""
        loop = asyncio.get_running_loop()
        told: dict[str, int] = {}
        while True:
            await asyncio.sleep(every_s * self._rng.uniform(0.8, 1.0))
            if loop.time() - wire.heard_at > every_s * _SILENCE:
                wire.abort()
                return
            news = [(key, seq) for key, seq in self._ears.cursors().items() if told.get(key) != seq]
            if news or loop.time() - wire.told_at > every_s / 2:
                cursors = dict(news[:_CURSORS_MAX])
                await wire.tell("hb", Heartbeat(cursors=cursors))
                told.update(cursors)

    def _finish(self, failure: PointsmanError | None) -> None:
        if not self._stopped.is_set():
            self.failure = failure
            self._stopped.set()
            self._ears.stopped(failure)


def seconds(ms: int | None) -> float | None:
    """Milliseconds of the wire as seconds."""
    return None if ms is None else ms / 1000
