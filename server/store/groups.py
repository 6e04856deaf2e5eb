"""Groups (GP-01), who is in them, and working hours (GP-06)."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from protocol.errors import not_found
from protocol.ids import AccountId, GroupId, ShopId, new_id
from server.store.database import Database, Row
from server.store.failures import unique_taken

_TAKEN: Final = {"groups_name": ("group_name_taken", "Another group has this name.")}

_NOBODY: Final = AccountId("")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group. `kind`: region, product_line, customer_type or other."""

    id: GroupId
    shop_id: ShopId
    name: str
    kind: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of a week in the shop's time zone: weekday 0 (Monday) to 6, minutes since midnight, the end
    exclusive; above 1440 it lies on the day after. `group_id` None: for all groups of the account."""

    weekday: int
    start_minute: int
    end_minute: int
    group_id: GroupId | None = None


@dataclass(frozen=True, slots=True)
class ShiftRow(Shift):
    """A shift and whose it is."""

    account_id: AccountId = _NOBODY


class Groups:
    """Groups of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_shop(self, shop_id: ShopId) -> tuple[GroupRow, ...]:
        """All groups, by name."""
        rows = await self._db.fetch("SELECT * FROM groups WHERE shop_id = $1 ORDER BY lower(name)", shop_id)
        return tuple(_group(row) for row in rows)

    async def get(self, shop_id: ShopId, group_id: GroupId) -> GroupRow:
        """One group. NOT_FOUND."""
        return _there(
            await self._db.fetchrow("SELECT * FROM groups WHERE shop_id = $1 AND id = $2", shop_id, group_id)
        )

    async def add(
        self, shop_id: ShopId, *, name: str, kind: str = "other", group_id: GroupId | None = None
    ) -> GroupRow:
        """A new group without members. CONFLICT `group_name_taken`."""
        with unique_taken(_TAKEN):
            row = await self._db.fetchrow(
                "INSERT INTO groups (id, shop_id, name, kind) VALUES ($1, $2, $3, $4) RETURNING *",
                group_id or new_id(),
                shop_id,
                name,
                kind,
            )
        return _there(row)

    async def update(self, shop_id: ShopId, group_id: GroupId, *, name: str, kind: str) -> GroupRow:
        """Rename, or change the kind. NOT_FOUND, CONFLICT `group_name_taken`."""
        with unique_taken(_TAKEN):
            row = await self._db.fetchrow(
                "UPDATE groups SET name = $3, kind = $4 WHERE shop_id = $1 AND id = $2 RETURNING *",
                shop_id,
                group_id,
                name,
                kind,
            )
        return _there(row)

    async def delete(self, shop_id: ShopId, group_id: GroupId) -> None:
        """Delete a group with its memberships and hours. NOT_FOUND."""
        if not await self._db.execute("DELETE FROM groups WHERE shop_id = $1 AND id = $2", shop_id, group_id):
            raise not_found("group")

    async def members(self, shop_id: ShopId, group_id: GroupId) -> tuple[AccountId, ...]:
        """Who is in a group; nobody when it is not there."""
        rows = await self._db.fetch(
            "SELECT account_id FROM group_members WHERE shop_id = $1 AND group_id = $2 ORDER BY account_id",
            shop_id,
            group_id,
        )
        return tuple(row["account_id"] for row in rows)

    async def of_account(self, shop_id: ShopId, account_id: AccountId) -> tuple[GroupId, ...]:
        """In which groups an account is."""
        rows = await self._db.fetch(
            "SELECT group_id FROM group_members WHERE shop_id = $1 AND account_id = $2 ORDER BY group_id",
            shop_id,
            account_id,
        )
        return tuple(row["group_id"] for row in rows)

    async def memberships(self, shop_id: ShopId) -> dict[AccountId, tuple[GroupId, ...]]:
        """In which groups everybody is; those in none are left out."""
        rows = await self._db.fetch(
            """
            SELECT account_id, array_agg(group_id ORDER BY group_id) AS groups FROM group_members
            WHERE shop_id = $1 GROUP BY account_id
            """,
            shop_id,
        )
        return {row["account_id"]: tuple(row["groups"]) for row in rows}

    async def add_member(self, shop_id: ShopId, group_id: GroupId, account_id: AccountId) -> None:
        """Put an account into a group; once more changes nothing. NOT_FOUND: one of them is not in this shop."""
        try:
            await self._db.execute(
                "INSERT INTO group_members (shop_id, group_id, account_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                shop_id,
                group_id,
                account_id,
            )
        except asyncpg.ForeignKeyViolationError as error:
            raise not_found("group" if "group_id" in (error.constraint_name or "") else "account") from None

    async def remove_member(self, shop_id: ShopId, group_id: GroupId, account_id: AccountId) -> None:
        """Take an account out of a group, with its hours for it; once more changes nothing."""
        async with self._db.transaction() as transaction:
            args = (shop_id, group_id, account_id)
            await transaction.execute(
                "DELETE FROM schedules WHERE shop_id = $1 AND group_id = $2 AND account_id = $3", *args
            )
            await transaction.execute(
                "DELETE FROM dated_shifts WHERE shop_id = $1 AND group_id = $2 AND account_id = $3", *args
            )
            await transaction.execute(
                "DELETE FROM group_members WHERE shop_id = $1 AND group_id = $2 AND account_id = $3", *args
            )

    async def shifts(self, shop_id: ShopId, account_id: AccountId | None = None) -> tuple[ShiftRow, ...]:
        """Working hours of one account, or of everybody, in the order of the week. None at all: always on duty."""
        rows = await self._db.fetch(
            """
            SELECT * FROM schedules WHERE shop_id = $1 AND ($2::uuid IS NULL OR account_id = $2)
            ORDER BY account_id, weekday, start_minute, group_id
            """,
            shop_id,
            account_id,
        )
        return tuple(
            ShiftRow(
                row["weekday"], row["start_minute"], row["end_minute"], row["group_id"], row["account_id"]
            )
            for row in rows
        )

    async def set_shifts(self, shop_id: ShopId, account_id: AccountId, shifts: tuple[Shift, ...]) -> None:
        """Replace an account's whole week. NOT_FOUND: the account, or a group, is not in this shop."""
        try:
            async with self._db.transaction() as transaction:
                account = await transaction.fetchrow(
                    "SELECT id FROM accounts WHERE shop_id = $1 AND id = $2 FOR NO KEY UPDATE",
                    shop_id,
                    account_id,
                )
                if account is None:
                    raise not_found("account")
                await transaction.execute(
                    "DELETE FROM schedules WHERE shop_id = $1 AND account_id = $2", shop_id, account_id
                )
                await transaction.execute(
                    """
                    INSERT INTO schedules (shop_id, account_id, weekday, start_minute, end_minute, group_id)
                    SELECT $1, $2, * FROM unnest($3::smallint[], $4::smallint[], $5::smallint[], $6::uuid[])
                    """,
                    shop_id,
                    account_id,
                    [shift.weekday for shift in shifts],
                    [shift.start_minute for shift in shifts],
                    [shift.end_minute for shift in shifts],
                    [shift.group_id for shift in shifts],
                )
        except asyncpg.ForeignKeyViolationError:
            raise not_found("group") from None


def _there(row: Row | None) -> GroupRow:
    if row is None:
        raise not_found("group")
    return _group(row)


def _group(row: Row) -> GroupRow:
    return GroupRow(row["id"], row["shop_id"], row["name"], row["kind"], row["created_at"])
