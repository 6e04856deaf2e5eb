"""Several colleagues in one conversation: asked in, coming, going, and who may do what (CO-01, CO-02, CO-06)."""

import asyncio
from dataclasses import dataclass

import pytest

from protocol.codes import ErrorCode
from protocol.ids import AccountId, ConversationId
from protocol.states import Role
from tests.scenarios.house import Agent, Customer, House, Shop, until


@dataclass
class Scene:
    """Lily serves Ada. Max and Nina are colleagues, Boss runs the service."""

    shop: Shop
    lily: Agent
    max: Agent
    nina: Agent
    boss: Agent
    ada: Customer
    talk: str

    @classmethod
    async def make(cls, house: House) -> "Scene":
        shop = await house.shop()
        lily = await shop.agent("Lily")
        max_ = await shop.agent("Max", status="paused")
        nina = await shop.agent("Nina", status="paused")
        boss = await shop.agent("Boss", roles=(Role.SERVICE_ADMIN,), status="offline")
        ada = await shop.customer("Ada")
        return cls(shop, lily, max_, nina, boss, ada, await ada.opens("my printer burns"))

    async def brings_in(self, colleague: Agent) -> None:
        """Lily asks, the colleague comes."""
        await self.lily.asks("participant.invite", conversation_id=self.talk, account_ids=[colleague.id])
        await self.comes(colleague)

    async def comes(self, colleague: Agent) -> None:
        await invited(colleague, self.talk)
        await colleague.asks("participant.join", conversation_id=self.talk)


async def invited(person: Agent, talk: str) -> None:
    await until(lambda: talk in person.client.view.invitations, what=f"{person.name}'s invitation")


async def not_invited(person: Agent, talk: str) -> None:
    await until(lambda: talk not in person.client.view.invitations, what=f"{person.name}'s invitation to end")


def taking_part(person: Agent, talk: str) -> list[str]:
    known = person.knows(talk)
    return [] if known is None else [each.person.name for each in known.participants]


async def sees_taking_part(person: Agent, talk: str, *names: str) -> None:
    await until(
        lambda: taking_part(person, talk) == list(names) and person.knows(talk) is not None,
        what=f"{person.name} seeing {names}, not {taking_part(person, talk)}",
    )


async def events(person: Agent, talk: str) -> list[str]:
    """What the log says happened, as this colleague reads it."""
    page = await person.asks("message.history", conversation_id=talk, limit=200)
    return [message.body.event for message in page.messages if message.body.kind == "system"]


@pytest.mark.req("CO-01", "CO-02")
async def test_an_agent_asks_another_in_and_both_answer_the_same_customer(house: House) -> None:
    scene = await Scene.make(house)
    await scene.lily.says(scene.talk, "one moment, I ask a colleague")

    await scene.lily.asks(
        "participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id], reason="printers"
    )
    await invited(scene.max, scene.talk)
    asked = scene.max.client.view.invitations[scene.talk]
    assert (asked.by.name, asked.reason, asked.customer.name) == ("Lily", "printers", "Ada")
    await scene.max.asks("participant.join", conversation_id=scene.talk)
    await scene.max.says(scene.talk, "pull the plug")

    await scene.ada.reads(scene.talk, "pull the plug")
    await scene.lily.reads(scene.talk, "pull the plug")
    await scene.ada.says(scene.talk, "done, thank you both")
    await scene.lily.reads(scene.talk, "done, thank you both")
    await scene.max.reads(scene.talk, "done, thank you both")
    await scene.max.reads(scene.talk, "my printer burns")  # from long before he came
    await sees_taking_part(scene.lily, scene.talk, "Max")
    assert scene.max.client.view.invitations == {}
    assert (await scene.lily.sees(scene.talk)).owner == (await scene.max.sees(scene.talk)).owner
    assert await events(scene.max, scene.talk) == ["assigned", "invited", "joined"]


@pytest.mark.req("CO-01")
async def test_of_a_group_the_first_who_comes_answers_for_all(house: House) -> None:
    scene = await Scene.make(house)
    group = await scene.shop.group("Refunds")
    for person in (scene.max, scene.nina):
        await scene.shop.app.group_store.add_member(scene.shop.id, group, AccountId(person.id))
    asked = await scene.lily.asks("participant.invite", conversation_id=scene.talk, group_id=group)
    assert set(asked.invited) == {scene.max.id, scene.nina.id}
    await invited(scene.nina, scene.talk)

    await scene.comes(scene.max)

    await not_invited(scene.nina, scene.talk)
    late = await scene.nina.refused("participant.join", conversation_id=scene.talk)
    assert late.code is ErrorCode.NOT_FOUND
    await sees_taking_part(scene.lily, scene.talk, "Max")


@pytest.mark.req("CO-01")
async def test_who_declines_is_asked_no_longer_and_may_be_asked_again(house: House) -> None:
    scene = await Scene.make(house)
    await scene.lily.asks("participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id])
    await invited(scene.max, scene.talk)

    await scene.max.asks("participant.decline", conversation_id=scene.talk, reason="at lunch")

    await not_invited(scene.max, scene.talk)
    assert (await scene.max.asks("participant.invitations")).invitations == []
    assert (
        await scene.max.refused("participant.join", conversation_id=scene.talk)
    ).code is ErrorCode.NOT_FOUND
    assert await events(scene.lily, scene.talk) == ["assigned", "invited", "declined"]
    await scene.brings_in(scene.max)


@pytest.mark.req("CO-01")
async def test_an_invitation_that_nobody_answers_ends_by_itself(house: House) -> None:
    scene = await Scene.make(house)
    await scene.lily.asks("participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id])
    await invited(scene.max, scene.talk)
    await scene.shop.app.db.execute(
        "UPDATE invitations SET expires_at = now() WHERE conversation_id = $1", scene.talk
    )

    await not_invited(scene.max, scene.talk)
    await until(lambda: _has_event(scene.lily, scene.talk, "expired"), what="the entry about it")


def _has_event(person: Agent, talk: str, event: str) -> bool:
    return any(getattr(message.body, "event", None) == event for message in person.client.logs[talk].messages)


@pytest.mark.req("CO-01")
async def test_who_leaves_hears_no_more_and_may_not_write(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    await sees_taking_part(scene.lily, scene.talk, "Max")
    # What was said before he came is fetched; of a conversation that he left meanwhile his client keeps no log.
    await scene.max.reads(scene.talk, "my printer burns")

    await scene.max.asks("participant.leave", conversation_id=scene.talk, reason="solved")

    await sees_taking_part(scene.lily, scene.talk)
    await sees_taking_part(scene.max, scene.talk)
    assert scene.max.client.view.snapshot() == []
    head = scene.max.client.logs[scene.talk].head
    sent = await scene.lily.says(scene.talk, "my colleague has left")
    await scene.ada.reads(scene.talk, "my colleague has left")
    assert sent.seq == head + 1
    assert scene.max.client.logs[scene.talk].head == head
    assert (await scene.max.asks("conversation.list", scope="shared")).conversations == []
    refused = await scene.max.refused(
        "message.send",
        conversation_id=scene.talk,
        client_message_id="m1",
        body={"kind": "text", "text": "one more thing"},
    )
    assert refused.code is ErrorCode.NOT_FOUND
    assert await events(scene.lily, scene.talk) == ["assigned", "invited", "joined", "left"]


@pytest.mark.req("CO-01", "CO-06")
async def test_the_owner_and_managers_remove_and_others_do_not(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    await scene.brings_in(scene.nina)

    refused = await scene.nina.refused(
        "participant.remove", conversation_id=scene.talk, account_id=scene.max.id
    )
    assert refused.code is ErrorCode.FORBIDDEN
    owner = await scene.lily.refused(
        "participant.remove", conversation_id=scene.talk, account_id=scene.lily.id
    )
    assert (owner.code, owner.reason) == (ErrorCode.INVALID_STATE, "owner_stays")
    await scene.lily.asks("participant.remove", conversation_id=scene.talk, account_id=scene.max.id)
    await sees_taking_part(scene.lily, scene.talk, "Nina")
    await scene.boss.asks(
        "participant.remove", conversation_id=scene.talk, account_id=scene.nina.id, reason="no"
    )
    await sees_taking_part(scene.lily, scene.talk)
    await sees_taking_part(scene.nina, scene.talk)


@pytest.mark.req("CO-01")
async def test_an_invitation_can_be_taken_back(house: House) -> None:
    scene = await Scene.make(house)
    await scene.lily.asks("participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id])
    await invited(scene.max, scene.talk)
    await scene.lily.asks("participant.remove", conversation_id=scene.talk, account_id=scene.max.id)
    await not_invited(scene.max, scene.talk)


@pytest.mark.req("CO-06")
async def test_only_who_takes_part_asks_others_in(house: House) -> None:
    scene = await Scene.make(house)
    unseen = await scene.max.refused(
        "participant.invite", conversation_id=scene.talk, account_ids=[scene.nina.id]
    )
    assert unseen.code is ErrorCode.NOT_FOUND
    await scene.lily.asks("participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id])
    asked_only = await scene.max.refused(
        "participant.invite", conversation_id=scene.talk, account_ids=[scene.nina.id]
    )
    assert (asked_only.code, asked_only.reason) == (ErrorCode.FORBIDDEN, "not_participant")


@pytest.mark.req("CO-06", "GP-02")
async def test_a_shop_says_whom_its_agents_may_ask_in(house: House) -> None:
    scene = await Scene.make(house)
    group = await scene.shop.group("Refunds")
    for person in (scene.lily, scene.max):
        await scene.shop.app.group_store.add_member(scene.shop.id, group, AccountId(person.id))
    await scene.shop.app.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, 'agent', $2)",
        scene.shop.id,
        {"conversation.serve": "own", "conversation.view": "own", "conversation.invite": "groups"},
    )
    for node in house.nodes:
        node.app.scope.forget(scene.shop.id)

    refused = await scene.lily.refused(
        "participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id, scene.nina.id]
    )

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    assert refused.detail["account_id"] == scene.nina.id
    assert (await scene.max.asks("participant.invitations")).invitations == []
    await scene.brings_in(scene.max)


@pytest.mark.req("CO-06")
async def test_nobody_who_cannot_serve_is_asked_in(house: House) -> None:
    scene = await Scene.make(house)
    robo = await scene.shop.account("Robo", Role.BOT)
    clerk = await scene.shop.account("Clerk", Role.OPERATIONS)
    gone = await scene.shop.account("Gone", Role.AGENT)
    await scene.shop.app.account_store.update(scene.shop.id, gone.id, {"disabled": True})
    for account in (robo, clerk, gone):
        refused = await scene.lily.refused(
            "participant.invite", conversation_id=scene.talk, account_ids=[account.id]
        )
        assert (refused.code, refused.reason) == (ErrorCode.INVALID_PARAMS, "cannot_serve")


@pytest.mark.req("CO-01", "CO-06")
async def test_a_manager_comes_without_being_asked_and_an_agent_does_not(house: House) -> None:
    scene = await Scene.make(house)
    await scene.boss.asks("participant.join", conversation_id=scene.talk)
    await sees_taking_part(scene.lily, scene.talk, "Boss")
    assert (
        await scene.max.refused("participant.join", conversation_id=scene.talk)
    ).code is ErrorCode.NOT_FOUND


@pytest.mark.req("CO-06")
async def test_no_more_take_part_than_the_shop_allows(house: House) -> None:
    scene = await Scene.make(house)
    await set_collaboration(scene.shop, participants_max=1)
    await scene.lily.asks(
        "participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id, scene.nina.id]
    )
    await scene.comes(scene.max)
    await invited(scene.nina, scene.talk)
    refused = await scene.nina.refused("participant.join", conversation_id=scene.talk)
    assert (refused.code, refused.reason) == (ErrorCode.CONFLICT, "too_many")


async def set_collaboration(shop: Shop, **settings: object) -> None:
    """Change the settings for working together, and wait until every node goes by them."""
    await shop.app.shop_store.set_collaboration(shop.id, settings)
    for node in shop.house.nodes:
        node.app.shops.forget(shop.id)


@pytest.mark.req("CO-02")
async def test_whoever_takes_part_reads_the_customer_s_earlier_conversations(house: House) -> None:
    scene = await Scene.make(house)
    await scene.shop.set_policy(wrap_up_s=0)
    await scene.lily.says(scene.talk, "buy a new one")
    await scene.lily.asks("conversation.end", conversation_id=scene.talk)
    await scene.ada.sees(scene.talk, state="closed")
    again = await scene.ada.opens("the new one burns too")
    await scene.lily.asks("participant.invite", conversation_id=again, account_ids=[scene.max.id])
    asked_only = await scene.max.refused("message.history", conversation_id=scene.talk)
    assert asked_only.code is ErrorCode.NOT_FOUND

    await invited(scene.max, again)
    await scene.max.asks("participant.join", conversation_id=again)

    earlier = (await scene.max.asks("conversation.earlier", conversation_id=again)).conversations
    assert [each.conversation_id for each in earlier] == [scene.talk]
    page = await scene.max.asks("message.history", conversation_id=scene.talk)
    assert "buy a new one" in [getattr(message.body, "text", None) for message in page.messages]
    assert (
        await scene.max.asks("conversation.get", conversation_id=scene.talk)
    ).conversation.state == "closed"
    stranger = await scene.nina.refused("conversation.earlier", conversation_id=again)
    assert stranger.code is ErrorCode.NOT_FOUND
    await scene.max.asks("participant.leave", conversation_id=again)
    left = await scene.max.refused("message.history", conversation_id=scene.talk)
    assert left.code is ErrorCode.NOT_FOUND


async def test_customers_find_their_own_earlier_conversations_and_nobody_else_s(house: House) -> None:
    scene = await Scene.make(house)
    await scene.shop.set_policy(wrap_up_s=0)
    secret = {"client_message_id": "n1", "body": {"kind": "note", "text": "she always complains"}}
    await scene.lily.asks("note.send", conversation_id=scene.talk, **secret)
    await scene.lily.says(scene.talk, "buy a new one")
    await scene.lily.asks("conversation.end", conversation_id=scene.talk)
    await scene.ada.sees(scene.talk, state="closed")
    again = await scene.ada.opens("the new one burns too")
    (earlier,) = (await scene.ada.asks("conversation.earlier", conversation_id=again)).conversations
    assert (earlier.conversation_id, earlier.participants) == (scene.talk, [])
    assert earlier.last_message.body.text == "buy a new one"
    page = await scene.ada.asks("message.history", conversation_id=scene.talk)
    assert "she always complains" not in [getattr(message.body, "text", None) for message in page.messages]
    everything = (await scene.ada.asks("conversation.earlier")).conversations
    assert [each.conversation_id for each in everything] == [again, scene.talk]

    bob = await scene.shop.customer("bob")
    assert (await bob.asks("conversation.earlier")).conversations == []
    stranger = await bob.refused("conversation.earlier", conversation_id=again)
    assert stranger.code is ErrorCode.NOT_FOUND
    unnamed = await scene.lily.refused("conversation.earlier")
    assert unnamed.code is ErrorCode.INVALID_PARAMS


@pytest.mark.req("CO-02")
async def test_a_closed_conversation_stays_readable_for_those_who_took_part(house: House) -> None:
    scene = await Scene.make(house)
    await scene.shop.set_policy(wrap_up_s=0)
    await scene.brings_in(scene.max)
    await scene.lily.asks("participant.invite", conversation_id=scene.talk, account_ids=[scene.nina.id])
    await invited(scene.nina, scene.talk)

    await scene.lily.asks("conversation.end", conversation_id=scene.talk)

    await scene.max.sees(scene.talk, state="closed")
    await not_invited(scene.nina, scene.talk)
    page = await scene.max.asks("message.history", conversation_id=scene.talk)
    assert page.messages
    assert (
        await scene.nina.refused("message.history", conversation_id=scene.talk)
    ).code is ErrorCode.NOT_FOUND


@pytest.mark.req("CO-01", "CO-10")
async def test_there_is_one_owner_whoever_comes_and_goes(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)

    await scene.lily.asks("conversation.transfer", conversation_id=scene.talk, account_id=scene.max.id)

    now = await scene.max.sees(scene.talk, owner=scene.max.id)
    assert now.participants == []
    await scene.shop.app.participants.add(
        scene.shop.id,
        ConversationId(now.conversation_id),
        AccountId(scene.lily.id),
        "collaborator",
        by=None,
    )
    await sees_taking_part(scene.max, scene.talk, "Lily")
    await scene.lily.says(scene.talk, "I am still here")
    await scene.ada.reads(scene.talk, "I am still here")
    refused = await scene.lily.refused("conversation.end", conversation_id=scene.talk)
    assert refused.code is ErrorCode.STALE_ASSIGNMENT


@pytest.mark.req("CO-01", "I3")
async def test_a_former_owner_s_message_is_refused_with_whose_it_is_now(house: House) -> None:
    scene = await Scene.make(house)
    before = await scene.lily.sees(scene.talk, owner=scene.lily.id)
    await scene.boss.asks("conversation.assign", conversation_id=scene.talk, account_id=scene.max.id)

    refused = await scene.lily.refused(
        "message.send",
        conversation_id=scene.talk,
        client_message_id="m1",
        body={"kind": "text", "text": "written before I knew"},
        assign_epoch=before.assign_epoch,
    )

    assert refused.code is ErrorCode.STALE_ASSIGNMENT
    now = await scene.max.sees(scene.talk, owner=scene.max.id)
    assert refused.detail["assign_epoch"] == now.assign_epoch
    assert (refused.detail["owner"]["id"], refused.detail["owner"]["name"]) == (scene.max.id, "Max")


@pytest.mark.req("CO-01", "I3")
async def test_a_collaborator_is_not_fenced_by_a_change_of_owner(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    before = await scene.max.sees(scene.talk)
    await scene.boss.asks("conversation.assign", conversation_id=scene.talk, account_id=scene.nina.id)
    await scene.nina.sees(scene.talk, owner=scene.nina.id)
    await scene.max.says(scene.talk, "I go on", assign_epoch=before.assign_epoch)
    await scene.ada.reads(scene.talk, "I go on")


@pytest.mark.req("CO-06")
async def test_who_may_read_but_takes_no_part_is_told_to_join_first(house: House) -> None:
    scene = await Scene.make(house)
    refused = await scene.boss.refused(
        "message.send",
        conversation_id=scene.talk,
        client_message_id="m1",
        body={"kind": "text", "text": "hello"},
    )
    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "not_participant")


@pytest.mark.req("CO-01")
async def test_everybody_reads_the_same_order_while_three_write_at_once(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    await scene.brings_in(scene.nina)

    people = (scene.lily, scene.max, scene.nina, scene.ada)
    await asyncio.gather(
        *(person.says(scene.talk, f"{person.name} {n}") for n in range(10) for person in people)
    )

    def said(person: Agent | Customer) -> list[str]:
        log = person.client.logs[scene.talk].messages
        return [
            message.body.text for message in log if message.body is not None and message.body.kind == "text"
        ]

    wanted = 1 + 10 * len(people)
    for person in people:
        await until(lambda person=person: len(said(person)) == wanted, what=f"{person.name} having all")
    assert said(scene.lily) == said(scene.max) == said(scene.nina) == said(scene.ada)


@pytest.mark.req("CO-02")
async def test_a_returning_collaborator_gets_what_was_said_meanwhile(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    scene.max.may_come.clear()
    scene.max.client.drop()
    await until(lambda: not scene.max.client.is_live, what="Max's connection to break")
    await scene.ada.says(scene.talk, "are you still there?")
    await scene.lily.asks(
        "note.send",
        conversation_id=scene.talk,
        client_message_id="n1",
        body={"kind": "note", "text": "she is impatient"},
    )

    scene.max.may_come.set()

    await scene.max.reads(scene.talk, "are you still there?")
    await scene.max.reads(scene.talk, "she is impatient")
    assert scene.max.client.session is not None and scene.max.client.session.resumed
