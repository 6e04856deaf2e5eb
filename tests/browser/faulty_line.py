"""A line between browsers and the nodes that a test can cut, and that loses answers: real sockets, really broken.

The browser knows one address. Behind it stands the first node that takes connections, as behind a balancer:
a node that is killed takes its connections along, and the next ones go to another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from server.embedded.ports import LOOPBACK
from tests.browser.backstage import Backstage

CUT_S = 20.0
"""How long a cut lasts unless a test says otherwise: a tunnel, a lift, another cell."""
CHUNK = 65536


class FaultyLine:
    """One address of its own, `address`, in front of the nodes at `ports`."""

    def __init__(self, backstage: Backstage, ports: Sequence[int]) -> None:
        self._backstage = backstage
        self._ports = tuple(ports)
        self._server: asyncio.Server
        self._calls: set[asyncio.Task[None]] = set()
        self._cut_at: float | None = None
        self._deaf = False
        self.answers_lost = 0
        """bytes that the nodes sent and nobody got"""

    @classmethod
    def lay(cls, backstage: Backstage, ports: Sequence[int]) -> FaultyLine:
        """A line that works."""
        line = cls(backstage, ports)
        backstage.do(line._listen())
        return line

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._called, LOOPBACK, 0)

    @property
    def host(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    @property
    def address(self) -> str:
        """What browsers load pages from; an origin."""
        return f"http://{self.host}"

    def cut(self) -> None:
        """Every connection breaks at once, and none is made until the line is mended."""
        self._cut_at = time.monotonic()
        self._backstage.do(self._broken())

    def loses_answers(self) -> None:
        """From here on what the nodes say gets lost, while they hear everything: until the next cut."""
        self._deaf = True

    def mend(self, *, cut_for: float = 0.0) -> None:
        """It works again; not before it was cut for so many seconds."""
        if self._cut_at is not None:
            time.sleep(max(0.0, self._cut_at + cut_for - time.monotonic()))
        self._cut_at = None

    def take_down(self) -> None:
        """The end of it."""
        self._backstage.do(self._taken_down())

    async def _taken_down(self) -> None:
        self._server.close()
        await self._broken()
        await self._server.wait_closed()

    async def _broken(self) -> None:
        self._deaf = False
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(self._call(reader, writer))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it or the line is cut; both sides then see a reset."""
        ends = [writer]
        try:
            if self._cut_at is not None:
                return
            node_reader, node_writer = await self._node()
            ends.append(node_writer)
            ways = [
                asyncio.create_task(self._carry(reader, node_writer, answers=False)),
                asyncio.create_task(self._carry(node_reader, writer, answers=True)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            await _flushed(ends)
        except ConnectionError:
            return  # no node takes connections
        finally:
            for end in ends:
                end.transport.abort()

    async def _node(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in self._ports:
            with suppress(ConnectionError):
                return await asyncio.open_connection(LOOPBACK, port)
        raise ConnectionRefusedError

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(CHUNK):
                if answers and self._deaf:
                    self.answers_lost += len(data)
                    continue
                sink.write(data)
                await sink.drain()


async def _flushed(ends: list[asyncio.StreamWriter]) -> None:
    """What was said before the end still arrives."""
    for end in ends:
        end.close()
    for end in ends:
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await end.wait_closed()
