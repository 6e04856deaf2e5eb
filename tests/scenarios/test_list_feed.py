"""What a desk shows without taking part comes by itself: only what changed, only while it is shown, within reach."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from protocol.events import ConversationFollowed
from protocol.ids import ShopId, new_id
from protocol.shapes import Conversation
from tests.scenarios.house import Agent, Customer, House, Shop, until


def looking(shop: ShopId) -> bool:
    return any(task.get_name() == f"lists:{shop}" for task in asyncio.all_tasks())


class Desk:
    """Somebody at the desk, and what they are told of what they show."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._heard = agent.client.subscribe()
        self.told: list[ConversationFollowed] = []

    async def shows(self, *conversations: Conversation, head: bool = False) -> None:
        known: list[dict[str, Any]] = [
            {"conversation_id": each.conversation_id, "rev": each.rev, "head_seq": each.head_seq}
            for each in conversations
        ]
        await self.agent.asks("conversation.follow", conversations=known, head=head)

    async def looks(self, talk: str) -> Conversation:
        return (await self.agent.asks("conversation.get", conversation_id=talk)).conversation

    async def lists(self) -> list[Conversation]:
        return (await self.agent.asks("conversation.list", scope="all")).conversations

    async def is_told(
        self, talk: str, holds: Callable[[Conversation | None], bool] = lambda _: True
    ) -> Conversation | None:
        """The next news of this conversation that is such; other news may come before."""
        while True:
            told = (await self._heard.next("conversation.followed", timeout_s=5)).params
            assert isinstance(told, ConversationFollowed)
            self.told.append(told)
            if told.conversation_id == talk and holds(told.conversation):
                return told.conversation


async def scene(house: House) -> tuple[Shop, Agent, Desk]:
    """Lily serves; Max may see everything, and looks on."""
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily")
    return shop, lily, Desk(await shop.agent("Max", roles=("agent", "supervisor"), status="offline"))


async def talking(house: House) -> tuple[Agent, Customer, Desk, str]:
    """Lily serves Ada, while Max looks on."""
    shop, lily, desk = await scene(house)
    ada = await shop.customer("Ada")
    talk = await ada.opens("Hello?")
    await lily.sees(talk, owner=lily.id)
    return lily, ada, desk, talk


@pytest.mark.req("GP-02", "PF-03")
async def test_what_is_said_in_a_conversation_that_is_shown_is_told(house: House) -> None:
    lily, ada, desk, talk = await talking(house)
    await desk.shows(await desk.looks(talk))

    await ada.says(talk, "Is anybody there?")

    told = await desk.is_told(talk, lambda each: each is not None and each.customer_messages == 2)
    assert told is not None
    assert told.last_message is not None
    assert told.last_message.body is not None
    await lily.asks("conversation.end", conversation_id=talk)
    await desk.is_told(talk, lambda each: each is not None and each.state == "closed")


@pytest.mark.req("GP-02", "PF-03")
async def test_what_changed_between_the_list_and_the_following_is_told_too(house: House) -> None:
    _, ada, desk, talk = await talking(house)
    (listed,) = await desk.lists()

    await ada.says(talk, "Is anybody there?")
    await desk.shows(listed)

    await desk.is_told(talk, lambda each: each is not None and each.customer_messages == 2)


@pytest.mark.req("GP-02")
async def test_who_comes_to_the_head_of_the_list_is_told_and_who_is_there_is_not(house: House) -> None:
    shop, _, desk = await scene(house)
    ada = await shop.customer("Ada")
    there = await ada.opens("Hello?")
    await desk.shows(*await desk.lists(), head=True)

    new = await (await shop.customer("Bob")).opens("Me too")

    await desk.is_told(new)
    assert [each.conversation_id for each in desk.told if each.conversation_id == there] == []


@pytest.mark.req("GP-02", "GP-03")
async def test_nobody_is_told_of_what_they_may_not_see_and_what_leaves_their_reach_is_gone(
    house: House,
) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds", "trade_done": "Shoes"})
    await shop.role("agent", conversation_serve="own", conversation_view="groups", conversation_pull="own")
    lily = await shop.agent("Lily", groups=("Refunds",))
    nora = await shop.agent("Nora", groups=("Shoes",), status="offline")
    zoe = await shop.agent("Zoe", groups=("Refunds",), status="offline")
    ada = await shop.customer("Ada")
    talk = await ada.opens("Hello?")
    await lily.sees(talk, owner=lily.id)
    stranger, colleague = Desk(nora), Desk(zoe)
    seen = await colleague.looks(talk)
    never = seen.model_copy(update={"conversation_id": new_id()})

    await stranger.shows(seen, never, head=True)
    await colleague.shows(seen, head=True)

    assert await stranger.is_told(talk) is None
    assert await stranger.is_told(never.conversation_id) is None, "what is not there looks the same"
    await ada.says(talk, "Is anybody there?")
    assert await colleague.is_told(talk) is not None
    await shop.role("agent", conversation_serve="own", conversation_view="own", conversation_pull="own")
    assert await colleague.is_told(talk, lambda each: each is None) is None
    assert len(stranger.told) == 2, "of the rest she hears nothing"


@pytest.mark.req("PF-03")
async def test_nobody_looks_when_nothing_is_shown_any_more(house: House) -> None:
    shop, _, desk = await scene(house)
    await desk.shows(head=True)
    assert looking(shop.id)
    await desk.shows()
    await until(lambda: not looking(shop.id), what="the end of looking")
