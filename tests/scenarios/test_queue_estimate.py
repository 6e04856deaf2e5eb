"""A waiting customer hears how long it will take, once the pool has moved often enough to say so (KS-22)."""

import pytest

from tests.scenarios.house import Agent, Customer, House, Node, Shop, until
from tests.scenarios.raw import raw_socket


class Counter:
    """One agent with one slot, and the line of customers before them."""

    def __init__(self, shop: Shop, lily: Agent) -> None:
        self._shop = shop
        self._lily = lily
        self._talk = ""
        self._line: list[tuple[Customer, str]] = []

    @classmethod
    async def open(cls, house: House) -> "Counter":
        shop = await house.shop(wrap_up_s=0)
        counter = cls(shop, await shop.agent("Lily", capacity=1))
        counter._talk = await (await shop.customer("Zoe")).opens()
        return counter

    async def joins(self, name: str) -> tuple[Customer, str]:
        """Somebody who has to wait."""
        customer = await self._shop.customer(name)
        self._line.append((customer, await customer.opens()))
        return self._line[-1]

    async def serves_next(self) -> None:
        await self._lily.asks("conversation.end", conversation_id=self._talk)
        customer, self._talk = self._line.pop(0)
        await customer.sees(self._talk, owner=self._lily.id)

    async def closes(self) -> None:
        await self._lily.sets("offline", open_conversations="keep")


async def told(customer: Customer, talk: str, place: int, estimate_s: int | None) -> None:
    async def heard() -> bool:
        queue = customer.has(talk).queue
        return queue is not None and (queue.place, queue.estimate_s) == (place, estimate_s)

    await until(heard, what=f"place {place} and an estimate of {estimate_s}; has {customer.has(talk).queue}")


async def first_after_five(house: House) -> tuple[Counter, Customer, str]:
    """Finn is next, and told about how long that takes: five went before."""
    counter = await Counter.open(house)
    for name in ("Ada", "Bob", "Cleo", "Dan", "Eva"):
        await counter.joins(name)
    finn, talk = await counter.joins("Finn")
    for _ in range(5):
        await counter.serves_next()
    await told(finn, talk, 1, 60)
    return counter, finn, talk


@pytest.mark.req("KS-22")
async def test_the_wait_is_estimated_from_those_who_went_before(house: House) -> None:
    counter = await Counter.open(house)
    for name in ("Ada", "Bob", "Cleo", "Dan", "Eva"):
        await counter.joins(name)
    finn, talk = await counter.joins("Finn")
    for _ in range(4):
        await counter.serves_next()
    await told(finn, talk, 2, None)  # four have gone: that is no basis
    await counter.serves_next()
    await told(finn, talk, 1, 60)


@pytest.mark.req("KS-22")
async def test_while_nobody_is_at_work_the_past_says_nothing(house: House) -> None:
    counter, finn, talk = await first_after_five(house)
    await counter.closes()
    await told(finn, talk, 1, None)
    assert finn.has(talk).queue is not None


@pytest.mark.req("KS-22", "PF-04")
async def test_who_comes_back_to_the_page_is_told_how_long(house: House) -> None:
    _, finn, talk = await first_after_five(house)

    for node in house.nodes:

        async def is_told(node: Node = node) -> bool:
            async with raw_socket(finn, node) as (socket, ticket):
                snapshot = (await socket.asks("session.hello", ticket=ticket))["result"]["snapshot"]
            return [each["queue"]["estimate_s"] for each in snapshot["conversations"]] == [60]

        # A node that found no basis lately looks again after `queue_paces.IN_DOUBT_S`.
        await until(is_told, what=f"the estimate at {node.url}")
    asked = (await finn.asks("conversation.get", conversation_id=talk)).conversation
    assert asked.queue.estimate_s == 60
