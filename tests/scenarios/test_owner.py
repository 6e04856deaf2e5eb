"""Who takes part (KS-04): agents only; the owner of a shop that has none, for as long as it has none."""

import pytest

from protocol.states import Role
from tests.scenarios.house import House


@pytest.mark.req("KS-04")
async def test_a_shop_without_agents_sends_everything_to_its_owner(house: House) -> None:
    shop = await house.shop()
    boss = await shop.agent("Boss", roles=(Role.OWNER,), capacity=1)

    assert [await (await shop.customer(f"C{i}")).reaches() for i in range(3)] == ["Boss"] * 3
    assert (await boss.card()).load == 3


@pytest.mark.req("KS-04")
async def test_an_owner_who_is_away_receives_it_too_and_the_customer_is_told(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Boss", roles=(Role.OWNER,), status="offline")

    conversation = await (await shop.customer("Ada")).opened()

    assert conversation.owner is not None
    assert (conversation.owner.name, conversation.answers_later) == ("Boss", True)


@pytest.mark.req("KS-04")
async def test_as_soon_as_there_is_an_agent_the_owner_receives_nothing(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Boss", roles=(Role.OWNER,))
    assert await (await shop.customer("Ada")).reaches() == "Boss"

    await shop.agent("Lily", status="offline")

    assert await (await shop.customer("Bob")).waits() == ("default", 1, "nobody_online")


@pytest.mark.req("KS-04")
async def test_the_owner_still_sees_every_conversation_under_all(house: House) -> None:
    shop = await house.shop()
    boss = await shop.agent("Boss", roles=(Role.OWNER,))
    await shop.agent("Lily")
    conversation = await (await shop.customer("Ada")).opens()

    listed = (await boss.asks("conversation.list", scope="all")).conversations

    assert [each.conversation_id for each in listed] == [conversation]
    assert await boss.mine() == []


@pytest.mark.req("KS-04")
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.SERVICE_ADMIN, Role.OPERATIONS])
async def test_managers_take_no_part(house: House, role: Role) -> None:
    shop = await house.shop()
    await shop.agent("Lily", status="paused")
    await shop.agent("Boss", roles=(role,), status="online" if role in LEND_A_HAND else "offline")

    assert await (await shop.customer("Ada")).waits() == ("default", 1, "all_full")


LEND_A_HAND = {Role.OWNER, Role.SERVICE_ADMIN}
"""The managers who have a status at all."""


@pytest.mark.req("KS-04")
async def test_a_manager_who_is_also_an_agent_takes_part(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Boss", roles=(Role.SERVICE_ADMIN, Role.AGENT))

    assert await (await shop.customer("Ada")).reaches() == "Boss"


@pytest.mark.req("KS-04")
async def test_when_the_last_agent_is_disabled_the_owner_serves_again(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Boss", roles=(Role.OWNER,))
    lily = await shop.agent("Lily")

    await shop.change(lily, disabled=True)

    assert await (await shop.customer("Ada")).reaches() == "Boss"
