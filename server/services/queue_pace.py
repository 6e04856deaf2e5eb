"""How long a waiting customer will wait, from how fast their pool moved lately; nothing when that says too little."""

from collections.abc import Sequence
from statistics import median
from typing import Final

LEAST: Final = 5
"""So many customers must have been taken from the pool lately, or there is no basis."""
MOST: Final = 20
LATELY_S: Final = 3600
STEPS_S: Final = (60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600)
"""An estimate is no measurement: it is said in these, rounded up."""


def estimate_s(place: int, heads_ms: Sequence[int]) -> int | None:
    """The wait of whoever is at `place` (1: next), as one of `STEPS_S`; None without a basis, or beyond an hour.

    `heads_ms`: for each of the last customers who were taken from the pool, how long they were its first. That leaves
    out the time in which nobody waited, which says nothing of those who work. The median: one long talk is no rule.
    """
    if len(heads_ms) < LEAST:
        return None
    wait_s = place * median(heads_ms) / 1000
    return next((step for step in STEPS_S if wait_s <= step), None)
