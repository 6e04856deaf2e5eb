"""Deletes files that never came, or that nobody ever sent on."""

from server.services.file_transfer import FileTransfer
from server.sweeps.runner import Counts


class UnusedFiles:
    """Looks at what was last touched a day ago (a setting). A message that names a file keeps it."""

    def __init__(self, transfer: FileTransfer) -> None:
        self._transfer = transfer

    async def run(self) -> Counts:
        """Counts: `files` deleted."""
        return {"files": await self._transfer.sweep()}
