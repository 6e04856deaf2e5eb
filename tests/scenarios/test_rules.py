"""Rules that act by themselves (CO-07), and what helps in peaks (CO-11)."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.ids import AccountId, ConversationId, CustomerId
from server.automation.facts import Happening
from server.store.rules import FiringRow
from tests.scenarios.house import Agent, Customer, House, Node, Person, Shop, until

KEYWORD = {"kind": "keyword", "any_of": ["refund", "退款"]}


@pytest.fixture
async def house(
    request: pytest.FixtureRequest, migrated_database_url: str, redis_url: str
) -> AsyncIterator[House]:
    """As everywhere, with deadlines looked at more often, so that a test waits less."""
    nodes = getattr(request, "param", 1)
    house = await House.start(migrated_database_url, redis_url, nodes=nodes, timers_s=0.1)
    try:
        yield house
    finally:
        await house.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On one node, and on two."""
    if "house" in metafunc.fixturenames:
        metafunc.parametrize("house", [1, 2], indirect=True, ids=["one-node", "two-nodes"])


async def rule(shop: Shop, conditions: dict[str, Any], *actions: dict[str, Any], **more: Any) -> str:
    """A rule, made as over HTTP; its id. Known on every node when this returns."""
    data = {"name": "a rule", "conditions": conditions, "actions": list(actions), **more}
    row = await shop.app.automation.rules.create(shop.caller(), data)
    for node in shop.house.nodes:

        async def knows(node: Any = node) -> bool:
            compiled = await node.app.automation.rules.compiled(shop.id)
            return any(each.row.id == row.id for each in compiled.rules) or not row.enabled

        await until(knows, what="a node's knowing the rule")
    return row.id


async def firings(shop: Shop, rule_id: str) -> tuple[FiringRow, ...]:
    """What a rule fired so far."""
    page = await shop.app.automation.rules.firings(shop.caller(), rule_id, limit=200, cursor=None)
    return page.rows


async def fired(shop: Shop, rule_id: str, times: int = 1) -> tuple[FiringRow, ...]:
    """Wait until a rule has fired so often, and all of it is done."""

    async def holds() -> tuple[FiringRow, ...] | None:
        rows = await firings(shop, rule_id)
        return rows if len(rows) == times and all(row.done_ms for row in rows) else None

    return await until(holds, what=f"firing {times} times")


async def no_deadline_left(shop: Shop) -> None:
    """Wait until nothing is going to be looked at."""

    async def holds() -> bool:
        return await shop.app.db.fetchrow("SELECT FROM timers WHERE shop_id = $1", shop.id) is None

    await until(holds, what="the last deadline's passing")


async def rest(shop: Shop) -> None:
    """Wait until no node is at work after a reply."""
    await until(lambda: all(len(node.app.background) == 0 for node in shop.house.nodes), what="rest")


async def place_of(customer: Customer) -> int:
    """Where a customer waits."""
    queue = (await customer.service()).queue
    assert queue is not None
    return queue.place


async def tags_of(shop: Shop, customer: Customer) -> set[str]:
    return {*(await shop.app.customer_store.get(shop.id, CustomerId(customer.id))).tags}


def applied(agent: Agent, talk: str) -> list[dict[str, Any]]:
    """What the log says to colleagues about rules."""
    bodies: list[Any] = [message.body for message in agent.client.logs[talk].messages]
    return [body.data for body in bodies if getattr(body, "event", None) == "rule_applied"]


def shown(person: Person, talk: str) -> Any:
    """A conversation as somebody's client has it."""
    return person.knows(talk)


@pytest.mark.req("CO-07")
async def test_a_keyword_starts_a_collaboration(house: House) -> None:
    shop = await house.shop()
    ann, bob = await shop.agent("Ann"), await shop.agent("Bob", status="paused")
    made = await rule(shop, KEYWORD, {"kind": "add", "account_ids": [bob.id]}, name="money")
    cara = await shop.customer("Cara")
    talk = await cara.opens("hello")
    await ann.sees(talk, owner=ann.id)
    await cara.says(talk, "我要退款!")
    await bob.sees(talk, owner=ann.id)
    await bob.reads(talk, "hello")
    await until(lambda: [each.person.id for each in shown(ann, talk).participants] == [bob.id])
    (firing,) = await fired(shop, made)
    assert firing.matched == [
        {"path": "", "kind": "keyword", "wanted": ["refund", "退款"], "found": ["退款"], "holds": True}
    ]
    assert firing.outcomes == [{"kind": "add", "outcome": "done", "added": [bob.id]}]
    await bob.says(talk, "I can help with the money")
    await cara.reads(talk, "I can help with the money")


@pytest.mark.req("CO-07", "CO-05")
async def test_colleagues_read_why_and_the_customer_gets_no_trace_of_it(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    made = await rule(shop, KEYWORD, {"kind": "note", "text": "Look at the order first."}, name="money")
    cara = await shop.customer("Cara")
    talk = await cara.opens("hello")
    await ann.sees(talk, owner=ann.id)
    await cara.says(talk, "REFUND please")
    await ann.reads(talk, "Look at the order first.")
    (why,) = applied(ann, talk)
    assert (why["rule_id"], why["name"]) == (made, "money")
    assert [(each["kind"], each["found"]) for each in why["matched"]] == [("keyword", ["refund"])]
    await ann.says(talk, "one moment")
    await cara.reads(talk, "one moment")
    seen = [(message.seq, message.internal) for message in cara.client.logs[talk].messages]
    assert seen == [(seq, False) for seq in range(1, len(seen) + 1)]


@pytest.mark.req("CO-07")
async def test_a_customer_who_waited_too_long_is_handed_on(house: House) -> None:
    shop = await house.shop()
    await shop.group("night")
    ann = await shop.agent("Ann")
    made = await rule(
        shop,
        {"kind": "customer_waits", "longer_than_s": 1},
        {"kind": "hand_on", "group_id": shop.groups["night"], "stay": True},
    )
    cara = await shop.customer("Cara")
    talk = await cara.opens("anybody?")
    waits_since = (await ann.sees(talk, owner=ann.id)).waiting_since
    bob = await shop.agent("Bob", groups=("night",))
    await bob.sees(talk, owner=bob.id)
    (firing,) = await fired(shop, made)
    assert firing.outcomes == [{"kind": "hand_on", "outcome": "done", "owner": bob.id}]
    row = await shop.app.conversations.get(shop.id, ConversationId(talk))
    assert (row.owner_id, row.collaborators) == (bob.id, (ann.id,))
    assert waits_since is not None and row.waiting_since_ms is not None
    late_ms = firing.at_ms - (row.waiting_since_ms + 1000)
    assert late_ms >= 0, "never early"
    assert late_ms < 2000, f"{late_ms} ms late"
    await cara.sees(talk, owner=bob.id)


@pytest.mark.req("CO-07")
async def test_who_is_answered_in_time_is_not_handed_on(house: House) -> None:
    shop = await house.shop()
    ann, bob = await shop.agent("Ann"), await shop.agent("Bob", status="paused")
    made = await rule(
        shop, {"kind": "customer_waits", "longer_than_s": 1}, {"kind": "hand_on", "account_id": bob.id}
    )
    cara = await shop.customer("Cara")
    talk = await cara.opens("anybody?")
    await ann.sees(talk, owner=ann.id)
    await ann.says(talk, "yes")
    await no_deadline_left(shop)
    assert await firings(shop, made) == ()
    await cara.sees(talk, owner=ann.id)


@pytest.mark.req("CO-07")
async def test_of_a_group_in_which_nobody_is_online_the_outcome_says_so(house: House) -> None:
    shop = await house.shop()
    night = await shop.group("night")
    ann = await shop.agent("Ann")
    made = await rule(
        shop,
        KEYWORD,
        {"kind": "hand_on", "group_id": night},
        {"kind": "note", "text": "nobody could take it"},
    )
    cara = await shop.customer("Cara")
    talk = await cara.opens("refund")
    await ann.reads(talk, "nobody could take it")
    (firing,) = await fired(shop, made)
    assert firing.outcomes == [
        {"kind": "hand_on", "outcome": "refused", "reason": "nobody_online"},
        {"kind": "note", "outcome": "done"},
    ]


@pytest.mark.req("CO-07")
async def test_tag_and_order_state_together_invite_a_group(house: House) -> None:
    shop = await house.shop()
    await shop.group("experts")
    ann = await shop.agent("Ann", capacity=10)
    bob = await shop.agent("Bob", groups=("experts",), status="paused")
    made = await rule(
        shop,
        {
            "kind": "all",
            "of": [
                {"kind": "customer_tag", "any_of": ["vip"]},
                {"kind": "order_state", "any_of": ["after_sale"]},
            ],
        },
        {"kind": "invite", "group_id": shop.groups["experts"]},
    )
    plain = await shop.customer("Plain", order_state="after_sale")
    vip = await shop.customer("Vip", order_state="after_sale", tags=("vip",))
    early = await shop.customer("Early", order_state="placed_unpaid", tags=("vip",))
    asked = bob.client.subscribe()
    talks = [await each.opens() for each in (plain, early, vip)]
    invited: Any = await asked.next("invitation.received")
    assert invited.params.invitation.conversation_id == talks[2]
    (firing,) = await fired(shop, made)
    assert firing.subject_id == talks[2]
    # and when the tag comes later
    await shop.app.work.customers.set_tags(shop.caller(AccountId(ann.id)), CustomerId(plain.id), ("vip",))
    again: Any = await asked.next("invitation.received")
    assert again.params.invitation.conversation_id == talks[0]
    await fired(shop, made, 2)


@pytest.mark.req("CO-07", "CO-09")
async def test_a_collaboration_that_is_open_for_long_is_told_of(house: House) -> None:
    shop = await house.shop()
    ann, bob = await shop.agent("Ann"), await shop.agent("Bob", status="paused")
    boss = await shop.agent("Boss", status="paused")
    made = await rule(
        shop,
        {"kind": "collaboration_open", "longer_than_s": 1},
        {"kind": "notify", "account_ids": [boss.id], "owner": True, "text": "Come to an end."},
    )
    cara = await shop.customer("Cara")
    talk = await cara.opens()
    await ann.sees(talk, owner=ann.id)
    ears = [each.client.subscribe() for each in (ann, boss)]
    silent = bob.client.subscribe()
    await ann.asks("participant.invite", conversation_id=talk, account_ids=[bob.id])
    await bob.asks("participant.join", conversation_id=talk)
    for ear in ears:
        notice: Any = (await ear.next("notice.given")).params
        assert (notice.text, notice.conversation_id, notice.rule_id) == ("Come to an end.", talk, made)
    (firing,) = await fired(shop, made)
    row = await shop.app.conversations.get(shop.id, ConversationId(talk))
    assert row.collaboration_since_ms is not None
    assert firing.at_ms >= row.collaboration_since_ms + 1000, "never early"
    with pytest.raises(TimeoutError):
        await silent.next("notice.given", timeout_s=0.2)


@pytest.mark.req("CO-07", "KS-15")
async def test_one_that_waits_too_long_overtakes(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann", capacity=1)
    busy = await (await shop.customer("Busy")).opens()
    await ann.sees(busy, owner=ann.id)
    first, second = await shop.customer("First"), await shop.customer("Second", tags=("vip",))
    talks = [await first.opens(), await second.opens()]
    made = await rule(
        shop,
        {
            "kind": "all",
            "of": [
                {"kind": "in_queue", "longer_than_s": 2},
                {"kind": "customer_tag", "any_of": ["vip"]},
            ],
        },
        {"kind": "set_priority", "priority": "priority"},
    )
    (firing,) = await fired(shop, made)
    assert firing.subject_id == talks[1]
    assert firing.outcomes == [{"kind": "set_priority", "outcome": "done"}]
    assert (await place_of(second)) == 1
    await ann.says(busy, "done")
    await ann.asks("conversation.end", conversation_id=busy)
    await shop.app.routing.do(
        shop.id,
        lambda engine, stamp: engine.close(ConversationId(busy), op_id=stamp.op_id, day=stamp.day),
    )
    await second.sees(talks[1], owner=ann.id)
    assert (await place_of(first)) == 1
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}


@pytest.mark.req("CO-07")
async def test_whoever_waits_already_when_a_rule_is_made_is_looked_at_too(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    cara = await shop.customer("Cara")
    talk = await cara.opens()
    await ann.sees(talk, owner=ann.id)
    made = await rule(shop, {"kind": "customer_waits", "longer_than_s": 1}, {"kind": "note", "text": "hurry"})
    await ann.reads(talk, "hurry")
    assert len(await fired(shop, made)) == 1


@pytest.mark.req("CO-07")
async def test_a_rule_that_is_switched_off_or_not_valid_yet_does_nothing(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    note = {"kind": "note", "text": "never"}
    off = await rule(shop, KEYWORD, note, enabled=False)
    over = await rule(shop, KEYWORD, note, valid_until_ms=int(time.time() * 1000) - 60_000)
    on = await rule(shop, KEYWORD, {"kind": "note", "text": "now"})
    cara = await shop.customer("Cara")
    talk = await cara.opens("refund")
    await ann.reads(talk, "now")
    await fired(shop, on)
    assert (await firings(shop, off), await firings(shop, over)) == ((), ())


@pytest.mark.req("CO-07")
async def test_a_rule_fires_once_for_a_conversation_whoever_hears_of_it(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    made = await rule(shop, KEYWORD, {"kind": "note", "text": "once"})
    cara = await shop.customer("Cara")
    talk = await cara.opens("hello")
    await ann.sees(talk, owner=ann.id)
    # as if every node heard of every message at the same moment
    await asyncio.gather(*(cara.says(talk, f"refund {n}") for n in range(5)))
    row = await shop.app.conversations.get(shop.id, ConversationId(talk))
    for node in house.nodes * 5:
        node.app.automation.automation.happened(shop.id, row.id, Happening.WRITTEN, "refund")
    await ann.reads(talk, "once")
    await rest(shop)
    (firing,) = await fired(shop, made)
    assert firing.occasion == 1
    assert len(applied(ann, talk)) == 1


@pytest.mark.req("CO-07")
async def test_many_deadlines_at_once_fire_once_each_and_none_early(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Ann", capacity=50)
    made = await rule(
        shop,
        {"kind": "customer_waits", "longer_than_s": 2},
        {"kind": "tag", "add": ["waited"]},
    )
    customers = [await shop.customer(f"C{n}") for n in range(20)]
    talks = await asyncio.gather(*(each.opens() for each in customers))
    rows = await fired(shop, made, 20)
    assert {row.subject_id for row in rows} == {*talks}
    for row in rows:
        found = await shop.app.conversations.get(shop.id, ConversationId(row.subject_id))
        assert found.waiting_since_ms is not None
        late_ms = row.at_ms - (found.waiting_since_ms + 2000)
        assert 0 <= late_ms < 3000, f"{late_ms} ms late"
    assert [await tags_of(shop, each) for each in customers] == [{"waited"}] * 20


@pytest.mark.req("CO-07")
async def test_a_deadline_outlives_the_node_that_set_it(
    house: House, migrated_database_url: str, redis_url: str
) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    made = await rule(shop, {"kind": "customer_waits", "longer_than_s": 2}, {"kind": "note", "text": "late"})
    leaving = await Node.start("leaving", migrated_database_url, redis_url, timers_s=0.1)
    try:
        cara = await shop.customer("Cara", node=leaving)
        talk = await cara.opens()

        async def set_there() -> bool:
            return (
                await shop.app.db.fetchrow("SELECT FROM timers WHERE subject_id = $1", ConversationId(talk))
                is not None
            )

        await until(set_there, what="the deadline's being set")
        cara.may_come.clear()
        assert await firings(shop, made) == ()
    finally:
        await leaving.stop()
    await ann.reads(talk, "late")
    (firing,) = await fired(shop, made)
    row = await shop.app.conversations.get(shop.id, ConversationId(talk))
    assert row.waiting_since_ms is not None
    assert firing.at_ms >= row.waiting_since_ms + 2000, "never early"


@pytest.mark.req("CO-07")
async def test_what_a_node_began_and_did_not_finish_another_finishes_once(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    cara = await shop.customer("Cara")
    talk = await cara.opens("hello")
    await ann.sees(talk, owner=ann.id)
    made = await rule(
        shop,
        {"kind": "customer_tag", "any_of": ["nobody has this"]},
        {"kind": "note", "text": "first"},
        {"kind": "tag", "add": ["second"]},
    )
    store = shop.app.automation.automation._store
    row = await shop.app.conversations.get(shop.id, ConversationId(talk))
    begun = await store.begin(
        await store.get(shop.id, made), talk, times=0, matched=[], given={"assign_epoch": row.assign_epoch}
    )
    assert begun is not None
    # it had told the log, left the note, and died before it could say so
    await shop.app.automation.automation._actions.applied(begun)
    await shop.app.automation.automation._actions.do(begun, 0)
    await shop.app.db.execute("UPDATE timers SET take_at = now() WHERE subject_id = $1", begun.id)
    (firing,) = await fired(shop, made)
    assert [outcome["outcome"] for outcome in firing.outcomes] == ["done", "done"]
    assert await tags_of(shop, cara) == {"second"}
    notes = [
        message
        for message in ann.client.logs[talk].messages
        if getattr(message.body, "text", None) == "first"
    ]
    assert (len(notes), len(applied(ann, talk))) == (1, 1)


@pytest.mark.req("CO-07")
async def test_rules_that_answer_to_each_other_come_to_an_end(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann")
    # Each comes before the one whose effect it answers to: so none is reached in the same look.
    for before, after in (("e", "f"), ("d", "e"), ("c", "d"), ("b", "c"), ("a", "b")):
        await rule(shop, {"kind": "customer_tag", "any_of": [before]}, {"kind": "tag", "add": [after]})
    begins = await rule(shop, KEYWORD, {"kind": "tag", "add": ["a"]})
    cara = await shop.customer("Cara")
    talk = await cara.opens("hello")
    await ann.sees(talk, owner=ann.id)
    await rest(shop)  # nothing from outside happens any more
    await cara.says(talk, "refund")
    await fired(shop, begins)

    async def ended() -> bool:
        return await tags_of(shop, cara) == {"a", "b", "c", "d"}

    await until(ended)
    await rest(shop)
    assert await ended(), "four in a row, and no more"


@pytest.mark.req("CO-11")
async def test_in_a_peak_new_conversations_go_to_the_less_loaded(house: House) -> None:
    shop = await house.shop(distribution="least_loaded")
    ann, bob = await shop.agent("Ann", capacity=2), await shop.agent("Bob", capacity=8)
    customers = [await shop.customer(f"C{n}") for n in range(10)]
    names = [await each.reaches() for each in customers]
    # whoever has the smaller share of their capacity in hand; equal shares go to whom the longest none was given
    assert (names.count("Ann"), names.count("Bob")) == (2, 8)
    assert names[:5].count("Ann") == 1, "not one after the other as even distribution gives"
    assert await shop.loads() == {"Ann": 2, "Bob": 8}
    assert (len(await ann.mine()), len(await bob.mine())) == (2, 8)


@pytest.mark.req("CO-11", "CO-01")
async def test_in_a_peak_a_rule_brings_helpers_into_a_conversation(house: House) -> None:
    shop = await house.shop()
    ann = await shop.agent("Ann", capacity=1)
    bob = await shop.agent("Bob", status="paused")
    made = await rule(
        shop,
        {
            "kind": "all",
            "of": [
                {"kind": "state", "any_of": ["active"]},
                {"kind": "queue_length", "at_least": 2},
                {"kind": "full_agents_percent", "at_least": 100},
            ],
        },
        {"kind": "add", "account_ids": [bob.id]},
    )
    calm = await (await shop.customer("Calm")).opens()
    await ann.sees(calm, owner=ann.id)
    for n in range(3):
        await (await shop.customer(f"Waits{n}")).opens()
    assert await firings(shop, made) == (), "what was given out before the peak is left alone for the moment"
    pulled = (await ann.asks("conversation.pull", pool="default")).conversation.conversation_id
    await bob.sees(pulled, owner=ann.id)
    (firing,) = await fired(shop, made)
    assert firing.subject_id == pulled
    numbers = {finding["kind"]: finding["found"] for finding in firing.matched}
    assert (numbers["queue_length"], numbers["full_agents_percent"]) == (2, 100)
