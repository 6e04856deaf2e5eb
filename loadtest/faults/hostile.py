"""Clients that mean no good: frames without measure, and sockets that only wait (faults 21, 22)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.figures import percentile
from loadtest.frames import PING, frame, handshake
from loadtest.front_desk import ORIGIN, address
from loadtest.stage.node import Node
from protocol.version import SUBPROTOCOL

EACH = 40
"""sockets of every kind at once"""
FEW = 5
"""the same in mixed runs"""
HELLO_S = 5.0
"""`POINTSMAN_HELLO_S`"""
GIVE_UP_S = 20.0
BYTE_S = 0.5
PINGS_S = 0.02
"""between a hundred pings and the next, so that the harness itself is not what is flooded"""
WAVES = 3
"""What the first leaves behind is room that the next ones use again; memory is flat when they add nothing."""
FIRST = 8_000
"""Their addresses are nobody else's."""
Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# --- frames without measure ----------------------------------------------------------------------------------------
async def flood(scene: Scene, dice: random.Random) -> Figures:
    """Fault 21: frames of 8 MiB, messages in 10,000 fragments, and nothing but pings, on one node, all at once."""
    return await _flood(scene, dice, EACH, WAVES)


async def flood_briefly(scene: Scene, dice: random.Random) -> Figures:
    """A few of each, once."""
    return await _flood(scene, dice, FEW, 1)


async def _flood(scene: Scene, dice: random.Random, each: int, waves: int) -> Figures:
    node = dice.choice(scene.stage.nodes)
    lately = len(scene.book.sends.all)
    attacks = [attack for attack in (_oversized, _fragments, _pings) for _ in range(each)]
    memory = [_rss_mib(node)]
    kept: list[float] = []
    for _ in range(waves):
        kept += await asyncio.gather(*(_upgraded(node, number, act) for number, act in enumerate(attacks)))
        memory.append(_rss_mib(node))
    sends = scene.book.sends.all[lately:]
    return {
        "attackers": len(kept),
        "still_open": sum(seconds >= GIVE_UP_S for seconds in kept),
        "longest_s": max(kept),
        "memory_grown_by_the_first_wave_mib": memory[1] - memory[0],
        "memory_grown_by_later_waves_mib": memory[-1] - memory[1],
        "others_send_p99_s": percentile(sends, 0.99) if sends else float("inf"),
    }


async def _oversized(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    piece = frame(b"x" * (8 << 20))
    for at in range(0, len(piece), 1 << 16):
        writer.write(piece[at : at + (1 << 16)])
        await writer.drain()


async def _fragments(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    first = bytearray(frame(b"x"))
    first[0] = 0x01  # text, more to come
    more = bytearray(frame(b"x"))
    more[0] = 0x00  # goes on, more to come
    writer.write(bytes(first))
    for _batch in range(100):
        writer.write(bytes(more) * 100)
        await writer.drain()


async def _pings(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    ping = frame(b"are you there?", PING)
    while True:
        writer.write(ping * 100)
        await writer.drain()
        await asyncio.sleep(PINGS_S)


# --- sockets that only wait ----------------------------------------------------------------------------------------
async def dawdle(scene: Scene, dice: random.Random) -> Figures:
    """Fault 22: sockets that say nothing, half a header, a byte now and then, or no hello; others get in."""
    node = dice.choice(scene.stage.nodes)
    kinds = [
        *(_bare(node, number, _silent) for number in range(EACH)),
        *(_bare(node, EACH + number, _half_header) for number in range(EACH)),
        *(_bare(node, 2 * EACH + number, _dribble) for number in range(EACH)),
        *(_upgraded(node, 3 * EACH + number, _silent) for number in range(EACH)),
    ]
    waiting = asyncio.gather(*kinds)
    await asyncio.sleep(1.0)
    loop = asyncio.get_running_loop()
    began, counted = loop.time(), len(scene.book.sends.all)
    status = await _plain(node)
    got_in = loop.time() - began
    kept = await waiting
    return {
        "attackers": len(kept),
        "still_open": sum(seconds >= GIVE_UP_S for seconds in kept),
        "longest_s": max(kept),
        "somebody_else_got_in_after_s": got_in if status else float("inf"),
        "acknowledged_meanwhile": len(scene.book.sends.all) - counted,
    }


async def _silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


async def _half_header(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: webso")


async def _dribble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"GET /ws HTTP/1.1\r\nHost: somewhere.example\r\nUpgrade: websocket\r\n":
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(BYTE_S)


async def _plain(node: Node) -> bool:
    """Whether the node answers somebody who asks in order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    try:
        async with asyncio.timeout(GIVE_UP_S):
            return b" 200 " in await reader.readline()
    finally:
        writer.transport.abort()


# --- one socket ----------------------------------------------------------------------------------------------------
async def _bare(node: Node, number: int, attack: Attack) -> float:
    """Seconds until the node drops a socket that does this; `GIVE_UP_S` when it does not."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", node.port, local_addr=(address(FIRST + number * 50), 0)
    )
    return await _until_dropped(loop.time(), reader, writer, attack)


async def _upgraded(node: Node, number: int, attack: Attack) -> float:
    """The same for one that is a WebSocket first."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", node.port, local_addr=(address(FIRST + number * 50), 0)
    )
    request, _ = handshake("127.0.0.1", node.port, "/ws", SUBPROTOCOL, {"Origin": ORIGIN})
    began = loop.time()
    writer.write(request)
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, OSError):
        writer.transport.abort()
        return loop.time() - began  # the others keep the node so busy that this one was too late
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        writer.transport.abort()
        return loop.time() - began  # refused at the door (503): there are too many at once
    return await _until_dropped(loop.time(), reader, writer, attack)


async def _until_dropped(
    began: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attack: Attack
) -> float:
    loop = asyncio.get_running_loop()

    async def act() -> None:
        with suppress(OSError, RuntimeError):  # uvloop's word for a socket that is gone
            await attack(reader, writer)

    acting = asyncio.create_task(act())
    try:
        async with asyncio.timeout(GIVE_UP_S):
            with suppress(OSError):
                while await reader.read(1 << 16):
                    pass
    except TimeoutError:
        return GIVE_UP_S
    finally:
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
        writer.transport.abort()
    return loop.time() - began


def _rss_mib(node: Node) -> float:
    """Memory of the node's process."""
    for line in Path(f"/proc/{node.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("every process has one")


FAMILY = (
    Fault(
        21,
        "oversized frames, 10,000 fragments, ping flood",
        "closed; memory flat",
        (Limit("still_open", at_most=0), Limit("memory_grown_by_later_waves_mib", at_most=16)),
        flood,
        brief=flood_briefly,
    ),
    Fault(
        22,
        "slowloris: silent socket, half header, byte now and then, no hello",
        "dropped within 5 s; others get in",
        (
            Limit("still_open", at_most=0),
            Limit("longest_s", at_most=HELLO_S),
            Limit("somebody_else_got_in_after_s", at_most=1),
            Limit("acknowledged_meanwhile", at_least=1),
        ),
        dawdle,
        brief=dawdle,
    ),
)
