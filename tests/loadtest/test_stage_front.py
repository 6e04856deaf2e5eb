"""What stands in front of the nodes, HAProxy or the harness's own: who is led where, and what nodes learn of them."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from websockets.utils import accept_key

from loadtest.children import ChildFailed
from loadtest.frames import accepted, handshake
from loadtest.front_desk import Door, Refused, address, plain_http
from loadtest.line import Line
from loadtest.stage import BalancerChoice, Stage, haproxy
from loadtest.stage.balancer import Balancer
from loadtest.stage.haproxy import HAProxy
from protocol.version import SUBPROTOCOL

with_haproxy = pytest.mark.skipif(not haproxy.program(), reason="HAProxy is not installed")
BOTH = ("own", pytest.param("installed", marks=with_haproxy))
SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
BEGINS_PER_MINUTE = 120
"""sessions of the widget that one address may begin"""


@dataclass
class Stub:
    """A node that says its name, or upgrades and then shouts back what it hears."""

    name: str
    ready: bool = True
    server: asyncio.Server = field(init=False)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)

    @property
    def place(self) -> tuple[str, int]:
        return "127.0.0.1", self.server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if key := re.search(r"sec-websocket-key: (\S+)", head, re.IGNORECASE):
                writer.write(f"{SWITCHED}Sec-WebSocket-Accept: {accept_key(key[1])}\r\n\r\n".encode())
                while words := await reader.read(65536):
                    writer.write(words)
            else:
                status = "503 Service Unavailable" if "/readyz" in head and not self.ready else "200 OK"
                body = self.name.encode()
                top = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write(top.encode() + body)
                await writer.drain()
        self.writers.discard(writer)
        writer.close()

    async def die(self) -> None:
        self.server.close()
        for writer in tuple(self.writers):
            writer.transport.abort()


@dataclass
class House:
    """Two nodes, and what stands in front of them."""

    port: int
    nodes: dict[str, Stub]

    async def who(self) -> str:
        async with plain_http(self.port, timeout_s=5) as http:
            return (await http.get("/who")).raise_for_status().text

    async def led_to(self) -> set[str]:
        return {await self.who() for _ in range(4)}

    async def leads_only_to(self, *names: str) -> None:
        async with asyncio.timeout(10):
            while await self.led_to() != set(names):
                await asyncio.sleep(0.05)

    async def upgrade(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        request, accept = handshake("127.0.0.1", self.port, "/ws", None, {})
        writer.write(request)
        assert accepted((await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n"), accept)
        return reader, writer


@pytest.fixture(params=BOTH)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    nodes = {name: Stub(name) for name in ("a", "b")}
    async with AsyncExitStack() as undo:
        for node in nodes.values():
            await node.listen()
            undo.push_async_callback(node.die)
        places = [node.place for node in nodes.values()]
        if request.param == "own":
            own = await Balancer.open(places)
            undo.push_async_callback(own.close)
            yield House(own.proxy.port, nodes)
        else:
            front = await HAProxy.start(tmp_path, places)
            undo.push_async_callback(front.stop)
            yield House(front.port, nodes)


async def heard(talk: tuple[asyncio.StreamReader, asyncio.StreamWriter], words: bytes) -> bytes:
    reader, writer = talk
    writer.write(words)
    async with asyncio.timeout(5):
        return await reader.readexactly(len(words))


async def test_all_nodes_that_are_ready_get_their_turn(house: House) -> None:
    assert await house.led_to() == {"a", "b"}


async def test_a_node_that_is_not_ready_gets_nobody_and_keeps_whom_it_has(house: House) -> None:
    talks = [await house.upgrade() for _ in range(4)]  # both nodes have some
    house.nodes["a"].ready = False
    await house.leads_only_to("b")
    assert [await heard(talk, b"still here") for talk in talks] == [b"still here"] * 4
    house.nodes["a"].ready = True
    await house.leads_only_to("a", "b")
    for _, writer in talks:
        writer.close()


async def test_when_no_node_is_ready_all_are_asked_nevertheless(house: House) -> None:
    """They say in their own words what is wrong: PostgreSQL may be away for all of them."""
    house.nodes["a"].ready = False
    await house.leads_only_to("b")
    house.nodes["b"].ready = False
    async with asyncio.timeout(10):
        while "a" not in await house.led_to():
            await asyncio.sleep(0.05)


async def test_a_node_that_died_is_passed_over_from_the_first_request_on(house: House) -> None:
    await house.nodes["b"].die()
    assert await house.led_to() == {"a"}


async def test_what_an_open_socket_says_passes_whole(house: House) -> None:
    talk = await house.upgrade()
    assert await heard(talk, b"x" * 3_000_000) == b"x" * 3_000_000
    talk[1].close()


@with_haproxy
async def test_a_node_that_stands_still_is_taken_out(tmp_path: Path) -> None:
    """The kernel takes connections for it, and nobody answers: as a process that was stopped (fault 2)."""
    alive = Stub("alive")
    await alive.listen()
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        front = await HAProxy.start(tmp_path, [alive.place, frozen.getsockname()])
        async with asyncio.timeout(10):
            while "node-2 is DOWN, reason: Layer7 timeout" not in front.child.said():
                await asyncio.sleep(0.05)
        assert await House(front.port, {"alive": alive}).led_to() == {"alive"}
        await front.stop()
    await alive.die()


@with_haproxy
async def test_a_configuration_that_haproxy_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"HAProxy did not start\.(.|\n)*'99999'"):
        await HAProxy.start(tmp_path, [("127.0.0.1", 99_999)])


def test_deployments_are_told_the_configuration_that_is_tested(pytestconfig: pytest.Config) -> None:
    words = (pytestconfig.rootpath / "docs/operations.md").read_text()
    [told] = re.findall(r"```\n(defaults\n.*?)```", words, re.DOTALL)
    assert rules(told) == rules(haproxy.CONFIGURATION.partition("\n\n")[2])


def rules(configuration: str) -> list[str]:
    """Its lines without comments, and without what is another in every place."""
    lines = [line.partition("#")[0].rstrip() for line in configuration.splitlines()]
    return [line for line in lines if line and not re.match(r" +(bind|server) |{servers}", line)]


@pytest.mark.parametrize("balancer", BOTH)
async def test_limits_count_by_the_customers_own_address(tmp_path: Path, balancer: BalancerChoice) -> None:
    async with await Stage.open(tmp_path, nodes=1, balancer=balancer) as stage:
        assert stage.balancer.startswith("HAProxy " if balancer == "installed" else "the harness's own")
        [node], [shop] = stage.nodes, stage.shops
        greedy, patient = address(0), address(50)
        async with Door(stage.port, greedy) as door:
            for _ in range(BEGINS_PER_MINUTE):
                await door.visitor_ticket(shop.slug)
            with pytest.raises(Refused, match="429"):
                await door.visitor_ticket(shop.slug)
        lie = {"X-Forwarded-For": "203.0.113.7"}
        async with plain_http(stage.port, greedy, timeout_s=10) as http:
            answer = await http.post("/v1/widget/sessions", json={"shop": shop.slug}, headers=lie)
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        async with Door(stage.port, patient) as door, Door(node.port, address(100)) as direct:
            assert await door.visitor_ticket(shop.slug)
            assert await direct.visitor_ticket(shop.slug)  # no balancer told who this is

        line = await Line.open(
            "127.0.0.1",
            stage.port,
            "/ws",
            lambda _: None,
            subprotocol=SUBPROTOCOL,
            source=patient,
            headers={"Origin": "https://shop.example", **lie},
        )
        log = tmp_path / "node-1-1.log"
        async with asyncio.timeout(5):
            while f"from {patient}" not in log.read_text():
                await asyncio.sleep(0.05)
        await line.close()
