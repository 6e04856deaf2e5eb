"""Who is told what: an entry of the log or a change of a conversation, as pushes for everybody it concerns.

Called after COMMIT only. It promises that what is pushed is what a reader would get who asked now: the same
numbers, the same shape, encoded once per audience; and that nothing reaches a customer that is for colleagues, nor a
push that tells them only that there was something.
"""

from collections.abc import Collection, Iterable, Sequence

from protocol.events import InvitationEnded, ReadAdvanced, WatchingChanged
from protocol.ids import AccountId, PersonId, ShopId
from protocol.states import Life
from router.model import Change, Decision, Place
from server.bus import Bus
from server.push import Push, push
from server.services import views
from server.services.agent_feed import AgentFeed
from server.services.casts import Casts
from server.services.listener import Listener
from server.services.live import Live
from server.services.names import Names
from server.services.queue_paces import QueuePaces
from server.services.views import Audience
from server.store.conversations import ReadMoved
from server.store.history import History
from server.store.log import Appended, Entry
from server.store.participants import Participants, RosterChange
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

    def __init__(
        self,
        bus: Bus,
        live: Live,
        paces: QueuePaces,
        names: Names,
        casts: Casts,
        feed: AgentFeed,
        participants: Participants,
        history: History,
    ) -> None:
        self._bus = bus
        self._live = live
        self._paces = paces
        self._names = names
        self._casts = casts
        self._feed = feed
        self._participants = participants
        self._history = history
        self._listeners: list[Listener] = []

    def heard_by(self, listener: Listener) -> None:
        """From now on this one hears too."""
        self._listeners.append(listener)

    # --- the log -----------------------------------------------------------------------------------------------------
    def appended(self, entry: Entry, done: Appended) -> None:
        """An entry is in the log now, as it was given."""
        self._bus.publish(entry.shop_id, self._entry_pushes(entry, done, staff_of(done.conversation)))
        for listener in self._listeners:
            listener.appended(entry, done)

    async def decided(self, shop: ShopId, settled: Sequence[tuple[Decision, Entry, Appended]]) -> None:
        """Decisions are in the log: the entry, the conversation as it is now, and the agents whose load changed."""
        entries: list[Push] = []
        for decision, entry, done in settled:
            entries += self._entry_pushes(entry, done, concerned(done, decision))
        self._bus.publish(shop, entries)  # at once: what is said next in the same log must not overtake them
        changes: list[Push] = []
        for decision, _, done in settled:
            row = done.conversation
            changes += await self.conversation_pushes(
                row,
                EVENT_OF[decision.change],
                concerned(done, decision),
                last=await self._last_said(row, decision),
            )
            self._feed.touch(shop, owners_of(row, decision))
            if done.released:
                changes.append(_asked_no_longer(row, done.released))
                changes += await self._watching_pushes(shop, done.released)
        self._bus.publish(shop, changes)
        for listener in self._listeners:
            for decision, _, done in settled:
                listener.decided(done.conversation, decision)

    async def recalled(
        self, row: ConversationRow, message: MessageRow, quoting: Sequence[MessageRow] = ()
    ) -> None:
        """A message was taken back, and with it what others quote of it."""
        self.recalled_again(row, (message, *quoting))

    async def redeliver(self, row: ConversationRow, message: MessageRow) -> None:
        """An entry of which perhaps nobody heard: its writer died, or its reply was lost. Receivers drop what they
        have."""
        pushes = [views.message_push(staff_of(row), message, Audience.STAFF)]
        if message.customer_seq is not None:
            pushes.append(views.message_push((PersonId(row.customer_id),), message, Audience.CUSTOMER))
        self._bus.publish(row.shop_id, pushes)
        for listener in self._listeners:
            listener.redelivered(row, message)

    # --- the conversation --------------------------------------------------------------------------------------------
    async def changed(self, row: ConversationRow, method: str = "conversation.updated") -> None:
        """Something about a conversation changed that its customer may see too (rated, another order)."""
        self._bus.publish(row.shop_id, await self.conversation_pushes(row, method, staff_of(row)))

    async def changed_for_staff(self, row: ConversationRow, also: Iterable[AccountId] = ()) -> None:
        """Something about a conversation changed that is for colleagues only: who follows it hears of it, and `also`
        these; its customer hears nothing."""
        staff = tuple(dict.fromkeys((*staff_of(row), *people(also))))
        self._bus.publish(
            row.shop_id, await self._staff_pushes(row, "conversation.updated", staff, await self._place(row))
        )

    async def again(self, row: ConversationRow, moved: Collection[AccountId]) -> None:
        """A conversation of whose last change perhaps nobody heard: as it is now, and how far it was read. `moved`: who
        came, left, or ceased to own it of late; they hear of it too."""
        staff, shop = staff_of(row), row.shop_id
        gone = tuple(person for person in people(moved) if person not in staff)
        pushes: list[Push] = []
        last = await self._history.last_said(shop, row.id) if moved else None
        pushes += await self.conversation_pushes(row, "conversation.updated", staff, last=last)
        if gone:
            pushes += await self._staff_pushes(row, "conversation.updated", gone, await self._place(row))
        pushes += _read_pushes(row, "customer")
        pushes += _read_pushes(row, "staff")
        self._bus.publish(shop, pushes)
        self._feed.touch(shop, (*staff, *gone))

    def recalled_again(self, row: ConversationRow, messages: Sequence[MessageRow]) -> None:
        """Entries that were taken back, and those that quote them; of which perhaps nobody heard."""
        self._bus.publish(
            row.shop_id, [each for message in messages for each in _recall_pushes(row, message)]
        )

    async def watching(self, shop: ShopId, accounts: tuple[AccountId, ...]) -> None:
        """To each of these, everything that they watch now."""
        self._bus.publish(shop, await self._watching_pushes(shop, accounts))

    def asked_no_longer(self, row: ConversationRow, accounts: tuple[AccountId, ...]) -> None:
        """These are not asked into a conversation; to those who were not it says nothing."""
        if accounts:
            self._bus.publish(row.shop_id, [_asked_no_longer(row, accounts)])

    async def read(self, moved: ReadMoved, side: Side) -> None:
        """A read mark moved; each audience gets it in its own numbering, and the customer only if theirs moved."""
        row = moved.conversation
        pushes = (
            [_read_push(row, side, Audience.CUSTOMER, (PersonId(row.customer_id),))]
            if moved.for_customer
            else []
        )
        staff = staff_of(row)
        if staff:
            pushes.append(_read_push(row, side, Audience.STAFF, staff))
        self._bus.publish(row.shop_id, pushes)

    async def roster(self, change: RosterChange) -> None:
        """Who takes part has changed. Colleagues only: the customer hears nothing of it."""
        row, entry, moved = change.conversation, change.entry, people(change.moved)
        staff = tuple(dict.fromkeys((*staff_of(row), *moved)))
        if entry is not None:
            self._bus.publish(row.shop_id, [views.message_push(staff, entry, Audience.STAFF)])
        pushes: list[Push] = []
        if moved or change.duplicate:
            silent = entry is None and not await self._casts.watchers_shown(row.shop_id)
            last = await self._history.last_said(row.shop_id, row.id)
            pushes += await self._staff_pushes(
                row, "conversation.updated", moved if silent else staff, await self._place(row), last
            )
        if change.released:
            pushes.append(_asked_no_longer(row, change.released))
        watching = (*change.left_off, *(person for person in change.moved if person in row.watchers))
        if watching:
            pushes += await self._watching_pushes(row.shop_id, watching)
        self._bus.publish(row.shop_id, pushes)
        for listener in self._listeners:
            listener.roster(row)

    def retagged(self, row: ConversationRow) -> None:
        """The tags of a conversation's customer changed; its colleagues are told by `changed_for_staff`."""
        for listener in self._listeners:
            listener.retagged(row)

    async def conversation_pushes(
        self,
        row: ConversationRow,
        method: str,
        staff: tuple[PersonId, ...],
        *,
        last: MessageRow | None = None,
    ) -> list[Push]:
        """The conversation as it is now, for its customer and for these colleagues. `last`: what was said last, for
        colleagues who have not heard it."""
        place = await self._place(row)
        customer = await self._names.customer(row.shop_id, row.customer_id)
        cast = await self._casts.for_customer(row)
        estimate = None if place is None else await self._paces.estimate(row.shop_id, place)
        shape = views.conversation(row, customer, cast, Audience.CUSTOMER, place=place, estimate_s=estimate)
        return [
            views.conversation_push((PersonId(row.customer_id),), method, shape),
            *(await self._staff_pushes(row, method, staff, place, last)),
        ]

    async def _staff_pushes(
        self,
        row: ConversationRow,
        method: str,
        staff: tuple[PersonId, ...],
        place: Place | None,
        last: MessageRow | None = None,
    ) -> list[Push]:
        if not staff:
            return []
        customer = await self._names.customer(row.shop_id, row.customer_id)
        cast = await self._casts.of(row, customer)
        shape = views.conversation(row, customer, cast, Audience.STAFF, place=place, last=last)
        return [views.conversation_push(staff, method, shape)]

    async def _last_said(self, row: ConversationRow, decision: Decision) -> MessageRow | None:
        """What a new owner has not heard: it was said before."""
        new = decision.owner is not None and decision.owner != decision.previous_owner
        return await self._history.last_said(row.shop_id, row.id) if new else None

    async def _place(self, row: ConversationRow) -> Place | None:
        waits = row.owner_id is None and row.closed_ms is None
        return await self._live.place(row.shop_id, row.id) if waits else None

    async def _watching_pushes(self, shop: ShopId, people: tuple[AccountId, ...]) -> list[Push]:
        """To each of these, everything that they watch now."""
        watched = await self._participants.watched_by(shop, people)
        return [
            push(
                (PersonId(person),),
                "monitor.watching",
                WatchingChanged(watching=list(conversations)),
                key="watching",
            )
            for person, conversations in watched.items()
        ]

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


def people(accounts: Iterable[AccountId]) -> tuple[PersonId, ...]:
    """Accounts as recipients."""
    return tuple(PersonId(account) for account in accounts)


def staff_of(row: ConversationRow) -> tuple[PersonId, ...]:
    """The colleagues to whom everything about a conversation goes: who serves it, takes part in it, or watches it."""
    return people(row.following)


def owners_of(row: ConversationRow, decision: Decision) -> tuple[PersonId, ...]:
    """Who has the conversation, and who just ceased to."""
    owners: list[AccountId | None] = [row.owner_id, decision.owner, decision.previous_owner]
    if decision.change is Change.CLOSED:
        owners.append(row.last_owner_id)
    return people(dict.fromkeys(person for person in owners if person is not None))


def concerned(done: Appended, decision: Decision) -> tuple[PersonId, ...]:
    """Everybody of the staff who must hear of a decision: also those for whom it ended something."""
    row = done.conversation
    ended = () if row.state is not Life.CLOSED else done.released
    return tuple(dict.fromkeys((*owners_of(row, decision), *staff_of(row), *people(ended))))


def _recall_pushes(row: ConversationRow, message: MessageRow) -> list[Push]:
    pushes = [views.message_push(staff_of(row), message, Audience.STAFF, "message.updated")]
    if message.customer_seq is not None:
        customer = (PersonId(row.customer_id),)
        pushes.append(views.message_push(customer, message, Audience.CUSTOMER, "message.updated"))
    return pushes


def _read_pushes(row: ConversationRow, side: Side) -> list[Push]:
    pushes = [_read_push(row, side, Audience.CUSTOMER, (PersonId(row.customer_id),))]
    staff = staff_of(row)
    return [*pushes, _read_push(row, side, Audience.STAFF, staff)] if staff else pushes


def _read_push(row: ConversationRow, side: Side, audience: Audience, to: tuple[PersonId, ...]) -> Push:
    shape = ReadAdvanced(
        conversation_id=row.id,
        side=side,
        seq=views.read_mark(row, side, audience),
        customer_messages=row.customer_messages_read if side == "staff" else None,
    )
    return push(to, "read.advanced", shape, key=f"read:{row.id}:{side}", conversation=row.id, seq=shape.seq)


def _asked_no_longer(row: ConversationRow, released: tuple[AccountId, ...]) -> Push:
    """An invitation is over. To those who had none it says nothing."""
    return push(
        people(released),
        "invitation.ended",
        InvitationEnded(conversation_id=row.id),
        key=f"invitation:{row.id}",
    )
