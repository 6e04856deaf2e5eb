"""The writing half of a connection: outbox -> transport, and when that has taken too long."""

import asyncio
from typing import final

from server.gateway import frames
from server.gateway.heads import Heads
from server.gateway.outbox import Outbox
from server.gateway.transport import Transport
from server.gateway.wheel import NEVER
from server.limits import GatewayLimits
from server.metrics import GatewayMetrics
from server.push import Push


@final
class Sender:
    """Sends what waits, all of one turn of the event loop in one write, as fast as the peer takes it."""

    __slots__ = (
        "_blocked_at", "_lag_at", "_limits", "_loop", "_metrics", "_room", "_scheduled", "_transport",
        "heads", "last_at", "outbox",
    )  # fmt: skip

    def __init__(
        self, transport: Transport, limits: GatewayLimits, metrics: GatewayMetrics, outbox: Outbox
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._limits = limits
        self._metrics = metrics
        self.outbox = outbox
        self.heads = Heads(limits.heads)
        self.last_at = self._loop.time()
        """when something was sent last"""
        self._scheduled = False
        self._blocked_at = NEVER
        self._lag_at = NEVER
        self._room: asyncio.Future[None] | None = None

    @property
    def blocked(self) -> bool:
        """Whether the peer reads slower than we write."""
        return self._blocked_at != NEVER

    @property
    def stuck_at(self) -> float:
        """When the peer has been too slow for too long, if it goes on like this."""
        return min(self._blocked_at + self._limits.stall_s, self._lag_at + self._limits.lag_s)

    def push(self, push: Push) -> None:
        """Queue a push under the rules of its plane."""
        if push.conversation is not None:
            self.heads.advance(push.conversation, push.seq)
        self.outbox.push(push)
        if self.outbox.lagging and self._lag_at == NEVER:
            self._metrics.lagging += 1
            self._lag_at = self._loop.time()
        self._send_soon()

    def reply(self, frame: bytes) -> None:
        """Queue an answer; a big one leaves at once, if it can, to make room for the next."""
        self.outbox.reply(frame)
        if self.outbox.size >= self._limits.write_high_bytes:
            self.flush()
        else:
            self._send_soon()

    def heartbeat(self) -> None:
        """Send an `hb` with the heads that changed."""
        self._metrics.heartbeats += 1
        self.reply(self.heads.heartbeat())

    def flush(self) -> None:
        """Send what waits, until the peer blocks."""
        self._scheduled = False
        outbox = self.outbox
        while outbox and not self.blocked:
            self._write(outbox.take(self._limits.write_high_bytes))
        if not outbox and not self.blocked:
            if outbox.lagging:
                self._lag_at = NEVER
                for conversation, seq in outbox.recover().items():
                    self._metrics.resets += 1
                    outbox.push(frames.stream_reset(conversation, max(seq, self.heads.of(conversation))))
                self.flush()
            elif self._room is not None and not self._room.done():
                self._room.set_result(None)

    def on_blocked(self) -> None:
        """The transport's buffer is full."""
        if not self.blocked:
            self._blocked_at = self._loop.time()

    def on_writable(self) -> None:
        """It is not any more."""
        self._blocked_at = NEVER
        self.flush()

    async def room(self) -> None:
        """Wait until a new batch may be queued: all that waited was sent, or the connection ended."""
        if self.outbox.half_full or self.outbox.lagging:
            self._room = self._loop.create_future()
            await self._room
            self._room = None

    def stop(self) -> None:
        """The connection ended."""
        self._metrics.pushes_dropped += self.outbox.dropped
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _send_soon(self) -> None:
        if not self._scheduled and not self.blocked:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def _write(self, batch: list[bytes]) -> None:
        self._metrics.frames_out += len(batch)
        self.last_at = self._loop.time()
        self._transport.write(batch)
