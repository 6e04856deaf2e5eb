"""What was so when: values that change from time to time, asked for around a moment. Pure.

A change takes effect in Redis and in PostgreSQL at slightly different times; decisions carry the time of Redis, what is
read here that of PostgreSQL. Hence a question is always about a stretch of time around the decision.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

SLACK_MS = 6_000
"""A request is answered within 5 s: so far apart both may be."""


class History(Generic[T]):
    """One value over time. Before its first change it is nothing."""

    def __init__(self, changes: Iterable[tuple[int, T]]) -> None:
        """`changes`: (from when in ms, the value), in any order; of several at one time the last given holds."""
        ordered = sorted(changes, key=lambda change: change[0])
        self._since = [at_ms for at_ms, _ in ordered]
        self._values = [value for _, value in ordered]

    def around(self, at_ms: int, slack_ms: int = SLACK_MS) -> list[T]:
        """Everything that it was at some time within `slack_ms` of `at_ms`."""
        first = max(0, bisect_right(self._since, at_ms - slack_ms) - 1)
        return self._values[first : bisect_left(self._since, at_ms + slack_ms + 1)]
