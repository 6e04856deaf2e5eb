"""Grouped mode: the order state chooses the groups, stickiness goes above capacity, full groups hold their
customers."""

import pytest

from protocol.states import OrderState
from tests.scenarios.house import House


@pytest.mark.req("KS-05", "KS-06")
async def test_each_of_the_six_order_states_leads_to_the_group_bound_to_it(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({state.value: f"for {state.value}" for state in OrderState})
    for state in OrderState:
        await shop.agent(f"{state.value} desk", groups=(f"for {state.value}",))

    for state in reversed(OrderState):
        customer = await shop.customer("C", order_state=state)
        assert await customer.reaches() == f"{state.value} desk"


@pytest.mark.req("KS-05")
async def test_the_last_agent_comes_before_the_bound_group(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",))
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Max"


@pytest.mark.req("KS-08")
async def test_a_full_last_agent_gets_the_returning_customer_all_the_same(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    max_ = await shop.agent("Max", capacity=1)
    assert await (await shop.customer("Bob")).reaches() == "Max"
    await shop.agent("Lily", groups=("Refunds",))
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, max_)

    conversation = await ada.opened()

    assert conversation.owner is not None
    assert conversation.owner.id == max_.id
    ledger = (await max_.asks("agent.slots")).slots
    assert [(slot.conversation_id, slot.over_capacity) for slot in ledger if slot.over_capacity] == [
        (conversation.conversation_id, True)
    ]


@pytest.mark.req("KS-08")
async def test_a_shop_may_bound_how_far_above_capacity_stickiness_goes(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"}, sticky_over_capacity=1)
    max_ = await shop.agent("Max", capacity=1)
    assert await (await shop.customer("Bob")).reaches() == "Max"
    await shop.agent("Lily", groups=("Refunds",))
    returning = [await shop.customer(name, order_state="after_sale") for name in ("Ada", "Cleo")]
    for customer in returning:
        await shop.served_before(customer, max_)

    assert [await customer.reaches() for customer in returning] == ["Max", "Lily"]


@pytest.mark.req("KS-05", "KS-08")
async def test_while_the_last_agent_is_offline_the_bound_group_serves(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Alma")
    await shop.agent("Lily", groups=("Refunds",))
    max_ = await shop.agent("Max", status="offline")
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-05", "KS-08")
async def test_while_the_last_agent_is_paused_the_bound_group_serves(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Alma")
    await shop.agent("Lily", groups=("Refunds",))
    max_ = await shop.agent("Max", status="paused")
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-08", "KS-14")
async def test_an_excluded_last_agent_gets_nobody_back(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    max_ = await shop.agent("Max", excluded=True, groups=("Refunds",))
    await shop.agent("Lily", groups=("Refunds",))
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-14")
async def test_an_excluded_member_does_not_keep_a_group_staffed(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",), excluded=True)
    await shop.agent("Max")
    ada = await shop.customer("Ada", order_state="after_sale")

    assert await ada.reaches() == "Max"


@pytest.mark.req("KS-09")
async def test_a_full_group_lets_its_customer_wait_though_others_have_room(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",), capacity=1)
    await shop.agent("Max")
    assert await (await shop.customer("Bob", order_state="after_sale")).reaches() == "Lily"

    ada = await shop.customer("Ada", order_state="after_sale")

    assert await ada.waits() == ("after_sale", 1, "all_full")


@pytest.mark.req("KS-09")
async def test_the_waiting_customer_gets_the_first_slot_of_their_group(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", groups=("Refunds",), capacity=1)
    await shop.agent("Max")
    first = await (await shop.customer("Bob", order_state="after_sale")).opens()
    ada = await shop.customer("Ada", order_state="after_sale")
    await ada.waits()

    await lily.asks("conversation.end", conversation_id=first)

    await ada.sees((await ada.service()).conversation_id, state="active", owner=lily.id)


@pytest.mark.req("KS-09")
async def test_a_paused_group_is_at_work_and_holds_its_customer(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",), status="paused")
    await shop.agent("Max")
    ada = await shop.customer("Ada", order_state="after_sale")

    assert await ada.waits() == ("after_sale", 1, "all_full")


@pytest.mark.req("KS-05", "KS-09")
async def test_while_nobody_of_the_group_is_online_any_other_agent_serves(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",), status="offline")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada", order_state="after_sale")

    conversation = await ada.opens()

    assert await max_.explains(conversation) == [
        ("order_state_group", "nobody_online"),
        ("any_online", "taken"),
    ]


@pytest.mark.req("KS-09")
async def test_a_customer_whose_order_state_has_no_group_waits_for_anybody(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    max_ = await shop.agent("Max", status="paused")
    ada = await shop.customer("Ada", order_state="placed_unpaid")
    assert await ada.waits() == ("default", 1, "all_full")

    await max_.sets("online")

    await ada.sees((await ada.service()).conversation_id, state="active", owner=max_.id)


@pytest.mark.req("KS-12")
async def test_grouped_mode_without_any_group_is_basic_mode(house: House) -> None:
    shop = await house.shop(mode="grouped")
    max_ = await shop.agent("Max", capacity=1)
    assert await (await shop.customer("Bob")).reaches() == "Max"
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, max_)

    conversation = await ada.opens()

    # Grouped mode would have sent her to Max, above his capacity (KS-08).
    assert await lily.explains(conversation) == [
        ("last_agent", "full"),
        ("random_online", "somebody_online"),
        ("any_online", "taken"),
    ]
