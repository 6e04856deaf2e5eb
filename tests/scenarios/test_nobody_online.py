"""Nobody online: with the offline list somebody answers later, without it the customer waits for the first to come."""

from collections import Counter

import pytest

from tests.scenarios.house import House


@pytest.mark.req("KS-03", "KS-10")
async def test_with_an_offline_list_its_accounts_receive_evenly_and_the_customer_is_told(
    house: House,
) -> None:
    shop = await house.shop()
    lily, max_ = await shop.agent("Lily", status="offline"), await shop.agent("Max", status="offline")
    await shop.agent("Nora", status="offline")
    await shop.set_policy(offline_routing=True, offline_list=[lily.id, max_.id])

    opened = [await (await shop.customer(f"C{i}")).opened() for i in range(4)]

    assert Counter(each.owner.name for each in opened if each.owner) == {"Lily": 2, "Max": 2}
    assert all(each.answers_later for each in opened)


@pytest.mark.req("KS-10")
async def test_what_came_while_offline_counts_as_load_and_is_there_when_the_agent_comes_back(
    house: House,
) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline")
    await shop.set_policy(offline_routing=True, offline_list=[lily.id])
    ada = await shop.customer("Ada")
    conversation = await ada.opens("are you there?")
    assert (await lily.card()).load == 1

    await lily.sets("online")
    await lily.reads(conversation, "are you there?")
    await lily.says(conversation, "now I am")

    await ada.reads(conversation, "now I am")


@pytest.mark.req("KS-10", "KS-13")
async def test_the_offline_list_works_in_grouped_mode_too(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline")
    await shop.grouped({"after_sale": "Refunds"}, offline_routing=True, offline_list=[lily.id])
    ada = await shop.customer("Ada", order_state="after_sale")

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-10")
async def test_a_full_offline_list_lets_the_customer_wait(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline", capacity=1)
    await shop.set_policy(offline_routing=True, offline_list=[lily.id])
    assert await (await shop.customer("Bob")).reaches() == "Lily"

    assert await (await shop.customer("Ada")).waits() == ("default", 1, "nobody_online")


@pytest.mark.req("KS-02", "KS-03", "KS-10")
async def test_while_somebody_is_paused_the_offline_list_is_not_used(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline")
    await shop.agent("Max", status="paused")
    await shop.set_policy(offline_routing=True, offline_list=[lily.id])

    assert await (await shop.customer("Ada")).waits() == ("default", 1, "all_full")


@pytest.mark.req("KS-10", "KS-14")
async def test_an_excluded_account_on_the_offline_list_is_passed_over(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline", excluded=True)
    max_ = await shop.agent("Max", status="offline")
    await shop.set_policy(offline_routing=True, offline_list=[lily.id, max_.id])

    assert [await (await shop.customer(f"C{i}")).reaches() for i in range(2)] == ["Max", "Max"]


@pytest.mark.req("KS-03", "KS-11")
async def test_without_an_offline_list_the_first_agent_to_come_gets_them_in_order(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline", capacity=2)
    customers = [await shop.customer(name) for name in ("Ada", "Bob", "Cleo")]
    told = [await customer.waits() for customer in customers]
    assert told == [("default", place, "nobody_online") for place in (1, 2, 3)]

    await lily.sets("online")

    assert [(await customer.service()).state for customer in customers] == ["active", "active", "queued"]


@pytest.mark.req("KS-11", "KS-13")
async def test_without_an_offline_list_grouped_mode_waits_in_the_order_states_pool(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", status="offline", groups=("Refunds",))
    ada = await shop.customer("Ada", order_state="after_sale")
    assert await ada.waits() == ("after_sale", 1, "nobody_online")

    await lily.sets("online")

    await ada.sees((await ada.service()).conversation_id, state="active", owner=lily.id)


@pytest.mark.req("KS-11")
async def test_when_offline_routing_is_switched_off_the_list_is_kept_and_not_used(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline")
    await shop.set_policy(offline_routing=False, offline_list=[lily.id])

    assert await (await shop.customer("Ada")).waits() == ("default", 1, "nobody_online")
