"""Hearing: every message once and in order, whatever is doubled, late or lost; states by the highest rev."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocol.client import Client, Subscription
from protocol.codec import NotificationFrame
from protocol.codes import CloseCode, ErrorCode
from protocol.errors import ConnectionClosed
from protocol.shapes import Message
from protocol.states import Life
from tests.protocol.script import Peer, Script, T, conversation, message, session


async def texts(hearing: Subscription, count: int) -> list[int]:
    """The seq of the next messages."""
    found: list[int] = []
    for _ in range(count):
        heard = await hearing.next("message.created", timeout_s=5)
        assert isinstance(heard.params, Message)
        found.append(heard.params.seq)
    return found


async def until(client: Client, hearing: Subscription, peer: Peer) -> list[str]:
    """What was given to subscribers up to a mark that the server sets now."""
    await peer.tells("session.replaced", session_id="mark")
    names: list[str] = []
    while not names or names[-1] != "session.replaced":
        names.append((await hearing.next(timeout_s=5)).event.name)
    return names[:-1]


def page(*seqs: int, head: int, more: bool = False) -> dict[str, Any]:
    return {"messages": [message(seq) for seq in seqs], "head_seq": head, "more": more}


@pytest.mark.req("PF-05")
async def test_a_message_told_twice_is_given_once(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        for seq in (1, 2, 1, 2, 3):
            await peer.tells("message.created", **message(seq))
        assert await texts(hearing, 3) == [1, 2, 3]
        assert await until(client, hearing, peer) == []


@pytest.mark.req("PF-05")
async def test_messages_out_of_order_are_given_in_order(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        for seq in (2, 3, 1):
            await peer.tells("message.created", **message(seq))
        assert await texts(hearing, 3) == [1, 2, 3]
        await peer.hears_nothing(0.1)


@pytest.mark.req("PF-05")
async def test_a_hole_is_filled_from_history(server: Script) -> None:
    async with server.live(keep_messages=True) as (client, peer):
        hearing = client.subscribe()
        for seq in (1, 4):
            await peer.tells("message.created", **message(seq))
        history = await peer.hears("message.history")
        assert (history["conversation_id"], history["after_seq"], history["limit"]) == ("c1", 1, 200)
        await peer.answers(history, page(2, 3, 4, head=4))
        assert await texts(hearing, 4) == [1, 2, 3, 4]
        assert [kept.seq for kept in client.logs["c1"].messages] == [1, 2, 3, 4]
        await peer.hears_nothing(0.1)


async def test_a_long_hole_is_filled_page_by_page_while_new_ones_come(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(5))
        first = await peer.hears("message.history")
        await peer.tells("message.created", **message(6))
        await peer.answers(first, page(1, 2, head=5, more=True))
        second = await peer.hears("message.history")
        assert second["after_seq"] == 2
        await peer.answers(second, page(3, 4, 5, head=6))
        assert await texts(hearing, 6) == [1, 2, 3, 4, 5, 6]


async def test_a_hole_is_fetched_again_after_a_retryable_refusal(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(2))
        await peer.refuses(await peer.hears("message.history"), ErrorCode.UNAVAILABLE, retryable=True)
        await peer.answers(await peer.hears("message.history"), page(1, 2, head=2))
        assert await texts(hearing, 2) == [1, 2]


async def test_a_log_that_is_not_for_this_session_is_forgotten(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(2))
        await peer.refuses(await peer.hears("message.history"), ErrorCode.NOT_FOUND)
        assert await until(client, hearing, peer) == []
        assert client.cursors == {}


@pytest.mark.req("PF-05")
async def test_a_log_that_is_taken_away_and_given_back_is_heard_once(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        for seq in (1, 3):
            await peer.tells("message.created", **message(seq))
        await peer.refuses(await peer.hears("message.history"), ErrorCode.NOT_FOUND)
        await peer.tells("message.created", **message(4))
        history = await peer.hears("message.history")
        assert history["after_seq"] == 1
        await peer.answers(history, page(2, 3, 4, head=4))
        assert await texts(hearing, 4) == [1, 2, 3, 4]


@pytest.mark.req("PF-05")
async def test_a_lost_last_message_is_found_by_the_heads_of_the_heartbeat(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("hb", heads={"c1": 2})
        history = await peer.hears("message.history")
        assert history["after_seq"] == 1
        await peer.answers(history, page(2, head=2))
        assert await texts(hearing, 2) == [1, 2]


async def test_a_head_that_was_wrong_is_asked_for_once(server: Script) -> None:
    async with server.live() as (client, peer):
        await peer.tells("hb", heads={"c1": 9})
        await peer.answers(await peer.hears("message.history"), page(head=0))
        await peer.hears_nothing(0.1)
        assert client.cursors == {"c1": 0}


async def test_the_snapshot_tells_which_logs_to_fetch(server: Script) -> None:
    async with server.live(session(conversation(head=2), conversation("c2", head=0))) as (client, peer):
        hearing = client.subscribe()
        history = await peer.hears("message.history")
        assert (history["conversation_id"], history["after_seq"]) == ("c1", 0)
        await peer.answers(history, page(1, 2, head=2))
        assert await texts(hearing, 2) == [1, 2]
        await peer.hears_nothing(0.1)


async def test_without_whole_logs_a_log_begins_at_its_end(server: Script) -> None:
    async with server.live(session(conversation(head=40)), whole_logs=False) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(41))
        await peer.tells("message.created", **message(7, conversation="c2"))
        assert await texts(hearing, 2) == [41, 7]
        await peer.hears_nothing(0.1)


@pytest.mark.parametrize(("whole", "after"), [(True, 1), (False, None)])
async def test_a_reset_stream_is_fetched_or_begun_at_its_end(
    server: Script, whole: bool, after: int | None
) -> None:
    async with server.live(whole_logs=whole) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("stream.reset", conversation_id="c1", head_seq=300)
        if after is None:
            await peer.hears_nothing(0.1)
            assert client.cursors == {"c1": 300}
        else:
            assert (await peer.hears("message.history"))["after_seq"] == after
        assert (await hearing.next("stream.reset")).event.name == "stream.reset"


@pytest.mark.req("PF-05")
@pytest.mark.parametrize(
    ("ends_at", "told"), [(2, []), (1, [2])], ids=["told late", "restored from a backup"]
)
async def test_a_reset_to_before_what_is_there_is_asked_about(
    server: Script, ends_at: int, told: list[int]
) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("message.created", **message(2))
        assert await texts(hearing, 2) == [1, 2]

        await peer.tells("stream.reset", conversation_id="c1", head_seq=1)

        history = await peer.hears("message.history")
        assert (history["conversation_id"], history["after_seq"]) == ("c1", 2)
        await peer.answers(history, page(head=ends_at))
        await hearing.next("stream.reset")
        async with asyncio.timeout(5):
            while client.cursors != {"c1": ends_at}:
                await asyncio.sleep(0.01)
        await peer.tells("message.created", **message(2))
        assert await texts(hearing, len(told)) == told
        await peer.tells("message.created", **message(3))
        assert await texts(hearing, 1) == [3]


async def test_a_recall_is_given_when_it_is_news(server: Script) -> None:
    async with server.live(keep_messages=True) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        recalled = message(1, body=None, recalled_at=T, rev=1)
        await peer.tells("message.updated", **recalled)
        await peer.tells("message.updated", **recalled)
        assert await until(client, hearing, peer) == ["message.created", "message.updated"]
        assert client.logs["c1"].messages[0].body is None


async def test_the_conversation_with_the_highest_rev_wins(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        for rev, state in ((2, "active"), (4, "wrap_up"), (3, "active"), (4, "wrap_up")):
            await peer.tells("conversation.updated", conversation=conversation(rev=rev, state=state))
        assert await until(client, hearing, peer) == ["conversation.updated"] * 2
        assert client.view.conversations["c1"].state is Life.WRAP_UP


async def test_messages_bring_the_view_up_to_date(server: Script) -> None:
    async with server.live(session(conversation())) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("message.created", **message(2))
        await texts(hearing, 2)
        seen = client.view.conversations["c1"]
        assert (seen.head_seq, seen.waiting_since) == (2, T)
        assert seen.last_message is not None
        assert seen.last_message.seq == 2
        await peer.tells("message.created", **message(3, sender={"kind": "agent", "id": "a1"}))
        await texts(hearing, 1)
        assert client.view.conversations["c1"].waiting_since is None


async def test_places_and_read_marks_reduce_into_the_conversation(server: Script) -> None:
    queue = {"pool": "default", "place": 3, "length": 5, "reason": "all_full", "waiting_since": T}
    async with server.live(session(conversation(state="queued", queue=queue))) as (client, peer):
        hearing = client.subscribe()
        moved = {"pool": "default", "place": 2, "length": 4, "reason": "nobody_online"}
        await peer.tells("queue.moved", conversation_id="c1", **moved)
        await peer.tells("read.advanced", conversation_id="c1", side="staff", seq=4)
        await peer.tells("read.advanced", conversation_id="c1", side="staff", seq=3)
        assert await until(client, hearing, peer) == ["queue.moved", "read.advanced"]
        seen = client.view.conversations["c1"]
        assert seen.queue is not None
        assert (seen.queue.place, seen.queue.length, seen.queue.waiting_since) == (2, 4, T)
        assert (seen.read_by_staff, seen.read_by_customer) == (4, 0)


async def test_callbacks_hear_the_same_as_subscribers(server: Script) -> None:
    heard: list[NotificationFrame] = []
    async with server.live(on_event=heard.append) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("typing.changed", conversation_id="c1", who={"kind": "customer"}, typing=True)
        names = await until(client, hearing, peer)
        assert [frame.event.name for frame in heard] == ["session.ready", *names, "session.replaced"]


async def test_events_of_a_newer_server_are_passed_over(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("hologram.projected", anything=1)
        await peer.tells("message.created", **message(1), mood="new member")
        assert await texts(hearing, 1) == [1]


async def test_a_subscription_ends_with_its_client(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await hearing.next("message.created")
        asking = asyncio.create_task(anext(aiter(hearing)))
        await server.lets_go(client)
        with pytest.raises(StopAsyncIteration):
            await asking


async def test_a_subscription_to_a_stopped_client_ends_at_once(server: Script) -> None:
    async with server.live() as (client, peer):
        await peer.closes(CloseCode.BLOCKED)
        await client.wait_stopped()
        with pytest.raises(ConnectionClosed):
            await client.subscribe().next(timeout_s=1)


async def test_a_subscription_can_be_given_up(server: Script) -> None:
    async with server.live() as (client, peer):
        leaving, staying = client.subscribe(), client.subscribe()
        leaving.close()
        await peer.tells("message.created", **message(1))
        assert await texts(staying, 1) == [1]
        assert [frame async for frame in leaving] == []
