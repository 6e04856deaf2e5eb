"""Tells waiting customers their new place, and how long it will take. Only the first of each pool, and only what
changed; an estimate also anew whenever the pace of the pool was looked at again."""

import time

from protocol.codes import Reason
from protocol.events import QueueMoved
from protocol.ids import ConversationId, PersonId, ShopId
from server.bus import Bus
from server.push import Push, push
from server.services.live import Live
from server.services.queue_pace import estimate_s
from server.services.queue_paces import QueuePaces
from server.services.shops import Shops
from server.services.views import waits_because
from server.store.conversations import Conversations
from server.sweeps.every_shop import every_shop
from server.sweeps.runner import Counts

Told = tuple[str, int, int, Reason, int | None]


class QueuePlaces:
    """Remembers what it told. Runs once per period somewhere; a node that missed a turn tells everybody anew, since
    another may have told them something else meanwhile. `told_most`: of each pool."""

    def __init__(
        self,
        shops: Shops,
        live: Live,
        conversations: Conversations,
        paces: QueuePaces,
        bus: Bus,
        told_most: int,
        period_s: float,
    ) -> None:
        self._shops = shops
        self._live = live
        self._conversations = conversations
        self._paces = paces
        self._bus = bus
        self._told_most = told_most
        self._missed_after_s = 1.5 * period_s
        self._ran_at = 0.0
        self._told: dict[ShopId, dict[ConversationId, Told]] = {}

    async def run(self) -> Counts:
        """Counts: `told`."""
        counts: Counts = {"told": 0}
        now = time.monotonic()
        if now - self._ran_at > self._missed_after_s:
            self._told.clear()
        self._ran_at = now

        async def look(shop: ShopId) -> None:
            counts["told"] += await self._shop(shop)

        await every_shop(self._shops, look)
        return counts

    async def _shop(self, shop: ShopId) -> int:
        engine = self._live.engine(shop)
        before = self._told.get(shop, {})
        now: dict[ConversationId, Told] = {}
        anew: set[ConversationId] = set()
        for pool in await engine.pools():
            waiting = await engine.waiting(pool.pool, limit=self._told_most)
            first = await engine.place(waiting[0].conversation) if waiting else None
            if first is None:
                continue
            heads, fresh = await self._paces.of(shop, first, waiting[0].conversation)
            for state in waiting:
                if state.place is None:
                    continue
                estimate = estimate_s(state.place, heads)
                # The reason is the same for all.
                now[state.conversation] = (pool.pool, state.place, pool.length, first.reason, estimate)
                if fresh and estimate is not None:
                    anew.add(state.conversation)
        self._told[shop] = now
        moved = {
            conversation: where
            for conversation, where in now.items()
            if conversation in anew or before.get(conversation) != where
        }
        rows = await self._conversations.of_ids(shop, tuple(moved)) if moved else ()
        pushes: list[Push] = []
        for row in rows:
            place = await engine.place(row.id)
            if place is not None:
                shape = QueueMoved(
                    conversation_id=row.id,
                    pool=place.pool,
                    place=place.place,
                    length=place.length,
                    reason=waits_because(place.reason),
                    estimate_s=moved[row.id][4] if waits_because(place.reason) == "all_full" else None,
                )
                pushes.append(
                    push(
                        (PersonId(row.customer_id),),
                        "queue.moved",
                        shape,
                        key=f"place:{row.id}",
                        conversation=row.id,
                    )
                )
        self._bus.publish(shop, pushes)
        return len(pushes)
