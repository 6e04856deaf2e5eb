"""Excluded accounts (KS-14): nothing comes by itself, but they may take, and be given by hand."""

import pytest

from protocol.states import Role
from tests.scenarios.house import House


@pytest.mark.req("KS-14")
async def test_an_excluded_agent_receives_nothing_though_nobody_else_is_there(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily", excluded=True)

    assert await (await shop.customer("Ada")).waits() == ("default", 1, "nobody_online")


@pytest.mark.req("KS-14")
async def test_an_excluded_agent_pulls_from_the_queue(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", excluded=True)
    ada = await shop.customer("Ada")
    await ada.waits()

    taken = (await lily.asks("conversation.pull")).conversation

    await ada.sees(taken.conversation_id, state="active", owner=lily.id)


@pytest.mark.req("KS-07", "KS-14")
async def test_a_manager_assigns_to_an_excluded_agent(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", excluded=True)
    boss = await shop.agent("Boss", roles=(Role.SERVICE_ADMIN,), status="offline")
    ada = await shop.customer("Ada")
    await ada.waits()
    conversation = (await ada.service()).conversation_id

    await boss.asks("conversation.assign", conversation_id=conversation, account_id=lily.id)

    await lily.sees(conversation, state="active", owner=lily.id)


@pytest.mark.req("KS-14", "KS-19")
async def test_lifting_the_mark_brings_the_old_settings_back_and_drains_the_queue(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", groups=("Refunds",), excluded=True)
    ada = await shop.customer("Ada", order_state="after_sale")
    await ada.waits()

    await shop.change(lily, excluded=False)

    assert (await ada.service()).state == "active"
    assert (await lily.card()).groups == [shop.groups["Refunds"]]


@pytest.mark.req("KS-14")
async def test_setting_the_mark_leaves_what_is_in_service_and_stops_what_would_come(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()

    await shop.change(lily, excluded=True)

    assert (await ada.service()).owner is not None
    await (await shop.customer("Bob")).waits()
    assert [each.conversation_id for each in await lily.mine()] == [conversation]
