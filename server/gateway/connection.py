"""One connection, from accept to the last byte: its phases, its clock, its end.

It is the listener of its transport, a member of the hub, the outlet of its session and an entry of the timer wheel. It
decides nothing about conversations: requests go to the dispatcher, beginnings to `greeting`, ends to the opener.
"""

import asyncio
import logging
import random
from typing import final

from protocol.codec import NotificationFrame, RequestFrame, encode_error
from protocol.codes import CloseCode
from protocol.ids import ConnectionId, new_id
from protocol.states import PHASES, Phase
from server.gateway import frames, greeting, inbound
from server.gateway.dispatch import TOO_LATE
from server.gateway.lanes import Lanes
from server.gateway.outbox import Outbox
from server.gateway.pace import Pace
from server.gateway.process import Process
from server.gateway.sender import Sender
from server.gateway.transport import Transport
from server.gateway.wheel import NEVER
from server.limits import GatewayLimits
from server.push import Push
from server.session import Ending, Principal, Session

log = logging.getLogger(__name__)

SAID_BYE = 1000


@final
class Connection:
    """See the module. Made after accept; `start` gives it its transport."""

    __slots__ = (
        "_beat_s",
        "_draining_until",
        "_ending",
        "_greeted",
        "_loop",
        "_paused",
        "_typed",
        "_warned",
        "address",
        "authorized",
        "expires_at",
        "held",
        "hello_at",
        "hello_id",
        "id",
        "lanes",
        "last_in",
        "origin",
        "pace",
        "phase",
        "process",
        "sender",
        "session_or_none",
        "transport",
    )  # fmt: skip

    def __init__(
        self, process: Process, origin: str | None, address: str, authorized: Principal | None
    ) -> None:
        """`authorized`: whom an Authorization header proved before accept; else the hello's ticket must."""
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        limits = process.limits
        self.process = process
        self.id = ConnectionId(new_id())
        self.origin = origin
        self.address = address
        self.authorized = authorized
        self.phase = Phase.OPENED
        self.pace = Pace(limits, limits.customer_rate, now)
        self.held: Outbox | None = None
        """pushes that came before the session is live"""
        self.session_or_none: Session | None = None
        self.expires_at = NEVER
        self._beat_s = NEVER
        self.last_in = now
        self.hello_at = now + limits.hello_until_s
        self.hello_id: str | int | None = None
        self._greeted = False
        self._warned = False
        self._draining_until = NEVER
        self._paused = False
        self._typed: NotificationFrame | None = None
        self._ending: Ending | None = None
        self.lanes = Lanes(self._serve)

    def start(self, transport: Transport) -> None:
        """The socket is ours: the clock runs."""
        limits, metrics = self.process.limits, self.process.metrics
        self.transport = transport
        self.sender = Sender(
            transport, limits, metrics, Outbox(limits.customer_outbox_bytes, limits.reply_slack_bytes)
        )
        self.process.sockets.add(self)
        log.info("opened %s from %s", self.id, self.address)
        self._watch()

    # --- for the hub, the session and the drain ------------------------------------------------------------------
    @property
    def session(self) -> Session:
        """The session; only what has one is in the hub."""
        assert self.session_or_none is not None
        return self.session_or_none

    @property
    def limits(self) -> GatewayLimits:
        """The process's limits."""
        return self.process.limits

    @property
    def closed(self) -> bool:
        """Whether it has ended; the socket may still be saying goodbye."""
        return self.phase is Phase.CLOSED

    def push(self, push: Push) -> None:
        """See `Outlet.push`."""
        if self.closed:
            return
        if self.held is not None:
            self.held.push(push)
            if self.held.overflown:
                self.close(CloseCode.OVERLOAD, "too much happened while the session was opened")
            return
        self.sender.push(push)
        self.check_room()

    def reply(self, frame: bytes) -> None:
        """Queue an answer."""
        if not self.closed:
            self.sender.reply(frame)
            self.check_room()

    def close(self, code: int, reason: str) -> None:
        """See `Outlet.close`."""
        self._close(Ending(code, reason))

    def leave(self, *, sign_out: bool) -> None:
        """The client said `session.bye`."""
        self._close(Ending(SAID_BYE, "bye", sign_out))

    def replaced(self) -> None:
        """The session was resumed on another connection."""
        self.sender.push(frames.replaced(self.session.session_id))
        self.close(CloseCode.REPLACED, "resumed on another connection")

    def go_away(self, reconnect_in_ms: int, finish_s: float) -> None:
        """Drain: no new requests; closed with 4200 when those under way are answered, or after `finish_s`."""
        if self.phase is not Phase.LIVE:
            self.close(CloseCode.DRAINING, "the server stops")
            return
        self.to(Phase.DRAINING)
        self.sender.push(frames.going_away(reconnect_in_ms))
        self._draining_until = self._loop.time() + finish_s
        self._finish_drain()
        self._watch()

    def abort(self, code: int, reason: str) -> None:
        """Drop the socket without goodbye: the peer would not take it."""
        if not self.closed:
            self._end(Ending(code, reason))
        self.transport.abort()

    # --- for the greeting ----------------------------------------------------------------------------------------
    def to(self, phase: Phase) -> None:
        """Change the phase; `protocol.states.PHASES` says what is legal."""
        assert phase in PHASES[self.phase], f"{self.phase} -> {phase}"
        self.phase = phase

    def become(self, session: Session, outbox_bytes: int) -> None:
        """Its person is known: other limits, and the hub knows it. Pushes are held until the greeting is over."""
        self.session_or_none = session
        self._greeted = True
        self.pace = Pace(self.limits, self.limits.rate(session.kind), self._loop.time())
        self.sender.outbox.limit_bytes = outbox_bytes
        self.held = Outbox(outbox_bytes, self.limits.reply_slack_bytes)
        self.process.hub.add(self)

    def lasts_until(self, expires_at_ms: int) -> None:
        """The session ends then (wall clock), unless prolonged."""
        self.session.expires_at_ms = expires_at_ms
        left_s = (expires_at_ms - frames.wall_ms()) / 1000
        self.expires_at = self._loop.time() + left_s
        self._warned = False
        self._watch()

    def syncing(self) -> None:
        """The hello is answered: heartbeats begin, requests are served, missed events follow."""
        self.to(Phase.SYNCING)
        self.hello_at = NEVER
        share = 1.0 - random.random() * self.limits.heartbeat_jitter
        self._beat_s = self.limits.heartbeat_s * share
        self.lasts_until(self.session.expires_at_ms)

    # --- the transport tells -------------------------------------------------------------------------------------
    def on_text(self, data: bytes) -> None:
        """See `Listener`."""
        if not self.closed:
            self.last_in = self._loop.time()
            inbound.receive(self, data, self.last_in)

    def on_violation(self, code: int, reason: str) -> None:
        """See `Listener`."""
        self.close(code, reason)

    def on_alive(self) -> None:
        """See `Listener`."""
        self.last_in = self._loop.time()

    def on_blocked(self) -> None:
        """See `Listener`."""
        self.sender.on_blocked()
        if not self.closed:
            self.check_room()
            self._watch()

    def on_writable(self) -> None:
        """See `Listener`."""
        if not self.closed:
            self.sender.on_writable()
            self._read_on()

    def on_lost(self, code: int, reason: str) -> None:
        """See `Listener`."""
        if not self.closed:
            self._end(Ending(code, reason))
        self.process.sockets.discard(self)

    # --- the clock -----------------------------------------------------------------------------------------------
    def due(self, now: float) -> float:
        """See `Watched`: every deadline of this connection."""
        if self.closed:
            return NEVER
        if now >= self.sender.stuck_at:
            self.abort(CloseCode.SLOW_CONSUMER, "does not read")
        elif now >= self.hello_at:
            self._hello_overdue()
        elif now >= self.expires_at:
            self.close(CloseCode.TOKEN_EXPIRED, "the session has expired")
        elif now >= self._draining_until:
            self.close(CloseCode.DRAINING, "the server stops")
        elif now >= self._silent_at:
            self.close(CloseCode.NO_HEARTBEAT, "nothing heard")
        if self.closed:
            return NEVER
        if now >= self.expires_at - self.limits.expiring_s and not self._warned and self.phase is Phase.LIVE:
            self._warned = True
            self.push(frames.expiring(self.session.expires_at_ms))
        if now >= self.sender.last_at + self._beat_s and not self.sender.blocked:
            self.sender.heartbeat()
            self.sender.last_at = now
        return self._next()

    @property
    def _silent_at(self) -> float:
        if self.phase is Phase.OPENED or self._paused:  # paused: it is we who do not listen
            return NEVER
        return self.last_in + self.limits.silent_until_s

    def _next(self) -> float:
        warning = NEVER if self._warned else self.expires_at - self.limits.expiring_s
        beat = NEVER if self.sender.blocked else self.sender.last_at + self._beat_s
        silent = self._silent_at
        if self._paused:
            silent = self._loop.time() + self.limits.silence_s
        return min(
            self.sender.stuck_at, self.hello_at, self.expires_at, warning, beat, silent, self._draining_until
        )

    def _watch(self) -> None:
        self.process.wheel.watch(self, self._next())

    def _hello_overdue(self) -> None:
        if self.hello_id is None:
            self.close(CloseCode.HELLO_TIMEOUT, "no session.hello")
            self._loop.call_at(self.hello_at + self.limits.stranger_close_s, self.transport.abort)
        else:
            self.reply(encode_error(self.hello_id, TOO_LATE))
            self.close(CloseCode.OVERLOAD, "session.hello took too long")

    # --- what was typed a moment too soon --------------------------------------------------------------------------
    def keep_typed(self, frame: NotificationFrame | None, wait_s: float) -> None:
        """This is what was typed last: it is taken up again in so many seconds. None: nothing is left to be told."""
        if frame is not None and self._typed is None:
            self._loop.call_later(wait_s, self._typed_again)
        self._typed = frame

    def _typed_again(self) -> None:
        frame, self._typed = self._typed, None
        if frame is not None and self.phase is Phase.LIVE:
            inbound.typed(self, frame, self._loop.time())

    # --- requests under way ---------------------------------------------------------------------------------------
    def _serve(self, frame: RequestFrame, lane: str) -> None:
        self.process.dispatcher.serve(self.session, frame, self.reply, lambda: self._served(lane))

    def _served(self, lane: str) -> None:
        self.lanes.finished(lane)
        if not self.closed:
            self._read_on()
            if self.phase is Phase.DRAINING:  # after the answer, which is queued after this
                self._loop.call_soon(self._finish_drain)

    def _finish_drain(self) -> None:
        if self.phase is Phase.DRAINING and self.lanes.under_way == 0:
            self.close(CloseCode.DRAINING, "the server stops")

    # --- room ----------------------------------------------------------------------------------------------------
    def check_room(self) -> None:
        """Stop listening to who asks faster than we answer, or than they read the answers."""
        if self.closed:
            return
        if self.sender.outbox.overflown:
            self.abort(CloseCode.SLOW_CONSUMER, "does not read its answers")
            return
        if not self._paused and self._too_much:
            self._paused = True
            self.transport.pause_reading()
        if self.sender.outbox.lagging:
            self._watch()

    @property
    def _too_much(self) -> bool:
        return self.lanes.under_way >= self.limits.in_flight or (
            self.sender.blocked and self.sender.outbox.half_full
        )

    def _read_on(self) -> None:
        if self._paused and not self._too_much and self.lanes.under_way <= self.limits.in_flight // 2:
            self._paused = False
            self.last_in = self._loop.time()
            self.transport.resume_reading()

    # --- the end -------------------------------------------------------------------------------------------------
    def _close(self, ending: Ending) -> None:
        if not self.closed:
            self.sender.flush()  # which may find out that the peer does not read, and end it
        if not self.closed:
            self._end(ending)
            self.transport.close(ending.code, ending.reason)

    def _end(self, ending: Ending) -> None:
        """Everything but the socket is over: the hub forgets it, and the opener is told once the greeting is done."""
        greeting_under_way = self.phase is Phase.OPENED and self._greeted
        self.to(Phase.CLOSED)
        self._ending = ending
        self.process.wheel.forget(self)
        self.process.metrics.closed[ending.code] += 1
        self.sender.stop()
        self.lanes.drop_waiting()
        self.held = None
        if self.session_or_none is not None:
            self.process.hub.remove(self)
            if not greeting_under_way:
                self.farewell()
        log.info(
            "closed %s %s %r", self.id, ending.code, ending.reason
        )  # the peer may have chosen the reason

    def farewell(self) -> None:
        """Tell the opener that the session is over."""
        assert self._ending is not None
        self.process.dispatcher.spawn(greeting.farewell(self.process.opener, self.session, self._ending))
