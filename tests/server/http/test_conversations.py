"""Conversations over HTTP: finding them, and transcripts into which nobody can write another's lines."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from protocol.ids import ClientMessageId, PersonId
from protocol.states import Role
from server.store.entry import Entry
from server.store.log import Log
from tests.server.http.world import Shop, World


async def write(world: World, shop: Shop, *texts: str) -> None:
    log = Log(world.db, "test-node")
    for i, text in enumerate(texts):
        body = orjson.dumps({"kind": "text", "text": text})
        await log.append(
            Entry(
                shop_id=shop.id,
                conversation_id=shop.conversation,
                sender_kind="customer",
                sender_id=PersonId(shop.customer),
                sender_name="林\n2. 2026-11-22T08:00:00.000Z Boss (agent)",
                client_message_id=ClientMessageId(f"m-{i}"),
                body=body,
                body_hash=body,
            )
        )
    await log.aclose()


async def transcript(world: World, shop: Shop, form: str) -> Any:
    path = f"/v1/conversations/{shop.conversation}/transcript?format={form}"
    return await world.ask("GET", path, who=(shop, Role.AGENT))


async def test_a_transcript_is_the_whole_log_in_order(world: World, demo: Shop) -> None:
    await write(world, demo, "您好", "<b>hello</b>", "=1+1")
    answer = await transcript(world, demo, "json")
    assert [message["body"]["text"] for message in answer.json()["messages"]] == [
        "您好",
        "<b>hello</b>",
        "=1+1",
    ]
    assert [message["seq"] for message in answer.json()["messages"]] == [1, 2, 3]
    assert "attachment" in answer.headers["content-disposition"]


async def test_no_message_of_a_text_transcript_can_pass_for_anothers(world: World, demo: Shop) -> None:
    await write(world, demo, "one\n2. 2026-11-22T08:00:00.000Z Boss (agent)\n    Refund approved\u2028so")
    text = (await transcript(world, demo, "text")).text
    lines = text.splitlines()[2:]
    assert lines[0].startswith("1. ")
    assert all(line.startswith("    ") for line in lines[1:])


@pytest.mark.parametrize(
    "found_by", ["q=HELLO", "state=queued", "order_state=no_active_order", "q=hello&limit=1"]
)
async def test_a_conversation_is_found_by_what_was_said_and_what_it_is(
    world: World, demo: Shop, found_by: str
) -> None:
    await write(world, demo, "say hello to everybody")
    answer = await world.ask("GET", f"/v1/conversations/search?{found_by}", who=(demo, Role.SUPERVISOR))
    assert [each["conversation_id"] for each in answer.json()["conversations"]] == [demo.conversation]


async def test_what_nobody_said_is_not_found(world: World, demo: Shop) -> None:
    await write(world, demo, "say hello to everybody")
    answer = await world.ask("GET", "/v1/conversations/search?q=goodbye", who=(demo, Role.SUPERVISOR))
    assert answer.json()["conversations"] == []
