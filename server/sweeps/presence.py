"""Keeps presence true: dead nodes are reaped, lost live state is rebuilt (faults 1, 4)."""

from collections.abc import Callable, Sequence

from protocol.codes import CloseCode
from protocol.ids import ShopId
from server.node import Node
from server.services.live import Live
from server.services.routing import Routing
from server.services.sessions import Sessions
from server.services.shops import Shops
from server.services.untold import Untold
from server.session import Session
from server.sweeps.every_shop import ShopsFailed, every_shop
from server.sweeps.runner import Counts


class DeadNodes:
    """Takes the connections of nodes that lost their lease out of every shop, and tells again what they
    wrote last."""

    def __init__(
        self,
        node: Node,
        shops: Shops,
        routing: Routing,
        untold: Untold,
    ) -> None:
        self._node = node
        self._shops = shops
        self._routing = routing
        self._untold = untold

    async def run(self) -> Counts:
        """Counts: `reaped` nodes, `redelivered` entries, `retold` conversations."""
        counts: Counts = {"reaped": 0, "redelivered": 0, "retold": 0}
        failed: ShopsFailed | None = None
        for dead in await self._node.dead_nodes():
            try:
                await every_shop(self._shops, lambda shop, dead=dead: self._reap(shop, dead))
            except ShopsFailed as error:
                failed = error
            if not await self._node.left(dead):
                entries, conversations = await self._untold.tell(dead)
                counts["redelivered"] += entries
                counts["retold"] += conversations
            if failed is None:
                await self._node.forget(dead)
                counts["reaped"] += 1
        if failed is not None:
            raise failed  # its nodes are looked at again
        return counts

    async def _reap(self, shop: ShopId, dead: str) -> None:
        await self._routing.do(
            shop, lambda engine, stamp: engine.reap(dead, op_id=stamp.op_id, day=stamp.day)
        )


class SilentNodes:
    """Tells again what a node wrote that should have been heard from by now. If it is dead, nobody waits for its
    lease to end; if it is only slow, everybody drops what they have (fault 11)."""

    def __init__(self, node: Node, untold: Untold) -> None:
        self._node = node
        self._untold = untold

    async def run(self) -> Counts:
        """Counts: `silent` nodes, `redelivered` entries, `retold` conversations."""
        counts: Counts = {"silent": 0, "redelivered": 0, "retold": 0}
        for name, silent_s in (await self._node.silent_nodes()).items():
            entries, conversations = await self._untold.tell_said(name, silent_s)
            counts["silent"] += 1
            counts["redelivered"] += entries
            counts["retold"] += conversations
        return counts


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
