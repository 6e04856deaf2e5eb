"""Ends invitations whose time is over (CO-01). Each is ended once, by whichever node comes first."""

from protocol.errors import RequestError
from server.services.participants import Participants
from server.store.invitations import Invitations
from server.sweeps.runner import Counts


class OverdueInvitations:
    """One look at the invitations of all shops."""

    def __init__(self, invitations: Invitations, participants: Participants) -> None:
        self._invitations = invitations
        self._participants = participants

    async def run(self) -> Counts:
        """End what is due. Counts: `expired`."""
        expired = 0
        for shop, conversation in await self._invitations.overdue():
            try:
                expired += await self._participants.expire(shop, conversation)
            except RequestError as error:
                if error.retryable:
                    raise
        return {"expired": expired}
