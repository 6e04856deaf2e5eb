"""Working hours decide who gets what (GP-06): at the minute, on whatever node, and right after every edit.

The clock that schedules go by is the test's: it stands still until the test moves it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from protocol.errors import RequestError
from protocol.ids import AccountId, GroupId
from protocol.states import Role
from server.services.callers import Caller
from server.services.revisions import NOTHING, revision_of
from server.services.schedules import Schedules, week_rev
from server.store.groups import Shift
from server.store.hours import ByHand, DatedDay, Holiday, Stretch
from tests.scenarios.house import Agent, Customer, House, Node, Shop, until

pytestmark = pytest.mark.req("GP-06")

BERLIN = "Europe/Berlin"
CHANGE_S = 1.0
"""Within this time of the minute everybody's duty is as it should be."""


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self) -> None:
        self._at = 0.0
        self.shows("2026-11-23T12:00")

    def __call__(self) -> float:
        return self._at

    def shows(self, wall: str, zone: str = "UTC") -> None:
        """Set it to what the clock on a wall shows."""
        self._at = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[1, 2], ids=["one-node", "two-nodes"])
async def house(
    request: pytest.FixtureRequest, migrated_database_url: str, redis_url: str, clock: Clock
) -> AsyncIterator[House]:
    house = await House.start(migrated_database_url, redis_url, nodes=request.param, now=clock)
    try:
        yield house
    finally:
        await house.stop()


def schedules(shop: Shop, node: Node | None = None) -> Schedules:
    """The service behind the routes."""
    return (node or shop.house.next_node()).app.web.state.deps.schedules


def account(agent: Agent) -> AccountId:
    return AccountId(agent.id)


def daily(start: float, end: float, group: str | None = None) -> tuple[Shift, ...]:
    """The same hours on every day of the week."""
    named = None if group is None else GroupId(group)
    return tuple(Shift(day, int(start * 60), int(end * 60), named) for day in range(7))


async def works(shop: Shop, agent: Agent, *hours: tuple[Shift, ...]) -> None:
    """Set somebody's week, on the next node."""
    week = tuple(shift for stretch in hours for shift in stretch)
    page, caller = schedules(shop), shop.caller()
    rev = week_rev(await page.get(caller, account(agent)))
    await page.set(caller, account(agent), week, rev=rev)


async def becomes(agent: Agent, availability: str, *, within_s: float = 15.0) -> float:
    """Wait until an agent's card says so; how long it took."""
    began = time.monotonic()

    async def holds() -> bool:
        card = await agent.shop.app.agents.card(agent.shop.id, account(agent))
        return card.availability == availability

    await until(holds, what=f"{agent.name}'s being {availability}", within_s=within_s)
    return time.monotonic() - began


async def served_by(customer: Customer, name: str) -> None:
    """Wait until somebody has the customer's conversation."""

    def holds() -> bool:
        owner = customer.client.view.snapshot()[0].owner
        return owner is not None and owner.name == name

    await until(holds, what=f"{customer.name}'s being served by {name}")


async def test_at_the_minute_an_agent_goes_off_duty_and_gets_nothing_new(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=5)
    await works(shop, lily, daily(9, 17))
    assert await (await shop.customer("Ada")).reaches() == "Lily"

    clock.shows("2026-11-23T17:00")

    await becomes(lily, "off_duty", within_s=CHANGE_S)
    assert (await lily.card()).status == "online"
    assert await (await shop.customer("Bob")).reaches() is None
    assert [one.customer.name for one in await lily.mine()] == ["Ada"]


async def test_a_minute_before_its_end_a_shift_still_holds(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    await works(shop, lily, daily(9, 17))

    clock.shows("2026-11-23T16:59:59")

    assert await (await shop.customer("Ada")).reaches() == "Lily"
    assert (await lily.card()).availability == "has_room"


async def test_the_queue_drains_to_who_comes_on_duty(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily, max_ = await shop.agent("Lily"), await shop.agent("Max", capacity=1)
    await works(shop, lily, daily(9, 12))
    await works(shop, max_, daily(13, 17))
    clock.shows("2026-11-23T12:00")
    await becomes(lily, "off_duty")
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    _, _, why = await ada.waits()
    assert why == "out_of_hours"
    await bob.waits()

    clock.shows("2026-11-23T13:00")

    await served_by(ada, "Max")
    assert (await bob.service()).state == "queued"


async def test_which_groups_an_agent_serves_is_a_matter_of_the_hour(house: House, clock: Clock) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds", "placed_unpaid": "Sales"})
    lily = await shop.agent("Lily", groups=("Refunds", "Sales"))
    await shop.agent("Max", groups=("Refunds", "Sales"), status="paused")
    await works(shop, lily, daily(9, 13, shop.groups["Sales"]), daily(13, 17, shop.groups["Refunds"]))
    refund = await shop.customer("Ada", order_state="after_sale")
    await refund.waits()
    assert await (await shop.customer("Bob", order_state="placed_unpaid")).reaches() == "Lily"

    clock.shows("2026-11-23T13:00")

    await served_by(refund, "Lily")
    await (await shop.customer("Cleo", order_state="placed_unpaid")).waits()


async def test_a_night_shift_goes_on_after_midnight(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    clock.shows("2026-11-22T23:00")
    await works(shop, lily, (Shift(6, 22 * 60, 30 * 60),))

    clock.shows("2026-11-23T05:59")
    assert await (await shop.customer("Ada")).reaches() == "Lily"
    clock.shows("2026-11-23T06:00")

    await becomes(lily, "off_duty")


async def test_an_edit_holds_when_its_reply_is_there(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")

    await works(shop, lily, daily(14, 17))
    assert (await lily.card()).availability == "off_duty"
    ada = await shop.customer("Ada")
    await ada.waits()
    await works(shop, lily, daily(9, 17))

    assert (await ada.service()).state == "active"


async def test_an_edit_on_one_node_moves_the_minute_for_all(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    await works(shop, lily, daily(9, 17))
    await works(shop, lily, daily(9, 12.5))

    clock.shows("2026-11-23T12:30")

    await becomes(lily, "off_duty", within_s=CHANGE_S)


async def test_a_manager_puts_somebody_off_and_on_duty_by_hand(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    await works(shop, lily, daily(9, 12.5))
    off_until_one = ByHand(account(lily), False, int(clock() * 1000) + 20 * 60_000, "training")

    now = await schedules(shop).set_by_hand(shop.caller(), off_until_one)
    assert (now.duty.on, now.by_hand and now.by_hand.reason) == (False, "training")
    assert (await lily.card()).availability == "off_duty"
    clock.shows("2026-11-23T12:20")
    await becomes(lily, "has_room")
    await schedules(shop).set_by_hand(shop.caller(), ByHand(account(lily), True, None))
    clock.shows("2026-11-23T20:00")
    assert await (await shop.customer("Ada")).reaches() == "Lily"
    await schedules(shop).end_by_hand(shop.caller(), account(lily))

    assert (await lily.card()).availability == "off_duty"


async def test_a_supervisor_of_a_group_sets_the_duty_of_its_people_only(house: House) -> None:
    shop = await house.shop()
    north, south = await shop.group("North"), await shop.group("South")
    await shop.app.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, 'lead', $2)",
        shop.id,
        {"agent.manage": "groups"},
    )
    lily = await shop.agent("Lily", groups=("North",))
    max_ = await shop.agent("Max", groups=("South",))
    boss = await shop.account("Boss", "lead", groups=("North",))
    caller = Caller(shop.id, "Boss", boss.id, frozenset({"lead"}))
    assert north != south

    await schedules(shop).set_by_hand(caller, ByHand(account(lily), False, None))
    with pytest.raises(RequestError) as refused:
        await schedules(shop).set_by_hand(caller, ByHand(account(max_), False, None))

    assert refused.value.reason == "out_of_scope"
    assert [(await agent.card()).availability for agent in (lily, max_)] == ["off_duty", "has_room"]


async def test_on_a_holiday_only_who_was_asked_to_work_is_on_duty(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily, max_ = await shop.agent("Lily"), await shop.agent("Max")
    christmas = date(2026, 12, 25)
    await schedules(shop).set_holidays(shop.caller(), (Holiday(christmas, "Christmas"),), rev=revision_of(()))
    await schedules(shop).set_dated(
        shop.caller(), DatedDay(account(max_), christmas, hours=(Stretch(600, 720),)), rev=NOTHING
    )
    clock.shows("2026-12-25T09:00")
    await becomes(lily, "off_duty")
    await becomes(max_, "off_duty")

    clock.shows("2026-12-25T10:00")

    await becomes(max_, "has_room")
    assert (await lily.card()).availability == "off_duty"
    clock.shows("2026-12-26T00:00")
    await becomes(lily, "has_room")


async def test_the_bot_keeps_no_holidays(house: House, clock: Clock) -> None:
    shop = await house.shop()
    robo = await shop.person(await shop.account("Robo", Role.BOT))
    await shop.set_policy(bot={"enabled": True, "account": robo.id})
    lily = await shop.agent("Lily")
    await schedules(shop).set_holidays(
        shop.caller(), (Holiday(date(2026, 11, 23), "Sports day"),), rev=revision_of(())
    )
    assert (await lily.card()).availability == "off_duty"

    assert await (await shop.customer("Ada")).reaches() == "Robo"


async def test_hours_follow_the_shops_time_zone_when_it_changes(house: House, clock: Clock) -> None:
    shop = await house.shop(timezone="Asia/Shanghai")
    lily = await shop.agent("Lily")
    clock.shows("2026-11-23T09:30", "Asia/Shanghai")
    await works(shop, lily, daily(9, 17))
    assert (await lily.card()).availability == "has_room"

    await shop.set_policy(timezone=BERLIN)

    assert (await lily.card()).availability == "off_duty"
    clock.shows("2026-11-23T09:00", BERLIN)
    await becomes(lily, "has_room", within_s=CHANGE_S)


@pytest.mark.parametrize(
    ("end_of_shift", "before", "after"),
    [
        pytest.param(3, "2026-03-29T00:59:59", "2026-03-29T01:00", id="the clock leaps over an hour of it"),
        pytest.param(3, "2026-10-25T01:59:59", "2026-10-25T02:00", id="an hour of it comes twice"),
        pytest.param(
            2.5, "2026-10-25T00:29:59", "2026-10-25T00:30", id="its end comes twice: the first time"
        ),
    ],
)
async def test_a_shift_over_the_change_of_summer_time_ends_when_the_clock_first_shows_its_end(
    house: House, clock: Clock, end_of_shift: float, before: str, after: str
) -> None:
    shop = await house.shop(timezone=BERLIN)
    lily = await shop.agent("Lily")
    clock.shows(before)
    await works(shop, lily, daily(0, end_of_shift))
    assert (await lily.card()).availability == "has_room"

    clock.shows(after)

    await becomes(lily, "off_duty", within_s=CHANGE_S)


async def test_who_changes_the_hours_may_be_gone_when_they_begin(
    migrated_database_url: str, redis_url: str
) -> None:
    clock = Clock()
    house = await House.start(migrated_database_url, redis_url, nodes=2, now=clock)
    first, second = house.nodes
    shop = await house.shop()
    lily = await shop.agent("Lily", node=second)
    await schedules(shop, first).set(shop.caller(), account(lily), daily(14, 17), rev=week_rev([]))
    assert (await lily.card()).availability == "off_duty"
    await first.stop()
    house.nodes = [second]

    clock.shows("2026-11-23T14:00")

    await becomes(lily, "has_room", within_s=CHANGE_S)
    await house.stop()


async def test_hours_begin_on_time_though_redis_forgot_when(house: House, clock: Clock) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    await works(shop, lily, daily(14, 17))
    await shop.app.link.call("DEL", "pm:duty")

    clock.shows("2026-11-23T14:00")

    await becomes(lily, "has_room")
