"""Who has a connection, who lost it, and how long it took them to be back. Looks at everybody, many times a second."""

import asyncio
from collections.abc import Callable, Sequence

from loadtest.people.book import Series
from loadtest.people.person import Person

LOOK_S = 0.025
ABNORMAL = 1006
"""RFC 6455, 7.4.1: no close frame came."""


class Attendance:
    """Call `watch` in a task. Seconds of every return go to `returns`, exact to `LOOK_S`."""

    def __init__(self, everybody: Callable[[], Sequence[Person]], returns: Series) -> None:
        self._everybody = everybody
        self._returns = returns
        self._known: dict[Person, int] = {}
        self._away: dict[Person, float] = {}
        self.ends: list[tuple[float, int]] = []
        """when a connection of somebody who came back had ended (the loop's clock), and with which close code"""

    @property
    def away(self) -> int:
        """How many have lost their connection and are not back."""
        return len(self._away)

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """At everybody, now. Who has never been connected is only coming, not away."""
        now = asyncio.get_running_loop().time()
        for person in self._everybody():
            client, known = person.client, self._known.get(person, 0)
            if client.is_live:
                if known and client.connections > known:
                    away_since = self._away.pop(person, now - LOOK_S)
                    self._returns.add(now - away_since)
                    ended = client.last_ended
                    self.ends.append((away_since, ABNORMAL if ended is None else ended.code))
                self._known[person] = client.connections
            elif known:
                self._away.setdefault(person, now)
