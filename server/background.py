"""Work that goes on after its request was answered. Held, bounded by nothing but its callers, and waited for
at the end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from protocol.errors import RequestError

log = structlog.get_logger("background")


class Background:
    """Starts coroutines, keeps them from being forgotten, logs what fails."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._alarms: set[asyncio.TimerHandle] = set()

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run it on its own."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def later(self, after_s: float, work: Callable[[], Coroutine[Any, Any, Any]], name: str) -> None:
        """Run it on its own after so long, unless the end comes first: for news that only save somebody a look."""

        def due() -> None:
            self._alarms.discard(alarm)
            self.start(work(), name)

        alarm = asyncio.get_running_loop().call_later(after_s, due)
        self._alarms.add(alarm)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, RequestError):
            log.warning("background_refused", work=task.get_name(), reason=error.reason)
        elif error is not None:
            log.error("background_failed", work=task.get_name(), exc_info=error)

    async def finish(self, timeout_s: float) -> None:
        """Wait for what is under way, at most that long; then cancel it. Nothing runs when this returns, and nothing
        begins later."""
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
