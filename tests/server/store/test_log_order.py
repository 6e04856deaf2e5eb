"""What the log promises about order: I1 and I2."""

import asyncio
import random

import pytest

from protocol.ids import ConversationId
from server.store.conversations import Conversations
from server.store.log import Appended, Log
from tests.server.store.conftest import MakeLog
from tests.server.store.world import World

pytestmark = pytest.mark.req("I1", "I2")


async def test_three_nodes_and_64_senders_leave_no_holes(world: World, make_log: MakeLog) -> None:
    logs = [make_log(f"node-{n}", batch_max=16) for n in range(3)]
    customers = [await world.customer() for _ in range(5)]
    talks = {customer: (await world.open(customer)).id for customer in customers}
    dice = random.Random(7)
    acknowledged: dict[ConversationId, list[Appended]] = {talk: [] for talk in talks.values()}

    async def sender(number: int) -> None:
        for turn in range(12):
            customer = customers[(number + turn) % len(customers)]
            internal = dice.random() < 0.3
            entry = world.entry(
                f"{number}/{turn}",
                by=world.ann if internal else customer,
                to=talks[customer],
                visibility="internal" if internal else "public",
                must_own=False,
            )
            acknowledged[talks[customer]].append(await dice.choice(logs).append(entry))

    await asyncio.gather(*(sender(number) for number in range(64)))

    for talk, answers in acknowledged.items():
        stored = await world.seqs(talk)
        assert [seq for seq, _ in stored] == list(range(1, len(answers) + 1))
        assert sorted((a.seq, a.customer_seq) for a in answers) == sorted(stored)
        public = [customer_seq for _, customer_seq in stored if customer_seq is not None]
        assert public == list(range(1, len(public) + 1))
        assert len(public) < len(stored), "some entries were internal"
        row = await Conversations(world.db).get(world.shop, talk)
        assert (row.head_seq, row.customer_head_seq) == (len(stored), len(public))


async def test_one_sender_s_messages_keep_their_order_even_when_all_are_under_way(
    world: World, log: Log
) -> None:
    answers = await asyncio.gather(*(log.append(world.entry(str(n))) for n in range(300)))
    assert [answer.seq for answer in answers] == list(range(1, 301))


async def test_with_two_connections_a_conversation_still_keeps_its_order(
    world: World, make_log: MakeLog
) -> None:
    log = make_log(writers=2)
    other = await world.customer()
    elsewhere = (await world.open(other)).id
    answers = await asyncio.gather(
        *(log.append(world.entry(str(n))) for n in range(200)),
        *(log.append(world.entry(str(n), by=other, to=elsewhere)) for n in range(200)),
    )
    assert [answer.seq for answer in answers] == [*range(1, 201), *range(1, 201)]


async def test_times_never_run_backwards_along_a_log(world: World, make_log: MakeLog) -> None:
    logs = [make_log("a"), make_log("b")]
    answers = await asyncio.gather(*(logs[n % 2].append(world.entry(str(n))) for n in range(100)))
    in_order = sorted(answers, key=lambda answer: answer.seq)
    assert [a.created_ms for a in in_order] == sorted(a.created_ms for a in in_order)


async def test_the_answer_carries_the_conversation_as_the_commit_left_it(world: World, log: Log) -> None:
    answer = await log.append(world.entry("first"))
    assert answer.conversation == await world.now()
    assert answer.conversation.waiting_since_ms == answer.created_ms
    assert (answer.seq, answer.customer_seq, answer.duplicate) == (1, 1, False)


async def test_many_conversations_fit_into_one_batch(world: World, log: Log) -> None:
    customers = [await world.customer() for _ in range(40)]
    talks = [(await world.open(customer)).id for customer in customers]
    answers = await asyncio.gather(
        *(
            log.append(world.entry("x", by=customer, to=talk))
            for customer, talk in zip(customers, talks, strict=True)
        )
    )
    assert [answer.conversation.id for answer in answers] == talks
    assert {answer.seq for answer in answers} == {1}
