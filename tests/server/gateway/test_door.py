"""Who gets in at all: origins, subprotocol, deadlines of young sockets (faults 22 and 26)."""

import asyncio
import time
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus

from server.session import Principal
from tests.server.gateway.house import ORIGIN, SMALL, UPGRADE, Opener, running
from tests.server.gateway.raw import Raw

pytestmark = pytest.mark.req("PF-01")


@pytest.fixture(params=["direct", "asgi"])
def direct(request: pytest.FixtureRequest) -> bool:
    return request.param == "direct"


@pytest.mark.parametrize("origin", ["https://shop.example", "https://desk.example:8443"])
async def test_a_listed_origin_is_let_in(direct: bool, origin: str) -> None:
    async with running(direct=direct) as house:
        client = await house.socket(origin=origin)
        assert client.ws.subprotocol == "pointsman.v1"
        assert (await client.hello("ann"))["me"]["person"]["id"] == "ann"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", None, "https://shop.example.evil.example", "https://evilshop.example",
        "https://shop.example:444", "http://shop.example", "https://shop.example/", "https://SHOP.example", "",
        "https://shop.example@evil.example", "https://localhost",
    ],
)  # fmt: skip
async def test_any_other_origin_is_refused_before_accept(direct: bool, origin: str | None) -> None:
    async with running(direct=direct) as house:
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(origin=origin)
        assert refused.value.response.status_code == 403
        assert house.gateway.sockets == 0


async def test_two_origins_are_none() -> None:
    async with running() as house:
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(headers=[("Origin", ORIGIN), ("Origin", "https://evil.example")], origin=None)
        assert refused.value.response.status_code == 400  # the parser's own word


async def test_loopback_pages_are_let_in_only_by_the_demo_setting() -> None:
    async with running(allow_loopback=True) as house:
        await house.socket(origin="http://localhost:5173")
        with pytest.raises(InvalidStatus):
            await house.socket(origin="http://localhost.evil.example:5173")


async def test_a_program_comes_without_origin_but_with_authorization(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.socket(origin=None, headers={"Authorization": "Bearer robo:bot:bot"})
        answer = await client.answer(await client.ask("session.hello"))
        assert answer["result"]["me"]["roles"] == ["bot"]


async def test_wrong_authorization_is_401_before_accept(direct: bool) -> None:
    async with running(direct=direct) as house:
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(origin=None, headers={"Authorization": "Bearer nobody"})
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["www-authenticate"] == "Bearer"


async def test_the_subprotocol_must_be_offered(direct: bool) -> None:
    async with running(direct=direct) as house:
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(subprotocol="pointsman.v2")
        assert refused.value.response.status_code == 400


async def test_a_full_node_says_503_and_an_eager_address_429() -> None:
    from dataclasses import replace

    from server.limits import Rate

    async with running(replace(SMALL, connections=1)) as house:
        await house.client()
        with pytest.raises(InvalidStatus) as refused:
            await house.socket()
        assert refused.value.response.status_code == 503
    async with running(replace(SMALL, connects_per_address=Rate(per_s=0.1, burst=2))) as house:
        await house.client()
        await house.client()
        with pytest.raises(InvalidStatus) as refused:
            await house.socket()
        assert refused.value.response.status_code == 429
        assert int(refused.value.response.headers["retry-after"]) >= 9


async def dropped_after(house, *parts: bytes, pause_s: float = 0.0) -> float:
    """Seconds until the server drops a raw socket that says this, part by part."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(10):
            while await reader.read(4096):
                pass
    except (ConnectionError, RuntimeError):  # uvloop's word for a socket that is gone
        pass
    finally:
        writer.transport.abort()
    return time.monotonic() - begun


async def test_a_silent_socket_is_dropped(direct: bool) -> None:
    async with running(direct=direct) as house:
        assert 0.4 < await dropped_after(house) < 2.0


PUNCTUAL = replace(SMALL, handshake_s=4, hello_s=6, silence_s=6, stranger_close_s=2, tick_s=1)
"""What is done in time is done a second ahead."""


async def test_whoever_keeps_the_door_waiting_is_gone_by_the_deadline_and_not_only_noticed() -> None:
    """Fault 22. Over plain ASGI the server's own patience counts."""
    async with running(PUNCTUAL) as house:
        assert 1 < await dropped_after(house) < PUNCTUAL.handshake_s
        raw = await Raw.begin(house, f"Origin: {ORIGIN}\r\n")
        await raw.reader.readuntil(b"\r\n\r\n")
        accepted = time.monotonic()
        assert await raw.close_code() == 4102
        await house.until(lambda: house.gateway.sockets == 0)
        assert 1 < time.monotonic() - accepted < PUNCTUAL.hello_s


async def test_whoever_falls_silent_is_gone_by_the_deadline_and_not_only_noticed(direct: bool) -> None:
    """Fault 12."""
    async with running(PUNCTUAL, direct=direct) as house:
        await house.client("ann")
        greeted = time.monotonic()
        await house.until(lambda: house.opener.endings)
        assert 1 < time.monotonic() - greeted < PUNCTUAL.silence_s


async def test_half_a_header_is_dropped(direct: bool) -> None:
    async with running(direct=direct) as house:
        assert 0.4 < await dropped_after(house, UPGRADE[:90].encode()) < 2.0


async def test_a_byte_now_and_then_is_dropped_and_others_get_in(direct: bool) -> None:
    async with running(direct=direct) as house:
        trickle = [UPGRADE[at : at + 1].encode() for at in range(40)]
        slow = [asyncio.create_task(dropped_after(house, *trickle, pause_s=0.1)) for _ in range(20)]
        client = await house.client()
        assert (await client.answer(await client.ask("agent.list")))["error"]["code"] == 1003
        assert max(await asyncio.gather(*slow)) < 6.0
        assert house.gateway.sockets == 1


async def test_blank_lines_do_not_keep_a_socket_alive() -> None:
    async with running() as house:
        assert await dropped_after(house, *[b"\r\n"] * 20, pause_s=0.1) < 3.0


async def test_a_header_without_end_is_dropped() -> None:
    async with running(replace(SMALL, handshake_s=30)) as house:
        endless = [b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"X-Pad: " + b"x" * 8000 + b"\r\n"] * 20]
        assert await dropped_after(house, *endless) < 10, "not for its time, but for its length"


async def test_a_body_that_trickles_is_dropped_and_one_that_flows_is_not() -> None:
    async with running() as house:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n"
        assert await dropped_after(house, head, *[b"x"] * 30, pause_s=0.1) < 3.5
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(head)
        for _ in range(16):  # 1.6 s, at 2,500 bytes/s
            await asyncio.sleep(0.1)
            writer.write(b"x" * 250)
        assert (await reader.readuntil(b"4000"))[-4:] == b"4000"
        writer.close()


async def test_no_hello_is_4102(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.socket()
        begun = time.monotonic()
        assert await client.closed() == 4102
        assert 0.4 < time.monotonic() - begun < 2.0
        await house.until(lambda: house.gateway.sockets == 0)


@pytest.mark.req("PF-05")
async def test_who_says_nothing_at_all_is_dropped_soon_after_being_told() -> None:
    # Over plain ASGI the server's own patience counts.
    async with running(replace(SMALL, close_s=30)) as house:
        raw = await Raw.begin(house, f"Origin: {ORIGIN}\r\n")
        await raw.reader.readuntil(b"\r\n\r\n")
        assert await raw.close_code() == 4102
        await house.until(lambda: house.gateway.sockets == 0)


class SlowOpener(Opener):
    """Thinks about every header until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def authenticate(
        self, *, ticket: str | None, authorization: str | None, origin: str | None
    ) -> Principal:
        await self.gate.wait()
        return await super().authenticate(ticket=ticket, authorization=authorization, origin=origin)


async def test_data_before_the_handshake_is_answered_is_4000() -> None:
    opener = SlowOpener()
    async with running(opener=opener) as house:
        raw = await Raw.begin(house, f"Origin: {ORIGIN}\r\nAuthorization: Bearer ann\r\n")
        await asyncio.sleep(0.1)  # the header has been read, the answer waits
        raw.frame(1, b"{}")
        await asyncio.sleep(0.1)
        opener.gate.set()
        await raw.reader.readuntil(b"\r\n\r\n")
        assert await raw.close_code() == 4000
        await house.until(lambda: house.gateway.sockets == 0)


async def test_a_handshake_that_the_house_does_not_answer_is_dropped() -> None:
    opener = SlowOpener()
    async with running(opener=opener) as house:
        raw = await Raw.begin(house, f"Origin: {ORIGIN}\r\nAuthorization: Bearer ann\r\n")
        begun = time.monotonic()
        assert await raw.close_code() == 1006
        assert 0.3 < time.monotonic() - begun < 2.0
        for task in list(house.server.server_state.tasks):
            task.cancel()
