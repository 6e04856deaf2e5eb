"""`router.census`: what is broken in a large shop is found part by part, wherever it is."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from protocol.ids import AccountId, ConversationId, ShopId
from router import census, scripts
from router.census import AGENTS, WAITING
from router.keys import prefix
from router.link import Link, link_to
from router.memory_engine import MemoryEngine
from router.memory_state import LiveShop
from router.redis_engine import RedisEngine
from tests.router.desk import Desk

Break = Callable[[LiveShop], None]
LAST = ConversationId(f"c{WAITING + 9:04}")


@pytest.fixture
def shop() -> LiveShop:
    return LiveShop()


@pytest.fixture
async def engine(shop: LiveShop) -> MemoryEngine:
    """More agents than fit in a part, each with one conversation, and more waiting than fit in one."""
    engine = MemoryEngine(shop)
    desk = Desk(engine)
    desk.checking = False
    await desk.open()
    for number in range(AGENTS + 5):
        await desk.hire(f"a{number:03}", capacity=1)
        await desk.asks(f"held{number:03}")
    for number in range(WAITING + 10):
        desk.later(1)
        await desk.asks(f"c{number:04}")
    return engine


def served(shop: LiveShop) -> dict[AccountId, list[ConversationId]]:
    """What durable facts would say of who has what in service."""
    return {name: list(agent.slots) for name, agent in shop.agents.items()}


async def test_a_sound_shop_has_none(engine: MemoryEngine, shop: LiveShop) -> None:
    assert await census.census(engine, served(shop)) == []


def two_change_places(shop: LiveShop) -> None:
    queue = shop.queues["default"]
    queue[WAITING - 1], queue[WAITING] = queue[WAITING], queue[WAITING - 1]


def the_last_says_it_has_an_owner(shop: LiveShop) -> None:
    record = shop.conversations[LAST]
    record.owner = AccountId("a001")


def a_slot_of_the_last_agent_says_why_wrongly(shop: LiveShop) -> None:
    slots = shop.agents[AccountId(f"a{AGENTS + 4:03}")].slots
    for name, slot in slots.items():
        slots[name] = replace(slot, why="wrap_up")


def the_last_agents_slot_is_lost(shop: LiveShop) -> None:
    shop.agents[AccountId(f"a{AGENTS + 4:03}")].slots.clear()
    for agent in shop.agents.values():
        agent.profile = replace(agent.profile, capacity=len(agent.slots) or 1, on_duty=bool(agent.slots))


def a_slot_is_of_nothing(shop: LiveShop) -> None:
    [name] = shop.agents[AccountId(f"a{AGENTS + 4:03}")].slots
    del shop.conversations[name]


def somebody_has_room(shop: LiveShop) -> None:
    agent = shop.agents[AccountId("a000")]
    agent.profile = replace(agent.profile, capacity=9)


@pytest.mark.parametrize(
    ("breaks", "invariants"),
    [
        (two_change_places, {"I8"}),
        (the_last_says_it_has_an_owner, {"I3"}),
        (a_slot_of_the_last_agent_says_why_wrongly, {"I4"}),
        (the_last_agents_slot_is_lost, {"I4"}),
        (a_slot_is_of_nothing, {"I4"}),
        (somebody_has_room, {"I8"}),
    ],
)
async def test_what_is_broken_is_found_in_any_part(
    engine: MemoryEngine, shop: LiveShop, breaks: Break, invariants: set[str]
) -> None:
    active = served(shop)
    breaks(shop)
    assert {violation.invariant for violation in await census.census(engine, active)} == invariants


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[Link]:
    link = link_to(redis_url, scripts=scripts.load())
    await link.open()
    yield link
    await link.close()


@pytest.mark.parametrize(
    ("lost", "problems"),
    [
        (("HDEL", "slots:ann", "c1"), {"load 1 with 0 slots", "active with ann and holds no slot"}),
        (("DEL", "conv:c1"), {"slot for unknown conversation c1"}),
    ],
)
async def test_what_redis_lost_is_found(link: Link, lost: tuple[str, str], problems: set[str]) -> None:
    engine = RedisEngine(link, ShopId("shop"), node="n1:aaaa")
    desk = Desk(engine)
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    command, key, *field = lost

    await link.call(command, prefix(ShopId("shop")) + key, *field)

    active = {AccountId("ann"): [ConversationId("c1")]}
    assert {each.problem for each in await census.census(engine, active)} == problems


async def test_whose_owner_is_no_agent_any_more_holds_no_slot_rightly(shop: LiveShop) -> None:
    desk = Desk(engine := MemoryEngine(shop))
    await desk.open()
    await desk.hire("ann")
    await desk.asks("c1")
    await desk.fire("ann")
    assert await census.census(engine, {AccountId("ann"): [ConversationId("c1")]}) == []
