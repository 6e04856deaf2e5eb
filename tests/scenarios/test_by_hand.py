"""Changing hands by hand (KS-07, KS-21): assign and transfer above capacity, pull from a pool, exactly one winner."""

import asyncio

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.states import Role
from tests.scenarios.house import Agent, House, Shop


async def full_desk(house: House) -> tuple[Shop, Agent, Agent]:
    """Lily has one conversation; Max, who has room for one, has one too."""
    shop = await house.shop()
    lily, max_ = await shop.agent("Lily", capacity=1), await shop.agent("Max", capacity=1)
    for name in ("Zoe", "Yan"):
        await (await shop.customer(name)).opens()
    return shop, lily, max_


async def only(agent: Agent) -> str:
    """The one conversation of this agent."""
    [conversation] = await agent.mine()
    return conversation.conversation_id


@pytest.mark.req("KS-07", "KS-21")
async def test_an_agent_transfers_to_a_full_colleague(house: House) -> None:
    _, lily, max_ = await full_desk(house)
    conversation = await only(lily)

    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)

    await max_.sees(conversation, owner=max_.id)
    slots = (await max_.asks("agent.slots")).slots
    assert [(slot.reason, slot.over_capacity) for slot in slots if slot.conversation_id == conversation] == [
        ("by_hand", True)
    ]
    assert (await max_.card()).load == 2


@pytest.mark.req("KS-07", "KS-21")
@pytest.mark.parametrize("role", [Role.OWNER, Role.SERVICE_ADMIN])
async def test_owner_and_service_admin_assign_anything_to_a_full_agent(house: House, role: Role) -> None:
    _, lily, max_ = await full_desk(house)
    boss = await max_.shop.agent("Boss", roles=(role,), status="offline")
    conversation = await only(lily)

    await boss.asks("conversation.assign", conversation_id=conversation, account_id=max_.id)

    await max_.sees(conversation, owner=max_.id)


@pytest.mark.req("KS-21")
@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN, Role.OPERATIONS, Role.SUPERVISOR])
async def test_nobody_else_assigns_what_is_not_theirs(house: House, role: Role) -> None:
    _, lily, max_ = await full_desk(house)
    other = await max_.shop.agent("Other", roles=(role,), status="offline")
    conversation = await only(lily)

    refused = await other.refused("conversation.assign", conversation_id=conversation, account_id=max_.id)

    assert refused.code is ErrorCode.FORBIDDEN
    assert await only(lily) == conversation


@pytest.mark.req("KS-21")
async def test_a_transfer_of_somebody_elses_conversation_is_refused(house: House) -> None:
    _, lily, max_ = await full_desk(house)
    conversation = await only(lily)

    refused = await max_.refused("conversation.transfer", conversation_id=conversation, account_id=max_.id)

    assert refused.code is ErrorCode.NOT_FOUND  # what an agent has never had does not exist for them
    assert await only(lily) == conversation


@pytest.mark.req("KS-07", "KS-10")
async def test_who_assigns_to_somebody_offline_makes_the_customer_wait_for_an_answer(house: House) -> None:
    shop, lily, _ = await full_desk(house)
    boss = await shop.agent("Boss", roles=(Role.OWNER,), status="offline")
    nora = await shop.agent("Nora", status="offline")

    given = await boss.asks("conversation.assign", conversation_id=await only(lily), account_id=nora.id)

    assert given.conversation.answers_later
    assert given.conversation.owner.id == nora.id


@pytest.mark.req("KS-21")
async def test_the_former_owner_cannot_write_any_more_and_is_told_the_new_epoch(house: House) -> None:
    _, lily, max_ = await full_desk(house)
    conversation = await only(lily)
    before = lily.knows(conversation)
    assert before is not None
    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)

    refused = await lily.refused(
        "message.send",
        conversation_id=conversation,
        client_message_id="draft",
        body={"kind": "text", "text": "as I was saying"},
        assign_epoch=before.assign_epoch,
    )

    assert refused.code is ErrorCode.STALE_ASSIGNMENT


@pytest.mark.req("KS-21")
async def test_an_agent_pulls_a_named_conversation_out_of_its_turn(house: House) -> None:
    shop, lily, _ = await full_desk(house)
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    await ada.waits()
    await bob.waits()
    conversation = (await bob.service()).conversation_id

    await lily.asks("conversation.pull", conversation_id=conversation)

    await bob.sees(conversation, state="active", owner=lily.id)
    assert (await ada.service()).state == "queued"


@pytest.mark.req("KS-21")
async def test_an_agent_pulls_the_oldest_of_a_pool(house: House) -> None:
    shop, lily, _ = await full_desk(house)
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    await ada.waits()
    await bob.waits()

    pulled = (await lily.asks("conversation.pull", pool="default")).conversation

    assert pulled.customer.name == "Ada"


@pytest.mark.req("KS-21")
async def test_pulling_from_an_empty_pool_is_refused_with_a_word(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")

    assert (await lily.refused("conversation.pull")).reason == "pool_empty"


@pytest.mark.req("KS-14", "KS-21")
async def test_of_two_who_pull_the_same_conversation_one_wins_and_the_other_is_told(house: House) -> None:
    shop = await house.shop()
    pullers = [await shop.agent(name, excluded=True) for name in ("Lily", "Max")]
    ada = await shop.customer("Ada")
    conversation = await ada.opens()

    outcomes = await asyncio.gather(
        *(puller.asks("conversation.pull", conversation_id=conversation) for puller in pullers),
        return_exceptions=True,
    )

    lost = [outcome for outcome in outcomes if isinstance(outcome, RequestError)]
    assert len(lost) == 1
    assert lost[0].reason in {
        "not_waiting",
        "conversation_not_found",
    }  # too late, or so late that it is somebody else's already
    winner = pullers[0] if outcomes[1] is lost[0] else pullers[1]
    await ada.sees(conversation, state="active", owner=winner.id)
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}


@pytest.mark.req("KS-21")
async def test_an_agent_gives_back_to_the_queue_what_keeps_its_age(house: House) -> None:
    shop, lily, _ = await full_desk(house)
    ada = await shop.customer("Ada")
    await ada.waits()
    conversation = await only(lily)
    await lily.sets("paused")

    given_back = (await lily.asks("conversation.requeue", conversation_id=conversation)).conversation

    assert given_back.queue is not None
    assert given_back.queue.place == 1
    queue = (await ada.service()).queue
    assert queue is not None
    assert queue.place == 2


@pytest.mark.req("KS-21")
async def test_two_managers_transfer_at_once_and_one_owner_is_left(house: House) -> None:
    shop, lily, max_ = await full_desk(house)
    bosses = [await shop.agent(name, roles=(Role.OWNER,), status="offline") for name in ("Boss", "Chief")]
    nora = await shop.agent("Nora", status="paused")
    conversation = await only(lily)
    epoch = (await bosses[0].asks("conversation.get", conversation_id=conversation)).conversation.assign_epoch

    outcomes = await asyncio.gather(
        *(
            boss.asks(
                "conversation.assign", conversation_id=conversation, account_id=to.id, assign_epoch=epoch
            )
            for boss, to in zip(bosses, (max_, nora), strict=True)
        ),
        return_exceptions=True,
    )

    lost = [outcome for outcome in outcomes if isinstance(outcome, RequestError)]
    assert [refusal.code for refusal in lost] == [ErrorCode.STALE_ASSIGNMENT]
    winner = max_ if outcomes[1] is lost[0] else nora
    await winner.sees(conversation, owner=winner.id)
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}


@pytest.mark.req("KS-21")
async def test_who_pulls_what_a_colleague_has_taken_meanwhile_is_told_that_and_not_that_it_never_was(
    house: House,
) -> None:
    shop = await house.shop()
    lily, max_ = [await shop.agent(name, status="paused") for name in ("Lily", "Max")]
    ada = await shop.customer("Ada")
    taken, gone = await ada.opens(), await (await shop.customer("Bob")).opens()
    await max_.asks("conversation.pull", conversation_id=taken)
    await max_.asks("conversation.pull", conversation_id=gone)
    await shop.set_policy(wrap_up_s=0)
    await max_.asks("conversation.end", conversation_id=gone)

    assert (await lily.refused("conversation.pull", conversation_id=taken)).reason == "not_waiting"
    assert (await lily.refused("conversation.pull", conversation_id=gone)).reason == "conversation_closed"


@pytest.mark.req("KS-21")
async def test_who_gives_away_what_is_not_theirs_any_more_is_told_whose_it_is_as_when_they_write(
    house: House,
) -> None:
    shop, lily, max_ = await full_desk(house)
    zoe = await shop.agent("Zoe", status="paused")
    conversation = await only(lily)
    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)
    await max_.asks("conversation.transfer", conversation_id=conversation, account_id=zoe.id)

    for method, more in (
        ("conversation.transfer", {"account_id": max_.id}),
        ("conversation.requeue", {}),
        ("conversation.end", {}),
    ):
        refused = await lily.refused(method, conversation_id=conversation, **more)
        assert (refused.code, refused.reason) == (ErrorCode.STALE_ASSIGNMENT, "not_owner"), method


@pytest.mark.req("GP-02")
async def test_what_never_waited_and_was_never_theirs_does_not_exist_for_a_colleague(house: House) -> None:
    _, lily, max_ = await full_desk(house)

    refused = await lily.refused("conversation.pull", conversation_id=await only(max_))

    assert refused.code is ErrorCode.NOT_FOUND
