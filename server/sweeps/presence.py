"""Keeps presence true: dead nodes are reaped, lost live state is rebuilt (faults 1, 4)."""

from collections.abc import Callable, Sequence

from protocol.codes import CloseCode
from protocol.ids import ShopId
from server.node import Node
from server.services.delivery import Delivery
from server.services.live import Live
from server.services.routing import Routing
from server.services.sessions import Sessions
from server.services.shops import Shops
from server.session import Session
from server.store.history import History
from server.sweeps.every_shop import ShopsFailed, every_shop
from server.sweeps.runner import Counts


class DeadNodes:
    """Takes the connections of nodes that lost their lease out of every shop, and delivers again what they
    wrote last."""

    def __init__(
        self,
        node: Node,
        shops: Shops,
        routing: Routing,
        history: History,
        delivery: Delivery,
        redeliver_s: int,
    ) -> None:
        self._node = node
        self._shops = shops
        self._routing = routing
        self._history = history
        self._delivery = delivery
        self._redeliver_s = redeliver_s

    async def run(self) -> Counts:
        """Counts: `reaped` nodes, `redelivered` entries."""
        counts: Counts = {"reaped": 0, "redelivered": 0}
        failed: ShopsFailed | None = None
        for dead in await self._node.dead_nodes():
            try:
                await every_shop(self._shops, lambda shop, dead=dead: self._reap(shop, dead))
            except ShopsFailed as error:
                failed = error
            if not await self._node.left(dead):
                counts["redelivered"] += await self._redeliver(dead)
            if failed is None:
                await self._node.forget(dead)
                counts["reaped"] += 1
        if failed is not None:
            raise failed  # its nodes are looked at again
        return counts

    async def _redeliver(self, dead: str) -> int:
        """The entries, and then the conversations: what nobody heard of may be that somebody else owns it now."""
        found = await self._history.written_lately(dead, self._redeliver_s)
        for each in found:
            await self._delivery.redeliver(each.conversation, each.message)
        for row in {each.conversation.id: each.conversation for each in found}.values():
            await self._delivery.changed(row)
        return len(found)

    async def _reap(self, shop: ShopId, dead: str) -> None:
        await self._routing.do(
            shop, lambda engine, stamp: engine.reap(dead, op_id=stamp.op_id, day=stamp.day)
        )


class Liveness:
    """On every node: notices that a shop's live state was made anew since its people here came, and tells it who left
    while it could not be told.

    The directory was emptied by a rebuild, and what was published meanwhile found nobody: they resume, which
    makes them known and brings what they missed (ADR 10).
    """

    def __init__(self, live: Live, sessions: Sessions, here: Callable[[ShopId], Sequence[Session]]) -> None:
        self._live = live
        self._sessions = sessions
        self._here = here

    async def run(self) -> Counts:
        """Counts: `resumed` sessions sent to resume, `parted` connections whose end live state had not heard of."""
        parted = await self._sessions.part_again()
        resumed = 0
        for shop, epoch in list(self._sessions.epochs.items()):
            here = self._here(shop)
            if not here:
                self._sessions.epochs.pop(shop, None)
            elif await self._live.epoch(shop) != epoch:
                self._sessions.epochs.pop(shop, None)
                for session in here:
                    session.close(CloseCode.LEASE_LOST, "resync")
                resumed += len(here)
        return {"resumed": resumed, "parted": parted}
