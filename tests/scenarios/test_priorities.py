"""The two switches: new customers go to the front (KS-15), returning ones to their agent whatever stands
against it (KS-16)."""

import time

import pytest

from tests.scenarios.house import Customer, House, Shop

DAY_MS = 24 * 3600 * 1000


async def buyer(shop: Shop, name: str, *, bought_days_ago: float, first_paid_days_ago: float) -> Customer:
    """A customer with these purchases."""
    now = int(time.time() * 1000)
    return await shop.customer(
        name,
        last_bought_ms=int(now - bought_days_ago * DAY_MS),
        first_paid_ms=int(now - first_paid_days_ago * DAY_MS),
    )


async def busy_shop(house: House, **policy: object) -> Shop:
    """A shop whose only agent is paused."""
    shop = await house.shop(**policy)
    await shop.agent("Lily", status="paused")
    return shop


# --- KS-15 -----------------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-15")
async def test_a_new_customer_goes_to_the_very_front_of_the_queue(house: House) -> None:
    shop = await busy_shop(house, new_customer_priority=True)
    bob = await shop.customer("Bob")
    await bob.waits()
    ada = await buyer(shop, "Ada", bought_days_ago=29, first_paid_days_ago=179)

    assert await ada.waits() == ("default", 1, "all_full")
    queue = (await bob.service()).queue
    assert queue is not None
    assert queue.place == 2


@pytest.mark.req("KS-15")
async def test_several_new_customers_keep_their_order_among_themselves(house: House) -> None:
    shop = await busy_shop(house, new_customer_priority=True)
    customers = [
        await buyer(shop, name, bought_days_ago=1, first_paid_days_ago=1) for name in ("Ada", "Cleo")
    ]

    assert [(await customer.waits())[1] for customer in customers] == [1, 2]


@pytest.mark.req("KS-15")
async def test_the_new_customer_is_also_served_first(house: House) -> None:
    shop = await house.shop(new_customer_priority=True)
    lily = await shop.agent("Lily", status="paused", capacity=1)
    bob, ada = await shop.customer("Bob"), await buyer(shop, "Ada", bought_days_ago=1, first_paid_days_ago=1)
    await bob.waits()
    await ada.waits()

    await lily.sets("online")

    assert [each.customer.name for each in await lily.mine()] == ["Ada"]


@pytest.mark.req("KS-15")
@pytest.mark.parametrize(
    ("bought", "first_paid"), [(31, 31), (1, 181)], ids=["bought too long ago", "first paid too long ago"]
)
async def test_outside_either_window_a_customer_is_not_new(
    house: House, bought: int, first_paid: int
) -> None:
    shop = await busy_shop(house, new_customer_priority=True)
    await (await shop.customer("Bob")).waits()
    ada = await buyer(shop, "Ada", bought_days_ago=bought, first_paid_days_ago=first_paid)

    assert await ada.waits() == ("default", 2, "all_full")


@pytest.mark.req("KS-15")
async def test_without_the_switch_a_new_customer_waits_like_everybody(house: House) -> None:
    shop = await busy_shop(house)
    await (await shop.customer("Bob")).waits()
    ada = await buyer(shop, "Ada", bought_days_ago=1, first_paid_days_ago=1)

    assert await ada.waits() == ("default", 2, "all_full")


# --- KS-16 -----------------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-16")
@pytest.mark.parametrize("mode", ["basic", "grouped"])
async def test_with_the_switch_a_full_agent_gets_the_returning_customer(house: House, mode: str) -> None:
    shop = await house.shop(returning_customer_priority=True)
    await shop.grouped({"no_active_order": "Advice"}, mode=mode)
    max_ = await shop.agent("Max", capacity=1, groups=("Advice",))
    assert await (await shop.customer("Bob")).reaches() == "Max"
    await shop.agent("Lily", groups=("Advice",))
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    conversation = await ada.opens()

    assert await max_.explains(conversation) == [("returning_priority", "taken")]


@pytest.mark.req("KS-16")
@pytest.mark.parametrize("mode", ["basic", "grouped"])
async def test_with_the_switch_a_paused_agent_gets_the_returning_customer(house: House, mode: str) -> None:
    shop = await house.shop(returning_customer_priority=True)
    await shop.grouped({"no_active_order": "Advice"}, mode=mode)
    max_ = await shop.agent("Max", status="paused", groups=("Advice",))
    await shop.agent("Lily", groups=("Advice",))
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Max"


@pytest.mark.req("KS-16")
@pytest.mark.parametrize("mode", ["basic", "grouped"])
async def test_with_the_switch_an_offline_agent_still_gets_nobody(house: House, mode: str) -> None:
    shop = await house.shop(returning_customer_priority=True)
    await shop.grouped({"no_active_order": "Advice"}, mode=mode)
    max_ = await shop.agent("Max", status="offline", groups=("Advice",))
    await shop.agent("Lily", groups=("Advice",))
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-14", "KS-16")
@pytest.mark.parametrize("mode", ["basic", "grouped"])
async def test_with_the_switch_an_excluded_agent_still_gets_nobody(house: House, mode: str) -> None:
    shop = await house.shop(returning_customer_priority=True)
    await shop.grouped({"no_active_order": "Advice"}, mode=mode)
    max_ = await shop.agent("Max", excluded=True, groups=("Advice",))
    await shop.agent("Lily", groups=("Advice",))
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-16")
async def test_the_switch_is_for_contacts_of_the_last_72_hours(house: House) -> None:
    shop = await house.shop(returning_customer_priority=True)
    await shop.agent("Lily")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_, hours_ago=73)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-16", "KS-01")
async def test_contact_is_what_an_agent_wrote_not_what_was_only_assigned(house: House) -> None:
    shop = await house.shop(wrap_up_s=0, returning_customer_priority=True)
    lily, max_ = await shop.agent("Lily"), await shop.agent("Max")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.says(conversation, "I answer")
    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)
    await max_.asks("conversation.end", conversation_id=conversation)  # without a word to her
    await ada.sees(conversation, state="closed")

    again = await ada.opens("me again")

    assert await lily.explains(again) == [("returning_priority", "taken")]
