"""The main job: a customer writes, the right agent has the conversation, nothing is lost."""

import pytest

from tests.scenarios.house import House


@pytest.mark.req("PF-01", "PF-03", "PF-04", "PF-05", "KS-02")
async def test_a_customer_writes_and_an_agent_answers(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")

    conversation = await ada.opens("is this still in stock?")

    await lily.sees(conversation, state="active", owner=lily.id)
    await lily.reads(conversation, "is this still in stock?")
    await lily.says(conversation, "yes, two left")
    await ada.reads(conversation, "yes, two left")
    assert [message.seq for message in ada.client.logs[conversation].messages] == [1, 2, 3]
    assert [message.seq for message in lily.client.logs[conversation].messages] == [1, 2, 3]


@pytest.mark.req("KS-02", "KS-19", "KS-20", "KS-22")
async def test_the_second_customer_waits_is_told_why_and_gets_the_freed_slot(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily", capacity=1)
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    first = await ada.opens()
    await lily.sees(first, owner=lily.id)

    second = await bob.opened()

    assert second.state == "queued"
    assert second.queue is not None
    assert (second.queue.place, second.queue.reason) == (1, "all_full")
    why = await lily.asks("conversation.explain", conversation_id=second.conversation_id)
    assert [(each.agent.id, each.why) for each in why.waiting.agents] == [(lily.id, "full")]

    await lily.asks("conversation.end", conversation_id=first)

    await bob.sees(second.conversation_id, state="active", owner=lily.id)
    await ada.sees(first, state="closed")
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}
