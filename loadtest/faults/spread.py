"""People on every node: after a fault nearly all of them may be on one, and the others have nothing to do."""

import asyncio
from typing import Final

from loadtest.faults.fault import Scene

RETURN_S: Final = 30.0
SPREAD_S: Final = 90.0
MOST: Final = 4
"""times as many on one node as on another"""


async def spread(scene: Scene) -> None:
    """Everybody's network breaks, until the balancer has seen all nodes and gives each its part. TimeoutError."""
    async with asyncio.timeout(SPREAD_S):
        while True:
            sockets = [(await node.metrics())["pointsman_sockets"] for node in scene.stage.nodes]
            if min(sockets) * MOST >= max(sockets):
                return
            returning = asyncio.create_task(scene.party.resumptions(RETURN_S, quiet_s=0.5))
            await asyncio.sleep(0)  # who is connected is known before
            for person in scene.party.everybody:
                person.client.drop()
            await returning
