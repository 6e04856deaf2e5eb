"""Ends what was lent for a time."""

from server.services.break_glass import BreakGlass
from server.sweeps.runner import Counts


class Loans:
    """Break-glass whose time is over: it is marked as ended, once, and whoever had it is told."""

    def __init__(self, break_glass: BreakGlass) -> None:
        self._break_glass = break_glass

    async def run(self) -> Counts:
        """Counts: `break_glass`."""
        return {"break_glass": await self._break_glass.run_out()}
