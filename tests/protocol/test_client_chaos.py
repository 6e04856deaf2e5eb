"""One client against a server that loses, doubles and mixes up pushes and breaks connections."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from protocol.client import Client
from protocol.shapes import Message
from protocol.version import SUBPROTOCOL
from tests.protocol.script import QUICK, T, conversation, message, session


class Moody:
    """A server with one log. It honours what the protocol promises, and nothing more: pushes come as luck has it."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.log: list[dict[str, Any]] = []
        self._by_client_id: dict[str, int] = {}
        self._sockets: set[ServerConnection] = set()
        self._late: list[dict[str, Any]] = []

    def append(self, client_message_id: str, text: str) -> tuple[int, bool]:
        known = self._by_client_id.get(client_message_id)
        if known is not None:
            return known, True
        seq = self._by_client_id[client_message_id] = len(self.log) + 1
        self.log.append(message(seq, text, client_message_id=client_message_id))
        return seq, False

    async def push(self, entry: dict[str, Any]) -> None:
        """Now, later, twice, or never."""
        luck = self._rng.random()
        sent = [] if luck < 0.2 else [entry] * (2 if luck > 0.8 else 1)
        if luck > 0.6 and self._late:
            sent.append(self._late.pop())
        if 0.2 < luck < 0.4:
            self._late += sent
            return
        for one in sent:
            await self._tell("message.created", one)

    async def beat(self) -> None:
        """What every heartbeat says."""
        await self._tell("hb", {"heads": {"c1": len(self.log)}})

    async def _tell(self, name: str, params: dict[str, Any]) -> None:
        for socket in list(self._sockets):
            await self._say(socket, {"method": name, "params": params})

    async def _say(self, socket: ServerConnection, frame: dict[str, Any]) -> None:
        try:
            await socket.send(orjson.dumps({"jsonrpc": "2.0", **frame}), text=True)
        except ConnectionClosed:
            self._sockets.discard(socket)

    async def handle(self, socket: ServerConnection) -> None:
        try:
            async for data in socket:
                frame = orjson.loads(data)
                await self._answer(socket, frame, frame.get("params", {}))
                if self._rng.random() < 0.1:
                    socket.transport.abort()
        except ConnectionClosed:
            pass
        finally:
            self._sockets.discard(socket)

    async def _answer(self, socket: ServerConnection, frame: dict[str, Any], params: dict[str, Any]) -> None:
        match frame["method"]:
            case "session.hello":
                after = (params.get("resume") or {}).get("cursors", {}).get("c1", 0)
                snapshot = conversation(rev=len(self.log) + 1, head=len(self.log))
                await self._say(socket, {"id": frame["id"], "result": session(snapshot, resumed=True)})
                for entry in self.log[after : after + 5]:
                    await self._say(socket, {"method": "message.created", "params": entry})
                await self._say(socket, {"method": "session.ready", "params": {"server_time": T}})
                self._sockets.add(socket)
            case "message.send":
                seq, duplicate = self.append(params["client_message_id"], params["body"]["text"])
                result = {"seq": seq, "message_id": f"m{seq}", "created_at": T, "duplicate": duplicate}
                if self._rng.random() < 0.7:  # else the connection breaks between commit and reply
                    await self._say(socket, {"id": frame["id"], "result": result})
                else:
                    socket.transport.abort()
                await self.push(self.log[seq - 1])
            case "message.history":
                after, limit = params["after_seq"], min(params["limit"], 7)
                page = self.log[after : after + limit]
                more = after + limit < len(self.log)
                result = {"messages": page, "head_seq": len(self.log), "more": more}
                await self._say(socket, {"id": frame["id"], "result": result})
            case "session.bye":
                await self._say(socket, {"id": frame["id"], "result": {}})
            case _:
                pass


@pytest.mark.req("PF-05")
@pytest.mark.parametrize("seed", range(6))
async def test_every_message_arrives_once_and_in_order_and_every_send_is_stored_once(seed: int) -> None:
    moody = Moody(seed)
    rng = random.Random(seed)
    given: list[int] = []

    def hear(frame: Any) -> None:
        if isinstance(frame.params, Message):
            given.append(frame.params.seq)

    async def ticket() -> str:
        return "t"

    async with serve(moody.handle, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL], compression=None) as server:  # type: ignore[list-item]
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"ws://127.0.0.1:{port}/ws"
        client = Client(url, ticket, patience=QUICK, on_event=hear, keep_messages=True, rng=rng)
        async with asyncio.timeout(60):
            await client.start()
            for number in range(40):
                moody.append(f"other-{number}", "from elsewhere")
                await moody.push(moody.log[-1])
                if number % 4 == 0:
                    await client.send("c1", f"mine {number}", client_message_id=f"mine-{number}")
            while client.cursors.get("c1") != len(moody.log):
                await moody.beat()
                await asyncio.sleep(0.02)
            await client.close()
    assert {entry["client_message_id"] for entry in moody.log} == {
        *(f"other-{number}" for number in range(40)),
        *(f"mine-{number}" for number in range(0, 40, 4)),
    }
    assert len(moody.log) == 50
    assert given == list(range(1, 51))
    assert [kept.client_message_id for kept in client.logs["c1"].messages] == [
        entry["client_message_id"] for entry in moody.log
    ]
