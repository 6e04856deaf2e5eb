"""Ends screen shares that should be over: a side left or is gone, the conversation is, or nobody answered (CO-04)."""

from collections.abc import Callable

from protocol.ids import PersonId, ShopId
from server.services.screens import Screens, holds
from server.services.shares import Share, Shares
from server.session import Session
from server.store.conversations import Conversations
from server.sweeps.runner import Counts

Here = Callable[[ShopId], tuple[Session, ...]]
"""The sessions of a shop at this node."""


class ScreensHeld:
    """On every node: says which sides are here, and ends what nobody holds any more.

    A side is there while the session that has the share is connected to some node: a resumed session is the same, on
    whichever node. Whoever was offered a screen has no session in it until they answer: they are waited for like
    somebody who was asked.
    """

    def __init__(
        self,
        shares: Shares,
        screens: Screens,
        conversations: Conversations,
        here: Here,
        *,
        away_s: float,
        answer_s: float,
    ) -> None:
        self._shares = shares
        self._screens = screens
        self._conversations = conversations
        self._here = here
        self._away_ms = away_s * 1000
        self._answer_ms = answer_s * 1000

    async def run(self) -> Counts:
        """Counts: `ended` shares."""
        ended = 0
        for shop, number in (await self._shares.shops()).items():
            running = await self._shares.running(shop, number)
            if running:
                ended += await self._look(shop, running)
        return {"ended": ended}

    async def _look(self, shop: ShopId, running: tuple[Share, ...]) -> int:
        here = {(session.person_id, str(session.session_id)) for session in self._here(shop)}
        wanted = tuple({share.conversation_id for share in running})
        rows = {row.id: row for row in await self._conversations.of_ids(shop, wanted)}
        ended = 0
        for share in running:
            row = rows.get(share.conversation_id)
            if row is None or not holds(share, row) or await self._left(share, here):
                ended += await self._screens.end(share)
        return ended

    async def _left(self, share: Share, here: set[tuple[PersonId, str]]) -> bool:
        """Whether a side has been away for too long, or never came."""
        sharer, viewer = share.people
        age = await self._shares.seen(
            share,
            sharer_here=(sharer, share.sharer_session) in here,
            viewer_here=(viewer, share.viewer_session) in here,
        )
        if age is None:
            return False
        if not (share.sharer_session and share.viewer_session) and age.began_ms > self._answer_ms:
            return True
        return (bool(share.sharer_session) and age.sharer_away_ms > self._away_ms) or (
            bool(share.viewer_session) and age.viewer_away_ms > self._away_ms
        )
