"""`python -m loadtest idle`: what sockets cost that only sit there: memory each, CPU to come in, CPU to stay.

Signed-in visitors of one node with everything that their session holds, in steps; beside them as many bare sockets of
the peer (goal P6). Memory is a difference between two steps: what a process needs without them is not counted.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loadtest.children import Child, cpu_s
from loadtest.faults.sitters import Sitters
from loadtest.gauge import resident_mib
from loadtest.line import Line
from loadtest.machine import describe, sentence
from loadtest.pointsman_stand import SETTINGS, SHOP, Shop
from loadtest.socketio_stand import PEER, NoPeer, install, join
from loadtest.stage.servers import Servers

GOAL_P6: Final = 0.8
STAY_S: Final = 30.0
"""Everybody says twice in it that they are there."""
CALM_S: Final = 3.0
AT_ONCE: Final = 16

Come = Callable[[int], Awaitable[None]]
"""So many more."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """What so many sockets of one server process cost."""

    sockets: int
    kib_each: float
    redis_kib_each: float
    come_ms_each: float
    """CPU of the process to let one in: for ours with ticket, handshake and hello"""
    stay_us_each_s: float
    """CPU of the process for one that stays, each second"""

    @property
    def per_gib(self) -> float:
        """How many fit, by this."""
        return 2**20 / self.kib_each


@dataclass(slots=True)
class Report:
    """What was measured; `peer` is missing where it cannot run."""

    machine: dict[str, Any]
    ours: Sitting
    peer: Sitting | None
    why_no_peer: str = ""
    goal: float = field(default=GOAL_P6)

    @property
    def ratio(self) -> float | None:
        """P6: our memory each against the peer's."""
        return None if self.peer is None else self.ours.kib_each / self.peer.kib_each

    def document(self) -> dict[str, Any]:
        """For JSON."""
        named = {"pointsman": self.ours, "socket.io": self.peer}
        rows = {
            name: {**{key: getattr(each, key) for key in Sitting.__slots__}, "per_gib": each.per_gib}
            for name, each in named.items()
            if each is not None
        }
        return {"machine": self.machine, "sitting": rows, "P6": self.ratio, "goal": self.goal}

    def text(self) -> str:
        """For people."""
        head = f"{'':<12}{'sockets':>9}{'KiB each':>10}{'a GiB':>10}{'KiB Redis':>11}{'ms to come':>12}{'us a s':>9}"
        rows = [sentence(self.machine), "", head]
        for name, each in (("pointsman", self.ours), ("socket.io", self.peer)):
            if each is not None:
                rows.append(
                    f"{name:<12}{each.sockets:>9,}{each.kib_each:>10.1f}{each.per_gib:>10,.0f}"
                    f"{each.redis_kib_each:>11.1f}{each.come_ms_each:>12.2f}{each.stay_us_each_s:>9.1f}"
                )
        if self.ratio is None:
            rows.append(f"no peer: {self.why_no_peer}")
        else:
            verdict = "met" if self.ratio <= self.goal else "MISSED"
            rows.append(f"P6: {self.ratio:.2f} of the peer's bare socket, goal <= {self.goal:g}: {verdict}")
        return "\n".join(rows)


async def run(sockets: int, tell: Callable[[str], None], logs: Path | None = None) -> Report:
    """Measure on servers of its own. Raises ChildFailed, Refused, LineBroken."""
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-idle-")))
        servers = await Servers.start(folder)
        undo.push_async_callback(servers.stop)
        tell(f"{sockets} visitors of one node")
        ours = await _ours(servers, folder, sockets)
        peer, why = None, ""
        try:
            node = await install()
        except NoPeer as error:
            why = str(error)
        else:
            tell(f"{sockets} bare sockets of the peer")
            peer = await _peer(node, servers, folder, sockets)
    return Report(describe(), ours, peer, why)


async def _ours(servers: Servers, folder: Path, sockets: int) -> Sitting:
    async with AsyncExitStack() as undo:
        shop = await Shop.open(servers, folder, agents=0, capacity=1, settings=SETTINGS)
        undo.push_async_callback(shop.close)
        sitters = Sitters(shop.ports[0], SHOP)
        undo.push_async_callback(sitters.leave)
        return await _measure(
            shop.nodes[0], servers, sockets, lambda many: sitters.come(many, random.Random(1))
        )


async def _peer(node: str, servers: Servers, folder: Path, sockets: int) -> Sitting:
    async with AsyncExitStack() as undo:
        child = await Child.start("socketio", (node, str(PEER / "server.js"), servers.redis_url), folder, {})
        undo.push_async_callback(child.stop)
        port = int((await child.first_word())["port"])
        lines: list[Line] = []

        async def come(many: int) -> None:
            for first in range(0, many, AT_ONCE):
                lines.extend(
                    await asyncio.gather(*(join(port, []) for _ in range(min(AT_ONCE, many - first))))
                )

        async def leave() -> None:
            await asyncio.gather(*(line.close() for line in lines))

        undo.push_async_callback(leave)
        return await _measure(child, servers, sockets, come)


async def _measure(child: Child, servers: Servers, sockets: int, come: Come) -> Sitting:
    """The first fifth warms the process up, the rest is counted."""
    warm = max(1, sockets // 5)
    await come(warm)
    await asyncio.sleep(CALM_S)
    memory, redis, used = resident_mib(child.pid), resident_mib(servers.redis_pid), cpu_s(child.pid)
    counted = sockets - warm
    await come(counted)
    came = cpu_s(child.pid) - used
    await asyncio.sleep(CALM_S)
    grown = resident_mib(child.pid) - memory
    more = resident_mib(servers.redis_pid) - redis
    used = cpu_s(child.pid)
    await asyncio.sleep(STAY_S)
    stayed = cpu_s(child.pid) - used
    return Sitting(
        sockets=sockets,
        kib_each=grown * 1024 / counted,
        redis_kib_each=more * 1024 / counted,
        come_ms_each=came / counted * 1e3,
        stay_us_each_s=stayed / sockets / STAY_S * 1e6,
    )
