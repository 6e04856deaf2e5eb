"""What the server pushes: one notification for some people, encoded once, on its way to their sockets."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.codec import encode_notification
from protocol.codes import CloseCode
from protocol.events import EVENTS, Plane
from protocol.ids import ConversationId, PersonId
from protocol.shapes import Shape


@dataclass(frozen=True, slots=True)
class Push:
    """One encoded notification. `frame` is the whole JSON-RPC text frame, shared by all who get it.

    `key` names the thing whose latest state this is (state plane: a later push of the same key replaces it in a send
    queue; an older `seq`, here the revision, never replaces a newer one). `conversation` and `seq` place it in a log
    (durable plane), in the numbering of its recipients.
    """

    to: tuple[PersonId, ...]
    frame: bytes
    plane: Plane
    key: str = ""
    conversation: ConversationId | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Control:
    """An order to the nodes: close every socket of these people; `to` empty: of everybody of the shop."""

    to: tuple[PersonId, ...]
    close: CloseCode
    reason: str


def notification(method: str, params: Shape) -> bytes:
    """The text frame of a notification."""
    return encode_notification(method, params)


def push(
    to: Iterable[PersonId],
    method: str,
    params: Shape,
    *,
    key: str = "",
    conversation: ConversationId | None = None,
    seq: int = 0,
) -> Push:
    """Encode a notification of `protocol.events` for these people."""
    return Push(tuple(to), notification(method, params), EVENTS[method].plane, key, conversation, seq)
