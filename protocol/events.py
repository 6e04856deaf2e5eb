"""Every notification of the protocol: its payload, its plane, and which side sends it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from protocol.cards import Alarm, Invitation, Item, Mention, Wall, Workbench
from protocol.methods.screen import ScreenShare
from protocol.shapes import (
    AgentCard,
    Conversation,
    Id,
    Message,
    Party,
    PoolCard,
    Seq,
    Shape,
    Timestamp,
    WaitsBecause,
)


class Plane(StrEnum):
    """What is guaranteed to an event."""

    DURABLE = "durable"
    """in the log: nothing lost, nothing doubled, one order per conversation"""
    STATE = "state"
    """absolute values: the latest wins, everybody converges"""
    EPHEMERAL = "ephemeral"
    """best effort; dropped first"""


class Sender(StrEnum):
    """Which side sends a notification."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"


class Ready(Shape):
    """Everything after this is live."""

    server_time: Timestamp


class Expiring(Shape):
    """The session ends at `expires_at` unless `session.refresh` prolongs it."""

    expires_at: Timestamp


class GoingAway(Shape):
    """This node is about to stop: come back in `reconnect_in_ms`, to any node."""

    reconnect_in_ms: int


class Replaced(Shape):
    """The same session was resumed elsewhere."""

    session_id: Id


class StreamReset(Shape):
    """Too much was missed: forget the log of this conversation and fetch what is needed; it ends at `head_seq`."""

    conversation_id: Id
    head_seq: Seq


class ReadAdvanced(Shape):
    """A side has read up to `seq` (in the reader's numbering)."""

    conversation_id: Id
    side: str
    """`customer` or `staff`"""
    seq: Seq
    customer_messages: int | None = None
    """of side `staff`: how many of the customer's messages the mark covers"""


class ConversationChanged(Shape):
    """The conversation as it is now."""

    conversation: Conversation


class ConversationFollowed(Shape):
    """A conversation that the reader follows, or one that came to the head of the list they show, as it is now; null
    when they may see it no longer."""

    conversation_id: Id
    conversation: Conversation | None


class QueueMoved(Shape):
    """A waiting conversation's new place."""

    conversation_id: Id
    pool: str
    place: int
    length: int
    reason: WaitsBecause
    estimate_s: int | None = None
    """how much longer it will take; null when there is no basis to say so. It is told anew now and then"""


class QueueChanged(Shape):
    """The pools that the reader may take from and in which somebody waits, as they are now. Who waits there may have
    changed though no number did."""

    pools: list[PoolCard]


class AgentChanged(Shape):
    """An agent's state as it is now."""

    agent: AgentCard


class TypingSet(Shape):
    """The sender is typing, or has stopped. `text`: the draft, shown to colleagues only. `internal`: it is a note; the
    customer hears nothing of it."""

    conversation_id: Id
    typing: bool
    text: Annotated[str, StringConstraints(max_length=2000)] = ""
    internal: bool = False


class TypingChanged(Shape):
    """Somebody else is typing, or has stopped. To colleagues, with the draft (CO-03); `holds_reply`: this one began
    first, so that two do not answer at once (a warning, never a lock)."""

    conversation_id: Id
    who: Party
    typing: bool
    text: str = ""
    holds_reply: bool = False
    internal: bool = False
    """a note"""


class InvitationReceived(Shape):
    """The reader is asked into a conversation."""

    invitation: Invitation


class InvitationEnded(Shape):
    """An invitation holds no longer: taken up, declined, withdrawn, answered by another of the group, or expired."""

    conversation_id: Id


class Mentioned(Shape):
    """A note names the reader, or the reader has read one that did."""

    mention: Mention


class ItemChanged(Shape):
    """A piece of work as it is now (CO-08)."""

    item: Item


class AlarmChanged(Shape):
    """An alarm was raised, looked after or cleared (CO-09)."""

    alarm: Alarm


class WatchingChanged(Shape):
    """Everything that the reader watches now, on whichever device it began or ended."""

    watching: list[Id]


class WallChanged(Shape):
    """The wall as it is now."""

    wall: Wall


class RightsChanged(Shape):
    """What the reader may do from now on: right -> reach."""

    rights: dict[str, str]


class WorkbenchChanged(Shape):
    """What the reader's workbench goes by from now on."""

    workbench: Workbench


class QuickRepliesChanged(Shape):
    """Quick replies that the reader may choose from changed, or may have: ask for them again. `rev` rises with each
    change."""

    rev: int


class ScreenChanged(Shape):
    """A screen share was asked for (`reason`: why, in the asker's words), agreed to, refused or ended."""

    share: ScreenShare
    reason: str = ""


class ScreenSignalled(Shape):
    """One step of WebRTC's negotiation from the other side. `n` counts its signals from 1: one that comes again is to
    be dropped, and after a gap (a connection was lost meanwhile) the negotiation begins anew."""

    share_id: Id
    n: int
    kind: Literal["offer", "answer", "candidate"]
    data: dict[str, Any]


class Notice(Shape):
    """The shop's rules tell the reader something (CO-07)."""

    text: str
    conversation_id: Id | None = None
    rule_id: Id | None = None
    at: Timestamp


class Heartbeat(Shape):
    """Server: heads of the logs that changed since the last one. Client: its cursors."""

    heads: Annotated[dict[Id, Seq], Field(max_length=1000)] = {}
    cursors: Annotated[dict[Id, Seq], Field(max_length=1000)] = {}


@dataclass(frozen=True, slots=True)
class Event:
    """One notification of the protocol."""

    name: str
    payload: type[Shape]
    plane: Plane
    sender: Sender
    summary: str


def _table(*events: Event) -> dict[str, Event]:
    return {event.name: event for event in events}


_S = Sender.SERVER
EVENTS: dict[str, Event] = _table(
    Event("session.ready", Ready, Plane.STATE, _S, "What was missed has been sent."),
    Event("session.expiring", Expiring, Plane.STATE, _S, "60 s before the session ends."),
    Event("session.going_away", GoingAway, Plane.STATE, _S, "The node drains."),
    Event("session.replaced", Replaced, Plane.STATE, _S, "Resumed elsewhere; 4003 follows."),
    Event("message.created", Message, Plane.DURABLE, _S, "A new entry of a log."),
    Event("note.created", Message, Plane.DURABLE, _S, "A new entry of a log, for colleagues only."),
    Event("message.updated", Message, Plane.DURABLE, _S, "An entry was recalled."),
    Event("read.advanced", ReadAdvanced, Plane.STATE, _S, "A read mark moved."),
    Event("stream.reset", StreamReset, Plane.DURABLE, _S, "Fetch this log anew."),
    Event("conversation.queued", ConversationChanged, Plane.STATE, _S, "It waits."),
    Event("conversation.assigned", ConversationChanged, Plane.STATE, _S, "It has an owner, or another one."),
    Event("conversation.updated", ConversationChanged, Plane.STATE, _S, "Something else about it changed."),
    Event("conversation.ended", ConversationChanged, Plane.STATE, _S, "Wrap-up began."),
    Event("conversation.closed", ConversationChanged, Plane.STATE, _S, "It is over."),
    Event("conversation.followed", ConversationFollowed, Plane.STATE, _S, "What one shows changed."),
    Event("queue.moved", QueueMoved, Plane.STATE, _S, "A waiting conversation's place changed."),
    Event("queue.changed", QueueChanged, Plane.STATE, _S, "Who waits changed; to those who may take."),
    Event("agent.changed", AgentChanged, Plane.STATE, _S, "Status, presence, load or capacity of an agent."),
    Event("invitation.received", InvitationReceived, Plane.STATE, _S, "Asked into a conversation (CO-01)."),
    Event("invitation.ended", InvitationEnded, Plane.STATE, _S, "Asked no longer."),
    Event("mention.changed", Mentioned, Plane.STATE, _S, "A note names the reader, or was read (CO-05)."),
    Event("item.changed", ItemChanged, Plane.STATE, _S, "A piece of work changed (CO-08)."),
    Event("alarm.changed", AlarmChanged, Plane.STATE, _S, "Something stalls, or no longer (CO-09)."),
    Event("monitor.watching", WatchingChanged, Plane.STATE, _S, "What the reader watches now."),
    Event("monitor.changed", WallChanged, Plane.STATE, _S, "The wall moved."),
    Event("rights.changed", RightsChanged, Plane.STATE, _S, "The reader may do something else now."),
    Event("workbench.changed", WorkbenchChanged, Plane.STATE, _S, "The shop's limits or groups changed."),
    Event("quick_replies.changed", QuickRepliesChanged, Plane.STATE, _S, "Ask for quick replies again."),
    Event("screen.changed", ScreenChanged, Plane.STATE, _S, "A screen share asked, agreed, refused, ended."),
    Event("screen.signalled", ScreenSignalled, Plane.STATE, _S, "A step of WebRTC's negotiation."),
    Event("notice.given", Notice, Plane.EPHEMERAL, _S, "The shop's rules tell something (CO-07)."),
    Event("typing.changed", TypingChanged, Plane.EPHEMERAL, _S, "Somebody types."),
    Event("typing.set", TypingSet, Plane.EPHEMERAL, Sender.CLIENT, "I type."),
    Event("hb", Heartbeat, Plane.EPHEMERAL, Sender.BOTH, "Alive; and what I have."),
)
"""Name -> event."""
