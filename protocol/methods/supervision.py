"""Requests of supervisors: the wall, watching, whispering, speaking, taking over (CO-12)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from protocol.cards import Wall
from protocol.methods.conversations import Why
from protocol.shapes import Conversation, Id, NoteBody, Shape


class WallResult(Shape):
    """The wall as it is now; `monitor.changed` follows within 2 s of every change, until `monitor.unsubscribe` or the
    end of the connection."""

    wall: Wall


class WatchParams(Shape):
    """Follow a conversation live and silently, until `monitor.unwatch`, signing out, its close, or a minute without any
    connection. `reason` is kept in the audit."""

    conversation_id: Id
    reason: Why = ""


class WatchResult(Shape):
    """The conversation; and everything the caller watches now."""

    conversation: Conversation
    watching: list[Id]


class UnwatchParams(Shape):
    """Stop following."""

    conversation_id: Id


class UnwatchResult(Shape):
    """Everything the caller still watches."""

    watching: list[Id]


class WhisperParams(Shape):
    """To the colleagues in a watched conversation, unheard by the customer; repeated unchanged until the reply is
    there."""

    conversation_id: Id
    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    body: NoteBody


class SpeakParams(Shape):
    """Take part in the open, beside the owner; messages are then sent with `message.send`."""

    conversation_id: Id
    reason: Why = ""


class TakeOverParams(Shape):
    """Become the owner. With `assign_epoch` it is refused (1011) when the owner changed meanwhile. `keep_owner`: who
    owned it stays as a collaborator."""

    conversation_id: Id
    assign_epoch: int | None = None
    keep_owner: bool = True
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500), Field(examples=["Complaint"])]
