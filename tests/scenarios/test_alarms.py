"""Managers see running collaborations and their figures, and are told when one stalls (CO-09)."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from protocol.codes import ErrorCode
from protocol.ids import AccountId, ConversationId, PersonId, new_id
from protocol.rights import Reach, Right
from protocol.states import Role
from protocol.times import text_of_ms
from server.services.scope import Why
from server.services.viewer import AccountEyes
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until

pytestmark = pytest.mark.req("CO-09")
HOUR_MS = 3_600_000


@dataclass
class Scene:
    """Lily serves Ada with Ben's help; Mia manages."""

    shop: Shop
    lily: Agent
    ben: Agent
    mia: Agent
    ada: Customer
    talk: str

    @property
    def db(self) -> Any:
        return self.shop.app.db

    async def an_hour_passes(self) -> None:
        """As if everything so far had happened an hour earlier: nobody has said a word since."""
        await self.db.execute(
            "UPDATE messages SET created_at = created_at - interval '1 hour' WHERE conversation_id = $1",
            self.talk,
        )
        await self.db.execute(
            "UPDATE conversations SET collaboration_since = collaboration_since - interval '1 hour',"
            " waiting_since = waiting_since - interval '1 hour' WHERE id = $1",
            self.talk,
        )

    async def alarms(self, who: Person | None = None) -> list[Any]:
        return (await (who or self.mia).asks("collaboration.list")).alarms

    async def rows(self) -> list[dict[str, Any]]:
        """Every alarm there ever was, the oldest first."""
        found = await self.db.fetch(
            "SELECT * FROM alarms WHERE shop_id = $1 ORDER BY raised_at", self.shop.id
        )
        return [dict(row) for row in found]


@pytest.fixture
async def scene(house: House) -> Scene:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ben = await shop.agent("Ben", status="paused")
    mia = await shop.agent("Mia", status="offline", roles=(Role.SUPERVISOR,))
    ada = await shop.customer("Ada")
    talk = await ada.opens("hello")
    await lily.sees(talk, owner=lily.id)
    await lily.says(talk, "one moment")
    await takes_part(shop, talk, ben)
    await until(lambda: ben.knows(talk), what="Ben's taking part")
    return Scene(shop, lily, ben, mia, ada, talk)


async def takes_part(shop: Shop, talk: str, agent: Agent) -> None:
    await shop.app.participants.add(
        shop.id, ConversationId(talk), AccountId(agent.id), "collaborator", by=None
    )


class Ear:
    """What somebody hears of alarms from now on."""

    def __init__(self, person: Person) -> None:
        self._heard = person.client.subscribe()

    async def heard_until(self, name: str) -> list[str]:
        """The names of everything heard up to a notification of this name."""
        heard: list[str] = []
        while not heard or heard[-1] != name:
            heard.append((await self._heard.next()).event.name)
        return heard

    async def hears(self, kind: str, **facts: bool) -> Any:
        """The next alarm of this kind that is `cleared`, `acknowledged` or neither."""
        wanted = {"cleared": False, "acknowledged": False, **facts}

        def fits(frame: Any) -> bool:
            alarm = frame.params.alarm
            is_so = {
                "cleared": alarm.cleared_at is not None,
                "acknowledged": alarm.acknowledged_by is not None,
            }
            return alarm.kind == kind and is_so == wanted

        frame: Any = await self._heard.next("alarm.changed", where=fits, timeout_s=15)
        return frame.params.alarm


async def test_a_collaboration_in_which_nobody_says_a_word_is_told_once_and_cleared_when_it_moves(
    scene: Scene,
) -> None:
    mia = Ear(scene.mia)
    await scene.an_hour_passes()

    raised = await mia.hears("collaboration_stalled")
    assert raised.conversation_id == scene.talk
    assert [alarm.alarm_id for alarm in await scene.alarms()] == [raised.alarm_id]
    listed = (await scene.mia.asks("collaboration.list")).collaborations
    assert [alarm.alarm_id for alarm in listed[0].alarms] == [raised.alarm_id]

    await scene.ben.asks(
        "item.add", conversation_id=scene.talk, item_id=new_id(), text="look into it"
    )  # work is movement too
    cleared = await mia.hears("collaboration_stalled", cleared=True)
    assert (cleared.alarm_id, cleared.rev > raised.rev) == (raised.alarm_id, True)
    assert await scene.alarms() == []
    assert len(await scene.rows()) == 1, "raised once, whichever nodes looked"


async def test_colleagues_read_of_it_in_the_log_and_that_is_no_movement(scene: Scene) -> None:
    mia = Ear(scene.mia)
    await scene.an_hour_passes()
    raised = await mia.hears("collaboration_stalled")

    def told() -> bool:
        log = scene.ben.client.logs[scene.talk].messages
        return any(getattr(message.body, "event", "") == "alarm_raised" for message in log)

    await until(told, what="the alarm in Ben's log")
    for node in scene.shop.house.nodes:  # looks that come after it find the same
        assert await node.app.work.alarms.look(scene.shop.id) == {"raised": 0, "cleared": 0}
    assert [alarm.alarm_id for alarm in await scene.alarms()] == [raised.alarm_id]
    await scene.lily.says(scene.talk, "here I am")
    await scene.ada.reads(scene.talk, "here I am")
    log = scene.ada.client.logs[scene.talk]
    assert [message.seq for message in log.messages] == list(range(1, log.cursor + 1))
    assert "alarm" not in str(log.messages)


async def test_a_customer_who_waits_in_a_collaboration_is_told_as_such(scene: Scene) -> None:
    mia = Ear(scene.mia)
    await scene.ada.says(scene.talk, "are you there?")
    await scene.an_hour_passes()

    raised = await mia.hears("customer_waits")
    await scene.ben.says(scene.talk, "yes, sorry")
    cleared = await mia.hears("customer_waits", cleared=True)
    assert cleared.alarm_id == raised.alarm_id
    assert [row["kind"] for row in await scene.rows()] == ["customer_waits"], "one thing, one alarm"


async def test_an_item_past_its_time_is_told_and_cleared_by_being_done(scene: Scene) -> None:
    mia = Ear(scene.mia)
    due = text_of_ms(int(time.time() * 1000) - 1000)
    item = (
        await scene.lily.asks(
            "item.add", conversation_id=scene.talk, item_id=new_id(), text="refund", due_at=due
        )
    ).item
    raised = await mia.hears("item_overdue")
    assert (raised.item_id, raised.since) == (item.item_id, due)

    await scene.lily.asks("item.change", conversation_id=scene.talk, item_id=item.item_id, done=True)
    assert (await mia.hears("item_overdue", cleared=True)).alarm_id == raised.alarm_id


async def test_an_item_that_is_not_yet_due_is_not_told(scene: Scene) -> None:
    due = text_of_ms(int(time.time() * 1000) + HOUR_MS)
    await scene.lily.asks("item.add", conversation_id=scene.talk, item_id=new_id(), text="refund", due_at=due)
    for node in scene.shop.house.nodes:
        assert await node.app.work.alarms.look(scene.shop.id) == {"raised": 0, "cleared": 0}
    assert await scene.rows() == []


async def test_many_looks_at_once_raise_one_alarm(scene: Scene) -> None:
    await scene.an_hour_passes()
    nodes = scene.shop.house.nodes
    await asyncio.gather(*(node.app.work.alarms.look(scene.shop.id) for node in nodes for _ in range(5)))
    await until(scene.rows, what="the alarm")
    assert len(await scene.rows()) == 1


async def test_the_first_manager_who_says_so_looks_after_it(scene: Scene) -> None:
    max_ = await scene.shop.agent("Max", status="offline", roles=(Role.SERVICE_ADMIN,))
    mia = Ear(scene.mia)
    await scene.an_hour_passes()
    raised = await mia.hears("collaboration_stalled")

    taken = (await max_.asks("alarm.acknowledge", alarm_id=raised.alarm_id)).alarm
    assert taken.acknowledged_by.name == "Max"
    assert (await mia.hears("collaboration_stalled", acknowledged=True)).acknowledged_by.name == "Max"
    again = (await scene.mia.asks("alarm.acknowledge", alarm_id=raised.alarm_id)).alarm
    assert again == taken, "it stays with the first"
    assert (await scene.alarms())[0].acknowledged_by.name == "Max"


@pytest.mark.req("GP-03")
async def test_who_does_not_oversee_it_neither_hears_of_it_nor_acknowledges_it(scene: Scene) -> None:
    otto = await scene.shop.agent("Otto", status="paused")
    mia, otto_ear = Ear(scene.mia), Ear(otto)
    await scene.an_hour_passes()
    raised = await mia.hears("collaboration_stalled")
    hidden = await otto.refused("alarm.acknowledge", alarm_id=raised.alarm_id)
    assert (hidden.code, hidden.reason) == (ErrorCode.NOT_FOUND, "alarm_not_found")
    assert await scene.alarms(otto) == []
    assert (await scene.mia.asks("alarm.acknowledge", alarm_id=raised.alarm_id)).alarm.acknowledged_by
    await otto.sets("online")
    assert "alarm.changed" not in await otto_ear.heard_until("agent.changed")
    assert [alarm.alarm_id for alarm in await scene.alarms(scene.ben)] == [raised.alarm_id], (
        "who takes part does"
    )


@pytest.mark.req("GP-02")
async def test_told_are_exactly_those_whom_the_scope_engine_would_let_see_it(house: House) -> None:
    shop = await house.shop()
    await shop.group("North")
    await shop.group("South")
    await shop.app.role_store.put(
        shop.id,
        "lead",
        name="Lead",
        grants={Right.REPORT: Reach.GROUPS, Right.VIEW: Reach.GROUPS},
        expected_rev=0,
    )
    lily = await shop.agent("Lily", groups=("North",))
    for name, roles, groups in (
        ("north lead", ("lead",), ("North",)),
        ("south lead", ("lead",), ("South",)),
        ("boss", (Role.OWNER,), ()),
        ("colleague", (Role.AGENT,), ("North",)),
        ("operator", (Role.OPERATIONS,), ()),
    ):
        await shop.account(name, *roles, groups=groups)
    served, waiting = await shop.customer("Ada"), await shop.customer("Bo")
    talk = await served.opens("hello")
    await lily.sees(talk, owner=lily.id)
    await lily.sets("paused")
    queued = await waiting.opens("hello")

    for conversation in (talk, queued):
        row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
        everybody = await shop.app.account_store.of_shop(shop.id)
        expected = {
            account.name
            for account in everybody
            if await shop.app.scope.judge(
                AccountEyes(shop.id, PersonId(account.id), account.roles), Right.REPORT, conversation=row
            )
            is Why.PERMITTED
        }
        overseers = await shop.app.work.overseers.of(row, Right.REPORT)
        assert {account.name for account in everybody if account.id in overseers} == expected
        assert "north lead" in expected and "boss" in expected
    assert "south lead" in expected, "what waits for anybody is everybody's"


async def test_running_collaborations_are_listed_longest_quiet_first_and_within_reach(scene: Scene) -> None:
    kim = await scene.shop.agent("Kim")
    await scene.lily.sets("paused")
    bob = await scene.shop.customer("Bob")
    lively = await bob.opens("hello")
    await kim.sees(lively, owner=kim.id)
    await takes_part(scene.shop, lively, scene.ben)
    await scene.an_hour_passes()

    seen = (await scene.mia.asks("collaboration.list")).collaborations
    assert [each.conversation.conversation_id for each in seen] == [scene.talk, lively]
    first = seen[0]
    assert first.conversation.owner.name == "Lily"
    assert [each.person.name for each in first.conversation.participants] == ["Ben"]
    assert first.began_at <= first.last_activity_at < seen[1].last_activity_at

    mine = (await kim.asks("collaboration.list")).collaborations
    assert [each.conversation.conversation_id for each in mine] == [lively], (
        "own reach: what one takes part in"
    )


async def test_a_conversation_that_closed_stalls_no_more(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily")
    mia = await shop.agent("Mia", status="offline", roles=(Role.SUPERVISOR,))
    ada = await shop.customer("Ada")
    talk = await ada.opens("hello")
    await lily.sees(talk, owner=lily.id)
    ear = Ear(mia)
    due = text_of_ms(int(time.time() * 1000) - 1000)
    await lily.asks("item.add", conversation_id=talk, item_id=new_id(), text="refund", due_at=due)
    raised = await ear.hears("item_overdue")
    await lily.asks("conversation.end", conversation_id=talk)
    assert (await ear.hears("item_overdue", cleared=True)).alarm_id == raised.alarm_id


@asynccontextmanager
async def http(scene: Scene, who: Agent) -> AsyncGenerator[httpx.AsyncClient]:
    node = scene.shop.house.nodes[-1]
    account = await scene.shop.app.account_store.get(scene.shop.id, AccountId(who.id))
    token = node.app.tokens.access(scene.shop.id, account.id, account.roles, account.token_version)
    async with httpx.AsyncClient(
        base_url=node.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=10
    ) as client:
        yield client


async def test_figures_say_how_often_what_and_how_fast(scene: Scene) -> None:
    items = [
        (
            await scene.lily.asks(
                "item.add",
                conversation_id=scene.talk,
                item_id=new_id(),
                text=f"step {i}",
                owner_id=scene.ben.id,
            )
        ).item
        for i in range(3)
    ]
    for minutes, item in zip((1, 5, 30), items, strict=True):
        await scene.ben.asks("item.change", conversation_id=scene.talk, item_id=item.item_id, done=True)
        await scene.db.execute(
            "UPDATE items SET created_at = done_at - $2::float8 * interval '1 minute' WHERE id = $1",
            item.item_id,
            float(minutes),
        )
    unowned = (
        await scene.lily.asks("item.add", conversation_id=scene.talk, item_id=new_id(), text="tidy up")
    ).item
    await scene.lily.asks("item.change", conversation_id=scene.talk, item_id=unowned.item_id, done=True)
    now = int(time.time() * 1000)
    span = {"from": text_of_ms(now - HOUR_MS), "to": text_of_ms(now + HOUR_MS)}

    async with http(scene, scene.mia) as client:
        all_ = (await client.get("/v1/statistics/collaboration", params=span)).json()["agents"]
        long_ago = {"from": text_of_ms(now - 9 * HOUR_MS), "to": text_of_ms(now - 8 * HOUR_MS)}
        before = (await client.get("/v1/statistics/collaboration", params=long_ago)).json()
        backwards = await client.get(
            "/v1/statistics/collaboration", params={"from": span["to"], "to": span["from"]}
        )
    assert [(each["agent"]["name"], each["joined"], each["items_done"]) for each in all_] == [
        ("Ben", 1, 3),
        ("Lily", 0, 1),
    ]
    assert all_[0]["median_s"] == pytest.approx(300)
    assert before["agents"] == []
    assert (backwards.status_code, backwards.json()["reason"]) == (422, "empty_span")

    async with http(scene, scene.lily) as client:
        own = (await client.get("/v1/statistics/collaboration", params=span)).json()["agents"]
    assert [each["agent"]["name"] for each in own] == ["Lily"], "an agent sees their own"
