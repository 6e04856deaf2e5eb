"""The order of requests of one connection.

A client that sends two requests without waiting expects them to happen in that order, yet a slow one must not hold up
the rest. So requests queue per conversation, and those that name none in a lane of their own; methods in `PIPELINED`
follow each other without waiting, since what they call keeps the order in which it was called.
"""

from collections import deque
from collections.abc import Callable
from typing import final

from protocol.codec import RequestFrame

PIPELINED = frozenset({"message.send"})
"""Their handlers reach `Log.append` in the order of the calls; one COMMIT then takes many."""
_LOOKED_UP = frozenset({"image", "file"})
"""Kinds of bodies that are looked up first, which may take differently long: these take their turn alone."""

Start = Callable[[RequestFrame, str], None]
"""Start serving a request of a lane; `Lanes.finished(lane)` must follow, once."""


@final
class _Lane:
    __slots__ = ("pipelined", "running", "waiting")

    def __init__(self) -> None:
        self.running = 0
        self.pipelined = False
        self.waiting: deque[RequestFrame] = deque()


@final
class Lanes:
    """Starts requests as early as the order allows."""

    __slots__ = ("_lanes", "_start", "under_way")

    def __init__(self, start: Start) -> None:
        self._start = start
        self._lanes: dict[str, _Lane] = {}
        self.under_way = 0
        """running and waiting"""

    def add(self, frame: RequestFrame) -> None:
        """Take a request; it is started now or when its turn comes."""
        name = getattr(frame.params, "conversation_id", None) or ""
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane()
        self.under_way += 1
        lane.waiting.append(frame)
        self._go(name, lane)

    def finished(self, name: str) -> None:
        """A request of this lane is done, however it ended."""
        lane = self._lanes[name]
        lane.running -= 1
        self.under_way -= 1
        if lane.running == 0 and not lane.waiting:
            del self._lanes[name]
        else:
            self._go(name, lane)

    def drop_waiting(self) -> None:
        """The connection is gone: nobody waits for what has not begun."""
        for lane in self._lanes.values():
            self.under_way -= len(lane.waiting)
            lane.waiting.clear()

    def _go(self, name: str, lane: _Lane) -> None:
        while lane.waiting:
            frame = lane.waiting[0]
            pipelined = _pipelined(frame)
            if lane.running and not (pipelined and lane.pipelined):
                return
            lane.waiting.popleft()
            lane.running += 1
            lane.pipelined = pipelined
            self._start(frame, name)


def _pipelined(frame: RequestFrame) -> bool:
    body = getattr(frame.params, "body", None)
    return frame.method.name in PIPELINED and getattr(body, "kind", None) not in _LOOKED_UP
