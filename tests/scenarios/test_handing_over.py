"""From hand to hand: to a colleague or to a department, with a reason that the customer never sees (KS-07, KS-21,
CO-10)."""

import asyncio
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, ShopId
from protocol.shapes import Message
from protocol.states import Role
from router.model import Outcome
from server.services.handing_over import Giving
from server.services.live import Verb
from server.services.routing import Routing
from server.services.targets import lightest
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until


async def desk_and_refunds(
    house: House, *members: tuple[str, dict[str, Any]]
) -> tuple[Shop, Agent, Customer, str]:
    """Lily of the front desk serves Ada; the department Refunds has these members."""
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)
    await shop.group("Refunds")
    for name, facts in members:
        await shop.agent(name, groups=("Refunds",), **facts)
    return shop, lily, ada, conversation


async def hands_to_refunds(agent: Agent, conversation: str, **more: Any) -> str | None:
    """Give it to the department; the name of who got it."""
    given = await agent.asks(
        "conversation.transfer",
        conversation_id=conversation,
        group_id=agent.shop.groups["Refunds"],
        **more,
    )
    return given.conversation.owner.name


def entries(person: Person, conversation: str) -> list[Message]:
    log = person.client.logs.get(conversation)
    assert log is not None
    return list(log.messages)


def notes_of_hand_over(person: Person, conversation: str) -> list[dict[str, Any]]:
    """What this person's log says about hand-overs."""
    return [
        message.body.data
        for message in entries(person, conversation)
        if message.body is not None and message.body.kind == "system" and message.body.event == "handed_over"
    ]


async def busy(shop: Shop, name: str, count: int) -> None:
    """Give somebody that many conversations."""
    [card] = [card for card in (await shop.app.agents.everybody(shop.id)).agents if card.name == name]
    for n in range(count):
        customer = await shop.customer(f"{name}{n}")
        conversation = await customer.opens()
        row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
        if row.owner_id != card.account_id:
            await shop.app.routing.do(
                shop.id,
                lambda engine, stamp, row=row: engine.assign(
                    row.id, AccountId(card.account_id), by=None, op_id=stamp.op_id, day=stamp.day
                ),
            )


# --- to whom of a department -----------------------------------------------------------------------------------------
@pytest.mark.req("CO-10", "CO-11")
async def test_a_department_gives_it_to_its_lightest(house: House) -> None:
    shop, lily, ada, conversation = await desk_and_refunds(
        house, ("Max", {"capacity": 4}), ("Nora", {"capacity": 4})
    )
    await busy(shop, "Max", 2)
    await busy(shop, "Nora", 1)

    assert await hands_to_refunds(lily, conversation) == "Nora"
    await ada.sees(conversation, state="active")


@pytest.mark.req("CO-10", "KS-07")
async def test_a_full_department_gives_it_to_its_lightest_over_capacity(house: House) -> None:
    shop, lily, _, conversation = await desk_and_refunds(
        house, ("Max", {"capacity": 1}), ("Nora", {"capacity": 2})
    )
    await busy(shop, "Max", 2)
    await busy(shop, "Nora", 2)

    assert await hands_to_refunds(lily, conversation) == "Nora"
    assert (await shop.loads())["Nora"] == 3


@pytest.mark.req("CO-10", "KS-04", "KS-14")
async def test_nobody_gets_it_who_receives_nothing_automatically_and_then_nothing_changes(
    house: House,
) -> None:
    shop, lily, ada, conversation = await desk_and_refunds(
        house,
        ("Max", {"status": "paused"}),
        ("Nora", {"status": "offline"}),
        ("Tom", {"excluded": True}),
        ("Boss", {"roles": (Role.SERVICE_ADMIN,)}),
    )
    before = await shop.app.conversations.get(shop.id, ConversationId(conversation))

    refused = await lily.refused(
        "conversation.transfer", conversation_id=conversation, group_id=shop.groups["Refunds"], reason="?"
    )

    assert (refused.code, refused.reason) == (ErrorCode.INVALID_STATE, "all_paused")
    assert await shop.app.conversations.get(shop.id, ConversationId(conversation)) == before
    await ada.says(conversation, "still there?")
    await lily.reads(conversation, "still there?")


@pytest.mark.req("CO-10", "CO-11")
async def test_many_at_once_are_spread_over_the_department(house: House) -> None:
    shop, lily, _, first = await desk_and_refunds(
        house, *[(name, {"capacity": 20, "status": "paused"}) for name in ("Max", "Nora", "Tom")]
    )
    conversations = [first, *[await (await shop.customer(f"C{n}")).opens() for n in range(4)]]
    members = [person for person in house.people if person.name in {"Max", "Nora", "Tom"}]
    await lily.sets("paused")
    conversations.append(await (await shop.customer("C5")).opens())
    manager = await shop.agent("Manager", roles=(Role.SERVICE_ADMIN,), status="offline")
    for member in members:
        await member.asks("agent.set_status", status="online")

    await asyncio.gather(
        *(
            manager.asks("conversation.assign", conversation_id=conversation, group_id=shop.groups["Refunds"])
            for conversation in conversations[:5]
        )
    )

    loads = await shop.loads()
    assert sorted(loads[name] for name in ("Max", "Nora", "Tom")) == [2, 2, 2]


@pytest.mark.req("CO-10", "CO-11")
async def test_whom_another_node_gave_something_meanwhile_is_not_overloaded(house: House) -> None:
    shop, lily, _, first = await desk_and_refunds(
        house, *[(name, {"capacity": 1, "status": "paused"}) for name in ("Max", "Nora")]
    )
    second = ConversationId(await (await shop.customer("Bo")).opens())
    for member in [person for person in house.people if person.name in {"Max", "Nora"}]:
        await member.asks("agent.set_status", status="online")
    app, refunds, overtaken = shop.app, shop.groups["Refunds"], list[AccountId]()

    def overtake(routing: Routing) -> None:
        real = routing.attempt

        async def attempt(shop: ShopId, verb: Verb) -> Outcome:
            if not overtaken:
                states = await app.live.engine(shop).agents()
                chosen = lightest(states, refunds, but=AccountId(lily.id))
                assert chosen is not None
                overtaken.append(chosen)
                row = await app.conversations.get(shop, second)
                await app.handing_over.to_account(row, chosen, Giving(None))
            return await real(shop, verb)

        routing.attempt = attempt

    for node in house.nodes:
        overtake(node.app.routing)

    await hands_to_refunds(lily, first)

    assert overtaken
    assert await shop.loads() == {"Lily": 0, "Max": 1, "Nora": 1}


@pytest.mark.req("CO-10")
@pytest.mark.parametrize("both", [True, False])
async def test_one_names_a_colleague_or_a_department(house: House, both: bool) -> None:
    shop, lily, _, conversation = await desk_and_refunds(house, ("Max", {}))
    named = {"account_id": lily.id, "group_id": shop.groups["Refunds"]} if both else {}

    refused = await lily.refused("conversation.transfer", conversation_id=conversation, **named)

    assert (refused.code, refused.reason) == (ErrorCode.INVALID_PARAMS, "one_target")


# --- and follow it ---------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-10", "CO-02")
async def test_who_hands_over_inside_the_collaboration_stays_and_follows(house: House) -> None:
    _, lily, ada, conversation = await desk_and_refunds(house, ("Max", {}))

    assert await hands_to_refunds(lily, conversation, stay=True, reason="wants a refund") == "Max"

    taking_part = await lily.sees(conversation)
    await until(
        lambda: (
            (known := lily.knows(conversation)) is not None
            and [each.person.name for each in known.participants] == ["Lily"]
        ),
        what="Lily's taking part",
    )
    assert taking_part.owner is not None
    await ada.says(conversation, "I want my money back")
    await lily.reads(conversation, "I want my money back")
    await lily.says(conversation, "Max will help you")
    await ada.reads(conversation, "Max will help you")
    assert [
        each.conversation_id for each in (await lily.asks("conversation.list", scope="shared")).conversations
    ] == [conversation]


@pytest.mark.req("CO-10", "PF-05")
async def test_who_stays_does_so_though_the_node_died_in_between(house: House) -> None:
    shop, lily, ada, conversation = await desk_and_refunds(house, ("Max", {}))
    [max_] = [person for person in house.people if person.name == "Max"]
    stamp = await shop.app.live.stamp(shop.id)
    await shop.app.live.engine(shop.id).assign(
        ConversationId(conversation),
        AccountId(max_.id),
        by=AccountId(lily.id),
        stay="wants a refund",
        op_id=stamp.op_id,
        day=stamp.day,
    )  # and then it dies

    await max_.sees(conversation, state="active", owner=max_.id)

    async def stays() -> bool:
        row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
        return row.collaborators == (lily.id,)

    await until(stays, what="Lily's taking part")
    await ada.says(conversation, "I want my money back")
    await lily.reads(conversation, "I want my money back")
    [part] = await shop.app.participant_store.of_conversation(shop.id, ConversationId(conversation))
    assert (part.account_id, part.invited_by, part.reason) == (lily.id, lily.id, "wants a refund")


@pytest.mark.req("CO-10", "PF-05")
async def test_who_stays_does_so_when_the_database_is_back(house: House) -> None:
    shop, lily, _, conversation = await desk_and_refunds(house, ("Max", {}))
    away = RequestError(ErrorCode.UNAVAILABLE, "database_down", "Try again.")
    real, failed = shop.app.participants.add, []

    async def add(*args: Any, **more: Any) -> Any:
        if not failed:
            failed.append(args)
            raise away
        return await real(*args, **more)

    for node in house.nodes:
        node.app.participants.add = add

    await hands_to_refunds(lily, conversation, stay=True)

    await until(
        lambda: (
            (known := lily.knows(conversation)) is not None
            and [each.person.name for each in known.participants] == ["Lily"]
        ),
        what="Lily's taking part",
    )
    assert failed


@pytest.mark.req("CO-10", "KS-21")
async def test_who_does_not_stay_hears_no_more(house: House) -> None:
    _, lily, ada, conversation = await desk_and_refunds(house, ("Max", {}))
    await hands_to_refunds(lily, conversation)
    await lily.sees(conversation, participants=[])
    await ada.says(conversation, "a secret for Max")
    [max_] = [person for person in house.people if person.name == "Max"]

    await max_.reads(conversation, "a secret for Max")

    assert "a secret for Max" not in str(entries(lily, conversation))
    assert (await lily.asks("conversation.list", scope="mine")).conversations == []


# --- why -------------------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-10", "CO-05")
async def test_the_reason_is_for_colleagues_and_leaves_the_customer_no_trace(house: House) -> None:
    shop, lily, ada, conversation = await desk_and_refunds(house, ("Max", {}))
    await hands_to_refunds(lily, conversation, reason="rude, be careful")
    [max_] = [person for person in house.people if person.name == "Max"]
    await ada.says(conversation, "who is there?")
    await max_.reads(conversation, "who is there?")
    await ada.reads(conversation, "who is there?")

    (note,) = notes_of_hand_over(max_, conversation)
    assert (note["by"]["name"], note["from"]["name"], note["to"]["name"]) == ("Lily", "Lily", "Max")
    assert (note["group"]["name"], note["reason"]) == ("Refunds", "rude, be careful")
    seen = entries(ada, conversation)
    assert [message.seq for message in seen] == list(range(1, len(seen) + 1)), "no gap in what she counts"
    history = await ada.asks("message.history", conversation_id=conversation, limit=50)
    for text in (str(seen), str(history), str(ada.knows(conversation))):
        assert "rude" not in text
        assert "Refunds" not in text
        assert "handed_over" not in text
    row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
    assert row.head_seq == row.customer_head_seq + 1


@pytest.mark.req("KS-21", "CO-05")
async def test_the_reason_for_giving_it_back_to_the_queue_is_there_for_the_next(house: House) -> None:
    shop, lily, _, conversation = await desk_and_refunds(house)
    await lily.sets("paused")

    await lily.asks("conversation.requeue", conversation_id=conversation, reason="my shift is over")

    nora = await shop.agent("Nora")
    await nora.sees(conversation, owner=nora.id)
    page = await nora.asks("message.history", conversation_id=conversation, limit=50)
    said = [message.body.data["reason"] for message in page.messages if message.internal]
    assert said == ["my shift is over"]


@pytest.mark.req("KS-14", "KS-07")
async def test_only_managers_give_to_an_excluded_account(house: House) -> None:
    shop, lily, _, conversation = await desk_and_refunds(house)
    tom = await shop.agent("Tom", excluded=True)
    manager = await shop.agent("Manager", roles=(Role.SERVICE_ADMIN,), status="offline")

    refused = await lily.refused("conversation.transfer", conversation_id=conversation, account_id=tom.id)

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "excluded")
    await manager.asks("conversation.transfer", conversation_id=conversation, account_id=tom.id)
    await tom.sees(conversation, owner=tom.id)


@pytest.mark.req("KS-21")
async def test_a_stale_hand_over_changes_nothing(house: House) -> None:
    shop, lily, _, conversation = await desk_and_refunds(house, ("Max", {}))
    nora = await shop.agent("Nora", status="paused")
    manager = await shop.agent("Manager", roles=(Role.SERVICE_ADMIN,), status="offline")
    seen = lily.knows(conversation)
    assert seen is not None
    await manager.asks("conversation.assign", conversation_id=conversation, account_id=nora.id)

    refused = await manager.refused(
        "conversation.assign",
        conversation_id=conversation,
        group_id=shop.groups["Refunds"],
        assign_epoch=seen.assign_epoch,
        stay=True,
        reason="too late",
    )

    assert refused.code is ErrorCode.STALE_ASSIGNMENT
    row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
    assert (row.owner_id, row.collaborators) == (nora.id, ())
