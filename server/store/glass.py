"""Break-glass: reach over everything, lent to an account for a short time, with a reason."""

from dataclasses import dataclass

from protocol.errors import not_found
from protocol.ids import AccountId, ShopId, new_id
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database, Row
from server.store.rows import Page

_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Glass:
    """One loan. Milliseconds since 1970 UTC. `ended_ms` None: it runs, or ran out a moment ago."""

    id: str
    shop_id: ShopId
    account_id: AccountId
    opened_by: AccountId
    reason: str
    began_ms: int
    until_ms: int
    ended_ms: int | None


class BrokenGlass:
    """The loans of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, shop_id: ShopId, account_id: AccountId, *, opened_by: AccountId, reason: str, minutes: int
    ) -> Glass:
        """A loan that begins now."""
        row = await self._db.fetchrow(
            """
            INSERT INTO break_glass (id, shop_id, account_id, opened_by, reason, began_at, until)
            SELECT $1, $2, $3, $4, $5, moment, moment + make_interval(mins => $6)
            FROM date_trunc('milliseconds', now()) AS moment RETURNING *
            """,
            new_id(),
            shop_id,
            account_id,
            opened_by,
            reason,
            minutes,
        )
        assert row is not None, "RETURNING gives the row"
        return _glass(row)

    async def unbound(self, shop_id: ShopId) -> frozenset[AccountId]:
        """Whose reach is over everything now."""
        rows = await self._db.fetch(
            "SELECT account_id FROM break_glass WHERE shop_id = $1 AND until > now() AND ended_at IS NULL",
            shop_id,
        )
        return frozenset(row["account_id"] for row in rows)

    async def page(self, shop_id: ShopId, *, limit: int, cursor: str | None) -> Page[Glass]:
        """All of them, the newest first. INVALID_PARAMS `bad_cursor`."""
        (before,) = (_LAST_ID,) if cursor is None else read_cursor(cursor, (str,))
        rows = await self._db.fetch(
            "SELECT * FROM break_glass WHERE shop_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            shop_id,
            before,
            limit + 1,
        )
        found = tuple(_glass(row) for row in rows[:limit])
        return Page(found, write_cursor(found[-1].id) if len(rows) > limit else None)

    async def end(self, shop_id: ShopId, glass_id: str) -> tuple[Glass, bool]:
        """End a loan now; and whether it was still running. NOT_FOUND."""
        ended = await self._db.fetchrow(
            """
            UPDATE break_glass SET ended_at = date_trunc('milliseconds', now())
            WHERE shop_id = $1 AND id = $2 AND ended_at IS NULL AND until > now() RETURNING *
            """,
            shop_id,
            glass_id,
        )
        if ended is not None:
            return _glass(ended), True
        over = await self._db.fetchrow(
            "SELECT * FROM break_glass WHERE shop_id = $1 AND id = $2", shop_id, glass_id
        )
        if over is None:
            raise not_found("break_glass")
        return _glass(over), False

    async def run_out(self) -> tuple[Glass, ...]:
        """Mark those whose time is over as ended. Each is given to one caller only, on whichever node."""
        rows = await self._db.fetch(
            "UPDATE break_glass SET ended_at = until WHERE ended_at IS NULL AND until <= now() RETURNING *"
        )
        return tuple(_glass(row) for row in rows)


def _glass(row: Row) -> Glass:
    return Glass(
        id=row["id"],
        shop_id=row["shop_id"],
        account_id=row["account_id"],
        opened_by=row["opened_by"],
        reason=row["reason"],
        began_ms=row["began_at"],
        until_ms=row["until"],
        ended_ms=row["ended_at"],
    )
