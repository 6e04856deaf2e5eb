"""Today's figures, thresholds and work in hand on the supervisors' wall (CO-09, GP-05, KS-23)."""

import pytest

from protocol.states import Role
from server.services.wall_settings import Thresholds
from tests.scenarios.house import House, until
from tests.scenarios.test_wall import Watching, boss_of, looked_again, role

pytestmark = pytest.mark.req("CO-09")


@pytest.mark.req("GP-05")
async def test_figures_of_today_move_with_what_happens(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily = await shop.agent("Lily")
    wall = await Watching.of(await boss_of(shop))
    assert wall.first.figures is not None
    assert (wall.first.figures.opened, wall.first.figures.first_reply_median_ms) == (0, None)

    ada = await shop.customer("Ada")
    conversation = await ada.opens("good morning")
    await lily.says(conversation, "good morning, Ada")

    seen = (await wall.sees(lambda wall: wall.figures is not None and wall.figures.replies == 1)).figures
    assert seen is not None
    assert (seen.opened, seen.first_replies, seen.within_3_min, seen.within_3_min_now) == (1, 1, 1.0, 1.0)
    assert seen.first_reply_median_ms == seen.first_reply_p95_ms
    await lily.asks("conversation.end", conversation_id=conversation)
    await ada.asks("conversation.rate", conversation_id=conversation, rating=4, comment="")
    rated = (await wall.sees(lambda wall: wall.figures is not None and wall.figures.ratings == 1)).figures
    assert rated is not None
    assert rated.rating_mean == 4.0


async def test_who_gave_up_in_the_queue_is_counted(house: House) -> None:
    shop = await house.shop()
    wall = await Watching.of(await boss_of(shop))
    bob = await shop.customer("Bob")
    conversation = (await bob.opened()).conversation_id

    await bob.asks("conversation.leave_queue", conversation_id=conversation)

    await wall.sees(lambda wall: wall.figures is not None and wall.figures.abandoned == 1)


@pytest.mark.req("GP-02")
async def test_figures_reach_as_far_as_reports_do(house: House) -> None:
    shop = await house.shop()
    await role(shop, "watcher", WATCH="all", VIEW="all")
    await role(shop, "narrow", WATCH="all", VIEW="all", REPORT="own")
    lily = await shop.agent("Lily")
    conversation = await (await shop.customer("Ada")).opens()
    await lily.says(conversation, "hello")

    async def wall_of(name: str, *roles: str) -> Watching:
        person = await shop.agent(name, roles=roles, status="offline")
        return await Watching.of(person)

    all_of_it = await Watching.of(await boss_of(shop))
    nothing, narrow = await wall_of("Wanda", "watcher"), await wall_of("Nick", "narrow")

    assert nothing.first.figures is None
    assert narrow.first.figures is not None and narrow.first.figures.replies == 0
    assert all_of_it.first.figures is not None and all_of_it.first.figures.replies == 1


async def test_figures_are_counted_only_while_somebody_looks(house: House) -> None:
    shop = await house.shop()
    boss = await boss_of(shop)
    node = boss.node
    await boss.asks("monitor.subscribe")
    figures = node.app.supervision.wall_figures
    assert figures.counted == 1

    await boss.asks("monitor.unsubscribe")

    async def over() -> bool:
        return not any(shop.id == each for each in node.app.supervision.walls._galleries)

    await until(over, what="the end of looking")
    known = figures.counted
    other = await house.shop()
    await Watching.of(await boss_of(other, node=node))
    await looked_again(node)
    assert figures.counted - known <= 2  # of the other shop


@pytest.mark.req("KS-23")
async def test_a_changed_threshold_is_on_every_wall(house: House) -> None:
    shop = await house.shop()
    wall = await Watching.of(await boss_of(shop))
    assert wall.first.thresholds.waiting_s is not None
    assert wall.first.thresholds.waiting_s.bad == 600

    await shop.app.supervision.wall_settings.replace(
        shop.caller(), Thresholds.model_validate({"waiting_s": {"warn": 5, "bad": 10}}), rev=0
    )

    seen = await wall.sees(
        lambda wall: wall.thresholds.waiting_s is not None and wall.thresholds.waiting_s.bad == 10
    )
    assert seen.thresholds.silent_s == 180


async def test_what_each_agent_has_in_hand_is_counted_beyond_what_is_shown(
    migrated_database_url: str, redis_url: str
) -> None:
    house = await House.start(migrated_database_url, redis_url, wall_most=1)
    try:
        shop = await house.shop()
        lily = await shop.agent("Lily")
        max_ = await shop.agent("Max", status="paused")
        talks = [await (await shop.customer(name)).opens() for name in ("Ada", "Bob", "Cleo")]
        wall = await Watching.of(await boss_of(shop))
        (work,) = wall.first.work
        assert (work.account_id, work.in_service, work.unanswered, work.wrote_at) == (lily.id, 3, 3, None)
        assert len(wall.first.unanswered) == 1

        await lily.says(talks[0], "hello")

        seen = await wall.sees(lambda wall: wall.work[0].unanswered == 2)
        assert seen.work[0].wrote_at is not None
        assert seen.work[0].unanswered_since is not None
        assert max_.id not in {each.account_id for each in seen.work}
    finally:
        await house.stop()


@pytest.mark.req("GP-02")
async def test_the_work_of_others_is_not_shown(house: House) -> None:
    shop = await house.shop()
    await role(shop, "looker", WATCH="own", VIEW="own")
    await shop.agent("Lily")
    await (await shop.customer("Ada")).opens()
    looker = await shop.agent("Looker", roles=(Role.AGENT, "looker"), status="offline")

    assert (await Watching.of(looker)).first.work == []
