"""A customer gets no trace of what colleagues do among themselves (CO-05, CO-12, I6): not a word, not a frame, not a
gap in any number.

The same talk is had twice: once plainly, once with colleagues asked in, coming, whispering, leaving notes and files,
dividing work and watching between any two things that the customer sees. Every raw byte that the customer got is kept.
With ids and times replaced by their order of appearance, both talks must be the same, frame by frame.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from protocol.ids import ConversationId, CustomerId, PersonId, new_id
from protocol.states import Role
from server.services.tokens import Principal
from tests.scenarios.house import Agent, Customer, House, Shop
from tests.scenarios.raw import RawSocket, raw_socket
from tests.scenarios.test_files import uploads

ITEM = "0197c7a0-0000-7000-8000-0000000000"
SECRET = "between ourselves"
"""In every word of colleagues."""


class Numbered:
    """Replaces what differs from run to run by its order of appearance."""

    _ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    _TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key if key != "epoch" else "epoch": self(each) for key, each in self._sorted(value)}
        if isinstance(value, list):
            return [self(each) for each in value]
        if isinstance(value, str):
            value = self._TIME.sub("<time>", value)
            return self._ID.sub(
                lambda found: self._seen.setdefault(found[0], f"<id {len(self._seen)}>"), value
            )
        return value

    def _sorted(self, value: dict[str, Any]) -> list[tuple[str, Any]]:
        return sorted((self._ID.sub("<key>", key), each) for key, each in value.items())


@dataclass
class Widget:
    """The customer's browser: every frame as it came, requests with their replies."""

    socket: RawSocket
    frames: list[dict[str, Any]] = field(default_factory=list)
    _taken: int = 0

    async def asks(self, method: str, **params: Any) -> dict[str, Any]:
        reply = await self.socket.asks(method, **params)
        self.frames.append({"asked": method, **reply})
        return reply

    async def hears(self, *methods: str) -> None:
        """Exactly these notifications come, in whatever order, before anything else is done."""
        wanted = self._taken + len(methods)
        while len(self.socket.heard) < wanted:
            try:
                await self.socket.next()
            except TimeoutError:
                heard = [frame["method"] for frame in self.socket.heard[self._taken :]]
                pytest.fail(f"heard only {heard}, not {methods}")
        new = self.socket.heard[self._taken : wanted]
        heard = [frame["method"] for frame in new]
        assert sorted(heard) == sorted(methods), f"heard {heard}, not {methods}"
        self._taken = wanted
        # What is about different things may overtake each other on its way from another node.
        self.frames += sorted(new, key=lambda frame: methods.index(frame["method"]))

    def rests(self) -> None:
        """Nothing came beside what was expected."""
        assert self.socket.heard[self._taken :] == []


class Backstage:
    """Colleagues around one conversation. `busy`: they do what the customer shall not notice."""

    def __init__(self, scene: "Stage", *, busy: bool) -> None:
        self._scene = scene
        self._busy = busy
        self._n = 0
        self.hidden: list[str] = []
        """ids that no customer may ever get"""

    async def meanwhile(self) -> None:
        """Everything that colleagues can do between two things that the customer sees."""
        if not self._busy:
            return
        s, n = self._scene, self._n
        self._n += 1
        await s.boss.asks("monitor.watch", conversation_id=s.talk)
        await s.lily.asks("participant.invite", conversation_id=s.talk, group_id=s.group, reason=SECRET)
        await self._note(s.lily, f"{SECRET} {n}", s.nina)
        await s.max.asks("participant.join", conversation_id=s.talk, reason=SECRET)
        await s.lily.asks(
            "participant.invite", conversation_id=s.talk, account_ids=[s.nina.id], reason=SECRET
        )
        await s.nina.asks("participant.decline", conversation_id=s.talk, reason=SECRET)
        whisper = await s.boss.asks(
            "monitor.whisper",
            conversation_id=s.talk,
            client_message_id=new_id(),
            body={"kind": "note", "text": SECRET, "mentions": [s.lily.id]},
        )
        self.hidden.append(whisper.message_id)
        slip = await self._note(s.max, f"{SECRET}, and a slip", s.lily)
        await s.max.asks("message.recall", conversation_id=s.talk, message_id=slip.message_id)
        if s.all_read:  # of what the customer sees; so that the mark goes on over notes alone
            await s.max.asks("read.mark", conversation_id=s.talk, seq=slip.seq)
        async with raw_socket(s.max, s.max.node) as (socket, ticket):
            await socket.asks("session.hello", ticket=ticket)
            await socket.tells("typing.set", conversation_id=s.talk, typing=True, text=SECRET, internal=True)
        if s.open:
            file = await uploads(s.max, s.talk, f"{SECRET}.txt", b"a secret", internal=True)
            self.hidden.append(file)
            await s.max.asks(
                "note.send",
                conversation_id=s.talk,
                client_message_id=new_id(),
                body={"kind": "file", "file_id": file, "name": f"{SECRET}.txt"},
            )
        await s.max.asks("item.add", conversation_id=s.talk, item_id=f"{ITEM}{n:02}", text=SECRET)
        await s.max.asks("item.change", conversation_id=s.talk, item_id=f"{ITEM}{n:02}", done=True)
        self.hidden.append(f"{ITEM}{n:02}")
        await s.max.asks("participant.leave", conversation_id=s.talk, reason=SECRET)
        await s.boss.asks("monitor.unwatch", conversation_id=s.talk)
        await self._note(s.lily, f"{SECRET} {n}, again")

    async def _note(self, who: Agent, text: str, *mentions: Agent) -> Any:
        sent = await who.asks(
            "note.send",
            conversation_id=self._scene.talk,
            client_message_id=new_id(),
            body={"kind": "note", "text": text, "mentions": [each.id for each in mentions]},
        )
        self.hidden.append(sent.message_id)
        return sent


@dataclass
class Stage:
    """Lily serves Ada; the others are behind the curtain."""

    shop: Shop
    lily: Agent
    max: Agent
    nina: Agent
    boss: Agent
    ada: Customer
    group: str
    talk: str = ""
    open: bool = True
    all_read: bool = False
    """the staff's mark is at the last thing that the customer sees"""

    @classmethod
    async def make(cls, house: House) -> "Stage":
        shop = await house.shop()
        await shop.app.shop_store.set_collaboration(shop.id, {"agents_see_watchers": True})
        group = await shop.group("Experts")
        lily = await shop.agent("Lily")
        max_ = await shop.agent("Max", status="paused", groups=("Experts",))
        nina = await shop.agent("Nina", status="paused", groups=("Experts",))
        boss = await shop.agent("Boss", roles=(Role.SERVICE_ADMIN,), status="offline")
        row = await shop.app.customer_store.put(shop.id, "ada", name="Ada")
        ada = Customer(shop, PersonId(row.id), "Ada", _principal(shop, PersonId(row.id)))
        ada.node = house.nodes[0]
        return cls(shop, lily, max_, nina, boss, ada, group)


def _principal(shop: Shop, customer: PersonId) -> Principal:
    return Principal(shop.id, customer, "customer", frozenset({Role.CUSTOMER}), "Ada", 4_102_444_800_000)


async def the_talk(stage: Stage, backstage: Backstage) -> tuple[list[dict[str, Any]], list[bytes]]:
    """All that Ada's browser ever gets, over two connections; as frames, and as the bytes that came."""
    lily, meanwhile = stage.lily, backstage.meanwhile
    async with raw_socket(stage.ada, stage.ada.node) as (socket, ticket):
        widget = Widget(socket)
        hello = await widget.asks("session.hello", ticket=ticket)
        await widget.hears("session.ready")
        opened = await widget.asks("conversation.open")
        stage.talk = opened["result"]["conversation"]["conversation_id"]
        talk = {"conversation_id": stage.talk}
        await widget.hears("message.created", "conversation.assigned")
        await lily.sees(stage.talk, owner=lily.id)
        await meanwhile()

        first = await widget.asks(
            "message.send", **talk, client_message_id="a1", body={"kind": "text", "text": "my printer burns"}
        )
        await widget.hears("message.created")
        await meanwhile()
        await lily.says(stage.talk, "pull the plug", client_message_id="l1")
        await widget.hears("message.created")
        await meanwhile()
        await widget.asks("read.mark", **talk, seq=99)
        await widget.hears("read.advanced")
        await meanwhile()
        await lily.client.typing(stage.talk, text=SECRET)
        await widget.hears("typing.changed")
        await meanwhile()
        slip = await lily.says(stage.talk, "wrong window", client_message_id="l2")
        await widget.hears("message.created")
        await lily.asks("message.recall", **talk, message_id=slip.message_id)
        await widget.hears("message.updated")
        await meanwhile()
        await lily.asks("read.mark", **talk, seq=slip.seq)
        await widget.hears("read.advanced")
        stage.all_read = True
        await meanwhile()
        stage.all_read = False

        # What she might try by herself.
        await widget.asks("message.recall", **talk, message_id=_of(backstage.hidden))
        await widget.asks("message.recall", **talk, message_id=first["result"]["message_id"])
        await widget.hears("message.updated")
        await widget.asks("file.link", file_id=_of(backstage.hidden, -1))
        await widget.asks("conversation.get", **talk)
        await socket.tells("hb", cursors={stage.talk: 0})
        await widget.hears("hb")
        session = hello["result"]["session_id"]
        widget.rests()

    # Away for a while.
    await meanwhile()
    await lily.says(stage.talk, "are you still there?", client_message_id="l3")
    await meanwhile()
    raw = list(socket.raw)
    async with raw_socket(stage.ada, stage.ada.node) as (socket, ticket):
        back = Widget(socket, widget.frames)
        resume = {"session_id": session, "cursors": {stage.talk: 3}}
        await back.asks("session.hello", ticket=ticket, resume=resume)
        await back.hears(*["message.created"] * 2, "session.ready")
        await meanwhile()
        await lily.asks("conversation.end", **talk)
        await back.hears("message.created", "conversation.ended")
        stage.open = False
        await meanwhile()
        await back.asks("conversation.rate", **talk, rating=5)
        await back.hears("conversation.updated")
        await meanwhile()
        await lily.asks("conversation.reopen", **talk)
        await back.hears("message.created", "conversation.updated")
        await stage.shop.set_policy(wrap_up_s=0)
        await lily.asks("conversation.end", **talk)
        await back.hears("message.created", "conversation.closed")
        for after in (0, 2, 5):
            await back.asks("message.history", **talk, after_seq=after)
        await back.asks("message.history", **talk, before_seq=4)
        await back.asks("conversation.get", **talk)
        back.rests()
        raw += socket.raw
    return back.frames, raw


def _of(hidden: list[str], at: int = 0) -> str:
    """Something hidden, or, where nothing is, something that never was."""
    return hidden[at] if hidden else new_id()


@pytest.fixture(params=[1, 2], ids=["one-node", "two-nodes"])
async def house(
    request: pytest.FixtureRequest, migrated_database_url: str, redis_url: str, tmp_path: Path
) -> Any:
    house = await House.start(
        migrated_database_url,
        redis_url,
        nodes=request.param,
        files=str(tmp_path / "files"),
        queue_places_s=60,
    )
    try:
        yield house
    finally:
        await house.stop()


@pytest.mark.req("CO-05", "CO-12", "I6")
async def test_the_customer_gets_no_trace_of_what_is_between_colleagues(house: House) -> None:
    plain_stage, busy_stage = await Stage.make(house), await Stage.make(house)
    plainly, _ = await the_talk(plain_stage, Backstage(plain_stage, busy=False))
    backstage = Backstage(busy_stage, busy=True)
    busily, raw = await the_talk(busy_stage, backstage)

    numbered = [Numbered(), Numbered()]
    for plain, busy in zip(plainly, busily, strict=True):
        assert numbered[1](busy) == numbered[0](plain)
    everything = b"".join(raw)
    assert len(backstage.hidden) > 40
    for word in (SECRET, "Max", "Nina", "Boss", "Experts", busy_stage.max.id, *backstage.hidden[1:-1]):
        told = everything.count(word.encode())
        assert told == 0, f"the customer was told of {word!r} {told} times"
    await _nothing_in_what_is_stored_for_her(busy_stage, backstage)


async def _nothing_in_what_is_stored_for_her(stage: Stage, backstage: Backstage) -> None:
    """The transcript that a customer may be given, and how much of the log it really is."""
    app, shop = stage.shop.app, stage.shop.id
    parts = app.history.transcript(shop, ConversationId(stage.talk), for_customer=CustomerId(stage.ada.id))
    hers = [message async for part in parts for message in part]
    everything = [
        message async for part in app.history.transcript(shop, ConversationId(stage.talk)) for message in part
    ]
    assert [message.customer_seq for message in hers] == list(range(1, len(hers) + 1))
    assert all(message.visibility == "public" for message in hers)
    assert len(everything) > 3 * len(hers)
    assert SECRET.encode() not in orjson.dumps([message.body for message in hers])
