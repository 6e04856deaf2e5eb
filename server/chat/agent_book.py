"""The conversations in an agent's hands, with the short numbers that a person types."""

from dataclasses import dataclass, field

from protocol.shapes import Conversation
from protocol.states import Life


@dataclass(slots=True)
class Entry:
    """One conversation under its number."""

    number: int
    conversation: Conversation
    shown: set[int] = field(default_factory=set[int])
    """`seq` of the messages on the screen"""
    unread: bool = False
    """the customer has not read the last answer yet"""

    @property
    def open(self) -> bool:
        return self.conversation.state is not Life.CLOSED


class Book:
    """Numbers conversations in the order in which they came; a number never changes its meaning."""

    def __init__(self, me: str) -> None:
        self._me = me
        self.watching: set[str] = set()
        """conversations that are only watched"""
        self.listed: list[str] = []
        """conversations as the last list showed them: what a number means that no entry has"""
        self._entries: dict[str, Entry] = {}
        self.current: Entry | None = None

    def owns(self, conversation: Conversation) -> bool:
        """Whether this agent is in charge of it."""
        return conversation.owner is not None and conversation.owner.id == self._me

    def takes_part(self, conversation: Conversation) -> bool:
        """Whether this agent may write in it: as its owner, or beside the owner."""
        return self.owns(conversation) or any(one.person.id == self._me for one in conversation.participants)

    def follows(self, conversation: Conversation) -> bool:
        """Whether what happens in it comes here."""
        return self.takes_part(conversation) or conversation.conversation_id in self.watching

    def find(self, conversation_id: str) -> Entry | None:
        """The entry of a conversation, if it was ever here."""
        return self._entries.get(conversation_id)

    def number(self, number: int) -> Entry | None:
        """The entry with that number."""
        return next((entry for entry in self._entries.values() if entry.number == number), None)

    def mine(self) -> list[Entry]:
        """What this agent holds now, by number."""
        return [entry for entry in self._entries.values() if entry.open and self.owns(entry.conversation)]

    def shared(self) -> list[Entry]:
        """What this agent takes part in or watches without owning it, by number."""
        return [
            entry
            for entry in self._entries.values()
            if entry.open and self.follows(entry.conversation) and not self.owns(entry.conversation)
        ]

    def put(self, conversation: Conversation) -> tuple[Entry, Conversation | None]:
        """Enter a conversation as it is now; also what it was before. An older `rev` changes nothing."""
        entry = self._entries.get(conversation.conversation_id)
        if entry is None:
            entry = Entry(len(self._entries) + 1, conversation)
            self._entries[conversation.conversation_id] = entry
            return entry, None
        before = entry.conversation
        if conversation.rev >= before.rev:
            entry.conversation = conversation
        return entry, before

    def settle(self) -> bool:
        """Choose another current conversation when the current one is no longer in service here. True: it changed."""
        now = self.current
        if now is not None and now.conversation.state is Life.ACTIVE and self.follows(now.conversation):
            return False
        serving = [entry for entry in self.mine() if entry.conversation.state is Life.ACTIVE]
        if not serving:
            return False  # one in wrap-up stays current, for /reopen
        self.current = serving[0]
        return True
