"""Coming back: exactly what was missed, wherever one was and is now; too much of it is said so (protocol, "resume")."""

import hashlib

import orjson
import pytest

from protocol.ids import ClientMessageId, ConversationId
from server.store.log import Entry
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until
from tests.scenarios.raw import RawSocket, raw_socket


async def talking(house: House) -> tuple[Shop, Agent, Customer, str]:
    """Lily on the first node and Ada on the last are in conversation."""
    shop = await house.shop()
    lily = await shop.agent("Lily", node=house.nodes[0])
    ada = await shop.customer("Ada", node=house.nodes[-1])
    conversation = await ada.opens("hello")
    await lily.reads(conversation, "hello")
    return shop, lily, ada, conversation


async def resumes(
    socket: RawSocket, ticket: str, person: Person, session: str, cursors: dict[str, int]
) -> tuple[dict[str, object], list[tuple[str, int]]]:
    """Say hello as somebody who was here before; the reply, and name and `seq` of all until the session is live."""
    reply = await socket.asks(
        "session.hello", ticket=ticket, resume={"session_id": session, "cursors": cursors}
    )
    missed = await socket.until_heard("session.ready")
    told = ("message.created", "stream.reset")
    return reply["result"], [
        (frame["method"], frame["params"].get("seq", frame["params"].get("head_seq")))
        for frame in missed
        if frame["method"] in told
    ]


async def written(shop: Shop, by: Customer, conversation: str, count: int) -> None:
    """The customer wrote that many messages: faster than the server takes them from one socket."""
    body = orjson.dumps({"kind": "text", "text": "and another thing"})
    for number in range(count):
        entry = Entry(
            shop_id=shop.id,
            conversation_id=ConversationId(conversation),
            sender_kind="customer",
            sender_id=by.id,
            sender_name=by.name,
            client_message_id=ClientMessageId(f"many-{number}"),
            body=body,
            body_hash=hashlib.blake2b(body, digest_size=16).digest(),
        )
        shop.app.delivery.appended(entry, await shop.app.writer.append(entry))


async def goes(lily: Agent, conversation: str) -> tuple[str, dict[str, int]]:
    """The agent's connection ends; what a resume begins with."""
    assert lily.client.session is not None
    session, cursors = lily.client.session.session_id, lily.client.cursors
    await lily.client.close()
    return session, cursors


@pytest.mark.req("PF-04", "PF-05")
async def test_on_the_other_node_exactly_what_was_missed_comes_in_order(house: House) -> None:
    _, lily, ada, conversation = await talking(house)
    session, cursors = await goes(lily, conversation)
    sent = [(await ada.says(conversation, f"m{number}")).seq for number in range(5)]

    async with raw_socket(lily, house.nodes[-1]) as (socket, ticket):
        reply, missed = await resumes(socket, ticket, lily, session, cursors)

    assert (reply["resumed"], reply["session_id"]) == (True, session)
    assert missed == [("message.created", seq) for seq in sent]
    assert sent == list(range(cursors[conversation] + 1, cursors[conversation] + 6))


@pytest.mark.req("PF-04", "PF-05")
async def test_who_missed_nothing_gets_nothing(house: House) -> None:
    _, lily, _, conversation = await talking(house)
    session, cursors = await goes(lily, conversation)

    async with raw_socket(lily, house.nodes[-1]) as (socket, ticket):
        _, missed = await resumes(socket, ticket, lily, session, cursors)

    assert missed == []


@pytest.mark.req("PF-05")
@pytest.mark.parametrize(("missed_count", "whole"), [(200, True), (201, False)])
async def test_up_to_200_missed_messages_come_and_beyond_that_a_reset(
    house: House, missed_count: int, whole: bool
) -> None:
    shop, lily, ada, conversation = await talking(house)
    session, cursors = await goes(lily, conversation)
    await written(shop, ada, conversation, missed_count)
    head = cursors[conversation] + missed_count

    async with raw_socket(lily, house.nodes[-1]) as (socket, ticket):
        _, missed = await resumes(socket, ticket, lily, session, cursors)

    everything = [("message.created", seq) for seq in range(cursors[conversation] + 1, head + 1)]
    assert missed == (everything if whole else [("stream.reset", head)])


@pytest.mark.req("PF-05")
async def test_after_a_reset_the_client_fetches_the_whole_log(house: House) -> None:
    shop, lily, ada, conversation = await talking(house)
    heard = lily.client.subscribe()
    lily.may_come.clear()
    lily.client.drop()
    await until(lambda: not lily.client.is_live, what="the connection's end")
    await written(shop, ada, conversation, 250)
    lily.may_come.set()

    reset = await heard.next("stream.reset")

    await until(lambda: lily.client.cursors[conversation] == 252, what="the whole log")
    assert getattr(reset.params, "head_seq", None) == 252
    assert [message.seq for message in lily.client.logs[conversation].messages] == list(range(1, 253))


@pytest.mark.req("PF-05")
async def test_another_persons_session_is_not_resumed(house: House) -> None:
    shop, lily, _, conversation = await talking(house)
    session, cursors = await goes(lily, conversation)
    max_ = await shop.agent("Max")

    async with raw_socket(max_, house.nodes[-1]) as (socket, ticket):
        reply, missed = await resumes(socket, ticket, max_, session, cursors)

    assert reply["resumed"] is False
    assert missed == []


@pytest.mark.req("PF-05")
async def test_cursors_of_conversations_that_are_not_ones_own_bring_nothing(house: House) -> None:
    shop, _, _, conversation = await talking(house)
    bob = await shop.customer("Bob")
    assert bob.client.session is not None
    session = bob.client.session.session_id
    await bob.client.close()

    async with raw_socket(bob, house.nodes[-1]) as (socket, ticket):
        reply, missed = await resumes(socket, ticket, bob, session, {conversation: 0})

    assert (reply["resumed"], missed) == (True, [])
