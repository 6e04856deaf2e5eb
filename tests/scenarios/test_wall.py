"""The supervisors' wall (CO-09, CO-12, GP-02): everybody at work, whoever waits, nothing that is not theirs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from protocol.cards import Wall
from protocol.client import Subscription
from protocol.codes import ErrorCode
from protocol.events import WallChanged
from protocol.ids import ShopId
from protocol.rights import Right
from protocol.states import Role
from tests.scenarios.house import Agent, House, Node, Shop, until
from tests.scenarios.raw import RawSocket, raw_socket

CONVERGED_S = 2.0


class Watching:
    """Somebody before a wall: `sees` waits for it to be so."""

    def __init__(self, heard: Subscription, first: Wall) -> None:
        self._heard = heard
        self.first = first

    @classmethod
    async def of(cls, who: Agent) -> "Watching":
        heard = who.client.subscribe()
        return cls(heard, (await who.asks("monitor.subscribe")).wall)

    async def sees(self, holds: Callable[[Wall], bool], *, within_s: float = 15.0) -> Wall:
        frame = await self._heard.next(
            "monitor.changed",
            where=lambda each: isinstance(each.params, WallChanged) and holds(each.params.wall),
            timeout_s=within_s,
        )
        assert isinstance(frame.params, WallChanged)
        return frame.params.wall


async def boss_of(shop: Shop, name: str = "Boss", node: Node | None = None) -> Agent:
    return await shop.agent(name, roles=(Role.SERVICE_ADMIN,), status="offline", node=node)


async def role(shop: Shop, name: str, **grants: str) -> None:
    """A role of the shop's own, known on every node."""
    await shop.app.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, $2, $3)"
        " ON CONFLICT (shop_id, role) DO UPDATE SET grants = excluded.grants",
        shop.id,
        name,
        {Right[right].value: reach for right, reach in grants.items()},
    )
    for node in shop.house.nodes:
        node.app.scope.forget(shop.id)


def load_of(wall: Wall, agent: Agent) -> int | None:
    return next((card.load for card in wall.agents if card.account_id == agent.id), None)


def looking(shop: ShopId) -> bool:
    """Whether any node looks at this shop for walls."""
    return any(task.get_name() == f"wall:{shop}" for task in asyncio.all_tasks())


async def looked_again(node: Node, times: int = 3) -> None:
    """Wait until the node has looked at its walls so many times more."""
    before = node.app.supervision.walls.looks
    await until(lambda: node.app.supervision.walls.looks >= before + times, what="looking at the walls")


async def changes_heard(socket: RawSocket) -> list[dict[str, Any]]:
    """The walls that came so far; the answer to a request comes after them."""
    await socket.asks("monitor.subscribe")
    return [frame for frame in socket.heard if frame["method"] == "monitor.changed"]


@pytest.mark.req("CO-09", "CO-12")
async def test_a_change_is_on_every_wall_within_two_seconds(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    walls = [await Watching.of(await boss_of(shop, f"Boss{n}", node)) for n, node in enumerate(house.nodes)]

    conversation = await (await shop.customer("Ada")).opens("good morning")

    for wall in walls:
        seen = await wall.sees(lambda wall: load_of(wall, lily) == 1, within_s=CONVERGED_S)
        assert (seen.in_service, seen.queued, seen.wrap_up) == (1, 0, 0)
        assert [(card.conversation_id, card.customer_name) for card in seen.unanswered] == [
            (conversation, "Ada")
        ]
        assert seen.unanswered[0].owner is not None
        assert seen.unanswered[0].owner.name == "Lily"


@pytest.mark.req("CO-09")
async def test_who_was_answered_is_unanswered_no_longer(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    conversation = await (await shop.customer("Ada")).opens()
    await lily.sees(conversation, owner=lily.id)
    wall = await Watching.of(await boss_of(shop))
    assert [card.conversation_id for card in wall.first.unanswered] == [conversation]

    await lily.says(conversation, "good morning")

    assert (await wall.sees(lambda wall: not wall.unanswered)).in_service == 1


@pytest.mark.req("CO-09")
async def test_an_ended_conversation_is_counted_as_wrap_up(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    conversation = await (await shop.customer("Ada")).opens()
    await lily.sees(conversation, owner=lily.id)
    wall = await Watching.of(await boss_of(shop))

    await lily.asks("conversation.end", conversation_id=conversation)

    seen = await wall.sees(lambda wall: wall.wrap_up == 1)
    assert (seen.in_service, seen.unanswered) == (0, [])


@pytest.mark.req("CO-09")
async def test_the_longest_waiting_are_shown_oldest_first_and_all_are_counted(
    migrated_database_url: str, redis_url: str
) -> None:
    house = await House.start(migrated_database_url, redis_url, wall_most=2)
    try:
        shop = await house.shop()
        for name in ("Ada", "Bob", "Cleo"):
            await (await shop.customer(name)).opens()

        wall = (await (await boss_of(shop)).asks("monitor.subscribe")).wall

        assert [card.customer_name for card in wall.waiting] == ["Ada", "Bob"]
        assert (wall.queued, wall.waiting_most) == (3, 2)
        assert [(pool.pool, pool.length) for pool in wall.pools] == [("default", 3)]
    finally:
        await house.stop()


async def helped_by_max(house: House) -> tuple[Shop, str]:
    """Lily serves Ada, and Max takes part."""
    shop = await house.shop()
    lily, max_ = await shop.agent("Lily"), await shop.agent("Max", status="paused")
    talk = await (await shop.customer("Ada")).opens()
    await lily.sees(talk, owner=lily.id)
    await lily.asks("participant.invite", conversation_id=talk, account_ids=[max_.id])
    await max_.asks("participant.join", conversation_id=talk)
    return shop, talk


async def quiet_for_an_hour(shop: Shop, talk: str) -> None:
    """As if everything in it had happened an hour earlier: a sweep raises the alarm."""
    for table, column, key in (
        ("messages", "created_at", "conversation_id"),
        ("conversations", "collaboration_since", "id"),
        ("conversations", "waiting_since", "id"),
    ):
        await shop.app.db.execute(
            f"UPDATE {table} SET {column} = {column} - interval '1 hour' WHERE {key} = $1", talk
        )


async def alarmed(shop: Shop) -> bool:
    return bool(await shop.app.db.fetch("SELECT FROM alarms WHERE shop_id = $1", shop.id))


@pytest.mark.req("CO-09")
async def test_running_collaborations_come_and_go_on_the_wall(house: House) -> None:
    shop, talk = await helped_by_max(house)
    wall = await Watching.of(await boss_of(shop))

    [line] = wall.first.collaborations
    assert line.owner is not None
    assert (line.conversation_id, line.customer_name, line.owner.name) == (talk, "Ada", "Lily")
    assert [(each.person.name, each.role) for each in line.participants] == [("Max", "collaborator")]

    [max_] = [person for person in house.people if person.name == "Max"]
    await max_.asks("participant.leave", conversation_id=talk)
    await wall.sees(lambda wall: wall.collaborations == [])


@pytest.mark.req("CO-09")
async def test_an_alarm_comes_onto_the_wall_and_goes(house: House) -> None:
    shop, talk = await helped_by_max(house)
    wall = await Watching.of(await boss_of(shop))

    await quiet_for_an_hour(shop, talk)

    seen = await wall.sees(lambda wall: wall.alarms != [])
    assert {each.conversation_id for each in seen.alarms} == {talk}
    [lily] = [person for person in house.people if person.name == "Lily"]
    await lily.says(talk, "good morning")
    await wall.sees(lambda wall: wall.alarms == [])


@pytest.mark.req("CO-09", "GP-02")
async def test_collaborations_and_alarms_of_other_groups_are_not_shown(house: House) -> None:
    shop, talk = await helped_by_max(house)
    await quiet_for_an_hour(shop, talk)
    await until(lambda: alarmed(shop), what="the alarm")
    await role(shop, "lead", WATCH="groups", VIEW="groups")
    await shop.group("Other")
    lead = await shop.agent("Lead", roles=("lead",), groups=("Other",), status="offline")

    wall = (await lead.asks("monitor.subscribe")).wall

    assert (wall.collaborations, wall.alarms, wall.unanswered, wall.in_service) == ([], [], [], 0)


@pytest.mark.req("CO-09")
async def test_nothing_is_sent_while_nothing_changes(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily")
    boss = await boss_of(shop)
    node = house.nodes[0]
    async with raw_socket(boss, node) as (socket, ticket):
        await socket.asks("session.hello", ticket=ticket, client=HELLO)
        await socket.asks("monitor.subscribe")
        await looked_again(node)
        known = len(await changes_heard(socket))  # arriving here was a change in itself, perhaps

        await looked_again(node)

        assert len(await changes_heard(socket)) == known


HELLO = {"name": "test", "version": "1", "device": "web"}


@pytest.mark.req("CO-09")
async def test_several_before_the_same_wall_are_shown_one_picture(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    node = house.nodes[0]
    walls = [await Watching.of(await boss_of(shop, f"Boss{n}", node)) for n in range(3)]

    await lily.sets("paused")

    seen = [await wall.sees(lambda wall: wall.agents[0].status == "paused") for wall in walls]
    assert len({wall.at for wall in seen}) == 1


@pytest.mark.req("CO-09")
async def test_who_unsubscribes_is_told_nothing_more_and_nobody_looks(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    boss = await boss_of(shop)
    node = house.nodes[0]
    async with raw_socket(boss, node) as (socket, ticket):
        await socket.asks("session.hello", ticket=ticket, client=HELLO)
        await socket.asks("monitor.subscribe")

        await socket.asks("monitor.unsubscribe")

        known = len([frame for frame in socket.heard if frame["method"] == "monitor.changed"])
        await until(lambda: not looking(shop.id), what="the end of looking")
        await lily.sets("paused")
        assert len(await changes_heard(socket)) == known


@pytest.mark.req("CO-09")
async def test_a_subscription_ends_with_its_connection(house: House) -> None:
    shop = await house.shop()
    boss = await boss_of(shop)
    await boss.asks("monitor.subscribe")
    assert looking(shop.id)

    await boss.leave()

    await until(lambda: not looking(shop.id), what="the end of looking")
    assert [len(node.app.supervision.walls) for node in house.nodes] == [0] * len(house.nodes)


@pytest.mark.req("GP-02", "CO-09")
async def test_reach_over_own_groups_shows_their_members_and_pools_only(house: House) -> None:
    shop = await house.shop()
    await role(shop, "lead", WATCH="groups", VIEW="groups")
    await shop.grouped({"after_sale": "Returns", "placed_unpaid": "Sales"})
    rita = await shop.agent("Rita", groups=("Returns",), capacity=1)
    sam = await shop.agent("Sam", groups=("Sales",), capacity=1)
    lead = await shop.agent("Lead", roles=("lead",), groups=("Returns",), status="offline")
    for state in ("after_sale", "placed_unpaid"):
        for n in range(2):
            await (await shop.customer(f"{state}{n}", order_state=state)).opens()

    wall = (await lead.asks("monitor.subscribe")).wall

    assert [card.account_id for card in wall.agents] == [rita.id]
    assert [pool.pool for pool in wall.pools] == ["after_sale"]
    assert [card.customer_name for card in wall.waiting] == ["after_sale1"]
    assert [card.customer_name for card in wall.unanswered] == ["after_sale0"]
    assert (wall.queued, wall.in_service) == (1, 1)
    assert load_of(wall, sam) is None


@pytest.mark.req("GP-02")
async def test_reach_over_oneself_shows_nobody_else(house: House) -> None:
    shop = await house.shop()
    await role(shop, "looker", WATCH="own", VIEW="own")
    await shop.agent("Lily", capacity=1)
    for name in ("Ada", "Bob"):
        await (await shop.customer(name)).opens()
    looker = await shop.agent("Looker", roles=(Role.AGENT, "looker"), status="offline")

    wall = (await looker.asks("monitor.subscribe")).wall

    assert [card.name for card in wall.agents] == ["Looker"]
    assert (wall.pools, wall.waiting, wall.unanswered) == ([], [], [])
    assert (wall.queued, wall.in_service) == (0, 0)


@pytest.mark.req("GP-02")
async def test_who_may_watch_no_longer_is_shown_nothing_more(house: House) -> None:
    shop = await house.shop()
    await role(shop, "lead", WATCH="all", VIEW="all")
    lead = await shop.agent("Lead", roles=("lead",), status="offline")
    await lead.asks("monitor.subscribe")

    await role(shop, "lead", VIEW="all")

    await until(lambda: not looking(shop.id), what="the end of looking")


@pytest.mark.req("CO-12", "GP-03")
async def test_an_agent_sees_no_wall_and_the_try_is_recorded(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")

    refused = await lily.refused("monitor.subscribe")

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "no_right")
    rows = await shop.app.db.fetch(
        "SELECT actor_id, outcome FROM audit WHERE shop_id = $1 AND action = 'monitor.subscribe'", shop.id
    )
    assert [(row["actor_id"], row["outcome"]) for row in rows] == [(lily.id, "refused")]
