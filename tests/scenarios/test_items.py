"""Divided work inside a conversation (CO-08): items with an owner, done and remaining visible to all who take part."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from protocol.client.subscription import Subscription
from protocol.codes import ErrorCode
from protocol.ids import AccountId, ConversationId, new_id
from protocol.shapes import SystemBody
from protocol.states import Role
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until

pytestmark = pytest.mark.req("CO-08")


@dataclass
class Scene:
    """Lily serves Ada, and Ben helps her."""

    shop: Shop
    lily: Agent
    ben: Agent
    ada: Customer
    talk: str

    async def joins(self, agent: Agent, role: Any = "collaborator") -> None:
        """Let somebody take part, as an invitation taken up does."""
        await self.shop.app.participants.add(
            self.shop.id, ConversationId(self.talk), AccountId(agent.id), role, by=AccountId(self.lily.id)
        )

    async def adds(self, who: Agent, text: str, **more: Any) -> Any:
        result = await who.asks("item.add", conversation_id=self.talk, item_id=new_id(), text=text, **more)
        return result.item

    async def changes(self, who: Agent, item: Any, **more: Any) -> Any:
        result = await who.asks("item.change", conversation_id=self.talk, item_id=item.item_id, **more)
        return result.item

    async def items(self, who: Agent) -> list[Any]:
        return (await who.asks("item.list", conversation_id=self.talk)).items

    def told(self, who: Agent) -> list[tuple[str, str]]:
        """What the log told somebody of the work: event and text, in order."""
        bodies = [message.body for message in who.client.logs[self.talk].messages]
        return [
            (body.event, body.data["text"])
            for body in bodies
            if isinstance(body, SystemBody) and body.event.startswith("item_")
        ]

    def work(self, who: Person) -> tuple[int, int] | None:
        """Done and remaining, as somebody's client has it; None: it knows of no work."""
        known = who.knows(self.talk)
        return None if known is None or known.work is None else (known.work.done, known.work.remaining)


@pytest.fixture
async def scene(house: House) -> Scene:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ben = await shop.agent("Ben", status="paused")
    ada = await shop.customer("Ada")
    scene = Scene(shop, lily, ben, ada, await ada.opens("my parcel is broken"))
    await lily.sees(scene.talk, owner=lily.id)
    await scene.joins(ben)
    await until(lambda: ben.knows(scene.talk), what="Ben's taking part")
    return scene


def item_of(frame: Any) -> Any:
    return frame.params.item


def item_events(person: Agent) -> tuple[Subscription, Callable[..., Any]]:
    """What somebody hears of items from now on."""
    subscription = person.client.subscribe()

    async def heard(**facts: Any) -> Any:
        frame = await subscription.next(
            "item.changed",
            where=lambda frame: all(getattr(item_of(frame), k) == v for k, v in facts.items()),
        )
        return item_of(frame)

    return subscription, heard


async def test_everybody_in_the_conversation_sees_what_is_done_and_what_remains(scene: Scene) -> None:
    _, ben_heard = item_events(scene.ben)

    refund = await scene.adds(scene.lily, "refund the parcel", owner_id=scene.ben.id)
    await scene.adds(scene.lily, "write to the carrier")

    assert (await ben_heard(text="refund the parcel")).owner.name == "Ben"
    assert await ben_heard(text="write to the carrier")
    for person in (scene.lily, scene.ben):
        await until(lambda person=person: scene.work(person) == (0, 2), what=f"{person.name}'s two to do")

    done = await scene.changes(scene.ben, refund, done=True)
    assert (done.done, done.done_at is not None) == (True, True)
    for person in (scene.lily, scene.ben):
        await until(lambda person=person: scene.work(person) == (1, 1), what=f"{person.name}'s one done")
    assert [(item.text, item.done) for item in await scene.items(scene.ben)] == [
        ("refund the parcel", True),
        ("write to the carrier", False),
    ]


async def test_the_log_tells_colleagues_who_changed_what_and_the_customer_nothing(scene: Scene) -> None:
    item = await scene.adds(scene.lily, "refund")
    await scene.changes(scene.ben, item, owner_id=scene.ben.id)
    await scene.lily.asks("item.remove", conversation_id=scene.talk, item_id=item.item_id)
    await scene.lily.says(scene.talk, "done")
    await scene.ada.reads(scene.talk, "done")

    expected = [("item_added", "refund"), ("item_changed", "refund"), ("item_removed", "refund")]
    for person in (scene.lily, scene.ben):
        await until(lambda person=person: scene.told(person) == expected, what=f"{person.name}'s log")
    log = scene.ada.client.logs[scene.talk]
    assert [message.seq for message in log.messages] == list(range(1, log.cursor + 1)), "no gap"
    assert "item" not in str([message.body for message in log.messages])
    assert scene.work(scene.ada) is None
    assert await scene.items(scene.lily) == []


async def test_the_customers_revision_does_not_rise_with_work(scene: Scene) -> None:
    before = (await scene.ada.asks("conversation.get", conversation_id=scene.talk)).conversation
    await scene.adds(scene.lily, "refund")
    after = (await scene.ada.asks("conversation.get", conversation_id=scene.talk)).conversation
    assert (after.rev, after.head_seq) == (before.rev, before.head_seq)


async def test_adding_is_repeated_safely_and_an_id_is_used_once(scene: Scene) -> None:
    params = {"conversation_id": scene.talk, "item_id": new_id(), "text": "refund"}
    first, again = await asyncio.gather(*(scene.lily.asks("item.add", **params) for _ in range(2)))
    assert first.item == again.item
    done = await scene.changes(scene.lily, first.item, done=True)
    assert (await scene.lily.asks("item.add", **params)).item == done, "the item as it is now"

    other = await scene.lily.refused("item.add", **{**params, "text": "something else"})
    assert other.code == ErrorCode.IDEMPOTENCY_CONFLICT
    somebody = await scene.ben.refused("item.add", **params)
    assert somebody.code == ErrorCode.IDEMPOTENCY_CONFLICT
    assert len(await scene.items(scene.lily)) == 1


async def test_of_two_who_change_one_item_at_once_the_second_is_shown_what_the_first_did(
    scene: Scene,
) -> None:
    item = await scene.adds(scene.lily, "refund")
    await scene.changes(scene.lily, item, text="refund 20", rev=item.rev)

    late = await scene.ben.refused(
        "item.change", conversation_id=scene.talk, item_id=item.item_id, text="refund 30", rev=item.rev
    )
    assert (late.code, late.reason) == (ErrorCode.CONFLICT, "stale_rev")
    assert (late.detail["text"], late.detail["rev"]) == ("refund 20", item.rev + 1)

    # What is so already is no conflict: a repeat whose first reply was lost.
    same = await scene.changes(scene.lily, item, text="refund 20", rev=item.rev)
    assert same.rev == item.rev + 1


async def test_changes_at_the_same_time_leave_exact_counts(scene: Scene) -> None:
    items = [await scene.adds(scene.lily, f"step {i}") for i in range(6)]
    await asyncio.gather(
        *(
            scene.changes(scene.lily if i % 2 else scene.ben, item, done=True)
            for i, item in enumerate(items[:4])
        ),
        scene.lily.asks("item.remove", conversation_id=scene.talk, item_id=items[5].item_id),
        scene.adds(scene.ben, "one more"),
    )
    shown = (await scene.lily.asks("conversation.get", conversation_id=scene.talk)).conversation
    assert (shown.work.done, shown.work.remaining) == (4, 2)


async def test_work_is_given_to_who_takes_part_or_is_invited(scene: Scene) -> None:
    cleo = await scene.shop.agent("Cleo", status="paused")
    stranger = await scene.lily.refused(
        "item.add", conversation_id=scene.talk, item_id=new_id(), text="refund", owner_id=cleo.id
    )
    assert (stranger.code, stranger.reason) == (ErrorCode.INVALID_STATE, "owner_elsewhere")
    nobody = await scene.lily.refused(
        "item.add", conversation_id=scene.talk, item_id=new_id(), text="refund", owner_id="who"
    )
    assert nobody.reason == "owner_elsewhere"

    await scene.joins(cleo)
    item = await scene.adds(scene.lily, "refund", owner_id=cleo.id)
    assert item.owner.name == "Cleo"
    taken_back = await scene.changes(scene.lily, item, clear=["owner_id"])
    assert taken_back.owner is None


async def test_who_does_not_take_part_changes_nothing(scene: Scene) -> None:
    item = await scene.adds(scene.lily, "refund")
    outsider = await scene.shop.agent("Otto", status="paused")
    hidden = await outsider.refused("item.list", conversation_id=scene.talk)
    assert hidden.code == ErrorCode.NOT_FOUND
    watcher = await scene.shop.agent("Sue", status="offline", roles=(Role.SUPERVISOR,))
    assert [each.text for each in await scene.items(watcher)] == ["refund"]
    refused = await watcher.refused(
        "item.change", conversation_id=scene.talk, item_id=item.item_id, done=True
    )
    assert (refused.code, refused.detail) == (ErrorCode.FORBIDDEN, {"right": "conversation.assign"})

    boss = await scene.shop.agent("Boss", status="offline", roles=(Role.SERVICE_ADMIN,))
    assert (await scene.changes(boss, item, done=True)).done, "who may assign it may divide its work"


async def test_a_closed_conversation_keeps_its_work_as_it_was(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    talk = await ada.opens("hello")
    await lily.sees(talk, owner=lily.id)
    item = (await lily.asks("item.add", conversation_id=talk, item_id=new_id(), text="refund")).item
    await lily.asks("conversation.end", conversation_id=talk)

    late = await lily.refused("item.change", conversation_id=talk, item_id=item.item_id, done=True)
    assert late.reason == "conversation_closed"
    assert [each.done for each in (await lily.asks("item.list", conversation_id=talk)).items] == [False]


async def test_no_more_items_than_the_shop_allows(scene: Scene) -> None:
    await scene.shop.app.shop_store.set_collaboration(scene.shop.id, {"items_max": 2})
    for node in scene.shop.house.nodes:
        node.app.shops.forget(scene.shop.id)
    await scene.adds(scene.lily, "one")
    await scene.adds(scene.lily, "two")
    full = await scene.lily.refused("item.add", conversation_id=scene.talk, item_id=new_id(), text="three")
    assert full.reason == "too_many_items"


async def test_a_time_that_no_calendar_has_is_refused(scene: Scene) -> None:
    bad = await scene.lily.refused(
        "item.add",
        conversation_id=scene.talk,
        item_id=new_id(),
        text="refund",
        due_at="2026-02-31T08:00:00.000Z",
    )
    assert (bad.code, bad.detail[0]["field"]) == (ErrorCode.INVALID_PARAMS, "due_at")
