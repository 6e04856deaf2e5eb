"""Faults of the network itself: one more node, on an island, whose packets are lost without a word to anybody.

What proxies do to a node ends its connections or holds their bytes; here its kernel sends again and again, and it is
the node's own time-outs that must notice. Only where `Island.possible`; elsewhere a proxy stands in, or nothing does.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from loadtest.faults.fault import Figures, Scene
from loadtest.faults.probe import Probe
from loadtest.front_desk import Asker, Door, address
from loadtest.people import Book
from loadtest.people.person import Person
from loadtest.stage import PASSWORD, Node
from loadtest.stage.island import Island, Way
from protocol.client import account_tickets
from protocol.errors import RequestError

VISITORS = 5
GONE_S = 20.0
PATIENCE_S = 60.0
FIRST = 31_000
"""Their addresses are nobody else's."""


@dataclass(frozen=True, slots=True)
class Dark:
    """A way in, at `port`, that can go dark."""

    port: int
    fall: Callable[[], Awaitable[None]]
    lift: Callable[[], Awaitable[None]]


@asynccontextmanager
async def dark_way(scene: Scene, dice: random.Random) -> AsyncGenerator[Dark]:
    """By lost packets; where that is not possible, by a proxy in which bytes vanish."""
    if await Island.possible():
        async with scene.stage.islander() as (island, node):
            yield Dark(node.port, partial(island.cut, Way.CLIENTS), partial(island.mend, Way.CLIENTS))
        return
    wire = await scene.stage.wire(f"dark {dice.random()}")
    try:
        yield Dark(wire.port, wire.half_open, wire.mend)
    finally:
        await wire.close()


async def without_redis(scene: Scene) -> Figures:
    """Fault 6: everything between a node and Redis is lost; it fences itself, and begins anew when it can."""
    if not await Island.possible():
        return {}
    loop = asyncio.get_running_loop()
    async with scene.stage.islander() as (island, node), Door(node.port, address(FIRST)) as door:
        guests = [
            await Asker.hello(door, await door.visitor_ticket(scene.party.shop.slug)) for _ in range(VISITORS)
        ]
        lines = [line for line, _ in guests]
        await island.cut(Way.REDIS)
        lost = loop.time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*(line.over.wait() for line in lines))
        except TimeoutError:
            pass  # the figures say so
        fenced = loop.time() - lost
        await asyncio.sleep(max(0.0, GONE_S - fenced))
        await island.mend(Way.REDIS)
        return {
            "lost_packets_fenced_after_s": fenced,
            "lost_packets_closed_with_4203": sum("4203" in (line.ended or "") for line in lines),
            "lost_packets_ready_again_s": await node.ready(PATIENCE_S),
        }


async def without_postgres(scene: Scene, seconds: float) -> Figures:
    """Fault 9: everything between a node and PostgreSQL is lost: answers come in time, and good ones soon after."""
    if not await Island.possible():
        return {}
    async with scene.stage.islander() as (island, node):
        colleague = await _colleague(scene, node)
        probe = Probe([colleague])
        probing = asyncio.create_task(probe.run())
        try:
            await asyncio.sleep(1.0)
            await island.cut(Way.POSTGRES)
            await asyncio.sleep(seconds)
            await island.mend(Way.POSTGRES)
            back = await _answered(colleague)
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)
            await colleague.leave()
    return {
        "lost_packets_longest_answer_s": max(probe.took, default=float("inf")),
        "lost_packets_told_unavailable": probe.refused,
        "lost_packets_unanswered": probe.unanswered,
        "lost_packets_answered_again_s": back,
    }


async def _colleague(scene: Scene, node: Node) -> Person:
    """An agent who takes nothing."""
    party = scene.party
    if not party.shop.spare:
        party.shop.spare.append(await party.shop.hire("agent"))
    account = party.shop.spare[0]
    world = replace(party.world, book=Book(), port=node.port)
    tickets = account_tickets(party.door(address(FIRST)), party.shop.slug, account.email, PASSWORD)
    colleague = Person("islander's guest", world, tickets, party.dice())
    await colleague.client.start()
    await colleague.ask("agent.set_status", status="paused")
    return colleague


async def _answered(colleague: Person) -> float:
    """Until a request that needs PostgreSQL is answered well; the seconds that took, at most `PATIENCE_S`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < PATIENCE_S:
        try:
            await colleague.client.request("conversation.list", scope="mine")
        except RequestError:
            await asyncio.sleep(0.05)
        else:
            break
    return loop.time() - began
