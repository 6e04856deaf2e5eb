"""A network namespace for one node: packets between it and Redis, PostgreSQL or its clients can really be lost.

Nothing is told to either end, as when a switch dies: the kernels send again, wait longer each time, and give up when
their own time-outs say so. That is what a proxy cannot show. Needs root and `ip` of iproute2.

    async with await Island.open() as island:
        await Child.start(name, (*island.inside, *command), ...)
        await island.cut(Way.REDIS)            # both directions, by a wrong hardware address for the neighbour
        await island.mend(Way.REDIS)
"""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from enum import IntEnum
from itertools import count

from loadtest.children import ChildFailed

NOBODY = "02:00:00:00:00:fe"
"""An address that no device has: frames to it are dropped by whoever gets them."""
_numbers = count()


class Way(IntEnum):
    """A subnet of two addresses between the island and the shore. The value: the first of its block of four."""

    REDIS = 0
    POSTGRES = 4
    CLIENTS = 8


class Island:
    """Made by `open`; use as an async context manager."""

    def __init__(self, number: int) -> None:
        self.name = f"pointsman-{os.getpid()}-{number}"
        self._ends = (f"pms{os.getpid()}n{number}", f"pmi{os.getpid()}n{number}")
        """devices: the shore's and the island's"""
        which = os.getpid() + number
        # Addresses that RFC 2544 keeps for measurements: no network of this machine's has them.
        self._block = f"198.{18 + which // 256 % 2}.{which % 256}"

    @classmethod
    async def possible(cls) -> bool:
        """Whether this process may make one here."""
        if os.geteuid() != 0 or shutil.which("ip") is None:
            return False
        try:
            async with await cls.open():
                return True
        except ChildFailed:
            return False

    @classmethod
    async def open(cls) -> "Island":
        """With all three ways. Raises ChildFailed with what `ip` said."""
        island = cls(next(_numbers))
        shore, far = island._ends
        await _ip([f"netns add {island.name}"])
        try:
            await _ip(
                [
                    f"link add {shore} type veth peer name {far} netns {island.name}",
                    *(f"address add {island.shore(way)}/30 dev {shore}" for way in Way),
                    f"link set {shore} up",
                ]
            )
            await _ip(
                [
                    "link set lo up",
                    *(f"address add {island.there(way)}/30 dev {far}" for way in Way),
                    f"link set {far} up",
                ],
                within=island.name,
            )
        except BaseException:
            await island.close()
            raise
        return island

    @property
    def inside(self) -> tuple[str, ...]:
        """Before a command that shall run on it."""
        return ("ip", "netns", "exec", self.name)

    def shore(self, way: Way) -> str:
        """Our address on this way."""
        return f"{self._block}.{way + 1}"

    def there(self, way: Way) -> str:
        """The island's."""
        return f"{self._block}.{way + 2}"

    async def cut(self, way: Way) -> None:
        """From now on no packet arrives, in either direction."""
        shore, far = self._ends
        await _ip([f"neighbour replace {self.there(way)} lladdr {NOBODY} dev {shore} nud permanent"])
        await _ip(
            [f"neighbour replace {self.shore(way)} lladdr {NOBODY} dev {far} nud permanent"], within=self.name
        )

    async def mend(self, way: Way) -> None:
        """Packets arrive again; what was lost is sent again when the kernels' patience says so."""
        shore, far = self._ends
        await _ip([f"neighbour delete {self.there(way)} dev {shore}"])
        await _ip([f"neighbour delete {self.shore(way)} dev {far}"], within=self.name)

    async def close(self) -> None:
        """It is gone, and its devices; processes on it lose their network."""
        await _ip([f"netns delete {self.name}"])

    async def __aenter__(self) -> "Island":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _ip(commands: Sequence[str], within: str = "") -> None:
    """Several commands of `ip` at once. Raises ChildFailed."""
    place = ("-netns", within) if within else ()
    process = await asyncio.create_subprocess_exec(
        *("ip", *place, "-batch", "-"), stdin=PIPE, stdout=DEVNULL, stderr=PIPE
    )
    _, said = await process.communicate("\n".join(commands).encode() + b"\n")
    if process.returncode != 0:
        raise ChildFailed(
            f"ip {' '.join(place)} {'; '.join(commands)}: {said.decode(errors='replace').strip()}"
        )
