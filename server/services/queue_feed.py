"""Tells agents at the desk how the queue stands: the pools that they may take from, absolute, when something changed.

Per shop with accounts connected here one look at live state every `period_s`, by the same rounds as the walls; a look
that finds what the last one found sends nothing, another is encoded once for everybody who may take from the same
pools. So at most one event per period comes to a desk, and no desk has to ask.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.events import EVENTS, QueueChanged
from protocol.ids import AccountId, ShopId
from protocol.rights import Reach, Right
from protocol.shapes import PoolCard
from router.model import PoolState
from server.push import Push, notification
from server.services import views
from server.services.live import Live
from server.services.rounds import keep
from server.services.scope import Scope
from server.services.shops import Shops
from server.services.wall_reach import Variant, sees_pool, variant_of
from server.session import Session
from server.store.wall import WallReads

REACH_S = 5.0
"""How long who may take from which pools is believed while the pools stay as they are."""
Pools = tuple[PoolState, ...]


@dataclass(slots=True)
class Following:
    """One shop on this node."""

    members: dict[Session, Pools] = field(default_factory=dict[Session, Pools])
    """what each was told last"""
    pools: Pools = ()
    """as they were found last"""
    believed_until: float = 0.0


class QueueFeed:
    """Follows the queue for sessions. `present`: whether a session's connection is still there."""

    def __init__(
        self,
        live: Live,
        shops: Shops,
        scope: Scope,
        reads: WallReads,
        present: Callable[[Session], bool],
        *,
        period_s: float,
    ) -> None:
        self._live = live
        self._shops = shops
        self._scope = scope
        self._reads = reads
        self._present = present
        self._period_s = period_s
        self._followed: dict[ShopId, Following] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Sessions that are told."""
        return sum(len(following.members) for following in self._followed.values())

    async def aclose(self) -> None:
        """Nobody is told anything any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def begin(self, session: Session) -> list[PoolCard]:
        """The pools that this session may take from; from here on it is told when they change."""
        seen = await self.seen_by(session)
        following = self._followed.get(session.shop_id)
        if following is None:
            following = self._followed[session.shop_id] = Following()
            task = asyncio.create_task(
                self._follow(session.shop_id, following), name=f"queue:{session.shop_id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        following.members[session] = seen
        following.believed_until = 0.0  # it may have changed since this look
        return [views.pool_card(pool) for pool in seen]

    async def seen_by(self, session: Session) -> Pools:
        """The pools that somebody may take from now."""
        shop = session.shop_id
        pools = await self._live.ask(shop, lambda engine: engine.pools())
        variants = await self._variants((session,))
        return await self._within(shop, pools, variants.get(session))

    async def _follow(self, shop: ShopId, following: Following) -> None:
        await keep(
            "queue",
            shop,
            following.members,
            lambda: self._round(shop, following),
            present=self._present,
            period_s=self._period_s,
        )
        del self._followed[shop]

    async def _round(self, shop: ShopId, following: Following) -> None:
        pools = await self._live.ask(shop, lambda engine: engine.pools())
        if not pools and not await self._live.ask(shop, lambda engine: engine.is_live()):
            return  # lost and not made again yet: nobody there is not the same
        now = asyncio.get_running_loop().time()
        if pools == following.pools and now < following.believed_until:
            return
        following.believed_until = now + REACH_S  # before others get their turn: who comes meanwhile ends it
        variants = await self._variants(tuple(following.members))
        pushes: dict[Pools, Push] = {}
        for session in tuple(following.members):
            seen = await self._within(shop, pools, variants.get(session))
            if following.members.get(session, seen) == seen:
                continue
            following.members[session] = seen
            if seen not in pushes:
                pushes[seen] = _push(seen)
            session.send(pushes[seen])
        following.pools = pools

    async def _variants(self, sessions: tuple[Session, ...]) -> dict[Session, Variant]:
        """How far each may take from the queue; who may not at all is left out."""
        reaches: dict[Session, Reach] = {}
        for session in sessions:
            reach = (await self._scope.grants(session)).get(Right.PULL)
            if reach is not None:
                reaches[session] = reach
        people = {AccountId(each.person_id) for each, reach in reaches.items() if reach is Reach.GROUPS}
        groups = await self._reads.groups_of(sessions[0].shop_id, tuple(people)) if people else {}
        return {
            session: variant_of(AccountId(session.person_id), reach, groups)
            for session, reach in reaches.items()
        }

    async def _within(self, shop: ShopId, pools: Pools, variant: Variant | None) -> Pools:
        if variant is None or not pools:
            return ()
        bound = (await self._shops.get(shop)).live_policy.pools
        return tuple(pool for pool in pools if sees_pool(variant, bound.get(pool.pool, ())))


def _push(pools: Pools) -> Push:
    event = QueueChanged(pools=[views.pool_card(pool) for pool in pools])
    return Push((), notification("queue.changed", event), EVENTS["queue.changed"].plane, "queue")
