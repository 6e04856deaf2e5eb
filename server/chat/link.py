"""The reference client as the terminal and the demo use it: typed questions, news in order, and word of every break."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from protocol.client import Client, TicketSource
from protocol.codec import NotificationFrame
from protocol.errors import ConnectionClosed, PointsmanError, RequestError
from protocol.methods.messages import SendResult
from protocol.methods.session import HelloResult
from protocol.shapes import Shape

R = TypeVar("R", bound=Shape)

LOOK_S: Final = 0.1
CLOSE_S: Final = 3.0


class LinkDown(Exception):
    """There is no connection at this moment."""


class LinkEnded(Exception):
    """There is no connection, and there will be none."""


@dataclass(frozen=True, slots=True)
class Told:
    """The server told something."""

    name: str
    payload: Shape


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection broke; the client is coming back by itself."""


@dataclass(frozen=True, slots=True)
class Back:
    """The connection is there again; what was missed has been told."""


News = Told | Lost | Back


class Link:
    """One session. As an async context manager it connects on entry and says goodbye on exit.

    `sign_out`: an agent is offline after the goodbye (KS-18).
    """

    def __init__(
        self, url: str, tickets: TicketSource, *, name: str, origin: str, sign_out: bool = False
    ) -> None:
        # Whole logs would fetch what the terminal does not show; it asks for history itself.
        self._client = Client(url, tickets, name=name, origin=origin, whole_logs=False, on_event=self._heard)
        self._sign_out = sign_out
        self._news: asyncio.Queue[News | None] = asyncio.Queue()
        self._lost = False
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._client.start()
        except PointsmanError as error:
            await self._client.close()
            raise LinkEnded(str(error)) from None
        except BaseException:
            await self._client.close()
            raise
        self._watch = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await self._client.close(sign_out=self._sign_out)

    @property
    def up(self) -> bool:
        """Whether there is a connection now."""
        return self._client.is_live

    @property
    def hello(self) -> HelloResult:
        """How the session began, or was resumed last."""
        assert self._client.session is not None, "the link is entered before it is used"
        return self._client.session

    def waiting_since(self, conversation_id: str) -> str | None:
        """Since when a conversation's customer waits for an answer, every message so far considered."""
        known = self._client.view.conversations.get(conversation_id)
        return known.waiting_since if known is not None else None

    async def wait_up(self) -> None:
        """Returns when there is a connection. Raises `LinkEnded` when there will be none."""
        try:
            await self._client.start()
        except PointsmanError as error:
            raise LinkEnded(str(error)) from None

    async def ask(self, method: str, params: Shape, result: type[R]) -> R:
        """One request. Raises `RequestError` when it is refused, `LinkDown` when it cannot be sent now."""
        if not self.up:
            raise LinkDown
        try:
            return await self._client.call(method, params, result)
        except ConnectionClosed as error:
            raise LinkEnded(str(error)) from None

    async def send(
        self, conversation_id: str, text: str, client_message_id: str, assign_epoch: int | None = None
    ) -> SendResult:
        """Append a text exactly once, however long that takes. Raises `RequestError` when it is refused for good."""
        try:
            return await self._client.send(
                conversation_id, text, client_message_id=client_message_id, assign_epoch=assign_epoch
            )
        except ConnectionClosed as error:
            raise LinkEnded(str(error)) from None

    async def note(
        self, conversation_id: str, text: str, *, mentions: Sequence[str] = (), whisper: bool = False
    ) -> SendResult:
        """Say something to colleagues only, exactly once. Raises `RequestError` when it is refused for good."""
        try:
            return await self._client.note(conversation_id, text, mentions=mentions, whisper=whisper)
        except ConnectionClosed as error:
            raise LinkEnded(str(error)) from None

    async def attach(self, conversation_id: str, body: dict[str, Any], *, internal: bool) -> SendResult:
        """Say that a file is there: to everybody, or to colleagues only. Raises `RequestError` when it is refused."""
        try:
            if internal:
                return await self._client.note(conversation_id, body)
            return await self._client.send(conversation_id, body)
        except ConnectionClosed as error:
            raise LinkEnded(str(error)) from None

    async def typing(self, conversation_id: str, typing: bool) -> None:
        """Say that one types, or has stopped."""
        await self._client.typing(conversation_id, typing)

    def drop(self) -> None:
        """Break the connection without a word, as a bad network does."""
        self._client.drop()

    async def news(self) -> AsyncIterator[News]:
        """Everything that is told, in order. Raises `LinkEnded` at the end."""
        while True:
            news = await self._news.get()
            if news is None:
                failure = self._client.failure
                raise LinkEnded(_words(failure) if failure is not None else "closed")
            yield news

    def _heard(self, frame: NotificationFrame) -> None:
        if frame.event.name == "session.ready":
            if self._lost:
                self._lost = False
                self._news.put_nowait(Back())
            return
        self._news.put_nowait(Told(frame.event.name, frame.params))

    async def _look(self) -> None:
        """Notices breaks, which nothing announces, and the end."""
        stopped = asyncio.create_task(self._client.wait_stopped())
        try:
            while not stopped.done():
                if not self.up and not self._lost:
                    self._lost = True
                    self._news.put_nowait(Lost())
                await asyncio.wait([stopped], timeout=LOOK_S)
            self._news.put_nowait(None)
        finally:
            stopped.cancel()


def _words(failure: PointsmanError) -> str:
    return failure.message if isinstance(failure, RequestError) else str(failure)
