"""The log when PostgreSQL is cut off, restarted, or frozen (faults 8, 9, 10)."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.embedded.postgres_process import PostgresProcess
from server.store.database import Database
from server.store.log import Appended, Log
from server.store.migrate import migrate
from tests.server.store.tcp_proxy import TcpProxy
from tests.server.store.world import World

DEADLINE_S = 1.0
SLACK_S = 0.5
"""For a loaded machine, on top of a deadline."""


@pytest.fixture
async def proxy(migrated_database_url: str) -> AsyncIterator[TcpProxy]:
    proxy = TcpProxy(migrated_database_url)
    await proxy.start()
    yield proxy
    await proxy.aclose()


@pytest.mark.req("PF-05", "I1")
async def test_when_the_answer_to_a_commit_is_lost_the_resend_is_a_duplicate(
    db: Database, proxy: TcpProxy
) -> None:
    world = await World.make(db)
    behind = Database(proxy.url)
    log = Log(behind, "node-1")
    await log.append(world.entry("warm"))

    proxy.drop_next_answer()
    with pytest.raises(RequestError) as unknown:
        await log.append(world.entry("hello", once="m-1"))
    assert (unknown.value.code, unknown.value.retryable) == (ErrorCode.COMMIT_UNKNOWN, True)
    assert proxy.answers_dropped == 1

    again = await log.append(world.entry("hello", once="m-1"))
    assert (again.seq, again.duplicate) == (2, True)
    assert await world.seqs(world.talk) == [(1, 1), (2, 2)]
    await log.aclose()


@pytest.fixture
async def own_world(own_postgres: PostgresProcess) -> AsyncIterator[World]:
    """A world in a PostgreSQL that the test may hurt."""
    await migrate(own_postgres.url)
    database = Database(own_postgres.url, deadline_s=DEADLINE_S)
    await database.open()
    yield await World.make(database)
    await database.aclose()


async def timed(log: Log, world: World, name: str) -> tuple[float, Appended | RequestError]:
    started = time.monotonic()
    try:
        answer: Appended | RequestError = await log.append(world.entry(name, once=name))
    except RequestError as error:
        answer = error
    return time.monotonic() - started, answer


async def until_stored(log: Log, world: World, name: str) -> Appended:
    """Send until it is acknowledged, as a client does."""
    while True:
        _, answer = await timed(log, world, name)
        if isinstance(answer, Appended):
            return answer
        assert answer.retryable
        await asyncio.sleep(0.02)


@pytest.mark.req("I1", "I2")
async def test_a_server_killed_and_restarted_under_load_loses_and_doubles_nothing(
    own_postgres: PostgresProcess, own_world: World
) -> None:
    world = own_world
    log = Log(world.db, "node-1", deadline_s=DEADLINE_S)
    stop = asyncio.Event()
    stored: dict[str, Appended] = {}

    async def sender(number: int) -> None:
        turn = 0
        while not stop.is_set():
            name = f"{number}/{turn}"
            stored[name] = await until_stored(log, world, name)
            turn += 1

    senders = [asyncio.create_task(sender(number)) for number in range(16)]
    await stored_more(stored, 50)
    await own_postgres.kill()
    await own_postgres.restart()
    await stored_more(stored, 50)
    stop.set()
    await asyncio.gather(*senders)
    await log.aclose()

    rows = await world.db.fetch(
        "SELECT seq, client_message_id FROM messages WHERE conversation_id = $1", world.talk
    )
    assert {row["client_message_id"]: row["seq"] for row in rows} == {
        name: a.seq for name, a in stored.items()
    }
    assert sorted(row["seq"] for row in rows) == list(range(1, len(stored) + 1))


async def stored_more(stored: dict[str, Appended], count: int) -> None:
    goal = len(stored) + count
    while len(stored) < goal:
        await asyncio.sleep(0.005)


async def test_a_frozen_server_is_answered_for_within_the_deadline(
    own_postgres: PostgresProcess, own_world: World
) -> None:
    world = own_world
    log = Log(world.db, "node-1", deadline_s=DEADLINE_S)
    await log.append(world.entry("warm"))
    own_postgres.freeze()
    try:
        first = [asyncio.create_task(timed(log, world, f"under way {n}")) for n in range(5)]
        await asyncio.sleep(0.1)
        later = [asyncio.create_task(timed(log, world, f"waiting {n}")) for n in range(5)]
        sent = [await each for each in first]
        waited = [await each for each in later]
        reads = [asyncio.create_task(read(world)) for _ in range(30)]
        read_times = [await each for each in reads]
    finally:
        own_postgres.thaw()
    assert [answer.code for _, answer in sent if isinstance(answer, RequestError)] == [
        ErrorCode.COMMIT_UNKNOWN
    ] * 5
    assert [answer.code for _, answer in waited if isinstance(answer, RequestError)] == [
        ErrorCode.UNAVAILABLE
    ] * 5
    assert max(took for took, _ in [*sent, *waited]) < DEADLINE_S + SLACK_S
    assert max(read_times) < DEADLINE_S + SLACK_S

    for name in ("under way 0", "waiting 0", "after"):
        await until_stored(log, world, name)
    stored = await world.seqs(world.talk)
    assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
    await until_read(world)
    await log.aclose()


async def read(world: World) -> float:
    started = time.monotonic()
    with pytest.raises(RequestError) as refused:
        await world.now()
    assert refused.value.code is ErrorCode.UNAVAILABLE
    return time.monotonic() - started


async def until_read(world: World) -> None:
    """The pool has recovered: more reads at once than it has connections succeed."""
    while True:
        answers = await asyncio.gather(*(world.now() for _ in range(30)), return_exceptions=True)
        if not any(isinstance(answer, BaseException) for answer in answers):
            return
        assert all(
            isinstance(answer, RequestError) for answer in answers if isinstance(answer, BaseException)
        )


async def test_a_server_that_is_down_is_answered_for_and_found_again(
    own_postgres: PostgresProcess, own_world: World
) -> None:
    world = own_world
    log = Log(world.db, "node-1", deadline_s=DEADLINE_S)
    await log.append(world.entry("warm"))
    await own_postgres.kill()
    # The first may find the connection only just dead; nothing is sent afterwards.
    await timed(log, world, "finds out")
    took, answer = await timed(log, world, "down")
    assert isinstance(answer, RequestError)
    assert (answer.code, answer.reason) == (ErrorCode.UNAVAILABLE, "database_down")
    assert took < DEADLINE_S + SLACK_S
    with pytest.raises(RequestError) as refused:
        await world.db.ping()
    assert (refused.value.code, refused.value.reason) == (ErrorCode.UNAVAILABLE, "database_down")
    await own_postgres.restart()
    assert (await until_stored(log, world, "up again")).duplicate is False
    await until_read(world)
    await log.aclose()


async def test_a_row_locked_by_somebody_else_is_waited_for_no_longer_than_the_deadline(
    own_world: World,
) -> None:
    world = own_world
    log = Log(world.db, "node-1", deadline_s=DEADLINE_S)
    async with world.db.transaction() as other:
        await other.fetch("SELECT FROM conversations WHERE id = $1 FOR UPDATE", world.talk)
        took, answer = await timed(log, world, "blocked")
    assert isinstance(answer, RequestError)
    assert (answer.code, answer.reason) == (ErrorCode.UNAVAILABLE, "database_slow")
    assert took < DEADLINE_S + SLACK_S
    assert (await until_stored(log, world, "blocked")).duplicate is False
    await log.aclose()
