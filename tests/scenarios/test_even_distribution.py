"""A thousand customers and ten agents, over real sockets: nobody gets more than one more than anybody else (KS-02)."""

import asyncio

import pytest

from protocol.errors import RequestError
from tests.scenarios.house import Customer, House, Shop

CUSTOMERS = 1000
AGENTS = 10
AT_ONCE = 40
"""Customers at their sockets at the same time; each leaves when the conversation has an owner."""


async def comes_and_goes(shop: Shop, number: int, door: asyncio.Semaphore) -> str | None:
    """One customer: connect, ask, see who serves, leave."""
    async with door:
        customer: Customer = await shop.customer(f"C{number}")
        try:
            return await reaches_at_last(customer)
        finally:
            await customer.leave()
            shop.house.people.remove(customer)


async def reaches_at_last(customer: Customer) -> str | None:
    """Who is asked to try again does, as every client: the machine may stand still for longer than a deadline."""
    while True:
        try:
            return await customer.reaches()
        except RequestError as refusal:
            if not refusal.retryable:
                raise
            await asyncio.sleep(0.2)


@pytest.mark.req("KS-02")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("house", [2], indirect=True, ids=["two-nodes"])
async def test_a_thousand_customers_are_spread_evenly_over_ten_agents(house: House) -> None:
    shop = await house.shop()
    agents = [await shop.agent(f"A{i}", capacity=500) for i in range(AGENTS)]
    door = asyncio.Semaphore(AT_ONCE)

    owners = await asyncio.gather(*(comes_and_goes(shop, i, door) for i in range(CUSTOMERS)))

    received = {agent.name: owners.count(agent.name) for agent in agents}
    assert sum(received.values()) == CUSTOMERS
    assert max(received.values()) - min(received.values()) <= 1
    assert await shop.loads() == received
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}
