"""A shop's routing settings and their history (KS-23). Knows nothing of what they mean."""

from dataclasses import dataclass
from typing import Any

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, ShopId
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database
from server.store.rows import Page

_BEFORE_ALL = 2**62


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """The settings that hold, and their revision."""

    policy: dict[str, Any]
    rev: int


@dataclass(frozen=True, slots=True)
class PolicyChangeRow:
    """One change: revision `rev` is `after`. `by` None: a system, not a person."""

    rev: int
    at_ms: int
    by: AccountId | None
    note: str
    before: dict[str, Any] | None
    after: dict[str, Any]


class Policies:
    """Settings of all shops."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, shop_id: ShopId) -> PolicyRow:
        """What holds. NOT_FOUND."""
        row = await self._db.fetchrow("SELECT policy, policy_rev FROM shops WHERE id = $1", shop_id)
        if row is None:
            raise not_found("shop")
        return PolicyRow(row["policy"], row["policy_rev"])

    async def update(
        self,
        shop_id: ShopId,
        *,
        expected_rev: int,
        policy: dict[str, Any],
        by: AccountId | None,
        note: str = "",
    ) -> PolicyRow:
        """Replace them, and record it. Equal to what holds: nothing changes, nothing is recorded.

        CONFLICT `stale_rev` (detail: the revision that holds): somebody was faster. NOT_FOUND.
        """
        async with self._db.transaction() as transaction:
            shop = await transaction.fetchrow(
                "SELECT policy, policy_rev, policy = $2 AS same FROM shops WHERE id = $1 FOR NO KEY UPDATE",
                shop_id,
                policy,
            )
            if shop is None:
                raise not_found("shop")
            if shop["policy_rev"] != expected_rev:
                raise RequestError(
                    ErrorCode.CONFLICT,
                    "stale_rev",
                    "These settings were changed meanwhile; look at them again.",
                    detail={"rev": shop["policy_rev"]},
                )
            if shop["same"]:
                return PolicyRow(shop["policy"], expected_rev)
            await transaction.execute(
                "UPDATE shops SET policy = $2, policy_rev = policy_rev + 1 WHERE id = $1", shop_id, policy
            )
            await transaction.execute(
                """
                INSERT INTO policy_history (shop_id, rev, by, before, after, note) VALUES ($1, $2, $3, $4, $5, $6)
                """,
                shop_id,
                expected_rev + 1,
                by,
                shop["policy"],
                policy,
                note,
            )
        return PolicyRow(policy, expected_rev + 1)

    async def history(
        self, shop_id: ShopId, *, limit: int = 50, cursor: str | None = None
    ) -> Page[PolicyChangeRow]:
        """Changes, the newest first. INVALID_PARAMS `bad_cursor`."""
        (before,) = (_BEFORE_ALL,) if cursor is None else read_cursor(cursor, (int,))
        rows = await self._db.fetch(
            "SELECT * FROM policy_history WHERE shop_id = $1 AND rev < $2 ORDER BY rev DESC LIMIT $3",
            shop_id,
            before,
            limit + 1,
        )
        changes = tuple(
            PolicyChangeRow(row["rev"], row["at"], row["by"], row["note"], row["before"], row["after"])
            for row in rows[:limit]
        )
        return Page(changes, write_cursor(changes[-1].rev) if len(rows) > limit else None)
