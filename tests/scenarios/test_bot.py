"""The bot speaks first and hands over (KS-17); who skips it (KS-15, KS-16)."""

import time

import pytest

from protocol.states import Role
from tests.scenarios.house import Agent, House, Shop


async def with_bot(house: House, *, keep_stickiness: bool = False, **policy: object) -> tuple[Shop, Agent]:
    """A shop whose bot is on and connected."""
    shop = await house.shop(**policy)
    bot = await shop.agent("Robo", roles=(Role.BOT,))
    await shop.set_policy(bot={"enabled": True, "account": bot.id, "keep_stickiness": keep_stickiness})
    return shop, bot


@pytest.mark.req("KS-17")
async def test_with_the_bot_on_a_conversation_starts_with_it(house: House) -> None:
    shop, bot = await with_bot(house)
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("hello?")

    await bot.reads(conversation, "hello?")
    await bot.says(conversation, "I am a bot")

    answer = await ada.reads(conversation, "I am a bot")
    assert (answer.sender.kind, answer.sender.name) == ("bot", "Robo")


@pytest.mark.req("KS-17")
async def test_with_the_bot_off_a_conversation_starts_with_people(house: House) -> None:
    shop, bot = await with_bot(house)
    await shop.agent("Lily")
    await shop.set_policy(bot={"enabled": False, "account": bot.id})

    assert await (await shop.customer("Ada")).reaches() == "Lily"


@pytest.mark.req("KS-17")
async def test_a_bot_that_is_not_connected_is_passed_over(house: House) -> None:
    shop, bot = await with_bot(house)
    lily = await shop.agent("Lily")
    await bot.leave()
    ada = await shop.customer("Ada")
    conversation = await ada.opens()

    assert await lily.explains(conversation) == [("bot", "offline"), ("any_online", "taken")]


@pytest.mark.req("KS-17")
async def test_the_bot_hands_over_to_people(house: House) -> None:
    shop, bot = await with_bot(house)
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await bot.sees(conversation, state="active")

    await bot.asks("conversation.hand_off", conversation_id=conversation)

    await ada.sees(conversation, owner=lily.id)
    await lily.reads(conversation, "hello")


@pytest.mark.req("KS-17")
async def test_the_customer_asks_for_a_person(house: House) -> None:
    shop, _ = await with_bot(house)
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()

    await ada.asks("conversation.hand_off", conversation_id=conversation)

    await lily.sees(conversation, owner=lily.id)


@pytest.mark.req("KS-17")
async def test_handing_over_what_people_have_already_is_refused(house: House) -> None:
    shop, _ = await with_bot(house)
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await ada.asks("conversation.hand_off", conversation_id=conversation)

    assert (await ada.refused("conversation.hand_off", conversation_id=conversation)).reason == "not_with_bot"


@pytest.mark.req("KS-17", "KS-09")
async def test_after_the_hand_off_a_customer_waits_when_all_are_full_and_not_for_the_bot_again(
    house: House,
) -> None:
    shop, _ = await with_bot(house)
    lily = await shop.agent("Lily", status="paused")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await ada.asks("conversation.hand_off", conversation_id=conversation)
    assert (await ada.service()).state == "queued"

    await lily.sets("online")

    await ada.sees(conversation, state="active", owner=lily.id)


@pytest.mark.req("KS-17")
async def test_with_the_bot_on_stickiness_is_void_after_the_hand_off(house: House) -> None:
    shop, _ = await with_bot(house)
    await shop.agent("Lily")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)
    conversation = await ada.opens()

    await ada.asks("conversation.hand_off", conversation_id=conversation)

    owner = (await ada.service()).owner
    assert owner is not None
    assert owner.name == "Lily"


@pytest.mark.req("KS-17")
async def test_a_shop_may_keep_stickiness_with_the_bot(house: House) -> None:
    shop, _ = await with_bot(house, keep_stickiness=True)
    await shop.agent("Lily")
    max_ = await shop.agent("Max")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)
    conversation = await ada.opens()

    await ada.asks("conversation.hand_off", conversation_id=conversation)

    await max_.sees(conversation, owner=max_.id)


@pytest.mark.req("KS-16", "KS-17")
async def test_returning_customer_priority_outranks_the_bot(house: House) -> None:
    shop, _ = await with_bot(house, returning_customer_priority=True)
    max_ = await shop.agent("Max", status="paused")
    ada = await shop.customer("Ada")
    await shop.served_before(ada, max_)

    assert await ada.reaches() == "Max"


@pytest.mark.req("KS-15")
async def test_a_new_customer_skips_the_bot(house: House) -> None:
    shop, _ = await with_bot(house, new_customer_priority=True)
    await shop.agent("Lily")
    just_now = int(time.time() * 1000) - 60_000
    ada = await shop.customer("Ada", first_paid_ms=just_now, last_bought_ms=just_now)

    assert await ada.reaches() == "Lily"


@pytest.mark.req("KS-16", "KS-17")
async def test_contact_with_the_bot_is_no_contact_with_a_person(house: House) -> None:
    shop, bot = await with_bot(house, returning_customer_priority=True, wrap_up_s=0)
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await bot.says(conversation, "I am a bot")
    await ada.asks("conversation.hand_off", conversation_id=conversation)

    [*_, last] = (await lily.asks("conversation.explain", conversation_id=conversation)).decisions

    assert [each.tier for each in last.tried] == ["any_online"]


@pytest.mark.req("KS-17", "KS-21")
async def test_a_hand_off_of_an_earlier_owner_is_refused(house: House) -> None:
    shop, _ = await with_bot(house)
    await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opened()

    refused = await ada.refused(
        "conversation.hand_off",
        conversation_id=conversation.conversation_id,
        assign_epoch=conversation.assign_epoch - 1,
    )

    assert refused.reason == "stale_assignment"
    assert (await ada.service()).owner == conversation.owner
