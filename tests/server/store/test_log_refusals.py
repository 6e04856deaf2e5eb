"""Who may not write what, and that a refusal harms nobody else in its batch."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ConversationId, new_id
from router.model import Change
from server.store.log import Appended, Entry, Log
from tests.server.store.conftest import MakeLog
from tests.server.store.world import World


async def refusal(log: Log, entry: Entry) -> tuple[ErrorCode, str]:
    with pytest.raises(RequestError) as refused:
        await log.append(entry)
    return refused.value.code, refused.value.reason


NOT_FOUND = (ErrorCode.NOT_FOUND, "conversation_not_found")


@pytest.mark.req("I5")
async def test_another_shop_s_conversation_does_not_exist(world: World, log: Log) -> None:
    elsewhere = await World.make(world.db)
    assert await refusal(log, world.entry(shop=elsewhere.shop)) == NOT_FOUND
    assert await refusal(log, world.entry(by=elsewhere.cara)) == NOT_FOUND
    assert await world.seqs(world.talk) == []


@pytest.mark.parametrize(
    "made_up", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE messages"]
)
async def test_made_up_ids_do_not_exist(world: World, log: Log, made_up: str) -> None:
    entry = world.entry()
    assert await refusal(log, replace(entry, conversation_id=ConversationId(made_up))) == NOT_FOUND


async def test_another_customer_s_conversation_does_not_exist(world: World, log: Log) -> None:
    assert await refusal(log, world.entry(by=await world.customer())) == NOT_FOUND


async def test_an_agent_who_never_had_it_does_not_find_it(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    assert await refusal(log, world.entry(by=world.bob)) == NOT_FOUND


@pytest.mark.req("I3")
async def test_a_former_owner_s_assignment_is_stale(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    await world.assign(log, world.bob, rev=2)
    assert await refusal(log, world.entry(by=world.ann)) == (ErrorCode.STALE_ASSIGNMENT, "stale_assignment")
    assert (await log.append(world.entry(by=world.bob))).seq == 3


@pytest.mark.req("I3")
async def test_a_stale_refusal_says_whose_it_is_now(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    await world.assign(log, world.bob, rev=2)
    for entry in (world.entry(by=world.ann), world.entry(by=world.ann, expected_epoch=1)):
        with pytest.raises(RequestError) as refused:
            await log.append(entry)
        assert refused.value.detail == {"assign_epoch": 2, "owner_id": world.bob}


@pytest.mark.req("I3")
async def test_an_old_epoch_is_stale_even_for_the_owner(world: World, log: Log) -> None:
    await world.assign(log, world.ann, rev=1)
    await world.assign(log, world.ann, rev=5)
    entry = world.entry(by=world.ann, expected_epoch=1)
    assert await refusal(log, entry) == (ErrorCode.STALE_ASSIGNMENT, "stale_assignment")
    assert (await log.append(world.entry(by=world.ann, expected_epoch=5))).seq == 3


async def test_a_closed_conversation_takes_nothing_from_people(world: World, log: Log) -> None:
    await world.close(log)
    assert await refusal(log, world.entry()) == (ErrorCode.INVALID_STATE, "conversation_closed")


@pytest.mark.req("KS-20")
async def test_in_wrap_up_the_customer_may_write_and_the_agent_only_a_note(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    await log.append(
        world.decided(world.decision(2, Change.ENDED, world.ann, wrap_up_until_ms=1_800_000_000_000))
    )
    refused = await refusal(log, world.entry(by=world.ann))
    assert refused == (ErrorCode.INVALID_STATE, "conversation_ended")
    note = await log.append(world.entry("a note", by=world.ann, visibility="internal"))
    assert note.customer_seq is None
    assert (await log.append(world.entry("one more thing"))).conversation.state == "wrap_up"


@pytest.mark.req("CO-12")
async def test_with_a_right_of_another_kind_one_need_not_own_it(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    whisper = await log.append(world.entry("psst", by=world.bob, visibility="internal", must_own=False))
    assert (whisper.customer_seq, whisper.conversation.owner_id) == (None, world.ann)


async def test_refusals_of_every_kind_do_not_harm_their_batch(world: World, make_log: MakeLog) -> None:
    log = make_log()
    await world.assign(log, world.ann)
    await log.append(world.entry("taken", once="m-1"))
    bad = [
        world.entry(by=world.bob),
        world.entry("other", once="m-1"),
        world.entry(by=world.ann, expected_epoch=99),
        world.entry(to=ConversationId(new_id())),
        world.entry(name="nul\0"),
        world.entry(body=b'{"kind": "text", "text": "\\u0000"}'),
        world.entry(body=b"not json"),
        world.entry(name="\ud800"),
    ]
    good = [world.entry(f"good {n}") for n in range(8)]
    mixed = [entry for pair in zip(bad, good, strict=True) for entry in pair]
    answers = await asyncio.gather(*(log.append(entry) for entry in mixed), return_exceptions=True)
    assert [a.seq for a in answers[1::2] if isinstance(a, Appended)] == list(range(3, 11))
    assert all(isinstance(answer, Exception) for answer in answers[::2])
    codes = [answer.code if isinstance(answer, RequestError) else None for answer in answers[::2]]
    assert codes[:6] == [
        ErrorCode.NOT_FOUND,
        ErrorCode.IDEMPOTENCY_CONFLICT,
        ErrorCode.STALE_ASSIGNMENT,
        ErrorCode.NOT_FOUND,
        ErrorCode.INVALID_PARAMS,
        ErrorCode.INVALID_PARAMS,
    ]
    assert [seq for seq, _ in await world.seqs(world.talk)] == list(range(1, 11))


@pytest.mark.parametrize(
    "poison",
    [
        {"name": "nul\0"},
        {"body": b'{"kind": "text", "text": "\\u0000"}'},
        {"body": b"not json"},
        {"name": "\ud800"},
    ],
    ids=["nul in a name", "nul in a body", "no json", "half a surrogate"],
)
async def test_what_postgresql_cannot_take_harms_nobody_else(
    world: World, log: Log, poison: dict[str, Any]
) -> None:
    first, bad, last = await asyncio.gather(
        log.append(world.entry("first")),
        log.append(world.entry(**poison)),
        log.append(world.entry("last")),
        return_exceptions=True,
    )
    assert isinstance(first, Appended)
    assert isinstance(last, Appended)
    assert isinstance(bad, Exception)
    assert (first.seq, last.seq) == (1, 2)


async def test_a_full_backlog_refuses_at_once(world: World, make_log: MakeLog) -> None:
    log = make_log(backlog_max=5)
    answers = await asyncio.gather(
        *(log.append(world.entry(str(n))) for n in range(8)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, RequestError)]
    assert [(r.code, r.reason) for r in refused] == [(ErrorCode.UNAVAILABLE, "backlog_full")] * 3
    assert refused[0].retry_after_ms
    assert [answer.seq for answer in answers[:5] if isinstance(answer, Appended)] == [1, 2, 3, 4, 5]


async def test_closing_writes_what_waits_and_refuses_what_comes(world: World, make_log: MakeLog) -> None:
    log = make_log()
    under_way = [asyncio.ensure_future(log.append(world.entry(str(n)))) for n in range(3)]
    await asyncio.sleep(0)
    await log.aclose()
    assert [(await each).seq for each in under_way] == [1, 2, 3]
    assert await refusal(log, world.entry()) == (ErrorCode.UNAVAILABLE, "shutting_down")


async def test_an_entry_whose_sender_has_gone_before_it_was_sent_is_not_written(
    world: World, make_log: MakeLog
) -> None:
    log = make_log()
    gone = asyncio.ensure_future(log.append(world.entry("gone")))
    stays = asyncio.ensure_future(log.append(world.entry("stays")))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).seq == 1
    assert len(await world.seqs(world.talk)) == 1
