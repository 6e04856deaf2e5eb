"""Pushes between nodes: they arrive in order, or the receiver knows that something is missing (faults 3, 4, 7, 19)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from protocol.codes import CloseCode
from protocol.events import Plane
from protocol.ids import ConversationId, PersonId, ShopId
from router.keys import at_key
from router.link import link_to
from router.redis_cluster import is_cluster
from server.bus import Bus, order_everywhere
from server.bus_wire import pack, unpack
from server.embedded.redis_process import RedisProcess
from server.node import EPOCH_KEY, Node, counter_key, lease_key, stream_key
from server.push import Control, Push
from server.scripts import SCRIPTS
from tests.live_cluster import strict

pytestmark = pytest.mark.req("PF-03", "PF-04", "PF-05")
SHOP, OTHER = ShopId("shop-1"), ShopId("shop-2")


async def until(holds: Callable[[], Any], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "did not come true in time"
        await asyncio.sleep(0.01)


class Sockets:
    """The hub of a node: keeps what was delivered."""

    def __init__(self) -> None:
        self.got: list[tuple[ShopId, Push | Control]] = []

    def deliver(self, shop: ShopId, items: Sequence[Push | Control]) -> None:
        self.got += [(shop, item) for item in items]

    @property
    def seqs(self) -> list[int]:
        return [item.seq for _, item in self.got if isinstance(item, Push)]


class Member:
    """A node with its link and bus."""

    def __init__(self, url: str, name: str, **options: Any) -> None:
        self.url = url
        scripts = strict(SCRIPTS) if is_cluster(url) else SCRIPTS
        self.link = link_to(url, scripts=scripts, time_out_s=0.5)
        self.node = Node(self.link, name, lease_s=options.pop("lease_s", 30), renew_s=0.2)
        self.sockets = Sockets()
        self.gaps: list[str] = []
        self.bus = Bus(self.link, self.sockets, self.node, on_gap=self._gap, block_s=0.3, **options)

    async def _gap(self, why: str) -> None:
        self.gaps.append(why)

    async def start(self) -> "Member":
        await self.link.open()
        await self.node.start()
        await self.bus.start()
        return self

    async def holds(self, person: str, shop: ShopId = SHOP) -> None:
        """That person is connected here (as `Engine.connect` writes it)."""
        await self.link.call("HSET", at_key(shop, PersonId(person)), f"c-{self.node.name}", self.node.name)

    async def stop(self) -> None:
        await self.bus.stop(0.2)
        await self.node.stop()
        await self.link.close()


@pytest.fixture(params=["redis_url", "cluster_url"])
def any_url(request: pytest.FixtureRequest) -> str:
    """One Redis, and a cluster."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def pair(any_url: str) -> AsyncIterator[tuple[Member, Member]]:
    a, b = await Member(any_url, "a").start(), await Member(any_url, "b").start()
    yield a, b
    await a.stop()
    await b.stop()


def entry(seq: int, *to: str, conversation: str = "k") -> Push:
    frame = orjson.dumps({"method": "message.created", "params": {"seq": seq, "text": "一\n二"}})
    return Push(tuple(map(PersonId, to)), frame, Plane.DURABLE, "", ConversationId(conversation), seq)


@pytest.mark.parametrize(
    "item",
    [
        entry(7, "ann", "bob"),
        Push((PersonId("ann"),), b'{"a":"\\n"}', Plane.STATE, "agent:1", None, 3),
        Push((), b"{}", Plane.EPHEMERAL),
        Control((PersonId("ann"),), CloseCode.BLOCKED, "blocked"),
    ],
)
def test_what_is_packed_comes_out(item: Push | Control) -> None:
    assert unpack(pack(SHOP, item)) == (SHOP, item)


@pytest.mark.parametrize("item", [entry(7, "ann"), Control((PersonId("ann"),), CloseCode.BLOCKED, "blocked")])
async def test_what_a_newer_node_says_beside_is_passed_over(
    pair: tuple[Member, Member], item: Push | Control
) -> None:
    """Nodes of two versions run side by side during an upgrade (fault 32)."""
    a, b = pair
    head, framed, frame = pack(SHOP, item).partition(b"\n")
    newer = orjson.dumps([*orjson.loads(head), {"since": "the next version"}, 1]) + framed + frame
    n = await a.link.call("INCR", counter_key(b.node.name))
    fields = ("e", a.node.epoch, "sent_by", "a newer node", "1", newer)
    await a.link.call("XADD", stream_key(b.node.name), f"{n}-0", *fields)
    await until(lambda: b.sockets.got)
    assert b.sockets.got == [(SHOP, item)]
    assert b.gaps == []


async def test_people_here_are_told_at_once_and_people_elsewhere_in_order(
    pair: tuple[Member, Member],
) -> None:
    a, b = pair
    await b.holds("bob")
    for seq in range(1, 1001):
        a.bus.publish(SHOP, [entry(seq, "ann", "bob")])
    assert a.sockets.seqs == list(range(1, 1001)), "before publish returned"
    await until(lambda: len(b.sockets.seqs) >= 1000)
    assert b.sockets.seqs == list(range(1, 1001))
    assert b.sockets.got[0] == (SHOP, entry(1, "ann", "bob"))
    assert a.gaps == b.gaps == []
    assert len(a.sockets.got) == 1000, "its own stream brought nothing back"


async def test_many_pushes_make_few_entries(pair: tuple[Member, Member]) -> None:
    a, b = pair
    await b.holds("bob")
    for seq in range(1, 513):
        a.bus.publish(SHOP, [entry(seq, "bob")])
    await until(lambda: len(b.sockets.seqs) == 512)
    assert int(await a.link.call("GET", counter_key(b.node.name))) <= 10


async def test_nothing_goes_to_nodes_where_nobody_listens_nor_to_another_shop(
    pair: tuple[Member, Member],
) -> None:
    a, b = pair
    await b.holds("bob", OTHER)
    a.bus.publish(SHOP, [entry(1, "bob", "ann")])
    await until(lambda: a.bus.published == 1)
    await b.holds("bob")
    a.bus.publish(SHOP, [entry(2, "bob")])
    await until(lambda: b.sockets.seqs)
    assert b.sockets.seqs == [2]


async def test_controls_travel_too(pair: tuple[Member, Member]) -> None:
    a, b = pair
    await b.holds("bob")
    revoked = Control((PersonId("bob"),), CloseCode.AUTH_FAILED, "signed out everywhere")
    begun = time.monotonic()
    a.bus.publish(SHOP, [revoked])
    await until(lambda: b.sockets.got)
    assert b.sockets.got == [(SHOP, revoked)]
    assert time.monotonic() - begun < 1.0


async def test_an_order_from_outside_reaches_every_node(pair: tuple[Member, Member]) -> None:
    order = Control((), CloseCode.SHOP_SUSPENDED, "shop suspended")
    assert await order_everywhere(pair[0].link, SHOP, order) == 2
    for member in pair:
        await until(lambda member=member: member.sockets.got)
        assert member.sockets.got == [(SHOP, order)]


async def test_what_was_lost_is_told_to_every_other_node(pair: tuple[Member, Member]) -> None:
    a, b = pair
    a.bus._dropped = True
    a.bus._wake.set()
    await until(lambda: b.gaps)
    assert not a.gaps


async def test_a_person_on_three_nodes_is_told_on_each(pair: tuple[Member, Member]) -> None:
    a, b = pair
    c = await Member(a.url, "c").start()
    for member in (a, b, c):
        await member.holds("bob")
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.sockets.got and c.sockets.got)
    assert a.sockets.seqs == b.sockets.seqs == c.sockets.seqs == [1]
    await c.stop()


async def test_a_number_left_out_is_a_gap(pair: tuple[Member, Member]) -> None:
    a, b = pair
    await b.holds("bob")
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.sockets.got)
    await a.link.call("INCR", counter_key(b.node.name))
    a.bus.publish(SHOP, [entry(3, "bob")])
    await until(lambda: b.gaps)
    assert b.gaps == ["2 to 2 are missing"]
    assert b.sockets.seqs == [1, 3], "what did arrive is delivered"


async def test_a_stream_cut_while_the_reader_was_away_is_a_gap(redis_url: str) -> None:
    a, b = await Member(redis_url, "a", stream_length=10).start(), Member(redis_url, "b")
    await b.link.open()
    await b.node.start()  # registered, but it does not read
    await b.holds("bob")
    for seq in range(1, 400):
        a.bus.publish(SHOP, [entry(seq, "bob")])
        await until(lambda: a.bus.backlog_bytes == 0 and not a.bus._queue)
    await until(lambda: a.bus.published == 399)
    assert int(await a.link.call("XLEN", stream_key(b.node.name))) < 399
    await b.bus.start()
    await until(lambda: b.gaps and b.sockets.got)
    assert b.sockets.seqs == sorted(b.sockets.seqs)
    await a.stop()
    await b.stop()


async def test_another_epoch_in_an_entry_is_a_gap(pair: tuple[Member, Member]) -> None:
    a, b = pair
    await b.holds("bob")
    await a.link.call("SET", EPOCH_KEY, "another")
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.gaps)
    assert b.sockets.seqs == [1]


async def test_a_node_without_a_lease_gets_nothing(pair: tuple[Member, Member]) -> None:
    a, b = pair
    await b.holds("bob")
    await b.node.stop()
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: a.bus.published == 1)
    assert int(await a.link.call("EXISTS", stream_key(b.node.name))) == 0


async def test_a_push_that_is_not_understood_is_a_gap_and_the_rest_arrives(
    pair: tuple[Member, Member],
) -> None:
    a, b = pair
    await b.holds("bob")
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.sockets.got)
    await a.link.call("INCR", counter_key(b.node.name))
    await a.link.call("XADD", stream_key(b.node.name), "2-0", "e", a.node.epoch, "2", "nonsense")
    a.bus.publish(SHOP, [entry(2, "bob")])
    await until(lambda: b.sockets.seqs == [1, 2])
    assert b.gaps == ["not understood"]


async def test_a_fenced_node_goes_on_with_its_new_stream(redis_url: str) -> None:
    a, b = await Member(redis_url, "a").start(), await Member(redis_url, "b").start()
    old = b.node.name
    await a.link.call("DEL", lease_key(old))
    await until(lambda: b.node.name != old and b.node.registered)
    await b.holds("bob")
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.sockets.seqs == [1])
    await a.stop()
    await b.stop()


async def test_what_an_incarnation_published_dies_with_its_lease(pair: tuple[Member, Member]) -> None:
    a, b = pair
    await b.holds("bob")
    old = a.node.name
    await a.link.call("DEL", lease_key(old))
    a.bus.publish(SHOP, [entry(1, "bob")])  # what is in PostgreSQL others deliver again, as it is then
    await until(lambda: a.node.name != old and a.node.registered)
    a.bus.publish(SHOP, [entry(2, "bob")])
    await until(lambda: b.sockets.seqs)
    assert b.sockets.seqs == [2]
    assert b.gaps == []


async def test_redis_restarted_with_its_log_loses_no_push(own_redis: RedisProcess) -> None:
    a, b = await Member(own_redis.url, "a").start(), await Member(own_redis.url, "b").start()
    await b.holds("bob")
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.sockets.seqs == [1])
    await asyncio.sleep(1.2)  # AOF everysec
    await own_redis.kill()
    a.bus.publish(SHOP, [entry(2, "bob")])
    a.bus.publish(SHOP, [entry(3, "bob")])
    await own_redis.restart()
    await until(lambda: {2, 3} <= set(b.sockets.seqs))
    kept = list(dict.fromkeys(b.sockets.seqs))
    assert kept == [1, 2, 3]
    assert b.gaps, "what a restarted Redis forgot cannot be known"
    await a.stop()
    await b.stop()


async def test_redis_restarted_empty_is_seen_within_five_seconds(own_redis: RedisProcess) -> None:
    a, b = await Member(own_redis.url, "a").start(), await Member(own_redis.url, "b").start()
    await b.holds("bob")
    for seq in range(1, 20):
        a.bus.publish(SHOP, [entry(seq, "bob")])
        await asyncio.sleep(0.01)
    await until(lambda: len(b.sockets.seqs) == 19)
    before = a.node.epoch
    await own_redis.kill()
    await own_redis.restart(empty=True)
    begun = time.monotonic()
    await until(lambda: a.gaps and b.gaps)
    assert time.monotonic() - begun < 5
    await until(lambda: before not in (a.node.epoch, b.node.epoch))
    assert not a.node.lapsed
    assert not b.node.lapsed
    await b.holds("bob")
    a.bus.publish(SHOP, [entry(20, "bob")])
    await until(lambda: 20 in b.sockets.seqs)  # although its numbers began again at 1
    await a.stop()
    await b.stop()


@pytest.mark.parametrize("error", [RedisConnectionError, RuntimeError, KeyError])
async def test_a_reader_reads_on_however_its_connection_ends(
    pair: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """uvloop says RuntimeError of a connection that is reset in the middle of its greeting, and closing it says so once
    more: the reader ended there, and its node delivered nothing any more without anybody's knowing."""
    a, b = pair
    await b.holds("bob")
    closed: list[str] = []

    close = Redis.aclose

    async def reset(self: Any) -> None:
        closed.append("reset")
        await close(self)
        raise ConnectionResetError("reset by peer")

    async def broken(self: Any, *args: Any, **kwargs: Any) -> None:
        raise error("reset by peer")

    with monkeypatch.context() as patch:
        patch.setattr(Redis, "aclose", reset)
        patch.setattr(Redis, "xread", broken)
        await until(lambda: len(closed) > 2)
    a.bus.publish(SHOP, [entry(1, "bob")])
    await until(lambda: b.sockets.seqs == [1])


async def test_a_reader_ends_though_the_library_took_the_end_for_its_own_time_out(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = asyncio.Event()

    async def deaf(*_: object, **__: object) -> list[object]:
        reading.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return []

    monkeypatch.setattr(Redis, "xread", deaf)
    a = await Member(redis_url, "a").start()
    await reading.wait()
    async with asyncio.timeout(5):
        await a.stop()


async def test_more_than_the_backlog_holds_becomes_a_gap_elsewhere(own_redis: RedisProcess) -> None:
    a, b = (
        await Member(own_redis.url, "a", backlog_bytes=20_000).start(),
        await Member(own_redis.url, "b").start(),
    )
    await b.holds("bob")
    own_redis.freeze()
    for seq in range(1, 2000):
        a.bus.publish(SHOP, [entry(seq, "bob")])
        assert a.bus.backlog_bytes <= 20_000
    assert len(a.sockets.seqs) == 1999, "nobody here waits for Redis"
    own_redis.thaw()
    await until(lambda: any("missing" in gap for gap in b.gaps))
    a.bus.publish(SHOP, [entry(2000, "bob")])
    await until(lambda: b.sockets.seqs[-1:] == [2000])
    await a.stop()
    await b.stop()


async def test_who_can_wait_does_so_while_much_waits_for_redis_and_nothing_becomes_a_gap(
    own_redis: RedisProcess,
) -> None:
    a, b = (
        await Member(own_redis.url, "a", backlog_bytes=80_000).start(),
        await Member(own_redis.url, "b").start(),
    )
    await b.holds("bob")
    own_redis.freeze()

    async def tell_everything() -> None:
        for seq in range(1, 2001):
            a.bus.publish(SHOP, [entry(seq, "bob")])
            if seq % 10 == 0:
                await a.bus.room()

    telling = asyncio.create_task(tell_everything())
    await until(lambda: a.bus.backlog_bytes > 80_000 // 16)
    await asyncio.sleep(0.05)
    assert not telling.done()
    assert a.bus.backlog_bytes < 80_000 // 2
    own_redis.thaw()
    await until(lambda: b.sockets.seqs[-1:] == [2000])
    await telling
    assert (b.gaps, len(set(b.sockets.seqs))) == ([], 2000)
    await a.stop()
    await b.stop()
