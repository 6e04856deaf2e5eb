"""What overrides the week (GP-06): holidays of a shop, shifts by date, duty by hand."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

import asyncpg

from protocol.errors import not_found
from protocol.ids import AccountId, GroupId, ShopId
from server.store.database import Database, Row

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""The days that a schedule may name."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day in the shop's time zone: minutes since midnight, the end exclusive. An end above 1440 lies on
    the day after. `group_id` None: for all groups of the account."""

    start_minute: int
    end_minute: int
    group_id: GroupId | None = None


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which the shop is open only for these stretches; none: not at all."""

    day: date
    name: str
    hours: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class DatedDay:
    """What an account works on one date instead of its week and of any holiday; nothing: off."""

    account_id: AccountId
    day: date
    note: str = ""
    hours: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class ByHand:
    """On or off duty by a manager's word, whatever the schedule says. `until_ms` None: until it is taken back."""

    account_id: AccountId
    on_duty: bool
    until_ms: int | None
    reason: str = ""
    by: AccountId | None = None
    set_ms: int = 0


@dataclass(frozen=True, slots=True)
class Overrides:
    """All of it, of one account or of everybody."""

    holidays: tuple[Holiday, ...] = ()
    dated: dict[AccountId, tuple[DatedDay, ...]] = field(default_factory=dict)
    by_hand: dict[AccountId, ByHand] = field(default_factory=dict)


class Hours:
    """Overrides of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def overrides(
        self, shop_id: ShopId, first: date, last: date, account_id: AccountId | None = None
    ) -> Overrides:
        """Everything that may decide about these days (both included), of one account or of everybody."""
        dated: dict[AccountId, list[DatedDay]] = {}
        for day in await self._dated(shop_id, first, last, account_id):
            dated.setdefault(day.account_id, []).append(day)
        by_hand = await self._db.fetch(
            "SELECT * FROM duty_by_hand WHERE shop_id = $1 AND ($2::uuid IS NULL OR account_id = $2)",
            shop_id,
            account_id,
        )
        return Overrides(
            await self.holidays(shop_id, first, last),
            {account: tuple(days) for account, days in dated.items()},
            {row["account_id"]: _by_hand(row) for row in by_hand},
        )

    # --- holidays ----------------------------------------------------------------------------------------------------
    async def holidays(
        self, shop_id: ShopId, first: date = FIRST_DAY, last: date = LAST_DAY
    ) -> tuple[Holiday, ...]:
        """The shop's holidays, by date."""
        rows = await self._db.fetch(
            """
            SELECT h.day, h.name, array_agg(o.start_minute ORDER BY o.start_minute) AS starts,
                array_agg(o.end_minute ORDER BY o.start_minute) AS ends
            FROM holidays h LEFT JOIN holiday_hours o ON o.shop_id = h.shop_id AND o.day = h.day
            WHERE h.shop_id = $1 AND h.day BETWEEN $2 AND $3 GROUP BY h.day, h.name ORDER BY h.day
            """,
            shop_id,
            first,
            last,
        )
        return tuple(
            Holiday(
                row["day"],
                row["name"],
                tuple(
                    Stretch(start, end)
                    for start, end in zip(row["starts"], row["ends"], strict=True)
                    if start is not None
                ),
            )
            for row in rows
        )

    async def set_holidays(self, shop_id: ShopId, holidays: tuple[Holiday, ...]) -> None:
        """Replace all of them."""
        async with self._db.transaction() as transaction:
            # One change at a time: two lists must not be mixed.
            await transaction.execute("SELECT FROM shops WHERE id = $1 FOR NO KEY UPDATE", shop_id)
            await transaction.execute("DELETE FROM holidays WHERE shop_id = $1", shop_id)
            await transaction.execute(
                "INSERT INTO holidays (shop_id, day, name) SELECT $1, * FROM unnest($2::date[], $3::text[])",
                shop_id,
                [holiday.day for holiday in holidays],
                [holiday.name for holiday in holidays],
            )
            hours = [(holiday.day, stretch) for holiday in holidays for stretch in holiday.hours]
            await transaction.execute(
                """
                INSERT INTO holiday_hours (shop_id, day, start_minute, end_minute)
                SELECT $1, * FROM unnest($2::date[], $3::smallint[], $4::smallint[])
                """,
                shop_id,
                [day for day, _ in hours],
                [stretch.start_minute for _, stretch in hours],
                [stretch.end_minute for _, stretch in hours],
            )

    # --- shifts by date ----------------------------------------------------------------------------------------------
    async def dated(
        self, shop_id: ShopId, account_id: AccountId, first: date, last: date
    ) -> tuple[DatedDay, ...]:
        """The days of an account that override its week, by date."""
        return await self._dated(shop_id, first, last, account_id)

    async def set_dated(self, shop_id: ShopId, day: DatedDay) -> None:
        """Replace what an account works on a date. NOT_FOUND: the account, or a group, is not in this shop."""
        try:
            async with self._db.transaction() as transaction:
                await transaction.execute(
                    """
                    INSERT INTO dated_days (shop_id, account_id, day, note) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (account_id, day) DO UPDATE SET note = excluded.note
                    """,
                    shop_id,
                    day.account_id,
                    day.day,
                    day.note,
                )
                await transaction.execute(
                    "DELETE FROM dated_shifts WHERE account_id = $1 AND day = $2", day.account_id, day.day
                )
                await transaction.execute(
                    """
                    INSERT INTO dated_shifts (shop_id, account_id, day, start_minute, end_minute, group_id)
                    SELECT $1, $2, $3, * FROM unnest($4::smallint[], $5::smallint[], $6::uuid[])
                    """,
                    shop_id,
                    day.account_id,
                    day.day,
                    [stretch.start_minute for stretch in day.hours],
                    [stretch.end_minute for stretch in day.hours],
                    [stretch.group_id for stretch in day.hours],
                )
        except asyncpg.ForeignKeyViolationError as error:
            raise not_found("group" if "group_id" in (error.constraint_name or "") else "account") from None

    async def delete_dated(self, shop_id: ShopId, account_id: AccountId, day: date) -> None:
        """The week decides about this date again; once more changes nothing."""
        await self._db.execute(
            "DELETE FROM dated_days WHERE shop_id = $1 AND account_id = $2 AND day = $3",
            shop_id,
            account_id,
            day,
        )

    # --- by hand -----------------------------------------------------------------------------------------------------
    async def set_by_hand(self, shop_id: ShopId, given: ByHand) -> None:
        """Put on or off duty; it replaces what was said before. NOT_FOUND: the account is not in this shop."""
        try:
            await self._db.execute(
                """
                INSERT INTO duty_by_hand (shop_id, account_id, on_duty, until, reason, by)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (account_id) DO UPDATE SET on_duty = excluded.on_duty, until = excluded.until,
                    reason = excluded.reason, by = excluded.by, set_at = excluded.set_at
                """,
                shop_id,
                given.account_id,
                given.on_duty,
                given.until_ms,
                given.reason,
                given.by,
            )
        except asyncpg.ForeignKeyViolationError:
            raise not_found("account") from None

    async def end_by_hand(self, shop_id: ShopId, account_id: AccountId) -> None:
        """The schedule decides again; once more changes nothing."""
        await self._db.execute(
            "DELETE FROM duty_by_hand WHERE shop_id = $1 AND account_id = $2", shop_id, account_id
        )

    async def _dated(
        self, shop_id: ShopId, first: date, last: date, account_id: AccountId | None
    ) -> tuple[DatedDay, ...]:
        rows = await self._db.fetch(
            """
            SELECT d.account_id, d.day, d.note, s.start_minute, s.end_minute, s.group_id
            FROM dated_days d LEFT JOIN dated_shifts s ON s.account_id = d.account_id AND s.day = d.day
            WHERE d.shop_id = $1 AND d.day BETWEEN $2 AND $3 AND ($4::uuid IS NULL OR d.account_id = $4)
            ORDER BY d.account_id, d.day, s.start_minute, s.group_id
            """,
            shop_id,
            first,
            last,
            account_id,
        )
        found: dict[tuple[AccountId, date], tuple[str, list[Stretch]]] = {}
        for row in rows:
            _, hours = found.setdefault((row["account_id"], row["day"]), (row["note"], []))
            if row["start_minute"] is not None:
                hours.append(Stretch(row["start_minute"], row["end_minute"], row["group_id"]))
        return tuple(
            DatedDay(account, day, note, tuple(hours)) for (account, day), (note, hours) in found.items()
        )


def _by_hand(row: Row) -> ByHand:
    return ByHand(row["account_id"], row["on_duty"], row["until"], row["reason"], row["by"], row["set_at"])
