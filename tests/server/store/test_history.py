"""Reading logs: stretches, what was missed, recall, redelivery."""

import asyncio

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ConversationId, MessageId, PersonId, new_id
from server.store.database import Database
from server.store.history import History
from server.store.log import Appended, Log
from server.store.rows import MessageRow
from tests.server.store.conftest import MakeLog
from tests.server.store.world import World


@pytest.fixture
def history(db: Database) -> History:
    return History(db)


async def talk(world: World, log: Log, script: str) -> list[Appended]:
    """One entry per letter: c is the customer's, n a note of ann's."""
    return [
        await log.append(
            world.entry(f"{letter}{n}")
            if letter == "c"
            else world.entry(f"{letter}{n}", by=world.ann, visibility="internal", must_own=False)
        )
        for n, letter in enumerate(script, start=1)
    ]


def said(messages: tuple[MessageRow, ...]) -> list[str]:
    return [message.body["text"] if message.body else "-" for message in messages]


async def test_pages_go_both_ways_and_say_whether_there_is_more(
    world: World, log: Log, history: History
) -> None:
    await talk(world, log, "c" * 7)
    ask = history.stretch
    last = await ask(world.shop, world.talk, limit=3)
    assert (said(last.messages), last.more, last.head_seq) == (["c5", "c6", "c7"], True, 7)
    before = await ask(world.shop, world.talk, before_seq=5, limit=4)
    assert (said(before.messages), before.more) == (["c1", "c2", "c3", "c4"], False)
    after = await ask(world.shop, world.talk, after_seq=2, limit=3)
    assert (said(after.messages), after.more) == (["c3", "c4", "c5"], True)
    end = await ask(world.shop, world.talk, after_seq=7)
    assert (end.messages, end.more, end.head_seq) == ((), False, 7)


async def test_an_empty_log_is_an_empty_stretch(world: World, history: History) -> None:
    empty = await history.stretch(world.shop, world.talk)
    assert (empty.messages, empty.more, empty.head_seq) == ((), False, 0)


@pytest.mark.req("CO-05", "I2")
async def test_a_customer_pages_in_their_own_numbering(world: World, log: Log, history: History) -> None:
    await talk(world, log, "cnncncnnc")  # customer's: 1, 4, 6, 9
    every = await history.stretch(world.shop, world.talk, for_customer=world.cara)
    assert [(m.customer_seq, m.seq) for m in every.messages] == [(1, 1), (2, 4), (3, 6), (4, 9)]
    assert every.head_seq == 4
    after = await history.stretch(world.shop, world.talk, after_seq=2, limit=1, for_customer=world.cara)
    assert (said(after.messages), after.more) == (["c6"], True)
    before = await history.stretch(world.shop, world.talk, before_seq=3, limit=1, for_customer=world.cara)
    assert (said(before.messages), before.more) == (["c4"], True)


@pytest.mark.req("I5")
async def test_nobody_else_s_log_is_found(world: World, history: History) -> None:
    other = await World.make(world.db)
    for shop, customer in (
        (other.shop, None),
        (world.shop, await world.customer()),
        (world.shop, other.cara),
    ):
        with pytest.raises(RequestError) as refused:
            await history.stretch(shop, world.talk, for_customer=customer)
        assert refused.value.code is ErrorCode.NOT_FOUND


async def test_what_was_missed_comes_whole_or_as_a_reset(world: World, log: Log, history: History) -> None:
    second = await world.customer()
    long, gone = (await world.open(second)).id, ConversationId(new_id())
    await talk(world, log, "cncn")
    for n in range(6):
        await log.append(world.entry(str(n), by=second, to=long))
    elsewhere = await World.make(world.db)
    cursors = {world.talk: 1, long: 0, gone: 0, elsewhere.talk: 0}

    missed = await history.missed(world.shop, cursors, limit=5)

    assert set(missed) == {world.talk, long}
    assert (said(missed[world.talk].messages), missed[world.talk].reset) == (["n2", "c3", "n4"], False)
    assert (missed[long].messages, missed[long].reset, missed[long].head_seq) == ((), True, 6)


async def test_nothing_missed_is_not_a_reset_and_a_cursor_beyond_the_log_is(
    world: World, log: Log, history: History
) -> None:
    await talk(world, log, "cc")
    assert (await history.missed(world.shop, {world.talk: 2}))[world.talk].reset is False
    assert (await history.missed(world.shop, {world.talk: 3}))[world.talk].reset is True


async def test_a_customer_misses_only_what_is_theirs(world: World, log: Log, history: History) -> None:
    await talk(world, log, "cnnc")
    missed = await history.missed(world.shop, {world.talk: 1}, for_customer=world.cara)
    assert [(m.customer_seq, m.seq) for m in missed[world.talk].messages] == [(2, 4)]
    assert missed[world.talk].head_seq == 2
    stranger = await world.customer()
    assert await history.missed(world.shop, {world.talk: 0}, for_customer=stranger) == {}


async def test_a_recalled_message_keeps_its_place_and_loses_its_body(
    world: World, log: Log, history: History
) -> None:
    _, second, _ = await talk(world, log, "ccc")
    before = await world.now()
    done = await history.recall(
        world.shop, world.talk, second.message_id, by=PersonId(world.cara), within_ms=60_000
    )
    assert (done.message.seq, done.message.body, done.message.rev, done.already) == (2, None, 1, False)
    assert done.message.recalled_ms is not None
    assert done.conversation.rev == before.rev + 1
    assert said((await history.stretch(world.shop, world.talk)).messages) == ["c1", "-", "c3"]
    again = await history.recall(
        world.shop, world.talk, second.message_id, by=PersonId(world.cara), within_ms=60_000
    )
    assert (again.already, again.message) == (True, done.message)
    assert again.conversation.rev == done.conversation.rev


@pytest.mark.parametrize(
    ("who", "within_ms", "code"),
    [("ann", 60_000, ErrorCode.FORBIDDEN), ("cara", 0, ErrorCode.INVALID_STATE)],
    ids=["somebody else's", "too old"],
)
async def test_recall_is_refused(
    world: World, log: Log, history: History, who: str, within_ms: int, code: ErrorCode
) -> None:
    (only,) = await talk(world, log, "c")
    await asyncio.sleep(0.005)
    with pytest.raises(RequestError) as refused:
        await history.recall(
            world.shop, world.talk, only.message_id, by=getattr(world, who), within_ms=within_ms
        )
    assert refused.value.code is code
    assert said((await history.stretch(world.shop, world.talk)).messages) == ["c1"]


async def test_a_message_that_is_not_there_cannot_be_recalled(
    world: World, log: Log, history: History
) -> None:
    (only,) = await talk(world, log, "c")
    other = await World.make(world.db)
    for shop, message in ((world.shop, MessageId(new_id())), (other.shop, only.message_id)):
        with pytest.raises(RequestError) as refused:
            await history.recall(shop, world.talk, message, by=None, within_ms=None)
        assert refused.value.code is ErrorCode.NOT_FOUND


async def test_what_a_node_wrote_lately_can_be_delivered_again(
    world: World, make_log: MakeLog, history: History
) -> None:
    mine, other = make_log("mine"), make_log("other")
    for n in range(4):
        await (mine if n % 2 else other).append(world.entry(str(n)))
    [written] = [part async for part in history.written_lately("mine", 60)]
    assert [(w.message.seq, w.conversation.head_seq) for w in written] == [(2, 4), (4, 4)]
    assert [part async for part in history.written_lately("mine", 0)] == []


async def test_what_a_busy_node_wrote_comes_some_entries_at_a_time(
    world: World, make_log: MakeLog, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.history.REDELIVERED_TOGETHER", 4)
    worlds, log = [world, *[await World.make(world.db) for _ in range(3)]], make_log("mine")
    for each, many in zip(worlds, (2, 2, 1, 5), strict=True):
        for n in range(many):
            await log.append(each.entry(str(n)))
    parts = [part async for part in history.written_lately("mine", 60)]
    logs = [
        [w.message.seq for w in part if w.conversation.id == each.talk]
        for part in parts
        for each in worlds
        if any(w.conversation.id == each.talk for w in part)
    ]
    assert sorted(logs) == [[1], [1, 2], [1, 2], [1, 2, 3, 4, 5]], "each log whole, in order, and once"
    assert all(len(part) <= 4 or len({w.conversation.id for w in part}) == 1 for part in parts)


async def test_a_node_with_a_new_incarnation_writes_under_its_new_name(
    world: World, make_log: MakeLog, history: History
) -> None:
    log = make_log("node.1")
    await log.append(world.entry("before"))
    log.rename("node.2")
    await log.append(world.entry("after"))
    [written] = [part async for part in history.written_lately("node.2", 60)]
    assert [w.message.seq for w in written] == [2]


async def test_a_transcript_is_the_whole_log_in_parts(
    world: World, log: Log, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.history.TRANSCRIPT_PART", 3)
    await talk(world, log, "cnccncc")
    parts = [said(part) async for part in history.transcript(world.shop, world.talk)]
    assert parts == [["c1", "n2", "c3"], ["c4", "n5", "c6"], ["c7"]]
    theirs = [
        said(part) async for part in history.transcript(world.shop, world.talk, for_customer=world.cara)
    ]
    assert theirs == [["c1", "c3", "c4"], ["c6", "c7"]]
