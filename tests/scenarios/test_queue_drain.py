"""The queue drains at once and in order (KS-19): whatever makes room has given it away when its reply is there.

"At once" is literal here: the customers are looked at directly after the reply, without waiting for anything.
"""

from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, GroupId
from protocol.methods.agents import AgentResult, SetCapacityParams
from protocol.states import Role
from tests.scenarios.house import Customer, House, Shop


async def waiting(shop: Shop, *names: str, **facts: Any) -> list[Customer]:
    """Customers who ask in this order and wait."""
    customers = [await shop.customer(name, **facts) for name in names]
    for customer in customers:
        await customer.waits()
    return customers


async def states(customers: list[Customer]) -> list[str]:
    return [(await customer.service()).state for customer in customers]


@pytest.mark.req("KS-19")
async def test_raising_an_agents_capacity_drains_the_queue_in_order(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=1)
    await (await shop.customer("Zoe")).opens()
    customers = await waiting(shop, "Ada", "Bob", "Cleo")

    await lily.asks("agent.set_capacity", capacity=3)

    assert await states(customers) == ["active", "active", "queued"]


@pytest.mark.req("KS-19", "KS-23")
async def test_raising_the_shops_default_capacity_drains_the_queue(house: House) -> None:
    shop = await house.shop(default_capacity=1)
    lily = await shop.person(await shop.account("Lily", Role.AGENT))
    await lily.sets("online")
    await (await shop.customer("Zoe")).opens()
    customers = await waiting(shop, "Ada", "Bob")

    await shop.set_policy(default_capacity=2)

    assert await states(customers) == ["active", "queued"]


@pytest.mark.req("KS-19")
async def test_an_agent_who_comes_online_gets_the_oldest_first(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline", capacity=2)
    customers = await waiting(shop, "Ada", "Bob", "Cleo")

    await lily.sets("online")

    assert await states(customers) == ["active", "active", "queued"]


@pytest.mark.req("KS-19")
async def test_an_agent_who_ends_a_pause_gets_the_oldest_first(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="paused", capacity=1)
    customers = await waiting(shop, "Ada", "Bob")

    await lily.sets("online")

    assert await states(customers) == ["active", "queued"]


@pytest.mark.req("KS-19", "KS-20")
async def test_a_conversation_that_closes_gives_its_slot_to_the_oldest(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily", capacity=1)
    first = await (await shop.customer("Zoe")).opens()
    customers = await waiting(shop, "Ada", "Bob")

    await lily.asks("conversation.end", conversation_id=first)

    assert await states(customers) == ["active", "queued"]


@pytest.mark.req("KS-19", "KS-21")
async def test_a_transfer_frees_a_slot_for_the_oldest(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=1)
    max_ = await shop.agent("Max", status="paused")
    first = await (await shop.customer("Zoe")).opens()
    customers = await waiting(shop, "Ada", "Bob")

    await lily.asks("conversation.transfer", conversation_id=first, account_id=max_.id)

    assert await states(customers) == ["active", "queued"]


@pytest.mark.req("KS-19", "GP-01")
async def test_joining_a_group_drains_its_pool(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",), status="paused")
    max_ = await shop.agent("Max")
    customers = await waiting(shop, "Ada", "Bob", order_state="after_sale")

    await shop.app.group_store.add_member(shop.id, GroupId(shop.groups["Refunds"]), AccountId(max_.id))
    await shop.app.changes.profile_changed(shop.id, AccountId(max_.id))

    assert await states(customers) == ["active", "active"]


@pytest.mark.req("KS-19")
async def test_pause_at_n_stops_at_n_and_goes_on_when_the_load_falls(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily", capacity=5, pause_mode="at_n", pause_at=1)
    first = await (await shop.customer("Zoe")).opens()
    assert (await lily.card()).availability == "auto_paused"
    customers = await waiting(shop, "Ada", "Bob")

    await lily.asks("conversation.end", conversation_id=first)

    assert await states(customers) == ["active", "queued"]


@pytest.mark.req("KS-19")
@pytest.mark.parametrize("mode", ["by_hand", "never"])
async def test_in_the_other_pause_modes_an_agent_is_full_and_not_paused(house: House, mode: str) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=2, pause_mode=mode)
    assert [await (await shop.customer(f"C{i}")).reaches() for i in range(2)] == ["Lily", "Lily"]

    card = await lily.card()

    assert (card.status, card.availability) == ("online", "full")


@pytest.mark.req("KS-19")
@pytest.mark.parametrize("capacity", [0, 501])
async def test_a_capacity_outside_1_to_500_is_refused(house: House, capacity: int) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=3)

    unchecked = SetCapacityParams.model_construct(capacity=capacity)
    with pytest.raises(RequestError) as refused:
        await lily.client.call("agent.set_capacity", unchecked, AgentResult)

    assert refused.value.code is ErrorCode.INVALID_PARAMS
    assert (await lily.card()).capacity == 3
