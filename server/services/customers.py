"""What the shop's systems tell about customers and orders; it counts at the next routing (KS-06, KS-15)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protocol.ids import CustomerId, ShopId
from protocol.states import OrderState
from server.store.customers import Customers as CustomerStore
from server.store.orders import OrderRow
from server.store.orders import Orders as OrderStore
from server.store.rows import CustomerRow


@dataclass(frozen=True, slots=True)
class CustomerFact:
    """What is known of a customer; None: nothing new. Times in milliseconds since 1970 UTC."""

    external_id: str
    name: str | None = None
    tags: tuple[str, ...] | None = None
    first_paid_ms: int | None = None
    last_bought_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OrderFact:
    """An order as it is now."""

    order_id: str
    customer_external_id: str
    state: OrderState
    changed_ms: int
    title: str = ""
    amount: str = ""


Retagged = Callable[[ShopId, CustomerId], Awaitable[None]]
"""Whoever goes by the tags of customers hears that they may have changed: the shop's rules."""


async def nobody_asks(_shop: ShopId, _customer: CustomerId) -> None:
    """There are no rules."""


class CustomerFacts:
    """Keeps facts. Repeating one changes nothing; an older one about an order changes nothing either."""

    def __init__(
        self, *, customers: CustomerStore, orders: OrderStore, retagged: Retagged = nobody_asks
    ) -> None:
        self._customers = customers
        self._orders = orders
        self._retagged = retagged

    async def get(self, shop: ShopId, external_id: str) -> CustomerRow:
        """A known customer; NOT_FOUND."""
        return await self._customers.by_external_id(shop, external_id)

    async def put(self, shop: ShopId, fact: CustomerFact) -> CustomerRow:
        """Make known, or bring up to date."""
        row = await self._customers.put(
            shop,
            fact.external_id,
            name=fact.name,
            tags=fact.tags,
            first_paid_ms=fact.first_paid_ms,
            last_bought_ms=fact.last_bought_ms,
        )
        if fact.tags is not None:
            await self._retagged(shop, row.id)
        return row

    async def get_order(self, shop: ShopId, order_id: str) -> OrderRow:
        """An order; NOT_FOUND."""
        return await self._orders.get(shop, order_id)

    async def put_order(self, shop: ShopId, fact: OrderFact) -> OrderRow:
        """Make an order known (and its customer), or bring it up to date. The order as it is known now."""
        customer = await self.put(shop, CustomerFact(fact.customer_external_id))
        return await self.keep_order(shop, customer.id, fact)

    async def keep_order(self, shop: ShopId, customer: CustomerId, fact: OrderFact) -> OrderRow:
        """The same, for a customer of ours."""
        return await self._orders.put(
            shop,
            fact.order_id,
            customer_id=customer,
            state=fact.state,
            changed_ms=fact.changed_ms,
            title=fact.title,
            amount=fact.amount,
        )
