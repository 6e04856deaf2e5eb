"""What a conversation's log says about screen sharing: that it began and ended, to the customer if it was with them."""

import structlog

from protocol.errors import RequestError
from server.services.delivery import Delivery
from server.services.shares import Share
from server.store.entry import happening
from server.store.log import Log

log = structlog.get_logger("screens")


class ScreenLog:
    """Writes the entries, and delivers them."""

    def __init__(self, writer: Log, delivery: Delivery) -> None:
        self._writer = writer
        self._delivery = delivery

    async def started(self, share: Share) -> None:
        """Somebody shows their screen from now on."""
        await self._append(share, "screen_started")

    async def stopped(self, share: Share) -> None:
        """It is shown no longer. Never raises: it has ended, whether the log can say so or not."""
        try:
            await self._append(share, "screen_stopped")
        except RequestError as error:
            log.warning("screen_stop_unlogged", share=share.id, reason=error.reason)

    async def _append(self, share: Share, event: str) -> None:
        data = {
            "share_id": share.id,
            "who": share.sharer.model_dump(mode="json"),
            "viewer": share.viewer.model_dump(mode="json"),
        }
        entry = happening(
            share.shop_id,
            share.conversation_id,
            event,
            data,
            once=f"{event}:{share.id}",
            visibility="public" if share.with_customer else "internal",
        )
        done = await self._writer.append(entry)
        if not done.duplicate:
            self._delivery.appended(entry, done)
