"""An island's packets are really lost: on one way only, told to nobody; what was said arrives when it is mended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loadtest.children import Child, ChildFailed
from loadtest.stage import Stage
from loadtest.stage.island import Island, Way

ECHO = """
import asyncio, json, sys

async def shout_back(reader, writer):
    while words := await reader.read(65536):
        writer.write(words)

async def main():
    servers = [await asyncio.start_server(shout_back, host, 0) for host in sys.argv[1:]]
    print(json.dumps({"ports": [each.sockets[0].getsockname()[1] for each in servers]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


class Caller:
    """Somebody on the shore who talks to the island over one way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def says(self, words: bytes) -> None:
        self.writer.write(words)
        await self.writer.drain()

    async def hears(self, words: bytes, within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            assert await self.reader.readexactly(len(words)) == words


@pytest.fixture
async def island() -> AsyncIterator[Island]:
    if not await Island.possible():
        pytest.skip("network namespaces need root and iproute2")
    async with await Island.open() as island:
        yield island


@pytest.fixture
async def callers(island: Island, tmp_path: Path) -> AsyncIterator[dict[Way, Caller]]:
    hosts = [island.there(way) for way in Way]
    child = await Child.start("echo", (*island.inside, sys.executable, "-c", ECHO, *hosts), tmp_path, {})
    ports = (await child.first_word())["ports"]
    there = {
        way: Caller(*await asyncio.open_connection(host, port))
        for way, host, port in zip(Way, hosts, ports, strict=True)
    }
    yield there
    for caller in there.values():
        caller.writer.close()
    await child.stop()


@pytest.mark.req("PF-05")
async def test_a_cut_way_is_silent_the_others_are_not_and_nothing_is_lost_when_it_is_mended(
    island: Island, callers: dict[Way, Caller]
) -> None:
    for caller in callers.values():
        await caller.says(b"hello")
        await caller.hears(b"hello")

    await island.cut(Way.REDIS)
    await callers[Way.REDIS].says(b"anybody there?")
    with pytest.raises(TimeoutError):
        await callers[Way.REDIS].hears(b"anybody there?", within_s=1.0)
    assert not callers[Way.REDIS].reader.at_eof(), "nobody was told"
    await callers[Way.CLIENTS].says(b"and here?")
    await callers[Way.CLIENTS].hears(b"and here?")

    await island.mend(Way.REDIS)
    await callers[Way.REDIS].hears(b"anybody there?")


async def test_an_island_that_is_closed_leaves_no_device(island: Island) -> None:
    other = await Island.open()
    devices = Path("/sys/class/net")
    before = {each.name for each in devices.iterdir()}
    await other.close()
    async with asyncio.timeout(10):
        while before <= {each.name for each in devices.iterdir()}:
            await asyncio.sleep(0.05)  # the kernel takes namespaces down in its own time
    assert island.name != other.name


@pytest.mark.req("PF-05")
@pytest.mark.timeout(120)
async def test_a_node_on_an_island_is_still_there_when_it_was_started_again(tmp_path: Path) -> None:
    if not await Island.possible():
        pytest.skip("network namespaces need root and iproute2")
    async with await Stage.open(tmp_path, nodes=1) as stage, stage.islander() as (island, node):
        await node.kill()
        await node.restart()
        await node.ready(30)
        await island.cut(Way.CLIENTS)
        with pytest.raises(ChildFailed, match="is not ready"):
            await node.ready(3)
        await island.mend(Way.CLIENTS)
        await node.ready(30)
