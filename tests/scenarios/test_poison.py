"""Frames that no client of ours would send: a typed error or a close, no traceback, and the node lives (fault 20)."""

import logging
from collections.abc import AsyncIterator

import orjson
import pytest
import websockets
from websockets.exceptions import ConnectionClosed as SocketClosed

from tests.protocol.poison import POISON, mutations
from tests.scenarios.house import Customer, House

ALIVE = '{"jsonrpc":"2.0","id":"alive","method":"agent.list","params":{}}'
"""Cheap to answer: customers may not."""
MUTATIONS = 300


@pytest.fixture
async def unhurried(migrated_database_url: str, redis_url: str) -> AsyncIterator[House]:
    """A house that lets customers send as fast as they can."""
    house = await House.start(
        migrated_database_url, redis_url, nodes=2, customer_messages_per_s=10_000, customer_burst=10_000
    )
    yield house
    await house.stop()


async def signed_in(customer: Customer) -> websockets.ClientConnection:
    """A raw socket with a session."""
    url, ticket = customer.node.url, await customer.ticket()
    socket = await websockets.connect(
        url.replace("http", "ws") + "/ws",
        subprotocols=[websockets.Subprotocol("pointsman.v1")],
        origin=websockets.Origin(url),
        max_size=None,
    )
    hello = {"jsonrpc": "2.0", "id": 1, "method": "session.hello", "params": {"ticket": ticket}}
    await socket.send(orjson.dumps(hello).decode())
    await until_answered(socket, 1)
    return socket


async def until_answered(socket: websockets.ClientConnection, id: object) -> None:
    """Read until the reply with this id; every reply before must be well formed."""
    while True:
        frame = orjson.loads(await socket.recv())
        assert frame["jsonrpc"] == "2.0"
        if "error" in frame:
            assert isinstance(frame["error"]["code"], int), frame
            assert frame["error"]["data"]["reason"] != "internal", frame
        if "method" not in frame and frame.get("id") == id:
            return


@pytest.mark.req("PF-01", "PF-05")
async def test_poison_frames_leave_no_traceback_and_harm_nobody(
    unhurried: House, caplog: pytest.LogCaptureFixture
) -> None:
    house = unhurried
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    poison = [frame.data for frame in POISON] + mutations(seed=20, count=MUTATIONS)

    with caplog.at_level(logging.ERROR):
        socket = await signed_in(ada)
        for data in poison:
            raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
            try:
                await socket.send(raw, text=True)
                await socket.send(ALIVE)
                await until_answered(socket, "alive")
            except SocketClosed as closed:
                assert closed.rcvd is not None and closed.rcvd.code in (
                    1000,
                    1002,
                    1003,
                    1007,
                    1009,
                    4000,
                    4103,
                ), raw
                socket = await signed_in(ada)
        await socket.close()

    assert [record.getMessage() for record in caplog.records] == []
    conversation = await ada.opens("still alive?")
    await lily.reads(conversation, "still alive?")
