"""A customer with several orders counts by one of them (KS-06): which, is seen by the desk that they come to."""

import time

import pytest

from protocol.ids import CustomerId
from protocol.states import OrderState
from tests.scenarios.house import Customer, House, Shop

DAY_MS = 24 * 3600 * 1000


async def two_desks(house: House) -> Shop:
    """One desk per order state that matters here, and one for customers without an active order."""
    shop = await house.shop()
    await shop.grouped({"shipped_unsigned": "Parcels", "after_sale": "Refunds", "no_active_order": "Advice"})
    for desk in ("Parcels", "Refunds", "Advice"):
        await shop.agent(desk, groups=(desk,))
    return shop


async def ordered(customer: Customer, order_id: str, state: str, *, days_ago: float) -> None:
    """The shop says that an order of this customer changed to this state that long ago."""
    shop = customer.shop
    changed_ms = int(time.time() * 1000 - days_ago * DAY_MS)
    await shop.app.order_store.put(
        shop.id, order_id, customer_id=CustomerId(customer.id), state=OrderState(state), changed_ms=changed_ms
    )


@pytest.mark.req("KS-06")
async def test_the_order_on_the_entry_card_decides(house: House) -> None:
    shop = await two_desks(house)
    ada = await shop.customer("Ada")
    await ordered(ada, "coat", "after_sale", days_ago=1)
    await ordered(ada, "shoes", "shipped_unsigned", days_ago=20)

    conversation = await ada.opened(order_id="shoes")

    assert conversation.owner is not None
    assert (conversation.order_id, conversation.owner.name) == ("shoes", "Parcels")


@pytest.mark.req("KS-06")
async def test_without_a_card_an_open_after_sale_decides(house: House) -> None:
    shop = await two_desks(house)
    ada = await shop.customer("Ada")
    await ordered(ada, "coat", "after_sale", days_ago=20)
    await ordered(ada, "shoes", "shipped_unsigned", days_ago=1)

    assert await ada.reaches() == "Refunds"


@pytest.mark.req("KS-06")
async def test_otherwise_the_order_changed_last_decides(house: House) -> None:
    shop = await two_desks(house)
    ada = await shop.customer("Ada")
    await ordered(ada, "hat", "no_active_order", days_ago=3)
    await ordered(ada, "shoes", "shipped_unsigned", days_ago=2)

    assert await ada.reaches() == "Parcels"


@pytest.mark.req("KS-06")
async def test_orders_older_than_the_look_back_do_not_count(house: House) -> None:
    shop = await two_desks(house)
    ada = await shop.customer("Ada")
    await ordered(ada, "shoes", "shipped_unsigned", days_ago=31)

    assert await ada.reaches() == "Advice"


@pytest.mark.req("KS-06")
async def test_an_order_of_somebody_else_is_no_entry_card(house: House) -> None:
    shop = await two_desks(house)
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    await ordered(bob, "bobs-coat", "after_sale", days_ago=1)

    conversation = await ada.opened(order_id="bobs-coat")

    assert conversation.owner is not None
    assert (conversation.order_id, conversation.owner.name) == (None, "Advice")
