"""A customer leaves the queue in the moment in which they are given an agent: it stays with the agent (KS-14)."""

from typing import Any

import pytest

from tests.scenarios.house import House, until


@pytest.mark.req("KS-14", "KS-21")
async def test_what_was_given_out_in_between_is_not_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann", status="paused")
    cara = await shop.customer("Cara")
    talk = await cara.opens()
    seeing = cara.node.app.seeing
    look = seeing.conversation

    async def looks_and_then_somebody_is_faster(*args: Any) -> Any:
        row = await look(*args)
        monkeypatch.undo()
        await ann.asks("conversation.pull", conversation_id=talk)
        return row

    monkeypatch.setattr(seeing, "conversation", looks_and_then_somebody_is_faster)
    refused = await cara.refused("conversation.leave_queue", conversation_id=talk)
    assert refused.reason == "not_waiting"
    await cara.sees(talk, owner=ann.id)
    await ann.says(talk, "here I am")
    await cara.reads(talk, "here I am")
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}


@pytest.mark.req("KS-14")
async def test_who_waits_still_leaves(house: House) -> None:
    shop = await house.shop()
    cara = await shop.customer("Cara")
    talk = await cara.opens()
    closed = (await cara.asks("conversation.leave_queue", conversation_id=talk)).conversation
    assert closed.state == "closed"

    async def empty() -> bool:
        return await shop.app.live.engine(shop.id).pools() == ()

    await until(empty, what="an empty queue")
