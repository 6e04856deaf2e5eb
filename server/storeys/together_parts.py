"""Joins the parts of working together in one conversation, for the composition root: notes, mentions, drafts."""

from collections.abc import Callable
from dataclasses import dataclass

from router.link import Link
from server.background import Background
from server.bus import Bus
from server.services.audit import Audit
from server.services.delivery import Delivery
from server.services.drafts import Drafts
from server.services.files import FileRequests
from server.services.mentions import Naming
from server.services.notes import Notes
from server.services.participants import Participants
from server.services.quotes import Quotes
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.store.conversations import Conversations
from server.store.database import Database
from server.store.history import History
from server.store.log import Log
from server.store.mentions import Mentions
from server.store.participants import Participants as ParticipantStore


@dataclass(frozen=True, slots=True)
class TogetherParts:
    """What colleagues say to each other, and who of them is writing."""

    participants: Participants
    naming: Naming
    drafts: Drafts
    notes: Notes

    @classmethod
    def of(
        cls,
        *,
        db: Database,
        link: Link,
        bus: Bus,
        background: Background,
        writer: Log,
        history: History,
        conversations: Conversations,
        scope: Scope,
        seeing: Seeing,
        delivery: Delivery,
        participants: Participants,
        files: FileRequests,
        audit: Audit,
        quotes: Quotes,
        node: Callable[[], str],
    ) -> "TogetherParts":
        """All of it. `node`: this node's name."""
        mentions = Mentions(db)
        naming = Naming(mentions, bus)
        notes = Notes(
            db,
            writer,
            history,
            mentions,
            ParticipantStore(db),
            participants,
            naming,
            scope,
            seeing,
            delivery,
            files,
            audit,
            quotes,
            node,
        )
        return cls(participants, naming, Drafts(conversations, link, bus, background), notes)
