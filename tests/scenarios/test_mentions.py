"""Notes that name somebody (CO-05): told at once and later, asked in by it, and never beyond what is permitted."""

import pytest

from protocol.cards import Mention
from protocol.codes import ErrorCode
from protocol.states import Role
from tests.scenarios.house import Agent, House, Person, until
from tests.scenarios.test_collaboration import Scene, events, invited, sees_taking_part
from tests.scenarios.test_notes import log_of, may_not_note, notes


async def mentioned(person: Person, text: str) -> Mention:
    """Wait until somebody knows that a note with this text names them."""

    def holds() -> Mention | None:
        return next((each for each in person.client.view.mentions.values() if each.text == text), None)

    return await until(holds, what=f"{person.name}'s being told of {text!r}")


@pytest.mark.req("CO-05")
async def test_whoever_is_named_hears_of_it_at_once(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    sent = await notes(scene.lily, scene.talk, "Max, can you?", "n1", scene.max)
    told = await mentioned(scene.max, "Max, can you?")
    assert (told.conversation_id, told.message_id, told.seq) == (scene.talk, sent.message_id, sent.seq)
    assert (told.by.name, told.read_at) == ("Lily", None)
    assert scene.nina.client.view.mentions == {}
    assert "invited" not in (await events(scene.lily, scene.talk))[3:]


@pytest.mark.req("CO-05")
async def test_whoever_was_away_hears_of_it_when_they_come(house: House) -> None:
    scene = await Scene.make(house)
    await scene.nina.leave()
    await notes(scene.lily, scene.talk, "Nina knows", "n1", scene.nina)

    await scene.nina.arrive()

    told = await mentioned(scene.nina, "Nina knows")
    assert scene.talk in scene.nina.client.view.invitations
    page = await scene.nina.asks("message.history", conversation_id=scene.talk)
    assert told.seq in [message.seq for message in page.messages]


@pytest.mark.req("CO-01", "CO-05")
async def test_a_named_colleague_who_takes_no_part_is_asked_in(house: House) -> None:
    scene = await Scene.make(house)
    await notes(scene.lily, scene.talk, "Max?", "n1", scene.max)
    await invited(scene.max, scene.talk)
    await mentioned(scene.max, "Max?")
    assert await events(scene.lily, scene.talk) == ["assigned", "invited"]
    await scene.max.asks("participant.join", conversation_id=scene.talk)
    await sees_taking_part(scene.lily, scene.talk, "Max")


@pytest.mark.req("CO-05", "CO-06", "GP-03")
async def test_a_note_that_may_not_name_somebody_is_not_written(house: House) -> None:
    scene = await Scene.make(house)
    await scene.shop.app.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, 'agent', $2)",
        scene.shop.id,
        {"conversation.serve": "own", "conversation.view": "own", "conversation.invite": "own"},
    )
    for node in house.nodes:
        node.app.scope.forget(scene.shop.id)

    refused = await may_not_note(scene.lily, scene.talk, "Max, Nina?", scene.max, scene.nina)

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    assert refused.detail["account_id"] == scene.max.id
    assert await events(scene.lily, scene.talk) == ["assigned"]
    assert not any(message.internal for message in log_of(scene.lily, scene.talk))
    assert (await scene.max.asks("mention.list")).mentions == []
    await notes(scene.lily, scene.talk, "to myself", "n2", scene.lily)


@pytest.mark.req("CO-05")
async def test_a_note_that_asks_more_than_the_shop_allows_is_not_written(house: House) -> None:
    scene = await Scene.make(house)
    await scene.shop.app.shop_store.set_collaboration(scene.shop.id, {"invitations_max": 1})
    for node in house.nodes:
        node.app.shops.forget(scene.shop.id)

    refused = await may_not_note(scene.lily, scene.talk, "both of you", scene.max, scene.nina)

    assert (refused.code, refused.reason) == (ErrorCode.CONFLICT, "too_many")
    page = await scene.lily.asks("message.history", conversation_id=scene.talk)
    assert not any(message.internal for message in page.messages)
    assert (await scene.max.asks("mention.list", unread_only=False)).mentions == []


@pytest.mark.req("CO-05")
async def test_one_who_left_the_shop_s_service_or_never_was_in_it_is_not_named(house: House) -> None:
    scene = await Scene.make(house)
    clerk = await scene.shop.agent("Clerk", roles=(Role.OPERATIONS,), status="offline")
    assert (await may_not_note(scene.lily, scene.talk, "Clerk?", clerk)).reason == "cannot_serve"
    elsewhere = await house.shop()
    stranger = await elsewhere.agent("Stranger")
    assert (await may_not_note(scene.lily, scene.talk, "you?", stranger)).code is ErrorCode.NOT_FOUND


@pytest.mark.req("CO-05")
async def test_read_once_it_is_read_on_every_device(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    phone = await Agent(scene.shop, scene.max.id, "Max", scene.max.principal).arrive(device="mobile")
    first = await notes(scene.lily, scene.talk, "first", "n1", scene.max)
    await notes(scene.lily, scene.talk, "second", "n2", scene.max)
    await mentioned(phone, "second")

    await scene.max.asks("mention.read", message_ids=[first.message_id])

    await until(lambda: first.message_id not in phone.client.view.mentions, what="the phone's forgetting it")
    unread = (await phone.asks("mention.list")).mentions
    assert [each.text for each in unread] == ["second"]
    await scene.max.asks("mention.read")
    assert (await phone.asks("mention.list")).mentions == []
    everything = (await phone.asks("mention.list", unread_only=False)).mentions
    assert [each.text for each in everything] == ["second", "first"]
    assert all(each.read_at is not None for each in everything)


@pytest.mark.req("CO-05")
async def test_mentions_come_in_pages_newest_first(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    for n in range(5):
        await notes(scene.lily, scene.talk, f"note {n}", f"n{n}", scene.max)
    texts: list[str] = []
    cursor = None
    while True:
        page = await scene.max.asks("mention.list", limit=2, cursor=cursor)
        texts += [each.text for each in page.mentions]
        cursor = page.cursor
        if cursor is None:
            break
    assert texts == [f"note {n}" for n in reversed(range(5))]


@pytest.mark.req("CO-05")
async def test_a_note_that_was_taken_back_calls_nobody_any_more(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    sent = await notes(scene.lily, scene.talk, "Max!", "n1", scene.max)
    await mentioned(scene.max, "Max!")
    await scene.lily.asks("message.recall", conversation_id=scene.talk, message_id=sent.message_id)
    await until(lambda: scene.max.client.view.mentions == {}, what="Max's being called no longer")
    (gone,) = (await scene.max.asks("mention.list", unread_only=False)).mentions
    assert gone.text == ""


@pytest.mark.req("CO-05", "CO-06")
async def test_somebody_removed_reads_neither_the_note_nor_the_conversation(house: House) -> None:
    scene = await Scene.make(house)
    await notes(scene.lily, scene.talk, "Max?", "n1", scene.max)
    await scene.comes(scene.max)
    await scene.lily.asks("participant.remove", conversation_id=scene.talk, account_id=scene.max.id)
    assert (await scene.max.asks("mention.list", unread_only=False)).mentions == []
    refused = await scene.max.refused("message.history", conversation_id=scene.talk)
    assert refused.code is ErrorCode.NOT_FOUND
