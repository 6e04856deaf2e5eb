"""Supervisors in conversations (CO-12): silently, unheard, in the open, in charge; and the customer's view of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.ids import AccountId, ConversationId, new_id
from protocol.rights import Right
from protocol.shapes import NoteBody
from protocol.states import Role
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until
from tests.scenarios.raw import RawSocket, raw_socket

HELLO = {"name": "test", "version": "1", "device": "web"}


@dataclass
class Scene:
    """Lily serves Ada; Sue supervises."""

    shop: Shop
    lily: Agent
    sue: Agent
    ada: Customer
    talk: str

    async def sue_watches(self, reason: str = "") -> Any:
        return await self.sue.asks("monitor.watch", conversation_id=self.talk, reason=reason)

    async def whispers(self, text: str, client_message_id: str | None = None) -> Any:
        return await self.sue.asks(
            "monitor.whisper",
            conversation_id=self.talk,
            client_message_id=client_message_id or new_id(),
            body={"kind": "note", "text": text},
        )

    async def recorded(self, outcome: str = "done") -> list[tuple[str, str, str]]:
        """Supervisors' acts in the audit, the oldest first: action, who, reason."""
        rows = await self.shop.app.db.fetch(
            "SELECT action, actor_name, reason FROM audit"
            " WHERE shop_id = $1 AND outcome = $2 AND action LIKE 'monitor.%' ORDER BY at, id",
            self.shop.id,
            outcome,
        )
        return [(row["action"], row["actor_name"], row["reason"]) for row in rows]

    async def watched(self) -> tuple[str, ...]:
        """What Sue watches, as the server knows it."""
        return await self.shop.app.supervision.watching.of(self.shop.id, AccountId(self.sue.id))


async def setting(
    house: House,
    *,
    sue: tuple[Any, ...] = (Role.SUPERVISOR,),
    lead: dict[str, str] | None = None,
    **collaboration: Any,
) -> Scene:
    """`lead`: the grants of a role of that name, which Sue then has."""
    shop = await house.shop()
    if lead is not None:
        sue = ("lead",)
        await role(shop, "lead", **lead)
    if collaboration:
        await shop.app.shop_store.set_collaboration(shop.id, collaboration)
        for node in house.nodes:
            node.app.shops.forget(shop.id)
    lily = await shop.agent("Lily")
    supervisor = await shop.agent("Sue", roles=sue, status="offline")
    ada = await shop.customer("Ada")
    talk = await ada.opens("good morning")
    await lily.sees(talk, owner=lily.id)
    return Scene(shop, lily, supervisor, ada, talk)


@asynccontextmanager
async def ear_of(person: Person) -> AsyncGenerator[RawSocket]:
    """Another socket of this person, which keeps every frame that it gets from now on."""
    async with raw_socket(person, person.shop.house.next_node()) as (socket, ticket):
        await socket.asks("session.hello", ticket=ticket, client=HELLO)
        await socket.until_heard("session.ready")
        socket.heard.clear()
        yield socket


async def all_heard(socket: RawSocket, talk: str, said: str) -> list[dict[str, Any]]:
    """Every frame up to the message `said`, heartbeats and that message left out."""
    while not any(_text(frame) == said for frame in socket.heard):
        await socket._next()
    return [frame for frame in socket.heard if _text(frame) != said and frame["method"] != "hb"]


def _text(frame: dict[str, Any]) -> str | None:
    body = frame["params"].get("body")
    return None if body is None else body.get("text")


# --- watching --------------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-12")
async def test_who_watches_gets_every_word_live(house: House) -> None:
    scene = await setting(house)

    watched = await scene.sue_watches()

    assert watched.conversation.conversation_id == scene.talk
    assert watched.watching == [scene.talk]
    await scene.ada.says(scene.talk, "are you there?")
    await scene.lily.says(scene.talk, "I am")
    await scene.sue.reads(scene.talk, "are you there?")
    await scene.sue.reads(scene.talk, "I am")


@pytest.mark.req("CO-12")
async def test_neither_customer_nor_agent_gets_one_frame_about_who_watches(house: House) -> None:
    scene = await setting(house)
    async with ear_of(scene.ada) as ada, ear_of(scene.lily) as lily:
        await scene.sue_watches()
        await scene.sue.asks("monitor.unwatch", conversation_id=scene.talk)
        await scene.sue_watches()

        await scene.ada.says(scene.talk, "still here")

        assert await all_heard(ada, scene.talk, "still here") == []
        assert await all_heard(lily, scene.talk, "still here") == []
    shown = (await scene.lily.asks("conversation.get", conversation_id=scene.talk)).conversation
    assert (shown.watchers, shown.participants) == ([], [])


@pytest.mark.req("CO-12")
async def test_agents_see_who_watches_where_the_shop_says_so_and_the_customer_does_not(house: House) -> None:
    scene = await setting(house, agents_see_watchers=True)
    async with ear_of(scene.ada) as ada:
        await scene.sue_watches()

        await until(
            lambda: [party.name for party in scene.lily.has(scene.talk).watchers] == ["Sue"],
            what="Lily's being told",
        )
        await scene.ada.says(scene.talk, "hello?")
        assert await all_heard(ada, scene.talk, "hello?") == []


@pytest.mark.req("CO-12")
async def test_all_devices_of_the_watcher_know_what_is_watched(house: House) -> None:
    scene = await setting(house)
    async with ear_of(scene.sue) as other:
        await scene.sue_watches()

        frames = await other.until_heard("monitor.watching")

        assert frames[-1]["params"] == {"watching": [scene.talk]}


@pytest.mark.req("CO-12")
async def test_watching_again_changes_nothing(house: House) -> None:
    scene = await setting(house)
    await scene.sue_watches()

    again = await scene.sue_watches()

    assert again.watching == [scene.talk]
    assert [action for action, _, _ in await scene.recorded()] == ["monitor.watch"]


@pytest.mark.req("CO-12")
async def test_who_takes_part_need_not_watch(house: House) -> None:
    scene = await setting(house)
    await scene.sue.asks("monitor.speak", conversation_id=scene.talk)

    assert (await scene.sue.refused("monitor.watch", conversation_id=scene.talk)).reason == "takes_part"


@pytest.mark.req("CO-12")
async def test_nobody_watches_more_than_can_be_read(migrated_database_url: str, redis_url: str) -> None:
    house = await House.start(migrated_database_url, redis_url, watch_most=1)
    try:
        scene = await setting(house)
        await scene.sue_watches()
        other = await (await scene.shop.customer("Bob")).opens()

        refused = await scene.sue.refused("monitor.watch", conversation_id=other)

        assert (refused.code, refused.reason) == (ErrorCode.CONFLICT, "watching_too_many")
        assert await scene.watched() == (scene.talk,)
    finally:
        await house.stop()


# --- its ends --------------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-12")
async def test_who_unwatches_gets_nothing_more(house: House) -> None:
    scene = await setting(house)
    await scene.sue_watches()

    left = await scene.sue.asks("monitor.unwatch", conversation_id=scene.talk)

    assert left.watching == []
    async with ear_of(scene.sue) as sue:
        await scene.ada.says(scene.talk, "secret")
        await scene.lily.reads(scene.talk, "secret")
        await sue.asks("agent.list")
        assert [_text(frame) for frame in sue.heard if frame["method"] == "message.created"] == []


@pytest.mark.req("CO-12")
async def test_watching_ends_with_the_conversation(house: House) -> None:
    scene = await setting(house)
    await scene.shop.set_policy(wrap_up_s=0)
    await scene.sue_watches()
    async with ear_of(scene.sue) as sue:
        await scene.lily.asks("conversation.end", conversation_id=scene.talk)

        frames = await sue.until_heard("monitor.watching")

        assert frames[-1]["params"] == {"watching": []}
    await scene.sue.sees(scene.talk, state="closed")
    assert await scene.watched() == ()


@pytest.mark.req("CO-12")
async def test_watching_ends_with_signing_out(house: House) -> None:
    scene = await setting(house)
    await scene.sue_watches()

    await scene.sue.leave(sign_out=True)

    await until(lambda: nobody_watches(scene), what="the end of watching")


@pytest.mark.req("CO-12")
async def test_watching_outlasts_a_reload_and_not_a_long_absence(
    migrated_database_url: str, redis_url: str
) -> None:
    house = await House.start(migrated_database_url, redis_url, nodes=2, watch_away_s=3)
    try:
        scene = await setting(house)
        await scene.sue_watches()
        await scene.sue.leave()
        back = await scene.sue.arrive(house.nodes[1])  # on another node
        await back.asks("monitor.watch", conversation_id=scene.talk)
        assert len(await scene.recorded()) == 1, "it had not ended"

        await back.leave()

        await until(lambda: nobody_watches(scene), what="the end of watching")
    finally:
        await house.stop()


async def nobody_watches(scene: Scene) -> bool:
    return await scene.watched() == ()


@pytest.mark.req("CO-12", "GP-02")
@pytest.mark.parametrize(
    "grants", [{"WATCH": "groups", "VIEW": "groups"}, {"VIEW": "all"}], ids=["out-of-reach", "no-right"]
)
async def test_watching_ends_with_the_right_to_it(house: House, grants: dict[str, str]) -> None:
    scene = await setting(house, lead={"WATCH": "all", "VIEW": "all"})
    await scene.sue_watches()

    await role(scene.shop, "lead", **grants)

    await until(lambda: nobody_watches(scene), what="the end of watching")


async def role(shop: Shop, name: str, **grants: str) -> None:
    """A role of the shop's own, known on every node."""
    await shop.app.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, $2, $3)"
        " ON CONFLICT (shop_id, role) DO UPDATE SET grants = excluded.grants",
        shop.id,
        name,
        {Right[right].value: reach for right, reach in grants.items()},
    )
    for node in shop.house.nodes:
        node.app.scope.forget(shop.id)


# --- whispering ------------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-12", "CO-05")
async def test_a_whisper_reaches_agents_and_watchers_only(house: House) -> None:
    scene = await setting(house)
    tom = await scene.shop.agent("Tom", roles=(Role.SUPERVISOR,), status="offline")
    await tom.asks("monitor.watch", conversation_id=scene.talk)
    await scene.sue_watches()
    async with ear_of(scene.ada) as ada:
        await scene.whispers("offer her a refund")

        for person in (scene.lily, tom, scene.sue):
            heard = await person.reads(scene.talk, "offer her a refund")
            assert heard.internal
            assert isinstance(heard.body, NoteBody)
            assert heard.body.whisper
            assert heard.sender.name == "Sue"
        await scene.lily.says(scene.talk, "we refund it")
        assert await all_heard(ada, scene.talk, "we refund it") == []


@pytest.mark.req("CO-12")
async def test_a_repeated_whisper_is_one(house: House) -> None:
    scene = await setting(house)
    await scene.sue_watches()
    first = await scene.whispers("smile", "w1")

    again = await scene.whispers("smile", "w1")

    assert (again.seq, again.message_id, again.duplicate) == (first.seq, first.message_id, True)


@pytest.mark.req("CO-12", "PF-05")
async def test_a_whisper_whose_answer_was_lost_is_one_though_the_conversation_is_closed_now(
    house: House,
) -> None:
    scene = await setting(house)
    await scene.sue_watches()
    first = await scene.whispers("smile", "w1")
    await scene.shop.set_policy(wrap_up_s=0)
    await scene.lily.asks("conversation.end", conversation_id=scene.talk)

    again = await scene.whispers("smile", "w1")

    assert (again.seq, again.message_id, again.duplicate) == (first.seq, first.message_id, True)
    other = {"kind": "note", "text": "something else"}
    refused = await scene.sue.refused(
        "monitor.whisper", conversation_id=scene.talk, client_message_id="w1", body=other
    )
    assert refused.reason == "conversation_closed"


@pytest.mark.req("CO-12")
async def test_who_does_not_watch_cannot_whisper(house: House) -> None:
    scene = await setting(house)

    refused = await scene.sue.refused(
        "monitor.whisper",
        conversation_id=scene.talk,
        client_message_id="w1",
        body={"kind": "note", "text": "psst"},
    )

    assert (refused.code, refused.reason) == (ErrorCode.INVALID_STATE, "not_watching")


@pytest.mark.req("CO-12")
async def test_who_only_watches_cannot_speak_to_the_customer(house: House) -> None:
    scene = await setting(house)
    await scene.sue_watches()

    refused = await scene.sue.refused(
        "message.send",
        conversation_id=scene.talk,
        client_message_id="m1",
        body={"kind": "text", "text": "hello"},
    )

    assert refused.code in (ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN, ErrorCode.INVALID_STATE)
    assert scene.ada.has(scene.talk).head_seq == 2  # assigned, and her own


# --- speaking --------------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-12", "CO-01")
async def test_a_supervisor_speaks_beside_the_owner(house: House) -> None:
    scene = await setting(house)
    await scene.sue_watches()

    joined = await scene.sue.asks("monitor.speak", conversation_id=scene.talk, reason="complaint")
    await scene.sue.says(scene.talk, "this is Sue, the supervisor")

    assert [(each.person.name, each.role) for each in joined.conversation.participants] == [
        ("Sue", "supervisor")
    ]
    heard = await scene.ada.reads(scene.talk, "this is Sue, the supervisor")
    assert heard.sender.name == "Sue"
    owner = scene.ada.has(scene.talk).owner
    assert owner is not None
    assert owner.name == "Lily"
    assert await scene.watched() == ()  # one part each


# --- taking over -----------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-12")
async def test_a_supervisor_takes_over_and_the_former_owner_stays(house: House) -> None:
    scene = await setting(house)

    taken = await scene.sue.asks("monitor.take_over", conversation_id=scene.talk, reason="complaint")

    assert taken.conversation.owner.id == scene.sue.id
    assert [(each.person.name, each.role) for each in taken.conversation.participants] == [
        ("Lily", "collaborator")
    ]
    await scene.lily.sees(scene.talk, owner=scene.sue.id)
    await scene.sue.says(scene.talk, "I am in charge now")
    await scene.lily.says(scene.talk, "and I help")
    await scene.ada.reads(scene.talk, "and I help")
    assert await scene.shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}


@pytest.mark.req("CO-12")
async def test_the_customer_sees_only_that_somebody_else_serves_them(house: House) -> None:
    scene = await setting(house)
    async with ear_of(scene.ada) as ada:
        await scene.sue.asks("monitor.take_over", conversation_id=scene.talk, reason="complaint")
        await scene.sue.says(scene.talk, "I am Sue")

        heard = await all_heard(ada, scene.talk, "I am Sue")

    assert {frame["method"] for frame in heard} == {"message.created", "conversation.assigned"}
    [entry] = [frame["params"] for frame in heard if frame["method"] == "message.created"]
    assert (entry["body"]["event"], entry["body"]["data"]["owner"]["name"]) == ("assigned", "Sue")
    told = [frame["params"]["conversation"] for frame in heard if frame["method"] == "conversation.assigned"]
    assert [(each["owner"]["name"], each["participants"]) for each in told] == [("Sue", [])]


@pytest.mark.req("CO-12")
async def test_without_keep_owner_the_former_owner_is_out(house: House) -> None:
    scene = await setting(house)

    taken = await scene.sue.asks(
        "monitor.take_over", conversation_id=scene.talk, keep_owner=False, reason="complaint"
    )

    assert taken.conversation.participants == []
    refused = await scene.lily.refused(
        "message.send",
        conversation_id=scene.talk,
        client_message_id="m1",
        body={"kind": "text", "text": "but"},
    )
    assert refused.code is ErrorCode.STALE_ASSIGNMENT


@pytest.mark.req("CO-12")
async def test_a_take_over_is_refused_when_the_owner_changed_meanwhile(house: House) -> None:
    scene = await setting(house)
    seen = (await scene.sue.asks("conversation.get", conversation_id=scene.talk)).conversation
    max_ = await scene.shop.agent("Max")
    await scene.lily.asks("conversation.transfer", conversation_id=scene.talk, account_id=max_.id)

    refused = await scene.sue.refused(
        "monitor.take_over", conversation_id=scene.talk, assign_epoch=seen.assign_epoch, reason="complaint"
    )

    assert refused.code is ErrorCode.STALE_ASSIGNMENT
    assert await scene.recorded() == []
    await max_.sees(scene.talk, owner=max_.id)


# --- who may, and the record -----------------------------------------------------------------------------------------
ACTS: dict[str, dict[str, Any]] = {
    "monitor.watch": {},
    "monitor.whisper": {"client_message_id": "w1", "body": {"kind": "note", "text": "psst"}},
    "monitor.speak": {},
    "monitor.take_over": {"reason": "mine"},
}


@pytest.mark.req("CO-12", "GP-02", "GP-03")
@pytest.mark.parametrize("act", ACTS)
async def test_what_is_out_of_reach_is_refused_and_recorded(house: House, act: str) -> None:
    in_own_groups = dict.fromkeys(("WATCH", "WHISPER", "SPEAK", "TAKE_OVER"), "groups")
    scene = await setting(house, lead={"VIEW": "all", "SERVE": "own", **in_own_groups})

    refused = await scene.sue.refused(act, conversation_id=scene.talk, **ACTS[act])

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")
    assert await scene.recorded("refused") == [(act, "Sue", "out_of_scope")]
    assert await scene.recorded() == []
    row = await scene.shop.app.conversations.get(scene.shop.id, ConversationId(scene.talk))
    assert (row.following, row.owner_id) == ((scene.lily.id,), scene.lily.id)


@pytest.mark.req("CO-12", "GP-02")
@pytest.mark.parametrize("act", ["monitor.whisper", "monitor.speak", "monitor.take_over"])
async def test_watching_widens_no_other_right(house: House, act: str) -> None:
    in_own_groups = dict.fromkeys(("WHISPER", "SPEAK", "TAKE_OVER"), "groups")
    scene = await setting(house, lead={"VIEW": "all", "WATCH": "all", "SERVE": "own", **in_own_groups})
    await scene.sue_watches()

    refused = await scene.sue.refused(act, conversation_id=scene.talk, **ACTS[act])

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "out_of_scope")


@pytest.mark.req("CO-12")
@pytest.mark.parametrize("act", ACTS)
async def test_agents_do_not_supervise(house: House, act: str) -> None:
    scene = await setting(house, sue=(Role.AGENT,))

    refused = await scene.sue.refused(act, conversation_id=scene.talk, **ACTS[act])

    assert (refused.code, refused.reason) == (ErrorCode.FORBIDDEN, "no_right")


@pytest.mark.req("CO-12")
async def test_every_act_is_in_the_audit_with_its_reason(house: House) -> None:
    scene = await setting(house)

    await scene.sue_watches("training")
    await scene.whispers("smile")
    await scene.sue.asks("monitor.unwatch", conversation_id=scene.talk)
    await scene.sue.asks("monitor.speak", conversation_id=scene.talk, reason="complaint")
    await scene.sue.asks("monitor.take_over", conversation_id=scene.talk, reason="still complaining")

    assert await scene.recorded() == [
        ("monitor.watch", "Sue", "training"),
        ("monitor.whisper", "Sue", ""),
        ("monitor.unwatch", "Sue", ""),
        ("monitor.speak", "Sue", "complaint"),
        ("monitor.take_over", "Sue", "still complaining"),
    ]


@pytest.mark.req("CO-12")
async def test_what_cannot_be_recorded_is_not_done(house: House) -> None:
    scene = await setting(house)
    await scene.shop.app.db.execute("ALTER TABLE audit RENAME TO audit_away")
    try:
        with pytest.raises(Exception, match=r"."):
            await scene.sue_watches()
    finally:
        await scene.shop.app.db.execute("ALTER TABLE audit_away RENAME TO audit")

    assert await scene.watched() == ()
