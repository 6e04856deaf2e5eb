"""Once a second, how a run goes: rates, latencies, people, and what every process uses."""

import asyncio
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.children import cpu_s
from loadtest.figures import percentile
from loadtest.people import Party
from loadtest.stage import Stage

EVERY_S = 1.0
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One second. Latencies are of sends that were acknowledged in it; 0: there was none."""

    at_s: float
    messages_per_s: float
    visits_per_s: float
    send_p50_ms: float
    send_p99_ms: float
    connected: int
    waiting: int
    """customers, for an agent"""
    cpu: dict[str, float]
    """of one core, by process; of PostgreSQL with all its workers"""
    memory_mib: dict[str, float]
    """resident, by process"""


@dataclass(slots=True)
class Gauge:
    """Call `run` in a task; `samples` grows. `marks`: what happened when, for the charts."""

    stage: Stage
    party: Party
    samples: list[Sample] = field(default_factory=list[Sample])
    marks: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _began: float = 0.0

    async def run(self) -> None:
        """Sample until cancelled."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        due = self._began
        before, at = self._now(), self._began
        self.party.book.sends.lately()
        while True:
            due += EVERY_S
            await asyncio.sleep(due - loop.time())
            now, here = loop.time(), self._now()
            self.samples.append(self._sample(now - self._began, now - at, before, here))
            before, at = here, now

    def mark(self, words: str) -> None:
        """Something happened now."""
        self.marks.append((asyncio.get_running_loop().time() - self._began, words))

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {"samples": [asdict(each) for each in self.samples], "marks": self.marks}

    def _pids(self) -> dict[str, int]:
        nodes = {node.name: node.pid for node in self.stage.nodes}
        servers = {"postgres": self.stage.servers.postgres.pid, "redis": self.stage.servers.redis.pid}
        return {**nodes, **servers, **self.stage.passages, "people": os.getpid()}

    def _now(self) -> dict[str, float]:
        book = self.party.book
        counts = {"messages": float(book.of("messages")), "visits": float(book.of("visits"))}
        # Only PostgreSQL works in processes of its own; looking for children costs a look at all of /proc.
        cpu = {
            name: cpu_s(pid) if name == "postgres" else own_cpu_s(pid) for name, pid in self._pids().items()
        }
        return {**counts, **{f"cpu {name}": used for name, used in cpu.items()}}

    def _sample(self, at_s: float, took_s: float, before: dict[str, float], now: dict[str, float]) -> Sample:
        lately = self.party.book.sends.lately()
        pids = self._pids()
        people = self.party.everybody
        return Sample(
            at_s=round(at_s, 2),
            messages_per_s=round((now["messages"] - before["messages"]) / took_s, 1),
            visits_per_s=round((now["visits"] - before["visits"]) / took_s, 2),
            send_p50_ms=round(percentile(lately, 0.5) * 1000, 2) if lately else 0.0,
            send_p99_ms=round(percentile(lately, 0.99) * 1000, 2) if lately else 0.0,
            connected=sum(person.client.is_live for person in people),
            waiting=sum(customer.waiting for customer in self.party.customers),
            # A process that was started again begins at 0.
            cpu={
                name: round(max(0.0, now[f"cpu {name}"] - before.get(f"cpu {name}", 0.0)) / took_s, 3)
                for name in pids
            },
            memory_mib={name: round(resident_mib(pid), 1) for name, pid in pids.items()},
        )


def own_cpu_s(pid: int) -> float:
    """CPU seconds of one process so far, without its children; 0 when it is gone."""
    fields = _stat(pid)
    return sum(int(each) for each in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of one process; 0 when it is gone."""
    fields = _stat(pid)
    return int(fields[21]) * PAGE_MIB if fields else 0.0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
