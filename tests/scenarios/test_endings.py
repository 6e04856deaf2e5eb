"""How conversations end: what became of them, taking the end back, and what the customer says."""

from typing import Any

import pytest

from tests.scenarios.house import Agent, Customer, House, Shop

SOLVED = {"tag_id": "solved", "name": "已解决", "colour": "green"}
LATER = {"tag_id": "later", "name": "待跟进", "colour": "orange"}
OLD = {"tag_id": "old", "name": "旧标签", "archived": True}
TAGS = [SOLVED, LATER, OLD]


async def in_service(house: House, **endings: Any) -> tuple[Shop, Agent, Customer, str]:
    """Lily serves Ada, in a shop whose conversations end like that."""
    shop = await house.shop()
    await shop.endings(result_tags=TAGS, **endings)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, state="active")
    return shop, lily, ada, conversation


def tags_of(conversation: Any) -> list[str]:
    return [tag.name for tag in conversation.result_tags]


@pytest.mark.req("KS-20")
async def test_an_end_says_what_became_of_it_and_why_to_colleagues_only(house: House) -> None:
    shop, lily, ada, conversation = await in_service(house)
    boss = await shop.agent("Bea", roles=("supervisor",), status="offline")
    await boss.asks("monitor.watch", conversation_id=conversation)

    await lily.asks(
        "conversation.end",
        conversation_id=conversation,
        result_tags=["later", "solved"],
        reason="parcel lost",
    )

    seen = await boss.sees(conversation, state="wrap_up")
    assert (tags_of(seen), seen.end_reason) == (["待跟进", "已解决"], "parcel lost")
    told = await ada.sees(conversation, state="wrap_up")
    assert (told.result_tags, told.end_reason) == ([], "")
    row = await shop.app.db.fetchrow(
        "SELECT actor_name, reason, after FROM audit WHERE shop_id = $1 AND action = 'conversation.end'",
        shop.id,
    )
    assert row is not None
    assert (row["actor_name"], row["reason"], row["after"]) == (
        "Lily",
        "parcel lost",
        {"result_tags": ["待跟进", "已解决"]},
    )


@pytest.mark.req("KS-20")
async def test_tags_change_in_wrap_up_and_not_after_the_close(house: House) -> None:
    shop = await house.shop(wrap_up_s=2)
    await shop.endings(result_tags=TAGS)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.asks("conversation.end", conversation_id=conversation, result_tags=["solved"])
    version = (await ada.sees(conversation, state="wrap_up")).rev

    await lily.asks("conversation.tag", conversation_id=conversation, result_tags=["later"])

    assert tags_of(await lily.sees(conversation, state="closed")) == ["待跟进"]
    closed = await ada.sees(conversation, state="closed")
    assert closed.rev == version + 1, "what became of it leaves no gap in the customer's numbering"
    refused = await lily.refused("conversation.tag", conversation_id=conversation, result_tags=["solved"])
    assert (refused.code, refused.reason) == (1012, "not_in_service")
    recent = (await lily.asks("conversation.list", scope="recent")).conversations
    assert [tags_of(each) for each in recent] == [["待跟进"]]


@pytest.mark.req("KS-20")
@pytest.mark.parametrize("tag", ["made_up", "old"])
async def test_a_tag_that_is_not_offered_is_refused_and_nothing_ends(house: House, tag: str) -> None:
    _, lily, ada, conversation = await in_service(house)

    refused = await lily.refused("conversation.end", conversation_id=conversation, result_tags=[tag])

    assert (refused.code, refused.reason) == (-32602, "unknown_result_tag")
    assert (await ada.service()).state == "active"


@pytest.mark.req("KS-20")
async def test_a_shop_may_want_a_tag_of_who_serves_and_not_of_managers(house: House) -> None:
    shop, lily, ada, conversation = await in_service(house, result_tag_required=True)
    choices = await lily.asks("conversation.choices")
    assert (choices.result_tag_required, [tag.name for tag in choices.result_tags]) == (
        True,
        ["已解决", "待跟进"],
    )

    refused = await lily.refused("conversation.end", conversation_id=conversation)
    assert refused.reason == "result_tag_required"
    assert (await ada.service()).state == "active"

    boss = await shop.agent("Sam", roles=("service_admin",), status="offline")
    await boss.asks("conversation.end", conversation_id=conversation, reason="abusive")
    await ada.sees(conversation, state="wrap_up")


@pytest.mark.req("KS-20")
async def test_taking_the_end_back_keeps_what_was_said_of_it(house: House) -> None:
    _, lily, ada, conversation = await in_service(house)
    await lily.asks("conversation.end", conversation_id=conversation, result_tags=["solved"])
    await ada.sees(conversation, state="wrap_up")

    await lily.asks("conversation.reopen", conversation_id=conversation)

    back = await lily.sees(conversation, state="active", owner=lily.id)
    assert tags_of(back) == ["已解决"]
    await lily.asks("conversation.end", conversation_id=conversation)
    assert tags_of(await lily.sees(conversation, state="wrap_up")) == ["已解决"]


@pytest.mark.req("KS-20")
async def test_the_customer_is_told_how_long_the_end_may_be_taken_back(house: House) -> None:
    shop, lily, ada, conversation = await in_service(house, undo_s=30)
    await shop.set_policy(wrap_up_s=20)
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.sees(conversation, state="wrap_up")

    page = await ada.asks("message.history", conversation_id=conversation)

    ended = [each.body.data for each in page.messages if getattr(each.body, "event", "") == "ended"]
    assert ended == [{"undo_s": 20}], "never longer than wrap-up"


@pytest.mark.req("KS-20")
async def test_a_rating_comes_with_reasons_that_everybody_in_it_sees(house: House) -> None:
    _, lily, ada, conversation = await in_service(house)
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.sees(conversation, state="wrap_up")
    offered = (await ada.asks("conversation.choices")).rating_reasons
    bad = [each.reason_id for each in offered if each.stars_from <= 2 <= each.stars_to]
    assert "slow" in bad

    await ada.asks(
        "conversation.rate",
        conversation_id=conversation,
        rating=2,
        reasons=["slow", "unsolved"],
        comment="hm",
    )

    rated = await lily.sees(conversation, rating=2)
    assert [reason.texts["zh-CN"] for reason in rated.rating_reasons] == ["回复太慢", "问题没有解决"]
    assert (rated.rating_comment, rated.rated_at is None) == ("hm", False)
    own = await ada.sees(conversation, rating=2)
    assert [reason.reason_id for reason in own.rating_reasons] == ["slow", "unsolved"]
    refused = await ada.refused("conversation.rate", conversation_id=conversation, rating=5, reasons=["slow"])
    assert refused.reason == "unknown_rating_reason", "it is offered with few stars only"


@pytest.mark.req("KS-20")
async def test_a_rating_is_corrected_for_a_while_and_anew_after_another_end(house: House) -> None:
    _, lily, ada, conversation = await in_service(house, rating_correct_s=0)
    talk = {"conversation_id": conversation}
    await lily.asks("conversation.end", **talk)
    await ada.sees(conversation, state="wrap_up")
    await ada.asks("conversation.rate", **talk, rating=1)

    refused = await ada.refused("conversation.rate", **talk, rating=5)
    assert (refused.code, refused.reason) == (1012, "rated_already")

    await ada.says(conversation, "one more thing")
    await lily.sees(conversation, state="active")
    await lily.asks("conversation.end", **talk)
    await ada.sees(conversation, state="wrap_up")
    await ada.asks("conversation.rate", **talk, rating=5)
    await lily.sees(conversation, rating=5)


@pytest.mark.req("KS-20")
async def test_the_same_rating_is_corrected_within_the_shop_s_time(house: House) -> None:
    _, lily, ada, conversation = await in_service(house)
    talk = {"conversation_id": conversation}
    await lily.asks("conversation.end", **talk)
    await ada.sees(conversation, state="wrap_up")
    await ada.asks("conversation.rate", **talk, rating=1, reasons=["slow"])
    first = await lily.sees(conversation, rating=1)

    await ada.asks("conversation.rate", **talk, rating=5)

    second = await lily.sees(conversation, rating=5)
    assert (second.rating_reasons, second.rated_at) == ([], first.rated_at)
