"""From this node to the sockets of others: what is published here reaches every connection of its people.

Each node incarnation has one Redis stream. Publishing batches by itself: while one script call is under way the next
pushes gather; the call looks up where people are connected and writes one entry per node. Entries are numbered, so that
a reader knows when something is missing; then, and when Redis has lost its data, sessions are brought up to date from
PostgreSQL (`on_gap`). Typing takes the same way as everything else: it stays in order with the messages it belongs to,
and a stream is bounded where Pub/Sub queues without bound.

Promises: pushes of one node arrive in the order in which they were published, at least once; or `on_gap` is called at
the receiving node. Knows nothing of what pushes mean.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, final

from hiredis import ReplyError

from protocol.ids import PersonId, ShopId
from router.keys import at_key
from router.link import Link
from router.redis_link import Argument, LinkError
from server.bus_reader import BusReader
from server.bus_wire import pack
from server.failpoints import armed, strikes
from server.node import EPOCH_KEY, NODES_KEY, Node
from server.push import Control, Push

log = logging.getLogger(__name__)

OnGap = Callable[[str], Awaitable[None]]
"""Something published may have been missed (the word says why): bring every local session up to date."""

BATCH_ITEMS = 256
"""Pushes in one call: bounds how long one script holds Redis, and the width of an entry."""
BATCH_PEOPLE = 4096
ROOM = 16
"""Who can wait fills no more than this part of the backlog: the rest is for what people do meanwhile."""
RETRY_S = (0.05, 1.0)
"""Shortest and longest pause after a failed call."""


class LocalHub(Protocol):
    """Delivers to the sockets of this process (`gateway.hub.Hub`)."""

    def deliver(self, shop: ShopId, items: Sequence[Push | Control]) -> None: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One push under way. `by`: the incarnation that published it; with its lease it is void, since what a node without
    one wrote is delivered by others, as it is then."""

    by: str
    shop: ShopId
    payload: bytes
    people: tuple[PersonId, ...]


class NoLease(Exception):
    """Redis takes no pushes of this incarnation: its lease is gone, or Redis has lost it."""


async def order_everywhere(link: Link, shop: ShopId, order: Control, *, stream_length: int = 10_000) -> int:
    """Give an order to every node that lives, from outside of all of them. How many there are. Raises LinkError."""
    args = (pack(shop, order), str(stream_length))
    return int(await link.script("bus_everywhere", (EPOCH_KEY, NODES_KEY), args))


@final
class Bus:
    """Publishes for this node, and receives for it."""

    def __init__(
        self,
        link: Link,
        hub: LocalHub,
        node: Node,
        *,
        on_gap: OnGap,
        stream_length: int = 10_000,
        backlog_bytes: int = 16 * 1024 * 1024,
        block_s: float = 2.0,
    ) -> None:
        """`stream_length`: entries kept for a node that is slow; `backlog_bytes`: pushes kept while Redis is away.
        Beyond either, receivers are resynced."""
        self._link = link
        self._hub = hub
        self._node = node
        self._length = stream_length
        self._most_bytes = backlog_bytes
        self._queue: deque[Item] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._less = asyncio.Event()
        self._dropped = False
        self._on_gap = on_gap
        self._gaps: list[str] = []
        self._gap_wake = asyncio.Event()
        self._reader = BusReader(link.server_of, hub.deliver, node, self._gap, block_s)
        self._tasks: list[asyncio.Task[None]] = []
        self.published = 0
        """pushes handed to other nodes' streams, or found to concern none"""
        self.gaps = 0
        """resyncs asked for"""

    @property
    def backlog_bytes(self) -> int:
        """Bytes waiting for Redis."""
        return self._queued_bytes

    async def start(self) -> None:
        """Begin to publish and to receive. The node has registered."""
        loops = (self._publish_loop(), self._gap_loop(), self._reader.run())
        self._tasks = [asyncio.create_task(each, name="bus") for each in loops]

    async def stop(self, within_s: float = 2.0) -> None:
        """Publish what waits, if that goes quickly, and end."""
        deadline = asyncio.get_running_loop().time() + within_s
        while self._queue and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def publish(self, shop: ShopId, items: Sequence[Push | Control]) -> None:
        """Deliver to the people of `shop`: here before this returns, elsewhere soon. Never raises."""
        if armed and strikes("publish.drop"):
            return
        self._hub.deliver(shop, items)
        for item in items:
            if not item.to:
                continue
            payload = pack(shop, item)
            self._queued_bytes += len(payload)
            self._queue.append(Item(self._node.name, shop, payload, item.to))
        if self._queued_bytes > self._most_bytes:
            self._queue.clear()
            self._queued_bytes = 0
            self._dropped = True
            self._less.set()
        self._wake.set()

    async def room(self) -> None:
        """Until not much waits for Redis: for who has very much to publish and can wait, so that the backlog does not
        become a gap for everybody."""
        while self._queued_bytes > self._most_bytes // ROOM:
            self._less.clear()
            await self._less.wait()

    async def _publish_loop(self) -> None:
        pause_s = RETRY_S[0]
        batch: list[Item] = []
        while True:
            if not batch and not self._dropped:
                if not self._queue:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                batch = self._next_batch()
            batch = [item for item in batch if item.by == self._node.name]
            if not batch and not self._dropped:
                continue
            try:
                await (self._announce_gap() if self._dropped else self._send(batch))
            except (LinkError, NoLease):
                # Not run, or nobody knows: the same again, in the same order. Receivers drop what they have.
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_S[1])
                continue
            except ReplyError:
                log.exception("%d pushes could not be published", len(batch))
                self._dropped = True
            else:
                self.published += len(batch)
            batch, pause_s = [], RETRY_S[0]

    def _next_batch(self) -> list[Item]:
        batch: list[Item] = []
        people = 0
        while self._queue and len(batch) < BATCH_ITEMS and people < BATCH_PEOPLE:
            item = self._queue.popleft()
            self._queued_bytes -= len(item.payload)
            people += len(item.people)
            batch.append(item)
        self._less.set()
        return batch

    async def _send(self, batch: list[Item]) -> None:
        if await (self._in_steps(batch) if self._link.spreads else self._at_once(batch)) < 0:
            raise NoLease

    async def _at_once(self, batch: list[Item]) -> int:
        """Directory and streams are on one server: look up and write in one script."""
        args: list[Argument] = [self._node.name, self._length]
        for item in batch:
            args += (item.shop, item.payload, len(item.people), *item.people)
        return int(await self._link.script("bus_publish", (EPOCH_KEY,), tuple(args)))

    async def _in_steps(self, batch: list[Item]) -> int:
        """Each shop's directory is on its own master: ask those, then write."""
        wanted: dict[ShopId, dict[PersonId, None]] = {}
        for item in batch:
            wanted.setdefault(item.shop, {}).update(dict.fromkeys(item.people))
        found = await asyncio.gather(
            *(
                self._link.script("bus_where", tuple(at_key(shop, person) for person in people), ())
                for shop, people in wanted.items()
            )
        )
        nodes_of = {
            (shop, person): nodes
            for (shop, people), rows in zip(wanted.items(), found, strict=True)
            for person, nodes in zip(people, rows, strict=True)
        }
        own = self._node.name.encode()
        entries: dict[bytes, list[bytes]] = {}
        for item in batch:
            for node in {node for person in item.people for node in nodes_of[item.shop, person]} - {own}:
                entries.setdefault(node, []).append(item.payload)
        if not entries:
            return 0
        args: list[Argument] = [self._node.name, self._length]
        for node, payloads in entries.items():
            args += (node, len(payloads), *payloads)
        return int(await self._link.script("bus_enter", (EPOCH_KEY,), tuple(args)))

    async def _announce_gap(self) -> None:
        await self._link.script("bus_gap", (EPOCH_KEY, NODES_KEY), (self._node.name, self._length))
        self._dropped = False

    def _gap(self, why: str) -> None:
        """Ask for a resync; those that come while one is under way are made one."""
        self.gaps += 1
        self._gaps.append(why)
        self._gap_wake.set()

    async def _gap_loop(self) -> None:
        while True:
            await self._gap_wake.wait()
            self._gap_wake.clear()
            why, self._gaps = ", ".join(dict.fromkeys(self._gaps)), []
            log.warning("node %s may have missed pushes: %s", self._node.name, why)
            try:
                await self._on_gap(why)
            except Exception:
                log.exception("resync after a gap failed; again")
                await asyncio.sleep(RETRY_S[1])
                self._gaps.append(why)
                self._gap_wake.set()
