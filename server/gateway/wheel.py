"""One timer for all deadlines of all connections of the process.

A connection has dozens of deadlines in its life but at most one entry here: it is asked when the entry is due, looks
at its own facts, and says when to ask again. Traffic never touches the wheel; that is what makes it cheap.
"""

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)


class Watched(Protocol):
    """Something with deadlines."""

    def due(self, now: float) -> float:
        """Do what is due at `now` (the loop's clock) and answer when to ask again; `NEVER` ends the watch."""
        ...


NEVER = float("inf")


class Wheel:
    """Asks each watched thing at its time, late by at most `tick_s`.

    Not a heap: the entries of one tick are a set, so that watching and forgetting cost the same for ten connections
    and for fifty thousand.
    """

    __slots__ = ("_slots", "_tick_s", "_timer", "_turn", "_where")

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._slots: dict[int, set[Watched]] = {}
        self._where: dict[Watched, int] = {}
        self._turn = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many are watched."""
        return len(self._where)

    def watch(self, item: Watched, at: float) -> None:
        """Ask `item` at `at` (the loop's clock); an entry it has already is moved."""
        self.forget(item)
        if at == NEVER:
            return
        if self._timer is None:
            self._start()
        slot = max(int(at / self._tick_s) + 1, self._turn + 1)
        self._where[item] = slot
        self._slots.setdefault(slot, set()).add(item)

    def forget(self, item: Watched) -> None:
        """Ask no more."""
        slot = self._where.pop(item, None)
        entries = None if slot is None else self._slots.get(slot)  # absent while its turn is being taken
        if slot is None or entries is None:
            return
        entries.discard(item)
        if not entries:
            del self._slots[slot]

    def stop(self) -> None:
        """Forget everything; the timer ends."""
        self._slots.clear()
        self._where.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._turn = int(loop.time() / self._tick_s)
        self._timer = loop.call_at((self._turn + 1) * self._tick_s, self._advance, loop)

    def _advance(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        turn = int(now / self._tick_s)
        # After a stall (a stopped process) there are many turns to catch up with, most of them empty.
        if turn - self._turn > len(self._slots):
            late = sorted(slot for slot in self._slots if slot <= turn)
        else:
            late = [slot for slot in range(self._turn + 1, turn + 1) if slot in self._slots]
        self._turn = turn
        for slot in late:
            for item in self._slots.pop(slot, ()):
                if self._where.get(item) != slot:
                    continue
                del self._where[item]
                self._ask(item, now)
        self._timer = loop.call_at((turn + 1) * self._tick_s, self._advance, loop) if self._where else None

    def _ask(self, item: Watched, now: float) -> None:
        try:
            again = item.due(now)
        except Exception:  # one broken entry must not stop everybody's clock
            log.exception("deadline of %r", item)
            return
        if item not in self._where:
            self.watch(item, again)
