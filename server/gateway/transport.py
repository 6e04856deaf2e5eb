"""The seam between a socket and a connection: what each asks of the other.

Two implementations: `direct.py` (uvicorn `ws=` class; frames go straight to the listener) and `asgi.py` (plain ASGI,
for other servers and for tests of this seam). A third frame engine would be one more file.
"""

from collections.abc import Sequence
from typing import Protocol

DIRECT_EXTENSION = "pointsman.direct"
"""Key in `scope["extensions"]`; its value takes a `Listener` after accept and gives the `Transport`."""


class Listener(Protocol):
    """What a transport tells. All calls come from the event loop and must not block or raise."""

    def on_text(self, data: bytes) -> None:
        """A whole text message, at most `frame_bytes` long, not yet known to be UTF-8."""
        ...

    def on_violation(self, code: int, reason: str) -> None:
        """The peer broke a rule of the transport (binary frame, too many fragments or pings); close with this code."""
        ...

    def on_alive(self) -> None:
        """A ping or pong came."""
        ...

    def on_blocked(self) -> None:
        """The peer reads slower than we write: `write` adds to memory from now on."""
        ...

    def on_writable(self) -> None:
        """The backlog is gone."""
        ...

    def on_lost(self, code: int, reason: str) -> None:
        """The socket is gone. Once, and the last call. `code`: the peer's close code, or ours, or 1006."""
        ...


class Transport(Protocol):
    """What a connection may do to its socket. Nothing here blocks; after the end everything is a no-op."""

    def write(self, frames: Sequence[bytes]) -> None:
        """Send text frames, in one write."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Start the close handshake; aborts by itself when the peer does not play its part in `close_s`."""
        ...

    def abort(self) -> None:
        """Drop the socket and all that was queued, now."""
        ...

    def buffered(self) -> int:
        """Bytes written and not yet taken by the kernel."""
        ...

    def pause_reading(self) -> None:
        """Let the peer's frames wait in the kernel."""
        ...

    def resume_reading(self) -> None:
        """Take them again."""
        ...
