"""What a client knows of the world: snapshot and events reduced to what they are about. Pure.

Absolute values with `rev`: the higher wins, so repeats do no harm (I7: old snapshot + events = fresh snapshot).
"""

from collections import deque
from typing import TypeVar

from protocol.cards import Alarm, Invitation, Item, Mention, Wall, Workbench
from protocol.events import (
    AgentChanged,
    AlarmChanged,
    ConversationChanged,
    InvitationEnded,
    InvitationReceived,
    ItemChanged,
    Mentioned,
    QueueChanged,
    QueueMoved,
    ReadAdvanced,
    RightsChanged,
    WallChanged,
    WatchingChanged,
    WorkbenchChanged,
)
from protocol.methods.session import HelloResult, Me
from protocol.shapes import AgentCard, Conversation, Message, PoolCard, Queue, Shape
from protocol.states import Life

RevisedT = TypeVar("RevisedT", Item, Alarm)
TAIL_MAX = 100
"""Messages of each log that are kept to be told after a state that is older than they are."""


class View:
    """The reduced state of one session."""

    def __init__(self) -> None:
        self.me: Me | None = None
        self.conversations: dict[str, Conversation] = {}
        self.agents: dict[str, AgentCard] = {}
        self.watching: set[str] = set()
        """the conversations that this session only watches"""
        self.invitations: dict[str, Invitation] = {}
        """by conversation"""
        self.mentions: dict[str, Mention] = {}
        """the unread ones, by message"""
        self.rights: dict[str, str] = {}
        self.pools: list[PoolCard] = []
        """where somebody waits whom this account may take"""
        self.workbench: Workbench | None = None
        """of an account"""
        self.items: dict[str, Item] = {}
        self.alarms: dict[str, Alarm] = {}
        self.wall: Wall | None = None
        """as it was last, while this session subscribes to it"""
        self._last: dict[str, Message] = {}
        """what was said last in each log: most events about conversations do not carry it, and may come after it"""
        self._tails: dict[str, deque[Message]] = {}
        """the end of the log of what is not closed: a state that comes after messages may be older than they are"""

    def snapshot(self) -> list[Conversation]:
        """What a fresh `session.hello` would give: the own conversations that are not closed, by id."""
        return [
            self.conversations[key]
            for key in sorted(self.conversations)
            if self.is_own(self.conversations[key])
        ]

    def is_own(self, conversation: Conversation) -> bool:
        """Whether a snapshot for this session holds the conversation: its customer's, its owner's, or that of somebody
        who takes part in it or watches it."""
        if self.me is None or conversation.state is Life.CLOSED:
            return False
        person = self.me.person
        if person.kind == "customer":
            return conversation.customer.customer_id == person.id
        taking_part = {participant.person.id for participant in conversation.participants}
        if conversation.owner is not None:
            taking_part.add(conversation.owner.id)
        return person.id in taking_part or conversation.conversation_id in self.watching

    def begin(self, hello: HelloResult) -> list[str]:
        """Take a snapshot. Returns the ids of conversations that it should have held, were nothing missed."""
        self.me = hello.me
        snapshot = hello.snapshot
        self.watching = set(snapshot.watching)
        self.invitations = {each.conversation_id: each for each in snapshot.invitations}
        self.mentions = {each.message_id: each for each in snapshot.mentions}
        self.rights = dict(snapshot.rights)
        self.pools = snapshot.pools
        self.workbench = snapshot.workbench
        given = {conversation.conversation_id for conversation in hello.snapshot.conversations}
        doubtful = [c.conversation_id for c in self.snapshot() if c.conversation_id not in given]
        for conversation in hello.snapshot.conversations:
            self.put(conversation)
        if hello.snapshot.me is not None:
            self.agents[hello.snapshot.me.account_id] = hello.snapshot.me
        return doubtful

    def put(self, conversation: Conversation) -> bool:
        """A conversation as it is now, or was. Of one that is known in this version or a later one nothing is taken but
        what was said last: most pictures do not carry that, and the one that does may come late. False: nothing new."""
        key = conversation.conversation_id
        known = self.conversations.get(key)
        if known is not None and conversation.rev <= known.rev:
            return self._late(known, conversation)
        if conversation.last_message is not None:
            self._remember(conversation.last_message)
        now = conversation.model_copy(update={"last_message": self._last.get(key)})
        for message in self._tails.get(key, ()):
            now = _after(now, message)
        if known is not None:
            facts: dict[str, object] = {"answered": now.answered or known.answered}
            for member in ("head_seq", "customer_messages", "customer_messages_read"):
                facts[member] = max(getattr(now, member), getattr(known, member))
            now = now.model_copy(update=facts)
        self.conversations[key] = now
        if now.state is Life.CLOSED:
            self._tails.pop(key, None)
        return True

    def _late(self, known: Conversation, older: Conversation) -> bool:
        if older.last_message is not None:
            self._remember(older.last_message)
        last = self._last.get(known.conversation_id)
        if last == known.last_message:
            return False
        self.conversations[known.conversation_id] = known.model_copy(update={"last_message": last})
        return True

    def forget(self, conversation_id: str) -> None:
        """It is not for this session any more."""
        self.conversations.pop(conversation_id, None)
        self._last.pop(conversation_id, None)
        self._tails.pop(conversation_id, None)

    def said(self, message: Message) -> None:
        """A message was added to its log; called in the order of the log."""
        key = message.conversation_id
        self._remember(message)
        known = self.conversations.get(key)
        if known is None or known.state is not Life.CLOSED:
            self._keep(message)
        if known is not None:
            now = known.model_copy(update={"last_message": self._last.get(key)})
            self.conversations[key] = _after(now, message)

    def _keep(self, message: Message) -> None:
        tail = self._tails.setdefault(message.conversation_id, deque(maxlen=TAIL_MAX))
        if tail and tail[-1].seq >= message.seq:  # the log is told from its beginning once more
            tail.clear()
        tail.append(message)

    def changed(self, message: Message) -> None:
        """A message was recalled."""
        key = message.conversation_id
        last = self._last.get(key)
        if last is None or last.seq != message.seq:
            return
        self._remember(message)
        known = self.conversations.get(key)
        if known is not None:
            self.conversations[key] = known.model_copy(update={"last_message": self._last.get(key)})

    def _remember(self, message: Message) -> None:
        if message.sender.kind == "system":
            return
        last = self._last.get(message.conversation_id)
        if last is None or (message.seq, message.rev) > (last.seq, last.rev):
            self._last[message.conversation_id] = message

    def apply(self, params: Shape) -> bool:
        """Any other notification. False when it said nothing new, so that nobody need hear of it."""
        match params:
            case ConversationChanged():
                return self.put(params.conversation)
            case QueueChanged():
                self.pools = params.pools
            case AgentChanged():
                self.agents[params.agent.account_id] = params.agent
            case QueueMoved():
                self._moved(params)
            case ReadAdvanced():
                return self._read(params)
            case ItemChanged():
                return self._newer(self.items, params.item.item_id, params.item)
            case AlarmChanged():
                return self._newer(self.alarms, params.alarm.alarm_id, params.alarm)
            case _:
                self._told_itself(params)
        return True

    def _told_itself(self, params: Shape) -> None:
        """What concerns this session's person alone: absolute, the latest wins."""
        match params:
            case WatchingChanged():
                self.watching = set(params.watching)
            case InvitationReceived():
                self.invitations[params.invitation.conversation_id] = params.invitation
            case InvitationEnded():
                self.invitations.pop(params.conversation_id, None)
            case Mentioned():
                self.mentions[params.mention.message_id] = params.mention
                if params.mention.read_at is not None:
                    del self.mentions[params.mention.message_id]
            case RightsChanged():
                self.rights = dict(params.rights)
            case WallChanged():
                self.wall = params.wall
            case WorkbenchChanged():
                self.workbench = params.workbench
            case _:
                pass

    @staticmethod
    def _newer(kept: dict[str, RevisedT], key: str, value: RevisedT) -> bool:
        known = kept.get(key)
        if known is not None and known.rev >= value.rev:
            return False
        kept[key] = value
        return True

    def _moved(self, moved: QueueMoved) -> None:
        known = self.conversations.get(moved.conversation_id)
        if known is None or known.queue is None:
            return
        facts = {**known.queue.model_dump(), **moved.model_dump(exclude={"conversation_id"})}
        queue = Queue.model_validate(facts)
        self.conversations[moved.conversation_id] = known.model_copy(update={"queue": queue})

    def _read(self, read: ReadAdvanced) -> bool:
        known = self.conversations.get(read.conversation_id)
        if known is None:
            return True
        member = "read_by_customer" if read.side == "customer" else "read_by_staff"
        if getattr(known, member) >= read.seq:
            return False
        told: dict[str, object] = {member: read.seq}
        if read.customer_messages is not None:
            told["customer_messages_read"] = max(known.customer_messages_read, read.customer_messages)
        self.conversations[read.conversation_id] = known.model_copy(update=told)
        return True


def _after(known: Conversation, message: Message) -> Conversation:
    """A conversation after a message was added to its log; the same when it knew of that."""
    if message.seq <= known.head_seq:
        return known
    told: dict[str, object] = {"head_seq": message.seq}
    if message.sender.kind == "customer":
        told["customer_messages"] = known.customer_messages + 1
        told["waiting_since"] = known.waiting_since or message.created_at
    elif message.sender.kind != "system" and not message.internal:
        told["waiting_since"] = None
        told["answered"] = known.answered or (
            known.owner is not None and message.sender.kind == "agent" and message.sender.id == known.owner.id
        )
    return known.model_copy(update=told)
