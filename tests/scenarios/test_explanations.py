"""Why here, why not, why still waiting, and what holds the slots (KS-22)."""

import pytest

from protocol.codes import ErrorCode
from protocol.states import Role
from tests.scenarios.house import House, until


@pytest.mark.req("KS-22")
async def test_why_a_customer_waits_is_said_per_agent(house: House) -> None:
    shop = await house.shop()
    full = await shop.agent("Full", capacity=1)
    await (await shop.customer("Zoe")).opens()
    await shop.agent("Paused", status="paused")
    await shop.agent("Away", status="offline")
    await shop.agent("Marked", excluded=True)
    ada = await shop.customer("Ada")
    await ada.waits()

    why = await full.asks("conversation.explain", conversation_id=(await ada.service()).conversation_id)

    assert {each.agent.name: each.why for each in why.waiting.agents} == {
        "Full": "full",
        "Paused": "paused",
        "Away": "offline",
        "Marked": "excluded",
    }
    assert (why.waiting.pool, why.waiting.place, why.waiting.reason) == ("default", 1, "all_full")


@pytest.mark.req("KS-22", "KS-05", "KS-09")
async def test_an_agent_of_another_group_who_looks_free_is_not_among_those_waited_for(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", groups=("Refunds",), status="paused")
    await shop.agent("Free")
    ada = await shop.customer("Ada", order_state="after_sale")
    await ada.waits()

    why = await lily.asks("conversation.explain", conversation_id=(await ada.service()).conversation_id)

    assert [(each.agent.name, each.why) for each in why.waiting.agents] == [("Lily", "paused")]
    assert why.waiting.groups == [shop.groups["Refunds"]]
    assert not why.waiting.open_to_everybody


@pytest.mark.req("KS-22")
async def test_why_an_assignment_went_there_names_every_rule_tried(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"}, sticky_over_capacity=0)
    last = await shop.agent("Last", capacity=1)
    await (await shop.customer("Zoe")).opens()
    await shop.agent("Refunder", groups=("Refunds",), status="offline")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada", order_state="after_sale")
    await shop.served_before(ada, last)

    conversation = await ada.opens()

    assert await max_.explains(conversation) == [
        ("last_agent", "full"),
        ("order_state_group", "nobody_online"),
        ("any_online", "taken"),
    ]


@pytest.mark.req("KS-22")
async def test_the_whole_history_of_a_conversation_is_told_in_order(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily", status="paused")
    max_ = await shop.agent("Max", status="offline")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sets("online")
    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)
    await max_.asks("conversation.end", conversation_id=conversation)

    told = (await max_.asks("conversation.explain", conversation_id=conversation)).decisions

    assert [(each.change, each.reason, each.owner and each.owner.name) for each in told] == [
        ("queued", "queue_pool", None),
        ("assigned", "filled", "Lily"),
        ("assigned", "by_hand", "Max"),
        ("closed", None, "Max"),
    ]
    assert [each.by and each.by.name for each in told] == [None, None, "Lily", "Max"]


@pytest.mark.req("KS-22", "KS-20")
async def test_the_slot_ledger_says_for_every_slot_why_it_is_held(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=1)
    boss = await shop.agent("Boss", roles=(Role.OWNER,), status="offline")
    ended = await (await shop.customer("Zoe")).opens()
    await lily.asks("conversation.end", conversation_id=ended)
    given = await (await shop.customer("Ada")).opens()
    await boss.asks("conversation.assign", conversation_id=given, account_id=lily.id)

    ledger = await boss.asks("agent.slots", account_id=lily.id)

    assert [
        (slot.customer_name, slot.why, slot.until is not None, slot.reason, slot.over_capacity)
        for slot in ledger.slots
    ] == [("Zoe", "wrap_up", True, "any_online", False), ("Ada", "in_service", False, "by_hand", True)]
    assert (ledger.agent.load, ledger.agent.capacity, ledger.agent.availability) == (2, 1, "full")


@pytest.mark.req("KS-22")
async def test_reasons_are_for_staff_only(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()

    refused = await ada.refused("conversation.explain", conversation_id=conversation)

    assert refused.code is ErrorCode.FORBIDDEN


@pytest.mark.req("KS-22", "KS-19")
async def test_a_waiting_customer_is_told_every_new_place(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily", capacity=1)
    first = await (await shop.customer("Zoe")).opens()
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    await ada.waits()
    waiting = await bob.opens()

    await lily.asks("conversation.end", conversation_id=first)

    def moved_up() -> bool:
        known = bob.knows(waiting)
        return known is not None and known.queue is not None and known.queue.place == 1

    await until(moved_up, what="the new place")


@pytest.mark.req("KS-11", "KS-22")
async def test_a_customer_stops_waiting_and_the_next_moves_up(house: House) -> None:
    shop = await house.shop()
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    leaving = await ada.opens()
    await bob.waits()

    await ada.asks("conversation.leave_queue", conversation_id=leaving)

    queue = (await bob.service()).queue
    assert queue is not None
    assert queue.place == 1
    assert (await ada.sees(leaving, state="closed")).owner is None
