"""Reading a log, as staff or as its customer; recalling an entry of it.

Customers see public entries only, in a numbering of their own without holes (`customer_seq`). It never runs ahead of
`seq`, which is what the primary key knows.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from protocol.errors import forbidden, invalid_state, not_found
from protocol.ids import ConversationId, CustomerId, MessageId, PersonId, ShopId
from server.store.contacts import written_since
from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.database import Database, Row
from server.store.entry import Entry
from server.store.message_columns import MESSAGE_WIDTH, message_columns, message_from
from server.store.rows import ConversationRow, MessageRow, Missed

TRANSCRIPT_PART: Final = 500
"""Entries in one part of a transcript."""
REDELIVERED_TOGETHER: Final = 256
"""Entries: what a busy node wrote in its last half minute need not be in memory at once (I6)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a log, oldest first. `more`: the log goes on beyond it, in the direction asked for."""

    messages: tuple[MessageRow, ...]
    more: bool
    head_seq: int
    """end of the log, in the reader's numbering"""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A recalled entry. `already`: it had been recalled before; nothing changed."""

    message: MessageRow
    conversation: ConversationRow
    already: bool
    quoting: tuple[MessageRow, ...] = ()
    """entries that quote it, from now on without its words"""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry and its conversation as it is now."""

    message: MessageRow
    conversation: ConversationRow


class History:
    """The logs. `for_customer` asks as that customer: another's conversation is not found, internal entries are
    skipped, and all numbers are in their numbering."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def stretch(
        self,
        shop_id: ShopId,
        conversation_id: ConversationId,
        *,
        after_seq: int | None = None,
        before_seq: int | None = None,
        limit: int = 50,
        for_customer: CustomerId | None = None,
    ) -> Stretch:
        """The first `limit` entries after `after_seq`, or the last `limit` before `before_seq`, or the last
        `limit` at all.

        NOT_FOUND.
        """
        number = "seq" if for_customer is None else "customer_seq"
        forward = after_seq is not None
        bounds = "m.seq > $4 AND m.{number} > $4" if forward else "($4::bigint IS NULL OR m.{number} < $4)"
        rows = await self._db.fetch(
            f"""
            SELECT {message_columns("m")}, c.head_seq AS head, c.customer_head_seq AS customer_head
            FROM conversations c
            LEFT JOIN LATERAL (
                SELECT m.* FROM messages m
                WHERE m.conversation_id = c.id AND m.{number} IS NOT NULL AND {bounds.format(number=number)}
                ORDER BY m.seq {"ASC" if forward else "DESC"} LIMIT $5
            ) m ON true
            WHERE c.shop_id = $1 AND c.id = $2 AND ($3::uuid IS NULL OR c.customer_id = $3)
            """,
            shop_id,
            conversation_id,
            for_customer,
            after_seq if forward else before_seq,
            limit + 1,
        )
        if not rows:
            raise not_found("conversation")
        messages = sorted(
            (message_from(tuple(row.values())[:MESSAGE_WIDTH]) for row in rows if row["seq"] is not None),
            key=lambda message: message.seq,
        )
        more = len(messages) > limit
        if more:
            messages = messages[:limit] if forward else messages[-limit:]
        return Stretch(tuple(messages), more, rows[0]["head" if for_customer is None else "customer_head"])

    async def missed(
        self,
        shop_id: ShopId,
        cursors: Mapping[ConversationId, int],
        *,
        limit: int = 200,
        for_customer: CustomerId | None = None,
    ) -> dict[ConversationId, Missed]:
        """For every conversation in `cursors`, in one query, what lies after the reader's last number: all of
        it, or, when that is more than `limit` (or the cursor lies beyond the log), `reset`.

        Conversations that are not there for this reader are left out.
        """
        number = "seq" if for_customer is None else "customer_seq"
        head = "head_seq" if for_customer is None else "customer_head_seq"
        rows = await self._db.fetch(
            f"""
            SELECT {message_columns("m")}, c.id, c.{head} AS head, k.after
            FROM unnest($2::uuid[], $3::bigint[]) AS k(id, after)
            JOIN conversations c ON c.id = k.id AND c.shop_id = $1 AND ($4::uuid IS NULL OR c.customer_id = $4)
            LEFT JOIN LATERAL (
                SELECT m.* FROM messages m
                WHERE m.conversation_id = c.id AND m.seq > k.after AND m.{number} > k.after
                    AND k.after <= c.{head} AND c.{head} - k.after <= $5
                ORDER BY m.seq
            ) m ON true
            ORDER BY c.id, m.seq
            """,
            shop_id,
            list(cursors),
            list(cursors.values()),
            for_customer,
            limit,
        )
        found: dict[ConversationId, list[Row]] = {}
        for row in rows:
            found.setdefault(row["id"], []).append(row)
        return {conversation: _missed(conversation, rows, limit) for conversation, rows in found.items()}

    async def repeated(self, entry: Entry) -> MessageRow | None:
        """What an earlier try to write this entry has written; None: there was none, or it said something else."""
        row = await self._db.fetchrow(
            f"""
            SELECT {message_columns("m")} FROM messages m
            WHERE m.conversation_id = $1 AND m.client_message_id = $2 AND m.sender_kind = $3 AND m.sender_id = $4
                AND m.body_hash = $5 AND m.shop_id = $6
            """,
            entry.conversation_id,
            entry.client_message_id,
            entry.sender_kind,
            entry.sender_id,
            entry.body_hash,
            entry.shop_id,
        )
        return None if row is None else message_from(tuple(row.values()))

    async def message(
        self,
        shop_id: ShopId,
        conversation_id: ConversationId,
        message_id: MessageId,
        *,
        for_customer: CustomerId | None = None,
    ) -> MessageRow:
        """One entry. NOT_FOUND, also when this customer may not see it."""
        row = await self._db.fetchrow(
            f"""
            SELECT {message_columns("m")}
            FROM messages m JOIN conversations c ON c.id = m.conversation_id
            WHERE c.shop_id = $1 AND c.id = $2 AND m.message_id = $3
                AND ($4::uuid IS NULL OR (c.customer_id = $4 AND m.customer_seq IS NOT NULL))
            """,
            shop_id,
            conversation_id,
            message_id,
            for_customer,
        )
        if row is None:
            raise not_found("message")
        return message_from(tuple(row.values()))

    async def last_said(self, shop_id: ShopId, conversation_id: ConversationId) -> MessageRow | None:
        """What was said last, to the customer or among colleagues; None: nothing yet."""
        row = await self._db.fetchrow(
            f"""
            SELECT {message_columns("m")} FROM messages m
            WHERE m.conversation_id = $1 AND m.shop_id = $2 AND m.sender_kind <> 'system' ORDER BY m.seq DESC LIMIT 1
            """,
            conversation_id,
            shop_id,
        )
        return None if row is None else message_from(tuple(row.values()))

    async def recall(
        self,
        shop_id: ShopId,
        conversation_id: ConversationId,
        message_id: MessageId,
        *,
        by: PersonId | None,
        within_ms: int | None,
        for_customer: bool = False,
    ) -> Recalled:
        """Take an entry back: its place stays, its body is given out no more, nor what others quote of it. Once more
        changes nothing.

        `for_customer`: what is for colleagues only is not found. `by`: whose it must be, else FORBIDDEN; None:
        anybody's but the system's. `within_ms`: how old it may be, else INVALID_STATE `recall_too_late`; None: however
        old. NOT_FOUND.
        """
        async with self._db.transaction() as transaction:
            # The conversation first, as the log's writer does: two orders of locking would be a deadlock.
            owner = await transaction.fetchrow(
                "SELECT id FROM conversations WHERE shop_id = $1 AND id = $2 FOR NO KEY UPDATE",
                shop_id,
                conversation_id,
            )
            found = await transaction.fetchrow(
                """
                SELECT seq, customer_seq, sender_id, sender_kind, recalled_at,
                    $3::bigint IS NOT NULL AND created_at < clock_timestamp() - $3 * interval '1 millisecond' AS
                    too_late
                FROM messages WHERE conversation_id = $1 AND message_id = $2 AND (customer_seq IS NOT NULL OR NOT $4)
                """,
                conversation_id,
                message_id,
                within_ms,
                for_customer,
            )
            if owner is None or found is None:
                raise not_found("message")
            if found["sender_kind"] == "system" or (by is not None and found["sender_id"] != by):
                raise forbidden("recall this message")
            already = found["recalled_at"] is not None
            if not already:
                if found["too_late"]:
                    raise invalid_state("recall_too_late", "This message is too old to be recalled.")
                await transaction.execute(
                    """
                    UPDATE messages SET recalled_at = date_trunc('milliseconds', clock_timestamp()), rev = rev + 1
                    WHERE conversation_id = $1 AND seq = $2
                    """,
                    conversation_id,
                    found["seq"],
                )
                await transaction.execute(_UNQUOTE, conversation_id, message_id)
                await transaction.execute(
                    "UPDATE conversations SET rev = rev + 1, customer_rev = customer_rev + $2::int WHERE id = $1",
                    conversation_id,
                    int(found["customer_seq"] is not None),
                )
            rows = await transaction.fetch(
                _WRITTEN.format(where="c.id = $1 AND m.seq = $2"), conversation_id, found["seq"]
            )
            quoting = await transaction.fetch(
                _WRITTEN.format(where="c.id = $1 AND m.body #>> '{quote,message_id}' = $2 ORDER BY m.seq"),
                conversation_id,
                message_id,
            )
        written = _written(rows[0])
        return Recalled(
            written.message,
            written.conversation,
            already,
            tuple(_written(row).message for row in quoting),
        )

    async def written_lately(self, node: str, within_s: int) -> AsyncIterator[tuple[Written, ...]]:
        """What this node wrote in the last `within_s` seconds by the database's clock, of all shops, in the order of
        each log, some hundred entries at a time (more, if one conversation has more): to be delivered again when the
        node died. Receivers drop what they have."""
        rows = await self._db.fetch(
            """
            SELECT m.conversation_id, count(*) AS entries, now() - make_interval(secs => $2) AS since
            FROM messages m WHERE m.node = $1 AND m.created_at >= now() - make_interval(secs => $2)
            GROUP BY m.conversation_id ORDER BY m.conversation_id
            """,
            node,
            within_s,
        )
        for some in _together(rows):
            found = await self._db.fetch(
                _WRITTEN.format(
                    where="m.conversation_id = ANY ($1) AND m.node = $2 AND m.created_at >= $3 ORDER BY c.id, m.seq"
                ),
                [row["conversation_id"] for row in some],
                node,
                some[0]["since"],
            )
            yield tuple(_written(row) for row in found)

    async def recalled_since(
        self, since: str | None, conversations: Iterable[ConversationId]
    ) -> tuple[MessageRow, ...]:
        """Entries of these that were taken back since (see `Contacts.since`), or lost words that they quoted."""
        rows = await self._db.fetch(
            f"""
            SELECT {message_columns("m")} FROM messages m
            WHERE m.conversation_id = ANY ($2) AND m.rev > 0 AND {written_since("m", 1)}
            ORDER BY m.conversation_id, m.seq
            """,
            since,
            list(conversations),
        )
        return tuple(message_from(tuple(row.values())) for row in rows)

    async def transcript(
        self, shop_id: ShopId, conversation_id: ConversationId, *, for_customer: CustomerId | None = None
    ) -> AsyncIterator[tuple[MessageRow, ...]]:
        """The whole log in parts, oldest first. NOT_FOUND."""
        after = 0
        while True:
            part = await self.stretch(
                shop_id, conversation_id, after_seq=after, limit=TRANSCRIPT_PART, for_customer=for_customer
            )
            if part.messages:
                yield part.messages
                last = part.messages[-1]
                after = last.seq if for_customer is None else _own(last)
            if not part.more:
                return


_UNQUOTE: Final = """
    UPDATE messages SET body = jsonb_set(body, '{quote}', (body -> 'quote') - 'excerpt' - 'kind'), rev = rev + 1
    WHERE conversation_id = $1 AND body #>> '{quote,message_id}' = $2
"""
"""Out of the log itself, so that no way of reading it has to think of it."""
_WRITTEN: Final = f"""
    SELECT {columns("c")}, {message_columns("m")}
    FROM messages m JOIN conversations c ON c.id = m.conversation_id
    WHERE {{where}}
"""


def _together(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Conversations with how many entries of each are wanted, as many at a time as may be together; at least one."""
    some, entries = list[Row](), 0
    for row in rows:
        if some and entries + row["entries"] > REDELIVERED_TOGETHER:
            yield some
            some, entries = [], 0
        some.append(row)
        entries += row["entries"]
    if some:
        yield some


def _written(row: Row) -> Written:
    values: tuple[Any, ...] = tuple(row.values())
    return Written(message_from(values[WIDTH:]), conversation_from(values[:WIDTH]))


def _missed(conversation: ConversationId, rows: list[Row], limit: int) -> Missed:
    head, after = rows[0]["head"], rows[0]["after"]
    if after > head or head - after > limit:
        return Missed(conversation, head, reset=True)
    return Missed(
        conversation,
        head,
        tuple(message_from(tuple(row.values())[:MESSAGE_WIDTH]) for row in rows if row["seq"] is not None),
    )


def _own(message: MessageRow) -> int:
    assert message.customer_seq is not None, "a customer's stretch holds only what they may see"
    return message.customer_seq
