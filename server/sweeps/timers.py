"""Lets durable deadlines fire: each once, never early, within a second of its instant, whichever node looks first."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from server.store.timers import Timer, Timers
from server.sweeps.runner import Counts

log = structlog.get_logger("timers")

TAKEN_AT_ONCE = 64
AT_ONCE = 8
"""How many effects are carried out at the same time: fewer than the node has connections to the database."""

Fire = Callable[[Timer], Awaitable[None]]
"""The effect of a deadline; idempotent. What it raises makes the deadline due again."""


class DueTimers:
    """Runs on every node: what one takes, the others pass over. `fire`: the kinds that this version knows."""

    def __init__(self, timers: Timers, fire: Mapping[str, Fire]) -> None:
        self._timers = timers
        self._fire = fire
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> Counts:
        """Until nothing is due. Counts: `fired`, `failed`, `late_ms` (of the latest one)."""
        counts: Counts = {"fired": 0, "failed": 0, "late_ms": 0}
        while due := await self._timers.take_due(tuple(self._fire), limit=TAKEN_AT_ONCE):
            await asyncio.gather(*(self._one(timer, counts) for timer in due))
            if len(due) < TAKEN_AT_ONCE:
                break
        return counts

    async def _one(self, timer: Timer, counts: Counts) -> None:
        async with self._places:
            try:
                await self._fire[timer.kind](timer)
                await self._timers.done(timer)
            except Exception as error:  # one that fails keeps no other waiting; it is due again
                counts["failed"] += 1
                log.warning("timer_failed", kind=timer.kind, tries=timer.tries, error=repr(error))
                return
        counts["fired"] += 1
        counts["late_ms"] = max(counts["late_ms"], timer.taken_ms - timer.due_ms)
