"""Who asks all the time during a fault, to see that everybody is answered in time, if only with a refusal."""

import asyncio
from dataclasses import dataclass, field

from loadtest.people.person import Person
from protocol.errors import ConnectionClosed, RequestError

PROBE_S = 30.0


@dataclass(slots=True)
class Probe:
    """Asks all the time, and says how long answers took, whatever they were."""

    people: list[Person]
    took: list[float] = field(default_factory=list[float])
    refused: int = 0
    unanswered: int = 0
    lost: int = 0

    async def run(self) -> None:
        """Until cancelled: everybody asks, again and again, things that need PostgreSQL."""
        await asyncio.gather(*(self._ask(person) for person in self.people))

    async def _ask(self, person: Person) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began, connection = loop.time(), person.client.connections
            try:
                await person.client.request("conversation.list", PROBE_S, scope="mine")
            except RequestError as refusal:
                if refusal.reason == "no_reply":
                    self.unanswered += 1
                elif refusal.reason in ("connection_lost", "not_connected"):
                    self.lost += 1
                else:
                    self.refused += 1
                    self.took.append(loop.time() - began)
            except ConnectionClosed:
                return
            else:
                if person.client.connections == connection:
                    self.took.append(loop.time() - began)
            await asyncio.sleep(0.2)
