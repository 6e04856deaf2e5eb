"""Brings everybody on and off duty at the minute (GP-06).

Every node keeps the same hour: when somebody's duty changes next is in Redis, and whoever wakes first and is alive
brings it about. A node that dies in the middle of it delays it by the lease. Nothing is lost with a node or with Redis:
what is due is computed from the database.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from server.services.duty_times import DutyTimes, Taken
from server.services.live_changes import LiveChanges
from server.services.profiles import Profiles
from server.services.shops import Shops

log = structlog.get_logger("duty")

LEASE_MS: Final = 1000
REPAIR_MS: Final = 15_000
"""Every shop is looked at this often, whatever was computed: repairs what a dead process left undone."""
KNOW_S: Final = 5.0
"""How often shops are told to Redis: new ones, and all of them when it lost its data."""
BREATH_S: Final = 0.01
"""Between looks while more is due."""


class Duty:
    """Looks whenever something is due, and no less than each `look_s` (edits on other nodes, a clock that was set).

    `now`: seconds since 1970, the clock that schedules go by.
    """

    def __init__(
        self,
        shops: Shops,
        profiles: Profiles,
        changes: LiveChanges,
        times: DutyTimes,
        *,
        look_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._shops = shops
        self._profiles = profiles
        self._changes = changes
        self._times = times
        self._look_s = look_s
        self._now = now
        self._told_at = -KNOW_S
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._keep(), name="duty")

    async def aclose(self) -> None:
        """Stop, and wait until it has."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> float:
        """Look once. Returns how many seconds there is nothing to do."""
        now_ms = int(self._now() * 1000)
        if time.monotonic() - self._told_at >= KNOW_S:
            await self._times.know(await self._shops.all_ids())
            self._told_at = time.monotonic()
        taken = await self._times.take(now_ms, LEASE_MS)
        await asyncio.gather(*(self._bring_about(shop, taken) for shop in taken.shops))
        if taken.shops:
            return BREATH_S
        if taken.next_ms is None:
            return self._look_s
        return min(max(taken.next_ms / 1000 - self._now(), BREATH_S), self._look_s)

    async def _bring_about(self, shop: ShopId, taken: Taken) -> None:
        try:
            now_ms = int(self._now() * 1000)
            # Read now: another node may have just changed the time zone. What follows goes by it as well.
            facts = await self._shops.get(shop, fresh=True)
            if facts.suspended:
                await self._times.forget(shop)
                return
            # Computed first: what changes while the profiles are brought in is due again, and not passed over.
            next_ms = await self._profiles.next_change_ms(shop, facts.policy)
            changed = await self._changes.reconcile(shop)
        except RequestError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                log.warning("duty_failed", shop=shop, error=repr(error))
            else:
                await self._times.forget(shop)  # it is gone
            return
        except Exception as error:  # one shop's fault keeps no other waiting; after the lease it is due again
            log.warning("duty_failed", shop=shop, error=repr(error))
            return
        if changed:
            log.info("duty", shop=shop, changed=changed)
        repair_ms = now_ms + REPAIR_MS
        await self._times.settle(shop, taken, repair_ms if next_ms is None else min(next_ms, repair_ms))

    async def _keep(self) -> None:
        failing = ""
        while True:
            pause_s = self._look_s
            try:
                pause_s = await self.look()
            except (
                Exception
            ) as error:  # Redis or the database is away: the next look finds all that became due
                if repr(error) != failing:  # once per fault, however long it lasts
                    failing = repr(error)
                    log.warning("duty_look_failed", error=failing)
            else:
                failing = ""
            await asyncio.sleep(pause_s)
