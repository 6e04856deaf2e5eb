"""One cheap WebSocket of the driver: an asyncio protocol that hands each text to a function as it arrives."""

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

from loadtest.frames import CLOSE, PING, PONG, TEXT, FrameReader, accepted, frame, handshake

HANDSHAKE_S = 10.0
BEAT_S = 15.0
Hear = Callable[[bytes], None]


class LineBroken(Exception):
    """The socket could not be opened, or ended while it was needed."""


class Line(asyncio.Protocol):
    """An open WebSocket. Made by `open`; `hear` gets every text and may be exchanged."""

    def __init__(self, hear: Hear) -> None:
        self.hear = hear
        self.ended: str | None = None
        """why the server ended it; None while it is open"""
        self.over = asyncio.Event()
        """it is"""
        self.closing = False
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._accept = b""
        self._beat = b""
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        path: str,
        hear: Hear,
        *,
        subprotocol: str | None = None,
        source: str | None = None,
        headers: Mapping[str, str] | None = None,
        beat: bytes = b"",
    ) -> "Line":
        """Connect, from the local address `source` if one is given. Raises LineBroken.

        `beat` is said every 15 s: who only listens must say that they are there.
        """
        loop = asyncio.get_running_loop()
        request, accept = handshake(host, port, path, subprotocol, headers or {})
        local = None if source is None else (source, 0)
        try:
            transport, line = await loop.create_connection(lambda: cls(hear), host, port, local_addr=local)
        except OSError as error:
            raise LineBroken(f"cannot connect to {host}:{port}: {error}") from error
        line._accept = accept
        transport.write(request)
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await line._opened
        except TimeoutError:
            transport.abort()
            raise LineBroken(f"{host}:{port} did not answer the handshake") from None
        if beat:
            line._beat = beat
            loop.call_later(BEAT_S, line._say_beat)
        return line

    def say(self, text: bytes) -> None:
        """Send one text."""
        assert self._transport is not None, "open"
        self._transport.write(frame(text))

    def listen(self, on: bool) -> None:
        """Read no more, as a program that hangs, or again; what comes fills the kernel's buffers."""
        assert self._transport is not None, "open"
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    async def close(self) -> None:
        """Say goodbye, and cut the socket a moment later whatever the server says."""
        self.closing = True
        if self._transport is not None and self.ended is None:
            self._transport.write(frame((1000).to_bytes(2, "big"), CLOSE))
            await asyncio.sleep(0)
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the TCP connection is there."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio's: bytes arrived."""
        if self.ended is not None:
            return  # the rest of a refusal
        if not self._opened.done():
            self._head += data
            head, blank, data = self._head.partition(b"\r\n\r\n")
            if not blank:
                return
            if not accepted(head, self._accept):
                answer = head.partition(b"\r\n")[0].decode(errors="replace")
                self.ended = f"the handshake was refused: {answer}"
                self._opened.set_exception(LineBroken(self.ended))
                self._cut()
                return
            self._opened.set_result(None)
        for opcode, payload in self._reader.feed(data):
            if opcode == TEXT:
                self.hear(payload)
            else:
                self._control(opcode, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: it is over."""
        self.ended = self.ended or f"connection lost: {exc or 'end of stream'}"
        self.over.set()
        if not self._opened.done():
            self._opened.set_exception(LineBroken(self.ended))

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING and self._transport is not None:
            self._transport.write(frame(payload, PONG))
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self.ended = f"closed with {code} {payload[2:].decode(errors='replace')}".strip()
            self._cut()

    def _say_beat(self) -> None:
        if self.ended is None and not self.closing:
            self.say(self._beat)
            asyncio.get_running_loop().call_later(BEAT_S, self._say_beat)

    def _cut(self) -> None:
        if self._transport is not None:
            self._transport.close()
