"""A server that does what the test says, word by word, so that tests of the client read as dialogues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from protocol.client import Client, Patience
from protocol.codes import ErrorCode
from protocol.version import SUBPROTOCOL

T = "2026-11-22T08:00:00.000Z"
QUICK = Patience(open_s=2, reply_s=2, first_s=0.02, longest_s=0.1, soon_s=0.02, gap_s=0.02)
SECONDS = 5.0
"""How long the script waits for the next thing before it calls the test failed."""


def message(seq: int, text: str = "", *, conversation: str = "c1", **members: Any) -> dict[str, Any]:
    return {
        "conversation_id": conversation,
        "seq": seq,
        "message_id": f"m{seq}",
        "sender": {"kind": "customer", "id": "k1"},
        "body": {"kind": "text", "text": text or f"text {seq}"},
        "created_at": T,
        **members,
    }


def conversation(id: str = "c1", *, rev: int = 1, head: int = 0, **members: Any) -> dict[str, Any]:
    return {
        "conversation_id": id,
        "rev": rev,
        "state": "active",
        "customer": {"customer_id": "k1"},
        "owner": {"kind": "agent", "id": "a1"},
        "assign_epoch": 1,
        "order_state": "no_active_order",
        "opened_at": T,
        "arrived_at": T,
        "head_seq": head,
        **members,
    }


def session(*conversations: dict[str, Any], resumed: bool = False, **members: Any) -> dict[str, Any]:
    """The result of hello for the agent a1."""
    limits = dict.fromkeys(
        ("frame_bytes", "text_bytes", "messages_per_s", "message_burst", "typing_interval_ms"), 1000
    )
    person = {"kind": "agent", "id": "a1", "name": "Ann"}
    return {
        "session_id": "s1",
        "resumed": resumed,
        "epoch": "e1",
        "heartbeat_ms": 60_000,
        "limits": limits,
        "server_time": T,
        "expires_at": T,
        "me": {"person": person, "shop_id": "shop", "shop_name": "Shop", "roles": ["agent"]},
        "snapshot": {"conversations": list(conversations)},
        **members,
    }


class Peer:
    """One socket, from the server's side."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.over = asyncio.Event()

    async def hears(self, name: str) -> dict[str, Any]:
        """The next frame, which must be this request or notification. Returns its params, the id as `id`."""
        async with asyncio.timeout(SECONDS):
            frame = orjson.loads(await self.socket.recv())
        assert frame["method"] == name, f"expected {name}, heard {frame}"
        return {**frame["params"], "id": frame.get("id")}

    async def hears_nothing(self, seconds: float) -> None:
        """No frame for so long."""
        try:
            async with asyncio.timeout(seconds):
                frame = await self.socket.recv()
        except TimeoutError:
            return
        raise AssertionError(f"expected silence, heard {frame!r}")

    async def answers(self, request: dict[str, Any], result: dict[str, Any]) -> None:
        await self._says({"jsonrpc": "2.0", "id": request["id"], "result": result})

    async def refuses(self, request: dict[str, Any], code: ErrorCode, **data: Any) -> None:
        data = {"reason": code.name.lower(), "retryable": False, **data}
        await self._says(
            {"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": "No.", "data": data}}
        )

    async def tells(self, name: str, **params: Any) -> None:
        await self._says({"jsonrpc": "2.0", "method": name, "params": params})

    async def answers_hello(self, result: dict[str, Any], *missed: dict[str, Any]) -> dict[str, Any]:
        """Hello, the missed messages, ready. Returns the params of hello."""
        hello = await self.hears("session.hello")
        await self.answers(hello, result)
        for one in missed:
            await self.tells("message.created", **one)
        await self.tells("session.ready", server_time=T)
        return hello

    async def closes(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)
        self.over.set()

    async def vanishes(self) -> None:
        """The network breaks."""
        self.socket.transport.abort()
        self.over.set()

    async def is_left(self) -> int | None:
        """Until the client has closed the socket; its close code, if it gave one."""
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    await self.socket.recv()
        except ConnectionClosed as closed:
            self.over.set()
            return None if closed.rcvd is None else closed.rcvd.code

    async def _says(self, frame: dict[str, Any]) -> None:
        await self.socket.send(orjson.dumps(frame), text=True)


class Script:
    """The server. `refusals`: answers to the next handshakes, before any is accepted. `tickets`: those given out."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._server: Server | None = None
        self._given: list[Peer] = []
        self.refusals: list[tuple[HTTPStatus, dict[str, str]]] = []
        self.tickets = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/ws"

    async def ticket(self) -> str:
        """A ticket source for clients."""
        self.tickets += 1
        return f"ticket-{self.tickets}"

    def client(self, **options: Any) -> Client:
        return Client(self.url, options.pop("ticket_source", self.ticket), patience=QUICK, **options)

    async def peer(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(SECONDS):
            peer = await self._peers.get()
        self._given.append(peer)
        return peer

    @asynccontextmanager
    async def live(
        self, result: dict[str, Any] | None = None, **options: Any
    ) -> AsyncGenerator[tuple[Client, Peer]]:
        """A client whose session is live, and its connection."""
        client = self.client(**options)
        starting = asyncio.create_task(client.start())
        peer = await self.peer()
        await peer.answers_hello(result or session())
        await starting
        try:
            yield client, peer
        finally:
            await self.lets_go(client)

    async def lets_go(self, client: Client) -> None:
        """Close the client; whatever it still asks, bye included, is left unanswered by closed sockets."""
        for peer in self._given:
            await peer.vanishes()
        await client.close()

    async def open(self) -> None:
        async def handle(socket: ServerConnection) -> None:
            peer = Peer(socket)
            await self._peers.put(peer)
            await peer.over.wait()

        def check(connection: ServerConnection, request: Request) -> Response | None:
            if not self.refusals:
                return None
            status, headers = self.refusals.pop(0)
            return Response(status, status.phrase, Headers({**headers, "Content-Length": "0"}), b"")

        self._server = await serve(
            handle, "127.0.0.1", 0, process_request=check, subprotocols=[SUBPROTOCOL], compression=None,  # type: ignore[list-item]
            close_timeout=1,
        )  # fmt: skip

    async def aclose(self) -> None:
        assert self._server is not None
        for peer in self._given:
            peer.over.set()
        self._server.close()
        await self._server.wait_closed()
