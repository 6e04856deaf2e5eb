"""Routing is away, or answers too late: what people wrote is safe, nobody waits long, and nothing is forgotten."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ConversationId, CustomerId, new_id
from router.keys import conversation_key, prefix
from router.redis_link import LinkError, LinkFault
from server.app import App
from server.embedded.redis_process import RedisProcess
from server.sweeps.deadlines import Deadlines
from server.sweeps.every_shop import ShopsFailed
from server.sweeps.repairs import Repairs
from server.sweeps.strays import Strays
from tests.scenarios.house import Agent, Customer, House, Shop, until

BLOCKED_S = 2.0
"""No request may take longer, whatever Redis does (fault 5)."""


@pytest.fixture
async def fragile(migrated_database_url: str, own_redis: RedisProcess) -> AsyncIterator[House]:
    """A house of one node with a Redis of its own."""
    house = await House.start(migrated_database_url, own_redis.url_of(1))
    try:
        yield house
    finally:
        own_redis.thaw()
        await house.stop()


@pytest.mark.req("PF-05", "PF-02")
async def test_while_redis_is_frozen_messages_are_taken_and_delivered(
    fragile: House, own_redis: RedisProcess
) -> None:
    shop = await fragile.shop()
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)

    own_redis.freeze()
    began = time.monotonic()
    await ada.says(conversation, "can you hear me?")
    took = time.monotonic() - began

    assert took < BLOCKED_S
    await lily.reads(conversation, "can you hear me?")


@pytest.mark.req("PF-05", "PF-02")
async def test_while_redis_is_frozen_for_longer_than_a_lease_talk_goes_on_in_the_rooms_that_are_open(
    migrated_database_url: str, own_redis: RedisProcess
) -> None:
    """Nobody hears from Redis, so nobody is declared dead: sockets stay (ADR 24)."""
    house = await House.start(
        migrated_database_url, own_redis.url_of(1), nodes=2, lease_s=1.5, lease_renew_s=0.3
    )
    try:
        shop = await house.shop()
        lily = await shop.agent("Lily")
        ada = await shop.customer("Ada")
        await ada.leave()
        await ada.arrive(lily.node)  # between nodes, news waits for Redis
        conversation = await ada.opens()
        await lily.sees(conversation, owner=lily.id)
        before = [person.client.connections for person in (ada, lily)]

        own_redis.freeze()
        await until(lambda: all(node.app.node.standing_by for node in house.nodes), what="standing by")
        await ada.says(conversation, "can you hear me?")
        await lily.reads(conversation, "can you hear me?")
        await lily.says(conversation, "yes")
        await ada.reads(conversation, "yes")
        assert [person.client.connections for person in (ada, lily)] == before
        own_redis.thaw()

        await until(lambda: not any(node.app.node.lapsed for node in house.nodes), what="new leases")
        bob = await shop.customer("Bob")
        await lily.sees(await bob.opens("me too"), owner=lily.id)
        assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}
    finally:
        own_redis.thaw()
        await house.stop()


@pytest.mark.req("PF-05", "KS-11")
async def test_who_asks_for_service_while_redis_is_frozen_waits_and_is_served_afterwards(
    fragile: House, own_redis: RedisProcess
) -> None:
    shop = await fragile.shop()
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")

    own_redis.freeze()
    began = time.monotonic()
    conversation = await ada.opens("anybody there?")
    took = time.monotonic() - began
    shown = (await ada.asks("conversation.get", conversation_id=conversation)).conversation
    own_redis.thaw()

    assert took < BLOCKED_S
    assert (shown.state, shown.queue) == ("queued", None)
    await lily.sees(conversation, state="active", owner=lily.id)
    await lily.reads(conversation, "anybody there?")


@pytest.mark.req("PF-02", "KS-22")
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("agent.list", {}),
        ("agent.slots", {}),
        ("agent.set_status", {"status": "paused"}),
        ("conversation.list", {"scope": "queue"}),
        ("conversation.pull", {}),
    ],
)
async def test_questions_about_live_state_are_told_to_come_back(
    fragile: House, own_redis: RedisProcess, method: str, params: dict[str, Any]
) -> None:
    shop = await fragile.shop()
    lily = await shop.agent("Lily")

    own_redis.freeze()
    began = time.monotonic()
    refused = await lily.refused(method, **params)

    assert time.monotonic() - began < BLOCKED_S
    assert (refused.code, refused.reason) == (ErrorCode.UNAVAILABLE, "routing_unavailable")


@pytest.mark.req("KS-18", "PF-02")
async def test_who_goes_while_redis_is_frozen_is_not_taken_for_connected(
    fragile: House, own_redis: RedisProcess
) -> None:
    shop = await fragile.shop()
    lily, max_ = await shop.agent("Lily"), await shop.agent("Max")

    own_redis.freeze()
    refused = await max_.refused("agent.list")  # Redis has been seen to hang
    assert refused.code is ErrorCode.UNAVAILABLE
    await lily.leave()
    await until(lambda: len(fragile.app.hub.sessions(shop.id)) == 1, what="the end of Lily's session")
    own_redis.thaw()

    async def gone() -> bool:
        cards = (await shop.app.agents.everybody(shop.id)).agents
        return [card.connected for card in cards if card.account_id == lily.id] == [False]

    async def gone_at_last() -> bool:
        try:
            return await gone()
        except RequestError:
            return False  # Redis is only just coming back

    await until(gone_at_last, what="Lily's being seen as gone")


# --- deadlines whose look was cut off ------------------------------------------------------------------------------
async def left_behind(house: House) -> tuple[Shop, Agent, Customer, str, Deadlines]:
    """Lily went without a word while Ada waits for her answer; Max is there. Nobody looks at deadlines by itself."""
    grace = {"web": 5, "desktop": 60, "mobile": None, "bot": 15}
    shop = await house.shop(requeue_after_s=0, offline_after_s=grace)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens()
    max_ = await shop.agent("Max")
    await lily.leave()
    app = house.app
    look = Deadlines(app.shops, app.live, app.routing, app.conversations, app.feed, app.agent_states)
    return shop, max_, ada, conversation, look


@pytest.fixture
async def unswept(migrated_database_url: str, redis_url: str) -> AsyncIterator[House]:
    """A house of one node whose own sweeps do not run."""
    house = await House.start(migrated_database_url, redis_url, sweep_s=60)
    try:
        yield house
    finally:
        await house.stop()


@pytest.mark.req("KS-18", "PF-02")
async def test_a_look_at_deadlines_whose_answer_was_lost_is_repeated(unswept: House) -> None:
    shop, max_, _, conversation, look = await left_behind(unswept)
    engine = unswept.app.live.engine(shop.id)
    real, lost = engine.expire, []

    async def expire(**more: Any) -> Any:
        due = await real(**more)
        if due.requeue and not lost:
            lost.append(due)
            raise LinkError(LinkFault.TIMEOUT, "no reply")
        return due

    engine.expire = expire

    await until(lambda: _looked(look, lambda: bool(lost)), what="the lost answer")
    await until(lambda: _looked(look, lambda: _owned(max_, conversation)), what="Max's being given it")


@pytest.mark.req("KS-18", "PF-02")
async def test_who_could_not_be_given_on_at_once_is_given_on_later(unswept: House) -> None:
    _, max_, _, conversation, look = await left_behind(unswept)
    store = unswept.app.conversations
    real, failed = store.get, []

    async def get(*args: Any) -> Any:
        if not failed:
            failed.append(args)
            raise RequestError(ErrorCode.UNAVAILABLE, "database_down", "Away.")
        return await real(*args)

    store.get = get  # type: ignore[method-assign]

    await until(lambda: _looked(look, lambda: bool(failed)), what="the failure")
    await until(lambda: _looked(look, lambda: _owned(max_, conversation)), what="Max's being given it")


@pytest.mark.req("PF-02", "PF-05", "KS-22")
async def test_a_decision_that_reached_the_log_after_the_rebuild_is_found(
    unswept: House, redis_url: str
) -> None:
    shop = await unswept.shop(wrap_up_s=0)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    app = unswept.app
    opened = await app.conversations.open(
        shop.id, CustomerId(ada.id), ConversationId(new_id()), order_state="no_active_order"
    )
    plan = await app.routing.plan_for(opened.conversation, opened.customer, via_bot=False)
    done = await app.live.do(
        shop.id, lambda engine, stamp: engine.claim(plan, op_id=stamp.op_id, day=stamp.day, rand=0)
    )
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(*[key async for key in redis.scan_iter(f"pm:{{{shop.id}}}:*")])
    await app.live.rebuild(shop.id)
    await app.routing.settle(shop.id, done.decisions)
    astray = opened.conversation.id
    assert await app.live.engine(shop.id).conversation(astray) is None
    look = Strays(app.shops, app.live, app.conversations)

    found = [(await look.run())["strays"] for _ in range(4)]

    assert found == [0, 1, 0, 0]
    state = await app.live.engine(shop.id).conversation(astray)
    assert state is not None
    assert state.owner == lily.id
    assert await shop.loads() == {"Lily": 1}


@pytest.mark.req("PF-05")
async def test_what_a_killed_redis_forgot_of_its_last_moments_is_found(
    migrated_database_url: str, own_redis: RedisProcess
) -> None:
    """Its log is synced each second: what was decided in the last one may be in the database alone (fault 3)."""
    house = await House.start(migrated_database_url, own_redis.url_of(1), sweep_s=60)
    try:
        shop = await house.shop()
        app = house.app
        lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
        talk = ConversationId(await ada.opens())
        await lily.sees(talk, owner=lily.id)
        look = Strays(app.shops, app.live, app.conversations)
        assert [(await look.run())["strays"] for _ in range(3)] == [0, 0, 0]
        before = await app.live.life(shop.id)
        await app.link.call("DEL", conversation_key(shop.id, talk))
        await app.link.call("HDEL", f"{prefix(shop.id)}slots:{lily.id}", talk)
        assert [(await look.run())["strays"] for _ in range(2)] == [0, 0], "all was well in this life"

        await own_redis.restart()

        await until(lambda: _lives_anew(app, shop, before), what="the new Redis")
        assert [(await look.run())["strays"] for _ in range(2)] == [0, 1]
        assert await app.live.engine(shop.id).conversation(talk) is not None
    finally:
        await house.stop()


async def _lives_anew(app: App, shop: Shop, before: str) -> bool:
    with contextlib.suppress(RequestError):
        return await app.live.life(shop.id) != before
    return False


@pytest.mark.req("PF-05")
async def test_however_many_decisions_were_left_one_look_settles_them(unswept: House) -> None:
    shop = await unswept.shop()
    app = unswept.app
    for i in range(130):
        customer = await app.customer_store.put(shop.id, new_id(), name=f"C{i}")
        opened = await app.conversations.open(
            shop.id, customer.id, ConversationId(new_id()), order_state="no_active_order"
        )
        plan = await app.routing.plan_for(opened.conversation, opened.customer, via_bot=False)
        await app.live.do(
            shop.id,
            lambda engine, stamp, plan=plan: engine.claim(plan, op_id=stamp.op_id, day=stamp.day, rand=0),
        )
    look = Repairs(app.shops, app.live, app.routing, app.returning, app.conversations, app.names, 0)

    assert (await look.run())["settled"] == 130
    assert await app.live.engine(shop.id).unconfirmed(0) == ()


async def _looked(look: Deadlines, holds: Any) -> bool:
    with contextlib.suppress(LinkError, RequestError, ShopsFailed):  # as the runner of sweeps does
        await look.run()
    return holds()


def _owned(agent: Agent, conversation: str) -> bool:
    known = agent.knows(conversation)
    return known is not None and known.owner is not None and known.owner.id == agent.id
