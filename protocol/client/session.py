"""The client: what its owner asks and hears, over a link that comes back by itself."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Literal, TypeVar

from protocol.client.link import Ears, Link, TicketSource, seconds
from protocol.client.logbook import Logbook
from protocol.client.logs import Log
from protocol.client.reconnect import Ended, Patience, delay_s
from protocol.client.subscription import Subscription
from protocol.client.view import View
from protocol.codec import NotificationFrame
from protocol.codes import CloseCode, ErrorCode
from protocol.errors import ConnectionClosed, PointsmanError, RequestError
from protocol.events import EVENTS, ConversationChanged, Heartbeat, StreamReset, TypingSet
from protocol.ids import new_id
from protocol.methods import METHODS
from protocol.methods.collaboration import NoteParams
from protocol.methods.conversations import ConversationParams, ConversationResult
from protocol.methods.messages import HistoryParams, HistoryResult, SendParams, SendResult
from protocol.methods.session import (
    ByeParams,
    ClientInfo,
    HelloParams,
    HelloResult,
    Nothing,
    RefreshParams,
    RefreshResult,
    Resume,
)
from protocol.methods.supervision import WhisperParams
from protocol.shapes import Message, Shape
from protocol.states import Life
from protocol.version import VERSION

R = TypeVar("R", bound=Shape)
Device = Literal["web", "desktop", "mobile", "server"]
_CURSORS_MAX = 1000


class Client:
    """One person's session: connects, resumes, hears everything once and in order, repeats sends until answered.

    `view` and `logs` are always as new as the last notification that subscribers were given. `whole_logs`: fetch every
    conversation's log from its beginning; otherwise a log begins with its end at the time it is first heard of.
    `keep_messages`: logs keep what they were given. `on_event` is called for every notification, in order.
    For one event loop; not for several threads.
    """

    def __init__(
        self,
        url: str,
        ticket_source: TicketSource,
        *,
        name: str = "pointsman-python",
        device: Device = "server",
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        whole_logs: bool = True,
        keep_messages: bool = False,
        on_event: Callable[[NotificationFrame], None] | None = None,
        patience: Patience | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._tickets = ticket_source
        self._info = ClientInfo(name=name, version=VERSION, device=device)
        self._on_event = on_event
        self._patience = patience or Patience()
        self._rng = rng or random.Random()
        self._subscriptions: list[Subscription] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._sending: dict[str, asyncio.Lock] = {}
        self._link = Link(
            url,
            ticket_source,
            Ears(self._hello_params, lambda: self.cursors, self._begin, self._heard, self._stop),
            origin=origin,
            headers=dict(headers or {}),
            patience=self._patience,
            rng=self._rng,
        )
        self._logbook = Logbook(
            self._said,
            self._history,
            self._link.until_live,
            self._errand,
            self._pause_s,
            gap_s=self._patience.gap_s,
            whole=whole_logs,
            keep=keep_messages,
        )
        self.session: HelloResult | None = None
        """the reply to the latest hello"""
        self.view = View()

    async def start(self) -> HelloResult:
        """Connect; returns once the session is live. ConnectionClosed or RequestError when it cannot become so."""
        self._link.start()
        await self._link.until_live()
        assert self.session is not None
        return self.session

    async def close(self, *, sign_out: bool = False) -> None:
        """Say `session.bye` and leave; `sign_out` also sets an agent offline. Repeating it does nothing."""
        self._link.closing()
        wire = self._link.live
        if wire is not None:
            with suppress(RequestError, TimeoutError):  # leaving without a goodbye is still leaving
                async with asyncio.timeout(2):
                    await wire.ask("session.bye", ByeParams(sign_out=sign_out), Nothing)
        await self._link.stop()
        if self._errands:
            await asyncio.wait(self._errands)

    async def __aenter__(self) -> "Client":
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def is_live(self) -> bool:
        """Whether requests go out at once."""
        return self._link.live is not None

    @property
    def connections(self) -> int:
        """Sessions begun or resumed so far."""
        return self._link.connections

    @property
    def last_ended(self) -> Ended | None:
        """How the last connection that had a session ended, if one did: its close code, 1006 without one."""
        return self._link.ended

    @property
    def failure(self) -> PointsmanError | None:
        """Why the client stopped by itself, if it did."""
        return self._link.failure

    @property
    def logs(self) -> dict[str, Log]:
        """The logs of all conversations heard of."""
        return self._logbook.logs

    @property
    def cursors(self) -> dict[str, int]:
        """Conversation -> the highest contiguous `seq`, for all logs that may go on."""
        return {key: log.cursor for key, log in self.logs.items() if log.missing or not self._is_over(key)}

    def subscribe(self) -> Subscription:
        """Hear everything from now on."""
        subscription = Subscription(self._unsubscribe)
        self._subscriptions.append(subscription)
        if self._link.is_stopped:
            subscription.end(self.failure)
        return subscription

    async def wait_stopped(self) -> PointsmanError | None:
        """Until the client has stopped: by `close` (None), or by itself (why)."""
        await self._link.until_stopped()
        return self.failure

    async def request(self, name: str, /, timeout_s: float | None = None, **members: Any) -> Shape:
        """Any request by name and members; the result has the shape that `METHODS` says. Errors as `call`."""
        method = METHODS[name]
        return await self.call(
            name, method.params.model_validate(members, strict=False), method.result, timeout_s
        )

    async def call(self, name: str, params: Shape, result: type[R], timeout_s: float | None = None) -> R:
        """Any request, once, over the live connection or the next one.

        RequestError: refused; UNAVAILABLE when there was no connection in time, COMMIT_UNKNOWN when it was sent and no
        reply came. ConnectionClosed: the client has stopped.
        """
        sent = False
        try:
            async with asyncio.timeout(self._patience.reply_s if timeout_s is None else timeout_s):
                wire = await self._link.until_live()
                sent = True
                return await wire.ask(name, params, result)
        except TimeoutError:
            if sent:
                raise _no_reply() from None
            raise RequestError(ErrorCode.UNAVAILABLE, "not_connected", "There is no connection.") from None

    async def send(
        self,
        conversation_id: str,
        body: str | Mapping[str, Any],
        *,
        client_message_id: str | None = None,
        assign_epoch: int | None = None,
        timeout_s: float | None = None,
    ) -> SendResult:
        """Append a message exactly once: repeated with the same id until there is an answer that is not retryable.

        Sends into one conversation go out one after another, in the order of the calls. `body`: a text, or any body.
        With `timeout_s` it gives up with the last refusal; without, it lasts as long as the client.
        """
        members: dict[str, Any] = {
            "conversation_id": conversation_id,
            "client_message_id": client_message_id or new_id(),
            "body": {"kind": "text", "text": body} if isinstance(body, str) else dict(body),
        }
        if assign_epoch is not None:
            members["assign_epoch"] = assign_epoch
        return await self._append("message.send", SendParams.model_validate(members), timeout_s)

    async def note(
        self,
        conversation_id: str,
        body: str | Mapping[str, Any],
        *,
        mentions: Sequence[str] = (),
        client_message_id: str | None = None,
        whisper: bool = False,
        timeout_s: float | None = None,
    ) -> SendResult:
        """Say something to colleagues only, exactly once, in order with what is sent. `whisper`: as one who only
        watches."""
        members: dict[str, Any] = {
            "conversation_id": conversation_id,
            "client_message_id": client_message_id or new_id(),
            "body": {"kind": "note", "text": body, "mentions": list(mentions)}
            if isinstance(body, str)
            else dict(body),
        }
        if whisper:
            return await self._append("monitor.whisper", WhisperParams.model_validate(members), timeout_s)
        return await self._append("note.send", NoteParams.model_validate(members), timeout_s)

    async def _append(
        self, method: str, params: SendParams | NoteParams | WhisperParams, timeout_s: float | None
    ) -> SendResult:
        conversation_id = params.conversation_id
        lock = self._sending.setdefault(conversation_id, asyncio.Lock())
        last = _no_reply()
        try:
            async with asyncio.timeout(timeout_s), lock:
                for attempt in count():
                    try:
                        result = await self.call(method, params, SendResult)
                    except RequestError as refusal:
                        if not refusal.retryable:
                            raise
                        last = refusal
                        await asyncio.sleep(self._pause_s(refusal, attempt))
                    else:
                        # The own message comes like everybody's; should it not, the log knows what to fetch.
                        self._logbook.exists(conversation_id, result.seq)
                        return result
        except TimeoutError:
            raise last from None
        raise AssertionError("counting does not end")

    async def typing(self, conversation_id: str, typing: bool = True, text: str = "") -> None:
        """Say that one types, or has stopped; lost without a word when there is no connection."""
        wire = self._link.live
        if wire is not None:
            params = TypingSet(conversation_id=conversation_id, typing=typing, text=text)
            await wire.tell("typing.set", params)

    def drop(self) -> None:
        """End the present connection without a word, as a broken network would; the client comes back."""
        self._link.drop()

    def _hello_params(self, ticket: str | None) -> HelloParams:
        if self.session is None:
            return HelloParams(ticket=ticket, client=self._info)
        newest = dict(list(self.cursors.items())[-_CURSORS_MAX:])
        resume = Resume(session_id=self.session.session_id, cursors=newest)
        return HelloParams(ticket=ticket, client=self._info, resume=resume)

    def _begin(self, hello: HelloResult) -> None:
        self.session = hello
        for doubtful in self.view.begin(hello):
            self._errand(self._look_again(doubtful))
        for conversation in hello.snapshot.conversations:
            self._logbook.exists(conversation.conversation_id, conversation.head_seq)

    def _heard(self, frame: NotificationFrame) -> None:
        params = frame.params
        match frame.event.name, params:
            case "message.created" | "note.created", Message():
                self._logbook.take(params)
                return
            case "message.updated", Message():
                if not self._logbook.update(params):
                    return
                self.view.changed(params)
            case "session.expiring", _:
                self._errand(self._refresh())
            case "hb", Heartbeat():
                for conversation_id, seq in params.heads.items():
                    self._logbook.exists(conversation_id, seq)
            case "stream.reset", StreamReset():
                self._logbook.reset(params)
            case _, ConversationChanged():
                news = self.view.apply(params)
                self._logbook.exists(params.conversation.conversation_id, params.conversation.head_seq)
                if not news:
                    return
            case _:
                if not self.view.apply(params):
                    return
        self._give(frame)

    def _said(self, message: Message) -> None:
        self.view.said(message)
        self._give(NotificationFrame(_NOTED if message.internal else _CREATED, message))

    def _give(self, frame: NotificationFrame) -> None:
        if self._on_event is not None:
            self._on_event(frame)
        for subscription in self._subscriptions:
            subscription.put(frame)

    def _stop(self, failure: PointsmanError | None) -> None:
        for errand in self._errands:
            errand.cancel()
        for subscription in self._subscriptions:
            subscription.end(failure)

    def _is_over(self, conversation_id: str) -> bool:
        known = self.view.conversations.get(conversation_id)
        return known is not None and known.state is Life.CLOSED

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _history(self, params: HistoryParams) -> HistoryResult:
        return await self.call("message.history", params, HistoryResult)

    async def _look_again(self, conversation_id: str) -> None:
        """A conversation that the snapshot should have held: it was closed or given away meanwhile."""
        params = ConversationParams(conversation_id=conversation_id)
        for attempt in count():
            try:
                found = await self.call("conversation.get", params, ConversationResult)
            except RequestError as refusal:
                if not refusal.retryable:
                    self.view.forget(conversation_id)
                    return
                await asyncio.sleep(self._pause_s(refusal, attempt))
            except ConnectionClosed:
                return
            else:
                self._heard(NotificationFrame(_UPDATED, ConversationChanged(conversation=found.conversation)))
                return

    async def _refresh(self) -> None:
        """Prolong the session. When that fails the server ends it with 4101, and the client begins anew."""
        with suppress(PointsmanError):
            ticket = await self._tickets()
            if ticket is not None:
                await self.call("session.refresh", RefreshParams(ticket=ticket), RefreshResult)

    def _pause_s(self, refusal: RequestError, attempt: int) -> float:
        """How long to wait before the same request once more."""
        if refusal.reason in ("connection_lost", "not_connected") and not self.is_live:
            return 0.0  # the wait for the next connection is wait enough
        asked = Ended(CloseCode.OVERLOAD, wait_s=seconds(refusal.retry_after_ms))
        return delay_s(asked, attempt, self._patience, self._rng)

    def _unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)


_CREATED = EVENTS["message.created"]
_NOTED = EVENTS["note.created"]
_UPDATED = EVENTS["conversation.updated"]


def _no_reply() -> RequestError:
    return RequestError(ErrorCode.COMMIT_UNKNOWN, "no_reply", "No reply came in time.")
