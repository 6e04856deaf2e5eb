"""The queue comes to agents' desks by itself: pools within reach, when something changed, and nothing is asked for."""

import asyncio

import pytest

from protocol.events import QueueChanged
from protocol.ids import ConversationId, ShopId
from protocol.states import OrderState
from tests.scenarios.house import Agent, Customer, House, Shop, until
from tests.scenarios.raw import raw_socket


def queue(person: Agent) -> dict[str, int]:
    """How many wait in each pool, as this desk knows it."""
    return {pool.pool: pool.length for pool in person.client.view.pools}


def looking(shop: ShopId) -> bool:
    return any(task.get_name() == f"queue:{shop}" for task in asyncio.all_tasks())


async def waiting(shop: Shop, name: str, state: OrderState | None = None) -> Customer:
    customer = await shop.customer(name, order_state=state)
    await customer.opens()
    return customer


@pytest.mark.req("KS-19", "KS-22", "PF-03")
async def test_who_comes_and_who_leaves_the_queue_is_told_to_the_desks(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="paused")
    max_ = await shop.agent("Max", status="paused")
    assert queue(lily) == {}

    ada = await waiting(shop, "Ada")
    await waiting(shop, "Bob")

    for person in (lily, max_):
        await until(lambda person=person: queue(person) == {"default": 2}, what=f"{person.name}'s two")
    (hers,) = ada.client.view.snapshot()
    await ada.asks("conversation.leave_queue", conversation_id=hers.conversation_id)
    for person in (lily, max_):
        await until(lambda person=person: queue(person) == {"default": 1}, what=f"{person.name}'s one")
    await lily.asks("conversation.pull")
    for person in (lily, max_):
        await until(lambda person=person: queue(person) == {}, what=f"{person.name}'s none")


@pytest.mark.req("GP-02", "KS-09")
async def test_a_desk_is_told_only_of_pools_that_it_may_take_from(house: House) -> None:
    shop = await house.shop()
    await shop.role("agent", conversation_serve="own", conversation_view="own", conversation_pull="groups")
    await shop.grouped({"after_sale": "Refunds", "trade_done": "Shoes"})
    lily = await shop.agent("Lily", groups=("Refunds",), status="paused")
    nora = await shop.agent("Nora", groups=("Shoes",), status="paused")

    await waiting(shop, "Ada", OrderState.AFTER_SALE)
    await waiting(shop, "Bob", OrderState.TRADE_DONE)
    await waiting(shop, "Carl")

    await until(lambda: queue(lily) == {"after_sale": 1, "default": 1}, what="what Lily may take")
    await until(lambda: queue(nora) == {"trade_done": 1, "default": 1}, what="what Nora may take")
    listed = await lily.asks("conversation.list", scope="queue")
    assert {pool.pool for pool in listed.pools} == {"after_sale", "default"}, "and a list says the same"


@pytest.mark.req("KS-15")
async def test_a_swap_in_the_queue_is_told_though_no_number_changes(house: House) -> None:
    """The desk shows who waits: it must hear when others do, however many they are."""
    shop = await house.shop()
    lily = await shop.agent("Lily", status="paused")
    await waiting(shop, "Ada")
    bob = await waiting(shop, "Bob")
    await until(lambda: queue(lily) == {"default": 2}, what="two")
    (his,) = bob.client.view.snapshot()
    heard = lily.client.subscribe()

    node = shop.house.nodes[0].app
    engine = node.live.engine(shop.id)
    stamp = await node.live.stamp(shop.id)
    await engine.set_priority(ConversationId(his.conversation_id), 0, op_id=stamp.op_id, day=stamp.day)

    frame = await heard.next("queue.changed", timeout_s=5)
    assert isinstance(frame.params, QueueChanged)
    assert frame.params.pools[0].length == 2


@pytest.mark.req("PF-03")
async def test_nobody_looks_for_a_shop_without_desks_and_nothing_comes_while_nothing_changes(
    house: House,
) -> None:
    shop = await house.shop()
    row = await shop.account("Lily", "agent")
    lily = await shop.person(row, arrive=False)
    ada = await shop.customer("Ada")
    await ada.opens()
    assert not looking(shop.id), "a customer is no desk"

    async with raw_socket(lily, shop.house.nodes[0]) as (socket, ticket):
        result = (await socket.asks("session.hello", ticket=ticket))["result"]
        assert [pool["length"] for pool in result["snapshot"]["pools"]] == [1], "known from the hello on"
        assert looking(shop.id)
        bob = await waiting(shop, "Bob")
        await socket.until_heard("queue.changed")
        changes = [frame for frame in socket.heard if frame["method"] == "queue.changed"]
        assert [frame["params"]["pools"][0]["length"] for frame in changes] == [2]
        assert bob.client.view.pools == [], "customers are told of their own place only"

    await until(lambda: not looking(shop.id), what="the end of looking")
