"""WebSocket frames as a client writes and reads them (RFC 6455, section 5). Pure; for text frames of one piece.

The driver of the benchmarks must cost less than what it measures, so this is the least that is correct: no
extensions, no fragments, one mask key per process (the mask is there against proxies, and there are none).
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping

MASK = secrets.token_bytes(4)
TEXT = 0x1
CLOSE = 0x8
PING = 0x9
PONG = 0xA
_FINAL = 0x80
_MASKED = 0x80
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_patterns: dict[int, int] = {}


class FrameError(Exception):
    """The server sent something that this driver does not take: a fragment, a reserved bit, a masked frame."""


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One masked frame."""
    size = len(payload)
    if size < 126:
        head = bytes((_FINAL | opcode, _MASKED | size))
    elif size < 65_536:
        head = bytes((_FINAL | opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | opcode, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + MASK + _mask(payload, size)


def _mask(payload: bytes, size: int) -> bytes:
    # As one long integer: a hundred times faster than byte by byte, and nothing to install.
    pattern = _patterns.get(size)
    if pattern is None:
        pattern = _patterns[size] = int.from_bytes((MASK * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ pattern).to_bytes(size, "little")


class FrameReader:
    """Cuts what arrives into frames. Holds the piece of a frame whose rest is still on its way."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames completed by `data`, as (opcode, payload). Raises FrameError."""
        if self._rest:
            data = self._rest + data
        found: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while end - at >= 2:
            first, size, start = data[at], data[at + 1], at + 2
            if size >= 126:
                if size > 127:
                    raise FrameError("masked by the server")
                wide = 2 if size == 126 else 8
                if end - start < wide:
                    break
                size = int.from_bytes(data[start : start + wide], "big")
                start += wide
            if end - start < size:
                break
            if first & 0xF0 != _FINAL:
                raise FrameError("a fragment, or a reserved bit")
            at = start + size
            found.append((first & 0x0F, data[start:at]))
        self._rest = data[at:] if at < end else b""
        return found


def handshake(
    host: str, port: int, path: str, subprotocol: str | None, headers: Mapping[str, str]
) -> tuple[bytes, bytes]:
    """The opening request, and the `Sec-WebSocket-Accept` that its answer must carry (section 4.1)."""
    key = base64.b64encode(secrets.token_bytes(16))
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key.decode()}",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return "\r\n".join([*lines, "", ""]).encode(), accept


def accepted(head: bytes, accept: bytes) -> bool:
    """Whether the header `head` of the answer opens the WebSocket that was asked for."""
    status, *lines = head.split(b"\r\n")
    if not status.startswith(b"HTTP/1.1 101"):
        return False
    named = (line.partition(b":") for line in lines)
    return any(
        name.lower() == b"sec-websocket-accept" and value.strip() == accept for name, _, value in named
    )
