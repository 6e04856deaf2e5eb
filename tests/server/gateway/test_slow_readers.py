"""Clients that do not read, flood, or send too much: bounded, freed, unnoticed by others (faults 12, 13, 20, 21)."""

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import orjson
import pytest

from protocol.events import Plane
from protocol.ids import PersonId
from server.limits import Rate
from server.push import Push
from tests.server.gateway.house import CONVERSATION, SHOP, SMALL, House, message, running, state, typing
from tests.server.gateway.raw import Raw

pytestmark = pytest.mark.req("PF-01", "PF-03")
KIB = 1024


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running() as house:
        yield house


def memory_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // KIB


# --- too big, the wrong kind, floods --------------------------------------------------------------------------------
@pytest.mark.parametrize("direct", [True, False])
async def test_a_frame_over_64_kib_is_1009(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.client()
        await client.ws.send("x" * (64 * KIB + 1))
        assert await client.closed() == 1009
        await house.until(lambda: house.gateway.sockets == 0)


async def test_a_frame_of_64_kib_is_read(house: House) -> None:
    client = await house.client()
    await client.ws.send('{"pad":"' + "x" * (64 * KIB - 10) + '"}')
    assert (await client.receive())["error"]["code"] == -32600


@pytest.mark.parametrize("direct", [True, False])
async def test_a_binary_frame_is_4000(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.client()
        await client.ws.send(b"\x00\x01")
        assert await client.closed() == 4000


@pytest.mark.parametrize("direct", [True, False])
async def test_a_message_in_a_few_fragments_is_one_message(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.client()
        head = '"method":"message.history",'
        await client.ws.send(['{"jsonrpc":"2.0","id":9,', head, '"params":{"conversation_id":"é"}}'])
        assert (await client.answer(9))["error"]["code"] == -32602
        await client.ws.send(['{"jsonrpc":"2.0","id":10,', head, '"params":{"conversation_id":"a"}}'])
        assert "result" in await client.answer(10)


async def test_ten_thousand_fragments_are_4000_and_memory_is_flat(house: House) -> None:
    raw = await Raw.open(house, "ann")
    before = memory_kib()
    raw.frame(1, b"{", fin=False)
    for _ in range(10_000):
        raw.frame(0, b"", fin=False)
    assert await raw.close_code() == 4000
    assert memory_kib() - before < 8 * KIB


async def test_fragments_that_are_too_long_together_are_1009(house: House) -> None:
    raw = await Raw.open(house, "ann")
    raw.frame(1, b"x" * 40_000, fin=False)
    raw.frame(0, b"x" * 40_000, fin=True)
    assert await raw.close_code() == 1009


async def test_a_ping_flood_is_4103_and_a_few_pings_are_answered(house: House) -> None:
    client = await house.client()
    for _ in range(5):
        await asyncio.wait_for(await client.ws.ping(), 5)
    raw = await Raw.open(house, "bob")
    before = memory_kib()
    for _ in range(20_000):
        raw.frame(9, b"x" * 125)
    assert await raw.close_code() == 4103
    assert memory_kib() - before < 16 * KIB
    assert house.count("ann") == 1


async def test_who_pings_on_after_the_end_is_not_heard_and_cut_soon(house: House) -> None:
    raw = await Raw.open(house, "bob")
    before = memory_kib()

    async def pings() -> None:
        async with asyncio.timeout(3):
            while True:
                for _ in range(500):
                    raw.frame(9, b"x" * 125)
                await raw.writer.drain()
                await asyncio.sleep(0)

    with pytest.raises((ConnectionError, RuntimeError)):  # uvloop's word for a socket that is gone
        await pings()
    assert memory_kib() - before < 8 * KIB


async def test_unmasked_frames_and_bad_opcodes_are_1002(house: House) -> None:
    for bad in (b"\x81\x01x", b"\x83\x80\0\0\0\0", b"\xf1\x80\0\0\0\0"):
        raw = await Raw.open(house, "ann")
        raw.writer.write(bad)
        assert await raw.close_code() == 1002
        await house.until(lambda: house.gateway.sockets == 0)


@pytest.mark.parametrize(
    "poison",
    [
        b"\xff\xfe", b"{" * 60_000, b"[" * 60_000, b'{"id":' + b"9" * 5000 + b"}", b"NaN", b"", b"null", b'"\\ud800"',
        b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"rpc.discover"}', b'{"jsonrpc":"2.0","id":{},"method":1}',
    ],
)  # fmt: skip
async def test_poison_is_answered_with_a_typed_error_and_the_node_lives(house: House, poison: bytes) -> None:
    raw, client = await Raw.open(house, "ann"), await house.client("bob")
    raw.frame(1, poison)
    raw.frame(8, struct.pack("!H", 1000))
    assert await raw.close_code() == 1000
    assert house.gateway.metrics.refused["codec"] == 1
    assert "result" in await client.answer(await client.ask("message.history", conversation_id="a"))


# --- does not read --------------------------------------------------------------------------------------------------
async def flooded_until_freed(house: House, *others: object) -> float:
    """Push to `stuck` until its connection is gone; how long that took."""
    begun = time.monotonic()
    number = 0
    while house.gateway.sockets > len(others):
        assert time.monotonic() - begun < 15, "not freed within 15 s"
        for _ in range(20):
            number += 1
            house.hub.deliver(SHOP, [message(number, "stuck", size=4000)])
        await asyncio.sleep(0.005)
    return time.monotonic() - begun


STUCK = replace(SMALL, stall_s=1.0, lag_s=1.0, socket_send_bytes=16 * KIB)


async def test_one_that_stops_reading_is_freed_with_bounded_memory_and_others_do_not_notice() -> None:
    async with running(STUCK) as house:
        other = await house.client("bob")
        await Raw.open(house, "stuck")
        before = memory_kib()
        latencies: list[float] = []

        async def asks() -> None:
            while True:
                begun = time.monotonic()
                await other.answer(await other.ask("message.history", conversation_id="a"))
                latencies.append(time.monotonic() - begun)
                await asyncio.sleep(0.25)

        asking = asyncio.create_task(asks())
        took = await flooded_until_freed(house, other)
        asking.cancel()
        assert took < 5
        assert memory_kib() - before < 12 * KIB, (
            "the outbox is 256 KiB, the rest is the kernel's and the test's"
        )
        assert len(latencies) >= 2
        assert max(latencies) < 0.5
        assert [(who, ending.code) for who, ending in house.opener.endings] == [("stuck", 4108)]
        assert house.gateway.metrics.lagging >= 1


async def test_one_that_stops_reading_is_dropped_by_plain_asgi_too() -> None:
    async with running(replace(STUCK, tcp_user_timeout_s=2.0), direct=False) as house:
        await Raw.open(house, "stuck")
        assert await flooded_until_freed(house) < 5
        assert house.opener.endings[0][1].code == 4108


async def test_one_that_never_reads_its_answers_is_not_listened_to_any_more() -> None:
    limits = replace(STUCK, stall_s=3.0, customer_rate=Rate(1000, 100_000), customer_outbox_bytes=32 * KIB)

    async with running(limits) as house:
        raw = await Raw.open(house, "stuck")
        sent = 0
        request = {
            "jsonrpc": "2.0",
            "id": "x" * 60,
            "method": "message.history",
            "params": {"conversation_id": "a"},
        }
        frame = orjson.dumps(request)
        begun = time.monotonic()
        while house.gateway.sockets and time.monotonic() - begun < 10:
            if raw.writer.transport.get_write_buffer_size() < 64 * KIB:
                for _ in range(200):
                    raw.frame(1, frame)
                    sent += 1
            await asyncio.sleep(0.01)
        assert house.opener.endings[0][1].code == 4108
        assert len(house.said) < sent, "the rest waited in the kernel"


async def test_a_reader_that_comes_back_gets_a_reset_and_everything_after_it() -> None:
    async with running(replace(STUCK, stall_s=20, lag_s=20)) as house:
        raw = await Raw.open(house, "stuck")
        number = 0
        while house.gateway.metrics.lagging == 0:
            number += 1
            house.hub.deliver(
                SHOP, [message(number, "stuck", size=4000), message(number, "stuck", conversation="other")]
            )
            if number % 20 == 0:
                await asyncio.sleep(0)
        for _ in range(49):
            number += 1
            house.hub.deliver(SHOP, [message(number, "stuck", size=4000)])
        seen: list[int] = []
        resets: dict[str, int] = {}
        while CONVERSATION not in resets:
            head = await raw.reader.readexactly(2)
            size = head[1]
            if size == 126:
                size = struct.unpack("!H", await raw.reader.readexactly(2))[0]
            frame = orjson.loads(await raw.reader.readexactly(size))
            if (
                frame.get("method") == "message.created"
                and frame["params"]["conversation_id"] == CONVERSATION
            ):
                seen.append(frame["params"]["seq"])
            if frame.get("method") == "stream.reset":
                resets[frame["params"]["conversation_id"]] = frame["params"]["head_seq"]
        assert seen == list(range(1, len(seen) + 1)), "no hole before the reset"
        assert len(seen) < number
        assert resets[CONVERSATION] == number
        house.hub.deliver(SHOP, [message(number + 1, "stuck")])
        await house.until(lambda: house.gateway.metrics.resets >= 1)
        assert house.count("stuck") == 1


async def test_state_converges_and_typing_is_dropped_for_one_who_reads_late() -> None:
    async with running(replace(STUCK, stall_s=20, lag_s=20)) as house:
        raw = await Raw.open(house, "stuck")
        for rev in range(1, 3001):
            house.hub.deliver(SHOP, [state("sam", rev, "stuck", size=2000), typing("stuck", size=2000)])
            if rev % 50 == 0:
                await asyncio.sleep(0)
        member = house.connection()
        assert member.sender.outbox.size < 200 * KIB
        assert member.sender.outbox.dropped > 1000
        last = 0
        while last < 3000:
            head = await raw.reader.readexactly(2)
            size = head[1] if head[1] < 126 else struct.unpack("!H", await raw.reader.readexactly(2))[0]
            params = orjson.loads(await raw.reader.readexactly(size)).get("params", {})
            if "rev" in params:
                assert params["rev"] > last
                last = params["rev"]


async def test_a_half_open_socket_is_given_up_and_its_end_told() -> None:
    """No FIN ever comes; the server hears nothing."""
    async with running(replace(SMALL, silence_s=0.8, heartbeat_s=0.3)) as house:
        await Raw.open(house, "ann")
        begun = time.monotonic()
        await house.until(lambda: house.opener.endings)
        assert 0.5 < time.monotonic() - begun < 4.0
        await house.until(lambda: house.gateway.sockets == 0)


async def test_frames_of_one_turn_leave_in_one_write(house: House) -> None:
    client = await house.client()
    member = house.connection()
    writes: list[int] = []
    real = member.transport.write

    class Counting:
        def __getattr__(self, name):
            return getattr(member.transport, name)

        def write(self, frames):
            writes.append(len(frames))
            real(frames)

    member.sender._transport = cast("Any", Counting())
    house.hub.deliver(SHOP, [message(seq, "ann") for seq in range(1, 51)])
    for seq in range(1, 51):
        assert (await client.event("message.created"))["seq"] == seq
    assert writes == [50]


async def test_state_without_a_key_is_never_coalesced(house: House) -> None:
    client = await house.client()
    frames = [orjson.dumps({"jsonrpc": "2.0", "method": "queue.moved", "params": {"n": n}}) for n in range(3)]
    house.hub.deliver(SHOP, [Push((PersonId("ann"),), frame, Plane.STATE) for frame in frames])
    assert [(await client.event("queue.moved"))["n"] for _ in range(3)] == [0, 1, 2]
