"""Runs the sweeps of one node. Any node runs any sweep; a guard in Redis lets each run once per period somewhere.

The guard only saves work: every sweep may run twice, or on two nodes at once, without harm.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from router.link import Link

log = structlog.get_logger("sweeps")

Counts = dict[str, int]
"""What a sweep did, by name; all zero means nothing was amiss."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One repair or deadline: `run()` looks once and says what it did. `everywhere`: on each node, not once
    per period."""

    name: str
    period_s: float
    run: Callable[[], Awaitable[Counts]]
    everywhere: bool = False


class Runner:
    """Starts one task per sweep; `aclose` stops them. A sweep that fails is logged and tried again next period."""

    def __init__(self, link: Link, sweeps: list[Sweep]) -> None:
        self._link = link
        self._sweeps = sweeps
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; each sweep first runs after one period and a random part of another: else all of one period would want
        the same connections at the same moments."""
        self._tasks = [
            asyncio.create_task(self._keep(sweep), name=f"sweep:{sweep.name}") for sweep in self._sweeps
        ]

    async def aclose(self) -> None:
        """Stop all sweeps and wait until they have."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, sweep: Sweep) -> None:
        failing = ""
        await asyncio.sleep(sweep.period_s * random.random())
        while True:
            await asyncio.sleep(sweep.period_s)
            try:
                if not sweep.everywhere and not await self._first(sweep):
                    continue
                counts = {name: count for name, count in (await sweep.run()).items() if count}
            except Exception as error:  # a failing repair must not stop the others, nor itself
                if repr(error) != failing:  # once per fault, however long it lasts
                    failing = repr(error)
                    log.warning("sweep_failed", sweep=sweep.name, error=failing)
            else:
                failing = ""
                if counts:
                    log.info("sweep", sweep=sweep.name, **counts)

    async def _first(self, sweep: Sweep) -> bool:
        """Whether no other node ran this sweep in the current period."""
        guard_ms = str(max(int(sweep.period_s * 900), 1))
        return await self._link.call("SET", f"pm:sweep:{sweep.name}", "1", "NX", "PX", guard_ms) is not None
