"""Overflow: when the last of a group goes, everybody may serve its customers; when somebody returns, that ends."""

import pytest

from tests.scenarios.house import Agent, Customer, House, Shop


async def refunds_and_sales(house: House) -> tuple[Shop, Agent, Agent]:
    """Lily does refunds, one at a time; Max is in no group of refunds and takes one at a time too."""
    shop = await house.shop(wrap_up_s=0)
    await shop.grouped({"after_sale": "Refunds", "placed_unpaid": "Sales"})
    lily = await shop.agent("Lily", groups=("Refunds",), capacity=1)
    max_ = await shop.agent("Max", groups=("Sales",), capacity=1)
    return shop, lily, max_


async def refund(shop: Shop, name: str) -> Customer:
    return await shop.customer(name, order_state="after_sale")


@pytest.mark.req("KS-09")
async def test_those_who_wait_already_overflow_when_the_last_of_their_group_leaves(house: House) -> None:
    shop, lily, max_ = await refunds_and_sales(house)
    assert await (await refund(shop, "Bob")).reaches() == "Lily"
    ada = await refund(shop, "Ada")
    assert await ada.waits() == ("after_sale", 1, "all_full")

    await lily.sets("offline", open_conversations="keep")

    overflowed = await ada.sees((await ada.service()).conversation_id, state="active", owner=max_.id)
    decisions = await max_.asks("conversation.explain", conversation_id=overflowed.conversation_id)
    assert decisions.decisions[-1].reason == "overflow"


@pytest.mark.req("KS-09")
async def test_when_the_others_are_full_too_it_waits_in_its_own_pool_open_to_everybody(house: House) -> None:
    shop, lily, max_ = await refunds_and_sales(house)
    await lily.sets("offline")
    assert await (await refund(shop, "Bob")).reaches() == "Max"
    ada = await refund(shop, "Ada")
    assert await ada.waits() == ("after_sale", 1, "all_full")

    why = await max_.asks("conversation.explain", conversation_id=(await ada.service()).conversation_id)

    assert why.waiting.open_to_everybody
    assert [(each.agent.name, each.why) for each in why.waiting.agents] == [
        ("Lily", "offline"),
        ("Max", "full"),
    ]


@pytest.mark.req("KS-09")
async def test_during_overflow_whoever_has_room_first_gets_it(house: House) -> None:
    shop, lily, max_ = await refunds_and_sales(house)
    await lily.sets("offline")
    first = await (await refund(shop, "Bob")).opens()
    ada = await refund(shop, "Ada")
    await ada.waits()

    await max_.asks("conversation.end", conversation_id=first)

    await ada.sees((await ada.service()).conversation_id, state="active", owner=max_.id)


@pytest.mark.req("KS-09")
async def test_overflow_ends_when_somebody_of_the_group_returns(house: House) -> None:
    shop, lily, max_ = await refunds_and_sales(house)
    await lily.sets("offline")
    with_max = await (await refund(shop, "Bob")).opens()
    ada, cleo = await refund(shop, "Ada"), await refund(shop, "Cleo")
    await ada.waits()
    await cleo.waits()

    await lily.sets("online")
    await ada.sees((await ada.service()).conversation_id, state="active", owner=lily.id)
    await max_.asks("conversation.end", conversation_id=with_max)

    # Max has room again, and Cleo is not for him any more.
    assert (await cleo.service()).state == "queued"
    assert (await max_.card()).load == 0
