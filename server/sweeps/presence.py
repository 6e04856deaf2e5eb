"""Keeps presence true: dead nodes are reaped, lost live state is rebuilt, schedules take effect (faults 1,
4; GP-06)."""

import time

from protocol.ids import ShopId
from server.gateway.hub import Hub
from server.node import Node
from server.services.delivery import Delivery
from server.services.live import Live
from server.services.live_changes import LiveChanges
from server.services.routing import Routing
from server.services.sessions import Sessions
from server.services.shops import Shops
from server.store.history import History
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
        for dead in await self._node.dead_nodes():
            for shop in await self._shops.all_ids():
                await self._routing.do(
                    shop, lambda engine, stamp, dead=dead: engine.reap(dead, op_id=stamp.op_id, day=stamp.day)
                )
            since_ms = int((time.time() - self._redeliver_s) * 1000)
            for written in await self._history.written_lately(dead, since_ms):
                await self._delivery.redeliver(written.conversation, written.message)
                counts["redelivered"] += 1
            await self._node.forget(dead)
            counts["reaped"] += 1
        return counts


class Liveness:
    """On every node: notices that a shop's live state is another one than before, and registers its
    connections again."""

    def __init__(self, hub: Hub, live: Live, sessions: Sessions) -> None:
        self._hub = hub
        self._live = live
        self._sessions = sessions
        self._known: dict[ShopId, str] = {}

    async def run(self) -> Counts:
        """Counts: `registered` connections."""
        registered = 0
        here = set(self._hub.shops())
        for shop in list(self._known):
            if shop not in here:
                del self._known[shop]
        for shop in here:
            epoch = await self._live.epoch(shop)
            known = self._known.setdefault(shop, epoch)
            if epoch != known:
                registered += await self._register(shop)
                self._known[shop] = epoch
        return {"registered": registered}

    async def _register(self, shop: ShopId) -> int:
        sessions = self._hub.sessions(shop)
        for session in sessions:
            await self._sessions.connect(session)
        return len(sessions)


class Duty:
    """Brings every agent's profile up to date with the clock: schedules, and anything a dead process left undone."""

    def __init__(self, shops: Shops, changes: LiveChanges) -> None:
        self._shops = shops
        self._changes = changes

    async def run(self) -> Counts:
        """Counts: `changed` profiles."""
        changed = 0
        for shop in await self._shops.all_ids():
            changed += await self._changes.reconcile(shop)
        return {"changed": changed}
