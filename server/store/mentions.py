"""Notes that name somebody (CO-05), until they are read and after. Of notes in the log, written with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from protocol.ids import AccountId, ConversationId, MessageId, PersonId, ShopId, new_id
from server.store.contacts import written_since
from server.store.conversation_columns import columns, conversation_from
from server.store.cursors import Part, read_cursor, write_cursor
from server.store.database import Database, Row, Transaction
from server.store.entry import Appended, Entry, in_batch, refused
from server.store.rows import Page

_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_NEVER_MS: Final = 253_370_764_800_000


@dataclass(frozen=True, slots=True)
class MentionRow:
    """Somebody was named in a note. `text` is empty once the note was recalled. Milliseconds since 1970 UTC."""

    conversation_id: ConversationId
    account_id: AccountId
    message_id: MessageId
    seq: int
    by_kind: str
    by_id: PersonId | None
    by_name: str
    text: str
    at_ms: int
    read_ms: int | None


_MENTION: Final = """
    SELECT n.conversation_id, n.account_id, n.message_id, n.seq, m.sender_kind, m.sender_id, m.sender_name,
        CASE WHEN m.recalled_at IS NULL THEN coalesce(m.body ->> 'text', '') ELSE '' END, n.at, n.read_at
    FROM {of} n JOIN messages m ON m.conversation_id = n.conversation_id AND m.seq = n.seq
"""
# Not a SELECT to the eye: a lost answer to it is an unknown COMMIT.
_APPEND: Final = f"""
    WITH done AS MATERIALIZED (SELECT * FROM append_entries($1, $2, $3, false))
    SELECT verdict, entry_seq, entry_customer_seq, entry_message_id, entry_created_at, {columns("done")} FROM done
"""


class Mentions:
    """Mentions of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, node: str, entry: Entry, people: tuple[AccountId, ...], *, within: Transaction
    ) -> Appended:
        """Append a note and what it says to whom, as part of a transaction. A repeat gives the first result. Refused as
        by `Log.append`."""
        row = await within.fetchrow(
            _APPEND, node, [entry.conversation_id], [in_batch(entry, 0, MessageId(new_id()))]
        )
        assert row is not None, "append_entries answers for every entry"
        verdict, seq, customer_seq, message_id, created_ms, *values = _values(row)
        if verdict not in ("ok", "duplicate"):
            raise refused(verdict)
        await within.execute(
            """
            INSERT INTO mentions (conversation_id, seq, account_id, shop_id, message_id, at)
            SELECT m.conversation_id, m.seq, a.id, m.shop_id, m.message_id, m.created_at
            FROM messages m JOIN accounts a ON a.shop_id = m.shop_id AND a.id = ANY ($3)
            WHERE m.conversation_id = $1 AND m.seq = $2
            ON CONFLICT DO NOTHING
            """,
            entry.conversation_id,
            seq,
            list(people),
        )
        return Appended(
            seq,
            customer_seq,
            message_id,
            created_ms,
            verdict == "duplicate",
            conversation_from(values),
        )

    async def page(
        self,
        shop_id: ShopId,
        account_id: AccountId,
        *,
        unread_only: bool = True,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[MentionRow]:
        """Somebody's mentions, newest first, without those of conversations they were removed from.

        INVALID_PARAMS `bad_cursor`.
        """
        start: list[Part] = [_NEVER_MS, _LAST_ID] if cursor is None else read_cursor(cursor, (int, str))
        rows = await self._db.fetch(
            _MENTION.format(of="mentions")
            + """
            WHERE n.shop_id = $1 AND n.account_id = $2 AND NOT n.void AND (NOT $3 OR n.read_at IS NULL)
                AND (n.at, n.message_id) < ($4, $5)
            ORDER BY n.at DESC, n.message_id DESC LIMIT $6
            """,
            shop_id,
            account_id,
            unread_only,
            *start,
            limit + 1,
        )
        return _page([_mention(row) for row in rows], limit, lambda m: write_cursor(m.at_ms, m.message_id))

    async def of_note(
        self, shop_id: ShopId, conversation_id: ConversationId, seq: int
    ) -> tuple[MentionRow, ...]:
        """Everybody whom a note names."""
        rows = await self._db.fetch(
            _MENTION.format(of="mentions")
            + " WHERE n.shop_id = $1 AND n.conversation_id = $2 AND n.seq = $3 AND NOT n.void",
            shop_id,
            conversation_id,
            seq,
        )
        return tuple(_mention(row) for row in rows)

    async def written_since(self, since: str | None) -> tuple[tuple[ShopId, MentionRow], ...]:
        """Mentions in all shops that are new, or were read or withdrawn, since (see `Contacts.since`)."""
        rows = await self._db.fetch(
            _MENTION.format(of="mentions").replace("SELECT", "SELECT n.shop_id,", 1)
            + f" WHERE NOT n.void AND {written_since('n', 1)} ORDER BY n.at, n.message_id",
            since,
        )
        return tuple((row["shop_id"], MentionRow(*tuple(row.values())[1:])) for row in rows)

    async def read(
        self, shop_id: ShopId, account_id: AccountId, message_ids: tuple[MessageId, ...] | None
    ) -> tuple[MentionRow, ...]:
        """These were read (None: all): those that were not before."""
        return await self._settle(
            "shop_id = $1 AND account_id = $2 AND ($3::uuid[] IS NULL OR message_id = ANY ($3))",
            shop_id,
            account_id,
            None if message_ids is None else list(message_ids),
        )

    async def withdraw(
        self, shop_id: ShopId, conversation_id: ConversationId, seq: int
    ) -> tuple[MentionRow, ...]:
        """A note was recalled: nobody need read it any more. Those who had not."""
        return await self._settle(
            "shop_id = $1 AND conversation_id = $2 AND seq = $3", shop_id, conversation_id, seq
        )

    async def _settle(self, where: str, *args: Any) -> tuple[MentionRow, ...]:
        rows = await self._db.fetch(
            f"""
            WITH done AS (
                UPDATE mentions SET read_at = date_trunc('milliseconds', clock_timestamp())
                WHERE {where} AND read_at IS NULL RETURNING *
            ) {_MENTION.format(of="done")} WHERE NOT n.void ORDER BY n.at, n.message_id
            """,
            *args,
        )
        return tuple(_mention(row) for row in rows)


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(row.values())


def _mention(row: Row) -> MentionRow:
    return MentionRow(*row.values())


def _page(rows: list[MentionRow], limit: int, cursor: Callable[[MentionRow], str]) -> Page[MentionRow]:
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), cursor(rows[limit - 1]) if more else None)
