"""Who is told what: an entry of the log or a change of a conversation, as pushes for everybody it concerns.

Called after COMMIT only. It promises that what is pushed is what a reader would get who asked now: the same
numbers, the same shape, encoded once per audience.
"""

from collections.abc import Sequence

from protocol.events import ConversationChanged, ReadAdvanced
from protocol.ids import AccountId, PersonId, ShopId
from router.model import Change, Decision
from server.bus import Bus
from server.push import Push, push
from server.services import views
from server.services.agent_feed import AgentFeed
from server.services.live import Live
from server.services.names import Names
from server.services.views import Audience
from server.store.log import Appended, Entry
from server.store.rows import ConversationRow, MessageRow, Side

EVENT_OF = {
    Change.ASSIGNED: "conversation.assigned",
    Change.QUEUED: "conversation.queued",
    Change.ENDED: "conversation.ended",
    Change.REOPENED: "conversation.updated",
    Change.CLOSED: "conversation.closed",
}


class Delivery:
    """Makes pushes and hands them to the bus."""

    def __init__(self, bus: Bus, live: Live, names: Names, feed: AgentFeed) -> None:
        self._bus = bus
        self._live = live
        self._names = names
        self._feed = feed

    def appended(self, entry: Entry, done: Appended) -> None:
        """An entry is in the log now, as it was given."""
        self._bus.publish(entry.shop_id, self._entry_pushes(entry, done, staff_of(done.conversation)))

    async def decided(self, shop: ShopId, settled: Sequence[tuple[Decision, Entry, Appended]]) -> None:
        """Decisions are in the log: the entry, the conversation as it is now, and the agents whose load changed."""
        entries: list[Push] = []
        for decision, entry, done in settled:
            entries += self._entry_pushes(entry, done, staff_of(done.conversation, decision))
        self._bus.publish(shop, entries)  # at once: what is said next in the same log must not overtake them
        changes: list[Push] = []
        for decision, _, done in settled:
            staff = staff_of(done.conversation, decision)
            changes += await self.conversation_pushes(done.conversation, EVENT_OF[decision.change], staff)
            self._feed.touch(shop, staff)
        self._bus.publish(shop, changes)

    async def changed(self, row: ConversationRow, method: str = "conversation.updated") -> None:
        """Something else about a conversation changed (read on, rated, another order)."""
        self._bus.publish(row.shop_id, await self.conversation_pushes(row, method, staff_of(row)))

    async def recalled(self, row: ConversationRow, message: MessageRow) -> None:
        """A message was taken back."""
        pushes = [views.message_push(staff_of(row), message, Audience.STAFF, "message.updated")]
        if message.customer_seq is not None:
            pushes.append(
                views.message_push(
                    (PersonId(row.customer_id),), message, Audience.CUSTOMER, "message.updated"
                )
            )
        self._bus.publish(row.shop_id, pushes)

    async def redeliver(self, row: ConversationRow, message: MessageRow) -> None:
        """An entry of which perhaps nobody heard: its writer died, or its reply was lost. Receivers drop what they
        have."""
        pushes = [views.message_push(staff_of(row), message, Audience.STAFF)]
        if message.customer_seq is not None:
            pushes.append(views.message_push((PersonId(row.customer_id),), message, Audience.CUSTOMER))
        self._bus.publish(row.shop_id, pushes)

    async def read(self, row: ConversationRow, side: Side) -> None:
        """A read mark moved; each audience gets it in its own numbering."""
        pushes: list[Push] = []
        for audience, to in (
            (Audience.CUSTOMER, (PersonId(row.customer_id),)),
            (Audience.STAFF, staff_of(row)),
        ):
            if to:
                shape = ReadAdvanced(
                    conversation_id=row.id, side=side, seq=views.read_mark(row, side, audience)
                )
                pushes.append(
                    push(
                        to,
                        "read.advanced",
                        shape,
                        key=f"read:{row.id}:{side}",
                        conversation=row.id,
                        seq=shape.seq,
                    )
                )
        self._bus.publish(row.shop_id, pushes)

    async def conversation_pushes(
        self, row: ConversationRow, method: str, staff: tuple[PersonId, ...]
    ) -> list[Push]:
        """The conversation as it is now, for its customer and for these colleagues."""
        customer = await self._names.customer(row.shop_id, row.customer_id)
        owner = "" if row.owner_id is None else (await self._names.party(row.shop_id, row.owner_id)).name
        place = (
            await self._live.place(row.shop_id, row.id)
            if row.owner_id is None and row.closed_ms is None
            else None
        )
        pushes: list[Push] = []
        for audience, to in ((Audience.CUSTOMER, (PersonId(row.customer_id),)), (Audience.STAFF, staff)):
            if to:
                shape = views.conversation(row, customer, owner, audience, place=place)
                changed = ConversationChanged(conversation=shape)
                pushes.append(
                    push(to, method, changed, key=f"conversation:{row.id}", conversation=row.id, seq=row.rev)
                )
        return pushes

    def _entry_pushes(self, entry: Entry, done: Appended, staff: tuple[PersonId, ...]) -> list[Push]:
        customer = (PersonId(done.conversation.customer_id),)
        if (
            done.customer_seq == done.seq
        ):  # no note before it: both audiences count alike, and share the frame
            return [views.appended_push((*customer, *staff), entry, done, Audience.STAFF)]
        pushes: list[Push] = []
        if staff:
            pushes.append(views.appended_push(staff, entry, done, Audience.STAFF))
        if done.customer_seq is not None:
            pushes.append(views.appended_push(customer, entry, done, Audience.CUSTOMER))
        return pushes


def staff_of(row: ConversationRow, decision: Decision | None = None) -> tuple[PersonId, ...]:
    """The colleagues a conversation concerns: its owner, and who just ceased to be."""
    concerned: list[AccountId | None] = [row.owner_id]
    if decision is not None:
        concerned += [decision.owner, decision.previous_owner]
        if decision.change is Change.CLOSED:
            concerned.append(row.last_owner_id)
    return tuple(dict.fromkeys(PersonId(person) for person in concerned if person is not None))
