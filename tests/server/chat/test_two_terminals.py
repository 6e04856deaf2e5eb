"""A customer and an agent at two terminals, over a real node with real PostgreSQL and Redis."""

from __future__ import annotations

import signal
from typing import Any

import httpx
import pytest

from tests.server.chat.conftest import PASSWORD, House


def test_a_customer_writes_and_the_agent_answers(house: House) -> None:
    lin, alice = house.agent(), house.customer("Alice")
    lin.type("/online")
    lin.expect("You are online, load 0/1")

    alice.type("The zip is broken.")
    alice.expect("You: The zip is broken. ✓")
    alice.expect("Lin is serving you now.")
    lin.expect("#1 Alice is yours (refund / after-sale): group of the order state.")
    lin.expect("Alice: The zip is broken.")

    lin.type("I will send a label.")
    lin.expect("You: I will send a label. ✓")
    alice.expect("Lin: I will send a label.")
    lin.expect("#1 read.")

    lin.type("/end")
    lin.expect("#1 Alice: ended, wrap-up until")
    alice.expect("Lin has ended the conversation.")
    alice.type("/rate 5 quick and nice")
    alice.expect("Thank you: 5 of 5.")
    lin.expect("#1 Alice rated 5 of 5.")
    assert (alice.leave(), lin.leave()) == (0, 0)


@pytest.mark.req("KS-09", "KS-19", "KS-20", "KS-22")
def test_the_second_customer_waits_is_told_why_and_gets_the_agent_when_the_slot_frees(house: House) -> None:
    lin = house.agent()
    lin.type("/online")
    lin.expect("You are online")
    alice, bob = house.customer("Alice"), house.customer("Bob")
    alice.type("First question")
    alice.expect("Lin is serving you now.")

    bob.type("Second question")
    bob.expect("You: Second question ✓")
    bob.expect("You are number 1 of 1 in the queue (refund / after-sale): all agents are busy.")
    lin.type("/queue", "/slots")
    lin.expect("1. Bob · refund / after-sale")
    lin.expect("1 of 1 slots held")
    lin.expect("Alice: in service since")

    lin.type("/capacity 2")
    lin.expect("#2 Bob is yours (refund / after-sale): a slot became free.")
    bob.expect("Lin is serving you now.")
    lin.type("/open 2", "/why")
    lin.expect("everybody at work is full")
    lin.expect("given to Lin: a slot became free")


@pytest.mark.req("KS-11", "KS-19")
def test_whoever_writes_while_nobody_is_there_is_served_when_the_agent_comes(house: House) -> None:
    alice = house.customer("Alice")
    alice.type("Anybody there?")
    alice.expect("nobody is online now")
    lin = house.agent()
    lin.type("/online")
    lin.expect("#1 Alice is yours")
    lin.expect("Alice: Anybody there?")
    alice.expect("Lin is serving you now.")


@pytest.mark.req("KS-07", "KS-21")
def test_a_transfer_reaches_the_colleague_and_the_customer_hears_of_it(house: House) -> None:
    lin, chen = house.agent("lin"), house.agent("chen")
    lin.type("/online")
    lin.expect("You are online")
    alice = house.customer("Alice")
    alice.type("Hello")
    alice.expect("Lin is serving you now.")
    lin.expect("#1 Alice is yours")

    chen.type("/online")
    chen.expect("You are online")
    lin.type("/transfer Chen knows refunds better")
    lin.expect("#1 Alice went to Chen.")
    chen.expect("#1 Alice is yours (refund / after-sale): by hand, from Lin.")
    chen.expect("Alice: Hello")
    alice.expect("You were handed from Lin to Chen.")
    chen.type("Hello, I am Chen.")
    alice.expect("Chen: Hello, I am Chen.")


@pytest.mark.req("KS-14", "KS-18", "KS-21")
def test_pausing_pulling_giving_back_and_going_offline(house: House) -> None:
    lin, alice = house.agent(), house.customer("Alice")
    lin.type("/pause")
    lin.expect("You are paused")
    alice.type("Hello")
    alice.expect("in the queue")
    lin.type("/queue", "/pull 1")
    lin.expect("#1 Alice is yours (refund / after-sale): by hand.")
    alice.expect("Lin is serving you now.")

    lin.type("/requeue not my desk")
    lin.expect("Back in the queue: #1 Alice.")
    alice.expect("You are number 1 of 1 in the queue")
    lin.type("/pull")
    lin.expect("#1 Alice is yours")
    lin.type("/offline")
    lin.expect("You still hold 1")
    lin.type("/offline requeue")
    lin.expect("You are offline")
    alice.expect("nobody is online now")
    alice.type("/leave")
    alice.expect("You have left the queue.")


@pytest.mark.req("KS-20")
def test_an_end_can_be_undone(house: House) -> None:
    lin, alice = house.agent(), house.customer("Alice")
    lin.type("/online")
    lin.expect("You are online")
    alice.type("Hello")
    lin.expect("Alice: Hello")
    lin.type("/end")
    lin.expect("#1 Alice: ended")
    lin.type("/reopen")
    lin.expect("#1 Alice is back")
    alice.expect("Lin is serving you now.")
    lin.type("I am still here.")
    alice.expect("Lin: I am still here.")


@pytest.mark.req("PF-05")
def test_what_is_typed_while_the_node_is_away_arrives_when_it_is_back(house: House) -> None:
    lin, alice = house.agent(), house.customer("Alice")
    lin.type("/online")
    lin.expect("You are online")
    alice.type("Before")
    lin.expect("Alice: Before")

    node = house.running[0]
    node.signal(signal.SIGTERM)
    alice.expect("Connection lost.")
    assert node.ended() == 0
    alice.type("Meanwhile")
    alice.expect("Kept, and sent as soon as the connection is back: Meanwhile")

    house.serve()
    alice.expect("Connected again; nothing was missed.")
    alice.expect("You: Meanwhile ✓")
    lin.expect("Alice: Meanwhile")
    assert sum("Alice: Meanwhile" in line for line in lin.lines) == 1


def test_the_whole_talk_in_chinese(house: House) -> None:
    lin = house.agent()
    lin.type("/online")
    lin.expect("You are online")
    first, second = house.customer("小雨", lang="zh-CN"), house.customer("小晴", lang="zh-TW")
    first.type("拉链坏了，我想退款。")
    first.expect("Lin 正在为您服务。")
    second.type("退款到哪了？")
    second.expect("您在佇列（退款/售後）中排第 1 位，共 1 位：客服均在忙")
    lin.expect("小雨: 拉链坏了，我想退款。")


def test_an_unknown_command_a_slash_to_send_and_an_unsendable_text(house: House) -> None:
    lin, visitor = house.agent(), house.customer()
    lin.type("/frobnicate", "Hello?", "/online")
    lin.expect("There is no command /frobnicate.")
    lin.expect("Not sent: No conversation is open here.")
    lin.expect("You are online")
    visitor.expect("Connected to Acme as visitor.")
    visitor.type("//etc is a path")
    visitor.expect("You: /etc is a path ✓")
    lin.expect("/etc is a path")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--email", "lin@acme.example", "--password", "wrong password"), "Sign-in failed:"),
        (("--email", "nobody@acme.example", "--password", PASSWORD), "Sign-in failed:"),
    ],
)
def test_a_wrong_sign_in_is_one_sentence(house: House, arguments: tuple[str, ...], words: str) -> None:
    done = house.pointsman.run(
        "chat", "agent", "--url", house.url, "--shop", "acme", "--lang", "en", *arguments
    )
    assert done.code == 1
    assert done.err.startswith(words)


def test_a_server_that_is_not_there_is_one_sentence(house: House) -> None:
    done = house.pointsman.run(
        "chat", "customer", "--url", "http://127.0.0.1:1", "--shop", "acme", "--lang", "en"
    )
    assert done.code == 1
    assert done.err.startswith("No Pointsman answers at http://127.0.0.1:1")


@pytest.mark.req("KS-17")
def test_the_sample_bot_answers_and_hands_over(house: House) -> None:
    _switch_bot_on(house)
    password = house.folder / "password"
    bot = house.pointsman.start_module(
        *("server.demo.bot", "--url", house.url, "--shop", "acme", "--email", "robo@acme.example"),
        *("--password-file", password),
    )
    house.running.append(bot)
    bot.expect("The bot is at work")
    lin, alice = house.agent(), house.customer("Alice")
    lin.type("/online")
    lin.expect("You are online")

    alice.type("Can I get an invoice?")
    alice.expect("Robo: The invoice comes by e-mail with the parcel.")
    alice.type("I want to talk to a person")
    alice.expect("Robo: I will get you a person.")
    alice.expect("You were handed from Robo to Lin.")
    assert any("Robo (assistant) answers first" in line for line in alice.lines)
    lin.expect("#1 Alice is yours")
    bot.signal(signal.SIGINT)
    assert bot.ended() == 0


def _switch_bot_on(house: House) -> None:
    with httpx.Client(base_url=house.url) as http:
        owner = {"shop": "acme", "email": "boss@acme.example", "password": PASSWORD}
        token = http.post("/v1/auth/login", json=owner).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        accounts: list[dict[str, Any]] = http.get("/v1/accounts").json()["items"]
        bot = next(one["id"] for one in accounts if one["email"] == "robo@acme.example")
        current = http.get("/v1/settings/routing").json()
        policy = {**current["policy"], "bot": {"enabled": True, "account": bot, "keep_stickiness": False}}
        body = {"rev": current["rev"], "policy": policy, "note": "bot on"}
        assert http.put("/v1/settings/routing", json=body).status_code == 200
