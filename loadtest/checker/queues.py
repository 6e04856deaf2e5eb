"""I8: nobody in a queue was passed over by somebody later of the same class, or by a lower class. Pure: a shop's
decisions in the order of time, moment by moment."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Final

from loadtest.checker.rows import AUTOMATIC, STICKY, Decision, Violation, standing

DRAWN: Final = AUTOMATIC - STICKY - {"offline_list"}
"""Reasons by which somebody is taken in the order of a pool. Stickiness goes past it by rule; the offline list is for
when nobody is there who could take from a pool."""

Turn = tuple[int, int, str]
"""Class, first arrival, id: who has the lowest is next."""


class Queues:
    """Who waits in each pool of a shop."""

    def __init__(self) -> None:
        self._pools: dict[str, list[Turn]] = {}
        self._waiting: dict[str, tuple[str, Turn]] = {}
        """conversation -> its pool and its turn"""

    def at(self, moment: Sequence[Decision]) -> Iterator[Violation]:
        """What was decided in one millisecond, in no order: who left then is not waiting, nor is who came then."""
        for decision in moment:
            self._waiting.pop(decision.conversation, None)
        for decision in moment:
            if decision.change == "assigned" and decision.reason in DRAWN:
                first = self._first(decision.pool)
                if first is not None and first < _turn(decision):
                    yield Violation(
                        "I8",
                        first[2],
                        f"passed over in {decision.pool} by {decision.conversation}, which came "
                        f"{decision.arrived_ms - first[1]} ms later (classes {first[0]}, {decision.priority})",
                    )
        for decision in standing(moment):
            if decision.change == "queued":
                turn = _turn(decision)
                self._waiting[decision.conversation] = (decision.pool, turn)
                heappush(self._pools.setdefault(decision.pool, []), turn)

    def _first(self, pool: str) -> Turn | None:
        heap = self._pools.get(pool, [])
        while heap and self._waiting.get(heap[0][2]) != (pool, heap[0]):
            heappop(heap)
        return heap[0] if heap else None


def _turn(decision: Decision) -> Turn:
    return decision.priority, decision.arrived_ms, decision.conversation
