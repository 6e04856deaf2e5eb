"""The gateway's front door: who may connect at all, decided before accept; then the socket is handed over.

gateway = Gateway(opener=..., handlers=..., ...)
WebSocketRoute("/ws", gateway.endpoint)
uvicorn.Config(app, http=guarded_http(limits), ws=direct_ws(limits), ...)
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from protocol.codes import CloseCode
from protocol.errors import RequestError
from protocol.version import SUBPROTOCOL
from server.gateway.asgi import AsgiTransport
from server.gateway.connection import Connection
from server.gateway.dispatch import Dispatcher
from server.gateway.drain import drain
from server.gateway.hub import Hub
from server.gateway.origin import Origins, Verdict
from server.gateway.process import Process
from server.gateway.rates import Addresses
from server.gateway.transport import DIRECT_EXTENSION, Listener, Transport
from server.gateway.wheel import Wheel
from server.limits import GatewayLimits
from server.metrics import GatewayMetrics
from server.session import Door, Handlers, NoticeHandlers, Opener, Principal, SessionRefused

log = logging.getLogger(__name__)


class Refusal(Exception):
    """A handshake that gets an HTTP status instead of a socket. `reason` is for the body and for metrics."""

    def __init__(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class Gateway:
    """All connections of one process. Make it inside the running event loop's life; `start` before the first socket."""

    def __init__(
        self,
        *,
        opener: Opener,
        handlers: Handlers,
        notices: NoticeHandlers,
        door: Door,
        hub: Hub,
        origins: Origins,
        limits: GatewayLimits,
        metrics: GatewayMetrics | None = None,
    ) -> None:
        self.metrics = metrics or GatewayMetrics()
        self._origins = origins
        self._addresses = Addresses(limits.connects_per_address)
        self._open = False
        self._process = Process(
            opener=opener,
            dispatcher=Dispatcher(handlers, notices, door, limits, self.metrics),
            hub=hub,
            limits=limits,
            metrics=self.metrics,
            wheel=Wheel(limits.tick_s),
        )

    def start(self) -> None:
        """Let people in; the clock runs."""
        self._open = True
        process = self._process
        process.wheel.watch(process.dispatcher, asyncio.get_running_loop().time())

    @property
    def accepting(self) -> bool:
        """Whether new connections are let in (part of readiness)."""
        return self._open

    @property
    def sockets(self) -> int:
        """Open sockets, those before hello and those saying goodbye included."""
        return len(self._process.sockets)

    def gauges(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """For `GatewayCollector`."""
        process = self._process
        return {
            "sockets": ("Open WebSockets.", lambda: len(process.sockets)),
            "sessions_open": ("Connections with a session.", lambda: len(process.hub)),
            "requests_under_way": ("Handlers that have not come back.", lambda: process.dispatcher.under_way),
        }

    def stop_accepting(self) -> None:
        """Refuse new connections (503); the first step of a drain."""
        self._open = False

    async def drain(self) -> int:
        """Stop accepting and send everybody away in waves; see `drain.drain`. Returns how many had to be aborted."""
        self.stop_accepting()
        return await drain(self._process.sockets, self._process.limits)

    def close_all(self, code: CloseCode, reason: str) -> int:
        """End every connection at once (a lost lease: 4203), those before hello included. Returns how many."""
        connections = tuple(self._process.sockets)
        for connection in connections:
            connection.close(code, reason)
        return len(connections)

    async def stop(self, within_s: float = 5.0) -> None:
        """The end of the process: abort what is left, wait for handlers and farewells, stop the clock."""
        self.stop_accepting()
        for connection in tuple(self._process.sockets):
            connection.abort(CloseCode.DRAINING, "the server stops")
        await self._process.dispatcher.settle(within_s)
        self._process.wheel.stop()

    async def endpoint(self, websocket: WebSocket) -> None:
        """The route."""
        try:
            authorized = await self._judge(websocket)
            await websocket.accept(subprotocol=SUBPROTOCOL)
        except Refusal as refusal:
            self.metrics.handshakes[refusal.reason] += 1
            await _deny(websocket, refusal)
            return
        except WebSocketDisconnect:
            self.metrics.handshakes["gone"] += 1
            return
        self.metrics.handshakes["accepted"] += 1
        address = websocket.client.host if websocket.client is not None else ""
        connection = Connection(self._process, websocket.headers.get("origin"), address, authorized)
        direct: Callable[[Listener], Transport] | None = websocket.scope["extensions"].get(DIRECT_EXTENSION)
        if direct is not None:
            connection.start(direct(connection))
            return
        transport = AsgiTransport(websocket, connection, self._process.limits)
        connection.start(transport)
        await transport.run()

    async def _judge(self, websocket: WebSocket) -> Principal | None:
        """Whether this handshake is accepted; whom an Authorization header proves. Raises Refusal.

        Cheap questions first: an overloaded node must be able to say so.
        """
        limits, process = self._process.limits, self._process
        if not self._open:
            raise Refusal(503, "draining", {"retry-after": "1"})
        pending = len(process.sockets) - len(process.hub)
        if len(process.sockets) >= limits.connections or pending >= limits.pending_hellos:
            raise Refusal(503, "too_many_connections", {"retry-after": "5"})
        if websocket.client is not None:
            wait_ms = self._addresses.take(websocket.client.host, asyncio.get_running_loop().time())
            if wait_ms:
                raise Refusal(429, "too_many_handshakes", {"retry-after": str(wait_ms // 1000 + 1)})
        verdict = await self._origins.judge(websocket.headers)
        if verdict is not Verdict.ALLOWED:
            raise Refusal(403, verdict)
        if SUBPROTOCOL not in websocket.scope["subprotocols"]:
            raise Refusal(400, "subprotocol_required", {"sec-websocket-protocol": SUBPROTOCOL})
        authorization = websocket.headers.get("authorization")
        return None if authorization is None else await self._authorize(authorization, websocket)

    async def _authorize(self, authorization: str, websocket: WebSocket) -> Principal:
        try:
            return await self._process.opener.authenticate(
                ticket=None, authorization=authorization, origin=websocket.headers.get("origin")
            )
        except RequestError as error:
            if error.retryable:
                raise Refusal(503, "unavailable", {"retry-after": "1"}) from None
            raise Refusal(401, "unauthenticated", {"www-authenticate": "Bearer"}) from None
        except SessionRefused as refusal:
            raise Refusal(403, refusal.code.name.lower()) from None


async def _deny(websocket: WebSocket, refusal: Refusal) -> None:
    body = Response(refusal.reason, status_code=refusal.status, headers=refusal.headers)
    with suppress(WebSocketDisconnect):
        await websocket.send_denial_response(body)
