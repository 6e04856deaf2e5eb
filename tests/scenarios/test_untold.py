"""A node dies between COMMIT and publishing: whoever reaps it tells everybody what nobody heard (I7, fault 11).

Nobody here resumes: the dead node has no clients. Each person's client knows by events alone what a fresh hello says.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.codes import CloseCode
from protocol.errors import ConnectionClosed
from protocol.ids import AccountId, ConversationId, new_id
from server import failpoints
from server.node import NODES_KEY
from server.services.delivery import Delivery
from server.store.contacts import Contacts
from server.store.rows import ConversationRow
from tests.scenarios.house import House, Person, until
from tests.scenarios.test_collaboration import Scene, invited, not_invited, set_collaboration
from tests.scenarios.test_mentions import mentioned
from tests.scenarios.test_notes import notes
from tests.scenarios.test_snapshots import are_up_to_date

GHOST = "ghost"
Death = Callable[[], AbstractAsyncContextManager[None]]


@dataclass
class Stage:
    """A conversation of Ada's with Lily and Max; Nina and the boss stand by. What is done within `dies()` is committed
    by a node that dies before it tells anybody."""

    scene: Scene
    dies: Death

    async def asks(self, who: Person, method: str, **params: Any) -> Any:
        return await who.asks(method, conversation_id=self.scene.talk, **params)


@pytest.fixture
async def stage(house: House, redis_url: str) -> AsyncIterator[Stage]:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    await until(lambda: len(scene.max.client.view.snapshot()) == 1, what="Max's being in it")
    await Contacts(house.app.db, kept_s=30).note(GHOST)

    @asynccontextmanager
    async def dies() -> AsyncGenerator[None, None]:
        head = (await house.app.conversations.get(scene.shop.id, ConversationId(scene.talk))).head_seq
        failpoints.arm("publish.drop")
        try:
            yield
        finally:
            failpoints.arm("")
        await house.app.db.execute(
            "UPDATE messages SET node = $1 WHERE conversation_id = $2 AND seq > $3",
            f"{GHOST}:1",
            scene.talk,
            head,
        )
        async with Redis.from_url(redis_url) as redis:
            await redis.hset(NODES_KEY, f"{GHOST}:1", "0")

    yield Stage(scene, dies)
    failpoints.arm("")


async def an_invitation(stage: Stage) -> None:
    async with stage.dies():
        await stage.asks(stage.scene.lily, "participant.invite", account_ids=[stage.scene.nina.id])


async def a_decline(stage: Stage) -> None:
    await stage.asks(stage.scene.lily, "participant.invite", account_ids=[stage.scene.nina.id])
    await invited(stage.scene.nina, stage.scene.talk)
    async with stage.dies():
        await stage.asks(stage.scene.nina, "participant.decline")


async def one_of_a_group_comes(stage: Stage) -> None:
    scene = stage.scene
    group = await scene.shop.group("Refunds")
    for person in (scene.nina, scene.boss):
        await scene.shop.app.group_store.add_member(scene.shop.id, group, AccountId(person.id))
    await stage.asks(scene.lily, "participant.invite", group_id=group)
    await invited(scene.nina, scene.talk)
    await invited(scene.boss, scene.talk)
    async with stage.dies():
        await stage.asks(scene.nina, "participant.join")
    await not_invited(scene.boss, scene.talk)


async def a_leaving(stage: Stage) -> None:
    async with stage.dies():
        await stage.asks(stage.scene.max, "participant.leave")


async def a_removal(stage: Stage) -> None:
    async with stage.dies():
        await stage.asks(stage.scene.lily, "participant.remove", account_id=stage.scene.max.id)


async def the_beginning_of_watching(stage: Stage) -> None:
    async with stage.dies():
        await stage.asks(stage.scene.boss, "monitor.watch")


async def the_beginning_of_watching_that_is_shown(stage: Stage) -> None:
    await set_collaboration(stage.scene.shop, agents_see_watchers=True)
    await the_beginning_of_watching(stage)


async def the_end_of_watching(stage: Stage) -> None:
    boss, talk = stage.scene.boss, stage.scene.talk
    await stage.asks(boss, "monitor.watch")
    await until(lambda: talk in boss.client.view.watching, what="the boss's watching")
    async with stage.dies():
        await stage.asks(boss, "monitor.unwatch")


async def a_mention(stage: Stage) -> None:
    async with stage.dies():
        await notes(stage.scene.lily, stage.scene.talk, "Max?", "n1", stage.scene.max)


async def a_mention_read(stage: Stage) -> None:
    await notes(stage.scene.lily, stage.scene.talk, "Max?", "n1", stage.scene.max)
    await mentioned(stage.scene.max, "Max?")
    async with stage.dies():
        await stage.scene.max.asks("mention.read")


async def a_recall(stage: Stage) -> None:
    sent = await stage.scene.lily.says(stage.scene.talk, "wrong window")
    for person in (stage.scene.ada, stage.scene.max):
        await person.reads(stage.scene.talk, "wrong window")
    async with stage.dies():
        await stage.asks(stage.scene.lily, "message.recall", message_id=sent.message_id)


async def read_marks(stage: Stage) -> None:
    sent = await stage.scene.lily.says(stage.scene.talk, "there?")
    await stage.scene.ada.reads(stage.scene.talk, "there?")
    async with stage.dies():
        await stage.asks(stage.scene.ada, "read.mark", seq=2)
        await stage.asks(stage.scene.max, "read.mark", seq=sent.seq)


async def a_transfer(stage: Stage) -> None:
    async with stage.dies():
        await stage.asks(stage.scene.lily, "conversation.transfer", account_id=stage.scene.nina.id)


async def an_end(stage: Stage) -> None:
    await stage.asks(stage.scene.boss, "monitor.watch")
    await stage.scene.shop.set_policy(wrap_up_s=0)
    async with stage.dies():
        await stage.asks(stage.scene.lily, "conversation.end")


async def a_rating(stage: Stage) -> None:
    await stage.asks(stage.scene.lily, "conversation.end")
    await stage.scene.ada.sees(stage.scene.talk, state="wrap_up")
    async with stage.dies():
        await stage.asks(stage.scene.ada, "conversation.rate", rating=5)


async def an_item(stage: Stage) -> None:
    async with stage.dies():
        await stage.asks(stage.scene.lily, "item.add", item_id=new_id(), text="find the receipt")


async def an_item_done(stage: Stage) -> None:
    item = new_id()
    await stage.asks(stage.scene.lily, "item.add", item_id=item, text="find the receipt")
    await until(lambda: item in stage.scene.max.client.view.items, what="Max's hearing of it")
    async with stage.dies():
        await stage.asks(stage.scene.lily, "item.change", item_id=item, done=True)


LOST: list[Callable[[Stage], Awaitable[None]]] = [
    an_invitation, a_decline, one_of_a_group_comes, a_leaving, a_removal, the_beginning_of_watching,
    the_beginning_of_watching_that_is_shown, the_end_of_watching, a_mention, a_mention_read, a_recall, read_marks,
    a_transfer, an_end, a_rating, an_item, an_item_done,
]  # fmt: skip


@pytest.mark.req("PF-05", "CO-01", "CO-05", "CO-08", "CO-12", "I7")
@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.__name__)
async def test_what_a_node_told_nobody_before_it_died_everybody_hears(
    stage: Stage, lost: Callable[[Stage], Awaitable[None]]
) -> None:
    await lost(stage)

    scene = stage.scene
    await are_up_to_date(lost.__name__, scene.ada, scene.lily, scene.max, scene.nina, scene.boss)
    listed = (await stage.asks(scene.boss, "item.list")).items
    for person in (scene.lily, scene.max):
        await until(
            lambda person=person: list(person.client.view.items.values()) == listed,
            what=f"{person.name}'s having {listed}",
        )


@pytest.mark.req("PF-05", "I7")
async def test_a_picture_that_was_overtaken_on_its_way_is_followed_by_what_overtook_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, again, overtaken = stage.scene, Delivery.again, asyncio.Event()

    async def slowly(self: Delivery, row: ConversationRow, moved: Collection[AccountId]) -> None:
        if not overtaken.is_set():
            await scene.lily.leave()
            await stage.asks(scene.boss, "conversation.assign", account_id=scene.nina.id)
            await scene.nina.sees(scene.talk, owner=scene.nina.id)
            await scene.lily.arrive()  # knowing of nothing that is not hers
            overtaken.set()
        await again(self, row, moved)

    monkeypatch.setattr(Delivery, "again", slowly)

    await a_mention(stage)

    await asyncio.wait_for(overtaken.wait(), 15)
    await until(lambda: scene.talk in scene.lily.client.view.conversations, what="the old picture")
    await are_up_to_date("being overtaken", scene.ada, scene.lily, scene.max, scene.nina, scene.boss)


@pytest.mark.req("PF-05", "CO-09")
async def test_an_alarm_of_which_a_node_told_nobody_before_it_died_is_heard(stage: Stage) -> None:
    scene, alarms = stage.scene, stage.scene.boss.client.view.alarms
    async with stage.dies():
        await stage.asks(
            scene.lily, "item.add", item_id=new_id(), text="late", due_at="2026-01-01T00:00:00.000Z"
        )
        await until(lambda: _open_alarms(scene), what="the alarm")
    await until(lambda: alarms, what="the boss's hearing of it")

    async with stage.dies():
        await scene.boss.asks("alarm.acknowledge", alarm_id=next(iter(alarms)))

    await until(lambda: next(iter(alarms.values())).acknowledged_by, what="hearing who looks after it")


@pytest.mark.req("PF-01", "PF-05")
async def test_who_was_revoked_by_a_node_that_died_before_it_said_so_is_out(stage: Stage) -> None:
    scene = stage.scene
    async with stage.dies():
        await scene.shop.app.accounts.revoke(scene.shop.caller(), AccountId(scene.max.id))

    ended = await scene.max.client.wait_stopped()

    assert isinstance(ended, ConnectionClosed)
    assert ended.code == CloseCode.AUTH_FAILED


async def _open_alarms(scene: Scene) -> object:
    return await scene.shop.app.work.alarms.open_alarms(scene.shop.id)
