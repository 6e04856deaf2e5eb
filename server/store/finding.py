"""Finding conversations by what they are and what was said in them.

Text is compared without an index of its own: such an index would be paid by every message, and knows no
Chinese words of one or two characters. The other conditions narrow first; the deadline of the database
bounds a search that is too wide.
"""

from dataclasses import dataclass
from typing import Final

from protocol.ids import AccountId, CustomerId, ShopId
from protocol.states import Life
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database
from server.store.rows import ConversationView, Page
from server.store.view_columns import VIEW, view_from
from server.store.within import Within, reached

_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; None: whatever it is. All that is given must hold.

    `text`: part of a text message, or of a file's or an order's name; upper and lower case alike. `owner`:
    has it, had it last, or wrote in it. Instants: `opened_from_ms` <= opened < `opened_before_ms`. `within`:
    only what somebody may see (GP-02).
    """

    text: str | None = None
    opened_from_ms: int | None = None
    opened_before_ms: int | None = None
    owner: AccountId | None = None
    customer: CustomerId | None = None
    state: Life | None = None
    order_state: str | None = None
    within: Within | None = None


class Finding:
    """Search over the conversations of one shop, for staff."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def conversations(
        self, shop_id: ShopId, wanted: Wanted, *, cursor: str | None = None, limit: int = 50
    ) -> Page[ConversationView]:
        """Conversations that match, the newest first.

        UNAVAILABLE `database_slow`: too much to look through; ask more narrowly. INVALID_PARAMS `bad_cursor`.
        """
        (start,) = (_LAST_ID,) if cursor is None else read_cursor(cursor, (str,))
        sql = VIEW.format(
            where="""
                c.shop_id = $1 AND c.id < $3
                AND ($4::timestamptz IS NULL OR c.opened_at >= $4) AND ($5::timestamptz IS NULL OR c.opened_at < $5)
                AND ($6::uuid IS NULL OR c.customer_id = $6) AND ($7::text IS NULL OR c.state = $7)
                AND ($8::text IS NULL OR c.order_state = $8)
                AND ($9::uuid IS NULL OR c.owner_id = $9 OR c.last_owner_id = $9 OR EXISTS (
                    SELECT FROM messages m WHERE m.conversation_id = c.id AND m.sender_id = $9))
                AND ($10::text IS NULL OR EXISTS (
                    SELECT FROM messages m
                    WHERE m.conversation_id = c.id AND m.sender_kind <> 'system' AND m.recalled_at IS NULL
                        AND (m.body ->> 'text' ILIKE $10 OR m.body ->> 'name' ILIKE $10
                            OR m.body ->> 'title' ILIKE $10 OR m.body ->> 'order_id' ILIKE $10)))
            """
            + ("" if wanted.within is None else f" AND {reached(12)}"),
            order="ORDER BY c.id DESC LIMIT $11",
        )
        rows = await self._db.fetch(
            sql,
            shop_id,
            False,
            start,
            wanted.opened_from_ms,
            wanted.opened_before_ms,
            wanted.customer,
            wanted.state,
            wanted.order_state,
            wanted.owner,
            None if wanted.text is None else f"%{literal(wanted.text)}%",
            limit + 1,
            *(() if wanted.within is None else wanted.within.args),
        )
        found = [view_from(row) for row in rows]
        more = len(found) > limit
        return Page(tuple(found[:limit]), write_cursor(found[limit - 1].conversation.id) if more else None)


def literal(text: str) -> str:
    """Text in which LIKE's own characters stand for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
