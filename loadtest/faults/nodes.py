"""What happens to nodes: killed, frozen, sent away."""

import asyncio
import random

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.figures import percentile
from loadtest.people.agent import Agent
from protocol.methods.agents import SlotsResult

RESUME_S = 20.0


async def kill(scene: Scene, dice: random.Random) -> Figures:
    """Fault 1: kill -9 one node under load; its people come back on the others."""
    node = dice.choice(scene.stage.nodes)
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


async def counted_offline(agent: Agent) -> bool:
    """Whether the router has given this agent up, though they are there."""
    slots = await agent.ask("agent.slots")
    assert isinstance(slots, SlotsResult)
    return slots.agent.counted_offline


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
)
