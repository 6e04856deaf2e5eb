"""Routes for the shop's own systems: what they know of customers and orders. Repeating a PUT changes nothing."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from protocol.states import OrderState
from protocol.times import text_of_ms
from server.http.fields import ONE_LINE, Closed, ExternalId, Instant, Tag, View, milliseconds, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.services.customers import CustomerFact, OrderFact
from server.store.orders import OrderRow
from server.store.rows import CustomerRow

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["customers and orders"])

KnownAs = Annotated[ExternalId, Path(description="The shop's own id.")]


class CustomerBody(Closed):
    """What the shop knows of a customer. What is absent stays as it is."""

    name: Annotated[str, StringConstraints(max_length=80, pattern=ONE_LINE)] | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] | None = None
    first_paid_at: Instant | None = None
    last_bought_at: Instant | None = None


class CustomerView(View):
    """A customer of the shop."""

    id: str
    external_id: str | None
    name: str
    tags: list[str]
    first_paid_at: str | None
    last_bought_at: str | None


class OrderBody(Closed):
    """An order as it is now. An older `changed_at` than what is known changes nothing."""

    customer_id: Annotated[
        ExternalId, Field(description="The shop's own id of the customer; made known by this if new.")
    ]
    state: Annotated[OrderState, Field(strict=False)]
    changed_at: Instant
    title: Annotated[str, StringConstraints(max_length=255, pattern=ONE_LINE)] = ""
    amount: Annotated[str, StringConstraints(max_length=32, pattern=ONE_LINE)] = ""


class OrderView(View):
    """An order as it is known; it decides by its state who serves the customer next (KS-06)."""

    order_id: str
    customer_id: str
    """our id of the customer"""
    state: OrderState
    changed_at: str
    title: str
    amount: str


def _customer(row: CustomerRow) -> CustomerView:
    return CustomerView(
        id=row.id,
        external_id=row.external_id,
        name=row.name,
        tags=list(row.tags),
        first_paid_at=stamp_if(row.first_paid_ms),
        last_bought_at=stamp_if(row.last_bought_ms),
    )


def order_view(row: OrderRow) -> OrderView:
    """As it is given out."""
    return OrderView(
        order_id=row.order_id,
        customer_id=row.customer_id,
        state=OrderState(row.state),
        changed_at=text_of_ms(row.changed_ms),
        title=row.title,
        amount=row.amount,
    )


@router.get("/customers/{external_id}")
async def get_customer(deps: Given, caller: Asking, external_id: KnownAs) -> CustomerView:
    """A customer by the shop's own id."""
    row = await deps.customers.get(caller.shop_id, external_id)
    return _customer(await deps.customer_list.seen(caller, row))


@router.put("/customers/{external_id}")
async def put_customer(deps: Given, caller: Asking, external_id: KnownAs, body: CustomerBody) -> CustomerView:
    """Make a customer known, or tell what changed. It counts at their next routing."""
    fact = CustomerFact(
        external_id=external_id,
        name=body.name,
        tags=None if body.tags is None else tuple(dict.fromkeys(body.tags)),
        first_paid_ms=milliseconds(body.first_paid_at),
        last_bought_ms=milliseconds(body.last_bought_at),
    )
    return _customer(await deps.customers.put(caller.shop_id, fact))


@router.get("/orders/{order_id}")
async def get_order(deps: Given, caller: Asking, order_id: KnownAs) -> OrderView:
    """An order by the shop's own number."""
    row = await deps.customers.get_order(caller.shop_id, order_id)
    await deps.customer_list.of_order(caller, row)
    return order_view(row)


@router.put("/orders/{order_id}")
async def put_order(deps: Given, caller: Asking, order_id: KnownAs, body: OrderBody) -> OrderView:
    """Make an order known, or tell its new state. It counts at the customer's next routing."""
    changed_ms = milliseconds(body.changed_at)
    assert changed_ms is not None, "changed_at is required"
    fact = OrderFact(order_id, body.customer_id, body.state, changed_ms, body.title, body.amount)
    return order_view(await deps.customers.put_order(caller.shop_id, fact))
