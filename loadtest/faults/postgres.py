"""What happens to PostgreSQL: restarted at once, frozen, locked until no connection is free."""

import asyncio
import random

import asyncpg

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.islands import without_postgres
from loadtest.faults.probe import Probe

DEADLINE_S = 8.0
"""`POINTSMAN_REQUEST_DEADLINE_S`: the longest time a request may take."""
SLACK_S = 1.5
"""for the way there and back through a harness that is busy itself"""
FROZEN_S = 10.0


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
        **await without_postgres(scene, FROZEN_S),
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
            Limit("lost_packets_longest_answer_s", at_most=DEADLINE_S + SLACK_S, if_possible=True),
            Limit("lost_packets_unanswered", at_most=0, if_possible=True),
            Limit("lost_packets_answered_again_s", at_most=10, if_possible=True),
        ),
        freeze,
        brief=freeze_briefly,
    ),
)
