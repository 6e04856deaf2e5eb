"""A server under test, as the end-to-end goals see it: processes whose CPU counts, and a crowd that is connected."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from loadtest.children import cpu_s
from loadtest.crowd import Crowd


class Stand(Protocol):
    """One of the systems that are compared. `name` is for tables, `pids` are the processes that serve, by name."""

    name: str
    pids: dict[str, int]
    crowd: Crowd

    async def stop(self) -> None:
        """End everything that was started."""
        ...


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement of one stand. CPU in microseconds per message, by process; latencies in milliseconds."""

    messages_per_s: float
    cpu_us: dict[str, float]
    driver_us: float
    driver_share: float
    """of one core, used by the driver itself: near 1.0 it would be the bottleneck"""
    latencies_ms: list[float]

    @property
    def cpu_total_us(self) -> float:
        """Of all serving processes."""
        return sum(self.cpu_us.values())


class Clock:
    """Counts messages and CPU of a stand from its making to `read`."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        stand.crowd.reset()
        self._cpu = {name: cpu_s(pid) for name, pid in stand.pids.items()}
        self._done = stand.crowd.tally.delivered
        self._own = time.process_time()
        self._start = time.perf_counter()

    def read(self) -> Cell:
        """What happened since."""
        wall = time.perf_counter() - self._start
        own = time.process_time() - self._own
        tally = self._stand.crowd.tally
        done = max(1, tally.delivered - self._done)
        cpu = {name: (cpu_s(pid) - self._cpu[name]) / done * 1e6 for name, pid in self._stand.pids.items()}
        latencies = [each * 1000 for each in tally.latencies_s]
        return Cell(done / wall, cpu, own / done * 1e6, own / wall, latencies)


async def saturated(stand: Stand, *, window: int, warm_s: float, seconds: float) -> Cell:
    """Every customer keeps `window` messages under way; measured after `warm_s`. Raises CrowdFailed."""
    await stand.crowd.press(window)
    await asyncio.sleep(warm_s)
    clock = Clock(stand)
    await asyncio.sleep(seconds)
    cell = clock.read()
    await stand.crowd.rest()
    stand.crowd.check()
    return cell


async def paced(stand: Stand, *, per_s: float, warm_s: float, seconds: float) -> Cell:
    """So many messages a second, whatever the server does; measured after `warm_s`. Raises CrowdFailed."""
    await stand.crowd.pace(per_s, warm_s)
    await stand.crowd.rest()
    clock = Clock(stand)
    await stand.crowd.pace(per_s, seconds)
    await stand.crowd.rest()
    stand.crowd.check()
    return clock.read()
