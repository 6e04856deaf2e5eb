"""The lists of the workbench, page by page, and search."""

from collections.abc import Awaitable, Callable

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ConversationId, PersonId
from protocol.states import Life
from router.model import NORMAL, PRIORITY, Change
from server.store.database import Database
from server.store.finding import Finding, Wanted
from server.store.lists import Lists
from server.store.log import Log
from server.store.rows import ConversationView, Page
from server.store.within import Within
from tests.server.store.world import World

Ask = Callable[[str | None], Awaitable[Page[ConversationView]]]


@pytest.fixture
def lists(db: Database) -> Lists:
    return Lists(db)


async def pages(ask: Ask) -> list[list[ConversationId]]:
    found: list[list[ConversationId]] = []
    cursor: str | None = None
    while True:
        page = await ask(cursor)
        found.append([view.conversation.id for view in page.rows])
        cursor = page.cursor
        if cursor is None:
            return found


async def talks(world: World, count: int) -> list[ConversationId]:
    return [(await world.open(await world.customer())).id for _ in range(count)]


async def test_mine_is_what_i_hold_with_what_a_list_shows(world: World, log: Log, lists: Lists) -> None:
    await world.assign(log, world.ann)
    await log.append(world.entry("the last line"))
    (view,) = await lists.mine(world.shop, world.ann)
    assert (view.conversation.id, view.customer.id, view.owner_name) == (world.talk, world.cara, "ann")
    assert view.last_message is not None
    assert view.last_message.body == {"kind": "text", "text": "the last line"}
    assert await lists.mine(world.shop, world.bob) == ()


@pytest.mark.req("KS-15", "I8")
async def test_the_queue_is_in_queue_order(world: World, log: Log, lists: Lists) -> None:
    order = await talks(world, 5)
    facts = [(NORMAL, 500), (NORMAL, 300), (PRIORITY, 900), (NORMAL, 300), (PRIORITY, 800)]
    for conversation, (priority, arrived) in zip(order, facts, strict=True):
        decision = world.decision(
            1, Change.QUEUED, conversation=conversation, pool="default", priority=priority, arrived_ms=arrived
        )
        await log.append(world.decided(decision))
    expected = [order[4], order[2], order[1], order[3], order[0]]
    found = await pages(lambda cursor: lists.queue(world.shop, pool="default", cursor=cursor, limit=2))
    assert found == [expected[:2], expected[2:4], expected[4:]]
    assert await pages(lambda cursor: lists.queue(world.shop, pool="other", cursor=cursor)) == [[]]


async def test_recent_is_what_i_closed_the_latest_first(world: World, log: Log, lists: Lists) -> None:
    order = await talks(world, 3)
    for n, conversation in enumerate(order):
        await world.assign(log, world.ann, conversation=conversation)
        closed = world.decision(2, Change.CLOSED, conversation=conversation, at_ms=1_795_000_000_000 + n)
        await log.append(world.decided(closed))
    found = await pages(lambda cursor: lists.recent(world.shop, world.ann, cursor=cursor, limit=2))
    assert found == [[order[2], order[1]], [order[0]]]


@pytest.mark.req("GP-02")
async def test_all_can_be_narrowed_to_what_somebody_may_see_and_to_states(
    world: World, log: Log, lists: Lists
) -> None:
    mine, theirs, waits = await talks(world, 3)
    await world.assign(log, world.ann, conversation=mine)
    await world.assign(log, world.bob, conversation=theirs)
    ask = lists.all
    assert await pages(lambda cursor: ask(world.shop, cursor=cursor, limit=3)) == [
        [waits, theirs, mine],
        [world.talk],
    ]
    ann = PersonId(world.ann)
    waiting = Within(ann, frozenset({world.ann}), frozenset(), frozenset({"default"}))
    assert [view.conversation.id for view in (await ask(world.shop, within=waiting)).rows] == [
        waits,
        mine,
        world.talk,
    ]
    own = Within(ann, frozenset({world.ann}), frozenset(), frozenset())
    assert [view.conversation.id for view in (await ask(world.shop, within=own)).rows] == [mine]
    active = await ask(world.shop, states=(Life.ACTIVE,))
    assert [view.conversation.id for view in active.rows] == [theirs, mine]


async def test_a_customer_sees_their_own_last_line(world: World, log: Log, lists: Lists) -> None:
    await log.append(world.entry("mine"))
    await log.append(world.entry("a note", by=world.ann, visibility="internal", must_own=False))
    for for_customer, words in ((True, "mine"), (False, "a note")):
        page = await lists.of_customer(world.shop, world.cara, for_customer=for_customer)
        last = page.rows[0].last_message
        assert last is not None
        assert last.body == {"kind": "text", "text": words}


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "bm90IGpzb24", "W251bGxd", "eyJhIjoxfQ"])
async def test_a_forged_cursor_is_refused(world: World, lists: Lists, cursor: str) -> None:
    with pytest.raises(RequestError) as refused:
        await lists.queue(world.shop, cursor=cursor)
    assert (refused.value.code, refused.value.reason) == (ErrorCode.INVALID_PARAMS, "bad_cursor")


async def test_search_finds_conversations_by_words_the_newest_first_page_by_page(
    world: World, log: Log, db: Database
) -> None:
    finding = Finding(db)
    for words in ("Where is my PARCEL?", "parcel 100%", "包裹在哪里"):
        await log.append(world.entry(words))

    async def found(wanted: Wanted) -> list[str]:
        ids: list[str] = []
        cursor: str | None = None
        while True:
            page = await finding.conversations(world.shop, wanted, cursor=cursor, limit=1)
            ids += [view.conversation.id for view in page.rows]
            cursor = page.cursor
            if cursor is None:
                return ids

    assert await found(Wanted(text="parcel")) == [world.talk]
    assert await found(Wanted(text="包")) == [world.talk]
    assert await found(Wanted(text="100%")) == [world.talk]
    assert await found(Wanted(text="_")) == []
    assert await found(Wanted(customer=world.cara)) == [world.talk]
    assert await found(Wanted(customer=await world.customer())) == []
    assert await found(Wanted(state=Life.CLOSED)) == []


@pytest.mark.req("I5")
async def test_search_stays_in_the_shop(world: World, log: Log, db: Database) -> None:
    await log.append(world.entry("secret"))
    other = await World.make(db)
    assert (await Finding(db).conversations(other.shop, Wanted(text="secret"))).rows == ()
