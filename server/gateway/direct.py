"""Our uvicorn `ws=` class: ASGI for the handshake, then frames go straight from the socket to the connection.

The ASGI application runs the handshake (so routing and refusals work as usual), takes the socket over by the extension
`DIRECT_EXTENSION`, and returns: no queue of dicts, no task, no paused reading per frame; scope, headers and uvicorn's
own protocol object are freed. It also gives what ASGI has no word for: abort, a handshake deadline, limits on fragments
and pings. Frames in are parsed by `websockets` (sans-I/O); frames out need no library: a header of 2 to 10 bytes.

uvicorn's minor version is pinned, since `DirectHandshake` overrides what is not public. Pass `direct_ws(limits)`.
"""

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, cast, final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from protocol.codes import CloseCode
from server.gateway.guard import tune
from server.gateway.rates import Bucket
from server.gateway.transport import DIRECT_EXTENSION, Listener
from server.limits import GatewayLimits

ABNORMAL = 1006
NO_STATUS = 1005
MESSAGE_TOO_BIG = 1009
REASON_BYTES = 123
"""Longest reason in a close frame (RFC 6455 section 5.5)."""


def reason_for_wire(reason: str) -> str:
    """Cut to what a close frame can carry, at a character."""
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")


class DirectHandshake(WebSocketsSansIOProtocol):
    """uvicorn's protocol until the application takes the socket over, or refuses."""

    limits = GatewayLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.max_message_size = self.limits.frame_bytes
        self._taken = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        tune(transport, self.limits)
        self._deadline = self.loop.call_later(self.limits.handshake_until_s, self._too_slow)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            # After super: its task has been made but has not run yet.
            cast("dict[str, Any]", self.scope)["extensions"][DIRECT_EXTENSION] = self.take_over

    def take_over(self, listener: Listener) -> "DirectSocket":
        """Give the accepted socket to `listener`; from now on this object is not used. Once, after accept."""
        self._taken = True
        self._forget_deadline()
        self.stop_keepalive()
        self.connections.discard(self)
        early = bool(self.frames) or not self.queue.empty()
        if self.read_paused:
            self.transport.resume_reading()
        taken = DirectSocket(
            self.transport, self.conn, listener, self.limits, cast("set[object]", self.connections)
        )
        self.transport.set_protocol(taken)
        if early:  # RFC 6455 section 4.1: the client must wait for the answer
            self.loop.call_soon(
                listener.on_violation, CloseCode.BAD_PROTOCOL, "data before the handshake's end"
            )
        return taken

    async def run_asgi(self) -> None:
        """As the parent's, but that a socket which was taken over stays open."""
        try:
            await cast("Any", self.app)(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            if not self._taken:
                self.send_500_response()
        else:
            if not self.handshake_complete:
                self.send_500_response()
        if not self._taken and self.close_timer is None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


@final
class DirectSocket(asyncio.Protocol):
    """An open WebSocket; a `Transport` to the connection that listens."""

    __slots__ = (
        "_closing", "_code", "_conn", "_connections", "_deaf", "_fragments", "_limits", "_listener",
        "_pings", "_reading", "_reason", "_timer", "_transport",
    )  # fmt: skip

    def __init__(
        self,
        transport: asyncio.Transport,
        conn: ServerProtocol,
        listener: Listener,
        limits: GatewayLimits,
        connections: set[object],
    ) -> None:
        self._transport = transport
        self._conn = conn
        self._listener = listener
        self._limits = limits
        self._connections = connections
        self._fragments: list[bytes] | None = None
        self._pings: Bucket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._deaf = False
        self._reading = True
        self._code, self._reason = ABNORMAL, ""
        connections.add(self)  # uvicorn waits for it when it stops, and calls `shutdown`
        transport.set_write_buffer_limits(limits.write_high_bytes)

    # --- what the connection asks ------------------------------------------------------------------------------
    def write(self, frames: Sequence[bytes]) -> None:
        """See `Transport`."""
        if self._closing:
            return
        parts: list[bytes] = []
        for frame in frames:
            size = len(frame)
            if size < 126:
                parts.append(b"\x81%c" % size)
            elif size < 65536:
                parts.append(b"\x81\x7e" + size.to_bytes(2, "big"))
            else:
                parts.append(struct.pack("!BBQ", 0x81, 127, size))
            parts.append(frame)
        self._transport.write(b"".join(parts))

    def close(self, code: int, reason: str) -> None:
        """See `Transport`."""
        if self._closing:
            return
        self._closing = True
        self._code, self._reason = code, reason
        self._conn.data_to_send()  # pongs that would only prolong it
        if self._conn.state is OPEN:
            self._conn.send_close(code, reason_for_wire(reason))
            self._transport.write(b"".join(self._conn.data_to_send()))
        else:
            self._transport.close()
        if not self._deaf:
            self.resume_reading()  # for the peer's half of the handshake
        self._abort_later()

    def abort(self) -> None:
        """See `Transport`."""
        self._closing = True
        self._transport.abort()

    def buffered(self) -> int:
        """See `Transport`."""
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """See `Transport`."""
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See `Transport`."""
        if not self._reading and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    def shutdown(self) -> None:
        """Uvicorn stops: for those whom the drain did not reach."""
        self._listener.on_violation(CloseCode.DRAINING, "the server stops")

    # --- what the event loop tells -----------------------------------------------------------------------------
    def data_received(self, data: bytes) -> None:
        conn, listener = self._conn, self._listener
        conn.receive_data(data)
        for frame in cast("list[Frame]", conn.events_received()):  # after the handshake, no requests
            opcode = frame.opcode
            if opcode is Opcode.CLOSE:
                self._closed_by_peer()
            elif self._closing:
                continue
            elif opcode is Opcode.TEXT and frame.fin:
                listener.on_text(cast("bytes", frame.data))
            elif opcode is Opcode.PING or opcode is Opcode.PONG:
                self._pinged()
            else:
                self._fragment(opcode, cast("bytes", frame.data), frame.fin)
        if conn.parser_exc is not None:
            self._broken(conn.parser_exc)
        elif conn.writes:
            pongs = conn.data_to_send()
            # Who does not read gets no pongs, nor does who is about to go.
            if not self._closing and self.buffered() < self._limits.write_high_bytes:
                self._transport.write(b"".join(pongs))

    def pause_writing(self) -> None:
        self._listener.on_blocked()

    def resume_writing(self) -> None:
        self._listener.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._closing = True
        self._connections.discard(self)
        self._listener.on_lost(self._code, self._reason)

    # --- parts -------------------------------------------------------------------------------------------------
    def _fragment(self, opcode: Opcode, data: bytes, fin: bool) -> None:
        """Collect a message in parts; its size is bounded by the parser."""
        if opcode is Opcode.BINARY:
            self._violated(CloseCode.BAD_PROTOCOL, "text frames only")
            return
        if opcode is Opcode.TEXT or self._fragments is None:
            self._fragments = []
        self._fragments.append(data)
        if fin:
            parts, self._fragments = self._fragments, None
            self._listener.on_text(b"".join(parts))
        elif len(self._fragments) > self._limits.fragments:
            self._fragments = None
            self._violated(CloseCode.BAD_PROTOCOL, "too many fragments")

    def _pinged(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._pings is None:
            self._pings = Bucket(self._limits.pings, now)
        if self._pings.take(now):
            self._violated(CloseCode.RATE_ABUSE, "too many pings")
        else:
            self._listener.on_alive()

    def _violated(self, code: int, reason: str) -> None:
        """Who breaks a rule of the transport is told so, heard no more, and cut off when they have had a moment to
        read it: floods cost as much to discard as to understand (fault 21)."""
        self._deaf = True
        self._listener.on_violation(code, reason)
        self.pause_reading()

    def _closed_by_peer(self) -> None:
        if not self._closing:
            received = self._conn.close_rcvd
            self._code = received.code if received is not None else NO_STATUS
            self._reason = received.reason if received is not None else ""
            self._closing = True
            self._transport.write(b"".join(self._conn.data_to_send()))
        self._transport.close()
        self._abort_later()

    def _broken(self, error: Exception) -> None:
        """The parser gave up: it has queued its close frame already."""
        if not self._closing:
            self._closing = True
            sent = self._conn.close_sent
            self._code = sent.code if sent is not None else ABNORMAL
            self._reason = "message too big" if isinstance(error, PayloadTooBig) else str(error)
            self._transport.write(b"".join(self._conn.data_to_send()))
        self._transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        """`close` waits for the peer to take what is buffered; one that does not read never would."""
        if self._timer is None:
            within_s = self._limits.stranger_close_s if self._deaf else self._limits.close_s
            self._timer = asyncio.get_running_loop().call_later(within_s, self._transport.abort)


def direct_ws(limits: GatewayLimits) -> type[DirectHandshake]:
    """The class for uvicorn's `ws=`."""
    return type("DirectHandshake", (DirectHandshake,), {"limits": limits})
