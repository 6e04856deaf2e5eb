"""`router.census`: what is broken in a large shop is found part by part, wherever it is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.ids import AccountId, ConversationId
from router import census
from router.census import AGENTS, WAITING
from router.memory_engine import MemoryEngine
from router.memory_state import LiveShop
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


async def test_a_sound_shop_has_none(engine: MemoryEngine) -> None:
    assert await census.census(engine) == []


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


def somebody_has_room(shop: LiveShop) -> None:
    agent = shop.agents[AccountId("a000")]
    agent.profile = replace(agent.profile, capacity=9)


@pytest.mark.parametrize(
    ("breaks", "invariants"),
    [
        (two_change_places, {"I8"}),
        (the_last_says_it_has_an_owner, {"I3"}),
        (a_slot_of_the_last_agent_says_why_wrongly, {"I4"}),
        (somebody_has_room, {"I8"}),
    ],
)
async def test_what_is_broken_is_found_in_any_part(
    engine: MemoryEngine, shop: LiveShop, breaks: Break, invariants: set[str]
) -> None:
    breaks(shop)
    assert {violation.invariant for violation in await census.census(engine)} == invariants
