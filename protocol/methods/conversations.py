"""Requests about conversations: their life, their owner, and why they are where they are."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from protocol.methods.messages import SendResult
from protocol.shapes import (
    Conversation,
    Id,
    PoolCard,
    RatingReason,
    ResultTag,
    Rev,
    RoutingDecision,
    SentBody,
    Seq,
    Shape,
    WaitExplanation,
)

RESULT_TAGS_MAX = 10
"""Most result tags of one conversation."""
RATING_REASONS_MAX = 10
"""Most reasons of one rating."""
FOLLOWED_MAX = 150
"""A page of the list, and what is in sight beyond it."""
Why = Annotated[str, StringConstraints(max_length=500)]


class FirstMessage(Shape):
    """The message that begins a conversation."""

    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    body: SentBody


class OpenParams(Shape):
    """A customer asks for service. Answers with the conversation that is open already, if there is one.

    `order_id`: the order on the entry card, which then decides the order state (KS-06). `message`: sent with it.
    """

    order_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    message: FirstMessage | None = None


class OpenResult(Shape):
    """The conversation, routed; and the reply to the first message, if one was given."""

    conversation: Conversation
    created: bool
    message: SendResult | None = None


class ConversationParams(Shape):
    """Names one conversation."""

    conversation_id: Id


class ConversationResult(Shape):
    """The conversation after the request."""

    conversation: Conversation


class FencedParams(Shape):
    """Names one conversation; with `assign_epoch` the request is refused (1011) when its owner changed meanwhile."""

    conversation_id: Id
    assign_epoch: int | None = None
    reason: Why = ""


class EndParams(FencedParams):
    """End a conversation. `result_tags`: what became of it, of those the shop has; absent: as they are. `reason` is for
    colleagues."""

    result_tags: Annotated[list[Id], Field(max_length=RESULT_TAGS_MAX)] | None = None


class TagParams(Shape):
    """What became of a conversation in service or in wrap-up: these result tags, and no others."""

    conversation_id: Id
    assign_epoch: int | None = None
    result_tags: Annotated[list[Id], Field(max_length=RESULT_TAGS_MAX)]


class ChoicesResult(Shape):
    """What may be chosen at the end of a conversation. Staff are given the first three, customers the rest."""

    result_tags: list[ResultTag] = []
    result_tag_required: bool = False
    """who serves must choose one when they end it"""
    undo_s: int = 0
    """how long the end is offered to be taken back; any time in wrap-up it may be"""
    rating_reasons: list[RatingReason] = []
    rating_correct_s: int = 0
    """how long after it was given a rating may be given anew"""


class TransferParams(Shape):
    """Give an own conversation to a colleague, over capacity if need be (KS-21), or to a department (CO-10): the one of
    it with the lightest load. Exactly one of `account_id` and `group_id`. `stay`: the former owner takes part from
    then on and follows it."""

    conversation_id: Id
    account_id: Id | None = None
    group_id: Id | None = None
    assign_epoch: int | None = None
    stay: bool = False
    reason: Why = ""


class AssignParams(TransferParams):
    """A manager gives any conversation within reach to an agent or a department, over capacity if need be (KS-07)."""


class EarlierParams(Shape):
    """The customer's other conversations, newest first, for those who take part in this one (CO-02). Customers ask for
    their own, all of them when they name none."""

    conversation_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None


class PullParams(Shape):
    """Take a waiting conversation: that one, the first of a pool, or the first of all pools (neither given)."""

    conversation_id: Id | None = None
    pool: Annotated[str, StringConstraints(max_length=64)] | None = None


class RequeueParams(Shape):
    """Give a conversation back to the queue at its original age; `pool` moves it to another pool."""

    conversation_id: Id
    assign_epoch: int | None = None
    pool: Annotated[str, StringConstraints(max_length=64)] | None = None
    reason: Why = ""


class ListParams(Shape):
    """`mine`: owned by the caller, open. `shared`: open, with the caller as participant. `queue`: waiting. `recent`:
    the caller's, closed. `all`: every one permitted."""

    scope: Literal["mine", "shared", "queue", "recent", "all"] = "mine"
    pool: Annotated[str, StringConstraints(max_length=64)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None


class ListResult(Shape):
    """One page; `cursor` asks for the next."""

    conversations: list[Conversation]
    cursor: str | None = None
    pools: list[PoolCard] = []


class Known(Shape):
    """A conversation as the caller has it."""

    conversation_id: Id
    rev: Rev
    head_seq: Seq


class FollowParams(Shape):
    """What the caller shows without taking part in it, instead of what this connection followed before; empty: nothing.
    `conversation.followed` tells within 2 s what is or becomes different from what is said here. `head`: also what
    comes to the first 50 of the list `all`."""

    conversations: Annotated[list[Known], Field(max_length=FOLLOWED_MAX)] = []
    head: bool = False


class RateParams(Shape):
    """A customer's verdict on an ended conversation. `reasons`: of those the shop offers with this rating
    (`conversation.choices`). May be given anew within the shop's `rating_correct_s`, and after another end."""

    conversation_id: Id
    rating: Annotated[int, Field(ge=1, le=5)]
    reasons: Annotated[list[Id], Field(max_length=RATING_REASONS_MAX)] = []
    comment: Annotated[str, StringConstraints(max_length=2000)] = ""


class ExplainResult(Shape):
    """Why it went where it went (every decision, every tier tried), and why it waits, if it does (KS-22)."""

    conversation_id: Id
    decisions: list[RoutingDecision]
    waiting: WaitExplanation | None = None
