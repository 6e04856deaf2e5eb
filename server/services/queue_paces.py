"""How fast each pool moved lately, remembered: what a waiting customer is told of how long it will take (KS-22)."""

import time
from dataclasses import dataclass
from typing import Final

from protocol.ids import ConversationId, ShopId
from router.model import Place
from server.services.queue_pace import LATELY_S, LEAST, MOST, estimate_s
from server.services.views import waits_because
from server.store.decisions import Decisions

KEPT_S: Final = 30.0
"""How long a pace is believed, and so how often an estimate is told anew."""
IN_DOUBT_S: Final = 1.0
"""The same for one that is no basis yet: the next customer taken may make it one."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a pool moved: when that was looked at, who was first then (None: not known), and what was found."""

    looked_at: float
    first: ConversationId | None
    heads: tuple[int, ...]


class QueuePaces:
    """Per pool one look into the decisions every `KEPT_S`, however many ask."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._paces: dict[tuple[ShopId, str], Pace] = {}

    async def estimate(self, shop: ShopId, place: Place) -> int | None:
        """How long whoever is at this place will still wait, in seconds; None without a basis."""
        heads, _ = await self.of(shop, place, None)
        return estimate_s(place.place, heads)

    async def of(
        self, shop: ShopId, place: Place, first: ConversationId | None
    ) -> tuple[tuple[int, ...], bool]:
        """How long the last ones of the place's pool were its first, and whether that was looked up just now. Nothing
        while nobody who could take them is at work: then the past says nothing. `first`: who is the pool's first now,
        when that is known."""
        if waits_because(place.reason) != "all_full":
            return (), False
        now = time.monotonic()
        known = self._paces.get((shop, place.pool))
        if known is not None and self._holds(known, first, now - known.looked_at):
            return known.heads, False
        self._paces = {pool: pace for pool, pace in self._paces.items() if now - pace.looked_at < KEPT_S}
        since_ms = int((time.time() - LATELY_S) * 1000)
        heads = await self._decisions.heads(shop, place.pool, since_ms, MOST)
        self._paces[shop, place.pool] = Pace(now, first, heads)
        return heads, True

    def _holds(self, pace: Pace, first: ConversationId | None, age_s: float) -> bool:
        if len(pace.heads) >= LEAST:
            return age_s < KEPT_S
        if first is not None and pace.first is not None:
            return age_s < KEPT_S and first == pace.first
        return age_s < IN_DOUBT_S
