"""A TCP proxy that can misbehave as networks do. For one event loop; normally in `wires`, a process of its own.

What passes is not looked at. Each direction may be treated otherwise; what connections suffered stays with them.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

LOOPBACK = "127.0.0.1"
BACKLOG = 4096
DIAL_S = 3.0
SYN_AGAIN_S = 0.02
"""a connection that is made while nothing passes is made when something does"""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 s: closing sends RST."""


class Mode(StrEnum):
    """What happens to bytes."""

    PASS = "pass"
    DELAY = "delay"
    """they arrive `seconds` later, in order"""
    STALL = "stall"
    """they wait, as on a link whose packets are lost, until the mode changes; nothing is lost"""
    DROP = "drop"
    """connections are reset, and new ones too"""
    HALF_OPEN = "half_open"
    """they vanish, and nobody is told: a peer without power. When the mode changes, such connections are reset"""
    THROTTLE = "throttle"
    """`bytes_per_s` at most"""


class Direction(StrEnum):
    """Seen from who connected."""

    BOTH = "both"
    TO_SERVER = "to_server"
    TO_CLIENT = "to_client"


@dataclass(frozen=True, slots=True)
class Treatment:
    """A mode with its measure."""

    mode: Mode = Mode.PASS
    seconds: float = 0.0
    bytes_per_s: float = 0.0


PASS = Treatment()


Place = tuple[str, int]
Route = Callable[[], Sequence[Place]]
"""Where a new connection may be led to, the best first."""


class Proxy:
    """Listens at `port` of loopback (or of another address of ours), and leads where its route says. Made by `open`.

    `keep_source`: goes on from the loopback address that the client came from, so that who is limited by address is
    still told apart.
    """

    def __init__(self, route: Route, *, keep_source: bool = False) -> None:
        self.port = 0
        self._route = route
        self._keep_source = keep_source
        self._server: asyncio.Server | None = None
        self._treatments = {Direction.TO_SERVER: PASS, Direction.TO_CLIENT: PASS}
        self._ends: set[End] = set()
        self._dialling: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, route: Route, at: str = LOOPBACK, *, keep_source: bool = False) -> "Proxy":
        """Begin to listen."""
        proxy = cls(route, keep_source=keep_source)
        loop = asyncio.get_running_loop()
        proxy._server = await loop.create_server(proxy._accepted, at, 0, backlog=BACKLOG)
        proxy.port = proxy._server.sockets[0].getsockname()[1]
        return proxy

    @property
    def connections(self) -> int:
        """Open ones."""
        return sum(end.direction is Direction.TO_SERVER for end in self._ends)

    def treat(self, treatment: Treatment, direction: Direction = Direction.BOTH) -> None:
        """All connections that are, and those to come, from now on."""
        for each in self._treatments:
            if direction in (each, Direction.BOTH):
                self._treatments[each] = treatment
        for end in tuple(self._ends):
            if direction in (end.direction, Direction.BOTH):
                end.treat(treatment)

    def forget(self, end: "End") -> None:
        """It is over."""
        self._ends.discard(end)

    async def close(self) -> None:
        """Listen no more; connections are reset."""
        if self._server is not None:
            self._server.close()
        for task in self._dialling:
            task.cancel()
        for end in tuple(self._ends):
            end.reset()

    def dial(self, near: "End") -> None:
        """Somebody connected: lead on."""
        self._ends.add(near)
        task = asyncio.create_task(self._dial(near))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    def _accepted(self) -> asyncio.Protocol:
        return End(self, Direction.TO_SERVER)

    async def _dial(self, near: "End") -> None:
        while Mode.STALL in self._modes():
            await asyncio.sleep(SYN_AGAIN_S)
        if Mode.DROP in self._modes():
            near.reset()
            return
        near.treatment = self._treatments[Direction.TO_SERVER]
        if Mode.HALF_OPEN in self._modes():
            near.lost_some = True
            near.begin()
            return
        far = await self._connected(near)
        if far is None or near.gone:
            near.reset()
            if far is not None:
                far.reset()
            return
        for end in (far, near):
            end.treatment = self._treatments[end.direction]  # it may have changed meanwhile
            end.begin()

    def _modes(self) -> set[Mode]:
        return {each.mode for each in self._treatments.values()}

    async def _connected(self, near: "End") -> "End | None":
        source = near.source() if self._keep_source else None
        for host, port in self._route():
            far = End(self, Direction.TO_CLIENT)
            near.other, far.other = far, near
            try:
                async with asyncio.timeout(DIAL_S):
                    await asyncio.get_running_loop().create_connection(
                        lambda far=far: far, host, port, local_addr=source
                    )
            except (OSError, TimeoutError):
                continue
            self._ends.add(far)
            return far
        return None


class End(asyncio.Protocol):
    """One end of a connection through a proxy; `other` is where its bytes go."""

    def __init__(self, proxy: Proxy, direction: Direction) -> None:
        self.direction = direction
        self.treatment = PASS
        self.other: End | None = None
        self.lost_some = False
        """bytes vanished here: the connection can never be right again"""
        self.gone = False
        self._proxy = proxy
        self._transport: asyncio.Transport | None = None
        self._begun = False
        self._early: list[bytes] = []
        """came before the way on was there"""
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._free_at = 0.0
        self._full = False
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        if self.direction is Direction.TO_SERVER:
            self._proxy.dial(self)

    def data_received(self, data: bytes) -> None:
        """As `asyncio.Protocol`."""
        mode = self.treatment.mode
        if not self._begun:
            self._early.append(data)
        elif mode is Mode.PASS and not self._waiting:
            self._on(data)
        elif mode is Mode.HALF_OPEN:
            self.lost_some = True
        else:
            self._keep(data)

    def eof_received(self) -> bool:
        """As `asyncio.Protocol`: the end travels like bytes do."""
        self._finish()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """As `asyncio.Protocol`: this side is gone, and the other hears of it unless nothing gets through."""
        self.gone = True
        self._proxy.forget(self)
        if exc is not None and self.treatment.mode not in (Mode.HALF_OPEN, Mode.STALL):
            self._waiting.clear()
            self.reset_other()
        else:
            self._finish()

    def pause_writing(self) -> None:
        """As `asyncio.Protocol`: this side takes no more, so the other reads no more."""
        if self.other is not None:
            self.other.hold(full=True)

    def resume_writing(self) -> None:
        """As `asyncio.Protocol`."""
        if self.other is not None:
            self.other.hold(full=False)

    def hold(self, *, full: bool) -> None:
        """The other side takes no more, or does again."""
        self._full = full
        self._breathe()

    def begin(self) -> None:
        """The way on is there, or leads nowhere."""
        self._begun = True
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)
        self._flow()
        self._breathe()

    def treat(self, treatment: Treatment) -> None:
        """From now on."""
        self.treatment = treatment
        self._free_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if treatment.mode is Mode.DROP or (self.lost_some and treatment.mode is not Mode.HALF_OPEN):
            self.reset()
            self.reset_other()
            return
        if treatment.mode is Mode.PASS:
            self._waiting = deque((0.0, data) for _, data in self._waiting)
        self._flow()
        self._breathe()

    def write(self, data: bytes) -> None:
        """To who is at this end."""
        if self._transport is not None:
            self._transport.write(data)

    def finish_writing(self) -> None:
        """Nothing more comes for who is at this end."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End this side with RST."""
        if self._transport is not None and not self.gone:
            plug = self._transport.get_extra_info("socket")
            if plug is not None:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    def reset_other(self) -> None:
        """End the other side with RST."""
        if self.other is not None:
            self.other.reset()

    def source(self) -> Place | None:
        """An address to go on from: who connected's, any port."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return None if peer is None else (str(peer[0]), 0)

    def _on(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def _finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self.treatment.mode is Mode.HALF_OPEN:
            self.lost_some = True
        elif self.treatment.mode is not Mode.STALL and not self._waiting and self.other is not None:
            self.other.finish_writing()

    def _keep(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        due = now
        if self.treatment.mode is Mode.DELAY:
            due = now + self.treatment.seconds
        elif self.treatment.mode is Mode.THROTTLE:
            self._free_at = due = max(now, self._free_at) + len(data) / self.treatment.bytes_per_s
        self._waiting.append((due, data))
        self._flow()
        self._breathe()

    def _breathe(self) -> None:
        """Read on, or leave bytes to the kernel: what is held here is bounded, as by a real link."""
        if self._transport is None or self.gone or self._transport.is_closing() or not self._begun:
            return
        slow = self.treatment.mode is Mode.THROTTLE and len(self._waiting) > 1
        if self._full or slow or self.treatment.mode is Mode.STALL:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _flow(self) -> None:
        """Pass on what is due."""
        if self.treatment.mode in (Mode.STALL, Mode.HALF_OPEN) or self._timer is not None or not self._begun:
            return
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time():
            self._on(self._waiting.popleft()[1])
        if self._waiting:
            self._timer = loop.call_at(self._waiting[0][0], self._again)
        elif self._ended and self.other is not None:
            self.other.finish_writing()

    def _again(self) -> None:
        self._timer = None
        self._flow()
        self._breathe()
