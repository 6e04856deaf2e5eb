"""What a dead node made durable, and perhaps told nobody: everybody concerned is told again (ADR 27).

One mechanism for all kinds of change: PostgreSQL stamps every version of a row with the transaction that wrote it. Read
once per death, those rows that are younger than the node's last signs of life are what anybody may have missed, whoever
wrote them; they are published as they are now. Every event is absolute or numbered, so receivers drop what they have.
"""

import math
from collections.abc import Mapping
from typing import Final

from protocol.codes import CloseCode
from protocol.ids import AccountId, ConversationId, PersonId, ShopId
from server.bus import Bus
from server.node import node_id
from server.push import Control
from server.services.alarms import Alarms
from server.services.delivery import Delivery
from server.services.items import Items
from server.services.mentions import Naming
from server.services.participants import Participants
from server.store.audit import AuditStore
from server.store.contacts import Contacts
from server.store.conversations import Conversations
from server.store.history import History
from server.store.participants import Participants as Rosters
from server.store.rows import ConversationRow

BEFORE_S: Final = 3
"""How long before it was last heard a node that fell silent may have written what it has not told yet."""


class Untold:
    """`redeliver_s`: how long before its death a node may have written what nobody heard of."""

    def __init__(
        self,
        contacts: Contacts,
        history: History,
        conversations: Conversations,
        rosters: Rosters,
        delivery: Delivery,
        participants: Participants,
        items: Items,
        alarms: Alarms,
        naming: Naming,
        audit: AuditStore,
        bus: Bus,
        *,
        redeliver_s: int,
    ) -> None:
        self._contacts = contacts
        self._history = history
        self._conversations = conversations
        self._rosters = rosters
        self._delivery = delivery
        self._participants = participants
        self._items = items
        self._alarms = alarms
        self._naming = naming
        self._audit = audit
        self._bus = bus
        self._redeliver_s = redeliver_s

    async def tell_said(self, silent: str, silent_s: float) -> tuple[int, int]:
        """What an incarnation wrote just before it was last heard, `silent_s` ago: it may be dead, and is not known to
        be. The log is what people wait for and costs little to find; all else waits until the node is known to be dead.
        How many entries, and how many conversations."""
        written, talks = await self._said(silent, min(math.ceil(silent_s) + BEFORE_S, self._redeliver_s))
        rows = await self._conversations.written_since(None, talks)
        for row in rows.values():
            await self._delivery.again(row, ())
        await self._catch_up(rows)
        return written, len(rows)

    async def tell(self, dead: str) -> tuple[int, int]:
        """Everything that this incarnation may have told nobody. How many entries of logs, and how many conversations.
        The entries come first: they are what the rest speaks of."""
        since = await self._contacts.since(node_id(dead))
        written, also = await self._said(dead, self._redeliver_s)
        moved = await self._rosters.moved_since(since)
        also.update(each.conversation_id for each in moved)
        rows = await self._conversations.written_since(since, also)
        people: dict[ConversationId, set[AccountId]] = {}
        watching: dict[ShopId, set[AccountId]] = {}
        for each in (*moved, *await self._rosters.gave_up_since(since, rows)):
            people.setdefault(each.conversation_id, set()).add(each.account_id)
            if each.watching:
                watching.setdefault(each.shop_id, set()).add(each.account_id)
        for row in rows.values():
            await self._delivery.again(row, people.get(row.id, ()))
        await self._catch_up(rows)
        for message in await self._history.recalled_since(since, rows):
            self._delivery.recalled_again(rows[message.conversation_id], (message,))
        for shop, accounts in watching.items():
            await self._delivery.watching(shop, tuple(accounts))
        await self._participants.tell_again(rows.values())
        await self._items.tell_again(since, rows)
        await self._naming.tell_again(since)
        await self._alarms.tell_again(since)
        return written, len(rows)

    async def _said(self, node: str, within_s: int) -> tuple[int, set[ConversationId]]:
        """Entries of the last `within_s` seconds: how many, and of which conversations.

        First of all those whose account was changed resume, if they may still come in: who was revoked gets nothing of
        what follows.
        """
        for shop, account in await self._audit.accounts_changed(within_s):
            self._bus.publish(shop, [Control((PersonId(account),), CloseCode.LEASE_LOST, "resync")])
        written, talks = 0, set[ConversationId]()
        async for part in self._history.written_lately(node, within_s):
            for each in part:
                await self._delivery.redeliver(each.conversation, each.message)
            await self._bus.room()
            written += len(part)
            talks.update(each.conversation.id for each in part)
        return written, talks

    async def _catch_up(self, told: Mapping[ConversationId, ConversationRow]) -> None:
        """A picture may have been overtaken on its way by a change of which somebody in it heard nothing: they came
        after it, and had left by it. Whoever is in an overtaken picture is told what overtook it."""
        while told:
            now = await self._conversations.written_since(None, told)
            overtaken = {id: row for id, row in now.items() if row.rev != told[id].rev}
            for id, row in overtaken.items():
                before = told[id]
                owner = () if before.owner_id is None else (before.owner_id,)
                await self._delivery.again(row, {*owner, *before.speaking, *before.watchers})
            told = overtaken
