"""Coming back: with cursors, at the right time for every close code, and not at all when that is pointless."""

from __future__ import annotations

import asyncio
import random
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.client import connect

from protocol.client import Client, Patience, wire
from protocol.client.reconnect import Ended, delay_s, is_final, refused
from protocol.codes import CloseCode, ErrorCode
from protocol.errors import ConnectionClosed, RequestError
from protocol.shapes import Message
from tests.protocol.script import QUICK, Script, conversation, message, session


@pytest.mark.req("PF-05")
async def test_a_broken_connection_is_resumed_with_cursors_and_a_fresh_ticket(server: Script) -> None:
    async with server.live(session(conversation())) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("message.created", **message(2))
        await hearing.next("message.created", where=lambda frame: frame.params == Message(**message(2)))
        await peer.vanishes()

        again = await server.peer()
        hello = await again.answers_hello(session(conversation(head=4), resumed=True), message(3), message(4))
        assert hello["ticket"] == "ticket-2"
        assert hello["resume"] == {"session_id": "s1", "cursors": {"c1": 2}}
        seqs = [(await hearing.next("message.created")).params.model_dump()["seq"] for _ in range(2)]
        assert seqs == [3, 4]
        await again.hears_nothing(0.1)
        assert client.connections == 2


async def test_what_is_told_twice_by_resuming_is_given_once(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await hearing.next("message.created")
        await peer.vanishes()
        again = await server.peer()
        await again.answers_hello(session(resumed=True), message(1), message(2))
        assert (await hearing.next("message.created")).params.model_dump()["seq"] == 2


@pytest.mark.req("PF-05")
async def test_cursors_that_were_not_honoured_are_made_up_for_from_history(server: Script) -> None:
    async with server.live(session(conversation())) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await hearing.next("message.created")
        await peer.vanishes()
        again = await server.peer()
        await again.answers_hello(session(conversation(head=3, rev=9), resumed=False))
        history = await again.hears("message.history")
        assert history["after_seq"] == 1
        await again.answers(history, {"messages": [message(2), message(3)], "head_seq": 3, "more": False})
        assert (await hearing.next("message.created")).params.model_dump()["seq"] == 2


async def test_a_fetch_that_was_cut_off_goes_on_after_resuming(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(2))
        await peer.hears("message.history")
        await peer.vanishes()
        again = await server.peer()
        await again.answers_hello(session(resumed=True))
        await again.answers(
            await again.hears("message.history"),
            {"messages": [message(1), message(2)], "head_seq": 2, "more": False},
        )
        assert (await hearing.next("message.created")).params.model_dump()["seq"] == 1


async def test_a_conversation_missing_from_the_new_snapshot_is_looked_at(server: Script) -> None:
    async with server.live(session(conversation(), conversation("c2"))) as (client, peer):
        hearing = client.subscribe()
        await peer.vanishes()
        again = await server.peer()
        await again.answers_hello(session(conversation("c2")))
        asked = await again.hears("conversation.get")
        assert asked["conversation_id"] == "c1"
        await again.answers(asked, {"conversation": conversation(rev=7, state="closed", owner=None)})
        await hearing.next("conversation.updated")
        assert [one.conversation_id for one in client.view.snapshot()] == ["c2"]


async def test_a_conversation_that_was_taken_away_is_forgotten(server: Script) -> None:
    async with server.live(session(conversation())) as (client, peer):
        await peer.vanishes()
        again = await server.peer()
        await again.answers_hello(session())
        await again.refuses(await again.hears("conversation.get"), ErrorCode.NOT_FOUND)
        asking = asyncio.create_task(client.request("agent.list"))
        await again.answers(await again.hears("agent.list"), {"agents": [], "pools": []})
        await asking
        assert client.view.conversations == {}


async def test_a_socket_that_was_reset_before_it_had_its_parts_is_opened_again(
    server: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    async def reset_at_first(url: str, **options: Any) -> Any:
        tried.append(url)
        if len(tried) == 1:
            raise AttributeError("'ClientConnection' object has no attribute 'recv_messages'")
        return await connect(url, **options)

    monkeypatch.setattr(wire, "connect", reset_at_first)
    async with server.live():
        assert len(tried) == 2


async def test_a_finished_log_is_not_asked_for_again(server: Script) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await peer.tells("conversation.closed", conversation=conversation(state="closed", head=1))
        await hearing.next("conversation.closed")
        await peer.vanishes()
        again = await server.peer()
        assert (await again.answers_hello(session(resumed=True)))["resume"]["cursors"] == {}


@pytest.mark.parametrize("code", [code for code in CloseCode if code >= 4100])
async def test_codes_of_the_upper_ranges_are_followed_by_a_resume(server: Script, code: CloseCode) -> None:
    async with server.live() as (client, peer):
        await peer.closes(code, "why")
        again = await server.peer()
        hello = await again.answers_hello(session(resumed=True))
        assert hello["resume"]["session_id"] == "s1"
        assert client.failure is None


@pytest.mark.parametrize("code", [code for code in CloseCode if code < 4100])
async def test_codes_of_the_lowest_range_stop_the_client(server: Script, code: CloseCode) -> None:
    async with server.live() as (client, peer):
        hearing = client.subscribe()
        await peer.closes(code, "why")
        failure = await client.wait_stopped()
        assert isinstance(failure, ConnectionClosed)
        assert (failure.code, failure.reason) == (code, "why")
        for asking in (client.request("agent.list"), client.send("c1", "x"), anext(hearing)):
            with pytest.raises(ConnectionClosed) as raised:
                await asking
            assert raised.value.code == code
        assert server.tickets == 1


async def test_a_stop_reaches_requests_in_flight(server: Script) -> None:
    async with server.live() as (client, peer):
        sending = asyncio.create_task(client.send("c1", "Hello"))
        await peer.hears("message.send")
        await peer.closes(CloseCode.BLOCKED)
        with pytest.raises(ConnectionClosed):
            await sending


async def test_a_draining_node_is_left_for_as_long_as_it_says(server: Script) -> None:
    async with server.live() as (client, peer):
        loop = asyncio.get_running_loop()
        await peer.tells("session.going_away", reconnect_in_ms=300)
        await peer.closes(CloseCode.DRAINING)
        closed_at = loop.time()
        again = await server.peer()
        assert loop.time() - closed_at >= 0.25
        await again.answers_hello(session(resumed=True))
        assert client.failure is None


async def test_a_client_that_is_turned_away_at_first_gets_in_later(server: Script) -> None:
    server.refusals = [
        (HTTPStatus.SERVICE_UNAVAILABLE, {}),
        (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "0"}),
    ]
    async with server.live() as (client, _):
        assert client.is_live
        assert server.tickets == 3


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
async def test_a_client_that_is_not_let_in_stops(server: Script, status: HTTPStatus) -> None:
    server.refusals = [(status, {})]
    client = server.client()
    with pytest.raises(ConnectionClosed) as stopped:
        await client.start()
    assert (stopped.value.code, stopped.value.reason) == (CloseCode.AUTH_FAILED, f"HTTP {status.value}")
    await client.close()


async def test_a_server_that_is_not_there_is_tried_again(server: Script) -> None:
    url = server.url
    await server.aclose()
    client = Client(url, server.ticket, patience=QUICK)
    starting = asyncio.create_task(client.start())
    while server.tickets < 3:
        await asyncio.sleep(0)
    await client.close()
    with pytest.raises(ConnectionClosed):
        await starting


async def test_a_refused_hello_stops_or_is_repeated_as_the_refusal_says(server: Script) -> None:
    client = server.client()
    starting = asyncio.create_task(client.start())
    first = await server.peer()
    await first.refuses(await first.hears("session.hello"), ErrorCode.UNAVAILABLE, retryable=True)
    await first.is_left()
    second = await server.peer()
    await second.refuses(await second.hears("session.hello"), ErrorCode.UNAUTHENTICATED)
    await second.is_left()
    with pytest.raises(ConnectionClosed) as stopped:
        await starting
    assert stopped.value.code == CloseCode.AUTH_FAILED
    await client.close()


async def test_a_hello_without_reply_is_tried_elsewhere(server: Script) -> None:
    client = Client(server.url, server.ticket, patience=Patience(open_s=0.1, first_s=0.01))
    starting = asyncio.create_task(client.start())
    silent = await server.peer()
    await silent.is_left()
    again = await server.peer()
    await again.answers_hello(session())
    await starting
    await server.lets_go(client)


async def test_a_ticket_source_may_say_later_or_never(server: Script) -> None:
    answers = [
        RequestError(ErrorCode.UNAVAILABLE, "http_503", "Later."),
        RequestError(ErrorCode.UNAUTHENTICATED, "http_401", "Never."),
    ]

    async def tickets() -> str:
        raise answers.pop(0)

    client = server.client(ticket_source=tickets)
    with pytest.raises(RequestError) as stopped:
        await client.start()
    assert stopped.value.reason == "http_401"
    await client.close()


async def test_a_server_that_falls_silent_is_left(server: Script) -> None:
    async with server.live(session(heartbeat_ms=50)) as (client, peer):
        await peer.is_left()
        again = await server.peer()
        await again.answers_hello(session(resumed=True))
        await client.start()
        assert client.connections == 2


async def test_the_heartbeat_of_the_client_carries_its_cursors_once(server: Script) -> None:
    async with server.live(session(heartbeat_ms=200)) as (client, peer):
        hearing = client.subscribe()
        await peer.tells("message.created", **message(1))
        await hearing.next("message.created")
        assert (await peer.hears("hb"))["cursors"] == {"c1": 1}
        await peer.tells("hb", heads={})
        assert (await peer.hears("hb"))["cursors"] == {}


async def test_a_server_that_speaks_nonsense_is_given_up(server: Script) -> None:
    async with server.live() as (client, peer):
        await peer.tells("message.created", conversation_id=5)
        failure = await client.wait_stopped()
        assert isinstance(failure, ConnectionClosed)
        assert failure.code == CloseCode.BAD_PROTOCOL


async def test_dropping_a_connection_is_like_a_broken_network(server: Script) -> None:
    async with server.live() as (client, peer):
        client.drop()
        assert await peer.is_left() is None
        again = await server.peer()
        assert (await again.answers_hello(session(resumed=True)))["resume"]["session_id"] == "s1"


async def test_a_fault_of_a_callback_is_told_to_whoever_waits(
    server: Script, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(_: object) -> None:
        raise KeyError("oops")

    client = server.client(on_event=fault)
    starting = asyncio.create_task(client.start())
    peer = await server.peer()
    await peer.answers_hello(session())
    failure = await client.wait_stopped()
    assert isinstance(failure, ConnectionClosed)
    assert failure.reason == "KeyError in the client"
    with pytest.raises(ConnectionClosed):
        await client.request("agent.list")
    with pytest.raises(ConnectionClosed):
        await starting
    await server.lets_go(client)


# -- the policy as a table -----------------------------------------------------------------------------------------

PATIENT = Patience(first_s=1, longest_s=8, soon_s=2)


@pytest.mark.parametrize(
    ("ended", "attempt", "lowest", "highest"),
    [
        (Ended(1006), 0, 0.5, 1),
        (Ended(1006), 2, 2, 4),
        (Ended(1006), 50, 4, 8),
        (Ended(CloseCode.OVERLOAD), 0, 0.5, 1),
        (Ended(CloseCode.OVERLOAD, wait_s=10), 0, 10.5, 11),
        (Ended(CloseCode.DRAINING), 0, 0, 2),
        (Ended(CloseCode.DRAINING, wait_s=5), 0, 5, 7),
        (Ended(CloseCode.DRAINING), 3, 4, 8),
        (Ended(CloseCode.LEASE_LOST), 0, 0, 2),
        (Ended(1001), 0, 0.5, 1),
    ],
)
def test_delays_by_code_and_attempt(ended: Ended, attempt: int, lowest: float, highest: float) -> None:
    rng = random.Random(1)
    delays = [delay_s(ended, attempt, PATIENT, rng) for _ in range(500)]
    assert lowest <= min(delays) < lowest + (highest - lowest) * 0.1
    assert highest - (highest - lowest) * 0.1 < max(delays) <= highest


def test_only_the_lowest_range_is_final() -> None:
    assert [code for code in (1000, 1006, *CloseCode) if is_final(Ended(code))] == [
        c for c in CloseCode if c < 4100
    ]


@pytest.mark.parametrize(
    ("status", "after", "ended"),
    [
        (401, None, Ended(CloseCode.AUTH_FAILED, "HTTP 401")),
        (403, "5", Ended(CloseCode.AUTH_FAILED, "HTTP 403")),
        (429, "5", Ended(CloseCode.OVERLOAD, "HTTP 429", 5.0)),
        (503, None, Ended(CloseCode.OVERLOAD, "HTTP 503")),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", Ended(CloseCode.OVERLOAD, "HTTP 503")),
        (502, None, Ended(CloseCode.OVERLOAD, "HTTP 502")),
    ],
)
def test_refused_handshakes(status: int, after: str | None, ended: Ended) -> None:
    assert refused(status, after) == ended
