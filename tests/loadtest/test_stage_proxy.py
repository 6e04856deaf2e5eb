"""The proxy misbehaves exactly as asked, each connection and each direction by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtest.stage.proxy import Direction, Mode, Proxy, Treatment


class Talk:
    """A client and a server that shouts back what it hears, with a proxy between them."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.reader = reader
        self.writer = writer

    async def echo(self, words: bytes, within_s: float = 2.0) -> bytes:
        self.writer.write(words)
        async with asyncio.timeout(within_s):
            return await self.reader.readexactly(len(words))

    async def is_silent(self, for_s: float = 0.15) -> bool:
        try:
            async with asyncio.timeout(for_s):
                await self.reader.readexactly(1)
        except TimeoutError:
            return True
        return False


async def shout_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while words := await reader.read(65536):
            writer.write(words)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    server = await asyncio.start_server(shout_back, "127.0.0.1", 0)
    place = server.sockets[0].getsockname()[:2]
    proxy = await Proxy.open(lambda: (place,))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield Talk(proxy, reader, writer)
    writer.close()
    await proxy.close()
    server.close()


async def test_everything_passes_both_ways(talk: Talk) -> None:
    assert await talk.echo(b"hello") == b"hello"
    assert await talk.echo(b"x" * 3_000_000, within_s=10) == b"x" * 3_000_000
    assert talk.proxy.connections == 1


async def test_a_delay_holds_bytes_for_so_long_and_keeps_their_order(talk: Talk) -> None:
    talk.proxy.treat(Treatment(Mode.DELAY, seconds=0.2), Direction.TO_SERVER)
    began = asyncio.get_running_loop().time()
    talk.writer.write(b"first ")
    assert await talk.echo(b"second") == b"first "
    assert 0.19 < asyncio.get_running_loop().time() - began < 1


async def test_what_was_stalled_arrives_when_it_is_over(talk: Talk) -> None:
    talk.proxy.treat(Treatment(Mode.STALL))
    talk.writer.write(b"waits")
    assert await talk.is_silent()
    talk.proxy.treat(Treatment())
    async with asyncio.timeout(2):
        assert await talk.reader.readexactly(5) == b"waits"


async def test_a_drop_resets_connections_and_refuses_new_ones(talk: Talk) -> None:
    await talk.echo(b"hello")
    talk.proxy.treat(Treatment(Mode.DROP))
    with pytest.raises(ConnectionResetError):
        await talk.reader.readexactly(1)
    reader, writer = await asyncio.open_connection("127.0.0.1", talk.proxy.port)
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()


async def test_a_half_open_connection_hears_nothing_and_is_reset_when_the_other_side_is_back(
    talk: Talk,
) -> None:
    await talk.echo(b"hello")
    talk.proxy.treat(Treatment(Mode.HALF_OPEN))
    talk.writer.write(b"into the dark")
    assert await talk.is_silent()
    talk.proxy.treat(Treatment())
    with pytest.raises(ConnectionResetError):
        await talk.reader.readexactly(1)


async def test_a_thin_line_passes_so_much_a_second(talk: Talk) -> None:
    talk.proxy.treat(Treatment(Mode.THROTTLE, bytes_per_s=100_000), Direction.TO_CLIENT)
    began = asyncio.get_running_loop().time()
    assert await talk.echo(b"x" * 50_000, within_s=5) == b"x" * 50_000
    assert 0.4 < asyncio.get_running_loop().time() - began < 2


async def test_one_direction_is_cut_and_the_other_is_not(talk: Talk) -> None:
    talk.proxy.treat(Treatment(Mode.STALL), Direction.TO_CLIENT)
    talk.writer.write(b"arrives")
    assert await talk.is_silent()
    assert talk.proxy.connections == 1
    talk.proxy.treat(Treatment(), Direction.TO_CLIENT)
    async with asyncio.timeout(2):
        assert await talk.reader.readexactly(7) == b"arrives"


async def test_the_end_of_one_side_is_the_end_of_the_other(talk: Talk) -> None:
    await talk.echo(b"hello")
    talk.writer.close()
    async with asyncio.timeout(2):
        while talk.proxy.connections:
            await asyncio.sleep(0.01)
