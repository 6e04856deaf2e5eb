"""A small house around the real gateway: real sockets, real uvicorn, handlers of a few lines.

Tickets are `name` or `name:kind:role`, so that a test says who comes in without a store.
"""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from protocol.codes import CloseCode, ErrorCode
from protocol.errors import RequestError, forbidden
from protocol.events import Plane
from protocol.ids import ConversationId, PersonId, ShopId, new_id
from protocol.methods import Method, may_call
from protocol.methods.agents import AgentListResult
from protocol.methods.messages import HistoryResult, SendResult
from protocol.methods.session import HelloResult, Me, SessionSnapshot
from protocol.rights import BUILT_IN, united
from protocol.shapes import Party, Shape
from protocol.states import Role
from protocol.times import text_of_ms
from protocol.version import SUBPROTOCOL
from server.gateway.connection import Connection
from server.gateway.direct import direct_ws
from server.gateway.endpoint import Gateway
from server.gateway.guard import guarded_http
from server.gateway.hub import Hub
from server.gateway.origin import Origins
from server.limits import GatewayLimits
from server.push import Push
from server.session import Ending, Opening, PersonKind, Principal, Session, SessionRefused

UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: pointsman.v1\r\n"
)
SHOP = ShopId("shop-1")
ORIGIN = "https://shop.example"
CONVERSATION = ConversationId("conversation-1")


class Opener:
    """Lets in whoever names themselves; keeps what it was told."""

    def __init__(self) -> None:
        self.opened: list[Session] = []
        self.endings: list[tuple[str, Ending]] = []
        self.missed: list[Push] = []
        self.heads: dict[ConversationId, int] = {}
        self.resumed = False
        self.session_s = 3600.0
        self.while_opening: Callable[[Session], Any] = lambda session: None

    async def authenticate(
        self, *, ticket: str | None, authorization: str | None, origin: str | None
    ) -> Principal:
        said = ticket if ticket is not None else (authorization or "").removeprefix("Bearer ")
        name, kind, role = (
            (*said.split(":"), "customer", "customer")[:3] if ":" in said else (said, "customer", "customer")
        )
        if name == "nobody":
            raise RequestError(ErrorCode.UNAUTHENTICATED, "bad_ticket", "That ticket is not valid.")
        if name == "blocked":
            raise SessionRefused(CloseCode.BLOCKED, "blocked by the shop")
        if name == "overload":
            raise RequestError(ErrorCode.UNAVAILABLE, "redis_down", "Busy.", retry_after_ms=1000)
        return Principal(
            SHOP,
            PersonId(name),
            PersonKind(kind),
            frozenset({Role(role)}),
            name,
            int((time.time() + self.session_s) * 1000),
        )

    async def open(self, session: Session, params: Any) -> Opening:
        self.opened.append(session)
        waiting = self.while_opening(session)
        if waiting is not None:
            await waiting
        now = text_of_ms(int(time.time() * 1000))
        result = HelloResult(
            session_id=params.resume.session_id if params.resume else new_id(),
            resumed=self.resumed,
            epoch="1",
            heartbeat_ms=25_000,
            limits=GatewayLimits().wire(session.kind),
            server_time=now,
            expires_at=text_of_ms(session.expires_at_ms),
            me=Me(
                person=Party(kind="agent", id=session.person_id, name=session.name),
                shop_id=SHOP,
                shop_name="S",
                roles=sorted(session.roles),
            ),
            snapshot=SessionSnapshot(conversations=[]),
        )
        return Opening(result, self._missed(), self.heads)

    async def _missed(self) -> AsyncIterator[Push]:
        for push in self.missed:
            yield push

    async def closed(self, session: Session, ending: Ending) -> None:
        self.endings.append((session.person_id, ending))


class Table:
    """A door that knows the built-in roles, and what it refused."""

    def __init__(self) -> None:
        self.refusals: list[tuple[str, str]] = []

    async def admit(self, session: Session, method: Method) -> None:
        grants = united(BUILT_IN[role] for role in session.roles if role in BUILT_IN)
        if not may_call(session.kind, grants, method):
            raise forbidden(f"call {method.name}")

    async def refused(self, session: Session, method: Method, params: Shape, error: RequestError) -> None:
        self.refusals.append((method.name, error.reason))


@dataclass
class House:
    """One node."""

    opener: Opener
    hub: Hub
    gateway: Gateway
    limits: GatewayLimits
    server: uvicorn.Server
    port: int
    sockets: list[ClientConnection] = field(default_factory=list)
    raws: list[asyncio.StreamWriter] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """what handlers were called with, in order"""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """`conversation.get` answers when it is set"""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def socket(
        self, *, origin: str | None = ORIGIN, subprotocol: str = SUBPROTOCOL, **options: Any
    ) -> "Client":
        headers = options.pop("headers", {})
        ws = await connect(
            self.url,
            origin=cast("Origin | None", origin),
            subprotocols=[Subprotocol(subprotocol)],
            additional_headers=headers,
            compression=None,
            ping_interval=None,
            max_size=None,
            **options,
        )
        self.sockets.append(ws)
        return Client(ws)

    async def client(self, ticket: str = "ann", **options: Any) -> "Client":
        """Connected and greeted."""
        client = await self.socket(**options)
        await client.hello(ticket)
        return client

    def count(self, person: str) -> int:
        """Connections of a person."""
        return self.hub.count(SHOP, PersonId(person))

    def connection(self) -> Connection:
        """The only one."""
        (member,) = self.hub.members()
        assert isinstance(member, Connection)
        return member

    async def until(self, holds: Callable[[], Any], within_s: float = 10.0) -> None:
        """Wait for a condition; the test fails when it does not come."""
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, "did not come true in time"
            await asyncio.sleep(0.01)


class Client:
    """A raw client: says what the test says, nothing by itself."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.ids = 0
        self.events: list[dict[str, Any]] = []

    async def receive(self, within_s: float = 10.0) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            return orjson.loads(await self.ws.recv())

    async def ask(self, method: str, **params: Any) -> int:
        self.ids += 1
        await self.ws.send(
            orjson.dumps({"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}).decode()
        )
        return self.ids

    async def tell(self, method: str, **params: Any) -> None:
        await self.ws.send(orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params}).decode())

    async def answer(self, to: int, within_s: float = 10.0) -> dict[str, Any]:
        """The reply to a request; events that come before it are kept in `events`."""
        while True:
            frame = await self.receive(within_s)
            if frame.get("id") == to:
                return frame
            self.events.append(frame)

    async def event(self, method: str, within_s: float = 10.0) -> dict[str, Any]:
        """The params of the next notification of that name."""
        for index, frame in enumerate(self.events):
            if frame.get("method") == method:
                return self.events.pop(index)["params"]
        while True:
            frame = await self.receive(within_s)
            if frame.get("method") == method:
                return frame["params"]
            self.events.append(frame)

    async def hello(self, ticket: str, **params: Any) -> dict[str, Any]:
        """Say hello and wait until the session is live; events in between stay in `events`."""
        answer = await self.answer(await self.ask("session.hello", ticket=ticket, **params))
        assert "result" in answer, answer
        while not any(frame.get("method") == "session.ready" for frame in self.events):
            self.events.append(await self.receive())
        self.events = [frame for frame in self.events if frame["method"] != "session.ready"]
        return answer["result"]

    async def closed(self, within_s: float = 10.0) -> int:
        """The close code; what comes before it is kept in `events`."""
        async with asyncio.timeout(within_s):
            with suppress(ConnectionClosed):
                while True:
                    self.events.append(orjson.loads(await self.ws.recv()))
        assert self.ws.close_code is not None
        return self.ws.close_code


def message(seq: int, *to: str, conversation: str = CONVERSATION, size: int = 0) -> Push:
    """A new entry of a log."""
    params = {"conversation_id": conversation, "seq": seq, "pad": "x" * size}
    frame = orjson.dumps({"jsonrpc": "2.0", "method": "message.created", "params": params})
    return Push(tuple(map(PersonId, to)), frame, Plane.DURABLE, "", ConversationId(conversation), seq)


def state(key: str, rev: int, *to: str, size: int = 0) -> Push:
    """The latest state of something."""
    frame = orjson.dumps(
        {"jsonrpc": "2.0", "method": "agent.changed", "params": {"key": key, "rev": rev, "pad": "x" * size}}
    )
    return Push(tuple(map(PersonId, to)), frame, Plane.STATE, key, None, rev)


def typing(*to: str, size: int = 0) -> Push:
    """Somebody types."""
    frame = orjson.dumps({"jsonrpc": "2.0", "method": "typing.changed", "params": {"pad": "x" * size}})
    return Push(tuple(map(PersonId, to)), frame, Plane.EPHEMERAL)


SMALL = GatewayLimits(
    handshake_s=0.6, hello_s=0.6, stranger_close_s=0.1, tick_s=0.05, close_s=0.6, body_window_s=0.5
)
"""Deadlines short enough to wait for."""


@asynccontextmanager
async def running(
    limits: GatewayLimits = SMALL, *, direct: bool = True, **parts: Any
) -> AsyncGenerator[House, None]:
    """A node on a free port. `direct` False: plain ASGI."""
    opener = parts.pop("opener", None) or Opener()
    hub = Hub()
    house: House

    async def send(session: Session, params: Any) -> SendResult:
        house.said.append(params.client_message_id)
        seq = len(house.said)
        if params.client_message_id.startswith("slow"):
            await asyncio.wait_for(house.gate.wait(), 30)
        return SendResult(seq=seq, message_id="m", created_at="2026-11-22T08:00:00.000Z", duplicate=False)

    async def history(session: Session, params: Any) -> HistoryResult:
        house.said.append(f"history {params.conversation_id}")
        return HistoryResult(messages=[], head_seq=0, more=False)

    async def get(session: Session, params: Any) -> HistoryResult:
        house.said.append(f"get {params.conversation_id}")
        await asyncio.wait_for(house.gate.wait(), 30)
        return HistoryResult(messages=[], head_seq=0, more=False)

    async def broken(session: Session, params: Any) -> HistoryResult:
        raise ZeroDivisionError("a bug")

    async def agents(session: Session, params: Any) -> AgentListResult:
        return AgentListResult(agents=[], pools=[])

    async def set_typing(session: Session, params: Any) -> None:
        house.said.append(f"typing {params.typing} {params.text}".strip())

    async def known(origin: str) -> bool:
        return origin in {ORIGIN, "https://desk.example:8443"}

    gateway = Gateway(
        opener=opener,
        handlers={
            "message.send": send,
            "message.history": history,
            "conversation.get": get,
            "read.mark": broken,
            "agent.list": agents,
            **parts.pop("handlers", {}),
        },
        notices={"typing.set": set_typing},
        door=Table(),
        hub=hub,
        origins=Origins(known, allow_loopback=parts.pop("allow_loopback", False)),
        limits=limits,
    )

    async def plain(request: Any) -> PlainTextResponse:
        return PlainTextResponse(f"{len(await request.body())}")

    app = Starlette(
        routes=[WebSocketRoute("/ws", gateway.endpoint), Route("/", plain, methods=["GET", "POST"])]
    )
    config = uvicorn.Config(
        app,
        http=guarded_http(limits),
        ws=direct_ws(limits) if direct else "websockets-sansio",
        loop="none",
        ws_per_message_deflate=False,
        ws_max_size=limits.frame_bytes,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    gateway.start()
    house = House(opener, hub, gateway, limits, server, listener.getsockname()[1])
    try:
        yield house
    finally:
        house.gate.set()
        await gateway.stop()
        for writer in house.raws:
            writer.transport.abort()
        for ws in house.sockets:
            ws.transport.abort()
            await ws.wait_closed()
        server.should_exit = True
        await asyncio.wait_for(serving, 20)
        listener.close()
