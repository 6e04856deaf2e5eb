"""A route of the demo's shop page, whose customers are introduced by the server for want of a shop's own backend."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from protocol.states import OrderState
from server.http.fields import Slug, View
from server.http.guard import Given, GuardedRoute, peer_address

router = APIRouter(prefix="/v1/demo", route_class=GuardedRoute, tags=["demo"])


class OrderView(View):
    """An order of the customer."""

    order_id: str
    state: OrderState
    product: str
    title: str
    amount: str


class IntroducedView(View):
    """A customer, and the identity token that the shop's backend would have signed."""

    number: int
    count: int
    """how many there are"""
    name: str
    orders: list[OrderView]
    identity_token: str


@router.get("/identity")
async def introduce(
    deps: Given,
    request: Request,
    shop: Slug,
    customer: Annotated[int, Query(ge=0, le=1000, description="Which of them, counted around.")] = 0,
    language: Literal["en", "zh-CN", "zh-TW"] = "zh-CN",
) -> IntroducedView:
    """One of the demo's customers (in demo mode, from the server's own machine; else 404)."""
    given = await deps.demo_customers.introduce(shop, customer, language, peer_address(request))
    return IntroducedView(
        number=given.number,
        count=given.count,
        name=given.name,
        orders=[
            OrderView(
                order_id=bought.order,
                state=bought.state,
                product=bought.product,
                title=title,
                amount=bought.amount,
            )
            for bought, title in given.orders
        ],
        identity_token=given.token,
    )
