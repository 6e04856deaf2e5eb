"""Every request with every role and every reach, and with ids of another shop (GP-02, GP-03, CO-06), generated from the
tables: allowed exactly where they say so; everything else is refused, changes nothing, tells nothing, and is recorded.

Routes are held against the same tables in tests/server/http/test_rights.py.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, GroupId, new_id
from protocol.methods import METHODS
from protocol.rights import BUILT_IN, UNSCOPED, Grants, Reach, Right
from protocol.states import PersonKind, Role
from server.services.callers import Caller
from server.services.handing_over import Giving
from server.store.finding import Wanted
from tests.scenarios.house import Agent, House, Person, Shop

CALLED = sorted(METHODS.keys() - {"session.hello", "session.refresh", "session.bye"})
"""The rest is the gateway's own, and is called by everybody who comes."""
AT_THE_DOOR = {"no_right", "not_for_accounts"}


def params_of(method: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Params that are right, with these ids."""
    conversation = {"conversation_id": ids["conversation_id"]}
    account, group = {"account_id": ids["account_id"]}, {"group_id": ids["group_id"]}
    share = {"share_id": ids["share_id"]}
    item = {**conversation, "item_id": ids["item_id"]}
    text = {"client_message_id": "c1", "body": {"kind": "text", "text": "x"}}
    note = {"client_message_id": "c2", "body": {"kind": "note", "text": "x"}}
    given: dict[str, dict[str, Any]] = {
        "rpc.discover": {},
        "message.send": {**conversation, **text},
        "message.recall": {**conversation, "message_id": ids["message_id"]},
        "read.mark": {**conversation, "seq": 1},
        "conversation.open": {},
        "conversation.transfer": {**conversation, **account},
        "conversation.assign": {**conversation, **group},
        "conversation.tag": {**conversation, "result_tags": []},
        "conversation.choices": {},
        "conversation.list": {"scope": "all"},
        "conversation.follow": {"head": True},
        "conversation.rate": {**conversation, "rating": 5},
        "agent.set_status": {"status": "paused", **account},
        "agent.set_capacity": {"capacity": 3, **account},
        "agent.list": {},
        "agent.slots": account,
        "agent.targets": {"act": "transfer", **conversation},
        "participant.invite": {**conversation, "account_ids": [ids["account_id"]]},
        "participant.remove": {**conversation, **account},
        "participant.invitations": {},
        "note.send": {**conversation, **note},
        "mention.list": {},
        "mention.read": {"message_ids": [ids["message_id"]]},
        "item.add": {**item, "text": "x"},
        "item.change": {**item, "done": True},
        "item.remove": item,
        "collaboration.list": {},
        "alarm.acknowledge": {"alarm_id": ids["alarm_id"]},
        "monitor.subscribe": {},
        "monitor.unsubscribe": {},
        "monitor.whisper": {**conversation, **note},
        "monitor.take_over": {**conversation, "reason": "x"},
        "screen.ask": {**conversation, "sharer_id": ids["account_id"]},
        "screen.offer": {**conversation, "viewer_id": ids["account_id"]},
        "screen.answer": {**share, "agree": True},
        "screen.signal": {**share, "kind": "candidate", "data": {}},
        "screen.stop": share,
        "file.upload": {**conversation, "name": "a.txt", "size_bytes": 3},
        "file.link": {"file_id": ids["file_id"]},
    }
    return given.get(method, conversation)


ID_NAMES = (
    "conversation_id",
    "account_id",
    "group_id",
    "message_id",
    "item_id",
    "alarm_id",
    "share_id",
    "file_id",
)


def ids_of_nothing() -> dict[str, str]:
    return {name: new_id() for name in ID_NAMES}


async def outcome(person: Person, method: str, params: dict[str, Any]) -> RequestError | None:
    """The refusal, if it is refused; who asks too fast asks again when they are told to."""
    while True:
        try:
            await person.client.request(method, **params)
        except RequestError as error:
            if error.code is not ErrorCode.RATE_LIMITED:
                return error
            await asyncio.sleep((error.retry_after_ms or 100) / 1000)
        else:
            return None


async def let_in(person: Person, methods: Iterable[str]) -> dict[str, bool]:
    """Which of these requests get past the door; on things that do not exist, so that nothing comes of it."""
    nothing = {**ids_of_nothing(), "account_id": person.id}
    found: dict[str, bool] = {}
    for method in methods:
        refused = await outcome(person, method, params_of(method, nothing))
        at_the_door = (
            refused is not None and refused.code is ErrorCode.FORBIDDEN and refused.reason in AT_THE_DOOR
        )
        found[method] = not at_the_door
    return found


async def holder(shop: Shop, name: str, grants: Grants) -> Agent:
    """Somebody with a role that grants exactly this."""
    await shop.app.role_store.put(shop.id, name, name="", grants=grants, expected_rev=0)
    for node in shop.house.nodes:
        node.app.scope.forget(shop.id)  # it would hear of it within a second
    return await shop.agent(name, roles=(name,), status="offline")


async def recorded(shop: Shop, reasons: set[str]) -> set[tuple[str, str]]:
    return {(who, what) for who, what, why in await shop.refusals() if why in reasons}


# --- the door --------------------------------------------------------------------------------------------------------
@pytest.mark.req("GP-03", "CO-06")
async def test_every_request_with_every_built_in_role(house: House) -> None:
    shop = await house.shop()
    people: dict[str, Person] = {
        role: await shop.agent(role, roles=(role,), status="offline") for role in BUILT_IN
    }
    people[Role.CUSTOMER] = await shop.customer("customer")

    found = dict(
        zip(people, await asyncio.gather(*(let_in(who, CALLED) for who in people.values())), strict=True)
    )

    kinds: dict[str, PersonKind] = {Role.CUSTOMER: PersonKind.CUSTOMER, Role.BOT: PersonKind.BOT}
    expected = {
        role: {
            name: kinds[role] in METHODS[name].others
            if role in kinds
            else METHODS[name].right in BUILT_IN[role]
            for name in CALLED
        }
        for role in people
    }
    assert found == expected
    assert await recorded(shop, AT_THE_DOOR) == {
        (role, name)
        for role, of_role in expected.items()
        for name, allowed in of_role.items()
        if not allowed and role != Role.CUSTOMER
    }


@pytest.mark.req("GP-03", "CO-06")
async def test_every_request_asks_for_its_one_right_and_for_no_other(house: House) -> None:
    shop = await house.shop()
    everything = dict(BUILT_IN[Role.OWNER])
    asked_for: dict[Right, list[str]] = {}
    for name in CALLED:
        right = METHODS[name].right
        if right is not None:
            asked_for.setdefault(right, []).append(name)

    async def check(right: Right, methods: list[str]) -> None:
        word = right.value.replace(".", "_")
        allowed = right is Right.SIGN_IN  # everybody has it, whatever their role
        only = await holder(shop, f"only_{word}", {right: Reach.ALL})
        all_but = await holder(
            shop, f"no_{word}", {each: reach for each, reach in everything.items() if each is not right}
        )
        assert await let_in(only, methods) == dict.fromkeys(methods, True)
        assert await let_in(all_but, methods) == dict.fromkeys(methods, allowed)

    await asyncio.gather(*(check(right, methods) for right, methods in asked_for.items()))


# --- reach -----------------------------------------------------------------------------------------------------------
ACTS: dict[str, tuple[Right, dict[str, Any], str | None]] = {
    "conversation.get": (Right.VIEW, {}, None),
    # the epoch is a wrong one: what is permitted is judged, and then not done
    "conversation.assign": (Right.ASSIGN, {"account_id": "me", "assign_epoch": 99}, None),
    "monitor.take_over": (Right.TAKE_OVER, {"reason": "x", "assign_epoch": 99}, None),
    "monitor.watch": (Right.WATCH, {"reason": "x"}, "monitor.unwatch"),
    "monitor.speak": (Right.SPEAK, {"reason": "x"}, "participant.leave"),
    "participant.join": (Right.JOIN, {}, "participant.leave"),
}
"""What is done to a conversation -> the right, params, and what undoes it."""
COVERED = {
    Reach.OWN: {"own"},
    Reach.GROUPS: {"own", "mate's", "waits for us", "waits for anybody"},
    Reach.ALL: {"own", "mate's", "stranger's", "waits for us", "waits for anybody", "waits for them"},
}
"""Whose conversation it is, as somebody in our group sees it -> covered."""


async def our_world(house: House) -> tuple[Shop, dict[str, str], Agent, Agent]:
    """We and they: two groups; everybody is busy elsewhere, so what waits goes on waiting."""
    shop = await house.shop()
    await shop.grouped({"placed_unpaid": "We", "after_sale": "They"})
    mate = await shop.agent("Mate", groups=("We",), status="paused")
    stranger = await shop.agent("Stranger", groups=("They",), status="paused")
    states = {
        "own": "trade_done",
        "mate's": "trade_done",
        "stranger's": "trade_done",
        "waits for us": "placed_unpaid",
        "waits for them": "after_sale",
        "waits for anybody": "trade_done",
    }
    conversations = {
        whose: await (await shop.customer(whose, order_state=state)).opens()
        for whose, state in states.items()
    }
    await give(shop, conversations["mate's"], mate)
    await give(shop, conversations["stranger's"], stranger)
    return shop, conversations, mate, stranger


async def give(shop: Shop, conversation: str, agent: Agent) -> None:
    row = await shop.app.conversations.get(shop.id, ConversationId(conversation))
    await shop.app.handing_over.to_account(row, AccountId(agent.id), Giving(by=None))


@pytest.mark.req("GP-02", "GP-03", "CO-12")
@pytest.mark.parametrize("reach", Reach)
async def test_what_a_reach_covers_is_the_same_for_every_act(house: House, reach: Reach) -> None:
    shop, conversations, _, _ = await our_world(house)
    found: dict[str, set[str]] = {}
    out_of_scope: set[tuple[str, str]] = set()
    for method, (right, params, undo) in ACTS.items():
        name = right.value.replace(".", "_")
        grants = {Right.VIEW: Reach.ALL, Right.SERVE: Reach.OWN, right: reach}
        await shop.app.role_store.put(shop.id, name, name="", grants=grants, expected_rev=0)
        actor = await shop.agent(name, roles=(name,), groups=("We",), status="offline")
        await give(shop, conversations["own"], actor)
        found[method] = set()
        for whose, conversation in conversations.items():
            filled = {key: actor.id if value == "me" else value for key, value in params.items()}
            refused = await outcome(actor, method, {"conversation_id": conversation, **filled})
            if refused is None or refused.code not in (ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND):
                found[method].add(whose)
            else:
                out_of_scope.add((name, method))
            if refused is None and undo is not None:
                await outcome(actor, undo, {"conversation_id": conversation})

    assert found == dict.fromkeys(ACTS, COVERED[reach])
    assert await recorded(shop, {"out_of_scope", "conversation_not_found"}) == out_of_scope


@pytest.mark.req("GP-02", "GP-03", "KS-18", "KS-19")
@pytest.mark.parametrize("reach", Reach)
async def test_whom_a_reach_covers(house: House, reach: Reach) -> None:
    shop, _, mate, stranger = await our_world(house)
    await shop.app.role_store.put(
        shop.id,
        "leader",
        name="",
        grants={Right.SERVE: Reach.OWN, Right.VIEW: Reach.ALL, Right.AGENT_MANAGE: reach},
        expected_rev=0,
    )
    lea = await shop.agent("Lea", roles=("leader",), groups=("We",), status="offline")

    permitted = {
        person.name
        for person in (lea, mate, stranger)
        if await outcome(lea, "agent.set_capacity", {"account_id": person.id, "capacity": 7}) is None
    }

    covered = {Reach.OWN: {"Lea"}, Reach.GROUPS: {"Lea", "Mate"}, Reach.ALL: {"Lea", "Mate", "Stranger"}}
    assert permitted == covered[reach]
    capacities = {person.name: (await person.card()).capacity for person in (lea, mate, stranger)}
    assert {name for name, capacity in capacities.items() if capacity == 7} == permitted


@pytest.mark.req("GP-02", "GP-03")
async def test_lists_and_search_show_exactly_what_can_be_opened(house: House) -> None:
    shop, conversations, mate, stranger = await our_world(house)
    for whose, holder_ in (("closed by mate", mate), ("closed by stranger", stranger), ("left", None)):
        conversation = await (await shop.customer(whose, order_state="after_sale")).opens()
        if holder_ is not None:
            await give(shop, conversation, holder_)
        await shop.app.routing.do(
            shop.id,
            lambda engine, stamp, each=conversation: engine.close(
                ConversationId(each), op_id=stamp.op_id, day=stamp.day
            ),
        )
        conversations[whose] = conversation
    seen: dict[str, frozenset[str]] = {}

    for view in Reach:
        for pull in (None, *Reach):
            name = f"view_{view.word}_pull_{'nothing' if pull is None else pull.word}"
            grants = {Right.SERVE: Reach.OWN, Right.VIEW: view}
            actor = await holder(shop, name, grants if pull is None else {**grants, Right.PULL: pull})
            await shop.app.group_store.add_member(shop.id, GroupId(shop.groups["We"]), AccountId(actor.id))
            await give(shop, conversations["own"], actor)
            opened = {
                whose
                for whose, conversation in conversations.items()
                if await outcome(actor, "conversation.get", {"conversation_id": conversation}) is None
            }
            waiting = {
                whose
                for whose in opened
                if (await shop.app.conversations.get(shop.id, ConversationId(conversations[whose]))).state
                == "queued"
            }
            whose_is = {conversation: whose for whose, conversation in conversations.items()}
            listed, queue = [
                {
                    whose_is[each.conversation_id]
                    for each in (await actor.asks("conversation.list", scope=scope)).conversations
                }
                for scope in ("all", "queue")
            ]
            row = await shop.app.account_store.get(shop.id, AccountId(actor.id))
            caller = Caller(shop.id, row.name, row.id, row.roles)
            found = await shop.app.web.state.deps.conversations.search(
                caller, Wanted(text="hello"), cursor=None, limit=50
            )
            assert listed == opened, name
            assert queue == waiting, name
            assert {whose_is[each.conversation_id] for each in found.conversations} == opened, name
            seen[name] = frozenset(opened)

    assert seen["view_own_pull_nothing"] == {"own"}
    assert seen["view_all_pull_nothing"] == set(conversations)
    assert seen["view_own_pull_groups"] == {"own", "waits for us", "waits for anybody"}
    assert seen["view_groups_pull_nothing"] == {
        "own",
        "mate's",
        "closed by mate",
        "waits for us",
        "waits for anybody",
    }


def test_every_scoped_right_of_a_conversation_is_held_against_reach() -> None:
    tried = {right for right, _, _ in ACTS.values()} | {Right.AGENT_MANAGE}
    elsewhere = {
        Right.SERVE,  # goes with owning or taking part: test_by_hand, test_participants
        Right.TRANSFER,  # of what is owned, to whom: test_scope
        Right.PULL,
        Right.INVITE,
        Right.WHISPER,  # while watching: test_supervision
        Right.CUSTOMER_VIEW,  # test_customers
        Right.CUSTOMER_EDIT,
        Right.CUSTOMER_ASSIGN,
        Right.REPORT,  # test_collaborations
        Right.REPLIES,  # own, of a group, of the shop: tests/server/http/test_quick_replies
    }
    assert tried | elsewhere == set(Right) - UNSCOPED


# --- another shop ----------------------------------------------------------------------------------------------------
async def ids_of(shop: Shop) -> dict[str, str]:
    """Real ids of real things of a shop."""
    nora = await shop.agent("Nora")
    conversation = await (await shop.customer("Yan")).opens()
    await nora.sees(conversation, owner=nora.id)
    item = new_id()
    await nora.asks("item.add", conversation_id=conversation, item_id=item, text="call back")
    sent = await nora.says(conversation, "hello")
    upload = await nora.asks("file.upload", conversation_id=conversation, name="a.txt", size_bytes=3)
    share = await nora.asks(
        "screen.offer",
        conversation_id=conversation,
        viewer_id=(await nora.sees(conversation)).customer.customer_id,
    )
    await shop.group("Refunds")
    return {
        "conversation_id": conversation,
        "account_id": nora.id,
        "group_id": shop.groups["Refunds"],
        "message_id": sent.message_id,
        "item_id": item,
        "alarm_id": new_id(),
        "share_id": share.share.share_id,
        "file_id": upload.file_id,
    }


async def everything_of(shop: Shop) -> list[str]:
    """All rows of a shop, as text; and its live state."""
    tables = await shop.app.db.fetch(
        """SELECT DISTINCT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'shop_id' ORDER BY 1"""
    )
    rows: list[str] = []
    for table in tables:
        found = await shop.app.db.fetch(
            f"SELECT t::text AS row FROM {table['table_name']} t WHERE shop_id = $1 ORDER BY 1", shop.id
        )
        rows += [f"{table['table_name']} {row['row']}" for row in found]
    snapshot = await shop.app.live.ask(shop.id, lambda engine: engine.snapshot())
    return [*rows, str(snapshot)]


@pytest.mark.req("GP-03")
async def test_ids_of_another_shop_do_not_exist_for_anybody(house: House) -> None:
    theirs, ours = await house.shop(), await house.shop()
    foreign = await ids_of(theirs)
    everything = dict.fromkeys(Right, Reach.ALL)
    us = [await ours.agent("Owner", roles=(Role.OWNER,)), await holder(ours, "mighty", everything)]
    before = await everything_of(theirs)

    for who in us:
        for method in CALLED:
            params = params_of(method, foreign)
            if METHODS[method].right is None or not set(params) & {*ID_NAMES, "message_ids"}:
                continue
            told = await outcome(who, method, params)
            alike = await outcome(who, method, params_of(method, ids_of_nothing()))
            assert (told is None) == (alike is None), method
            if told is not None and alike is not None:
                assert (told.code, told.reason, told.message, told.detail) == (
                    alike.code,
                    alike.reason,
                    alike.message,
                    alike.detail,
                ), method
                assert told.code is ErrorCode.NOT_FOUND, f"{method}: {told.reason}"
                assert (who.name, method, told.reason) in await ours.refusals()
            else:
                assert method in {"mention.read", "monitor.unwatch"}, f"{method} did something"

    assert await everything_of(theirs) == before
    assert await theirs.refusals() == []


@pytest.mark.req("GP-03")
async def test_another_shops_people_and_groups_cannot_be_chosen(house: House) -> None:
    theirs, ours = await house.shop(), await house.shop()
    nora = await theirs.agent("Nora")
    group = GroupId(await theirs.group("Refunds"))
    boss = await ours.agent("Boss", roles=(Role.OWNER, Role.SERVICE_ADMIN), status="offline")
    lily = await ours.agent("Lily")
    conversation = await (await ours.customer("Ada")).opens()
    await lily.sees(conversation, owner=lily.id)

    for method, params in (
        ("conversation.assign", {"account_id": nora.id}),
        ("conversation.assign", {"group_id": group}),
        ("conversation.transfer", {"account_id": nora.id}),
        ("participant.invite", {"account_ids": [nora.id]}),
        ("participant.invite", {"group_id": group}),
    ):
        refused = await boss.refused(method, conversation_id=conversation, **params)
        assert refused.code is ErrorCode.NOT_FOUND, method
    chooser = await boss.asks("agent.targets", act="assign", conversation_id=conversation)

    assert "Nora" not in {target.agent.name for target in chooser.agents}
    assert chooser.groups == []
    assert (await ours.app.conversations.get(ours.id, ConversationId(conversation))).owner_id == lily.id
