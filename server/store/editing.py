"""Changes of a shop's settings, one after the other: what was looked at before is what is replaced."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from protocol.errors import not_found
from protocol.ids import ShopId
from server.store.accounts import Accounts
from server.store.database import Database, Row, Transaction
from server.store.files import Files
from server.store.groups import Groups
from server.store.hours import Hours
from server.store.policies import Policies
from server.store.quick_replies import QuickReplies
from server.store.roles import Roles
from server.store.rules import Rules
from server.store.shops import Shops
from server.store.timers import Timers
from server.store.wall_settings import WallSettings


class OneTransaction(Database):
    """The questions of a `Database`, all in one transaction of it: what stores do that are made with it takes effect
    together, or not at all. It ends with that transaction."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__("")
        self._transaction = transaction

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """All rows."""
        return await self._transaction.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        """The first row; None when there is none."""
        return await self._transaction.fetchrow(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """The number of rows touched."""
        return await self._transaction.execute(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A part of it: an exception takes back the part; the rest goes on if somebody handles it."""
        async with self._transaction.part():
            yield self._transaction


class Editable:
    """Everything that a shop's settings are kept in, in one transaction."""

    def __init__(self, db: OneTransaction) -> None:
        self.shops = Shops(db)
        self.accounts = Accounts(db)
        self.groups = Groups(db)
        self.hours = Hours(db)
        self.policies = Policies(db)
        self.roles = Roles(db)
        self.rules = Rules(db, Timers(db))
        self.files = Files(db)
        self.wall = WallSettings(db)
        self.replies = QuickReplies(db)


class Editing:
    """Lets one change of a shop's settings happen after the other."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @asynccontextmanager
    async def of(self, shop_id: ShopId) -> AsyncGenerator[Editable]:
        """A shop's settings, which nobody else changes meanwhile. An exception takes everything back. NOT_FOUND."""
        async with self._db.transaction() as transaction:
            if not await transaction.fetch("SELECT id FROM shops WHERE id = $1 FOR NO KEY UPDATE", shop_id):
                raise not_found("shop")
            yield Editable(OneTransaction(transaction))
