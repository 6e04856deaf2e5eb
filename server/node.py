"""This process as a node among others: its name, its lease, and who of the others is dead.

A node lives by a lease in Redis (Redis time). It renews it every `renew_s`; when it cannot within `lease_s` of its own
monotonic clock while others can, or hears that the lease is gone, it *fences itself*: its sockets are closed, and it
begins anew under another name, since anybody may have declared the old one dead. When nobody can, nobody declares
anything: it *stands by*, with its sockets, until Redis answers (ADR 24). Clocks of the wall play no part (fault 18).

The epoch names the contents of Redis: it is made once, and made anew by whoever finds Redis without one (fault 4).
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, final

from hiredis import ReplyError

from router.link import Link
from router.redis_link import LinkError

log = logging.getLogger(__name__)

EPOCH_KEY = "pm:{nodes}:epoch"
NODES_KEY = "pm:{nodes}"
"""All keys of nodes have this hash tag: on a cluster they are together, on one master."""
SILENCES_KEY = "pm:{nodes}:silences"
"""Which silence of each node was noticed: when it was last heard before it."""
SILENT_RENEWALS = 1.5
"""A node that has missed half a renewal more than one is silent."""
STREAM_TTL_MS = 600_000
"""Life of a node's stream and counter without a renewal; `forget` removes them sooner."""
RETRY_S = 0.25
"""Pause between attempts to register, or to renew after a failure."""
OPINION_S = 2.0
"""How long the others are asked for; no answer counts as theirs that Redis is there."""
OPINION_AGAIN_S = 1.0
"""How old their answer may be while the node stands by."""


def stream_key(node: str) -> str:
    """Stream of what is published for this node incarnation."""
    return f"pm:{{nodes}}:gw:{node}"


def counter_key(node: str) -> str:
    """The number of its last entry."""
    return f"pm:{{nodes}}:gw:{node}:n"


def lease_key(node: str) -> str:
    """There while the incarnation lives."""
    return f"pm:{{nodes}}:lease:{node}"


def left_key(node: str) -> str:
    """There for a while when the incarnation stopped in order."""
    return f"pm:{{nodes}}:left:{node}"


async def _nothing(_: str) -> None:
    return


def node_id(name: str) -> str:
    """Whose incarnation it is."""
    return name.rpartition(":")[0]


class Contacts(Protocol):
    """What nodes tell each other of Redis without Redis (`store.contacts`)."""

    async def note(self, node: str) -> None:
        """This node has heard from Redis just now."""
        ...

    async def others(self, node: str, within_s: float) -> bool:
        """Whether any other node has heard from Redis within that time."""
        ...


@final
class Node:
    """One process; `name` changes with every incarnation.

    `on_fenced(old name)`: the lease is lost; close all sockets (4203) and let nobody in. `on_registered(new name)`:
    the next incarnation has its lease; people may come in again. Neither is called for the first incarnation.
    """

    def __init__(
        self,
        link: Link,
        node_id: str,
        *,
        lease_s: float = 7.0,
        renew_s: float = 1.0,
        on_fenced: Callable[[str], Awaitable[None]] = _nothing,
        on_registered: Callable[[str], Awaitable[None]] = _nothing,
        contacts: Contacts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`contacts`: without them every lease that cannot be renewed fences."""
        self._link = link
        self._id = node_id
        self._lease_s = lease_s
        self._renew_s = renew_s
        self._on_fenced = on_fenced
        self._on_registered = on_registered
        self._contacts = contacts
        self._clock = clock
        self._noting: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        self.standing_by = False
        """whether Redis answers nobody, and has not for longer than a lease"""
        self._renewed_at = clock()
        self._steady_from = self._renewed_at + renew_s
        self._keeper: asyncio.Task[None] | None = None
        self.epoch = ""
        """of Redis, as last heard; empty before `start`"""
        self.name = self._fresh_name()
        """`<node id>:<incarnation>`"""
        self.registered = False
        """whether `name` has a lease, as far as is known"""

    @property
    def lapsed(self) -> bool:
        """Whether the lease may have run out, by our own clock: true also before the loop has noticed."""
        return not self.registered or self._clock() - self._renewed_at >= self._lease_s

    async def start(self) -> None:
        """Register and keep the lease. Raises LinkError or ReplyError when Redis is not there."""
        await self._register()
        self._keeper = asyncio.create_task(self._keep(), name="node-lease")

    async def stop(self) -> None:
        """Give the lease back: others reap this node at once instead of waiting for it, and know that it
        left in order."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._noting is not None:
            self._noting.cancel()
            await asyncio.gather(self._noting, return_exceptions=True)
        if self.registered:
            self.registered = False
            with suppress(LinkError, ReplyError):
                await self._link.call("SET", left_key(self.name), "1", "PX", str(STREAM_TTL_MS))
                await self._link.call("DEL", lease_key(self.name))

    async def dead_nodes(self) -> tuple[str, ...]:
        """Names of incarnations without a lease that nobody has forgotten yet. Raises LinkError."""
        dead: list[bytes] = await self._link.script("node_dead", (NODES_KEY,), ())
        return tuple(sorted(name.decode() for name in dead))

    async def silent_nodes(self) -> dict[str, float]:
        """Names of incarnations that should have renewed their lease by now and still have it, and for how many
        seconds nobody has heard of them: perhaps dead, perhaps only slow. Each silence is told to one who asks, once.
        None while this node is late itself, or was a renewal ago: it may be Redis that was away. Raises LinkError."""
        now = self._clock()
        if self._late_at(now) or now < self._steady_from:
            return {}
        silent: list[tuple[bytes, int]] = await self._link.script(
            "node_silent", (NODES_KEY, SILENCES_KEY), (int(self._silent_s * 1000),)
        )
        return {name.decode(): silent_ms / 1000 for name, silent_ms in silent}

    async def left(self, name: str) -> bool:
        """Whether a dead incarnation stopped in order: then it delivered all it had written. Raises LinkError."""
        return bool(await self._link.call("EXISTS", left_key(name)))

    async def forget(self, name: str) -> bool:
        """Remove a dead incarnation, after it was reaped everywhere. True when this call did it; one that has a lease
        stays. Any node may, in any number. Raises LinkError."""
        keys = (NODES_KEY, lease_key(name), stream_key(name), counter_key(name), SILENCES_KEY)
        return bool(await self._link.script("node_forget", keys, (name,)))

    @property
    def _silent_s(self) -> float:
        return SILENT_RENEWALS * self._renew_s

    def _late_at(self, now: float) -> bool:
        """Whether this node is silent itself."""
        return now - self._renewed_at > self._silent_s

    def _heard_at(self, now: float) -> None:
        """The lease was renewed then. If late, all may have been: the others get as long as a renewal takes."""
        if self._late_at(now):
            self._steady_from = now + self._renew_s
        self._renewed_at = now

    def _fresh_name(self) -> str:
        return f"{self._id}:{secrets.token_hex(4)}"

    async def _register(self) -> None:
        asked_at = self._clock()
        keys = (EPOCH_KEY, NODES_KEY, lease_key(self.name))
        args = (self.name, int(self._lease_s * 1000), secrets.token_hex(8))
        epoch: bytes = await self._link.script("node_register", keys, args)
        self.epoch = epoch.decode()
        self._heard_at(asked_at)  # not when the answer came: a process may have been stopped in between
        self.registered = True
        self._in_contact()
        log.info("node %s registered, epoch %s", self.name, self.epoch)

    async def _keep(self) -> None:
        pause_s = self._renew_s
        while True:
            left_s = self._renewed_at + self._lease_s - self._clock()
            await asyncio.sleep(pause_s if self.standing_by else max(0.0, min(pause_s, left_s)))
            if self.lapsed and not await self._nobody_hears():
                await self._fence("could not renew in time, and others can")
                pause_s = self._renew_s
                continue
            pause_s = self._renew_s if await self._renew() else RETRY_S
            if not self.registered:
                await self._fence("the lease was gone")
                pause_s = self._renew_s

    async def _nobody_hears(self) -> bool:
        """Whether no other node hears from Redis either. Where that cannot be known, they are taken to; while the node
        stands by, not before their last answer is older than a lease."""
        if self._contacts is None:
            return False
        age_s = self._clock() - self._asked_at
        if self.standing_by and age_s < OPINION_AGAIN_S:
            return True
        try:
            async with asyncio.timeout(OPINION_S):
                alone = not await self._contacts.others(self._id, self._lease_s / 2)
        except Exception as error:  # whatever it is: nobody says that Redis is gone
            log.warning("node %s cannot ask the others: %r", self.name, error)
            return self.standing_by and age_s < self._lease_s
        self._asked_at = self._clock()
        if alone and not self.standing_by:
            log.error("node %s stands by: Redis answers nobody", self.name)
        self.standing_by = alone
        return alone

    def _in_contact(self) -> None:
        """Redis has answered: say so to the others, without waiting for it, since a lease is not to wait for that."""
        self.standing_by = False
        if self._contacts is not None and (self._noting is None or self._noting.done()):
            self._noting = asyncio.create_task(self._note(self._contacts), name="node-contact")

    async def _note(self, contacts: Contacts) -> None:
        try:
            await contacts.note(self._id)
        except Exception as error:  # the database is away: nobody can be asked then either
            log.warning("node %s could not say that it hears from Redis: %r", self.name, error)

    async def _renew(self) -> bool:
        """Whether it was answered; `registered` says with what."""
        asked_at = self._clock()
        name = self.name
        keys = (EPOCH_KEY, NODES_KEY, lease_key(name), stream_key(name), counter_key(name))
        args = (name, int(self._lease_s * 1000), self.epoch, secrets.token_hex(8), STREAM_TTL_MS)
        try:
            verdict, epoch = await self._link.script("node_renew", keys, args)
        except (LinkError, ReplyError) as error:
            log.warning("node %s could not renew its lease: %s", name, error)
            return False
        self._heard_at(asked_at)
        self._in_contact()
        self.registered = verdict == b"renewed"
        if epoch.decode() != self.epoch:
            log.warning("Redis has lost its data: epoch %s, was %s", epoch.decode(), self.epoch)
            self.epoch = epoch.decode()
        return True

    async def _fence(self, why: str) -> None:
        """End this incarnation, and register the next however long that takes."""
        old = self.name
        log.error("node %s fences itself: %s", old, why)
        self.registered = False
        self.standing_by = False
        self.name = self._fresh_name()
        await self._on_fenced(old)
        while not self.registered:
            try:
                await self._register()
            except (LinkError, ReplyError):
                await asyncio.sleep(RETRY_S)
        await self._on_registered(self.name)
