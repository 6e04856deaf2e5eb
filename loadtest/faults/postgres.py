"""What happens to PostgreSQL: restarted at once, frozen, locked until no connection is free."""

import asyncio
import random
from dataclasses import dataclass, field

import asyncpg

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.people.person import Person
from protocol.errors import ConnectionClosed, RequestError

DEADLINE_S = 8.0
"""`POINTSMAN_REQUEST_DEADLINE_S`: the longest time a request may take."""
SLACK_S = 1.5
"""for the way there and back through a harness that is busy itself"""
FROZEN_S = 10.0
PROBE_S = 30.0


@dataclass(slots=True)
class Probe:
    """Asks all the time, and says how long answers took, whatever they were."""

    people: list[Person]
    took: list[float] = field(default_factory=list[float])
    refused: int = 0
    unanswered: int = 0
    lost: int = 0

    async def run(self) -> None:
        """Until cancelled: everybody asks, again and again, things that need PostgreSQL."""
        await asyncio.gather(*(self._ask(person) for person in self.people))

    async def _ask(self, person: Person) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began, connection = loop.time(), person.client.connections
            try:
                await person.client.request("conversation.list", PROBE_S, scope="mine")
            except RequestError as refusal:
                if refusal.reason == "no_reply":
                    self.unanswered += 1
                elif refusal.reason in ("connection_lost", "not_connected"):
                    self.lost += 1
                else:
                    self.refused += 1
                    self.took.append(loop.time() - began)
            except ConnectionClosed:
                return
            else:
                if person.client.connections == connection:
                    self.took.append(loop.time() - began)
            await asyncio.sleep(0.2)


async def restart(scene: Scene, dice: random.Random) -> Figures:
    """Fault 8: PostgreSQL is killed with -9 and started again: sends are repeated until they are there."""
    loop = asyncio.get_running_loop()
    back = len(scene.book.resumes.all)
    server = scene.stage.servers.postgres
    await asyncio.sleep(dice.uniform(0, 0.5))
    await server.kill()
    killed = loop.time()
    await server.restart()
    up = loop.time()
    said = scene.journal.acknowledged
    while scene.journal.acknowledged == said and loop.time() - up < 60:
        await asyncio.sleep(0.02)
    first = loop.time() - up
    await scene.stage.ready()
    return {
        "down_s": up - killed,
        "first_acknowledged_s": first,
        "connections_lost": len(scene.book.resumes.all) - back,
    }


async def freeze(scene: Scene, dice: random.Random) -> Figures:
    """Fault 9: frozen for longer than any deadline, then all its connections busy with a lock: answers come in time."""
    server = scene.stage.servers.postgres
    back = len(scene.book.resumes.all)
    probe = Probe([*scene.party.agents])
    before = await _backends(scene)
    probing = asyncio.create_task(probe.run())
    try:
        await asyncio.sleep(1.0)
        await server.freeze()
        try:
            await asyncio.sleep(FROZEN_S)
        finally:
            await server.thaw()
        await scene.stage.ready()
        await _locked(scene, FROZEN_S)
        await scene.stage.ready()
        await asyncio.sleep(2.0)
    finally:
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    after = await _backends(scene)
    return {
        "answered": len(probe.took),
        "longest_answer_s": max(probe.took, default=0.0),
        "told_unavailable": probe.refused,
        "unanswered": probe.unanswered,
        "connections_lost": len(scene.book.resumes.all) - back,
        "more_backends_than_before": max(0, after - before - 20),
    }


async def freeze_briefly(scene: Scene, dice: random.Random) -> Figures:
    """A few seconds only."""
    seconds = dice.choice((0.5, 1.0, 3.0))
    await scene.stage.servers.postgres.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        await scene.stage.servers.postgres.thaw()
    return {"frozen_s": seconds}


async def _locked(scene: Scene, seconds: float) -> None:
    """Everything that writes a message waits, until no connection of any pool is free."""
    connection = await asyncpg.connect(scene.stage.database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE conversations, messages IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(seconds)
    finally:
        await connection.close()


async def _backends(scene: Scene) -> int:
    """Connections to the database."""
    connection = await asyncpg.connect(scene.stage.database_url)
    try:
        counted = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return int(counted or 0)
    finally:
        await connection.close()


FAMILY = (
    Fault(
        8,
        "PostgreSQL restarted (immediate)",
        "1051 retried; I1, I2; sockets stay",
        (Limit("first_acknowledged_s", at_most=10), Limit("connections_lost", at_most=0)),
        restart,
        brief=restart,
    ),
    Fault(
        9,
        "PostgreSQL frozen; then locked, so that every pool is exhausted",
        "every request answered within its deadline; nothing leaks; sockets stay",
        (
            Limit("told_unavailable", at_least=1),
            Limit("longest_answer_s", at_most=DEADLINE_S + SLACK_S),
            Limit("unanswered", at_most=0),
            Limit("connections_lost", at_most=0),
            Limit("more_backends_than_before", at_most=0),
        ),
        freeze,
        brief=freeze_briefly,
    ),
)
