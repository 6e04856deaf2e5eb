"""Sums up the figures of every quarter of an hour that is over (GP-05). Nobody waits for it: what is not summed up is
counted from the log when it is asked for."""

from typing import Final

from server.store.statistics import Statistics
from server.sweeps.runner import Counts

BUDGET_S: Final = 20.0
"""How long one run may catch up, after a stop or on a database that was there before."""


class SummingUp:
    """Oldest first; another node at it is left alone."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    async def run(self) -> Counts:
        """Counts: `quarters` (or longer stretches in which nothing happened)."""
        return {"quarters": await self._statistics.sum_up(budget_s=BUDGET_S)}
