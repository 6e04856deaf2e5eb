"""Who else wants to know what happens in conversations, beside the people in them: the shop's rules."""

from typing import Protocol

from router.model import Decision
from server.store.log import Appended, Entry
from server.store.rows import ConversationRow, MessageRow


class Listener(Protocol):
    """Hears of things after their COMMIT, on the way of the reply: every method returns at once and never raises."""

    def appended(self, entry: Entry, done: Appended) -> None:
        """Somebody wrote."""
        ...

    def redelivered(self, row: ConversationRow, message: MessageRow) -> None:
        """Somebody wrote, and perhaps nobody heard of it: the node died."""
        ...

    def decided(self, row: ConversationRow, decision: Decision) -> None:
        """Live routing changed a conversation."""
        ...

    def roster(self, row: ConversationRow) -> None:
        """Who takes part changed."""
        ...

    def retagged(self, row: ConversationRow) -> None:
        """The tags of its customer changed."""
        ...
