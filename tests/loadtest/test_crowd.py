"""The driver against a small server over real sockets: it counts what arrived, and sees what is lost or doubled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from loadtest import crowd as crowd_module
from loadtest.crowd import Crowd, CrowdFailed
from loadtest.line import Line, LineBroken
from loadtest.speech import PointsmanSpeech
from loadtest.stand import Clock

Deal = Callable[[ServerConnection, set[ServerConnection], int], Awaitable[None]]
"""What the server does with message n: (customer's socket, agents' sockets, n)."""


def reply(number: int) -> str:
    return f'{{"jsonrpc":"2.0","id":{number},"result":{{}}}}'


def created(number: int) -> str:
    params = f'{{"conversation_id":"c","seq":1,"message_id":"x","client_message_id":"m{number}"}}'
    return f'{{"jsonrpc":"2.0","method":"message.created","params":{params}}}'


async def honest(customer: ServerConnection, agents: set[ServerConnection], number: int) -> None:
    """Deliver, to the sender as well, and acknowledge."""
    for socket in (*agents, customer):
        await socket.send(created(number))
    await customer.send(reply(number))


@asynccontextmanager
async def connected(deal: Deal, *, customers: int = 3) -> AsyncGenerator[Crowd]:
    """A crowd of customers and one agent on a server that deals with messages like this."""
    agents: set[ServerConnection] = set()

    async def handle(socket: ServerConnection) -> None:
        if socket.request is not None and socket.request.path == "/agent":
            agents.add(socket)
        async for text in socket:
            frame = json.loads(text)
            if frame["method"] == "message.send":
                await deal(socket, agents, frame["id"])

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        agent = await Line.open("127.0.0.1", port, "/agent", lambda _: None)
        lines = [await Line.open("127.0.0.1", port, "/", lambda _: None) for _ in range(customers)]
        crowd = Crowd(PointsmanSpeech())
        crowd.attach([(line, "c") for line in lines], [agent])
        try:
            yield crowd
        finally:
            await crowd.leave()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing after half a second is missing."""
    monkeypatch.setattr(crowd_module, "DRAIN_S", 0.5)


async def test_every_customer_keeps_the_window_full_until_told_to_rest() -> None:
    async with connected(honest) as crowd:
        await crowd.press(2)
        assert crowd.under_way == 6
        await until(lambda: crowd.tally.delivered >= 60)
        assert crowd.under_way == 6
        await crowd.rest()
        crowd.check()
        tally = crowd.tally
        assert crowd.under_way == 0
        assert tally.sent == tally.acknowledged == tally.delivered == len(tally.latencies_s)


async def test_paced_messages_are_sent_whatever_the_server_does() -> None:
    async def silent(customer: ServerConnection, agents: set[ServerConnection], number: int) -> None:
        return

    async with connected(silent) as crowd:
        await crowd.pace(per_s=200, seconds=0.25)
        assert crowd.tally.sent == 50


async def test_a_message_that_reaches_no_agent_is_missing() -> None:
    async def forgetful(customer: ServerConnection, agents: set[ServerConnection], number: int) -> None:
        await customer.send(reply(number))

    async with connected(forgetful, customers=1) as crowd:
        await crowd.press(1)
        with pytest.raises(CrowdFailed, match=r"1 messages are missing .* 1 acknowledged and not delivered"):
            await crowd.rest()


async def test_a_message_delivered_twice_is_a_failure() -> None:
    async def stuttering(customer: ServerConnection, agents: set[ServerConnection], number: int) -> None:
        for agent in agents:
            await agent.send(created(number))
        await honest(customer, agents, number)

    async with connected(stuttering, customers=1) as crowd:
        await crowd.press(1)
        await until(lambda: crowd.tally.doubled > 0)
        with pytest.raises(CrowdFailed, match="twice"):
            crowd.check()


async def test_a_refusal_is_a_failure_and_is_shown() -> None:
    async def strict(customer: ServerConnection, agents: set[ServerConnection], number: int) -> None:
        await customer.send(f'{{"jsonrpc":"2.0","id":{number},"error":{{"code":1029}}}}')

    async with connected(strict, customers=1) as crowd:
        await crowd.press(1)
        await until(lambda: bool(crowd.tally.refused))
        with pytest.raises(CrowdFailed, match="1029"):
            crowd.check()


async def test_a_socket_that_the_server_ends_is_a_failure_with_its_code() -> None:
    async def rude(customer: ServerConnection, agents: set[ServerConnection], number: int) -> None:
        await customer.close(4109, "nothing heard")

    async with connected(rude, customers=1) as crowd:
        await crowd.press(1)
        with pytest.raises(CrowdFailed, match="closed with 4109 nothing heard"):
            await crowd.rest()


async def test_a_clock_counts_messages_of_its_own_time_only() -> None:
    class Here:
        name = "here"

        def __init__(self, crowd: Crowd) -> None:
            self.crowd = crowd
            self.pids: dict[str, int] = {}

        async def stop(self) -> None:
            await self.crowd.leave()

    async with connected(honest) as crowd:
        await crowd.pace(per_s=100, seconds=0.1)
        await crowd.rest()
        clock = Clock(Here(crowd))
        await crowd.pace(per_s=100, seconds=0.2)
        await crowd.rest()
        cell = clock.read()
        assert len(cell.latencies_ms) == 20
        assert 0 < cell.messages_per_s < 150
        assert cell.cpu_total_us == 0


async def test_a_server_that_is_no_websocket_server_is_said() -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(http, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LineBroken, match="404 Not Found"):
            await Line.open("127.0.0.1", port, "/", lambda _: None)


async def test_nobody_there_is_said() -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    with pytest.raises(LineBroken, match="cannot connect"):
        await Line.open("127.0.0.1", port, "/", lambda _: None)
