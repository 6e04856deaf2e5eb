"""The supervisors' wall: looked at once for everybody who sees the same, and pushed when it changed (PF-01, CO-09).

Per shop with subscribers here, one task looks every `period_s` at each way in which they see it (`Variant`); a look
that finds what the last one found sends nothing, another is encoded once and the same bytes go to all. A subscription
belongs to a connection: each round begins with forgetting those that are gone, so that nobody has to tell of their end,
and without subscribers nobody looks. It promises that a change is with every subscriber within two periods.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.cards import Wall
from protocol.events import EVENTS, WallChanged
from protocol.ids import ShopId
from protocol.methods.session import Nothing
from protocol.methods.supervision import WallResult
from server.push import Push, notification
from server.services.rounds import keep
from server.services.wall_picture import Facts, Painter
from server.services.wall_reach import Variant, WallReach
from server.session import Session


@dataclass(slots=True)
class Picture:
    """A wall as it was drawn, and when it last was found to be still right (the loop's clock)."""

    facts: Facts
    wall: Wall
    push: Push
    seen_at: float


@dataclass(slots=True)
class Gallery:
    """The walls of one shop on this node."""

    subscribers: dict[Session, Picture | None] = field(default_factory=dict[Session, "Picture | None"])
    """what each was shown last"""
    pictures: dict[Variant, Picture] = field(default_factory=dict[Variant, Picture])
    looks: "dict[Variant, asyncio.Task[Picture]]" = field(
        default_factory=dict[Variant, "asyncio.Task[Picture]"]
    )
    """under way"""


class Walls:
    """`monitor.subscribe`, `monitor.unsubscribe`. `present`: whether a session's connection is still there."""

    def __init__(
        self, reach: WallReach, painter: Painter, present: Callable[[Session], bool], *, period_s: float
    ) -> None:
        self._reach = reach
        self._painter = painter
        self._present = present
        self._period_s = period_s
        self._galleries: dict[ShopId, Gallery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.looks = 0
        """at a shop's state, since the start"""

    def __len__(self) -> int:
        """Subscriptions here."""
        return sum(len(gallery.subscribers) for gallery in self._galleries.values())

    async def aclose(self) -> None:
        """Nobody is told anything any more."""
        under_way = [look for gallery in self._galleries.values() for look in gallery.looks.values()]
        for task in (*self._tasks, *under_way):
            task.cancel()
        await asyncio.gather(*self._tasks, *under_way, return_exceptions=True)

    async def subscribe(self, session: Session, _params: Nothing) -> WallResult:
        """`monitor.subscribe`: the wall now; `monitor.changed` follows. Repeating it changes nothing."""
        variant = await self._reach.of(session)
        gallery = self._gallery(session.shop_id)
        gallery.subscribers.setdefault(session, None)
        known = gallery.pictures.get(variant)
        if known is None or asyncio.get_running_loop().time() - known.seen_at > self._period_s:
            known = await self._look(session.shop_id, gallery, variant)
        if session in gallery.subscribers:
            gallery.subscribers[session] = known
        return WallResult(wall=known.wall)

    async def unsubscribe(self, session: Session, _params: Nothing) -> Nothing:
        """`monitor.unsubscribe`."""
        gallery = self._galleries.get(session.shop_id)
        if gallery is not None:
            gallery.subscribers.pop(session, None)
        return Nothing()

    def _gallery(self, shop: ShopId) -> Gallery:
        gallery = self._galleries.get(shop)
        if gallery is None:
            gallery = self._galleries[shop] = Gallery()
            task = asyncio.create_task(self._keep(shop, gallery), name=f"wall:{shop}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return gallery

    async def _keep(self, shop: ShopId, gallery: Gallery) -> None:
        await keep(
            "wall",
            shop,
            gallery.subscribers,
            lambda: self._round(shop, gallery),
            present=self._present,
            period_s=self._period_s,
        )
        del self._galleries[shop]

    async def _round(self, shop: ShopId, gallery: Gallery) -> None:
        """Look at each variant once, and show everybody theirs unless they were shown it."""
        variants = await self._reach.of_each(tuple(gallery.subscribers))
        for session in [each for each in gallery.subscribers if each not in variants]:
            del gallery.subscribers[session]  # may watch no longer
        viewers: dict[Variant, list[Session]] = {}
        for session, variant in variants.items():
            viewers.setdefault(variant, []).append(session)
        for variant in [each for each in gallery.pictures if each not in viewers]:
            del gallery.pictures[variant]
        for variant, sessions in viewers.items():
            picture = await self._look(shop, gallery, variant)
            for session in sessions:
                if session in gallery.subscribers and gallery.subscribers[session] is not picture:
                    gallery.subscribers[session] = picture
                    session.send(picture.push)

    async def _look(self, shop: ShopId, gallery: Gallery, variant: Variant) -> Picture:
        """The picture of a variant as it is now. Who asks while a look is under way shares it."""
        look = gallery.looks.get(variant)
        if look is None:
            look = gallery.looks[variant] = asyncio.create_task(self._draw(shop, gallery, variant))
            look.add_done_callback(lambda done: _over(done, gallery, variant))
        return await asyncio.shield(look)

    async def _draw(self, shop: ShopId, gallery: Gallery, variant: Variant) -> Picture:
        began = asyncio.get_running_loop().time()
        self.looks += 1
        facts = await self._painter.facts(shop, variant)
        picture = gallery.pictures.get(variant)
        if picture is None or picture.facts != facts:
            wall = self._painter.paint(facts, int(time.time() * 1000))
            frame = notification("monitor.changed", WallChanged(wall=wall))
            picture = Picture(facts, wall, Push((), frame, EVENTS["monitor.changed"].plane, "wall"), began)
            gallery.pictures[variant] = picture
        picture.seen_at = began
        return picture


def _over(look: "asyncio.Task[Picture]", gallery: Gallery, variant: Variant) -> None:
    """Who waited for it has its outcome; when nobody did, nobody misses it."""
    gallery.looks.pop(variant, None)
    if not look.cancelled():
        look.exception()
