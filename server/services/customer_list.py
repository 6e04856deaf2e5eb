"""The customer list (GP-07): whom somebody may see and change, as far as their rights reach.

Reach `own` covers who is mine and whom I serve now; `groups` also whose owner shares a group with me, and who is
nobody's. What somebody may not see does not exist for them.
"""

from dataclasses import dataclass
from typing import NoReturn

from protocol.errors import not_found
from protocol.ids import CustomerId
from protocol.rights import Reach, Right
from protocol.shapes import Party
from server.services.callers import Caller, CallerEyes
from server.services.customer_news import CustomerNews
from server.services.names import Names
from server.services.scope import Scope, Why, refusal
from server.store.customer_list import CustomerList as Store
from server.store.customer_list import CustomersWanted, Dealings, NoteRow, Sight
from server.store.customers import Customers
from server.store.orders import OrderRow, Orders
from server.store.rows import CustomerRow, Page

NOTES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """A customer, and the colleague who looks after them."""

    customer: CustomerRow
    owner: Party | None


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """Everything that colleagues see of a customer. `notes`: the latest ones, and how to go on."""

    listed: ListedCustomer
    dealings: Dealings
    orders: tuple[OrderRow, ...]
    notes: Page[NoteRow]


class CustomerList:
    """The list with the caller's eyes."""

    def __init__(
        self,
        store: Store,
        customers: Customers,
        orders: Orders,
        scope: Scope,
        names: Names,
        news: CustomerNews,
    ) -> None:
        self._store = store
        self._customers = customers
        self._orders = orders
        self._scope = scope
        self._names = names
        self._news = news

    async def page(
        self, caller: Caller, wanted: CustomersWanted, *, cursor: str | None, limit: int
    ) -> Page[ListedCustomer]:
        """One page of those whom the caller may see, the newest first."""
        page = await self._store.page(
            caller.shop_id, wanted, await self.sight(caller), cursor=cursor, limit=limit
        )
        return Page(tuple([await self._listed(row) for row in page.rows]), page.cursor)

    async def sight(self, caller: Caller) -> Sight:
        """Whom the caller may see."""
        eyes = CallerEyes(caller)
        reach = (await self._scope.grants(eyes)).get(Right.CUSTOMER_VIEW)
        if reach is Reach.ALL or caller.account_id is None:
            return Sight()
        cover = await self._scope.cover(eyes, Right.CUSTOMER_VIEW)
        served = await self._store.served_by(caller.shop_id, caller.account_id)
        owners = None if cover.accounts is None else tuple(cover.accounts)
        return Sight(owners=owners, unowned=reach is Reach.GROUPS, served=served)

    async def get(self, caller: Caller, customer: CustomerId) -> CustomerFile:
        """A customer with everything. NOT_FOUND."""
        row = await self.seen(caller, await self._customers.get(caller.shop_id, customer))
        return await self._file(row)

    async def seen(self, caller: Caller, row: CustomerRow) -> CustomerRow:
        """The customer, if the caller may see them; else NOT_FOUND."""
        if await self._judge(caller, Right.CUSTOMER_VIEW, row) is not Why.PERMITTED:
            raise not_found("customer")
        return row

    async def of_order(self, caller: Caller, order: OrderRow) -> None:
        """Raise NOT_FOUND unless the caller may see whose order it is."""
        row = await self._customers.get(caller.shop_id, order.customer_id)
        if await self._judge(caller, Right.CUSTOMER_VIEW, row) is not Why.PERMITTED:
            raise not_found("order")

    async def set_tags(self, caller: Caller, customer: CustomerId, tags: tuple[str, ...]) -> CustomerFile:
        """Replace the tags. NOT_FOUND, FORBIDDEN."""
        await self._may_edit(caller, customer)
        row, talks = await self._store.set_tags(caller.shop_id, customer, tags)
        await self._news.changed(caller.shop_id, [customer], talks)
        return await self._file(row)

    async def add_note(self, caller: Caller, customer: CustomerId, text: str) -> NoteRow:
        """Note something, for colleagues only. NOT_FOUND, FORBIDDEN."""
        await self._may_edit(caller, customer)
        return await self._store.add_note(caller.shop_id, customer, caller.account, text)

    async def notes(
        self, caller: Caller, customer: CustomerId, *, cursor: str | None, limit: int
    ) -> Page[NoteRow]:
        """What was noted, the latest first. NOT_FOUND."""
        row = await self.seen(caller, await self._customers.get(caller.shop_id, customer))
        return await self._store.notes(caller.shop_id, row.id, cursor=cursor, limit=limit)

    async def _file(self, row: CustomerRow) -> CustomerFile:
        return CustomerFile(
            listed=await self._listed(row),
            dealings=await self._store.dealings(row.shop_id, row.id),
            orders=tuple(await self._orders.of_customer(row.shop_id, row.id)),
            notes=await self._store.notes(row.shop_id, row.id, limit=NOTES_SHOWN),
        )

    async def _listed(self, row: CustomerRow) -> ListedCustomer:
        owner = None if row.owner_id is None else await self._names.party(row.shop_id, row.owner_id)
        return ListedCustomer(row, owner)

    async def _may_edit(self, caller: Caller, customer: CustomerId) -> None:
        row = await self.seen(caller, await self._customers.get(caller.shop_id, customer))
        why = await self._judge(caller, Right.CUSTOMER_EDIT, row)
        if why is not Why.PERMITTED:
            _refuse(why)

    async def _judge(self, caller: Caller, right: Right, row: CustomerRow) -> Why:
        """As the scope engine judges; and whom one serves now is within every reach of seeing and editing."""
        why = await self._scope.judge(CallerEyes(caller), right, customer=row)
        if why is not Why.OUT_OF_SCOPE or caller.account_id is None:
            return why
        talk = await self._store.open_conversation(row.shop_id, row.id)
        return Why.PERMITTED if talk is not None and caller.account_id in talk.speaking else why


def _refuse(why: Why) -> NoReturn:
    raise refusal(why, "change what is known of this customer", Right.CUSTOMER_EDIT)
