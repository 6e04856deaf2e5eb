"""The harness's own TCP balancer: turns among the nodes whose `/readyz` says yes; all of them when none does.

Looks at nothing that passes. New connections go on to the next node when one does not take them; open ones stay where
they are, as with HAProxy or nginx before WebSockets.
"""

import asyncio
from collections.abc import Sequence

from loadtest.stage.proxy import Place, Proxy

ASK_EVERY_S = 0.5
ANSWER_S = 1.0


class Balancer:
    """A proxy with several places to go. Made by `open`."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = list(places)
        self._ready = list(places)
        self._turn = 0
        self._asking: list[asyncio.Task[None]] = []
        self.proxy: Proxy

    @classmethod
    async def open(cls, places: Sequence[Place]) -> "Balancer":
        """Begin to listen, and to ask."""
        balancer = cls(places)
        balancer.proxy = await Proxy.open(balancer.route, keep_source=True)
        balancer._asking = [asyncio.create_task(balancer._ask(place)) for place in places]
        return balancer

    @property
    def ready(self) -> list[Place]:
        """The nodes that said yes last."""
        return self._ready

    def route(self) -> Sequence[Place]:
        """Who is next, and after them; who is not ready is tried last."""
        self._turn += 1
        ready = [place for place in self._places if place in self._ready]
        others = [place for place in self._places if place not in self._ready]
        at = self._turn % len(ready) if ready else 0
        return [*ready[at:], *ready[:at], *others]

    async def close(self) -> None:
        """Listen and ask no more."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self.proxy.close()

    async def _ask(self, place: Place) -> None:
        while True:
            says_yes = await _is_ready(place)
            if says_yes and place not in self._ready:
                self._ready.append(place)
            elif not says_yes and place in self._ready:
                self._ready.remove(place)
            await asyncio.sleep(ASK_EVERY_S)


async def _is_ready(place: Place) -> bool:
    """One `GET /readyz`; everything but 200 in time is a no."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(*place)
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
