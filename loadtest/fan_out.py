"""`python -m loadtest fan-out`: what many readers cost: agents in one conversation, supervisors before one wall.

Everything of one round is measured on the same servers within seconds of each other, the sizes in another order each
round; growth is a ratio within the round. CPU is the kernel's count of both nodes, Redis and PostgreSQL.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.children import cpu_s
from loadtest.figures import Figure, ratio
from loadtest.front_desk import Door
from loadtest.gathering import Gathering
from loadtest.line import LineBroken
from loadtest.listeners import Listener
from loadtest.machine import describe, sentence
from loadtest.pointsman_stand import PASSWORD, SETTINGS, SHOP, Shop
from loadtest.stage.servers import Servers

DEVICES = 20
"""connections of one supervisor, as many as the server's own limit allows"""
WALL_S = 0.1
"""how often walls are looked at here; 1 s by default. More changes in less time, each at the same cost"""
CHANGE_S = 20.0
BARE, LOOKING = 0, 2
"""before no wall: what the changes themselves cost; one before a wall on each node: what looking costs"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to measure. `sizes`: agents in one conversation, the most of them last; `subscribers`: connections before
    one wall, likewise. `BARE` and `LOOKING` are measured in any case."""

    sizes: tuple[int, ...] = (2, 10, 25, 50)
    messages: int = 400
    subscribers: tuple[int, ...] = (1, 50, 200, 500)
    changes: int = 30

    @property
    def before_walls(self) -> tuple[int, ...]:
        """All numbers of connections."""
        return tuple(sorted({BARE, LOOKING, *self.subscribers}))


@dataclass(slots=True, eq=False)
class Sample:
    """One size in one round. CPU in seconds for all of it."""

    size: int
    events: int
    """messages, or walls that changed"""
    elapsed_s: float
    nodes_s: float
    others_s: float
    pushes: int = 0
    bytes: int = 0

    @property
    def cpu_us(self) -> float:
        """Of all processes, for one event."""
        return (self.nodes_s + self.others_s) / self.events * 1e6


@dataclass(slots=True)
class Report:
    """What was measured: by size, a sample for each round."""

    machine: dict[str, Any]
    gatherings: dict[int, list[Sample]] = field(default_factory=dict[int, list[Sample]])
    walls: dict[int, list[Sample]] = field(default_factory=dict[int, list[Sample]])

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "machine": self.machine,
            "conversation": {size: self._conversation(size) for size in self.gatherings},
            "wall": {size: self._wall(size) for size in self.walls if size != BARE},
        }

    def text(self) -> str:
        """For people."""
        lines = [sentence(self.machine), "", "agents in one conversation"]
        lines.append(
            f"{'agents':>8}{'messages/s':>12}{'CPU us a message':>18}{'of it nodes':>13}{'us a reader':>13}"
        )
        for size in self.gatherings:
            row = self._conversation(size)
            lines.append(
                f"{size:>8}{row['messages_per_s']:>12,.0f}{row['cpu_us']:>18,.0f}{row['nodes_us']:>13,.0f}"
                f"{row['us_per_reader']:>13,.1f}"
            )
        lines += self._growth(
            [*self.gatherings],
            "agents",
            "message",
            lambda size: [each.cpu_us for each in self.gatherings[size]],
        )
        lines += ["", "connections before one wall; CPU above what the changes themselves cost"]
        lines.append(f"{'':>8}{'KiB a wall':>12}{'CPU us a change':>18}{'pushes':>13}{'KiB a change':>14}")
        for size in self.walls:
            if size != BARE:
                row = self._wall(size)
                lines.append(
                    f"{size:>8}{row['kib']:>12,.1f}{row['cpu_us']:>18,.0f}{row['pushes']:>13,.1f}"
                    f"{row['kib'] * row['pushes']:>14,.0f}"
                )
        lines += self._growth(
            [size for size in self.walls if size > LOOKING], "connections", "change", self._above
        )
        return "\n".join(lines)

    def _conversation(self, size: int) -> dict[str, float]:
        samples = self.gatherings[size]
        return {
            "messages_per_s": _median(samples, lambda each: each.events / each.elapsed_s),
            "cpu_us": _median(samples, lambda each: each.cpu_us),
            "nodes_us": _median(samples, lambda each: each.nodes_s / each.events * 1e6),
            "us_per_reader": _median(samples, _reader_us),
        }

    def _wall(self, size: int) -> dict[str, float]:
        samples = self.walls[size]
        above = self._above(size)
        return {
            "kib": _median(samples, lambda each: each.bytes / each.pushes / 1024),
            "cpu_us": Figure.of(above).median,
            "pushes": _median(samples, lambda each: each.pushes / each.events),
        }

    def _above(self, size: int) -> list[float]:
        """CPU of a change, without what it costs when nobody looks, by round."""
        bare = self.walls[BARE]
        return [each.cpu_us - none.cpu_us for each, none in zip(self.walls[size], bare, strict=True)]

    def _growth(
        self, sizes: list[int], of: str, event: str, cost_us: Callable[[int], list[float]]
    ) -> list[str]:
        """How the cost of one event grows with those who get it, within each round."""
        least, most = sizes[0], sizes[-1]
        grown = ratio(cost_us(most), cost_us(least))
        more_us = Figure.of(
            [(many - few) / (most - least) for many, few in zip(cost_us(most), cost_us(least), strict=True)]
        )
        return [
            f"one {event} for {most} {of} costs {grown.median:.2f} times one for {least} "
            f"({grown.least:.2f} to {grown.most:.2f} over the rounds; {most / least:g} would be linear); "
            f"each more costs {more_us.median:.0f} us"
        ]


def _reader_us(sample: Sample) -> float:
    return sample.cpu_us / (sample.size + 1)  # and the customer


def _median(samples: list[Sample], of: Callable[[Sample], float]) -> float:
    return Figure.of([of(each) for each in samples]).median


async def run(
    rounds: int, tell: Callable[[str], None], logs: Path | None = None, wishes: Wishes | None = None
) -> Report:
    """Measure on servers of its own. Raises ChildFailed, Refused, LineBroken."""
    wishes = wishes or Wishes()
    report = Report(describe())
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-fan-out-")))
        servers = await Servers.start(folder)
        undo.push_async_callback(servers.stop)
        settings = {**SETTINGS, "POINTSMAN_WALL_S": str(WALL_S)}
        shop = await Shop.open(servers, folder, agents=wishes.sizes[-1], capacity=20, settings=settings)
        undo.push_async_callback(shop.close)
        stand = Stand(shop, wishes)
        undo.push_async_callback(stand.leave)
        await stand.agents_come()
        await stand.customers_come()
        tell(f"{wishes.sizes[-1]} agents take part in conversations of {', '.join(map(str, wishes.sizes))}")
        await stand.gather_once()
        for turn in range(rounds):
            for size in _turned(wishes.sizes, turn):
                report.gatherings.setdefault(size, []).append(await stand.talk(size))
            tell(f"round {turn + 1} of {rounds}: conversations")
        await stand.supervisors_come()
        tell(f"{wishes.subscribers[-1]} connections of supervisors")
        for turn in range(rounds):
            for size in _turned(wishes.before_walls, turn):
                report.walls.setdefault(size, []).append(await stand.look(size))
            tell(f"round {turn + 1} of {rounds}: walls")
    report.gatherings = dict(sorted(report.gatherings.items()))
    report.walls = dict(sorted(report.walls.items()))
    return report


def _turned(sizes: tuple[int, ...], turn: int) -> tuple[int, ...]:
    """In another order each round: what the machine does in between meets all sizes alike."""
    start = turn % len(sizes)
    turned = sizes[start:] + sizes[:start]
    return turned[::-1] if turn % 2 else turned


class Stand:
    """Two nodes, agents on both, and those who listen."""

    def __init__(self, shop: Shop, wishes: Wishes) -> None:
        self._shop = shop
        self._wishes = wishes
        self._agents: dict[str, Listener] = {}
        self._gatherings: dict[int, Gathering] = {}
        self._supervisors: list[Listener] = []
        self._paused = False
        """the agent whose changes are shown"""

    async def agents_come(self) -> None:
        """All agents online, in turns on both nodes."""
        for number, (email, account) in enumerate(zip(self._shop.agents, self._shop.agent_ids, strict=True)):
            agent = await Listener.sign_in(self._shop.ports[number % 2], email)
            agent.on_message = self._arrived
            await agent.asks("agent.set_status", status="online")
            self._agents[account] = agent

    async def customers_come(self) -> None:
        """One for each size, whose conversation so many agents share."""
        for number, size in enumerate(self._wishes.sizes):
            port = self._shop.ports[number % 2]
            self._gatherings[size] = await Gathering.open(number, port, self._agents, size)

    async def gather_once(self) -> None:
        """Warm: what is made at first use is made."""
        for gathering in self._gatherings.values():
            await gathering.burst(20)

    async def supervisors_come(self) -> None:
        """Every connection that will look at a wall, in turns on both nodes."""
        body = {"roles": ["supervisor"], "password": PASSWORD}
        by_node: tuple[list[Listener], list[Listener]] = ([], [])
        accounts = -(-self._wishes.subscribers[-1] // (2 * DEVICES)) * 2
        for number in range(accounts):
            email = f"supervisor{number}@bench.example"
            port = self._shop.ports[number % 2]
            async with Door(port) as door:
                named = {"email": email, "name": f"Supervisor {number}"}
                await door.ask("POST", "/v1/accounts", {**body, **named}, token=self._shop.owner_token)
                token = await door.sign_in(SHOP, email, PASSWORD)
                by_node[number % 2].extend([await Listener.again(door, token) for _ in range(DEVICES)])
        self._supervisors = [each for both in zip(*by_node, strict=True) for each in both]

    async def talk(self, size: int) -> Sample:
        """Messages to so many agents."""
        before = self._cpu()
        elapsed = await self._gatherings[size].burst(self._wishes.messages)
        return self._sample(size, self._wishes.messages, elapsed, before)

    async def look(self, size: int) -> Sample:
        """Changes, with so many before the wall. The first of them says when the next change may come."""
        told = Told()
        looking = self._supervisors[:size]
        for each in looking:
            each.on_wall = told.hears
        await asyncio.gather(*(each.asks("monitor.subscribe") for each in looking))
        agent = next(iter(self._agents.values()))
        await asyncio.sleep(3 * WALL_S)  # what subscribing itself changed is over
        told.begin(looking[0] if looking else None)
        before, began = self._cpu(), time.perf_counter()
        for _ in range(self._wishes.changes):
            self._paused = not self._paused
            await agent.asks("agent.set_status", status="paused" if self._paused else "online")
            await told.next(3 * WALL_S)
        sample = self._sample(size, self._wishes.changes, time.perf_counter() - began, before)
        sample.pushes, sample.bytes = told.pushes, told.bytes
        await asyncio.gather(*(each.asks("monitor.unsubscribe") for each in looking))
        return sample

    async def leave(self) -> None:
        """Close all lines."""
        for each in (*self._agents.values(), *self._supervisors):
            await each.line.close()
        for gathering in self._gatherings.values():
            await gathering.customer.close()

    def _arrived(self, number: int) -> None:
        for gathering in self._gatherings.values():
            gathering.arrived(number)

    def _cpu(self) -> tuple[float, float]:
        nodes = sum(cpu_s(node.pid) for node in self._shop.nodes)
        others = cpu_s(self._shop.servers.postgres_pid) + cpu_s(self._shop.servers.redis_pid)
        return nodes, others

    def _sample(self, size: int, events: int, elapsed_s: float, before: tuple[float, float]) -> Sample:
        nodes, others = self._cpu()
        return Sample(size, events, elapsed_s, nodes - before[0], others - before[1])


class Told:
    """Counts walls that arrive."""

    def __init__(self) -> None:
        self.pushes = 0
        self.bytes = 0
        self._first: Listener | None = None
        self._arrived = asyncio.Event()

    def begin(self, first: Listener | None) -> None:
        """From here on it counts; `first`'s walls are waited for."""
        self.pushes = self.bytes = 0
        self._first = first
        self._arrived.clear()

    def hears(self, listener: Listener, length: int) -> None:
        """A wall has come."""
        self.pushes += 1
        self.bytes += length
        if listener is self._first:
            self._arrived.set()

    async def next(self, pause_s: float) -> None:
        """Until the first of them was told of the change and the others had as long; with nobody before the wall, as
        long."""
        began = time.perf_counter()
        if self._first is not None:
            try:
                async with asyncio.timeout(CHANGE_S):
                    await self._arrived.wait()
            except TimeoutError:
                raise LineBroken(f"no wall showed the change within {CHANGE_S:g} s") from None
        await asyncio.sleep(max(0.0, began + pause_s - time.perf_counter()))
        self._arrived.clear()
