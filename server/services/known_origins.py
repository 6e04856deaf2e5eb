"""Which origins any shop allows, for the gateway's front door; remembered for a few seconds."""

import time

from server.store.shops import Shops

KEEP_S = 5.0
"""A newly allowed origin may be refused for this long on other nodes."""


class KnownOrigins:
    """All allow-lists together. That the origin is this shop's is checked with the ticket, which is bound to it."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops
        self._until = 0.0
        self._origins: frozenset[str] = frozenset()

    async def known(self, origin: str) -> bool:
        """Whether some shop lists exactly this origin, for its widget or its desk."""
        now = time.monotonic()
        if self._until <= now:
            self._origins = frozenset(listed for _, listed in await self._shops.all_origins())
            self._until = now + KEEP_S
        return origin in self._origins
