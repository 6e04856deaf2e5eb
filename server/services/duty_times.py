"""When somebody's duty changes next, per shop, known to every node (GP-06).

One sorted set in Redis. It is only a memory of what is to be computed when: losing it costs a look at every shop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from protocol.ids import ShopId
from router.link import Link
from router.redis_link import LinkError

log = structlog.get_logger("duty")

DUTY_KEY: Final = "pm:duty"
"""Sorted set: shop -> ms since 1970 at which its duties are to be looked at; 0: now."""
MOST: Final = 8
"""Shops that a node takes at once; the rest is for others, or for its next look."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Shops to be looked at now, until the lease ends. `next_ms`: when anything is due next; None: nothing is known."""

    shops: tuple[ShopId, ...]
    lease_ms: int
    next_ms: int | None


class DutyTimes:
    """The memory. All but `touch` raise LinkError when Redis is away."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def touch(self, shop: ShopId) -> None:
        """Hours of the shop changed: look at it now. Never raises: without Redis no duty can change, and when it is
        back every shop is looked at."""
        try:
            await self._link.call("ZADD", DUTY_KEY, "0", shop)
        except LinkError as error:
            log.warning("duty_untold", shop=shop, error=str(error))

    async def know(self, shops: Sequence[ShopId]) -> None:
        """Look at shops that are not known yet."""
        if shops:
            await self._link.call("ZADD", DUTY_KEY, "NX", *(part for shop in shops for part in ("0", shop)))

    async def forget(self, shop: ShopId) -> None:
        """The shop is served no more."""
        await self._link.call("ZREM", DUTY_KEY, shop)

    async def take(self, now_ms: int, lease_ms: int) -> Taken:
        """Shops that are due. Each is this caller's for `lease_ms`, or until it is settled."""
        until = now_ms + lease_ms
        due, next_ms = await self._link.script("duty_take", (DUTY_KEY,), (str(now_ms), str(until), str(MOST)))
        return Taken(
            tuple(ShopId(shop.decode()) for shop in due), until, int(float(next_ms)) if next_ms else None
        )

    async def settle(self, shop: ShopId, taken: Taken, next_ms: int) -> None:
        """A shop that was taken is looked at again at `next_ms`; at once when its hours changed meanwhile."""
        await self._link.script("duty_settle", (DUTY_KEY,), (shop, str(taken.lease_ms), str(next_ms)))
