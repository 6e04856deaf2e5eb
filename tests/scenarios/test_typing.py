"""Who types what: colleagues see the draft and who answers, the customer only that somebody types (CO-03)."""

from typing import Any

import pytest

from tests.scenarios.house import House, Person, until
from tests.scenarios.raw import RawSocket, raw_socket
from tests.scenarios.test_collaboration import Scene


class Ear:
    """Everything that one person hears about typing."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._heard: list[Any] = []
        person.client._on_event = self._hear

    def _hear(self, frame: Any) -> None:
        if frame.event.name == "typing.changed":
            self._heard.append(frame.params)

    async def hears(self, who: Person, *, within_s: float = 5.0, **facts: Any) -> Any:
        """Wait for a notice of this person's typing with these members."""

        def holds() -> Any:
            for told in self._heard:
                if told.who.id == who.id and all(
                    getattr(told, name) == value for name, value in facts.items()
                ):
                    return told
            return None

        return await until(holds, what=f"{self._person.name} hearing {who.name} {facts}", within_s=within_s)

    @property
    def all(self) -> list[Any]:
        return self._heard


@pytest.mark.req("CO-03")
async def test_colleagues_see_the_draft_and_the_customer_only_that_somebody_types(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    lily, ada = Ear(scene.lily), Ear(scene.ada)

    await scene.max.client.typing(scene.talk, text="have you tried")

    told = await lily.hears(scene.max, typing=True)
    assert (told.text, told.holds_reply, told.who.name) == ("have you tried", True, "Max")
    told = await ada.hears(scene.max, typing=True)
    assert (told.text, told.holds_reply) == ("", False)


@pytest.mark.req("CO-03")
async def test_the_customer_s_typing_is_seen_by_all_without_a_draft(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    lily, max_ = Ear(scene.lily), Ear(scene.max)
    await scene.ada.client.typing(scene.talk, text="I think that")
    for ear in (lily, max_):
        assert (await ear.hears(scene.ada, typing=True)).text == ""


@pytest.mark.req("CO-03")
async def test_of_two_who_begin_to_answer_the_second_is_told_who_was_first(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    lily, max_, ada = Ear(scene.lily), Ear(scene.max), Ear(scene.ada)
    await scene.lily.client.typing(scene.talk, text="I would say")
    assert (await max_.hears(scene.lily, typing=True)).holds_reply

    await scene.max.client.typing(scene.talk, text="maybe")

    first = await until(
        lambda: next((t for t in max_.all[1:] if t.who.id == scene.lily.id and t.holds_reply), None),
        what="Max's being told that Lily was first",
    )
    assert first.text == "I would say"
    assert not (await lily.hears(scene.max, typing=True)).holds_reply
    await scene.max.says(scene.talk, "it blocks nobody")
    await scene.ada.reads(scene.talk, "it blocks nobody")
    assert all(told.text == "" and not told.holds_reply for told in ada.all)


@pytest.mark.req("CO-03")
@pytest.mark.parametrize("way", ["stops", "sends"])
async def test_who_stops_or_sends_gives_the_reply_up(house: House, way: str) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    lily, max_ = Ear(scene.lily), Ear(scene.max)
    await scene.lily.client.typing(scene.talk, text="I would say")
    await max_.hears(scene.lily, typing=True, holds_reply=True)

    if way == "stops":
        await scene.lily.client.typing(scene.talk, typing=False)
        await max_.hears(scene.lily, typing=False, holds_reply=False)
    else:
        await scene.lily.says(scene.talk, "no")
    await until(lambda: _free(scene), what="the reply's being free")

    await scene.max.client.typing(scene.talk, text="then I")
    assert (await lily.hears(scene.max, typing=True)).holds_reply


async def _free(scene: Scene) -> bool:
    return not await scene.shop.app.link.call("EXISTS", f"pm:reply:{scene.talk}")


@pytest.mark.req("CO-03")
async def test_the_hold_on_a_reply_ends_by_itself(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    max_ = Ear(scene.max)
    await scene.lily.client.typing(scene.talk, text="I would")
    await max_.hears(scene.lily, holds_reply=True)
    life = await scene.shop.app.link.call("PTTL", f"pm:reply:{scene.talk}")
    assert 0 < life <= 6_000


@pytest.mark.req("CO-03", "CO-05")
async def test_the_customer_hears_nothing_of_somebody_writing_a_note(house: House) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    lily, ada = Ear(scene.lily), Ear(scene.ada)
    async with raw_socket(scene.max, scene.max.node) as (socket, ticket):
        await greeted(socket, ticket)
        await socket.tells(
            "typing.set", conversation_id=scene.talk, typing=True, text="she lies", internal=True
        )
        told = await lily.hears(scene.max, typing=True)
        assert (told.text, told.internal, told.holds_reply) == ("she lies", True, False)
    await scene.max.client.typing(scene.talk, text="hello")  # what Ada hears next is this
    await ada.hears(scene.max, typing=True)
    assert len(ada.all) == 1


async def greeted(socket: RawSocket, ticket: str) -> None:
    await socket.asks("session.hello", ticket=ticket)


@pytest.mark.req("CO-03", "CO-06")
async def test_who_does_not_take_part_types_to_nobody(house: House) -> None:
    scene = await Scene.make(house)
    lily, ada = Ear(scene.lily), Ear(scene.ada)
    await scene.boss.asks("monitor.watch", conversation_id=scene.talk)
    boss = Ear(scene.boss)
    for person in (scene.max, scene.boss):
        await person.client.typing(scene.talk, text="knock knock")
    await scene.lily.client.typing(scene.talk, text="hello")
    await ada.hears(scene.lily, typing=True)
    told = await boss.hears(scene.lily, typing=True)
    assert told.text == "hello"  # who watches sees what is being written
    assert {told.who.id for told in (*lily.all, *ada.all)} == {scene.lily.id}


@pytest.mark.req("CO-03")
async def test_alone_in_a_conversation_nobody_is_asked_who_was_first(house: House) -> None:
    scene = await Scene.make(house)
    ada = Ear(scene.ada)
    await scene.lily.client.typing(scene.talk, text="hello")
    await ada.hears(scene.lily, typing=True)
    assert await _free(scene)
