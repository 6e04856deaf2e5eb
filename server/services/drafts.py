"""Who is typing, and what: to colleagues with the text, to the customer only that somebody types (CO-03).

The first of several who begin to answer holds the reply for a few seconds: the others are told at once who it is, so
that two do not answer the same question. It is a warning and blocks nobody; it ends when its holder stops or sends.

Best effort: nothing here is stored, and a notice costs no query as a rule: rosters are remembered for `KEEP_S`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import orjson

from protocol.events import TypingChanged, TypingSet
from protocol.ids import ConversationId, PersonId, ShopId
from protocol.shapes import Party
from protocol.states import Life, PersonKind
from router.link import Link
from router.redis_link import LinkError
from server.background import Background
from server.bus import Bus
from server.push import Push, push
from server.services.delivery import people
from server.session import Session
from server.store.conversations import Conversations
from server.store.rows import ConversationRow

KEEP_S = 2.5
"""Longer than the pause between two notices of one person (2 s): whoever goes on typing costs a query every other time
at most. For as long, somebody who was just removed may still get a draft."""
KEEP_MOST = 10_000
LEASE_MS = 6_000
"""Three notices: the reply is given up by somebody who has stopped, or is gone."""


class _Reply(NamedTuple):
    """Somebody's hold on a reply."""

    conversation: ConversationId
    person: PersonId


class Drafts:
    """`typing.set`. `sent` is called for every message, and asks nobody."""

    def __init__(
        self,
        conversations: Conversations,
        link: Link,
        bus: Bus,
        background: Background,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversations = conversations
        self._link = link
        self._bus = bus
        self._background = background
        self._now = now
        self._kept: OrderedDict[ConversationId, tuple[float, ConversationRow]] = OrderedDict()
        self._holding: dict[_Reply, float] = {}
        """replies that people here hold, and until when at the latest"""

    async def typing(self, session: Session, params: TypingSet) -> None:
        """`typing.set`: from the customer, or from those who may write to them; from others it goes nowhere."""
        row = await self._roster(session, ConversationId(params.conversation_id))
        if row.state is Life.CLOSED or not _speaks(session, row):
            return
        if session.kind is PersonKind.CUSTOMER:
            who = Party(kind="customer", id=session.person_id, name=session.name)
            told = TypingChanged(conversation_id=row.id, who=who, typing=params.typing)
            self._bus.publish(row.shop_id, [push(people(row.following), "typing.changed", told)])
            return
        kind = "bot" if session.kind is PersonKind.BOT else "agent"
        who = Party(kind=kind, id=session.person_id, name=session.name)
        told = TypingChanged(
            conversation_id=row.id,
            who=who,
            typing=params.typing,
            text=params.text if params.typing else "",
            internal=params.internal,
        )
        others = tuple(person for person in people(row.following) if person != session.person_id)
        pushes: list[Push] = []
        if not params.internal:
            shown = TypingChanged(conversation_id=row.id, who=who, typing=params.typing)
            pushes.append(push((PersonId(row.customer_id),), "typing.changed", shown))
            if len(row.speaking) > 1:
                holder = await self._lease(session, row, told)
                told = told.model_copy(update={"holds_reply": holder is None and params.typing})
                if holder is not None:
                    pushes.append(push((session.person_id,), "typing.changed", holder))
        if others:
            pushes.append(push(others, "typing.changed", told))
        self._bus.publish(row.shop_id, pushes)

    def sent(self, session: Session, conversation: str) -> None:
        """A message of this person is in the log: the reply is given, and free for the next."""
        if self._holding:
            reply = _Reply(ConversationId(conversation), session.person_id)
            if self._holding.pop(reply, None) is not None:
                self._background.start(self._give_back(reply), "reply given")

    async def _roster(self, session: Session, conversation: ConversationId) -> ConversationRow:
        """The conversation, as it was a moment ago at most. Raises NOT_FOUND."""
        kept = self._kept.get(conversation)
        now = self._now()
        if (
            kept is not None
            and kept[0] > now
            and kept[1].shop_id == session.shop_id
            and _speaks(session, kept[1])
        ):
            return kept[1]
        row = await self._conversations.get(ShopId(session.shop_id), conversation)
        self._kept[conversation] = (now + KEEP_S, row)
        self._kept.move_to_end(conversation)
        if len(self._kept) > KEEP_MOST:
            self._kept.popitem(last=False)
        return row

    async def _lease(
        self, session: Session, row: ConversationRow, draft: TypingChanged
    ) -> TypingChanged | None:
        """Hold the reply, go on holding it, or give it back. What its holder writes, when that is somebody else."""
        reply = _Reply(row.id, session.person_id)
        if not draft.typing:
            self._holding.pop(reply, None)
            await self._give_back(reply)
            return None
        holds = draft.model_copy(update={"holds_reply": True})
        try:
            holder, writes = await self._link.script(
                "reply_lease",
                (_key(row.id),),
                (session.person_id, orjson.dumps(holds.model_dump(mode="json")), LEASE_MS),
            )
        except LinkError:
            return None  # nobody can say who was first; everybody sees who types all the same
        if holder.decode() != session.person_id:
            return TypingChanged.model_validate_json(writes)
        self._holding[reply] = self._now() + LEASE_MS / 1000
        if len(self._holding) > KEEP_MOST:
            self._forget_ended()
        return None

    async def _give_back(self, reply: _Reply) -> None:
        try:
            await self._link.script("reply_lease", (_key(reply.conversation),), (reply.person,))
        except LinkError:
            return  # it ends by itself

    def _forget_ended(self) -> None:
        now = self._now()
        self._holding = {reply: until for reply, until in self._holding.items() if until > now}


def _speaks(session: Session, row: ConversationRow) -> bool:
    """Whether somebody may write to the other side of this conversation."""
    if session.kind is PersonKind.CUSTOMER:
        return row.customer_id == session.person_id
    return session.person_id in row.speaking


def _key(conversation: ConversationId) -> str:
    """Hash, with a TTL of seconds: who holds the reply, and what they write."""
    return f"pm:reply:{conversation}"
