"""The parts that know no socket: send queue, wheel, lanes, buckets, heads."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from protocol.codec import RequestFrame
from protocol.ids import ConversationId, ShopId
from protocol.methods import METHODS
from server.gateway.heads import Heads
from server.gateway.hub import Hub
from server.gateway.lanes import Lanes
from server.gateway.outbox import Outbox
from server.gateway.rates import Addresses, Bucket
from server.gateway.wheel import NEVER, Wheel
from server.limits import GatewayLimits, Rate
from server.metrics import GatewayCollector, GatewayMetrics
from server.push import Push
from tests.server.gateway.house import CONVERSATION, SHOP, message, running, state, typing

pytestmark = pytest.mark.req("PF-03")


# --- outbox ---------------------------------------------------------------------------------------------------------
def test_typing_is_dropped_at_half_and_messages_at_the_limit_become_cursors() -> None:
    outbox = Outbox(1000, 0)
    frame = len(message(1, size=200).frame)
    outbox.push(message(1, size=200))
    outbox.push(typing(size=200))
    assert (outbox.dropped, outbox.lagging) == (0, False)
    outbox.push(typing(size=200))
    assert outbox.dropped == 1
    outbox.push(message(2, size=200))
    outbox.push(message(3, size=200))
    assert outbox.lagging
    assert outbox.behind == {CONVERSATION: 3}
    outbox.push(message(4))
    assert outbox.behind == {CONVERSATION: 4}, "no hole: what follows a lost entry is not queued either"
    assert outbox.size <= 1000
    taken = outbox.take(10_000)
    assert [len(each) for each in taken if b"created" in each] == [frame, frame]
    assert outbox.recover() == {CONVERSATION: 4}
    assert not outbox.lagging


def test_the_latest_state_replaces_the_earlier_and_goes_to_the_end() -> None:
    outbox = Outbox(10_000, 0)
    outbox.push(state("a", 1))
    outbox.push(message(1))
    outbox.push(state("b", 1))
    outbox.push(state("a", 2))
    assert outbox.take(100_000) == [message(1).frame, state("b", 1).frame, state("a", 2).frame]


def test_an_older_revision_that_comes_late_does_not_replace_a_newer() -> None:
    outbox = Outbox(10_000, 0)
    outbox.push(state("a", 5))
    outbox.push(state("a", 4))
    assert outbox.take(100_000) == [state("a", 5).frame]


def test_replies_are_taken_up_to_the_slack_and_then_it_is_overflown() -> None:
    outbox = Outbox(100, 100)
    outbox.reply(b"x" * 150)
    assert not outbox.overflown
    outbox.reply(b"x" * 51)
    assert outbox.overflown
    assert outbox.size == 150


pushes = st.one_of(
    st.builds(lambda seq, size: message(seq, size=size), st.integers(1, 50), st.integers(0, 300)),
    st.builds(
        lambda key, rev, size: state(key, rev, size=size),
        st.sampled_from("abc"),
        st.integers(1, 9),
        st.integers(0, 300),
    ),
    st.builds(lambda size: typing(size=size), st.integers(0, 300)),
)


@given(st.lists(st.one_of(pushes, st.integers(1, 2000)), max_size=80))
def test_its_size_is_what_it_holds_and_never_above_the_bound(steps: list) -> None:
    outbox = Outbox(1000, 500)
    for step in steps:
        if isinstance(step, int):
            taken = outbox.take(step)
            assert taken or not outbox
            assert len(taken) <= 1 or sum(map(len, taken)) <= step
        else:
            outbox.push(step)
        held = [item for item in outbox._items if isinstance(item, Push)]
        assert outbox.size == sum(len(item.frame) for item in held) <= 1500
        keys = [item.key for item in held if item.key]
        assert len(keys) == len(set(keys))


# --- wheel ----------------------------------------------------------------------------------------------------------
class Entry:
    def __init__(self, *answers: float) -> None:
        self.answers = list(answers)
        self.asked: list[float] = []

    def due(self, now: float) -> float:
        self.asked.append(now)
        return now + self.answers.pop(0) if self.answers else NEVER


async def test_entries_are_asked_in_time_again_and_no_more_when_they_say_so() -> None:
    wheel, entry = Wheel(0.02), Entry(0.1)
    begun = asyncio.get_running_loop().time()
    wheel.watch(entry, begun + 0.1)
    await asyncio.sleep(0.4)
    first, second = entry.asked
    assert 0.1 <= first - begun < 0.2
    assert 0.1 <= second - first < 0.2
    assert len(wheel) == 0


async def test_an_entry_may_be_moved_forgotten_and_be_in_the_past() -> None:
    wheel, moved, forgotten, past = Wheel(0.02), Entry(), Entry(), Entry()
    now = asyncio.get_running_loop().time()
    wheel.watch(moved, now + 60)
    wheel.watch(moved, now + 0.05)
    wheel.watch(forgotten, now + 0.05)
    wheel.forget(forgotten)
    wheel.watch(past, now - 100)
    await asyncio.sleep(0.2)
    assert (len(moved.asked), len(forgotten.asked), len(past.asked)) == (1, 0, 1)


async def test_one_entry_that_forgets_another_of_the_same_tick_is_heeded() -> None:
    wheel, victim = Wheel(0.02), Entry()

    class Killer:
        def due(self, now: float) -> float:
            wheel.forget(victim)
            return NEVER

    at = (int(asyncio.get_running_loop().time() / 0.02) + 4) * 0.02 + 0.001
    killers = [Killer() for _ in range(64)]  # sets have no order: most of them come first
    for killer in killers:
        wheel.watch(killer, at)
    wheel.watch(victim, at + 0.02)
    await asyncio.sleep(0.2)
    assert victim.asked == []
    wheel.stop()


async def test_a_broken_entry_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    wheel, entry = Wheel(0.02), Entry()

    class Broken:
        def due(self, now: float) -> float:
            raise ZeroDivisionError

    now = asyncio.get_running_loop().time()
    wheel.watch(Broken(), now)
    wheel.watch(entry, now + 0.05)
    await asyncio.sleep(0.2)
    assert len(entry.asked) == 1
    assert "ZeroDivisionError" in caplog.text


# --- lanes ----------------------------------------------------------------------------------------------------------
def request(number: int, method: str, conversation: str = "a") -> RequestFrame:
    params = {
        "conversation_id": conversation,
        "seq": 1,
        "client_message_id": "m",
        "body": {"kind": "text", "text": "t"},
    }
    shape = METHODS[method].params
    return RequestFrame(
        number,
        METHODS[method],
        shape.model_validate({k: v for k, v in params.items() if k in shape.model_fields}),
    )


def test_sends_run_together_and_everything_else_of_a_conversation_alone() -> None:
    started: list[str | int] = []
    lanes = Lanes(lambda frame, lane: started.append(frame.id))
    for number, method in enumerate(
        ["message.send", "message.send", "conversation.end", "message.send", "message.send"]
    ):
        lanes.add(request(number, method))
    assert started == [0, 1]
    lanes.finished("a")
    assert started == [0, 1]
    lanes.finished("a")
    assert started == [0, 1, 2]
    lanes.finished("a")
    assert started == [0, 1, 2, 3, 4]
    lanes.finished("a")
    lanes.finished("a")
    assert (lanes.under_way, lanes._lanes) == (0, {})


def test_a_gone_connection_begins_nothing_more() -> None:
    started: list[str | int] = []
    lanes = Lanes(lambda frame, lane: started.append(frame.id))
    for number in range(3):
        lanes.add(request(number, "read.mark"))
    lanes.drop_waiting()
    lanes.finished("a")
    assert (started, lanes.under_way) == ([0], 0)


# --- buckets, heads, hub, metrics -------------------------------------------------------------------------------------
def test_a_bucket_gives_its_burst_then_its_rate_and_says_how_long_to_wait() -> None:
    bucket = Bucket(Rate(per_s=5, burst=3), 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [0, 0, 0, 201]
    assert bucket.take(0.19) > 0
    assert bucket.take(0.21) == 0
    assert [bucket.take(100.0) for _ in range(4)][:3] == [0, 0, 0]


def test_addresses_are_apart_and_forgotten_when_they_stay_away() -> None:
    addresses = Addresses(Rate(per_s=1, burst=1))
    assert addresses.take("a", 100.0) == 0
    assert addresses.take("a", 100.0) > 0
    assert addresses.take("b", 100.0) == 0
    addresses.take("c", 200.0)
    assert set(addresses._buckets) == {"c"}


def test_heads_are_bounded_and_the_quietest_log_goes_first() -> None:
    heads = Heads(2)
    for name in ("a", "b", "a", "c"):
        heads.advance(ConversationId(name), heads.of(ConversationId(name)) + 1)
    assert (heads.of(ConversationId("a")), heads.of(ConversationId("b")), heads.of(ConversationId("c"))) == (
        2,
        0,
        1,
    )
    assert b'"a":2' in heads.heartbeat()
    assert b'"heads":{}' in heads.heartbeat()


async def test_a_house_emptied_holds_nothing() -> None:
    """I6: what a connection was made of is gone when it is."""
    async with running() as house:
        for _ in range(20):
            client = await house.client("ann")
            await client.ws.close()
        await house.until(lambda: len(house.opener.endings) == 20)
        process = house.gateway._process
        await house.until(lambda: not process.dispatcher._tasks and not process.dispatcher._calls)
        assert (len(house.hub), house.hub._shops, process.sockets) == (0, {}, set())
        assert list(process.wheel._where) == [process.dispatcher]
        await house.until(lambda: not house.server.server_state.connections)


def test_the_hub_of_one_shop_knows_nothing_of_another() -> None:
    assert Hub().sessions(ShopId("shop-2")) == ()


async def test_metrics_are_shown_with_their_names() -> None:
    async with running() as house:
        client = await house.client()
        await client.answer(await client.ask("message.history", conversation_id="a"))
        registry = CollectorRegistry()
        registry.register(GatewayCollector(house.gateway.metrics, house.gateway.gauges()))
        text = generate_latest(registry).decode()
        assert 'pointsman_requests_total{method="message.history",outcome="ok"} 1.0' in text
        assert 'pointsman_request_seconds_count{method="message.history"} 1.0' in text
        assert "pointsman_sockets 1.0" in text
        assert GatewayMetrics().requests == {}
        assert GatewayLimits().wire(house.opener.opened[0].kind).message_burst == 10


def test_one_that_leaves_while_it_is_told_costs_its_neighbours_nothing() -> None:
    """Two tabs of one person: the first is found stuck by the very push that the second must get."""
    hub, told = Hub(), []

    class Tab:
        session = SimpleNamespace(shop_id=SHOP, person_id="ann", session_id="s")

        def __init__(self, name: str) -> None:
            self.name = name

        def push(self, push: Push) -> None:
            told.append(self.name)
            hub.remove(cast("Any", self))

    for name in "abc":
        hub.add(cast("Any", Tab(name)))
    hub.deliver(SHOP, [message(1, "ann")])
    assert told == ["a", "b", "c"]
    assert len(hub) == 0
