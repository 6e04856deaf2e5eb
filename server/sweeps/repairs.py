"""Finishes what a process that died had begun: decisions nobody confirmed, conversations nobody routed, customers whose
message brought nobody back (fault 11)."""

from protocol.ids import ShopId
from server.services.live import Live
from server.services.names import Names
from server.services.returning import Returning
from server.services.routing import Routing
from server.services.shops import Shops
from server.store.conversations import Conversations
from server.sweeps.every_shop import every_shop
from server.sweeps.runner import Counts

PART = 100
"""Decisions settled at a time."""


class Repairs:
    """One look at every shop. `older_than_s`: leaves alone what is probably just being done."""

    def __init__(
        self,
        shops: Shops,
        live: Live,
        routing: Routing,
        returning: Returning,
        conversations: Conversations,
        names: Names,
        older_than_s: float,
    ) -> None:
        self._shops = shops
        self._live = live
        self._routing = routing
        self._returning = returning
        self._conversations = conversations
        self._names = names
        self._older_than_ms = int(older_than_s * 1000)

    async def run(self) -> Counts:
        """Counts: `settled`, `routed`, `brought_back`."""
        counts: Counts = {"settled": 0, "routed": 0, "brought_back": 0}

        async def look(shop: ShopId) -> None:
            counts["settled"] += await self._settle(shop)
            counts["routed"] += await self._route(shop)
            counts["brought_back"] += await self._bring_back(shop)

        await every_shop(self._shops, look)
        return counts

    async def _settle(self, shop: ShopId) -> int:
        settled, first = 0, None
        while True:
            found = await self._live.engine(shop).unconfirmed(self._older_than_ms, limit=PART)
            if not found or found[0] == first:  # nothing more, or the database takes nothing now
                return settled
            first = found[0]
            await self._routing.settle(shop, found)
            settled += len(found)

    async def _route(self, shop: ShopId) -> int:
        found = await self._conversations.unrouted(shop, older_than_ms=self._older_than_ms)
        for row in found:
            await self._routing.route(row, await self._names.customer(shop, row.customer_id))
        return len(found)

    async def _bring_back(self, shop: ShopId) -> int:
        found = await self._conversations.written_to(shop, older_than_ms=self._older_than_ms)
        for row in found:
            await self._returning.bring_back(row)
        return len(found)
