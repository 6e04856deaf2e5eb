"""The lists of conversations: in service, queue, recent, all, and a customer's own. Each is one query over one
index."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from protocol.ids import AccountId, ConversationId, CustomerId, ShopId
from protocol.states import Life
from server.store.cursors import Part, read_cursor, write_cursor
from server.store.database import Database
from server.store.rows import ConversationRow, ConversationView, Page
from server.store.view_columns import VIEW, view_from
from server.store.within import EVERYTHING, Within, reached

MINE_MOST: Final = 1000
"""Twice the greatest capacity (KS-19): nobody has more in hand."""
_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_NEVER_MS: Final = 253_370_764_800_000
"""The year 9999: after everything."""


class Lists:
    """Lists of conversations with what they show beside them. Cursors: INVALID_PARAMS `bad_cursor` when not ours."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def mine(self, shop_id: ShopId, account_id: AccountId) -> tuple[ConversationView, ...]:
        """What this account has in hand, wrap-up included; in order of arrival with it (the desk sorts by waiting)."""
        rows = await self._db.fetch(
            VIEW.format(
                where="c.shop_id = $1 AND c.owner_id = $3 AND c.state <> 'closed'",
                order=f"ORDER BY c.id LIMIT {MINE_MOST}",
            ),
            shop_id,
            False,
            account_id,
        )
        return tuple(view_from(row) for row in rows)

    async def shared(
        self, shop_id: ShopId, account_id: AccountId, *, watched: bool = False
    ) -> tuple[ConversationView, ...]:
        """The open conversations in which this account takes part beside an owner; `watched`: also those it watches."""
        rows = await self._db.fetch(
            VIEW.format(
                where="""c.shop_id = $1 AND c.state <> 'closed' AND c.id IN (
                    SELECT p.conversation_id FROM participations p
                    WHERE p.shop_id = $1 AND p.account_id = $3 AND p.left_at IS NULL AND (p.role <> 'watcher' OR $4)
                )""",
                order=f"ORDER BY c.id LIMIT {MINE_MOST}",
            ),
            shop_id,
            False,
            account_id,
            watched,
        )
        return tuple(view_from(row) for row in rows)

    async def visible(
        self, shop_id: ShopId, conversation_ids: tuple[ConversationId, ...], within: Within
    ) -> frozenset[ConversationId]:
        """Those of these that somebody reaches, closed ones too."""
        rows = await self._db.fetch(
            f"SELECT c.id FROM conversations c WHERE c.shop_id = $1 AND c.id = ANY ($2) AND {reached(3)}",
            shop_id,
            list(conversation_ids),
            *within.args,
        )
        return frozenset(row["id"] for row in rows)

    async def queue(
        self,
        shop_id: ShopId,
        *,
        within: Within = EVERYTHING,
        pool: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ConversationView]:
        """Who waits, in queue order; in one pool, or in all."""
        start: Sequence[Part] = (-1, 0, "") if cursor is None else read_cursor(cursor, (int, int, str))
        rows = await self._page(
            "c.shop_id = $1 AND c.state = 'queued' AND ($3::text IS NULL OR c.pool = $3)"
            f" AND (c.priority, c.arrived_at, c.id) > ($4, $5, $6) AND {reached(7)}",
            "c.priority, c.arrived_at, c.id",
            limit,
            (shop_id, False, pool, *start, *within.args),
        )
        return _page(rows, limit, lambda c: write_cursor(c.priority, c.arrived_ms, c.id))

    async def recent(
        self, shop_id: ShopId, account_id: AccountId, *, cursor: str | None = None, limit: int = 50
    ) -> Page[ConversationView]:
        """Closed ones that this account had last, the latest first."""
        start: Sequence[Part] = (_NEVER_MS, _LAST_ID) if cursor is None else read_cursor(cursor, (int, str))
        rows = await self._page(
            "c.shop_id = $1 AND c.state = 'closed' AND c.last_owner_id = $3 AND (c.closed_at, c.id) < ($4, $5)",
            "c.closed_at DESC, c.id DESC",
            limit,
            (shop_id, False, account_id, *start),
        )
        return _page(rows, limit, lambda c: write_cursor(c.closed_ms or 0, c.id))

    async def all(
        self,
        shop_id: ShopId,
        *,
        within: Within = EVERYTHING,
        states: tuple[Life, ...] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ConversationView]:
        """All of the shop that somebody may see (GP-02), the newest first. `states`: only these."""
        (start,) = (_LAST_ID,) if cursor is None else read_cursor(cursor, (str,))
        rows = await self._page(
            f"c.shop_id = $1 AND c.id < $3 AND ($4::text[] IS NULL OR c.state = ANY ($4)) AND {reached(5)}",
            "c.id DESC",
            limit,
            (shop_id, False, start, states, *within.args),
        )
        return _page(rows, limit, lambda c: write_cursor(c.id))

    async def of_customer(
        self,
        shop_id: ShopId,
        customer_id: CustomerId,
        *,
        for_customer: bool = False,
        without: ConversationId | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ConversationView]:
        """A customer's conversations, the newest first, all but the one `without`. `for_customer`: last messages as
        they themselves may see them."""
        (start,) = (_LAST_ID,) if cursor is None else read_cursor(cursor, (str,))
        rows = await self._page(
            "c.shop_id = $1 AND c.customer_id = $3 AND c.id < $4 AND c.id IS DISTINCT FROM $5",
            "c.id DESC",
            limit,
            (shop_id, for_customer, customer_id, start, without),
        )
        return _page(rows, limit, lambda c: write_cursor(c.id))

    async def _page(self, where: str, order: str, limit: int, args: Sequence[Any]) -> list[ConversationView]:
        # One more than asked for tells whether there is more.
        sql = VIEW.format(where=where, order=f"ORDER BY {order} LIMIT ${len(args) + 1}")
        return [view_from(row) for row in await self._db.fetch(sql, *args, limit + 1)]


def _page(
    rows: list[ConversationView], limit: int, cursor: Callable[[ConversationRow], str]
) -> Page[ConversationView]:
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), cursor(rows[limit - 1].conversation) if more else None)
