"""Leaving: waves, 4200, nothing half said, and an exit in time whoever does not read (fault 15)."""

import asyncio
import time
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus

from tests.server.gateway.house import SHOP, SMALL, message, running
from tests.server.gateway.raw import Raw

pytestmark = pytest.mark.req("PF-01", "PF-04")
AGENT = "sam:account:agent"


@pytest.mark.parametrize("direct", [True, False])
async def test_everybody_is_sent_away_politely_and_nobody_new_is_let_in(direct: bool) -> None:
    async with running(direct=direct) as house:
        clients = [await house.client(f"ann-{number}") for number in range(5)]
        young = await house.socket()
        draining = asyncio.create_task(house.gateway.drain())
        await asyncio.sleep(0)
        with pytest.raises(InvalidStatus) as refused:
            await house.socket()
        assert refused.value.response.status_code == 503
        for client in clients:
            assert await client.closed() == 4200
            assert 0 < (await client.event("session.going_away"))["reconnect_in_ms"] <= 5000
        assert await young.closed() in (4200, 4102)
        assert await draining == 0
        assert house.gateway.sockets == 0
        assert {ending.code for _, ending in house.opener.endings} == {4200}


async def test_sockets_go_in_waves_within_the_rate() -> None:
    async with running(replace(SMALL, drain_share_per_s=0.25)) as house:
        clients = [await house.client(f"ann-{number}") for number in range(40)]  # ten a second
        gone: list[float] = []

        async def watch(client) -> None:
            assert await client.closed() == 4200
            gone.append(time.monotonic())

        watching = [asyncio.create_task(watch(client)) for client in clients]
        begun = time.monotonic()
        assert await house.gateway.drain() == 0
        await asyncio.gather(*watching)
        assert 3.0 < gone[-1] - begun < 6.0
        for at in gone:
            assert sum(at <= other < at + 1.0 for other in gone) <= 13, (
                "10 a second, and one wave of 0.2 s of noise"
            )


async def test_what_was_asked_before_is_answered_and_what_is_asked_after_refused() -> None:
    async with running() as house:
        client = await house.client(AGENT)
        before = await client.ask("conversation.get", conversation_id="a")
        await house.until(lambda: house.said)
        draining = asyncio.create_task(house.gateway.drain())
        await client.event("session.going_away")
        refused = await client.answer(await client.ask("agent.list"))
        assert refused["error"]["data"] == {"reason": "draining", "retryable": True, "retry_after_ms": 0}
        house.gate.set()
        assert "result" in await client.answer(before)
        assert await client.closed() == 4200
        assert await draining == 0


@pytest.mark.parametrize("direct", [True, False])
async def test_the_process_exits_in_time_with_a_client_that_reads_nothing(direct: bool) -> None:
    limits = replace(
        SMALL, drain_s=3.0, stall_s=60, lag_s=60, socket_send_bytes=16 * 1024, tcp_user_timeout_s=2.0
    )
    async with running(limits, direct=direct) as house:
        await Raw.open(house, "stuck")
        for seq in range(1, 200):
            house.hub.deliver(SHOP, [message(seq, "stuck", size=4000)])
            await asyncio.sleep(0)
        client = await house.client("ann")
        begun = time.monotonic()
        await house.gateway.drain()
        assert await client.closed() == 4200
        assert house.gateway.sockets == 0
        house.server.should_exit = True
        await house.until(lambda: not house.server.server_state.connections, 10)
        assert time.monotonic() - begun < 9


async def test_a_stop_without_a_drain_says_4200_too() -> None:
    async with running() as house:
        client = await house.client()
        house.server.should_exit = True
        assert await client.closed() == 4200
        await house.until(lambda: not house.server.server_state.connections)
