"""The life of a connection as a dialogue: hello, resume, requests, expiry, the end."""

import asyncio
import time
from dataclasses import replace

import pytest

from protocol.codes import CloseCode
from protocol.ids import PersonId, ShopId
from server.limits import Rate
from server.push import Control
from tests.server.gateway.house import CONVERSATION, SHOP, SMALL, House, message, running, state

pytestmark = pytest.mark.req("PF-01", "PF-03")
AGENT = "sam:account:agent"


@pytest.fixture(params=["direct", "asgi"])
def direct(request: pytest.FixtureRequest) -> bool:
    return request.param == "direct"


def send(client, name: str, conversation: str = CONVERSATION):
    body = {"kind": "text", "text": "hi"}
    return client.ask("message.send", conversation_id=conversation, client_message_id=name, body=body)


# --- hello ----------------------------------------------------------------------------------------------------------
async def test_hello_is_answered_then_ready_then_live(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.client("ann")
        assert house.count("ann") == 1
        house.hub.deliver(SHOP, [message(1, "ann", "bob")])
        assert (await client.event("message.created"))["seq"] == 1
        await client.ws.close()
        await house.until(lambda: house.opener.endings)
        assert (house.opener.endings[0][0], house.opener.endings[0][1].code) == ("ann", 1000)
        assert len(house.hub) == 0


@pytest.mark.parametrize(
    ("ticket", "code", "close"),
    [("nobody", 1001, 4001), ("blocked", 1001, 4005), ("overload", 1050, 4104)],
)
async def test_a_refused_hello_is_answered_and_closed(
    direct: bool, ticket: str, code: int, close: int
) -> None:
    async with running(direct=direct) as house:
        client = await house.socket()
        answer = await client.answer(await client.ask("session.hello", ticket=ticket))
        assert answer["error"]["code"] == code
        assert await client.closed() == close
        assert house.opener.endings == [], "open was never called"


async def test_hello_without_ticket_or_authorization_is_4001() -> None:
    async with running() as house:
        client = await house.socket()
        answer = await client.answer(await client.ask("session.hello"))
        assert answer["error"]["data"]["reason"] == "no_ticket"
        assert await client.closed() == 4001


async def test_before_hello_nothing_else_is_understood() -> None:
    async with running() as house:
        client = await house.socket()
        assert (await client.answer(await send(client, "m")))["error"]["code"] == 1001
        assert house.said == []
        await client.hello("ann")
        assert (await client.answer(await client.ask("session.hello", ticket="ann")))["error"]["code"] == 1012


async def test_an_opener_that_fails_is_told_of_the_end_all_the_same() -> None:
    async with running() as house:

        def fail(session):
            raise ZeroDivisionError

        house.opener.while_opening = fail
        client = await house.socket()
        answer = await client.answer(await client.ask("session.hello", ticket="ann"))
        assert answer["error"]["code"] == -32603
        assert "ZeroDivision" not in str(answer)
        assert await client.closed() == 4100
        await house.until(lambda: len(house.opener.endings) == 1)
        assert len(house.hub) == 0


async def test_a_client_that_leaves_while_its_session_is_opened_ends_once() -> None:
    async with running() as house:
        gate = asyncio.Event()
        house.opener.while_opening = lambda session: gate.wait()
        client = await house.socket()
        await client.ask("session.hello", ticket="ann")
        await house.until(lambda: house.opener.opened)
        await client.ws.close()
        await house.until(lambda: house.gateway.sockets == 0)
        assert house.opener.endings == [], "open has not come back"
        gate.set()
        await house.until(lambda: house.opener.endings)
        await asyncio.sleep(0.05)
        assert len(house.opener.endings) == 1


async def test_a_hello_that_takes_too_long_is_answered_in_time() -> None:
    async with running(replace(SMALL, request_deadline_s=0.4)) as house:
        house.opener.while_opening = lambda session: house.gate.wait()
        client = await house.socket()
        answer = await client.answer(await client.ask("session.hello", ticket="ann"))
        assert answer["error"]["data"]["reason"] == "deadline"
        assert await client.closed() == 4104
        house.gate.set()
        await house.until(lambda: len(house.opener.endings) == 1)


async def test_too_many_connections_of_one_person_is_4007() -> None:
    async with running(replace(SMALL, customer_connections=2)) as house:
        await house.client("ann")
        await house.client("ann")
        client = await house.socket()
        await client.ask("session.hello", ticket="ann")
        assert await client.closed() == 4007
        await house.client("bob")


# --- catching up ----------------------------------------------------------------------------------------------------
@pytest.mark.req("PF-05")
async def test_missed_then_held_without_doubles_then_ready(direct: bool) -> None:
    async with running(direct=direct) as house:
        house.opener.missed = [message(seq) for seq in (4, 5, 6)]

        def meanwhile(session):
            # 5 and 6 are in what is read afterwards; 7 came later. The state is absolute: only the last matters.
            house.hub.deliver(SHOP, [message(seq, "ann") for seq in (5, 6, 7)])
            house.hub.deliver(SHOP, [state("sam", 1, "ann"), state("sam", 2, "ann")])

        house.opener.while_opening = meanwhile
        client = await house.socket()
        await client.answer(await client.ask("session.hello", ticket="ann"))
        seen = []
        while (frame := await client.receive())["method"] != "session.ready":
            seen.append((frame["method"], frame["params"].get("seq", frame["params"].get("rev"))))
        assert seen == [("message.created", 4), ("message.created", 5), ("message.created", 6),
                        ("message.created", 7), ("agent.changed", 2)]  # fmt: skip


async def test_what_the_snapshot_tells_is_not_told_again_but_an_update_is() -> None:
    async with running() as house:
        house.opener.heads = {CONVERSATION: 9}
        updated = replace(
            message(3, "ann"), frame=message(3).frame.replace(b"message.created", b"message.updated")
        )
        house.opener.while_opening = lambda session: house.hub.deliver(SHOP, [message(9, "ann"), updated])
        client = await house.client("ann")
        assert [frame["method"] for frame in client.events] == ["message.updated"]


async def test_a_long_catch_up_waits_for_its_reader_and_loses_nothing() -> None:
    async with running(replace(SMALL, customer_outbox_bytes=20_000)) as house:
        house.opener.missed = [message(seq, size=4000) for seq in range(1, 301)]  # sixty times the outbox
        client = await house.client("ann")
        assert [frame["params"]["seq"] for frame in client.events] == list(range(1, 301))


async def test_resumed_on_another_socket_the_first_is_replaced() -> None:
    async with running() as house:
        first = await house.socket()
        session_id = (await first.hello("ann"))["session_id"]
        house.opener.resumed = True
        second = await house.socket()
        assert (await second.hello("ann", resume={"session_id": session_id}))["resumed"] is True
        assert (await first.event("session.replaced"))["session_id"] == session_id
        assert await first.closed() == 4003
        stranger = await house.socket()
        await stranger.hello("bob", resume={"session_id": session_id})
        house.hub.deliver(SHOP, [message(1, "ann")])
        assert (await second.event("message.created"))["seq"] == 1


# --- requests -------------------------------------------------------------------------------------------------------
async def test_sends_start_in_order_without_waiting_for_each_other(direct: bool) -> None:
    async with running(direct=direct) as house:
        client = await house.client()
        ids = [await send(client, name) for name in ("slow-1", "quick-2", "slow-3", "quick-4")]
        assert (await client.answer(ids[1]))["result"]["seq"] == 2
        assert (await client.answer(ids[3]))["result"]["seq"] == 4
        assert house.said == ["slow-1", "quick-2", "slow-3", "quick-4"]
        house.gate.set()
        assert (await client.answer(ids[0]))["result"]["seq"] == 1


async def test_other_requests_of_a_conversation_wait_for_their_turn_and_of_others_do_not() -> None:
    async with running() as house:
        client = await house.client()
        await client.ask("conversation.get", conversation_id="a")
        await send(client, "after", "a")
        await client.ask("message.history", conversation_id="a")
        other = await client.ask("message.history", conversation_id="b")
        await client.answer(other)
        assert house.said == ["get a", "history b"]
        house.gate.set()
        await house.until(lambda: len(house.said) == 4)
        assert house.said == ["get a", "history b", "after", "history a"]


async def test_a_request_is_answered_within_its_deadline_and_its_late_result_dropped() -> None:
    async with running(replace(SMALL, request_deadline_s=0.4)) as house:
        client = await house.client()
        answer = await client.answer(await client.ask("conversation.get", conversation_id="a"))
        assert answer["error"]["code"] == 1050
        assert answer["error"]["data"]["retryable"] is True
        house.gate.set()
        ready = await client.ask("message.history", conversation_id="b")
        assert (await client.receive())["id"] == ready, "nothing came before it"


async def test_a_bug_is_answered_without_a_traceback_and_the_socket_lives() -> None:
    async with running() as house:
        client = await house.client()
        answer = await client.answer(await client.ask("read.mark", conversation_id="a", seq=1))
        assert (answer["error"]["code"], answer["error"]["message"].count("ZeroDivision")) == (-32603, 0)
        assert "result" in await client.answer(await client.ask("message.history", conversation_id="a"))


async def test_what_the_role_does_not_allow_is_1003() -> None:
    async with running() as house:
        client = await house.client("ann")
        assert (await client.answer(await client.ask("agent.list")))["error"]["code"] == 1003
        agent = await house.client(AGENT)
        assert "result" in await agent.answer(await agent.ask("agent.list"))


async def test_as_many_as_the_limit_are_under_way_and_the_rest_follows() -> None:
    async with running(replace(SMALL, in_flight=4)) as house:
        client = await house.client(AGENT)
        ids = [await client.ask("conversation.get", conversation_id=f"c{number}") for number in range(20)]
        await house.until(lambda: len(house.said) >= 4)
        house.gate.set()
        for each in ids:
            assert "result" in await client.answer(each)
        assert len(house.said) == 20


# --- rates ----------------------------------------------------------------------------------------------------------
async def test_messages_over_the_rate_are_1029_with_a_time_and_later_welcome() -> None:
    async with running(replace(SMALL, customer_rate=Rate(per_s=1, burst=3))) as house:
        client = await house.client()
        ids = [await send(client, str(number)) for number in range(4)]
        refused = (await client.answer(ids[3]))["error"]
        assert refused["code"] == 1029
        assert 0 < refused["data"]["retry_after_ms"] <= 1001
        assert house.said == ["0", "1", "2"]
        await asyncio.sleep(refused["data"]["retry_after_ms"] / 1000)
        assert "result" in await client.answer(await send(client, "again"))


async def test_abuse_is_closed_with_4103() -> None:
    limits = replace(SMALL, customer_rate=Rate(per_s=1, burst=1), strikes=Rate(per_s=0.1, burst=20))
    async with running(limits) as house:
        client = await house.client()
        for number in range(40):
            await send(client, str(number))
        assert await client.closed() == 4103
        assert house.said == ["0"]


async def test_nonsense_is_answered_and_too_much_of_it_closed() -> None:
    async with running(replace(SMALL, strikes=Rate(per_s=0.1, burst=20))) as house:
        client = await house.client()
        unknown = '{"jsonrpc":"2.0","id":1,"method":"no.such"}'
        without_id = '{"jsonrpc":"2.0","id":null,"method":"rpc.discover"}'
        for poison in ("{", "[]", unknown, without_id):
            await client.ws.send(poison)
            assert (await client.receive())["error"]["code"] in (-32700, -32600, -32601)
        for _ in range(30):
            await client.ws.send("{")
        assert await client.closed() == 4000


async def test_typing_is_thinned_out_but_its_end_and_what_was_typed_last_are_told() -> None:
    async with running(replace(SMALL, typing_interval_s=2)) as house:
        client = await house.client()
        for typed in (True, True, False, False):
            await client.tell("typing.set", conversation_id="a", typing=typed)
        await client.answer(await client.ask("message.history", conversation_id="a"))
        assert house.said == ["typing True", "typing False", "history a"]
        for text in ("g", "go", "good"):
            await client.tell("typing.set", conversation_id="a", typing=True, text=text)
        await house.until(lambda: len(house.said) > 3)
        assert house.said[3:] == ["typing True good"]


async def test_what_was_typed_last_is_not_told_after_its_end() -> None:
    async with running(replace(SMALL, typing_interval_s=0.5)) as house:
        client = await house.client()
        for typed in (True, True, False):
            await client.tell("typing.set", conversation_id="a", typing=typed)
        await house.until(lambda: len(house.said) == 2)
        await asyncio.sleep(0.7)  # longer than what was held would have been
        assert house.said == ["typing True", "typing False"]


# --- heartbeat ------------------------------------------------------------------------------------------------------
async def test_the_server_beats_when_it_is_quiet_and_names_heads_that_changed(direct: bool) -> None:
    async with running(replace(SMALL, heartbeat_s=0.4), direct=direct) as house:
        client = await house.client()
        house.hub.deliver(SHOP, [message(1, "ann"), message(2, "ann")])
        assert (await client.event("hb"))["heads"] == {CONVERSATION: 2}
        begun = time.monotonic()
        assert (await client.event("hb"))["heads"] == {}
        assert 0.2 < time.monotonic() - begun < 4.0


async def test_a_client_whose_cursor_is_behind_is_told_at_once() -> None:
    async with running() as house:
        client = await house.client()
        house.hub.deliver(SHOP, [message(1, "ann"), message(2, "ann")])
        await client.event("message.created")
        await client.tell("hb", cursors={CONVERSATION: 2})
        await client.tell("hb", cursors={CONVERSATION: 1, "unknown": 5})
        assert (await client.event("hb"))["heads"] == {CONVERSATION: 2}


async def test_silence_is_4109_and_any_frame_breaks_it(direct: bool) -> None:
    async with running(replace(SMALL, silence_s=0.6, heartbeat_s=5), direct=direct) as house:
        silent, speaking = await house.client("ann"), await house.client("bob")
        begun = time.monotonic()
        for _ in range(10):
            await asyncio.sleep(0.15)
            await speaking.tell("hb")
        assert await silent.closed() == 4109
        assert house.count("bob") == 1
        assert time.monotonic() - begun < 3
        assert [(who, ending.code) for who, ending in house.opener.endings] == [("ann", 4109)]


async def test_a_slow_request_does_not_hold_up_heartbeats() -> None:
    async with running(replace(SMALL, silence_s=0.6, heartbeat_s=0.3)) as house:
        client = await house.client()
        await client.ask("conversation.get", conversation_id="a")
        for _ in range(6):
            await client.event("hb")
            await client.tell("hb")
        assert house.count("ann") == 1


# --- expiry, refresh, the end ---------------------------------------------------------------------------------------
async def test_a_session_warns_and_expires_with_4101() -> None:
    async with running(replace(SMALL, expiring_s=0.5)) as house:
        house.opener.session_s = 1.0
        client = await house.client()
        await client.event("session.expiring")
        assert await client.closed() == 4101


async def test_a_refreshed_session_lives_on() -> None:
    async with running(replace(SMALL, expiring_s=0.5)) as house:
        house.opener.session_s = 1.0
        client = await house.client(AGENT)
        await client.event("session.expiring")
        house.opener.session_s = 3600
        answer = await client.answer(await client.ask("session.refresh", ticket="sam:account:supervisor"))
        assert "expires_at" in answer["result"]
        await asyncio.sleep(0.8)
        assert house.hub.sessions()[0].roles == {"supervisor"}
        assert "result" in await client.answer(await client.ask("agent.list"))


async def test_a_refresh_as_somebody_else_is_4001_and_a_bad_ticket_changes_nothing() -> None:
    async with running() as house:
        client = await house.client("ann")
        assert (await client.answer(await client.ask("session.refresh", ticket="nobody")))["error"][
            "code"
        ] == 1001
        assert (await client.answer(await client.ask("session.refresh", ticket="bob")))["error"][
            "code"
        ] == 1001
        assert await client.closed() == 4001


async def test_bye_is_answered_closed_with_1000_and_passed_on() -> None:
    async with running() as house:
        client = await house.client()
        assert (await client.answer(await client.ask("session.bye", sign_out=True)))["result"] == {}
        assert await client.closed() == 1000
        await house.until(lambda: house.opener.endings)
        assert house.opener.endings[0][1].sign_out is True


async def test_a_control_closes_every_socket_of_a_person_and_nobody_elses(house: House) -> None:
    first, second, other = await house.client("ann"), await house.client("ann"), await house.client("bob")
    house.hub.deliver(SHOP, [Control((PersonId("ann"),), CloseCode.AUTH_FAILED, "revoked")])
    house.hub.deliver(SHOP, [message(1, "ann", "bob")])
    assert (await first.closed(), await second.closed()) == (4001, 4001)
    assert (await other.event("message.created"))["seq"] == 1
    assert first.events == second.events == [], "nothing after the revocation"


async def test_pushes_of_another_shop_reach_nobody(house: House) -> None:
    client = await house.client("ann")
    house.hub.deliver(ShopId("shop-2"), [message(1, "ann")])
    house.hub.deliver(SHOP, [message(2, "ann")])
    assert (await client.event("message.created"))["seq"] == 2


async def test_a_lost_lease_closes_everybody_with_4203(house: House) -> None:
    client, young = await house.client(), await house.socket()
    await house.until(lambda: house.gateway.sockets == 2)
    assert house.gateway.close_all(CloseCode.LEASE_LOST, "lease lost") == 2
    assert (await client.closed(), await young.closed()) == (4203, 4203)


@pytest.fixture
async def house():
    async with running() as house:
        yield house
