"""Accounts: the people of a shop, and its bots."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, ShopId, new_id
from protocol.states import AgentStatus, PauseMode
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database, Row
from server.store.failures import unique_taken
from server.store.rows import Page

_TAKEN: Final = {"accounts_email": ("email_taken", "Another account has this e-mail address.")}
_SET: Final = {
    "email": "email = ${}",
    "name": "name = ${}",
    "roles": "roles = ${}",
    "capacity": "capacity = ${}",
    "pause_mode": "pause_mode = ${}",
    "pause_at": "pause_at = ${}",
    "excluded": "excluded = ${}",
    "disabled": "disabled_at = CASE WHEN ${}::boolean THEN coalesce(disabled_at, now()) END",
}
"""What `update` may be given, and what it does."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account. `capacity` None: the shop's default. `status`: what they chose last (KS-18). `token_version`:
    tokens of an earlier one are void."""

    id: AccountId
    shop_id: ShopId
    email: str
    name: str
    password_hash: str
    """empty: no password has been set, nobody can sign in with one"""
    roles: frozenset[str]
    capacity: int | None
    pause_mode: PauseMode
    pause_at: int | None
    excluded: bool
    status: AgentStatus
    status_ms: int
    device: str
    token_version: int
    created_ms: int
    disabled_ms: int | None


@dataclass(frozen=True, slots=True)
class LastSeen:
    """How somebody was connected last: the most patient kind of device since they came to work (empty: not known), and
    whether they are counted offline since (KS-18)."""

    device: str
    away: bool


class Accounts:
    """Accounts of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self,
        shop_id: ShopId,
        *,
        email: str,
        name: str,
        password_hash: str,
        roles: frozenset[str],
        capacity: int | None = None,
        pause_mode: PauseMode = PauseMode.BY_HAND,
        pause_at: int | None = None,
        excluded: bool = False,
        account_id: AccountId | None = None,
    ) -> AccountRow:
        """A new account, offline. CONFLICT `email_taken` (upper and lower case alike); INVALID_PARAMS
        `unknown_role`."""
        with unique_taken(_TAKEN), _roles_there():
            row = await self._db.fetchrow(
                """
                INSERT INTO accounts (
                    id, shop_id, email, name, password_hash, roles, capacity, pause_mode, pause_at, excluded
                ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *
                """,
                account_id or new_id(),
                shop_id,
                email,
                name,
                password_hash,
                sorted(roles),
                capacity,
                pause_mode,
                pause_at,
                excluded,
            )
        return _there(row)

    async def get(self, shop_id: ShopId, account_id: AccountId) -> AccountRow:
        """One account, disabled or not. NOT_FOUND."""
        return _there(await self._row(shop_id, account_id))

    async def find(self, shop_id: ShopId, account_id: AccountId) -> AccountRow | None:
        """One account, if it is there."""
        row = await self._row(shop_id, account_id)
        return None if row is None else _account(row)

    async def find_by_email(self, shop_id: ShopId, email: str) -> AccountRow | None:
        """The account with this address (upper and lower case alike), if there is one."""
        row = await self._db.fetchrow(
            "SELECT * FROM accounts WHERE shop_id = $1 AND lower(email) = lower($2)", shop_id, email
        )
        return None if row is None else _account(row)

    async def of_shop(self, shop_id: ShopId) -> tuple[AccountRow, ...]:
        """All accounts, disabled ones too, in the order in which they were made."""
        rows = await self._db.fetch("SELECT * FROM accounts WHERE shop_id = $1 ORDER BY id", shop_id)
        return tuple(_account(row) for row in rows)

    async def page(
        self, shop_id: ShopId, *, disabled: bool = False, limit: int = 50, cursor: str | None = None
    ) -> Page[AccountRow]:
        """A page in the order in which they were made. `disabled`: also those. INVALID_PARAMS `bad_cursor`."""
        (after,) = ("",) if cursor is None else read_cursor(cursor, (str,))
        rows = await self._db.fetch(
            """
            SELECT * FROM accounts WHERE shop_id = $1 AND id > $2 AND ($3 OR disabled_at IS NULL)
            ORDER BY id LIMIT $4
            """,
            shop_id,
            after,
            disabled,
            limit + 1,
        )
        accounts = tuple(_account(row) for row in rows[:limit])
        return Page(accounts, write_cursor(accounts[-1].id) if len(rows) > limit else None)

    async def update(self, shop_id: ShopId, account_id: AccountId, given: Mapping[str, Any]) -> AccountRow:
        """Change what is given: email, name, roles, capacity, pause_mode, pause_at, excluded, disabled.

        Refused whole: NOT_FOUND, CONFLICT `email_taken`, INVALID_PARAMS `unknown_role`, INVALID_STATE `last_owner` (a
        shop keeps one who can sign in).
        """
        values = {name: sorted(value) if name == "roles" else value for name, value in given.items()}
        changes = ", ".join(_SET[name].format(i) for i, name in enumerate(values, start=3))
        with unique_taken(_TAKEN), _roles_there():
            async with self._db.transaction() as transaction:
                # One change of accounts of a shop at a time: two owners could disable each other.
                await transaction.fetchrow("SELECT id FROM shops WHERE id = $1 FOR NO KEY UPDATE", shop_id)
                owned = "SELECT id FROM accounts WHERE shop_id = $1 AND 'owner' = ANY (roles) AND disabled_at IS NULL"
                before = await transaction.fetch(owned, shop_id)
                row = await transaction.fetchrow(
                    f"UPDATE accounts SET {changes} WHERE shop_id = $1 AND id = $2 RETURNING *",
                    shop_id,
                    account_id,
                    *values.values(),
                )
                if before and not await transaction.fetch(owned, shop_id):
                    raise RequestError(
                        ErrorCode.INVALID_STATE,
                        "last_owner",
                        "A shop keeps at least one owner; make another one first.",
                    )
        return _there(row)

    async def set_status(self, shop_id: ShopId, account_id: AccountId, status: AgentStatus) -> AccountRow:
        """Keep what an agent chose (KS-18). NOT_FOUND."""
        row = await self._db.fetchrow(
            """
            UPDATE accounts SET status = $3,
                status_at = CASE WHEN status = $3 THEN status_at ELSE date_trunc('milliseconds', clock_timestamp()) END
            WHERE shop_id = $1 AND id = $2 RETURNING *
            """,
            shop_id,
            account_id,
            status,
        )
        return _there(row)

    async def came_by(
        self, shop_id: ShopId, account_id: AccountId, device: str, as_patient: Sequence[str]
    ) -> None:
        """Keep on which kind of device somebody is connected, unless they used one of `as_patient` since they came to
        work: the longest grace holds (KS-18), also when live state is lost."""
        await self._db.execute(
            """
            UPDATE accounts SET device = $3
            WHERE shop_id = $1 AND id = $2 AND device <> $3 AND (status = 'offline' OR device <> ALL ($4::text[]))
            """,
            shop_id,
            account_id,
            device,
            list(as_patient),
        )

    async def last_seen(self, shop_id: ShopId) -> dict[AccountId, LastSeen]:
        """How everybody of a shop was connected last."""
        rows = await self._db.fetch(
            """
            SELECT a.id, a.device, coalesce(s.state = 'away', false) AS away
            FROM accounts a LEFT JOIN agent_states s ON s.account_id = a.id AND s.ended_at IS NULL
            WHERE a.shop_id = $1
            """,
            shop_id,
        )
        return {row["id"]: LastSeen(row["device"], row["away"]) for row in rows}

    async def set_capacity(self, shop_id: ShopId, account_id: AccountId, capacity: int | None) -> AccountRow:
        """1 to 500 (KS-19); None: the shop's default. NOT_FOUND."""
        return await self.update(shop_id, account_id, {"capacity": capacity})

    async def rehash(self, shop_id: ShopId, account_id: AccountId, password_hash: str) -> None:
        """Keep a password's new hash. NOT_FOUND."""
        await self._change("password_hash = $3", shop_id, account_id, password_hash)

    async def raise_token_version(self, shop_id: ShopId, account_id: AccountId) -> AccountRow:
        """Make all access tokens void that were given out so far. NOT_FOUND."""
        return await self._change("token_version = token_version + 1", shop_id, account_id)

    async def _change(self, change: str, shop_id: ShopId, account_id: AccountId, *args: Any) -> AccountRow:
        sql = f"UPDATE accounts SET {change} WHERE shop_id = $1 AND id = $2 RETURNING *"
        return _there(await self._db.fetchrow(sql, shop_id, account_id, *args))

    async def _row(self, shop_id: ShopId, account_id: AccountId) -> Row | None:
        return await self._db.fetchrow(
            "SELECT * FROM accounts WHERE shop_id = $1 AND id = $2", shop_id, account_id
        )


@contextmanager
def _roles_there() -> Generator[None]:
    """Inside, a role that the shop has no more is refused."""
    try:
        yield
    except asyncpg.ForeignKeyViolationError as error:
        if error.constraint_name != "accounts_roles":
            raise
        raise RequestError(
            ErrorCode.INVALID_PARAMS,
            "unknown_role",
            "Some of these roles do not exist in this shop.",
            detail=[{"field": "body.roles", "problem": str(error)}],
        ) from None


def _there(row: Row | None) -> AccountRow:
    if row is None:
        raise not_found("account")
    return _account(row)


def _account(row: Row) -> AccountRow:
    return AccountRow(
        id=row["id"],
        shop_id=row["shop_id"],
        email=row["email"],
        name=row["name"],
        password_hash=row["password_hash"],
        roles=frozenset(row["roles"]),
        capacity=row["capacity"],
        pause_mode=PauseMode(row["pause_mode"]),
        pause_at=row["pause_at"],
        excluded=row["excluded"],
        status=AgentStatus(row["status"]),
        status_ms=row["status_at"],
        device=row["device"],
        token_version=row["token_version"],
        created_ms=row["created_at"],
        disabled_ms=row["disabled_at"],
    )
