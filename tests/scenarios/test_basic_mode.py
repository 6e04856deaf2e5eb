"""Basic mode: a returning customer to the last agent, a new one evenly, and what happens when that cannot be."""

from collections import Counter

import pytest

from tests.scenarios.house import House


@pytest.mark.req("KS-01")
async def test_a_returning_customer_goes_to_the_last_agent_though_it_is_anothers_turn(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_, hours_ago=71)

    assert await ada.reaches() == "Max"


@pytest.mark.req("KS-01", "KS-02")
async def test_after_72_hours_a_customer_is_a_new_one(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_, hours_ago=73)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-01")
async def test_while_the_last_agent_is_offline_a_random_other_one_serves(house: House) -> None:
    shop = await house.shop()
    online = {str(agent.id): agent for agent in (await shop.agent("Lily"), await shop.agent("Nora"))}
    max_ = await shop.agent("Max", status="offline")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    conversation = await ada.opened()

    assert conversation.owner is not None
    assert await online[str(conversation.owner.id)].explains(conversation.conversation_id) == [
        ("last_agent", "offline"),
        ("random_online", "taken"),
    ]


@pytest.mark.req("KS-01", "KS-02")
async def test_while_the_last_agent_is_full_the_customer_is_distributed_like_a_new_one(house: House) -> None:
    shop = await house.shop()
    max_ = await shop.agent("Max", capacity=1)
    first = await shop.customer("Bob")
    assert await first.reaches() == "Max"
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-01", "KS-02")
async def test_while_the_last_agent_is_paused_the_customer_is_distributed_like_a_new_one(
    house: House,
) -> None:
    shop = await house.shop()
    max_ = await shop.agent("Max", status="paused")
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-01", "KS-14")
async def test_an_excluded_last_agent_gets_nobody_back(house: House) -> None:
    shop = await house.shop()
    max_ = await shop.agent("Max", excluded=True)
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-02")
async def test_new_customers_are_spread_evenly(house: House) -> None:
    shop = await house.shop()
    for name in ("Lily", "Max", "Nora"):
        await shop.agent(name)
    customers = [await shop.customer(f"C{i}") for i in range(6)]

    assert Counter([await customer.reaches() for customer in customers]) == {"Lily": 2, "Max": 2, "Nora": 2}


@pytest.mark.req("KS-02")
async def test_evenly_counts_what_was_received_today_not_what_is_left_of_it(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily, _ = await shop.agent("Lily"), await shop.agent("Max")
    for expected in ("Lily", "Max"):
        assert await (await shop.customer("New")).reaches() == expected
    [only] = await lily.mine()
    await lily.asks("conversation.end", conversation_id=only.conversation_id)

    # Lily is free and Max is not, but each has received one: the longest since the last one is hers anyway,
    # and after her it is his turn although she still has more room.
    assert await (await shop.customer("Ada")).reaches() == "Lily"
    assert await (await shop.customer("Bob")).reaches() == "Max"


@pytest.mark.req("KS-02")
async def test_least_loaded_gives_to_whoever_has_most_room_for_their_size(house: House) -> None:
    shop = await house.shop(distribution="least_loaded")
    await shop.agent("Lily", capacity=2)
    await shop.agent("Max", capacity=8)
    customers = [await shop.customer(f"C{i}") for i in range(5)]

    assert Counter([await customer.reaches() for customer in customers]) == {"Lily": 1, "Max": 4}


@pytest.mark.req("KS-02")
async def test_when_everybody_is_full_or_paused_the_customer_waits_in_the_default_pool(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily", capacity=1)
    await shop.agent("Max", status="paused")
    assert await (await shop.customer("Bob")).reaches() == "Lily"

    assert await (await shop.customer("Ada")).waits() == ("default", 1, "all_full")
