"""What all commands of an agent's terminal need of the agent they belong to, and of each other."""

from dataclasses import dataclass
from typing import Protocol

from protocol.shapes import AgentCard, Conversation
from server.chat.agent_book import Book, Entry
from server.chat.chat import Chat, Draft
from server.chat.language import Language
from server.chat.naming import Naming


class Desk(Protocol):
    """What the commands need of the agent they belong to."""

    async def apply(self, conversation: Conversation) -> None:
        """Enter a conversation as a reply gave it."""
        ...

    def asking(self) -> None:
        """A command about the own status begins: what it leads to shall be shown, once."""
        ...

    def took(self, card: AgentCard) -> None:
        """The agent's own card, as a reply or an event gave it."""
        ...

    def draft(self, text: str) -> Draft | None:
        """A text for the current conversation; None when there is none to write in, and then that was said."""
        ...

    async def send(self, draft: Draft) -> None:
        """Send it, and show it when it is in the log."""
        ...

    async def history(self, entry: Entry, count: int) -> None:
        """Show the last messages of a conversation."""
        ...

    def entry(self, command: str, rest: str) -> Entry | None:
        """The conversation that a command is about; None when there is none, and then that was said."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """Where commands sit: the terminal, the conversations at hand, the agent, and who is called what."""

    chat: Chat
    book: Book
    desk: Desk
    naming: Naming

    @property
    def words(self) -> Language:
        """The language of the terminal."""
        return self.chat.words
