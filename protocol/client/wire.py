"""One socket of the client: frames out, frames in, replies to their requests. Knows no session and no reconnecting."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Origin, Subprotocol

from protocol.client.reconnect import Ended, refused
from protocol.codec import (
    CodecError,
    NotificationFrame,
    ReplyFrame,
    decode_result,
    decode_server,
    encode_notification,
    encode_request,
)
from protocol.codes import CloseCode, ErrorCode
from protocol.errors import PointsmanError, RequestError
from protocol.events import EVENTS
from protocol.methods import METHODS, Method
from protocol.shapes import Shape
from protocol.version import SUBPROTOCOL

R = TypeVar("R", bound=Shape)
FRAME_MAX_BYTES = 32 * 1024 * 1024
"""Longest frame taken from the server: a page of history may hold many long texts."""
ABNORMAL = 1006
"""RFC 6455, 7.4.1: the connection ended without a close frame."""


class WireEnded(PointsmanError):
    """The socket ended, or never began; `ended` says how."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(f"{ended.code} {ended.reason}".strip())
        self.ended = ended


class Wire:
    """An open socket. Read `frames()` in one task; any task may `ask` and `tell`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, tuple[Method, asyncio.Future[Shape]]] = {}
        self._last_id = 0
        self._ended: Ended | None = None
        self.heard_at = self._loop.time()
        self.told_at = self.heard_at

    @classmethod
    async def open(
        cls, url: str, *, origin: str | None, headers: Mapping[str, str], timeout_s: float
    ) -> "Wire":
        """Connect. WireEnded when that fails: final after HTTP 401 and 403."""
        try:
            socket = await connect(
                url,
                origin=None if origin is None else Origin(origin),
                additional_headers=headers,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                proxy=None,
                open_timeout=timeout_s,
                ping_interval=None,  # the protocol has a heartbeat of its own
                close_timeout=2,
                max_size=FRAME_MAX_BYTES,
            )
        except InvalidStatus as error:
            response = error.response
            raise WireEnded(refused(response.status_code, response.headers.get("Retry-After"))) from None
        # AttributeError: the socket was reset before the library had made its parts (python-websockets #1629).
        except (OSError, TimeoutError, WebSocketException, AttributeError) as error:
            raise WireEnded(Ended(ABNORMAL, f"{type(error).__name__}: {error}")) from error
        return cls(socket)

    async def hello(self, params: Shape, result: type[R], timeout_s: float) -> R:
        """Ask `session.hello` and read until its reply, so that nothing after it is heard before it was understood.

        RequestError when it is refused, WireEnded when the socket ends first.
        """
        future = await self._send_request("session.hello", params)
        try:
            async with asyncio.timeout(timeout_s):
                while not future.done():
                    await self._read()
        except TimeoutError:
            raise WireEnded(Ended(ABNORMAL, "no reply to session.hello")) from None
        reply = await future
        assert isinstance(reply, result)
        return reply

    async def ask(self, name: str, params: Shape, result: type[R]) -> R:
        """Send a request and wait for its reply.

        RequestError when it is refused; with COMMIT_UNKNOWN when the connection ends before the reply came.
        """
        reply = await (await self._send_request(name, params))
        assert isinstance(reply, result)
        return reply

    async def tell(self, name: str, params: Shape) -> None:
        """Send a notification; lost without a word when the socket has ended."""
        try:
            await self._send(encode_notification(name, params))
        except SocketClosed:
            assert name in EVENTS  # the reader finds out about the end, and why

    async def frames(self) -> AsyncIterator[NotificationFrame]:
        """Notifications as they come. Raises WireEnded at the end of the socket; never returns otherwise."""
        while True:
            frame = await self._read()
            if frame is not None:
                yield frame

    async def close(self) -> None:
        """Close in an orderly way; waits for the other side's close frame, for 2 s at most."""
        await self._socket.close()

    def abort(self) -> None:
        """End it without a word."""
        self._socket.transport.abort()

    def lost(self, ended: Ended) -> None:
        """Tell those who wait for replies that none will come."""
        self._ended = ended
        for _, future in self._asked.values():
            if not future.done():
                future.set_exception(_unknown())
                future.exception()  # counts as seen, should nobody be waiting any more
        self._asked.clear()

    async def _send_request(self, name: str, params: Shape) -> asyncio.Future[Shape]:
        if self._ended is not None:
            raise _unsent()
        self._last_id += 1
        request_id = self._last_id
        future: asyncio.Future[Shape] = self._loop.create_future()
        self._asked[request_id] = (METHODS[name], future)
        future.add_done_callback(lambda _: self._asked.pop(request_id, None))
        try:
            await self._send(encode_request(request_id, name, params))
        except SocketClosed:
            future.cancel()
            raise _unsent() from None
        return future

    async def _send(self, frame: bytes) -> None:
        await self._socket.send(frame, text=True)
        self.told_at = self._loop.time()

    async def _read(self) -> NotificationFrame | None:
        """One frame: a notification, or None for one that was dealt with here."""
        try:
            data = await self._socket.recv(decode=False)
        except SocketClosed as error:
            closed = error.rcvd
            ended = Ended(ABNORMAL, str(error)) if closed is None else Ended(closed.code, closed.reason)
            self.lost(ended)
            raise WireEnded(ended) from None
        self.heard_at = self._loop.time()
        try:
            frame = decode_server(data)
        except CodecError as error:
            if error.error.code is ErrorCode.METHOD_NOT_FOUND:  # an event of a newer server
                return None
            raise WireEnded(Ended(CloseCode.BAD_PROTOCOL, f"the server sent {error.error.reason}")) from error
        if isinstance(frame, NotificationFrame):
            return frame
        self._answer(frame)
        return None

    def _answer(self, frame: ReplyFrame) -> None:
        method, future = self._asked.get(cast("int", frame.id), (None, None))
        if method is None or future is None or future.done():
            return  # nobody waits for it any more
        if frame.error is not None:
            future.set_exception(frame.error)
            return
        try:
            future.set_result(decode_result(method, frame.result))
        except CodecError as error:
            future.set_exception(error.error)


def _unknown() -> RequestError:
    return RequestError(
        ErrorCode.COMMIT_UNKNOWN,
        "connection_lost",
        "The connection ended before the reply; perhaps it was done.",
    )


def _unsent() -> RequestError:
    return RequestError(ErrorCode.UNAVAILABLE, "not_connected", "There is no connection; nothing was sent.")
