"""Names for ids: accounts and customers, remembered for a short while, because every push shows one.

A renamed person may be shown by the old name for up to `KEEP_S`.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from protocol.ids import AccountId, CustomerId, ShopId
from protocol.shapes import Party
from protocol.states import Role
from server.store.accounts import Accounts
from server.store.customers import Customers
from server.store.rows import CustomerRow

KEEP_S = 5.0
KEEP_MOST = 20_000
"""Remembered people of each kind; the least recently asked for go first."""

ValueT = TypeVar("ValueT")


class _Memory(Generic[ValueT]):
    """The last values, for a while."""

    def __init__(self, load: Callable[[ShopId, str], Awaitable[ValueT]]) -> None:
        self._load = load
        self._kept: OrderedDict[tuple[ShopId, str], tuple[float, ValueT]] = OrderedDict()

    async def get(self, shop: ShopId, key: str) -> ValueT:
        kept = self._kept.get((shop, key))
        now = time.monotonic()
        if kept is not None and kept[0] > now:
            self._kept.move_to_end((shop, key))
            return kept[1]
        value = await self._load(shop, key)
        self._kept[shop, key] = (now + KEEP_S, value)
        self._kept.move_to_end((shop, key))
        if len(self._kept) > KEEP_MOST:
            self._kept.popitem(last=False)
        return value

    def forget(self, shop: ShopId, key: str) -> None:
        self._kept.pop((shop, key), None)


class Names:
    """Who people are, for showing."""

    def __init__(self, accounts: Accounts, customers: Customers) -> None:
        self._accounts = accounts
        self._parties = _Memory[Party](self._load_party)
        self._customers = _Memory[CustomerRow](lambda shop, key: customers.get(shop, CustomerId(key)))

    async def party(self, shop: ShopId, account: AccountId) -> Party:
        """An account as a party to a conversation. One that exists no longer has no name."""
        return await self._parties.get(shop, account)

    async def customer(self, shop: ShopId, customer: CustomerId) -> CustomerRow:
        """A customer. Raises NOT_FOUND."""
        return await self._customers.get(shop, customer)

    def forget(self, shop: ShopId, person: str) -> None:
        """This person changed."""
        self._parties.forget(shop, person)
        self._customers.forget(shop, person)

    async def _load_party(self, shop: ShopId, key: str) -> Party:
        account = await self._accounts.find(shop, AccountId(key))
        if account is None:
            return Party(kind="agent", id=key, name="")
        return Party(kind="bot" if Role.BOT in account.roles else "agent", id=key, name=account.name)
