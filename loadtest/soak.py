"""`python -m loadtest soak`: hours at half the measured capacity with random faults; nothing may have grown (I6).

First everybody talks as fast as they can: that is the capacity. Then all rest, and what memory, tasks, sockets and keys
are now is the baseline: a node that has worked, not one that was just started. After the hours all rest again.
"""

import asyncio
import random
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg

from loadtest import chaos
from loadtest.faults import FAULTS, Limit, Scene
from loadtest.gauge import Gauge, resident_mib
from loadtest.machine import describe
from loadtest.people import PROFILES, Book, Party
from loadtest.play import Play
from loadtest.resp import size_of
from loadtest.show import Show
from loadtest.stage import Stage

CAPACITY_S = 30.0
STEER_S = 5.0
REST_S = 40.0
CALM_S = 5.0
BACK_S = 90.0
"""for what was opened to be closed, and for keys that live for a minute to go"""
LIMITS = (
    Limit("memory_mib_per_node_grew", at_most=32),
    Limit("tasks_grew", at_most=4),
    Limit("sockets_grew", at_most=0),
    Limit("postgres_connections_grew", at_most=0),
    Limit("redis_keys_grew_percent", at_most=5),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is while nobody does anything, of all nodes together (memory: of the largest)."""

    memory_mib: float
    tasks: float
    sockets: float
    postgres_connections: float
    redis_keys: float

    def grew(self, before: "Standing") -> dict[str, float]:
        """Since then, by the names of `LIMITS`."""
        return {
            "memory_mib_per_node_grew": round(self.memory_mib - before.memory_mib, 1),
            "tasks_grew": self.tasks - before.tasks,
            "sockets_grew": self.sockets - before.sockets,
            "postgres_connections_grew": self.postgres_connections - before.postgres_connections,
            "redis_keys_grew_percent": round(
                (self.redis_keys - before.redis_keys) / max(1.0, before.redis_keys) * 100, 1
            ),
        }


@dataclass(slots=True)
class Outcome:
    """A mixed run with what was there before and after it."""

    mixed: chaos.Outcome
    capacity_per_s: float = 0.0
    before: Mapping[str, float] = field(default_factory=dict[str, float])
    grew: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def broken(self) -> list[str]:
        """The limits that do not hold."""
        return [str(limit) for limit in LIMITS if not limit.holds(self.grew)]

    @property
    def failed(self) -> bool:
        """Whether anything does not hold."""
        return self.mixed.failed or bool(self.broken)

    def document(self) -> dict[str, Any]:
        """For JSON, and for the report."""
        document = self.mixed.document()
        kept = {name.replace("_", " "): value for name, value in self.grew.items()}
        return {
            **document,
            "kind": "soak",
            "title": "Soak: half the capacity, random faults",
            "what": "nothing may have grown when everybody rests again (I6)",
            "failed": self.failed,
            "capacity_per_s": round(self.capacity_per_s, 1),
            "before": dict(self.before),
            "grew": dict(self.grew),
            "broken": self.broken,
            "run": {**document["run"], "capacity, messages/s": round(self.capacity_per_s), **kept},
        }

    def text(self) -> str:
        """For people."""
        rows = [f"  {name:<34} {value:>9,.1f}" for name, value in self.grew.items()]
        verdict = "; ".join(f"BROKEN {words}" for words in self.broken) or "back at the baseline"
        return "\n".join(
            [f"capacity {self.capacity_per_s:,.0f} messages/s", *rows, verdict, self.mixed.text()]
        )


async def run(wishes: chaos.Wishes, show: Show, logs: Path | None = None) -> Outcome:
    """Do it for `wishes.minutes`. Raises ChildFailed, Refused, PartyFailed."""
    mixed = chaos.Outcome(wishes, book=Book(), machine=describe())
    outcome = Outcome(mixed)
    cast = PROFILES["chaos"]
    profile = replace(cast, customers=wishes.customers or cast.customers, agents=wishes.agents or cast.agents)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-soak-")))
        show.step(f"setting up {wishes.nodes} nodes, {profile.agents} agents")
        play = await Play.open(folder, profile, undo, wishes, mixed.book)
        mixed.balancer = play.stage.balancer
        party = play.party
        await play.customers_come(profile.customers, over_s=2.0)
        outcome.capacity_per_s = await _capacity(party, show)
        show.step("resting: what there is before")
        before = await _standing(play)
        outcome.before = {name: float(getattr(before, name)) for name in Standing.__slots__}
        for each in (party, play.neighbours):
            each.world.pace.go_on()
        gauge = Gauge(play.stage, party)
        tasks = [asyncio.create_task(gauge.run())]
        tasks.append(asyncio.create_task(_steer(party, outcome.capacity_per_s / 2)))
        for task in tasks:
            undo.callback(task.cancel)
        began, said = loop.time(), mixed.book.of("messages")
        scene = Scene(play.stage, party, play.journal, wishes.sockets)
        faults = [FAULTS[number] for number in wishes.faults if not FAULTS[number].settings]
        await chaos.Chaos(mixed, scene, gauge, random.Random(wishes.seed), show).mixed(faults)
        mixed.seconds = loop.time() - began
        mixed.book.count("messages at half the capacity", mixed.book.of("messages") - said)
        for task in tasks:
            task.cancel()
        mixed.gauges.append(gauge.document())
        show.step("resting: what there is afterwards")
        outcome.grew = await _back(play, before)
        show.step("everybody finishes and catches up")
        mixed.verdict.also(await play.end(lambda done, of: show.at(done)))
    return outcome


async def _capacity(party: Party, show: Show) -> float:
    """Messages a second when nobody pauses."""
    show.step("as fast as it goes", CAPACITY_S)
    party.world.pace.factor = 0.0
    await asyncio.sleep(CALM_S)
    first, loop = party.book.of("messages"), asyncio.get_running_loop()
    began = loop.time()
    while (passed := loop.time() - began) < CAPACITY_S:
        show.at(passed)
        await asyncio.sleep(0.5)
    rate = (party.book.of("messages") - first) / (loop.time() - began)
    party.world.pace.factor = 1.0
    return rate


async def _steer(party: Party, wanted_per_s: float) -> None:
    """Let people pause so long that so much is said, whatever the faults do to it."""
    pace, loop = party.world.pace, asyncio.get_running_loop()
    while True:
        first, began = party.book.of("messages"), loop.time()
        await asyncio.sleep(STEER_S)
        rate = (party.book.of("messages") - first) / (loop.time() - began)
        pace.factor = min(20.0, max(0.02, pace.factor * min(2.0, max(0.5, rate / wanted_per_s))))


async def _standing(play: Play) -> Standing:
    """Everybody rests; then everything is counted. Raises PartyFailed, ChildFailed."""
    await asyncio.gather(play.party.rest(REST_S), play.neighbours.rest(REST_S))
    await asyncio.sleep(CALM_S)
    return await _count(play.stage)


async def _back(play: Play, before: Standing) -> dict[str, float]:
    """What has grown, when everything had the time to go."""
    loop = asyncio.get_running_loop()
    grew = (await _standing(play)).grew(before)
    began = loop.time()
    while loop.time() - began < BACK_S and not all(limit.holds(grew) for limit in LIMITS):
        await asyncio.sleep(2.0)
        grew = (await _count(play.stage)).grew(before)
    return grew


async def _count(stage: Stage) -> Standing:
    metrics = [await node.metrics() for node in stage.nodes]
    connection = await asyncpg.connect(stage.database_url)
    try:
        backends = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    return Standing(
        memory_mib=max(resident_mib(node.pid) for node in stage.nodes),
        tasks=sum(each["pointsman_tasks"] for each in metrics),
        sockets=sum(each["pointsman_sockets"] for each in metrics),
        postgres_connections=float(backends or 0),
        redis_keys=await size_of(stage.servers.redis_url),
    )
