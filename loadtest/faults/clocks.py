"""Clocks that are wrong."""

import asyncio
import random
from pathlib import Path
from typing import Final

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.nodes import counted_offline
from loadtest.stage.node import Node

OFF_S: Final = 300
TALK_S: Final = 20.0
"""Several leases long."""
SKEWED: Final = Path(__file__).parent / "skewed"
"""Put on a node's path; Python imports its `sitecustomize` before anything else."""


async def minutes_off(scene: Scene, dice: random.Random) -> Figures:
    """Fault 18: one node's clock is 5 minutes ahead, another's 5 behind; they go on talking for several leases."""
    offsets = [OFF_S, -OFF_S, *(0 for _ in scene.stage.nodes[2:])]
    dice.shuffle(offsets)
    for node, offset in zip(scene.stage.nodes, offsets, strict=True):
        await node.kill()
        await node.restart({"PYTHONPATH": str(SKEWED), "SKEWED_BY_S": str(offset)})
    await scene.stage.ready()
    await scene.party.all_live(60)
    before, lives = scene.book.of("messages"), [person.client.connections for person in scene.party.everybody]
    people = list(scene.party.everybody)
    await asyncio.sleep(TALK_S)
    figures = {
        "messages": scene.book.of("messages") - before,
        "fenced": sum("fences itself" in _log(node) for node in scene.stage.nodes),
        "lost_connections": sum(
            person.client.connections > known for person, known in zip(people, lives, strict=True)
        ),
        "agents_taken_offline": sum([await counted_offline(agent) for agent in scene.party.agents]),
    }
    for node in scene.stage.nodes:
        await node.kill()
        await node.restart()
    return figures


def _log(node: Node) -> str:
    """All that its present process has said."""
    return (node.folder / f"{node.name}-{node.lives}.log").read_text(errors="replace")


FAMILY = (
    Fault(
        18,
        "clocks of processes off by 5 min",
        "leases unaffected",
        (
            Limit("messages", at_least=100),
            Limit("fenced", at_most=0),
            Limit("agents_taken_offline", at_most=0),
        ),
        minutes_off,
    ),
)
