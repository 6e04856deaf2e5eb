"""Requests about working together in one conversation: who takes part, notes, mentions, divided work."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from protocol.cards import Alarm, Collaboration, GroupTarget, Invitation, Item, Mention, Target
from protocol.methods.conversations import Why
from protocol.shapes import Conversation, Id, NotedBody, Rev, Shape, Timestamp

ItemText = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class InviteParams(Shape):
    """Ask colleagues, or a group (the first of it who joins answers for all), into a conversation (CO-01)."""

    conversation_id: Id
    account_ids: Annotated[list[Id], Field(max_length=50)] = []
    group_id: Id | None = None
    reason: Why = ""


class InviteResult(Shape):
    """Who is asked now. Those who take part already, or are asked already, are left out."""

    invited: list[Id]


class TakePartParams(Shape):
    """`participant.join`: take up an invitation, or come without one (needs `conversation.join`). `.leave`, `.decline`:
    go, or do not come."""

    conversation_id: Id
    reason: Why = ""


class RemoveParams(Shape):
    """Ask somebody out of a conversation; for its owner, and managers."""

    conversation_id: Id
    account_id: Id
    reason: Why = ""


class ParticipationResult(Shape):
    """The conversation after the request."""

    conversation: Conversation


class InvitationsResult(Shape):
    """The caller's open invitations."""

    invitations: list[Invitation]


class NoteParams(Shape):
    """Say something to colleagues inside a conversation (CO-05); repeated unchanged until the reply is there. `body` of
    kind `note` may name people: who does not take part yet is invited by it. `whisper` in it is ignored."""

    conversation_id: Id
    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    body: NotedBody


class MentionsParams(Shape):
    """The caller's mentions, newest first."""

    unread_only: bool = True
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None


class MentionsResult(Shape):
    """One page; `cursor` asks for the next."""

    mentions: list[Mention]
    cursor: str | None = None


class MentionReadParams(Shape):
    """The caller has read these mentions; absent: all of them."""

    message_ids: Annotated[list[Id], Field(max_length=200)] | None = None


class AddItemParams(Shape):
    """A piece of work (CO-08). `item_id` is made by the client (a UUID) and repeated unchanged until the reply is
    there."""

    conversation_id: Id
    item_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    text: ItemText
    owner_id: Id | None = None
    due_at: Timestamp | None = None


class ChangeItemParams(Shape):
    """What is given changes; `clear` takes owner or due time away. With `rev`, refused (1009) when somebody else
    changed it since."""

    conversation_id: Id
    item_id: Id
    rev: Rev | None = None
    text: ItemText | None = None
    owner_id: Id | None = None
    due_at: Timestamp | None = None
    done: bool | None = None
    clear: Annotated[list[Literal["owner_id", "due_at"]], Field(max_length=2)] = []


class ItemParams(Shape):
    """Names one item."""

    conversation_id: Id
    item_id: Id


class ItemResult(Shape):
    """The item after the request."""

    item: Item


class ItemsParams(Shape):
    """The items of one conversation."""

    conversation_id: Id


class ItemsResult(Shape):
    """In the order in which they were added, without the removed ones."""

    items: list[Item]


class CollaborationsResult(Shape):
    """Running collaborations within the caller's reach, longest quiet first; and the open alarms."""

    collaborations: list[Collaboration]
    alarms: list[Alarm]


class AlarmParams(Shape):
    """Somebody looks after it."""

    alarm_id: Id


class AlarmResult(Shape):
    """The alarm after the request."""

    alarm: Alarm


class TargetsParams(Shape):
    """Whom the caller may choose for an act (GP-04). `transfer` needs the conversation; `assign` and `invite` may do
    without one."""

    act: Literal["transfer", "assign", "invite"]
    conversation_id: Id | None = None


class TargetsResult(Shape):
    """Everybody who serves, the permitted first; and the groups."""

    agents: list[Target]
    groups: list[GroupTarget]
