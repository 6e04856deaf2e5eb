"""What colleagues say among themselves inside a conversation (CO-05). It is in the same log, with numbers of their own
only: no customer gets one by any path.

Whoever a note names hears of it; who takes no part yet is asked in by it. A note that names somebody and its mentions
and invitations are one transaction, and all of it is judged before: a note that may not name somebody is not written.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson

from protocol.errors import RequestError
from protocol.ids import AccountId, ClientMessageId, ConversationId, MessageId
from protocol.methods.collaboration import NoteParams
from protocol.methods.messages import SendResult
from protocol.methods.supervision import WhisperParams
from protocol.rights import Right
from protocol.shapes import NoteBody, NotedBody
from protocol.times import text_of_ms
from server.services.audit import Audit
from server.services.delivery import Delivery
from server.services.files import FileRequests
from server.services.mentions import Naming
from server.services.participants import Participants
from server.services.quotes import Quotes, Said
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.session import Session
from server.store.database import Database
from server.store.entry import digest
from server.store.history import History
from server.store.log import Appended, Entry, Log
from server.store.mentions import Mentions
from server.store.participants import Participants as Rosters
from server.store.participants import RosterChange
from server.store.rows import ConversationRow


class Notes:
    """`note.send`; and `write`, for those who have judged. `node`: this node's name."""

    def __init__(
        self,
        db: Database,
        writer: Log,
        history: History,
        mentions: Mentions,
        rosters: Rosters,
        participants: Participants,
        naming: Naming,
        scope: Scope,
        seeing: Seeing,
        delivery: Delivery,
        files: FileRequests,
        audit: Audit,
        quotes: Quotes,
        node: Callable[[], str],
    ) -> None:
        self._db = db
        self._writer = writer
        self._history = history
        self._mentions = mentions
        self._rosters = rosters
        self._participants = participants
        self._naming = naming
        self._scope = scope
        self._seeing = seeing
        self._delivery = delivery
        self._files = files
        self._audit = audit
        self._quotes = quotes
        self._node = node

    async def send(self, session: Session, params: NoteParams) -> SendResult:
        """`note.send`: by whoever takes part, or may read the conversation anyway; from those who only watch it is a
        whisper, and in the audit as one. Also in wrap-up.

        Refused: NOT_FOUND; FORBIDDEN (`no_right`, `out_of_scope`, `not_participant`; with the account when a mention is
        the reason, and then nothing is written); INVALID_PARAMS; INVALID_STATE `conversation_closed`.
        """
        row = await self._seeing.conversation(session, params.conversation_id)
        return await self.once(session, row, params, self._send(session, row, params))

    async def once(
        self,
        session: Session,
        row: ConversationRow,
        params: NoteParams | WhisperParams,
        trying: Coroutine[Any, Any, SendResult],
    ) -> SendResult:
        """What this try is answered. If it is refused and is a repeat, what the first one was (fault 10): whatever has
        become of the conversation and of its writer since then, it is in the log."""
        try:
            return await trying
        except RequestError as error:
            if error.retryable:
                raise
            entry = await self._entry(session, row, params.client_message_id, params.body)
            before = await self._history.repeated(entry)
            if before is None:
                raise
            return SendResult(
                seq=before.seq,
                message_id=before.message_id,
                created_at=text_of_ms(before.created_ms),
                duplicate=True,
            )

    async def _send(self, session: Session, row: ConversationRow, params: NoteParams) -> SendResult:
        whisper = session.person_id in row.watchers
        if whisper:
            await self._scope.require(
                session, Right.WHISPER, "whisper in this conversation", conversation=row
            )
            await self._audit.done(
                row.shop_id,
                "monitor.whisper",
                "conversation",
                row.id,
                after={"client_message_id": params.client_message_id},
            )
        elif session.person_id not in row.speaking:
            await self._scope.require(
                session, Right.VIEW, "leave a note in this conversation", conversation=row
            )
        return await self.write(session, row, params.client_message_id, params.body, whisper=whisper)

    async def write(
        self,
        session: Session,
        row: ConversationRow,
        client_message_id: str,
        body: NotedBody,
        *,
        whisper: bool = False,
    ) -> SendResult:
        """A note of somebody who may leave one here: in the log exactly once, delivered, and told to whom it names."""
        named = _named(session, body)
        newcomers = tuple(person for person in named if person not in row.speaking)
        if newcomers:
            await self._participants.may_ask(session, row)
            await self._participants.judge(session, row, newcomers)
        entry = await self._entry(session, row, client_message_id, body, whisper=whisper)
        if not named:
            done, change = await self._writer.append(entry), None
        else:
            done, change = await self._naming_somebody(entry, row, named, newcomers)
        await self._deliver(entry, done)
        if change is not None:
            await self._participants.tell(change)
        if named:
            await self._naming.named(row.shop_id, row.id, done.seq)
        return SendResult(
            seq=done.seq,
            message_id=done.message_id,
            created_at=text_of_ms(done.created_ms),
            duplicate=done.duplicate,
        )

    async def _entry(
        self,
        session: Session,
        row: ConversationRow,
        client_message_id: str,
        body: NotedBody,
        *,
        whisper: bool = False,
    ) -> Entry:
        if isinstance(body, NoteBody):
            said = await self._quotes.said(session, row.id, body)
            return _entry(session, row, client_message_id, said, whisper=whisper)
        named = await self._files.named(session, row.id, body, internal=True)
        plain = named.model_dump(mode="json")
        return _entry(session, row, client_message_id, Said(plain, plain, None), whisper=None)

    async def _naming_somebody(
        self,
        entry: Entry,
        row: ConversationRow,
        named: tuple[AccountId, ...],
        newcomers: tuple[AccountId, ...],
    ) -> tuple[Appended, RosterChange | None]:
        terms = await self._participants.invitation_terms(row.shop_id)
        async with self._db.transaction() as transaction:
            done = await self._mentions.add(self._node(), entry, named, within=transaction)
            if not newcomers or done.duplicate:
                return done, None
            return done, await self._rosters.change(
                self._node(),
                row.shop_id,
                row.id,
                "invite",
                newcomers,
                by=AccountId(entry.sender_id or ""),
                within=transaction,
                **terms,
            )

    async def _deliver(self, entry: Entry, done: Appended) -> None:
        if not done.duplicate:
            self._delivery.appended(entry, done)
            return
        # The reply to the first try was lost, and its delivery perhaps too. As the log has it now.
        row = done.conversation
        message = await self._history.message(row.shop_id, row.id, MessageId(done.message_id))
        await self._delivery.redeliver(row, message)


def _named(session: Session, body: NotedBody) -> tuple[AccountId, ...]:
    """Whom a note names, without its writer."""
    if not isinstance(body, NoteBody):
        return ()
    return tuple(dict.fromkeys(AccountId(person) for person in body.mentions if person != session.person_id))


def _entry(
    session: Session, row: ConversationRow, client_message_id: str, said: Said, *, whisper: bool | None
) -> Entry:
    """`whisper` is what the server knows, and no part of what is repeated; None: it can be none."""
    sent = {name: value for name, value in said.sent.items() if name != "whisper"}
    stored = said.stored if whisper is None else {**said.stored, "whisper": whisper}
    return Entry(
        shop_id=session.shop_id,
        conversation_id=ConversationId(row.id),
        sender_kind="agent",
        sender_id=session.person_id,
        sender_name=session.name,
        client_message_id=ClientMessageId(client_message_id),
        body=orjson.dumps(stored),
        body_hash=digest(orjson.dumps(sent)),
        visibility="internal",
        must_own=False,
        quotes=said.quotes,
    )
