"""One socket without a client behind it: frames as they come, to see exactly what the server sends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from protocol.ids import new_id
from protocol.version import SUBPROTOCOL
from tests.scenarios.house import PATIENCE_S, Node, Person


class RawSocket:
    """A person's socket on a node. `heard`: every notification so far, in order; `raw`: every frame, as it came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.heard: list[dict[str, Any]] = []
        self.raw: list[bytes] = []

    async def asks(self, method: str, **params: Any) -> dict[str, Any]:
        """A request; its reply, an error included."""
        id = new_id()
        frame = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        await self._socket.send(orjson.dumps(frame).decode())
        async with asyncio.timeout(PATIENCE_S):
            while True:
                got = await self._next()
                if got.get("id") == id:
                    return got

    async def tells(self, method: str, **params: Any) -> None:
        """A notification."""
        await self._socket.send(orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params}).decode())

    async def until_heard(self, method: str) -> list[dict[str, Any]]:
        """Everything heard so far, up to and with the first notification of this name."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for index, frame in enumerate(self.heard):
                    if frame["method"] == method:
                        return self.heard[: index + 1]
                await self._next()

    async def next(self) -> dict[str, Any]:
        """The next frame; TimeoutError when none comes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._next()

    async def _next(self) -> dict[str, Any]:
        frame = await self._socket.recv(decode=False)
        self.raw.append(frame)
        got: dict[str, Any] = orjson.loads(frame)
        if "method" in got:
            self.heard.append(got)
        return got


@asynccontextmanager
async def raw_socket(person: Person, node: Node) -> AsyncGenerator[tuple[RawSocket, str]]:
    """A socket of this person on that node, and a ticket for its hello."""
    ticket = (await node.app.authentication.ticket_of(person.principal, node.url)).ticket
    url = node.url.replace("http", "ws") + "/ws"
    async with connect(
        url, origin=Origin(node.url), subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None, proxy=None
    ) as socket:
        yield RawSocket(socket), ticket
