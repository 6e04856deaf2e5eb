"""Wrap-up (KS-20): ended by the agent, not closed yet; the customer may come back without being routed."""

import pytest

from protocol.times import ms_of as milliseconds
from tests.scenarios.house import Agent, Customer, House, Shop


async def in_wrap_up(house: House, **policy: object) -> tuple[Shop, Agent, Customer, str]:
    """Lily has room for one and has just ended her conversation with Ada."""
    shop = await house.shop(**policy)
    lily, ada = await shop.agent("Lily", capacity=1), await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.sees(conversation, state="wrap_up")
    return shop, lily, ada, conversation


@pytest.mark.req("KS-20")
async def test_wrap_up_lasts_20_minutes_unless_the_shop_says_otherwise(house: House) -> None:
    _, lily, _, conversation = await in_wrap_up(house)

    ended = await lily.sees(conversation, state="wrap_up")

    slots = (await lily.asks("agent.slots")).slots
    assert [(slot.why, slot.until) for slot in slots] == [("wrap_up", ended.wrap_up_until)]
    assert ended.wrap_up_until is not None
    decisions = (await lily.asks("conversation.explain", conversation_id=conversation)).decisions
    [when] = [decision.at for decision in decisions if decision.change == "ended"]
    assert round((milliseconds(ended.wrap_up_until) - milliseconds(when)) / 1000) == 20 * 60


@pytest.mark.req("KS-20", "KS-22")
async def test_wrap_up_holds_the_slot(house: House) -> None:
    shop, lily, _, _ = await in_wrap_up(house)
    bob = await shop.customer("Bob")

    assert await bob.waits() == ("default", 1, "all_full")
    assert (await lily.card()).load == 1


@pytest.mark.req("KS-20")
async def test_a_shop_may_let_wrap_up_hold_no_slot(house: House) -> None:
    shop, lily, _, conversation = await in_wrap_up(house, wrap_up_holds_slot=False)

    assert await (await shop.customer("Bob")).reaches() == "Lily"
    await lily.sees(conversation, state="wrap_up")


@pytest.mark.req("KS-19", "KS-20")
async def test_when_wrap_up_is_over_it_closes_and_the_next_one_is_served(house: House) -> None:
    shop, lily, ada, conversation = await in_wrap_up(house, wrap_up_s=1)
    bob = await shop.customer("Bob")
    waiting = await bob.opens()

    await ada.sees(conversation, state="closed")
    await bob.sees(waiting, state="active", owner=lily.id)


@pytest.mark.req("KS-20")
async def test_a_message_in_wrap_up_brings_it_back_to_the_same_agent_without_routing(house: House) -> None:
    shop, lily, ada, conversation = await in_wrap_up(house)
    await shop.agent("Max")
    epoch = (await ada.service()).assign_epoch

    await ada.says(conversation, "one more thing")

    back = await lily.sees(conversation, state="active", owner=lily.id)
    assert (back.assign_epoch, back.wrap_up_until) == (epoch, None)
    await lily.reads(conversation, "one more thing")


@pytest.mark.req("KS-20")
async def test_a_message_in_wrap_up_finds_the_agent_even_paused_and_full(house: House) -> None:
    shop, lily, ada, conversation = await in_wrap_up(house, wrap_up_holds_slot=False)
    assert await (await shop.customer("Bob")).reaches() == "Lily"
    await lily.sets("paused")

    await ada.says(conversation, "one more thing")

    await ada.sees(conversation, state="active", owner=lily.id)
    assert (await lily.card()).load == 2


@pytest.mark.req("KS-20")
async def test_asking_for_service_in_wrap_up_is_a_message_like_any_other(house: House) -> None:
    shop, lily, ada, conversation = await in_wrap_up(house)
    await shop.agent("Max")

    again = await ada.opens("one more thing")

    assert again == conversation
    await ada.sees(conversation, state="active", owner=lily.id)


@pytest.mark.req("KS-20")
async def test_the_agent_undoes_the_end(house: House) -> None:
    _, lily, ada, conversation = await in_wrap_up(house)

    await lily.asks("conversation.reopen", conversation_id=conversation)

    await ada.sees(conversation, state="active", owner=lily.id)


@pytest.mark.req("KS-20")
async def test_it_does_not_close_when_it_was_brought_back_in_time(house: House) -> None:
    shop, lily, ada, conversation = await in_wrap_up(house, wrap_up_s=2)
    await ada.says(conversation, "one more thing")
    await lily.sees(conversation, state="active")
    bob = await shop.customer("Bob", node=lily.node)
    await shop.change(lily, capacity=2)
    other = await bob.opens()
    await lily.asks("conversation.end", conversation_id=other)

    # The other one's wrap-up began later and is over: so was, or would have been, that of the first.
    await bob.sees(other, state="closed")
    assert (await ada.service()).state == "active"


@pytest.mark.req("KS-20", "KS-01")
async def test_after_closing_it_is_a_new_conversation_and_is_routed(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    first = await ada.opens()
    await lily.says(first, "done")
    await lily.asks("conversation.end", conversation_id=first)
    await ada.sees(first, state="closed")
    max_ = await shop.agent("Max")
    await lily.sets("offline")

    second = await ada.opens("and another thing")

    assert second != first
    assert await max_.explains(second) == [("last_agent", "offline"), ("random_online", "taken")]


@pytest.mark.req("KS-20")
async def test_writing_into_a_closed_conversation_is_refused_with_a_word(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.asks("conversation.end", conversation_id=conversation)

    refused = await ada.refused(
        "message.send",
        conversation_id=conversation,
        client_message_id="late",
        body={"kind": "text", "text": "too late"},
    )

    assert (refused.code, refused.reason) == (1012, "conversation_closed")


@pytest.mark.req("KS-20")
async def test_the_customer_rates_what_was_ended(house: House) -> None:
    _, lily, ada, conversation = await in_wrap_up(house)

    await ada.asks("conversation.rate", conversation_id=conversation, rating=5, comment="quick")

    await lily.sees(conversation, rating=5)
