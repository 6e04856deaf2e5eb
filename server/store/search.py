"""Searching what was said.

Goes from conversations (by shop, agent, customer, time) to their messages, the newest first, and compares text
without an index of its own: such an index would be paid by every message, and knows no Chinese words of one or
two characters. The deadline of the database bounds a search that finds nothing; a narrower filter makes it
fast.
"""

from dataclasses import dataclass

from protocol.ids import AccountId, CustomerId, ShopId
from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database
from server.store.message_columns import message_columns, message_from
from server.store.rows import ConversationRow, MessageRow, Page

_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; None: whatever it is. All that is given must hold.

    `text`: part of a text message, of a file's or order's name, upper and lower case alike. `agent_id`: has,
    had last, or wrote. Instants: `from_ms` <= created < `to_ms`. `owners`: only conversations that these have,
    or had last (GP-02).
    """

    text: str | None = None
    agent_id: AccountId | None = None
    customer_id: CustomerId | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    owners: tuple[AccountId, ...] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A message that matches, in its conversation."""

    message: MessageRow
    conversation: ConversationRow


class Search:
    """Search over the logs of one shop, for staff."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def messages(
        self, shop_id: ShopId, query: Query, *, cursor: str | None = None, limit: int = 50
    ) -> Page[Found]:
        """Messages that people wrote and did not recall, by conversation, the newest first.

        UNAVAILABLE `database_slow`: too much to look through; filter more narrowly. INVALID_PARAMS `bad_cursor`.
        """
        conversation, seq = (_LAST_ID, 0) if cursor is None else read_cursor(cursor, (str, int))
        rows = await self._db.fetch(
            f"""
            SELECT {columns("c")}, {message_columns("m")}
            FROM conversations c
            JOIN LATERAL (
                SELECT * FROM messages m
                WHERE m.conversation_id = c.id AND m.sender_kind <> 'system' AND m.recalled_at IS NULL
                    AND ($4::text IS NULL OR m.body ->> 'text' ILIKE $4 OR m.body ->> 'name' ILIKE $4
                        OR m.body ->> 'title' ILIKE $4 OR m.body ->> 'order_id' ILIKE $4)
                    AND ($5::timestamptz IS NULL OR m.created_at >= $5)
                    AND ($6::timestamptz IS NULL OR m.created_at < $6)
                    AND ($7::uuid IS NULL OR c.owner_id = $7 OR c.last_owner_id = $7 OR m.sender_id = $7)
            ) m ON true
            WHERE c.shop_id = $1
                AND (c.id < $2 OR (c.id = $2 AND m.seq < $3)) AND c.id <= $2
                AND ($5::timestamptz IS NULL OR c.closed_at IS NULL OR c.closed_at >= $5)
                AND ($6::timestamptz IS NULL OR c.opened_at < $6)
                AND ($8::uuid IS NULL OR c.customer_id = $8)
                AND ($9::uuid[] IS NULL OR coalesce(c.owner_id, c.last_owner_id) = ANY ($9))
            ORDER BY c.id DESC, m.seq DESC LIMIT $10
            """,
            shop_id,
            conversation,
            seq,
            None if query.text is None else f"%{_literal(query.text)}%",
            query.from_ms,
            query.to_ms,
            query.agent_id,
            query.customer_id,
            query.owners,
            limit + 1,
        )
        found = [
            Found(message_from(values[WIDTH:]), conversation_from(values[:WIDTH]))
            for values in (tuple(row.values()) for row in rows)
        ]
        more = len(found) > limit
        last = found[limit - 1].message if more else None
        return Page(
            tuple(found[:limit]), None if last is None else write_cursor(last.conversation_id, last.seq)
        )


def _literal(text: str) -> str:
    """Text in which LIKE's own characters stand for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
