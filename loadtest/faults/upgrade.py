"""An upgrade: nodes of the version to come beside those of today (fault 32)."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path
from typing import Final

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.guests import Guest
from loadtest.faults.nodes import counted_offline
from loadtest.stage.node import Node

TALK_S: Final = 10.0
EXIT_S: Final = 45.0
BACK_S: Final = 60.0
NEWER: Final = Path(__file__).parent / "newer"
"""Put on a node's path; Python imports its `sitecustomize` before anything else."""
UNKNOWN: Final = "of_tomorrow"
"""A member that only those nodes say."""


async def side_by_side(scene: Scene, dice: random.Random) -> Figures:
    """Fault 32: all nodes but one are replaced by newer ones, everybody talks, then that one too; and back again."""
    ends = scene.party.attendance.ends
    first, said = len(ends), scene.journal.acknowledged
    nodes = [*scene.stage.nodes]
    dice.shuffle(nodes)
    for node in nodes[1:]:
        await _replaced(scene, node, {"PYTHONPATH": str(NEWER)})
    heard = await _unknown_members(scene, nodes[-1], dice)
    before = scene.journal.acknowledged
    await asyncio.sleep(TALK_S)
    together = scene.journal.acknowledged - before
    await _replaced(scene, nodes[0], {"PYTHONPATH": str(NEWER)})
    offline = sum([await counted_offline(agent) for agent in scene.party.agents])
    for node in nodes:
        await _replaced(scene, node, {})
    codes = Counter(code for _, code in ends[first:])
    return {
        "acknowledged_side_by_side": together,
        "acknowledged_in_all": scene.journal.acknowledged - said,
        "unknown_members_heard": heard,
        "tracebacks": sum(_tracebacks(node) for node in nodes),
        "moved_to_another_node": sum(codes.values()),
        "ended_with_1006": codes[1006],
        "agents_taken_offline": offline,
    }


async def _replaced(scene: Scene, node: Node, environment: dict[str, str]) -> None:
    node.drain()
    await node.ended(EXIT_S)
    await node.restart(environment)
    await scene.stage.ready()
    await scene.party.all_live(BACK_S)


async def _unknown_members(scene: Scene, newer: Node, dice: random.Random) -> int:
    """How many of the frames that somebody at that node is told have a member that this version does not know."""
    guest = await Guest.at(newer, scene.party, dice)
    try:
        return sum(UNKNOWN in json.dumps(frame) for frame in guest.asker.events)
    finally:
        await guest.leave()


def _tracebacks(node: Node) -> int:
    """In all that its processes have said."""
    logs = node.folder.glob(f"{node.name}-*.log")
    return sum(log.read_bytes().count(b"Traceback (most recent call last)") for log in logs)


FAMILY = (
    Fault(
        32,
        "old and new version side by side during an upgrade",
        "unknown members ignored, I1-I4",
        (
            Limit("acknowledged_side_by_side", at_least=100),
            Limit("unknown_members_heard", at_least=1),
            Limit("tracebacks", at_most=0),
            Limit("ended_with_1006", at_most=0),
            Limit("agents_taken_offline", at_most=0),
        ),
        side_by_side,
    ),
)
