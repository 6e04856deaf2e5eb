"""The harness's hand on the process of `wires`: proxies that can be cut and mended, by name."""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.children import Child
from loadtest.stage.proxy import LOOPBACK, Direction, Mode, Place


@dataclass(slots=True)
class Wire:
    """One proxy. Each verb returns when it is in force; `mend` ends all others."""

    name: str
    port: int
    board: "Switchboard"

    async def mend(self) -> None:
        """Everything passes. What `stall` held arrives; connections whose bytes vanished are reset."""
        await self.treat(Mode.PASS)

    async def delay(self, seconds: float, direction: Direction = Direction.BOTH) -> None:
        """Bytes arrive so much later, in order."""
        await self.treat(Mode.DELAY, direction, seconds=seconds)

    async def stall(self, direction: Direction = Direction.BOTH) -> None:
        """Bytes wait until `mend`, new connections too: a cut network for less time than TCP gives up after."""
        await self.treat(Mode.STALL, direction)

    async def drop(self) -> None:
        """Connections are reset (RST), and new ones too."""
        await self.treat(Mode.DROP)

    async def half_open(self, direction: Direction = Direction.BOTH) -> None:
        """Bytes vanish and nobody is told; `mend` resets the connections that lost some."""
        await self.treat(Mode.HALF_OPEN, direction)

    async def throttle(self, bytes_per_s: float, direction: Direction = Direction.BOTH) -> None:
        """So much passes, no more."""
        await self.treat(Mode.THROTTLE, direction, bytes_per_s=bytes_per_s)

    async def reset(self) -> int:
        """Reset every connection that is open (RST); new ones pass. How many were."""
        cut = await self.treat(Mode.DROP)
        await self.treat(Mode.PASS)
        return cut

    async def treat(
        self,
        mode: Mode,
        direction: Direction = Direction.BOTH,
        *,
        seconds: float = 0.0,
        bytes_per_s: float = 0.0,
    ) -> int:
        """Any mode; how many connections are open. Raises ChildFailed."""
        measures = {"mode": mode, "direction": direction, "seconds": seconds, "bytes_per_s": bytes_per_s}
        answer = await self.board.order(do="treat", name=self.name, **measures)
        return int(answer["connections"])

    async def close(self) -> None:
        """Listen no more; connections are reset."""
        await self.board.order(do="close", name=self.name)


@dataclass(slots=True)
class Switchboard:
    """The process, one order at a time. Made by `start`."""

    child: Child
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def start(cls, folder: Path) -> "Switchboard":
        """Start it. Raises ChildFailed."""
        child = await Child.start("wires", (sys.executable, "-m", "loadtest.stage.wires"), folder, {})
        await child.first_word()
        return cls(child)

    async def wire(self, name: str, to: Place, at: str = LOOPBACK, *, keep_source: bool = True) -> Wire:
        """A new proxy at this address that leads there: from the address of who came, or from one of ours."""
        answer = await self.order(do="proxy", name=name, to=to, at=at, keep_source=keep_source)
        return Wire(name, int(answer["port"]), self)

    async def balancer(self, name: str, to: list[Place]) -> Wire:
        """A new balancer over these nodes, which can be cut like a proxy."""
        return Wire(name, int((await self.order(do="balancer", name=name, to=to))["port"]), self)

    async def order(self, **order: Any) -> dict[str, Any]:
        """Any order of `wires`. Raises ChildFailed."""
        async with self.turn:
            return await self.child.ask(json.dumps(order))

    async def stop(self) -> None:
        """End it."""
        await self.child.stop()
