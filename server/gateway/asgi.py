"""The transport over plain ASGI: for other servers, and for tests of the seam.

What ASGI cannot say is missing: `abort` drops our side at once, but the server may keep the socket until the kernel
gives up (`guard.tune`); fragments and pings are the server's affair, and so is the size of its buffers.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import final

from starlette.websockets import WebSocket, WebSocketDisconnect

from protocol.codes import CloseCode
from server.gateway.direct import ABNORMAL, MESSAGE_TOO_BIG, NO_STATUS, reason_for_wire
from server.gateway.transport import Listener
from server.limits import GatewayLimits


@final
class AsgiTransport:
    """An accepted ASGI WebSocket; a `Transport` to the connection that listens. `run` lasts as long as it does."""

    def __init__(self, websocket: WebSocket, listener: Listener, limits: GatewayLimits) -> None:
        self._websocket = websocket
        self._listener = listener
        self._limits = limits
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._blocked = False
        self._wake = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._ended = asyncio.Event()
        self._closing = False
        self._code, self._reason = ABNORMAL, ""
        self._timer: asyncio.TimerHandle | None = None

    def write(self, frames: Sequence[bytes]) -> None:
        """See `Transport`; ASGI sends one by one."""
        if self._closing:
            return
        self._queue.extend(frames)
        self._bytes += sum(map(len, frames))
        self._wake.set()
        if self._bytes > self._limits.write_high_bytes and not self._blocked:
            self._blocked = True
            self._listener.on_blocked()

    def close(self, code: int, reason: str) -> None:
        """See `Transport`."""
        if self._closing:
            return
        self._closing = True
        self._code, self._reason = code, reason
        self._readable.set()
        self._wake.set()
        self._timer = asyncio.get_running_loop().call_later(self._limits.close_s, self._ended.set)

    def abort(self) -> None:
        """See `Transport`."""
        self._closing = True
        self._queue.clear()
        self._ended.set()

    def buffered(self) -> int:
        """See `Transport`."""
        return self._bytes

    def pause_reading(self) -> None:
        """See `Transport`."""
        self._readable.clear()

    def resume_reading(self) -> None:
        """See `Transport`."""
        self._readable.set()

    async def run(self) -> None:
        """Read and write until the end; then tells the listener."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(work) for work in (self._read(), self._write(), self._wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._closing = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._listener.on_lost(self._code, self._reason)

    async def _wait(self) -> None:
        await self._ended.wait()

    async def _read(self) -> None:
        while True:
            await self._readable.wait()
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                if not self._closing:
                    self._code = int(message.get("code") or NO_STATUS)
                    self._reason = str(message.get("reason") or "")
                return
            if self._closing:
                continue
            text = message.get("text")
            if text is None:
                self._listener.on_violation(CloseCode.BAD_PROTOCOL, "text frames only")
                continue
            data = str(text).encode(errors="surrogatepass")
            if len(data) > self._limits.frame_bytes:
                self._listener.on_violation(MESSAGE_TOO_BIG, "message too big")
            else:
                self._listener.on_text(data)

    async def _write(self) -> None:
        """Ends when the socket does; after a close it leaves the waiting to the reader."""
        try:
            while True:
                while self._queue:
                    frame = self._queue.popleft()
                    await self._websocket.send_text(frame.decode())
                    self._bytes -= len(frame)
                if self._blocked:
                    self._blocked = False
                    self._listener.on_writable()
                    continue
                if self._closing:
                    await self._websocket.close(self._code, reason_for_wire(self._reason))
                    return await self._wait()
                self._wake.clear()
                await self._wake.wait()
        except (WebSocketDisconnect, RuntimeError):
            return await self._wait()  # the reader is told the code
