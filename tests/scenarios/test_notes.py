"""What colleagues say among themselves inside a conversation (CO-05)."""

from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.shapes import Message
from protocol.states import Role
from tests.scenarios.house import Agent, House, until
from tests.scenarios.test_collaboration import Scene, invited, sees_taking_part


async def notes(person: Agent, talk: str, text: str, name: str, *mentions: Agent) -> Any:
    """A note; the reply."""
    body = {"kind": "note", "text": text, "mentions": [each.id for each in mentions]}
    return await person.asks("note.send", conversation_id=talk, client_message_id=name, body=body)


async def may_not_note(person: Agent, talk: str, text: str, *mentions: Agent) -> RequestError:
    body = {"kind": "note", "text": text, "mentions": [each.id for each in mentions]}
    return await person.refused("note.send", conversation_id=talk, client_message_id="refused", body=body)


def log_of(person: Any, talk: str) -> list[Message]:
    log = person.client.logs.get(talk)
    return [] if log is None else log.messages


@pytest.mark.req("CO-05")
async def test_colleagues_read_a_note_and_the_customer_does_not(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)

    sent = await notes(scene.max, scene.talk, "she is a big customer", "n1")
    await scene.lily.says(scene.talk, "we will replace it")

    note = await scene.lily.reads(scene.talk, "she is a big customer")
    assert (note.internal, note.seq, note.sender.name) == (True, sent.seq, "Max")
    answer = await scene.ada.reads(scene.talk, "we will replace it")
    assert [message.seq for message in log_of(scene.ada, scene.talk)] == list(range(1, answer.seq + 1))
    assert not any(message.internal for message in log_of(scene.ada, scene.talk))
    read = await scene.lily.reads(scene.talk, "we will replace it")
    assert read.seq > answer.seq
    page = await scene.ada.asks("message.history", conversation_id=scene.talk)
    assert page.head_seq == answer.seq == len(page.messages)


@pytest.mark.req("CO-05")
async def test_a_note_sent_again_is_there_once(house: House) -> None:
    scene = await Scene.make(house)
    first = await notes(scene.lily, scene.talk, "look at order 7", "n1")
    again = await notes(scene.lily, scene.talk, "look at order 7", "n1")
    assert (again.seq, again.duplicate) == (first.seq, True)
    with pytest.raises(RequestError) as refused:
        await notes(scene.lily, scene.talk, "look at order 8", "n1")
    assert refused.value.code is ErrorCode.IDEMPOTENCY_CONFLICT


@pytest.mark.req("CO-05")
async def test_managers_leave_notes_without_joining_and_strangers_do_not(house: House) -> None:
    scene = await Scene.make(house)
    await notes(scene.boss, scene.talk, "be generous", "n1")
    note = await scene.lily.reads(scene.talk, "be generous")
    assert note.body is not None and note.body.kind == "note" and not note.body.whisper
    assert (await may_not_note(scene.max, scene.talk, "psst")).code is ErrorCode.NOT_FOUND
    await scene.lily.asks("participant.invite", conversation_id=scene.talk, account_ids=[scene.max.id])
    await invited(scene.max, scene.talk)
    assert (await may_not_note(scene.max, scene.talk, "psst")).code is ErrorCode.FORBIDDEN


@pytest.mark.req("CO-05", "CO-12")
async def test_a_note_of_somebody_who_only_watches_is_a_whisper(house: House) -> None:
    scene = await Scene.make(house)
    await scene.boss.asks("monitor.watch", conversation_id=scene.talk)
    await notes(scene.boss, scene.talk, "offer a refund", "n1")
    note = await scene.lily.reads(scene.talk, "offer a refund")
    assert note.body is not None and note.body.kind == "note" and note.body.whisper
    await sees_taking_part(scene.lily, scene.talk)
    recorded = await scene.shop.app.db.fetch(
        "SELECT actor_id, subject_id FROM audit WHERE shop_id = $1 AND action = 'monitor.whisper'",
        scene.shop.id,
    )
    assert [tuple(row.values()) for row in recorded] == [(scene.boss.id, scene.talk)]


@pytest.mark.req("CO-05", "KS-20")
async def test_notes_go_on_in_wrap_up_and_end_with_the_close(house: House) -> None:
    scene = await Scene.make(house)
    await scene.lily.asks("conversation.end", conversation_id=scene.talk)
    await scene.lily.sees(scene.talk, state="wrap_up")
    await notes(scene.lily, scene.talk, "call her on Monday", "n1")
    await scene.lily.reads(scene.talk, "call her on Monday")
    await scene.lily.sees(scene.talk, state="wrap_up")

    await scene.shop.set_policy(wrap_up_s=0)
    await scene.lily.asks("conversation.reopen", conversation_id=scene.talk)
    await scene.lily.asks("conversation.end", conversation_id=scene.talk)
    await scene.lily.sees(scene.talk, state="closed")
    refused = await may_not_note(scene.lily, scene.talk, "too late")
    assert (refused.code, refused.reason) == (ErrorCode.INVALID_STATE, "conversation_closed")


@pytest.mark.req("CO-05")
async def test_a_note_leaves_the_customer_waiting(house: House) -> None:
    scene = await Scene.make(house)
    before = (await scene.lily.sees(scene.talk)).waiting_since
    assert before is not None
    await notes(scene.lily, scene.talk, "let me think", "n1")
    await scene.lily.reads(scene.talk, "let me think")
    now = (await scene.lily.asks("conversation.get", conversation_id=scene.talk)).conversation
    assert now.waiting_since == before


@pytest.mark.req("CO-05")
async def test_a_recalled_note_loses_its_text_and_only_its_writer_recalls_it(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    sent = await notes(scene.max, scene.talk, "she is rude", "n1")
    await scene.lily.reads(scene.talk, "she is rude")
    for person in (scene.lily, scene.ada):
        refused = await person.refused(
            "message.recall", conversation_id=scene.talk, message_id=sent.message_id
        )
        wanted = ErrorCode.NOT_FOUND if person is scene.ada else ErrorCode.FORBIDDEN
        assert refused.code is wanted

    await scene.max.asks("message.recall", conversation_id=scene.talk, message_id=sent.message_id)

    def recalled() -> bool:
        return any(m.seq == sent.seq and m.body is None for m in log_of(scene.lily, scene.talk))

    await until(recalled, what="the note's losing its text")


@pytest.mark.req("CO-05")
async def test_notes_of_one_writer_keep_their_order_with_and_without_mentions(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    texts = [f"step {n}" for n in range(12)]
    for n, text in enumerate(texts):
        await notes(scene.lily, scene.talk, text, f"n{n}", *([scene.max] if n % 3 == 0 else []))

    def said() -> list[str]:
        return [
            m.body.text for m in log_of(scene.max, scene.talk) if m.body is not None and m.body.kind == "note"
        ]

    await until(lambda: said() == texts, what="all notes in order")


@pytest.mark.req("CO-05", "I5")
async def test_a_customer_and_a_bot_cannot_leave_notes(house: House) -> None:
    scene = await Scene.make(house)
    refused = await scene.ada.refused(
        "note.send",
        conversation_id=scene.talk,
        client_message_id="n1",
        body={"kind": "note", "text": "may I?"},
    )
    assert refused.code is ErrorCode.FORBIDDEN
    robo = await scene.shop.agent("Robo", roles=(Role.BOT,))
    assert (await may_not_note(robo, scene.talk, "beep")).code is ErrorCode.FORBIDDEN
