"""The notifications that the gateway itself sends, as pushes to one connection."""

import time

from protocol.codec import encode_notification
from protocol.events import EVENTS, Expiring, GoingAway, Ready, Replaced, StreamReset
from protocol.ids import ConversationId, SessionId
from protocol.shapes import Shape
from protocol.times import text_of_ms
from server.push import Push


def _push(name: str, payload: Shape) -> Push:
    # Without a conversation a durable push is queued whatever the state of the outbox.
    return Push((), encode_notification(name, payload), EVENTS[name].plane)


def wall_ms() -> int:
    """The wall clock, for what people and tokens mean by time; never for deadlines of our own."""
    return time.time_ns() // 1_000_000


def ready() -> Push:
    """`session.ready`"""
    return _push("session.ready", Ready(server_time=text_of_ms(wall_ms())))


def expiring(at_ms: int) -> Push:
    """`session.expiring`"""
    return _push("session.expiring", Expiring(expires_at=text_of_ms(at_ms)))


def going_away(reconnect_in_ms: int) -> Push:
    """`session.going_away`"""
    return _push("session.going_away", GoingAway(reconnect_in_ms=reconnect_in_ms))


def replaced(session_id: SessionId) -> Push:
    """`session.replaced`"""
    return _push("session.replaced", Replaced(session_id=session_id))


def stream_reset(conversation: ConversationId, head_seq: int) -> Push:
    """`stream.reset`"""
    return _push("stream.reset", StreamReset(conversation_id=conversation, head_seq=head_seq))
