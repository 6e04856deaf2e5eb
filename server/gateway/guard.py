"""Bounds for sockets that have not asked for anything yet: uvicorn has none (fault 22).

A silent socket, half a header, a byte per second, a header without end, a body that trickles: all are dropped, so that
others get in. Pass `guarded_http(limits)` to uvicorn as `http=`.
"""

import asyncio
import socket
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.limits import KIB, GatewayLimits

HEADER_BYTES = 64 * KIB
"""Longest header of a request; httptools sets no limit."""


def tune(transport: asyncio.BaseTransport, limits: GatewayLimits) -> None:
    """Let the kernel give up on a peer that acknowledges nothing, and buffer little for one that does not read."""
    sock = cast("socket.socket | None", transport.get_extra_info("socket"))
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.socket_send_bytes)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.tcp_user_timeout_s * 1000))


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol with deadlines for the header and a lowest speed for the body."""

    limits = GatewayLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._in_body = False
        self._bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        tune(transport, self.limits)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._timer is None:
            self._expect_header()
        super().data_received(data)
        # Afterwards: one piece may bring a whole header and much of a body.
        if self._timer is not None and not self._in_body and self._bytes > HEADER_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._expect_body()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._settle()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._settle()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        super().connection_lost(exc)

    def _expect_header(self) -> None:
        self._bytes = 0
        self._timer = self.loop.call_later(self.limits.handshake_until_s, self._too_slow)

    def _expect_body(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._bytes = 0
        self._timer = self.loop.call_later(self.limits.body_window_s, self._check_body)

    def _check_body(self) -> None:
        enough = self._bytes >= self.limits.body_bytes_per_s * self.limits.body_window_s
        if enough or self.flow.read_paused:  # paused: it is we who are slow
            self._expect_body()
        else:
            self._too_slow()

    def _too_slow(self) -> None:
        self._timer = None
        self.transport.abort()

    def _settle(self) -> None:
        self._in_body = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def guarded_http(limits: GatewayLimits) -> type[GuardedHttp]:
    """The class for uvicorn's `http=`."""
    return type("GuardedHttp", (GuardedHttp,), {"limits": limits})
