"""What happens to nodes: killed, frozen, replaced by a deploy."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from loadtest.children import ChildFailed
from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.guests import Guest
from loadtest.figures import percentile
from loadtest.people.agent import Agent
from loadtest.stage import Node
from protocol.methods.agents import SlotsResult

RESUME_S = 20.0
FROZEN_S = 20.0
FENCED_S = 10.0
"""More than a lease (7 s): a node that stands still so long is given up by the others."""
EXIT_S = 30.0
WAVE = 8
"""A node with few sockets sends 5 of them away in a second; a timer may be late."""
SENT_AWAY = " 4200 'the server stops'"
DEPLOY_S = 60.0


async def kill(scene: Scene, dice: random.Random) -> Figures:
    """Fault 1: kill -9 the node with most people under load; its people come back on the others."""
    node = await scene.stage.busiest()
    await asyncio.sleep(dice.uniform(0, 0.5))
    watch = asyncio.create_task(scene.party.resumptions(RESUME_S))
    await asyncio.sleep(0)  # who is connected is known before
    await node.kill()
    took = await watch
    gone = [agent for agent in scene.party.agents if await counted_offline(agent)]
    await node.restart()
    return {
        "resumed": len(took),
        "resume_p50_s": percentile(took, 0.5) if took else 0.0,
        "resume_p99_s": percentile(took, 0.99) if took else float("inf"),
        "agents_taken_offline": len(gone),
    }


async def freeze(scene: Scene, dice: random.Random) -> Figures:
    """Fault 2: the node with most people stands still for 20 s: it finds itself fenced, and closes its sockets."""
    await asyncio.sleep(dice.uniform(0, 0.5))
    return await _freeze(scene, await scene.stage.busiest(), FROZEN_S, quiet_s=3.0)


async def freeze_briefly(scene: Scene, dice: random.Random) -> Figures:
    """The same for less than a lease, or for a little more."""
    return await _freeze(
        scene, await scene.stage.busiest(), dice.choice((0.5, 1.0, 3.0, FENCED_S)), quiet_s=0.5
    )


async def _freeze(scene: Scene, node: Node, seconds: float, *, quiet_s: float) -> Figures:
    had, before = (await node.metrics())["pointsman_sockets"], await node.closed_with(4203)
    node.freeze()
    try:
        await asyncio.sleep(seconds)
        watch = asyncio.create_task(scene.party.resumptions(RESUME_S, quiet_s=quiet_s))
        await asyncio.sleep(0)
    finally:
        node.thaw()
    took = await watch
    closed = await node.closed_with(4203) - before
    return {
        "frozen_s": seconds,
        "sockets": had,
        "closed_with_4203": closed,
        "left_open": max(0.0, had - closed),
        "resume_p99_s": percentile(took, 0.99) if took else 0.0,
    }


async def deploy(scene: Scene, dice: random.Random) -> Figures:
    """Fault 15: every node is replaced in turn, with a client on it that does not read."""
    return await _deploy(scene, dice, scene.stage.nodes)


async def deploy_briefly(scene: Scene, dice: random.Random) -> Figures:
    """One of them."""
    return await _deploy(scene, dice, [dice.choice(scene.stage.nodes)])


async def _deploy(scene: Scene, dice: random.Random, nodes: Sequence[Node]) -> Figures:
    attendance = scene.party.attendance
    first = len(attendance.ends)
    connection = await asyncpg.connect(scene.stage.database_url)
    try:
        since = await connection.fetchval("SELECT now()")
        exits: list[float] = []
        waves: list[float] = []
        for node in nodes:
            deaf = await Guest.at(node, scene.party, dice)
            deaf.listen(False)
            node.drain()
            exits.append(await _exit(node))
            waves.append(_most_in_a_second(_sent_away(node)))
            await node.restart()
            await scene.stage.ready()
            await scene.party.all_live(DEPLOY_S)
            await deaf.leave()
        moved = await connection.fetchval(MOVED, since)
    finally:
        await connection.close()
    codes = Counter(code for _, code in attendance.ends[first:])
    return {
        "longest_exit_s": max(exits),
        "moved_to_another_node": sum(codes.values()),
        "ended_with_1006": codes[1006],
        "ended_with_4200": codes[4200],
        "most_sent_away_in_1_s": max(waves),
        "conversations_rerouted": int(moved or 0),
    }


async def _exit(node: Node) -> float:
    try:
        return await node.ended(EXIT_S + 15)
    except ChildFailed:
        await node.kill()
        raise


def _sent_away(node: Node) -> list[float]:
    """When the present process of the node sent each of its people away, as its log says: clients on a busy machine may
    hear of several at once."""
    log = node.folder / f"{node.name}-{node.lives}.log"
    return [
        datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
        for line in log.read_text(errors="replace").splitlines()
        if SENT_AWAY in line
    ]


def _most_in_a_second(moments: list[float]) -> float:
    moments = sorted(moments)
    return max((sum(at <= other < at + 1 for other in moments) for at in moments), default=0)


async def counted_offline(agent: Agent) -> bool:
    """Whether the router has given this agent up, though they are there."""
    slots = await agent.ask("agent.slots")
    assert isinstance(slots, SlotsResult)
    return slots.agent.counted_offline


MOVED = """
SELECT count(*) FROM decisions WHERE at >= $1 AND change = 'assigned' AND by IS NULL
AND previous_owner IS NOT NULL AND previous_owner <> owner
"""
FAMILY = (
    Fault(
        1,
        "kill -9 a gateway under load",
        "I1-I4; clients resume elsewhere within 10 s (p99); no agent offline inside the grace",
        (
            Limit("resumed", at_least=1),
            Limit("resume_p99_s", at_most=10),
            Limit("agents_taken_offline", at_most=0),
        ),
        kill,
        brief=kill,
    ),
    Fault(
        2,
        "gateway frozen 20 s (SIGSTOP), then continues",
        "it is refused as fenced, I3; its sockets closed with 4203",
        (Limit("closed_with_4203", at_least=1), Limit("left_open", at_most=0)),
        freeze,
        brief=freeze_briefly,
    ),
    Fault(
        15,
        "deploy: SIGTERM under load, nodes one after another, a client on each that does not read",
        "no 1006, waves within the rate, I1, exit within 30 s, nobody re-routed",
        (
            Limit("longest_exit_s", at_most=EXIT_S),
            Limit("moved_to_another_node", at_least=1),
            Limit("ended_with_1006", at_most=0),
            Limit("most_sent_away_in_1_s", at_most=WAVE),
            Limit("conversations_rerouted", at_most=0),
        ),
        deploy,
        brief=deploy_briefly,
    ),
)
