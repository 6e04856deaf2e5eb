"""Requests about the log: send, recall, history, read marks.

The way of a message (architecture, "two ways", 1): append, COMMIT, reply, deliver. Nothing is read back on it.
"""

from collections.abc import Sequence

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state
from protocol.ids import AccountId, ClientMessageId, ConversationId, CustomerId, MessageId
from protocol.methods import messages as m
from protocol.methods.session import Nothing
from protocol.shapes import FileBody, ImageBody, TextBody
from protocol.states import Life, PersonKind
from protocol.times import text_of_ms
from server.background import Background
from server.services import views
from server.services.delivery import Delivery
from server.services.drafts import Drafts
from server.services.files import FileRequests
from server.services.mentions import Naming
from server.services.names import Names
from server.services.quotes import Quotes
from server.services.returning import Returning
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.views import Audience
from server.session import Session
from server.store.conversations import Conversations
from server.store.entry import digest
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
    """`message.*`, `read.mark`."""

    def __init__(
        self,
        writer: Log,
        history: History,
        conversations: Conversations,
        shops: Shops,
        returning: Returning,
        delivery: Delivery,
        seeing: Seeing,
        names: Names,
        naming: Naming,
        drafts: Drafts,
        background: Background,
        files: FileRequests,
        quotes: Quotes,
    ) -> None:
        self._writer = writer
        self._history = history
        self._conversations = conversations
        self._shops = shops
        self._returning = returning
        self._delivery = delivery
        self._seeing = seeing
        self._names = names
        self._naming = naming
        self._drafts = drafts
        self._background = background
        self._files = files
        self._quotes = quotes

    async def send(self, session: Session, params: m.SendParams) -> m.SendResult:
        """`message.send`. When it returns the message is in the log exactly once; delivery follows at once.

        A customer's message in wrap-up brings the agent back (KS-20); one to an agent who was away for too
        long is routed anew (KS-18). Both happen after the message is safe, and a failure there does not undo it.
        """
        said = params.body
        if isinstance(said, ImageBody | FileBody):
            said = await self._files.named(session, params.conversation_id, said, internal=False)
        quotes: int | None = None
        if isinstance(said, TextBody):
            told = await self._quotes.said(session, params.conversation_id, said)
            body, quotes = orjson.dumps(told.stored), told.quotes
            body_hash = digest(body if quotes is None else orjson.dumps(told.sent))
        else:
            body = orjson.dumps(said.model_dump(mode="json"))
            body_hash = digest(body)
        entry = Entry(
            shop_id=session.shop_id,
            conversation_id=ConversationId(params.conversation_id),
            sender_kind=SENDER[session.kind],
            sender_id=session.person_id,
            sender_name=session.name,
            client_message_id=ClientMessageId(params.client_message_id),
            body=body,
            body_hash=body_hash,
            expected_epoch=params.assign_epoch,
            quotes=quotes,
        )
        try:
            done = await self._writer.append(entry)
        except RequestError as error:
            raise await self._explained(session, entry, error) from None
        self._drafts.sent(session, params.conversation_id)
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

    async def _explained(self, session: Session, entry: Entry, error: RequestError) -> RequestError:
        """Why a colleague's message was not taken: whose the conversation is now, so that the draft can go back with a
        reason (I3); or that they may read it and not more."""
        if session.kind is PersonKind.CUSTOMER:
            return error
        if error.code is ErrorCode.STALE_ASSIGNMENT:
            owner = error.detail["owner_id"]
            named = None if owner is None else await self._names.party(entry.shop_id, AccountId(owner))
            error.detail = {
                "assign_epoch": error.detail["assign_epoch"],
                "owner": None if named is None else named.model_dump(mode="json"),
            }
        elif error.code is ErrorCode.NOT_FOUND:
            await self._seeing.conversation(session, entry.conversation_id)
            return RequestError(
                ErrorCode.FORBIDDEN,
                "not_participant",
                "You may read this conversation, but take no part in it; join it to write.",
            )
        return error

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
            for_customer=session.kind is PersonKind.CUSTOMER,
        )
        await self._delivery.recalled(recalled.conversation, recalled.message, recalled.quoting)
        if recalled.message.customer_seq is None:
            await self._naming.recalled(recalled.message)
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
        if side == "staff" and session.person_id not in row.speaking:
            raise invalid_state("not_owner", "Only who serves the conversation marks it as read.")
        mark = await self._conversations.mark_read(session.shop_id, row.id, side, params.seq)
        if mark.moved:
            await self._delivery.read(mark, side)
        return Nothing()


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
