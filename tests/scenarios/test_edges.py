"""Where two things meet: races between the log and live state, rights at their borders, accounts that go."""

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ClientMessageId, ConversationId, CustomerId, PersonId, new_id
from protocol.states import Role
from router.engine import Engine
from router.model import Outcome
from server.node import NODES_KEY
from server.services.accounts import AccountChange
from server.services.live import Stamp
from server.store.log import Entry
from tests.scenarios.house import Agent, Customer, House, Shop, until


async def serving(house: House, **policy: Any) -> tuple[Shop, Agent, Customer, str]:
    """Lily serves Ada."""
    shop = await house.shop(**policy)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)
    return shop, lily, ada, conversation


async def written(house: House, customer: Customer, conversation: str, text: str) -> None:
    """A message of a customer whose node dies as soon as it is in the log."""
    body = orjson.dumps({"kind": "text", "text": text})
    await house.app.writer.append(
        Entry(
            shop_id=customer.shop.id,
            conversation_id=ConversationId(conversation),
            sender_kind="customer",
            sender_id=customer.id,
            sender_name=customer.name,
            client_message_id=ClientMessageId(new_id()),
            body=body,
            body_hash=hashlib.blake2b(body, digest_size=16).digest(),
        )
    )


# --- the log and live state -----------------------------------------------------------------------------------------
@pytest.mark.req("KS-20", "PF-05")
async def test_a_message_in_wrap_up_brings_the_agent_back_though_its_node_died(house: House) -> None:
    _, lily, ada, conversation = await serving(house)
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.sees(conversation, state="wrap_up")

    await written(house, ada, conversation, "one more thing")

    await lily.sees(conversation, state="active", owner=lily.id)


@pytest.mark.req("KS-20")
async def test_what_was_asked_before_the_end_brings_nobody_back(house: House) -> None:
    shop, lily, ada, conversation = await serving(house, wrap_up_s=1)
    await ada.says(conversation, "and this?")

    await lily.asks("conversation.end", conversation_id=conversation)

    await ada.sees(conversation, state="closed")
    decisions = (await shop.app.seeing.explain(await _row(shop, conversation))).decisions
    assert [each.change for each in decisions] == ["assigned", "ended", "closed"]


async def _row(shop: Shop, conversation: str) -> Any:
    return await shop.app.conversations.get(shop.id, ConversationId(conversation))


@pytest.mark.req("KS-18", "PF-05")
async def test_a_message_to_an_agent_long_gone_is_routed_though_its_node_died(house: House) -> None:
    shop, lily, ada, conversation = await serving(house)
    await lily.says(conversation, "hello Ada")
    max_ = await shop.agent("Max")
    await lily.sets("offline", open_conversations="keep")
    await shop.app.conversations.detach(shop.id, ConversationId(conversation), AccountId(lily.id))

    await written(house, ada, conversation, "are you there?")

    await max_.sees(conversation, state="active", owner=max_.id)


@pytest.mark.req("KS-20")
async def test_a_message_in_the_wrap_up_of_somebody_who_left_the_shop_goes_to_a_colleague(
    house: House,
) -> None:
    shop, lily, ada, conversation = await serving(house)
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.sees(conversation, state="wrap_up")
    max_ = await shop.agent("Max")
    boss = shop.caller(AccountId(max_.id))
    await shop.app.accounts.change(boss, AccountId(lily.id), AccountChange({"disabled": True}))

    await ada.says(conversation, "one more thing")

    await max_.sees(conversation, state="active", owner=max_.id)


@pytest.mark.req("KS-20", "PF-05")
async def test_a_message_that_met_the_close_begins_a_new_conversation(house: House) -> None:
    shop, lily, ada, conversation = await serving(house)
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.sees(conversation, state="wrap_up")
    stamp = await shop.app.live.stamp(shop.id)  # wrap-up is over in live state, and not yet in the log
    await shop.app.live.engine(shop.id).close(ConversationId(conversation), op_id=stamp.op_id, day=stamp.day)

    await ada.says(conversation, "one more thing")

    def anew() -> str | None:
        own = (each.conversation_id for each in lily.client.view.snapshot())
        return next((each for each in own if each != conversation), None)

    again = await until(anew, what="Lily's being given a new conversation")
    await lily.reads(again, "one more thing")
    await ada.sees(conversation, state="closed")


@pytest.mark.req("KS-20", "PF-05")
async def test_who_asks_for_service_while_the_last_conversation_closes_gets_a_new_one(house: House) -> None:
    shop, _, ada, conversation = await serving(house)
    for node in house.nodes:
        _closing_in_between(shop, node.app.requests._store, conversation)

    again = await ada.opens("hello again")

    assert again != conversation


def _closing_in_between(shop: Shop, store: Any, conversation: str) -> None:
    """The store's open finds the conversation, which then closes before the first message is written."""
    real = store.open

    async def opened(*args: Any, **more: Any) -> Any:
        store.open = real
        found = await real(*args, **more)

        async def closed(engine: Engine, stamp: Stamp) -> Outcome:
            return await engine.close(ConversationId(conversation), op_id=stamp.op_id, day=stamp.day)

        await shop.app.routing.do(shop.id, closed)
        return found

    store.open = opened


@pytest.mark.req("KS-18")
async def test_what_arrives_while_an_agent_goes_offline_is_given_back_too(house: House) -> None:
    shop, lily, _, conversation = await serving(house)
    bob = await shop.customer("Bob")
    late: list[str] = []
    for node in house.nodes:
        real = node.app.agents.change_status

        async def change_status(*args: Any, real: Any = real) -> None:
            late.append(await bob.opens())
            await real(*args)

        node.app.agents.change_status = change_status  # type: ignore[method-assign]

    await lily.sets("offline", open_conversations="requeue")

    assert (await bob.service()).owner is None
    row = await _row(shop, conversation)
    assert (row.state, row.owner_id) == ("queued", None)


@pytest.mark.req("KS-18")
async def test_clocks_that_differ_do_not_hide_the_open_conversation(house: House) -> None:
    shop = await house.shop()
    ada = await shop.customer("Ada")
    ahead = ConversationId("ffffffff-ffff-7fff-bfff-ffffffffffff")  # made by a node whose clock runs ahead
    await shop.app.conversations.open(shop.id, CustomerId(ada.id), ahead, order_state="no_active_order")
    await shop.app.db.execute(
        "UPDATE conversations SET state = 'closed', closed_at = opened_at, live_rev = 1 WHERE id = $1", ahead
    )
    now = await ada.opens()
    await ada.leave()

    await ada.arrive()

    assert (await ada.service()).conversation_id == now


@pytest.mark.req("KS-19", "KS-22")
async def test_what_is_routed_when_it_was_closed_already_holds_no_slot(house: House) -> None:
    shop, lily, ada, conversation = await serving(house, wrap_up_s=0)
    unrouted = replace(
        await _row(shop, conversation), live_rev=0, assign_epoch=0
    )  # as a slow node still sees it
    customer = await shop.app.names.customer(shop.id, CustomerId(ada.id))
    await lily.asks("conversation.end", conversation_id=conversation)
    assert await shop.loads() == {"Lily": 0}

    await shop.app.routing.route(unrouted, customer)

    assert await shop.app.live.engine(shop.id).conversation(ConversationId(conversation)) is None
    assert await shop.loads() == {"Lily": 0}
    assert await shop.app.live.engine(shop.id).unconfirmed(0) == ()


@pytest.mark.req("PF-04", "PF-05")
async def test_a_new_owner_hears_of_it_though_the_node_died_before_it_could_tell(
    house: House, redis_url: str
) -> None:
    shop, lily, _, conversation = await serving(house)
    max_ = await shop.agent("Max", status="paused")
    for node in house.nodes:
        node.app.writer.rename("ghost:1")
        node.app.delivery.decided = _silence  # type: ignore[method-assign]
    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)
    for node in house.nodes:
        node.app.writer.rename(node.app.node.name)
        del node.app.delivery.decided
    assert max_.knows(conversation) is None

    async with Redis.from_url(redis_url) as redis:
        await redis.hset(NODES_KEY, "ghost:1", "0")

    await max_.sees(conversation, state="active", owner=max_.id)


async def _silence(*_: object) -> None:
    await asyncio.sleep(0)


@pytest.mark.req("PF-05")
async def test_what_was_taken_back_is_not_told_again_when_its_sender_repeats_it(house: House) -> None:
    _, lily, ada, conversation = await serving(house)
    asked = {
        "conversation_id": conversation,
        "client_message_id": new_id(),
        "body": {"kind": "text", "text": "my card number"},
    }
    sent = await ada.asks("message.send", **asked)
    await lily.reads(conversation, "my card number")
    await ada.asks("message.recall", conversation_id=conversation, message_id=sent.message_id)
    told: list[Any] = []
    for node in house.nodes:
        _noting(node.app.bus, told)

    again = await ada.asks("message.send", **asked)

    assert (again.seq, again.duplicate) == (sent.seq, True)
    mine = await until(lambda: [each for each in told if each.seq == sent.seq], what="its being told again")
    assert all(b"my card number" not in push.frame for push in mine)


def _noting(bus: Any, told: list[Any]) -> None:
    real = bus.publish

    def publish(shop: Any, items: Any) -> Any:
        told.extend(items)
        return real(shop, items)

    bus.publish = publish


# --- rights at their borders ------------------------------------------------------------------------------------------
@pytest.mark.req("KS-21")
async def test_who_lost_a_conversation_a_moment_ago_cannot_give_it_away(house: House) -> None:
    shop, lily, ada, conversation = await serving(house)
    max_ = await shop.agent("Max", status="paused")
    eve = await shop.agent("Eve", status="paused")
    stamp = await shop.app.live.stamp(shop.id)  # a manager was faster; the log does not know it yet
    await shop.app.live.engine(shop.id).assign(
        ConversationId(conversation),
        AccountId(max_.id),
        by=AccountId(eve.id),
        op_id=stamp.op_id,
        day=stamp.day,
    )

    refused = await lily.refused("conversation.transfer", conversation_id=conversation, account_id=eve.id)

    assert refused.code is ErrorCode.STALE_ASSIGNMENT
    await ada.sees(conversation, owner=max_.id)


@pytest.mark.req("KS-21", "KS-17")
@pytest.mark.parametrize("method", ["conversation.transfer", "conversation.assign"])
async def test_nobody_gives_a_conversation_to_a_bot_by_hand(house: House, method: str) -> None:
    shop, _, ada, conversation = await serving(house)
    boss = await shop.agent("Boss", roles=(Role.SERVICE_ADMIN,), status="offline")
    bot = await shop.account("Bot", Role.BOT)

    refused = await boss.refused(method, conversation_id=conversation, account_id=bot.id)

    assert (refused.code, refused.reason) == (ErrorCode.INVALID_PARAMS, "not_an_agent")
    assert (await ada.service()).assign_epoch == 1


@pytest.mark.req("KS-21", "KS-09")
@pytest.mark.parametrize(
    ("method", "more"),
    [("conversation.pull", {}), ("conversation.requeue", {}), ("conversation.list", {"scope": "queue"})],
)
async def test_a_pool_that_does_not_exist_is_refused(house: House, method: str, more: dict[str, Any]) -> None:
    _, lily, _, conversation = await serving(house)
    if method == "conversation.requeue":
        more = {"conversation_id": conversation}

    refused = await lily.refused(method, pool="vip", **more)

    assert (refused.code, refused.reason) == (ErrorCode.INVALID_PARAMS, "unknown_pool")
    assert "default" in refused.message
    await lily.sees(conversation, state="active", owner=lily.id)


@pytest.mark.req("KS-19")
async def test_who_serves_nobody_is_given_no_capacity(house: House) -> None:
    shop = await house.shop()
    boss = await shop.agent("Boss", roles=(Role.SERVICE_ADMIN,), status="offline")
    clerk = await shop.account("Clerk", Role.OPERATIONS)

    refused = await boss.refused("agent.set_capacity", account_id=clerk.id, capacity=9)

    assert refused.code is ErrorCode.NOT_FOUND
    assert (await shop.app.account_store.get(shop.id, clerk.id)).capacity is None


@pytest.mark.req("PF-01")
async def test_customers_are_not_shown_what_the_shop_notes_about_them(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada", tags=("difficult",))

    conversation = await ada.opens()

    assert (await lily.sees(conversation, owner=lily.id)).customer.tags == ["difficult"]
    assert (await ada.sees(conversation, owner=lily.id)).customer.tags == []
    assert (await ada.service()).customer.tags == []


# --- accounts that go -------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-09", "PF-05")
async def test_an_account_disabled_while_routing_was_away_gets_nothing_and_keeps_nothing(
    house: House,
) -> None:
    shop, lily, _, conversation = await serving(house)
    max_ = await shop.agent("Max", status="paused")
    await shop.app.account_store.update(shop.id, AccountId(lily.id), {"disabled": True})
    await max_.sets("online")

    await house.nodes[-1].app.changes.reconcile(shop.id)

    await max_.sees(conversation, state="active", owner=max_.id)
    assert list(await shop.loads()) == ["Max"]


@pytest.mark.req("KS-04", "KS-19")
async def test_who_is_no_agent_any_more_gives_back_what_they_had(house: House) -> None:
    shop, lily, _, conversation = await serving(house)
    max_ = await shop.agent("Max")
    changed = AccountChange({"roles": [Role.OPERATIONS]})

    await shop.app.accounts.change(shop.caller(), AccountId(lily.id), changed)

    await max_.sees(conversation, state="active", owner=max_.id)


@pytest.mark.req("KS-04", "KS-19")
async def test_who_is_taken_out_by_several_at_once_is_taken_out(house: House) -> None:
    shop, lily, _, conversation = await serving(house)
    max_ = await shop.agent("Max")
    await shop.app.account_store.update(shop.id, AccountId(lily.id), {"roles": [Role.OPERATIONS]})

    changes = [node.app.changes for node in house.nodes for _ in range(4)]
    await asyncio.gather(*(each.account_removed(shop.id, AccountId(lily.id)) for each in changes))

    await max_.sees(conversation, state="active", owner=max_.id)


# --- what fails must not spread ---------------------------------------------------------------------------------------
@pytest.mark.req("KS-20", "PF-04")
async def test_a_shop_in_disorder_does_not_keep_the_others_waiting(house: House) -> None:
    for _ in range(3):
        broken = await house.shop()
        await house.app.db.execute(
            'UPDATE shops SET policy = \'{"timezone": "Nowhere/At all"}\' WHERE id = $1', broken.id
        )
    _, lily, ada, conversation = await serving(house, wrap_up_s=1)

    await lily.asks("conversation.end", conversation_id=conversation)

    await ada.sees(conversation, state="closed")


@pytest.mark.req("PF-03", "KS-18")
async def test_agents_hear_of_themselves_again_after_the_database_was_away(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    for node in house.nodes:
        _fails_once(node.app.names)
        node.app.feed.touch(shop.id, [PersonId(lily.id)])

    await shop.change(lily, capacity=77)

    await until(lambda: lily.client.view.agents[lily.id].capacity == 77, what="Lily's hearing of it")


def _fails_once(names: Any) -> None:
    real = names.party

    async def party(*args: Any) -> Any:
        names.party = real
        await asyncio.sleep(0)
        raise RequestError(ErrorCode.UNAVAILABLE, "database_down", "Away.")

    names.party = party


@pytest.mark.req("PF-02")
async def test_every_refusal_is_an_error_of_its_own(house: House) -> None:
    """One that is raised again and again keeps every caller's frames, and what people wrote in them, for ever."""
    shop = await house.shop()

    async def ended(engine: Engine, stamp: Stamp) -> Outcome:
        return await engine.end(ConversationId(new_id()), op_id=stamp.op_id, day=stamp.day, wrap_up_ms=0)

    found: list[RequestError] = []
    for _ in range(2):
        with pytest.raises(RequestError) as refused:
            await house.app.live.do(shop.id, ended)
        found.append(refused.value)

    assert found[0] is not found[1]
