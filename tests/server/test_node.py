"""Leases, fencing, reaping: who is alive, by Redis time and nobody's wall clock (faults 2, 4, 6, 18)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from router.redis_link import RedisLink
from server.embedded.redis_process import RedisProcess
from server.node import NODES_KEY, Node, counter_key, lease_key, stream_key
from server.scripts import SCRIPTS

pytestmark = pytest.mark.req("PF-04")


async def until(holds: Callable[[], Any], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "did not come true in time"
        await asyncio.sleep(0.01)


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    link = RedisLink(redis_url, scripts=SCRIPTS)
    await link.open()
    yield link
    await link.close()


class Told:
    """What a node called back with."""

    def __init__(self) -> None:
        self.fenced: list[str] = []
        self.registered: list[str] = []

    async def on_fenced(self, name: str) -> None:
        self.fenced.append(name)

    async def on_registered(self, name: str) -> None:
        self.registered.append(name)


async def test_a_node_that_renews_outlives_its_lease(link: RedisLink) -> None:
    node = Node(link, "a", lease_s=0.5, renew_s=0.1)
    await node.start()
    name = node.name
    await asyncio.sleep(1.2)
    assert await node.dead_nodes() == ()
    assert (node.name, node.lapsed) == (name, False)
    await node.stop()


async def test_one_that_was_stopped_is_dead_to_others_and_fences_itself(link: RedisLink) -> None:
    """SIGSTOP as a node sees it: its loop does not run, while Redis goes on."""
    told, other = Told(), Node(link, "b", lease_s=5)
    node = Node(
        link, "a", lease_s=0.5, renew_s=0.2, on_fenced=told.on_fenced, on_registered=told.on_registered
    )
    await other.start()
    await node.start()
    old = node.name
    time.sleep(0.8)  # nothing of this process runs
    assert node.lapsed
    assert await other.dead_nodes() == (old,)
    await until(lambda: told.registered)
    assert told.fenced == [old]
    assert told.registered == [node.name] != [old]
    assert not node.lapsed
    assert await other.forget(old)
    assert await other.dead_nodes() == ()
    await node.stop()
    await other.stop()


async def test_a_renewal_answered_before_a_pause_does_not_count(link: RedisLink) -> None:
    """The answer lay in the kernel while the process was stopped: it is as old as the question."""
    now = [100.0]
    node = Node(link, "a", lease_s=7, clock=lambda: now[0])
    asked = asyncio.ensure_future(node.start())
    await asyncio.sleep(0)
    now[0] += 8
    await asked
    assert node.registered
    assert node.lapsed
    await node.stop()


async def test_a_lease_that_ran_out_is_never_renewed(link: RedisLink) -> None:
    told = Told()
    node = Node(link, "a", lease_s=30, renew_s=0.1, on_fenced=told.on_fenced)
    await node.start()
    old = node.name
    await link.call("DEL", lease_key(old))
    await until(lambda: told.fenced == [old] and node.registered)
    assert await link.call("EXISTS", lease_key(old)) == 0
    assert node.name.startswith("a:")
    await node.stop()


async def is_silent(asker: Node, name: str) -> float:
    """Seconds for which nobody has heard of it, as soon as it is found silent."""
    async with asyncio.timeout(8):
        while True:
            found = await asker.silent_nodes()
            if name in found:
                assert list(found) == [name]
                return found[name]
            await asyncio.sleep(0.02)


async def test_one_that_is_late_to_renew_is_silent_long_before_it_is_dead_and_once_per_silence(
    link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, node = (Node(link, name, lease_s=30, renew_s=0.4) for name in "ba")
    await other.start()
    await node.start()
    assert await other.silent_nodes() == {}

    monkeypatch.setattr(node, "_renew", _never)
    assert 0.6 < await is_silent(other, node.name) < 5
    assert await other.silent_nodes() == {}, "it was told"
    assert await other.dead_nodes() == ()

    monkeypatch.undo()
    heard = await link.call("HGET", NODES_KEY, node.name)
    async with asyncio.timeout(8):
        while await link.call("HGET", NODES_KEY, node.name) == heard:
            await asyncio.sleep(0.02)
    monkeypatch.setattr(node, "_renew", _never)
    assert await is_silent(other, node.name), "another silence"
    await node.stop()
    await other.stop()


async def _never() -> bool:
    return False


async def test_one_that_is_late_itself_or_was_just_now_finds_nobody_silent(link: RedisLink) -> None:
    """All are late when it is Redis that was away; when it is back, some renew before others."""
    now = [100.0]
    node = Node(link, "a", lease_s=30, renew_s=2, clock=lambda: now[0])
    other = Node(link, "b", lease_s=30, renew_s=14)
    await node.start()
    await other.start()
    await link.call("HSET", NODES_KEY, other.name, "0")  # nobody has heard of it for long
    now[0] += 3.1
    assert await node.silent_nodes() == {}, "late itself"
    await node._renew()
    assert await node.silent_nodes() == {}, "late just now"
    now[0] += 2
    assert list(await node.silent_nodes()) == [other.name]
    await node.stop()
    await other.stop()


async def test_forgetting_spares_the_living_and_is_done_by_one(link: RedisLink) -> None:
    node, other = Node(link, "a"), Node(link, "b")
    await node.start()
    await other.start()
    assert not await other.forget(node.name)
    await link.call("XADD", stream_key(node.name), "1-0", "e", "1")
    await link.call("SET", counter_key(node.name), "1")
    await node.stop()
    assert await other.dead_nodes() == (node.name,), "given back, so dead at once"
    forgotten = await asyncio.gather(*(other.forget(node.name) for _ in range(5)))
    assert sorted(forgotten) == [False, False, False, False, True]
    assert await link.call("EXISTS", stream_key(node.name), counter_key(node.name)) == 0
    await other.stop()


async def test_leases_do_not_look_at_the_wall_clock(link: RedisLink, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    node = Node(link, "a", lease_s=0.6, renew_s=0.1, on_fenced=told.on_fenced)
    await node.start()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 300)
    await asyncio.sleep(0.8)
    monkeypatch.setattr(time, "time", lambda: real() - 300)
    await asyncio.sleep(0.8)
    assert told.fenced == []
    await node.stop()


async def test_a_redis_that_lost_everything_gets_a_new_epoch_and_nobody_is_fenced(
    own_redis: RedisProcess,
) -> None:
    link = RedisLink(own_redis.url, scripts=SCRIPTS, backoff_s=(0.02, 0.1))
    await link.open()
    told = Told()
    nodes = [Node(link, name, lease_s=20, renew_s=0.1, on_fenced=told.on_fenced) for name in "ab"]
    for node in nodes:
        await node.start()
    before = nodes[0].epoch
    await own_redis.kill()
    await own_redis.restart(empty=True)
    begun = time.monotonic()
    await until(lambda: nodes[0].epoch != before and nodes[0].epoch == nodes[1].epoch)
    assert time.monotonic() - begun < 5
    await until(lambda: all(not node.lapsed for node in nodes))
    assert told.fenced == []
    assert await nodes[0].dead_nodes() == ()
    for node in nodes:
        await node.stop()
    await link.close()


class Others:
    """What the other nodes say of Redis."""

    def __init__(self, *, hear: bool) -> None:
        self.hear = hear
        self.noted: list[str] = []
        self.down = False

    async def note(self, node: str) -> None:
        self.noted.append(node)

    async def others(self, node: str, within_s: float) -> bool:
        if self.down:
            raise OSError("no database")
        return self.hear


async def test_while_redis_answers_nobody_a_node_stands_by_and_is_fenced_when_it_is_back(
    own_redis: RedisProcess,
) -> None:
    link = RedisLink(own_redis.url, scripts=SCRIPTS, time_out_s=0.2, stall_s=0.5, backoff_s=(0.02, 0.1))
    await link.open()
    told, others = Told(), Others(hear=False)
    node = Node(
        link,
        "a",
        lease_s=1.0,
        renew_s=0.2,
        on_fenced=told.on_fenced,
        on_registered=told.on_registered,
        contacts=others,
    )
    await node.start()
    old = node.name
    await until(lambda: others.noted)
    own_redis.freeze()
    await until(lambda: node.standing_by)
    assert node.lapsed
    await asyncio.sleep(1.0)
    assert told.fenced == [], "its sockets stay"
    own_redis.thaw()
    await until(lambda: told.registered)
    assert told.fenced == [old], "its lease had run out: anybody may have reaped it"
    assert not node.standing_by
    await node.stop()
    await link.close()


@pytest.mark.parametrize("what", ["others hear from Redis again", "nobody can be asked"])
async def test_one_that_stands_by_fences_itself_as_soon_as_it_may_be_the_only_one(
    own_redis: RedisProcess, what: str
) -> None:
    link = RedisLink(own_redis.url, scripts=SCRIPTS, time_out_s=0.2, stall_s=0.5, backoff_s=(0.02, 0.1))
    await link.open()
    told, others = Told(), Others(hear=False)
    node = Node(link, "a", lease_s=0.6, renew_s=0.2, on_fenced=told.on_fenced, contacts=others)
    await node.start()
    own_redis.freeze()
    await until(lambda: node.standing_by)
    if what == "nobody can be asked":
        others.down = True
    else:
        others.hear = True
    asked = time.monotonic()
    await until(lambda: told.fenced)
    if what == "nobody can be asked":
        assert time.monotonic() - asked > 0.3, "one question without an answer is not enough"
    own_redis.thaw()
    await node.stop()
    await link.close()


async def test_one_cut_off_for_longer_than_its_lease_fences_itself_and_begins_anew(
    own_redis: RedisProcess,
) -> None:
    link = RedisLink(own_redis.url, scripts=SCRIPTS, time_out_s=0.2, stall_s=0.5, backoff_s=(0.02, 0.1))
    await link.open()
    told = Told()
    node = Node(
        link, "a", lease_s=1.0, renew_s=0.2, on_fenced=told.on_fenced, on_registered=told.on_registered
    )
    await node.start()
    old = node.name
    own_redis.freeze()
    begun = time.monotonic()
    await until(lambda: told.fenced)
    assert 0.6 < time.monotonic() - begun < 3
    assert told.registered == []
    own_redis.thaw()
    await until(lambda: told.registered)
    assert old not in told.registered
    await node.stop()
    await link.close()
