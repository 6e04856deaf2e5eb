"""The receiving half of the bus: one blocking connection that follows this node's stream."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast, final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from protocol.ids import ShopId
from router.redis_link import ServerId
from server.bus_wire import unpack
from server.node import Node, counter_key, stream_key
from server.push import Control, Push

log = logging.getLogger(__name__)

READ_ENTRIES = 200
SOCKET_S = 5.0
"""Longer than the blocking read: a reply that does not come by then never will."""
RETRY_S = 0.1

GONE = (RedisError, OSError, RuntimeError)
"""How a connection ends; uvloop says RuntimeError of one that was reset between two steps."""

Deliver = Callable[[ShopId, Sequence[Push | Control]], None]
OnGap = Callable[[str], None]


def _told_to_end() -> bool:
    """Whether the present task was cancelled: a library that is busy with a time-out of its own may keep that to
    itself, and a node that waits for its reader does not stop."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@final
class BusReader:
    """Delivers what comes in, in order, and tells when something may be missing:

    - a number left out (the stream was cut, or the sender lost something);
    - another epoch, or a Redis that was restarted: what it forgot cannot be known;
    - a counter behind ours.
    """

    def __init__(
        self,
        server_of: Callable[[str], ServerId],
        deliver: Deliver,
        node: Node,
        on_gap: OnGap,
        block_s: float,
    ) -> None:
        """`server_of`: where a key lives; the blocking read has a connection of its own."""
        self._server_of = server_of
        self._deliver = deliver
        self._node = node
        self._on_gap = on_gap
        self._block_ms = int(block_s * 1000)
        self._name = ""
        self._epoch = ""
        """of what we read"""
        self._heard = ""
        """of Redis, as the node heard"""
        self._run_id = ""
        self._last = 0

    async def run(self) -> None:
        """Follow the stream until cancelled, through every loss of Redis."""
        while not _told_to_end():
            client = cast("Any", Redis).from_url(
                self._server_of(stream_key(self._node.name)).url,
                socket_timeout=SOCKET_S,
                socket_connect_timeout=1.0,
                retry=Retry(NoBackoff(), 0),
                single_connection_client=True,
                protocol=2,
            )
            try:
                await self._take_up(client)
                while not _told_to_end():
                    await self._read(client)
            except (RedisError, OSError) as error:
                log.warning("bus reader of %s: %s", self._node.name, error)
                await asyncio.sleep(RETRY_S)
            except Exception:  # a node that reads no more, and does not say so, loses what it should deliver
                log.exception("bus reader of %s; again", self._node.name)
                await asyncio.sleep(RETRY_S)
            finally:
                with suppress(
                    RedisError, OSError
                ):  # of a connection that was reset: it is closed all the same
                    await client.aclose()

    async def _take_up(self, client: Redis) -> None:
        """After every connect: is this still the Redis that we read from, and does it know what we know?"""
        run_id = str((await cast("Any", client).info("server"))["run_id"])
        counter = int(await client.get(counter_key(self._node.name)) or 0)
        if self._name == self._node.name:
            if run_id != self._run_id:
                self._on_gap("Redis was restarted")
            elif counter < self._last:
                self._on_gap("the counter went back")
            self._last = min(self._last, counter)  # what it still has is delivered all the same
        self._run_id = run_id

    async def _read(self, client: Redis) -> None:
        if self._name != self._node.name:  # a new incarnation: a new stream, and nobody is connected yet
            self._name, self._last = self._node.name, 0
            self._epoch = self._heard = self._node.epoch
        if self._heard != self._node.epoch:
            self._heard = self._node.epoch
            if self._epoch != self._heard:  # else an entry has told already
                self._epoch, self._last = self._heard, 0
                self._on_gap("Redis has lost its data")
        streams = {stream_key(self._name): f"{self._last}-0"}
        reply = await client.xread(cast("dict[Any, Any]", streams), count=READ_ENTRIES, block=self._block_ms)
        for _, entries in cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]", reply):
            for entry_id, fields in entries:
                self._take(int(entry_id.partition(b"-")[0]), fields)

    def _take(self, n: int, fields: dict[bytes, bytes]) -> None:
        if n != self._last + 1:
            self._on_gap(f"{self._last + 1} to {n - 1} are missing")
        self._last = n
        epoch = fields.pop(b"e", b"").decode()
        if epoch != self._epoch:
            self._on_gap("another epoch")
            self._epoch = epoch
        for name, payload in fields.items():
            if not name.isdigit():  # what a newer node says beside the pushes (fault 32)
                continue
            try:
                shop, item = unpack(payload)
            except (ValueError, TypeError, IndexError):
                log.exception("a push from another node was not understood")
                self._on_gap("not understood")
                continue
            self._deliver(shop, (item,))
