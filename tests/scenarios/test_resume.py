"""Coming back: exactly what was missed, wherever one was and is now; too much of it is said so (protocol, "resume")."""

import pytest

from protocol.codes import ErrorCode
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until


async def talking(house: House) -> tuple[Shop, Agent, Customer, str]:
    """Lily and Ada are in conversation, each on a node."""
    shop = await house.shop()
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens("hello")
    await lily.reads(conversation, "hello")
    return shop, lily, ada, conversation


def texts(person: Person, conversation: str) -> list[str]:
    """What this person has in their log, in its order; system entries left out."""
    bodies = [message.body for message in person.client.logs[conversation].messages]
    return [text for body in bodies if body is not None and (text := getattr(body, "text", None))]


def numbers(person: Person, conversation: str) -> list[int]:
    return [message.seq for message in person.client.logs[conversation].messages]


async def comes_back(person: Person) -> None:
    """The present connection breaks; returns when the next one is live."""
    before = person.client.connections
    person.client.drop()
    await until(lambda: person.client.connections > before and person.client.is_live, what="the next connection")


@pytest.mark.req("PF-04", "PF-05")
async def test_who_comes_back_gets_what_was_missed_once_and_in_order(house: House) -> None:
    _, lily, ada, conversation = await talking(house)
    await lily.client.close()
    for number in range(30):
        await ada.says(conversation, f"m{number}") if number % 5 else await slowly(ada, conversation, number)

    before = lily.client
    await lily.returns(house.nodes[-1])

    await lily.reads(conversation, "m29")
    assert lily.client is not before
    assert texts(lily, conversation) == ["hello", *(f"m{number}" for number in range(30))]


async def slowly(ada: Customer, conversation: str, number: int) -> None:
    """One message that waits until the customer's rate lets it through."""
    await ada.says(conversation, f"m{number}")


@pytest.mark.req("PF-05")
async def test_a_broken_connection_is_resumed_and_nothing_is_lost_or_doubled(house: House) -> None:
    _, lily, ada, conversation = await talking(house)

    for number in range(6):
        await ada.says(conversation, f"m{number}")
        if number % 2:
            await comes_back(lily)

    await lily.reads(conversation, "m5")
    assert lily.client.session is not None
    assert lily.client.session.resumed
    assert numbers(lily, conversation) == list(range(1, len(numbers(lily, conversation)) + 1))
    assert texts(lily, conversation) == ["hello", *(f"m{number}" for number in range(6))]
