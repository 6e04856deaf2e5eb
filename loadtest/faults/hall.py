"""Sitters in a process of their own, `python -m loadtest.faults.hall PORT SHOP`: thousands who come in at once cost the
load no time of its event loop, so that what others notice of them is the server's doing.

Orders (`loadtest.orders`): `{"do": "come", "many", "seed"}`: `{}`; `{"do": "back", "within_s"}`: `Back`'s members.
"""

import asyncio
import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from loadtest.children import Child
from loadtest.faults.sitters import Sitters
from loadtest.figures import percentile
from loadtest.orders import obey


@dataclass(frozen=True, slots=True)
class Back:
    """How everybody came back. Seconds from the loss on."""

    all_s: float
    p50_s: float
    p99_s: float
    tries: int


@dataclass(frozen=True, slots=True)
class Hall:
    """The harness's hand on that process. Made by `open`. Every verb raises ChildFailed."""

    child: Child

    @classmethod
    async def open(cls, folder: Path, port: int, slug: str) -> "Hall":
        """Nobody is in it yet."""
        command = (sys.executable, "-m", "loadtest.faults.hall", str(port), slug)
        hall = cls(await Child.start(f"hall-{port}", command, folder, {}))
        await hall.child.first_word()
        return hall

    async def come(self, many: int, seed: float) -> None:
        """So many more; returns when all are connected."""
        await self.child.ask(json.dumps({"do": "come", "many": many, "seed": seed}))

    async def back(self, within_s: float) -> Back:
        """Until everybody is connected again, after all were cut off."""
        return Back(**await self.child.ask(json.dumps({"do": "back", "within_s": within_s})))

    async def close(self) -> None:
        """Everybody goes."""
        await self.child.stop()


async def seat(port: int, slug: str) -> None:
    """Follow orders until the standard input ends."""
    sitters = Sitters(port, slug)

    async def do(order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "come":
                await sitters.come(int(order["many"]), random.Random(order["seed"]))
                return {}
            case "back":
                await sitters.all_back(float(order["within_s"]))
                back_s = sitters.back_s
                return asdict(
                    Back(max(back_s), percentile(back_s, 0.5), percentile(back_s, 0.99), sitters.tries)
                )
            case what:
                raise ValueError(f"no such order: {what}")

    await obey(do)
    await sitters.leave()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(seat(int(sys.argv[1]), sys.argv[2]))
