"""Today's figures for walls (CO-09): counted while somebody looks, and then as seldom as they are dear.

One count serves all walls that reach equally far. A look at a wall waits for none but the first: it shows what was
counted last, and begins the next count when that is older than `every_s`, or than `SHARE` times what it took.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from protocol.cards import WallFigures as Shown
from protocol.errors import RequestError
from protocol.ids import ShopId
from protocol.times import text_of_ms
from server.services.duty import day_of, instant
from server.services.shops import Shops
from server.services.statistics import NO_FIGURE
from server.services.wall_reach import Variant, WallReach, sees_pool
from server.store.statistics import Figure, Statistics, Visible

log = structlog.get_logger("wall")

NOW_MINUTES: Final = 30
"""What counts as "now" for shares: fewer replies would make them jump."""
SHARE: Final = 10
"""Counting takes at most one part in so many of the database's time."""
FIRST_S: Final = 1.0
"""How long the first look of all waits for figures."""
FORGET_S: Final = 60.0
"""Nobody has asked for so long: nobody looks any more."""


@dataclass(slots=True)
class _Count:
    """What is known of one reach. Times by the monotonic clock."""

    figures: Shown | None = None
    due: float = 0.0
    asked: float = 0.0
    under_way: "asyncio.Task[None] | None" = None


class WallFigures:
    """Counts; see the module."""

    def __init__(self, statistics: Statistics, shops: Shops, reach: WallReach, *, every_s: float) -> None:
        self._statistics = statistics
        self._shops = shops
        self._reach = reach
        self._every_s = every_s
        self._counts: dict[tuple[ShopId, Variant], _Count] = {}
        self.counted = 0
        """counts since the start"""

    async def aclose(self) -> None:
        """Count no more."""
        tasks = [count.under_way for count in self._counts.values() if count.under_way is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def of(self, shop: ShopId, reach: Variant | None) -> Shown | None:
        """The figures as they were counted last; None: no right to see them, or not counted yet."""
        if reach is None:
            return None
        now = time.monotonic()
        for key in [each for each, count in self._counts.items() if now - count.asked > FORGET_S]:
            if self._counts[key].under_way is None:
                del self._counts[key]
        count = self._counts.setdefault((shop, reach), _Count(asked=now))
        count.asked = now
        if count.under_way is None and now >= count.due:
            count.under_way = asyncio.create_task(self._look(shop, reach, count), name=f"wall_figures:{shop}")
        if count.figures is None and count.under_way is not None:
            await asyncio.wait({count.under_way}, timeout=FIRST_S)
        return count.figures

    async def _look(self, shop: ShopId, reach: Variant, count: _Count) -> None:
        began = time.monotonic()
        try:
            count.figures = await self._counted(shop, reach)
        except RequestError as error:  # the wall shows what was counted last
            log.warning("wall_figures_failed", shop=shop, reason=error.reason)
        except Exception:  # a bug; but the wall goes on
            log.exception("wall_figures_failed", shop=shop)
        finally:
            took = time.monotonic() - began
            count.due = began + max(self._every_s, SHARE * took)
            count.under_way = None

    async def _counted(self, shop: ShopId, reach: Variant) -> Shown:
        self.counted += 1
        policy = (await self._shops.get(shop)).live_policy
        zone = ZoneInfo((await self._shops.get(shop)).policy.timezone)
        people = await self._reach.people(shop, reach)
        pools = frozenset(pool for pool in policy.pools if sees_pool(reach, policy.pools[pool]))
        visible = Visible() if people is None else Visible(people, pools)
        now = int(time.time() * 1000)
        midnight = instant(zone, day_of(now, zone), 0)
        today, lately = await asyncio.gather(
            self._figures(shop, midnight, now, visible),
            self._figures(shop, now - NOW_MINUTES * 60_000, now, visible),
        )

        def n(measure: str) -> int:
            return today.get(measure, NO_FIGURE).n

        first, ratings = today.get("first_responses", NO_FIGURE), today.get("ratings", NO_FIGURE)
        return Shown(
            since=text_of_ms(midnight),
            opened=n("opened"),
            abandoned=n("abandoned"),
            replies=n("responses"),
            within_3_min=_within(today),
            replies_now=lately.get("responses", NO_FIGURE).n,
            within_3_min_now=_within(lately),
            now_minutes=NOW_MINUTES,
            first_replies=first.n,
            first_reply_median_ms=first.median,
            first_reply_p95_ms=first.p95,
            ratings=ratings.n,
            rating_mean=round(ratings.total / ratings.n, 2) if ratings.n else None,
        )

    async def _figures(self, shop: ShopId, from_ms: int, now_ms: int, visible: Visible) -> dict[str, Figure]:
        found = await self._statistics.figures(shop, (from_ms, now_ms + 1), "shop", visible, {})
        return {figure.measure: figure for figure in found}


def _within(figures: dict[str, Figure]) -> float | None:
    replies = figures.get("responses", NO_FIGURE)
    asked = replies.timed + figures.get("unanswered", NO_FIGURE).n
    return round(replies.quick / asked, 4) if asked else None
