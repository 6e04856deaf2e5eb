"""Asking: replies find their requests, and a message is sent until it is answered, always with the same id."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import pytest

from protocol.codes import ErrorCode
from protocol.errors import ConnectionClosed, RequestError
from protocol.methods.agents import AgentListResult
from protocol.methods.messages import SendResult
from protocol.methods.session import Nothing
from tests.protocol.script import Script, T, conversation, message, session

SENT = {"seq": 1, "message_id": "m1", "created_at": T, "duplicate": False}


async def test_hello_carries_ticket_and_client(server: Script) -> None:
    client = server.client(name="bot", device="mobile")
    starting = asyncio.create_task(client.start())
    peer = await server.peer()
    hello = await peer.answers_hello(session())
    assert hello["ticket"] == "ticket-1"
    assert (hello["client"]["name"], hello["client"]["device"]) == ("bot", "mobile")
    assert "resume" not in hello
    assert (await starting).session_id == "s1"
    await server.lets_go(client)


async def test_replies_find_their_requests_in_any_order(server: Script) -> None:
    async with server.live() as (client, peer):
        first = asyncio.create_task(client.call("agent.list", Nothing(), AgentListResult))
        one = await peer.hears("agent.list")
        second = asyncio.create_task(client.request("conversation.get", conversation_id="c1"))
        two = await peer.hears("conversation.get")
        assert one["id"] != two["id"]
        await peer.answers(two, {"conversation": conversation()})
        assert (await second).model_dump()["conversation"]["conversation_id"] == "c1"
        assert not first.done()
        await peer.answers(one, {"agents": [], "pools": []})
        assert await first == AgentListResult(agents=[], pools=[])


async def test_a_refusal_is_raised_with_all_its_facts(server: Script) -> None:
    async with server.live() as (client, peer):
        asking = asyncio.create_task(client.request("agent.list"))
        await peer.refuses(
            await peer.hears("agent.list"), ErrorCode.FORBIDDEN, reason="forbidden", detail={"a": 1}
        )
        with pytest.raises(RequestError) as refused:
            await asking
        assert (refused.value.code, refused.value.reason) == (ErrorCode.FORBIDDEN, "forbidden")
        assert refused.value.detail == {"a": 1}


async def test_a_request_without_reply_ends_as_unknown(server: Script) -> None:
    async with server.live() as (client, peer):
        asking = asyncio.create_task(client.request("agent.list", timeout_s=0.05))
        await peer.hears("agent.list")
        with pytest.raises(RequestError) as refused:
            await asking
        assert (refused.value.code, refused.value.reason) == (ErrorCode.COMMIT_UNKNOWN, "no_reply")


async def test_a_late_reply_disturbs_nobody(server: Script) -> None:
    async with server.live() as (client, peer):
        with pytest.raises(RequestError):
            await client.request("agent.list", timeout_s=0.01)
        late = await peer.hears("agent.list")
        await peer.answers(late, {"agents": [], "pools": []})
        asking = asyncio.create_task(client.request("agent.list"))
        await peer.answers(await peer.hears("agent.list"), {"agents": [], "pools": []})
        assert await asking == AgentListResult(agents=[], pools=[])


async def test_a_request_in_flight_is_unknown_when_the_connection_breaks(server: Script) -> None:
    async with server.live() as (client, peer):
        asking = asyncio.create_task(client.request("conversation.end", conversation_id="c1"))
        await peer.hears("conversation.end")
        await peer.vanishes()
        with pytest.raises(RequestError) as refused:
            await asking
        assert (refused.value.code, refused.value.reason) == (ErrorCode.COMMIT_UNKNOWN, "connection_lost")


async def test_a_request_waits_for_the_next_connection(server: Script) -> None:
    async with server.live() as (client, peer):
        await peer.vanishes()
        again = await server.peer()
        asking = asyncio.create_task(client.request("agent.list"))
        await again.answers_hello(session(resumed=True))
        await again.answers(await again.hears("agent.list"), {"agents": [], "pools": []})
        assert await asking == AgentListResult(agents=[], pools=[])


@pytest.mark.req("PF-05")
async def test_an_unanswered_send_is_repeated_unchanged_on_the_next_connection(server: Script) -> None:
    async with server.live() as (client, peer):
        sending = asyncio.create_task(client.send("c1", "Hello", assign_epoch=4))
        first = await peer.hears("message.send")
        await peer.vanishes()

        again = await server.peer()
        await again.answers_hello(session(resumed=True))
        second = await again.hears("message.send")
        assert {**second, "id": 0} == {**first, "id": 0}
        await again.answers(second, {**SENT, "duplicate": True})
        assert await sending == SendResult.model_validate({**SENT, "duplicate": True})


@pytest.mark.req("PF-05")
@pytest.mark.parametrize("code", [ErrorCode.UNAVAILABLE, ErrorCode.COMMIT_UNKNOWN, ErrorCode.RATE_LIMITED])
async def test_a_retryable_refusal_is_followed_by_the_same_send(server: Script, code: ErrorCode) -> None:
    async with server.live() as (client, peer):
        sending = asyncio.create_task(client.send("c1", "Hello"))
        first = await peer.hears("message.send")
        await peer.refuses(first, code, retryable=True, retry_after_ms=10)
        second = await peer.hears("message.send")
        assert second["client_message_id"] == first["client_message_id"]
        await peer.answers(second, SENT)
        assert (await sending).seq == 1


async def test_the_time_the_server_named_is_kept(server: Script) -> None:
    async with server.live() as (client, peer):
        sending = asyncio.create_task(client.send("c1", "Hello"))
        await peer.refuses(
            await peer.hears("message.send"), ErrorCode.RATE_LIMITED, retryable=True, retry_after_ms=300
        )
        await peer.hears_nothing(0.25)
        await peer.answers(await peer.hears("message.send"), SENT)
        await sending


@pytest.mark.parametrize(
    "code", [ErrorCode.STALE_ASSIGNMENT, ErrorCode.IDEMPOTENCY_CONFLICT, ErrorCode.INVALID_STATE]
)
async def test_a_final_refusal_of_a_send_is_raised(server: Script, code: ErrorCode) -> None:
    async with server.live() as (client, peer):
        sending = asyncio.create_task(client.send("c1", "Hello"))
        await peer.refuses(await peer.hears("message.send"), code)
        with pytest.raises(RequestError) as refused:
            await sending
        assert refused.value.code is code


async def test_sends_into_one_conversation_keep_their_order(server: Script) -> None:
    async with server.live() as (client, peer):
        sends = [asyncio.create_task(client.send("c1", text)) for text in ("one", "two")]
        other = asyncio.create_task(client.send("c2", "elsewhere"))
        first = await peer.hears("message.send")
        assert (await peer.hears("message.send"))["conversation_id"] == "c2"
        await peer.hears_nothing(0.05)
        await peer.answers(first, SENT)
        assert (await peer.hears("message.send"))["body"]["text"] == "two"
        for task in [*sends, other]:
            task.cancel()


async def test_a_send_with_a_time_limit_gives_up_with_the_last_refusal(server: Script) -> None:
    async with server.live() as (client, peer):
        sending = asyncio.create_task(client.send("c1", "Hello", timeout_s=0.2))
        await peer.refuses(
            await peer.hears("message.send"), ErrorCode.UNAVAILABLE, retryable=True, retry_after_ms=10_000
        )
        with pytest.raises(RequestError) as refused:
            await sending
        assert refused.value.code is ErrorCode.UNAVAILABLE


async def test_typing_is_told_when_connected_and_lost_otherwise(server: Script) -> None:
    async with server.live() as (client, peer):
        await client.typing("c1", text="Hel")
        heard = await peer.hears("typing.set")
        assert (heard["conversation_id"], heard["typing"], heard["text"], heard["id"]) == (
            "c1",
            True,
            "Hel",
            None,
        )
        await peer.vanishes()
        again = await server.peer()
        await client.typing("c1")
        await again.answers_hello(session())
        await again.hears_nothing(0.05)


async def test_a_client_may_be_used_as_a_context(server: Script) -> None:
    async def serve() -> None:
        peer = await server.peer()
        await peer.answers_hello(session())
        await peer.answers(await peer.hears("session.bye"), {})
        assert await peer.is_left() == 1000

    serving = asyncio.create_task(serve())
    async with server.client() as client:
        assert client.session is not None
        assert client.session.me.person.name == "Ann"
    await serving


async def test_a_context_that_cannot_begin_leaves_nothing_behind(server: Script) -> None:
    server.refusals = [(HTTPStatus.UNAUTHORIZED, {})]
    client = server.client()
    with pytest.raises(ConnectionClosed):
        async with client:
            raise AssertionError("never reached")
    assert await client.wait_stopped() is not None


async def test_a_result_of_another_shape_is_a_refusal(server: Script) -> None:
    async with server.live() as (client, peer):
        asking = asyncio.create_task(client.request("agent.list"))
        await peer.answers(await peer.hears("agent.list"), {"agents": [{"name": "Ann"}], "pools": []})
        with pytest.raises(RequestError) as refused:
            await asking
        assert refused.value.code is ErrorCode.INVALID_PARAMS
        assert refused.value.detail[0] == {"field": "agents.0.account_id", "problem": "is required"}


async def test_leaving_says_bye_and_closes(server: Script) -> None:
    async with server.live() as (client, peer):
        closing = asyncio.create_task(client.close(sign_out=True))
        bye = await peer.hears("session.bye")
        assert bye["sign_out"] is True
        await peer.answers(bye, {})
        assert await peer.is_left() == 1000
        await closing
        assert await client.wait_stopped() is None
        with pytest.raises(ConnectionClosed):
            await client.request("agent.list")


async def test_leaving_a_server_that_does_not_answer_takes_no_longer_than_its_limits(server: Script) -> None:
    async with server.live() as (client, peer):
        async with asyncio.timeout(6):
            await client.close()
        assert await peer.is_left() == 1000
        assert not client.is_live


async def test_a_refresh_uses_a_fresh_ticket(server: Script) -> None:
    async with server.live() as (_, peer):
        await peer.tells("session.expiring", expires_at=T)
        refresh = await peer.hears("session.refresh")
        assert refresh["ticket"] == "ticket-2"
        await peer.answers(refresh, {"expires_at": T})
        await peer.hears_nothing(0.02)


async def test_the_own_message_is_fetched_should_it_not_come(server: Script) -> None:
    async with server.live(keep_messages=True) as (client, peer):
        hearing = client.subscribe()
        sending = asyncio.create_task(client.send("c1", "Hello"))
        await peer.answers(await peer.hears("message.send"), SENT)
        await sending
        history = await peer.hears("message.history")
        assert history["after_seq"] == 0
        await peer.answers(history, {"messages": [message(1, "Hello")], "head_seq": 1, "more": False})
        assert (await hearing.next("message.created")).params.model_dump()["seq"] == 1
