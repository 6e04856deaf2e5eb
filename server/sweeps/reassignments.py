"""Goes on with reassignments of customers that nobody works at (GP-07): their node stopped, or they are large."""

from server.services.reassignments import Reassignments
from server.sweeps.runner import Counts


class ReassignmentWork:
    """Runs on every node: batches of several nodes never meet, and together they are done sooner."""

    def __init__(self, reassignments: Reassignments) -> None:
        self._reassignments = reassignments

    async def run(self) -> Counts:
        """Counts: `reassigned` customers that were looked at."""
        return {"reassigned": await self._reassignments.go_on()}
