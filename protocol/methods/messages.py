"""Requests about the log of a conversation."""

from typing import Annotated

from pydantic import Field, StringConstraints

from protocol.shapes import Id, Message, SentBody, Seq, Shape, Timestamp


class SendParams(Shape):
    """`client_message_id` is made by the client and repeated unchanged until the reply is there.

    `assign_epoch` (agents): the epoch the writer believes in; an older one is refused with 1011 and the text
    is not lost.
    """

    conversation_id: Id
    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    body: SentBody
    assign_epoch: int | None = None


class SendResult(Shape):
    """Given after COMMIT: the message is in the log exactly once. `duplicate`: it already was."""

    seq: Seq
    message_id: Id
    created_at: Timestamp
    duplicate: bool


class RecallParams(Shape):
    """Take back an own message, within the shop's `recall_within_s`."""

    conversation_id: Id
    message_id: Id


class HistoryParams(Shape):
    """A page of the log: after `after_seq` upwards, or before `before_seq` downwards (neither: the last page)."""

    conversation_id: Id
    after_seq: Seq | None = None
    before_seq: Seq | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class HistoryResult(Shape):
    """In ascending order of `seq`, without holes. `head_seq`: the last entry of the log."""

    messages: list[Message]
    head_seq: Seq
    more: bool
    """there is more in the direction asked for"""


class ReadParams(Shape):
    """Everything up to `seq` was read. Marks only advance."""

    conversation_id: Id
    seq: Seq
