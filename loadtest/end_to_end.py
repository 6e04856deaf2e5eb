"""P1 and P3: a message's way over two nodes, against socket.io on the same machine in the same minutes.

Both stands are up for the whole run and measured in turns, round by round, so that a ratio compares neighbours in time.
"""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.figures import Figure, Goal, percentile, ratio
from loadtest.pointsman_stand import PointsmanStand
from loadtest.socketio_stand import NoPeer, SocketIoStand, install
from loadtest.stage.servers import Servers
from loadtest.stand import Cell, Stand, paced, saturated

P1_RATE = Goal("P1", "messages/s, saturated: pointsman (durable) / socket.io (not)", 1.5, at_least=True)
P1_CPU = Goal("P1", "CPU per message, all processes: pointsman / socket.io", 0.7, at_least=False)
P3_P50 = Goal("P3", "p50 at 500 messages/s: pointsman / socket.io", 1.5, at_least=False)
P3_P99 = Goal("P3", "p99 at 500 messages/s: pointsman / socket.io", 1.0, at_least=False)

PACE_PER_S = 500


@dataclass(frozen=True, slots=True)
class Shape:
    """How big the load is, and how long each cell takes."""

    rounds: int = 5
    customers: int = 150
    agents: int = 5
    window: int = 4
    """messages that each customer keeps under way"""
    warm_s: float = 1.5
    seconds: float = 4.0


@dataclass(slots=True)
class EndToEnd:
    """What was measured: per stand the cells of all rounds, saturated and paced."""

    saturated: dict[str, list[Cell]] = field(default_factory=dict[str, list[Cell]])
    paced: dict[str, list[Cell]] = field(default_factory=dict[str, list[Cell]])
    left_out: list[str] = field(default_factory=list[str])
    servers: list[str] = field(default_factory=list[str])

    def figures(self) -> dict[str, dict[str, Figure]]:
        """Per stand, everything by name."""
        found: dict[str, dict[str, Figure]] = {}
        for name, cells in self.saturated.items():
            row = found.setdefault(name, {})
            row["messages/s"] = Figure.of([cell.messages_per_s for cell in cells])
            row["CPU us per message"] = Figure.of([cell.cpu_total_us for cell in cells])
            for process in cells[0].cpu_us:
                row[f"  {process}"] = Figure.of([cell.cpu_us[process] for cell in cells])
            row["driver us per message"] = Figure.of([cell.driver_us for cell in cells])
            row["driver, share of a core"] = Figure.of([cell.driver_share for cell in cells])
        for name, cells in self.paced.items():
            row = found.setdefault(name, {})
            for share in (50, 99):
                row[f"p{share} ms at {PACE_PER_S}/s"] = Figure.of(_percentiles(cells, share))
            row[f"CPU us per message at {PACE_PER_S}/s"] = Figure.of([cell.cpu_total_us for cell in cells])
        return found

    def verdicts(self) -> list[dict[str, Any]]:
        """The goals that could be measured, each with its ratio."""
        found: list[dict[str, Any]] = []
        if len(self.saturated) == 2:
            ours, theirs = (self.saturated[name] for name in (PointsmanStand.name, SocketIoStand.name))
            rates = ([cell.messages_per_s for cell in cells] for cells in (ours, theirs))
            costs = ([cell.cpu_total_us for cell in cells] for cells in (ours, theirs))
            found += [P1_RATE.facts(ratio(*rates)), P1_CPU.facts(ratio(*costs))]
        if len(self.paced) == 2:
            ours, theirs = (self.paced[name] for name in (PointsmanStand.name, SocketIoStand.name))
            for goal, share in ((P3_P50, 50), (P3_P99, 99)):
                found.append(goal.facts(ratio(_percentiles(ours, share), _percentiles(theirs, share))))
        return found


def _percentiles(cells: list[Cell], share: int) -> list[float]:
    return [percentile(cell.latencies_ms, share / 100) for cell in cells]


async def measure(
    shape: Shape, *, goals: frozenset[str], tell: Callable[[str], None], logs: Path | None = None
) -> EndToEnd:
    """P1 and P3, whichever is in `goals`. `tell` hears of the progress; `logs` keeps the servers' logs.

    Raises CrowdFailed when a message was lost, doubled or refused; ChildFailed, LineBroken, Refused when a server
    could not be set up. Without the peer our side is measured alone, and `left_out` says so.
    """
    found = EndToEnd()
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-bench-")))
        servers = await Servers.start(folder)
        undo.push_async_callback(servers.stop)
        found.servers = servers.names
        tell("; ".join(servers.names))
        ours = await PointsmanStand.start(servers, folder, customers=shape.customers, agents=shape.agents)
        undo.push_async_callback(ours.stop)
        stands: list[Stand] = [ours]
        try:
            node = await install()
            theirs = await SocketIoStand.start(
                node,
                folder,
                redis_url=servers.redis_url.removesuffix("/0") + "/9",
                redis_pid=servers.redis_pid,
                customers=shape.customers,
                agents=shape.agents,
            )
            undo.push_async_callback(theirs.stop)
            stands.append(theirs)
        except NoPeer as lacking:
            found.left_out.append(f"the ratios of P1 and P3 to socket.io: {lacking}")
        for turn in range(shape.rounds):
            # The other one first in every second round: whoever comes second meets caches and disks of the first.
            for stand in stands if turn % 2 == 0 else reversed(stands):
                await _round(stand, shape, goals, found, tell, turn)
    return found


async def _round(
    stand: Stand, shape: Shape, goals: frozenset[str], found: EndToEnd, tell: Callable[[str], None], turn: int
) -> None:
    if "P1" in goals:
        cell = await saturated(stand, window=shape.window, warm_s=shape.warm_s, seconds=shape.seconds)
        found.saturated.setdefault(stand.name, []).append(cell)
        tell(
            f"round {turn + 1}  {stand.name:<10} {cell.messages_per_s:>8,.0f} messages/s  "
            f"{cell.cpu_total_us:>6.1f} us each  (driver {cell.driver_share:.0%} of a core)"
        )
        await asyncio.sleep(0.5)
    if "P3" in goals:
        cell = await paced(stand, per_s=PACE_PER_S, warm_s=shape.warm_s, seconds=shape.seconds)
        found.paced.setdefault(stand.name, []).append(cell)
        p50, p99 = (percentile(cell.latencies_ms, share) for share in (0.5, 0.99))
        tell(f"round {turn + 1}  {stand.name:<10} at {PACE_PER_S}/s: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
        await asyncio.sleep(0.5)
