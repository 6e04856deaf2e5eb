"""Many visitors who only sit there: cheap sockets that come back by the reference client's own policy."""

import asyncio
import random
from dataclasses import dataclass, field

from loadtest.front_desk import PER_ADDRESS, Asker, Door, Refused, address
from loadtest.line import Line, LineBroken
from protocol.client import Patience
from protocol.client.reconnect import Ended, delay_s

PER_DOOR = 10
"""of one address: each asks for a ticket whenever it comes back"""
FIRST_ADDRESS = 20_000
"""Their addresses are nobody else's."""
AT_ONCE = 16
"""that come in at the same time at first; afterwards only their dice spread them"""
PATIENCE = Patience(longest_s=8.0)


@dataclass(slots=True)
class Sitters:
    """Use `come`, then cut them off, then `all_back`; `leave` in the end."""

    port: int
    slug: str
    back_s: list[float] = field(default_factory=list[float])
    """of every return, from the loss on"""
    tries: int = 0
    """to come back, the vain ones too"""
    _lives: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _lines: dict[int, Line] = field(default_factory=dict[int, Line])
    _doors: list[Door] = field(default_factory=list[Door])

    async def come(self, many: int, dice: random.Random) -> None:
        """So many more, a few at a time; returns when all are connected. Raises Refused, LineBroken."""
        gate = asyncio.Semaphore(AT_ONCE)
        came: list[asyncio.Future[None]] = []
        here = len(self._lives)
        for number in range(here, here + many):
            if number % PER_DOOR == 0:
                self._doors.append(Door(self.port, address(FIRST_ADDRESS + number // PER_DOOR * PER_ADDRESS)))
            arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            came.append(arrived)
            life = self._live(number, self._doors[-1], random.Random(dice.random()), gate, arrived)
            self._lives.append(asyncio.create_task(life))
        await asyncio.gather(*came)

    @property
    def connected(self) -> int:
        """How many are, now."""
        return sum(line.ended is None for line in self._lines.values())

    async def all_back(self, within_s: float) -> None:
        """Until all are connected. TimeoutError."""
        async with asyncio.timeout(within_s):
            while self.connected < len(self._lives):
                await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """Everybody goes."""
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        for line in self._lines.values():
            await line.close()
        for door in self._doors:
            await door.__aexit__()

    async def _live(
        self,
        number: int,
        door: Door,
        dice: random.Random,
        gate: asyncio.Semaphore,
        arrived: "asyncio.Future[None]",
    ) -> None:
        loop = asyncio.get_running_loop()
        token = ""
        try:
            async with gate:
                token = await self._connect(number, door, token)
        except (Refused, LineBroken) as error:
            arrived.set_exception(error)
            return
        arrived.set_result(None)
        while True:
            await self._lines[number].over.wait()
            lost, attempt = loop.time(), 0
            while True:
                await asyncio.sleep(delay_s(Ended(1006), attempt, PATIENCE, dice))
                self.tries += 1
                try:
                    token = await self._connect(number, door, token)
                except (Refused, LineBroken):
                    attempt += 1
                else:
                    self.back_s.append(loop.time() - lost)
                    break

    async def _connect(self, number: int, door: Door, token: str) -> str:
        body = {"shop": self.slug, **({"session_token": token} if token else {})}
        given = await door.ask("POST", "/v1/widget/sessions", body)
        self._lines[number], _ = await Asker.hello(door, str(given["ticket"]))
        return str(given["session_token"])
