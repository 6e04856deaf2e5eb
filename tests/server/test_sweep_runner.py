"""When sweeps run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.link import Link, link_to
from server.sweeps.runner import Counts, Runner, Sweep

PERIOD_S = 0.2


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[Link]:
    link = link_to(redis_url)
    await link.open()
    yield link
    await link.close()


@pytest.mark.parametrize("everywhere", [True, False])
async def test_sweeps_of_one_period_begin_spread_over_it(link: Link, everywhere: bool) -> None:
    """Of twenty, all in the same third of a period: once in 50 million runs."""
    loop = asyncio.get_running_loop()
    first: dict[str, float] = {}
    all_ran = asyncio.Event()

    def sweep(name: str) -> Sweep:
        async def run() -> Counts:
            first.setdefault(name, loop.time())
            if len(first) == 20:
                all_ran.set()
            return {}

        return Sweep(name, PERIOD_S, run, everywhere)

    runner = Runner(link, [sweep(f"sweep-{number}") for number in range(20)])
    began = loop.time()
    runner.start()
    async with asyncio.timeout(10):
        await all_ran.wait()
    await runner.aclose()
    assert min(first.values()) - began >= PERIOD_S
    assert max(first.values()) - min(first.values()) > PERIOD_S / 3
