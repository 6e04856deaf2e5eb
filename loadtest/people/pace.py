"""How fast people live: everybody's pauses at once, up to standing still."""

import asyncio


class Pace:
    """`factor` multiplies every pause (0: none). `rest` lets visits end and none begin, `go_on` ends that."""

    def __init__(self) -> None:
        self.factor = 1.0
        self._going = asyncio.Event()
        self._going.set()

    def rest(self) -> None:
        """Nobody begins a visit any more; who is in one finishes it."""
        self._going.clear()

    def go_on(self) -> None:
        """As before."""
        self._going.set()

    async def turn(self) -> None:
        """Until visits may begin."""
        await self._going.wait()
