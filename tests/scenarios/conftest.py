"""The house on one node, and on two: every scenario runs on both."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.house import House


@pytest.fixture(params=[1, 2], ids=["one-node", "two-nodes"])
async def house(
    request: pytest.FixtureRequest, migrated_database_url: str, redis_url: str
) -> AsyncIterator[House]:
    """A running house; whatever happened in it, no live invariant may be broken at the end."""
    house = await House.start(migrated_database_url, redis_url, nodes=request.param)
    try:
        yield house
    finally:
        await house.stop()
