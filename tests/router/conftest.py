"""Both engines, live, that on Redis also on a cluster: `engine` gives each in turn, nothing left from tests before."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from protocol.ids import ShopId
from router import scripts
from router.engine import Engine
from router.link import link_to
from router.memory_engine import MemoryEngine
from router.memory_state import LiveShop
from router.redis_engine import RedisEngine
from tests.live_cluster import strict
from tests.router.desk import Desk

Node = Callable[[str], Engine]
"""An engine of the same shop for another node incarnation."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--model-sequences", type=int, default=300, help="sequences of the engines' model test")
    parser.addoption("--model-seed", type=int, default=None, help="the first seed of the engines' model test")


@pytest.fixture(params=["memory", "redis", "cluster"])
def engine_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def redis_url_if_needed(engine_kind: str, request: pytest.FixtureRequest) -> str:
    fixture = {"redis": "redis_url", "cluster": "cluster_url"}.get(engine_kind)
    return "" if fixture is None else str(request.getfixturevalue(fixture))


@pytest.fixture
async def node(engine_kind: str, redis_url_if_needed: str) -> AsyncIterator[Node]:
    """Makes an engine of one shop per node incarnation, as the gateways of one deployment would."""
    async with AsyncExitStack() as stack:
        if engine_kind == "memory":
            shop = LiveShop()
            yield lambda name: MemoryEngine(shop, node=name)
        else:
            sources = scripts.load()
            link = link_to(
                redis_url_if_needed, scripts=strict(sources) if engine_kind == "cluster" else sources
            )
            await link.open()
            stack.push_async_callback(link.close)
            yield lambda name: RedisEngine(link, ShopId("shop"), node=name)


@pytest.fixture
def engine(node: Node) -> Engine:
    return node("n1:aaaa")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)
