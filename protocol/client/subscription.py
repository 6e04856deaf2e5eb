"""What a client heard, to be read in order by one reader."""

import asyncio
from collections.abc import Callable

from protocol.codec import NotificationFrame
from protocol.errors import PointsmanError


class Subscription:
    """Notifications from subscribing on. Iterate, or ask for the next; nothing is dropped, so keep reading.

    Ends, after everything heard has been read: iteration stops when the client was closed, and raises what stopped it.
    """

    def __init__(self, leave: Callable[["Subscription"], None]) -> None:
        self._heard: asyncio.Queue[NotificationFrame | None] = asyncio.Queue()
        self._leave = leave
        self._failure: PointsmanError | None = None

    def put(self, frame: NotificationFrame) -> None:
        """One more was heard."""
        self._heard.put_nowait(frame)

    def end(self, failure: PointsmanError | None) -> None:
        """Nothing more will be heard."""
        self._failure = failure
        self._heard.put_nowait(None)

    def drain(self) -> list[NotificationFrame]:
        """What was heard and not read yet, without waiting."""
        frames: list[NotificationFrame] = []
        while not self._heard.empty():
            frame = self._heard.get_nowait()
            if frame is None:
                self._heard.put_nowait(None)  # stays at its end
                break
            frames.append(frame)
        return frames

    def close(self) -> None:
        """Hear nothing more; what was heard can still be read."""
        self._leave(self)
        self.end(None)

    async def next(
        self,
        name: str | None = None,
        *,
        where: Callable[[NotificationFrame], bool] | None = None,
        timeout_s: float = 10.0,
    ) -> NotificationFrame:
        """The next notification, of that name if given, for which `where` holds; others are passed over.

        TimeoutError after `timeout_s`; StopAsyncIteration or the client's failure when there will be none.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                frame = await self.__anext__()
                if (name is None or frame.event.name == name) and (where is None or where(frame)):
                    return frame

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> NotificationFrame:
        frame = await self._heard.get()
        if frame is not None:
            return frame
        self._heard.put_nowait(None)  # stays at its end
        if self._failure is not None:
            raise self._failure
        raise StopAsyncIteration
