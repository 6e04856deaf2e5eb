"""What a process that dies leaves undone is finished by another; what Redis loses is made anew (reliability.md)."""

import contextlib
from functools import partial

import pytest
from redis.asyncio import Redis

from protocol.ids import AccountId, ConversationId, CustomerId, ShopId, new_id
from protocol.states import OrderState
from router.keys import prefix
from server.node import NODES_KEY, lease_key
from tests.scenarios.house import House, Person, until

GHOST = "ghost:1"


@pytest.mark.req("PF-05", "KS-22")
async def test_a_claim_whose_process_died_before_telling_anybody_is_finished(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    opened = await house.app.conversations.open(
        shop.id, CustomerId(ada.id), ConversationId(new_id()), order_state=OrderState.NO_ACTIVE_ORDER
    )
    row = opened.conversation
    plan = await house.app.routing.plan_for(row, opened.customer, via_bot=False)

    stamp = await house.app.live.stamp(shop.id)
    await house.app.live.engine(shop.id).claim(
        plan, op_id=stamp.op_id, day=stamp.day, rand=0
    )  # and then it dies

    await ada.sees(row.id, state="active", owner=lily.id)
    await lily.sees(row.id, state="active", owner=lily.id)
    assert await house.app.live.engine(shop.id).unconfirmed(0) == ()


@pytest.mark.req("PF-05")
async def test_a_conversation_that_nobody_routed_is_routed(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")

    opened = await house.app.conversations.open(
        shop.id, CustomerId(ada.id), ConversationId(new_id()), order_state=OrderState.NO_ACTIVE_ORDER
    )  # and then the process dies

    await lily.sees(opened.conversation.id, state="active", owner=lily.id)


@pytest.mark.req("PF-02", "KS-11", "KS-19")
async def test_a_redis_that_lost_everything_is_rebuilt_and_the_queue_keeps_its_order(
    house: House, redis_url: str
) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily", capacity=1)
    customers = [await shop.customer(name) for name in ("Ada", "Bob", "Cy", "Dee")]
    served, *waiting = [await customer.opens() for customer in customers]
    await lily.sees(served, owner=lily.id)

    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()

    await until(lambda: house.app.live.engine(shop.id).is_live(), what="the rebuild")
    for conversation in waiting:  # each end hands over the next, in the order of arrival
        await until(lambda: _connected(house, shop.id, lily.id), what="Lily's being known again")
        await until(partial(_ends, lily, served), what=f"the end of {served}")
        await lily.sees(conversation, state="active", owner=lily.id)
        served = conversation
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}


@pytest.mark.req("PF-05")
async def test_a_slot_that_redis_lost_is_counted_among_the_broken_invariants(house: House) -> None:
    shop = await house.shop()
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    talk = await ada.opens()
    await lily.sees(talk, state="active", owner=lily.id)
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}

    await house.app.link.call("HDEL", f"{prefix(shop.id)}slots:{lily.id}", talk)

    assert await shop.invariants() == {"I3": 0, "I4": 2, "I8": 0}, "her load is wrong, and it has no slot"


async def _connected(house: House, shop: ShopId, agent: str) -> bool:
    state = await house.app.live.engine(shop).agent(AccountId(agent))
    return state is not None and state.connected


async def _ends(agent, conversation: str) -> bool:
    with contextlib.suppress(Exception):
        await agent.asks("conversation.end", conversation_id=conversation)
    known = agent.knows(conversation)
    return known is not None and known.state == "closed"


@pytest.mark.req("PF-04", "PF-05")
async def test_a_node_that_lost_its_lease_sends_everybody_away_and_they_miss_nothing(
    house: House, redis_url: str
) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("first")
    await lily.reads(conversation, "first")
    fenced = lily.node.app.node.name

    async with Redis.from_url(redis_url) as redis:
        await redis.delete(lease_key(fenced))
    await until(lambda: lily.node.app.node.name != fenced, what="the node's beginning anew")
    await ada.says(conversation, "are you there?")

    await lily.reads(conversation, "are you there?")
    numbers = [message.seq for message in lily.client.logs[conversation].messages]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.req("PF-05")
async def test_what_a_dead_node_had_written_is_delivered_again(house: House, redis_url: str) -> None:
    lily, conversation = await written_by_a_ghost(house)
    async with Redis.from_url(redis_url) as redis:
        await redis.hset(NODES_KEY, GHOST, "0")

    await lily.reads(conversation, "lost?")


@pytest.mark.req("PF-05")
async def test_what_a_node_that_fell_silent_had_written_is_delivered_while_its_lease_lasts(
    house: House, redis_url: str
) -> None:
    lily, conversation = await written_by_a_ghost(house)
    async with Redis.from_url(redis_url) as redis:
        now_s, _ = await redis.time()
        await redis.hset(NODES_KEY, GHOST, str((now_s - 2) * 1000))
        await redis.set(lease_key(GHOST), "1", px=600_000)

    await lily.reads(conversation, "lost?")


async def written_by_a_ghost(house: House) -> tuple[Person, str]:
    """An agent, and a conversation of hers in which "lost?" was written by a node that then told nobody."""
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("first")
    await lily.reads(conversation, "first")
    for node in house.nodes:
        node.app.writer.rename(GHOST)
        node.app.delivery.appended = _silence  # type: ignore[method-assign]
    try:
        await ada.says(conversation, "lost?")
    finally:
        for node in house.nodes:
            node.app.writer.rename(node.app.node.name)
            del node.app.delivery.appended
    return lily, conversation


def _silence(*_: object) -> None:
    """What a process delivers that died."""
