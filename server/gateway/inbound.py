"""Frames of the client, one by one: understood, weighed, and sent on their way; or refused.

What may be said when: before the session only `session.hello`; while it drains only what ends it; else everything that
the pace allows. Nothing here waits.
"""

from typing import TYPE_CHECKING, cast

from protocol.codec import (
    CodecError,
    NotificationFrame,
    RequestFrame,
    decode,
    encode_error,
    encode_notification,
)
from protocol.codes import CloseCode, ErrorCode
from protocol.errors import RequestError
from protocol.events import Heartbeat, TypingSet
from protocol.states import Phase
from server.gateway import greeting
from server.gateway.pace import WRITING

if TYPE_CHECKING:
    from server.gateway.connection import Connection

NO_SESSION = RequestError(
    ErrorCode.UNAUTHENTICATED, "no_session", "Say session.hello first, and wait for its answer."
)
DRAINING = RequestError(
    ErrorCode.UNAVAILABLE, "draining", "This server is about to stop: connect again.", retry_after_ms=0
)


def receive(connection: "Connection", data: bytes, now: float) -> None:
    """Take one text message. `now` is the loop's clock."""
    metrics = connection.process.metrics
    metrics.frames_in += 1
    try:
        frame = decode(data)
    except CodecError as fault:
        metrics.refused["codec"] += 1
        if fault.answer:
            connection.reply(encode_error(fault.id, fault.error))
        if connection.pace.strike(now):
            connection.close(CloseCode.BAD_PROTOCOL, "too many frames that are no protocol")
        return
    wait_ms = connection.pace.frame(now)
    if isinstance(frame, NotificationFrame):
        if wait_ms:
            _strike(connection, "rate", now)
        else:
            _notice(connection, frame, now)
        return
    if wait_ms == 0 and frame.method.name in WRITING:
        wait_ms = connection.pace.message(now)
    if wait_ms:
        connection.reply(encode_error(frame.id, _too_fast(wait_ms)))
        _strike(connection, "rate", now)
    else:
        _request(connection, frame, now)


def _request(connection: "Connection", frame: RequestFrame, now: float) -> None:
    name = frame.method.name
    if connection.phase is Phase.OPENED:
        if name == "session.hello" and connection.hello_id is None:
            connection.hello_id = frame.id
            connection.hello_at = now + connection.limits.request_deadline_s
            connection.process.dispatcher.spawn(greeting.greet(connection, frame))
        else:
            connection.reply(encode_error(frame.id, NO_SESSION))
            _strike(connection, "no_session", now)
    elif name == "session.bye":
        greeting.bye(connection, frame)
    elif name == "session.refresh":
        connection.process.dispatcher.spawn(greeting.refresh(connection, frame))
    elif name == "session.hello":
        connection.reply(encode_error(frame.id, greeting.HELLO_TWICE))
    elif connection.phase is Phase.DRAINING:
        connection.reply(encode_error(frame.id, DRAINING))
    else:
        connection.lanes.add(frame)
        connection.check_room()


def _notice(connection: "Connection", frame: NotificationFrame, now: float) -> None:
    if connection.phase is Phase.OPENED:
        _strike(connection, "no_session", now)
    elif frame.event.name == "hb":
        behind = connection.sender.heads.ahead_of(cast("Heartbeat", frame.params).cursors)
        if behind:
            connection.reply(encode_notification("hb", Heartbeat(heads=behind)))
    else:
        typed(connection, frame, now)


def typed(connection: "Connection", frame: NotificationFrame, now: float) -> None:
    """A `typing.set`: passed on, or kept until it may be; what was kept before is overtaken by it."""
    said = cast("TypingSet", frame.params)
    wait_s = connection.pace.typing(said.conversation_id, said.typing, now)
    if wait_s:
        connection.keep_typed(frame, wait_s)
    else:
        connection.keep_typed(None, 0)
        connection.process.dispatcher.notice(connection.session, frame)


def _strike(connection: "Connection", why: str, now: float) -> None:
    connection.process.metrics.refused[why] += 1
    if connection.pace.strike(now):
        connection.close(CloseCode.RATE_ABUSE, "too much too fast")


def _too_fast(wait_ms: int) -> RequestError:
    return RequestError(
        ErrorCode.RATE_LIMITED, "too_fast", "Too many requests; wait a moment.", retry_after_ms=wait_ms
    )
