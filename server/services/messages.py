"""Requests about the log: send, recall, history, read marks; and who is typing.

The way of a message (architecture, "two ways", 1): append, COMMIT, reply, deliver. Nothing is read back on it.
"""

import hashlib
from collections.abc import Sequence

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state
from protocol.events import TypingChanged, TypingSet
from protocol.ids import AccountId, ClientMessageId, ConversationId, CustomerId, MessageId, PersonId
from protocol.methods import messages as m
from protocol.methods.session import Nothing
from protocol.shapes import Party
from protocol.states import Life, PersonKind
from protocol.times import text_of_ms
from server.background import Background
from server.bus import Bus
from server.push import push
from server.services import views
from server.services.delivery import Delivery, staff_of
from server.services.returning import Returning
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.views import Audience
from server.session import Session
from server.store.conversations import Conversations
from server.store.history import History
from server.store.log import Entry, Log
from server.store.rows import ConversationRow, MessageRow, SenderKind

PAGE_BYTES = 192 * 1024
"""Most bytes of bodies in one page of history: fits any send queue, and takes one phone a second at worst."""

SENDER: dict[PersonKind, SenderKind] = {
    PersonKind.CUSTOMER: "customer",
    PersonKind.ACCOUNT: "agent",
    PersonKind.BOT: "bot",
}


class Messages:
    """`message.*`, `read.mark`, `typing.set`."""

    def __init__(
        self,
        writer: Log,
        history: History,
        conversations: Conversations,
        shops: Shops,
        returning: Returning,
        delivery: Delivery,
        seeing: Seeing,
        bus: Bus,
        background: Background,
    ) -> None:
        self._writer = writer
        self._history = history
        self._conversations = conversations
        self._shops = shops
        self._returning = returning
        self._delivery = delivery
        self._seeing = seeing
        self._bus = bus
        self._background = background

    async def send(self, session: Session, params: m.SendParams) -> m.SendResult:
        """`message.send`. When it returns the message is in the log exactly once; delivery follows at once.

        A customer's message in wrap-up brings the agent back (KS-20); one to an agent who was away for too
        long is routed anew (KS-18). Both happen after the message is safe, and a failure there does not undo it.
        """
        body = orjson.dumps(params.body.model_dump(mode="json"))
        entry = Entry(
            shop_id=session.shop_id,
            conversation_id=ConversationId(params.conversation_id),
            sender_kind=SENDER[session.kind],
            sender_id=session.person_id,
            sender_name=session.name,
            client_message_id=ClientMessageId(params.client_message_id),
            body=body,
            body_hash=hashlib.blake2b(body, digest_size=16).digest(),
            expected_epoch=params.assign_epoch,
        )
        done = await self._writer.append(entry)
        row = done.conversation
        if done.duplicate:
            self._background.start(self._deliver_again(row, done.message_id), "deliver again")
        else:
            self._delivery.appended(entry, done)
            if session.kind is PersonKind.CUSTOMER and not _expected(row):
                self._background.start(self._returning.written(entry, row), "returning")
        seq = done.customer_seq if session.kind is PersonKind.CUSTOMER else done.seq
        assert seq is not None, "what people send is public"
        return m.SendResult(
            seq=seq,
            message_id=done.message_id,
            created_at=text_of_ms(done.created_ms),
            duplicate=done.duplicate,
        )

    async def _deliver_again(self, row: ConversationRow, message: MessageId) -> None:
        """The reply to the first try was lost, and its delivery perhaps too. As the log has it now: it may have been
        recalled."""
        await self._delivery.redeliver(row, await self._history.message(row.shop_id, row.id, message))

    async def recall(self, session: Session, params: m.RecallParams) -> Nothing:
        """`message.recall`: an own message, within the shop's time."""
        await self._seeing.conversation(session, params.conversation_id)
        policy = (await self._shops.get(session.shop_id)).policy
        recalled = await self._history.recall(
            session.shop_id,
            ConversationId(params.conversation_id),
            MessageId(params.message_id),
            by=session.person_id,
            within_ms=policy.recall_within_s * 1000,
        )
        await self._delivery.recalled(recalled.conversation, recalled.message)
        return Nothing()

    async def history(self, session: Session, params: m.HistoryParams) -> m.HistoryResult:
        """`message.history`: a page, ascending, in the caller's numbering."""
        if params.after_seq is not None and params.before_seq is not None:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "invalid_params",
                "Ask for what is after or for what is before, not for both.",
                detail=[{"field": "before_seq", "problem": "Leave it out when after_seq is given."}],
            )
        await self._seeing.conversation(session, params.conversation_id)
        for_customer = CustomerId(session.person_id) if session.kind is PersonKind.CUSTOMER else None
        page = await self._history.stretch(
            session.shop_id,
            ConversationId(params.conversation_id),
            after_seq=params.after_seq,
            before_seq=params.before_seq,
            limit=params.limit,
            for_customer=for_customer,
        )
        audience = Audience.STAFF if for_customer is None else Audience.CUSTOMER
        rows = _fitting(page.messages, from_end=params.after_seq is None)
        return m.HistoryResult(
            messages=[views.message(row, audience) for row in rows],
            head_seq=page.head_seq,
            more=page.more or len(rows) < len(page.messages),
        )

    async def mark_read(self, session: Session, params: m.ReadParams) -> Nothing:
        """`read.mark`: marks only advance. Only who serves marks for the staff; others may look without a trace."""
        row = await self._seeing.conversation(session, params.conversation_id)
        side = "customer" if session.kind is PersonKind.CUSTOMER else "staff"
        if side == "staff" and row.owner_id != session.person_id:
            raise invalid_state("not_owner", "Only who serves the conversation marks it as read.")
        row, moved = await self._conversations.mark_read(session.shop_id, row.id, side, params.seq)
        if moved:
            await self._delivery.read(row, side)
        return Nothing()

    async def typing(self, session: Session, params: TypingSet) -> None:
        """`typing.set`: best effort, not stored; the draft's text goes to colleagues only, never to the other side."""
        row = await self._seeing.conversation(session, params.conversation_id)
        kind = SENDER[session.kind]
        who = Party(kind=kind, id=session.person_id, name=session.name)
        others = staff_of(row) if kind == "customer" else (PersonId(row.customer_id),)
        if kind != "customer" and row.owner_id != AccountId(session.person_id):
            return
        shape = TypingChanged(conversation_id=row.id, who=who, typing=params.typing)
        self._bus.publish(session.shop_id, [push(others, "typing.changed", shape, conversation=row.id)])


def _expected(row: ConversationRow) -> bool:
    """Whether somebody who is there serves this conversation, or it waits: nothing to do but deliver."""
    return row.state is not Life.WRAP_UP and row.detached_ms is None


def _fitting(rows: Sequence[MessageRow], *, from_end: bool) -> Sequence[MessageRow]:
    """As many as fit into a page of `PAGE_BYTES`, at least one; the last ones when the page ends where it
    begins from."""
    size, fitting = 0, 0
    for row in reversed(rows) if from_end else rows:
        size += len(orjson.dumps(row.body))
        if fitting and size > PAGE_BYTES:
            break
        fitting += 1
    return rows[len(rows) - fitting :] if from_end else rows[:fitting]
