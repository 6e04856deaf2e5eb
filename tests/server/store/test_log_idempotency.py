"""The same message sent again: one row, one seq (fault 16)."""

import asyncio

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.store.log import Log
from tests.server.store.conftest import MakeLog
from tests.server.store.world import World

pytestmark = pytest.mark.req("PF-05", "I1")


async def test_ten_times_in_parallel_on_two_nodes_is_one_row(world: World, make_log: MakeLog) -> None:
    logs = [make_log("a"), make_log("b")]
    entry = world.entry("once", once="m-1")
    answers = await asyncio.gather(*(logs[n % 2].append(entry) for n in range(10)))
    assert {(a.seq, a.message_id, a.created_ms) for a in answers} == {
        (1, answers[0].message_id, answers[0].created_ms)
    }
    assert sorted(a.duplicate for a in answers) == [False] + [True] * 9
    assert await world.seqs(world.talk) == [(1, 1)]


async def test_another_body_under_the_same_id_is_a_conflict(world: World, log: Log) -> None:
    await log.append(world.entry("one thing", once="m-1"))
    with pytest.raises(RequestError) as refused:
        await log.append(world.entry("another", once="m-1"))
    assert refused.value.code is ErrorCode.IDEMPOTENCY_CONFLICT
    assert await world.seqs(world.talk) == [(1, 1)]


async def test_the_conflict_is_found_inside_one_batch_too(world: World, log: Log) -> None:
    first, second = await asyncio.gather(
        log.append(world.entry("one thing", once="m-1")),
        log.append(world.entry("another", once="m-1")),
        return_exceptions=True,
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, RequestError)
    assert second.code is ErrorCode.IDEMPOTENCY_CONFLICT


async def test_two_senders_may_use_the_same_id(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    customer, agent = await asyncio.gather(
        log.append(world.entry("x", once="m-1")), log.append(world.entry("x", by=world.ann, once="m-1"))
    )
    assert (customer.duplicate, agent.duplicate) == (False, False)
    assert customer.seq != agent.seq


async def test_a_former_owner_s_retry_still_gives_the_first_result(world: World, log: Log) -> None:
    await world.assign(log, world.ann)
    first = await log.append(world.entry("mine", by=world.ann, once="m-1"))
    await world.assign(log, world.bob, rev=2)
    again = await log.append(world.entry("mine", by=world.ann, once="m-1"))
    assert (again.seq, again.duplicate) == (first.seq, True)
    assert again.conversation.owner_id == world.bob


async def test_a_retry_after_the_conversation_closed_still_gives_the_first_result(
    world: World, log: Log
) -> None:
    first = await log.append(world.entry("bye", once="m-1"))
    await world.close(log)
    again = await log.append(world.entry("bye", once="m-1"))
    assert (again.seq, again.duplicate) == (first.seq, True)
