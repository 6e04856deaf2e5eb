"""Screen sharing (CO-04): consent, who may and who may not, how it ends; and pictures that really arrive."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.client.subscription import Subscription
from protocol.codes import ErrorCode
from protocol.states import Role
from tests.scenarios.house import Agent, Customer, House, Shop, until

pytestmark = pytest.mark.req("CO-04")

SIGNAL = {"kind": "candidate", "data": {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host"}}
ICE = [{"urls": ["turn:turn.example.com"], "username": "u", "credential": "c"}]


@pytest.fixture(params=[1, 2], ids=["one-node", "two-nodes"])
async def house(
    request: pytest.FixtureRequest, migrated_database_url: str, redis_url: str
) -> AsyncIterator[House]:
    """A house in which nobody is waited for long."""
    house = await House.start(
        migrated_database_url,
        redis_url,
        nodes=request.param,
        ice_servers=json.dumps(ICE),
        screen_away_s=1,
        screen_answer_s=2,
        screen_signal_bytes=16_000,
    )
    yield house
    await house.stop()


async def changed(heard: Subscription, state: str) -> Any:
    """What is told when a share comes into a state."""
    while True:
        told: Any = (await heard.next("screen.changed")).params
        if told.share.state == state:
            return told


def heard_so_far(heard: Subscription) -> list[str]:
    """The names of everything that came."""
    frames = [heard._heard.get_nowait() for _ in range(heard._heard.qsize())]
    return [frame.event.name for frame in frames if frame is not None]


class Scene:
    """An agent and a customer in a conversation, on different nodes where there are two."""

    def __init__(self, shop: Shop, ann: Agent, cara: Customer, talk: str) -> None:
        self.shop, self.ann, self.cara, self.talk = shop, ann, cara, talk

    @classmethod
    async def of(cls, house: House) -> Scene:
        shop = await house.shop()
        ann = await shop.agent("Ann")
        cara = await shop.customer("Cara")
        talk = await cara.opens()
        await ann.sees(talk, owner=ann.id)
        return cls(shop, ann, cara, talk)

    async def asked(self) -> str:
        """Ann asks to see Cara's screen; the share."""
        heard = self.cara.client.subscribe()
        share = (await self.ann.asks("screen.ask", conversation_id=self.talk, sharer_id=self.cara.id)).share
        assert (await changed(heard, "asked")).share == share
        heard.close()
        return share.share_id

    async def agreed(self) -> str:
        """And Cara agrees."""
        share = await self.asked()
        await self.cara.asks("screen.answer", share_id=share, agree=True)
        return share

    async def events(self, of: Any) -> list[str]:
        """What a reader's log says about screens."""
        history = await of.asks("message.history", conversation_id=self.talk, after_seq=0)
        bodies = [message.body for message in history.messages]
        return [body.event for body in bodies if body.kind == "system" and body.event.startswith("screen")]

    async def over(self, share: str) -> bool:
        """Whether signals pass no longer."""
        kept = await self.shop.app.shares.get(self.shop.id, share)
        return kept is None or kept.state == "ended"


async def test_the_customer_is_asked_agrees_and_both_are_told(house: House) -> None:
    scene = await Scene.of(house)
    heard = scene.ann.client.subscribe()
    share = await scene.asked()
    result = await scene.cara.asks("screen.answer", share_id=share, agree=True)
    assert (result.share.state, result.share.sharer.name, result.share.viewer.name) == (
        "agreed",
        "Cara",
        "Ann",
    )
    assert (await changed(heard, "agreed")).share.ice_servers == ICE
    assert await scene.events(scene.cara) == ["screen_started"]
    await scene.cara.asks("screen.stop", share_id=share)
    await changed(heard, "ended")
    assert (
        await scene.events(scene.ann)
        == await scene.events(scene.cara)
        == ["screen_started", "screen_stopped"]
    )


async def test_without_consent_no_signal_passes(house: House) -> None:
    scene = await Scene.of(house)
    heard = scene.cara.client.subscribe()
    share = (
        await scene.ann.asks(
            "screen.ask", conversation_id=scene.talk, sharer_id=scene.cara.id, reason="I'd look"
        )
    ).share
    assert share.ice_servers == []
    assert (await changed(heard, "asked")).reason == "I'd look"
    for person in (scene.ann, scene.cara):
        error = await person.refused("screen.signal", share_id=share.share_id, **SIGNAL)
        assert (error.code, error.reason) == (ErrorCode.INVALID_STATE, "not_agreed")
    error = await scene.ann.refused("screen.answer", share_id=share.share_id, agree=True)
    assert error.reason == "not_asked"

    refused = await scene.cara.asks("screen.answer", share_id=share.share_id, agree=False)
    assert refused.share.state == "refused"
    error = await scene.ann.refused("screen.signal", share_id=share.share_id, **SIGNAL)
    assert error.reason == "screen_over"
    await scene.cara.refused("screen.answer", share_id=share.share_id, agree=True)
    assert await scene.events(scene.ann) == []


async def test_who_offers_agrees_by_it_and_signals_come_in_order(house: House) -> None:
    scene = await Scene.of(house)
    heard = scene.ann.client.subscribe()
    share = (await scene.cara.asks("screen.offer", conversation_id=scene.talk, viewer_id=scene.ann.id)).share
    assert (share.state, share.ice_servers) == ("agreed", ICE)
    for n in range(20):
        await scene.cara.asks("screen.signal", share_id=share.share_id, kind="candidate", data={"n": n})
    assert (await changed(heard, "agreed")).share == share
    signals: list[Any] = [(await heard.next("screen.signalled")).params for _ in range(20)]
    assert [(signal.n, signal.data["n"]) for signal in signals] == [(n + 1, n) for n in range(20)]


async def test_a_third_participant_and_a_stranger_have_no_part_in_it(house: House) -> None:
    scene = await Scene.of(house)
    bob = await scene.shop.agent("Bob", roles=(Role.SUPERVISOR,))
    await bob.asks("monitor.speak", conversation_id=scene.talk, reason="to help")
    dora = await scene.shop.customer("Dora")
    await dora.opens()
    stranger = await (await house.shop()).customer("Eve")
    share = await scene.agreed()
    heard = [person.client.subscribe() for person in (bob, dora, stranger)]
    for person in (bob, dora, stranger):
        for method, params in (
            ("screen.signal", SIGNAL),
            ("screen.answer", {"agree": True}),
            ("screen.stop", {}),
        ):
            error = await person.refused(method, share_id=share, **params)
            assert error.code is ErrorCode.NOT_FOUND, (person.name, method)
    await scene.ann.asks("screen.signal", share_id=share, **SIGNAL)
    await scene.ann.says(scene.talk, "can you see it?")
    await bob.reads(scene.talk, "can you see it?")
    await dora.opens()  # what comes after it came to all of them
    await stranger.opens()
    for subscription in heard:
        assert not any(name.startswith("screen") for name in heard_so_far(subscription))


async def test_only_who_takes_part_asks_and_only_of_who_takes_part(house: House) -> None:
    scene = await Scene.of(house)
    bob = await scene.shop.agent("Bob", roles=(Role.SUPERVISOR,))
    carl = await scene.shop.agent("Carl", status="offline")
    dora = await scene.shop.customer("Dora")
    error = await bob.refused("screen.ask", conversation_id=scene.talk, sharer_id=scene.cara.id)
    assert (error.code, error.reason) == (ErrorCode.FORBIDDEN, "not_taking_part")
    await bob.asks("monitor.watch", conversation_id=scene.talk)
    for method, other in (("screen.ask", "sharer_id"), ("screen.offer", "viewer_id")):
        error = await bob.refused(method, conversation_id=scene.talk, **{other: scene.cara.id})
        assert error.reason == "not_taking_part"  # watching is not taking part
        for nobody in (carl.id, dora.id, bob.id, scene.ann.id):
            error = await scene.ann.refused(method, conversation_id=scene.talk, **{other: nobody})
            assert error.code is ErrorCode.NOT_FOUND
        error = await dora.refused(method, conversation_id=scene.talk, **{other: scene.ann.id})
        assert error.code is ErrorCode.NOT_FOUND


async def test_between_colleagues_the_customer_learns_nothing(house: House) -> None:
    scene = await Scene.of(house)
    bob = await scene.shop.agent("Bob", roles=(Role.SUPERVISOR,))
    await bob.asks("monitor.speak", conversation_id=scene.talk, reason="to help")
    heard = scene.cara.client.subscribe()
    share = (await bob.asks("screen.offer", conversation_id=scene.talk, viewer_id=scene.ann.id)).share
    await scene.ann.asks("screen.stop", share_id=share.share_id)
    assert await scene.events(scene.ann) == ["screen_started", "screen_stopped"]
    assert await scene.events(scene.cara) == []
    await scene.ann.says(scene.talk, "done")
    await scene.cara.reads(scene.talk, "done")
    assert set(heard_so_far(heard)) <= {"message.created", "conversation.updated", "hb", "read.advanced"}


async def test_one_screen_is_shown_once_in_a_conversation(house: House) -> None:
    scene = await Scene.of(house)
    share = await scene.asked()
    error = await scene.ann.refused("screen.ask", conversation_id=scene.talk, sharer_id=scene.cara.id)
    assert (error.code, error.reason) == (ErrorCode.CONFLICT, "screen_busy")
    error = await scene.cara.refused("screen.offer", conversation_id=scene.talk, viewer_id=scene.ann.id)
    assert error.reason == "screen_busy"
    await scene.ann.asks("screen.stop", share_id=share)
    await scene.cara.asks("screen.offer", conversation_id=scene.talk, viewer_id=scene.ann.id)


async def test_the_session_that_agreed_has_it_other_devices_do_not(house: House) -> None:
    scene = await Scene.of(house)
    share = await scene.agreed()
    phone = Customer(scene.shop, scene.cara.id, "Cara", scene.cara.principal)
    await phone.arrive()
    error = await phone.refused("screen.signal", share_id=share, **SIGNAL)
    assert error.reason == "other_device"
    await scene.cara.asks("screen.signal", share_id=share, **SIGNAL)


async def test_it_ends_with_the_conversation(house: House) -> None:
    scene = await Scene.of(house)
    share = await scene.agreed()
    heard = scene.cara.client.subscribe()
    await scene.ann.asks("conversation.end", conversation_id=scene.talk)
    await changed(heard, "ended")
    error = await scene.cara.refused("screen.signal", share_id=share, **SIGNAL)
    assert error.code is ErrorCode.INVALID_STATE
    error = await scene.ann.refused("screen.ask", conversation_id=scene.talk, sharer_id=scene.cara.id)
    assert error.reason == "conversation_closed"


async def test_it_ends_when_a_side_takes_part_no_longer(house: House) -> None:
    scene = await Scene.of(house)
    bob = await scene.shop.agent("Bob")
    share = await scene.agreed()
    heard = scene.cara.client.subscribe()
    await scene.ann.asks("conversation.transfer", conversation_id=scene.talk, account_id=bob.id)
    await changed(heard, "ended")
    error = await scene.ann.refused("screen.signal", share_id=share, **SIGNAL)
    assert error.reason == "screen_over"


async def test_it_survives_a_short_cut_and_ends_after_a_long_one(house: House) -> None:
    scene = await Scene.of(house)
    share = await scene.agreed()
    connections = scene.cara.client.connections
    scene.cara.client.drop()
    await until(lambda: scene.cara.client.connections > connections and scene.cara.client.is_live)
    await scene.cara.asks("screen.signal", share_id=share, **SIGNAL)  # the same session, resumed

    heard = scene.ann.client.subscribe()
    await scene.cara.leave()
    await changed(heard, "ended")

    async def is_logged() -> bool:
        return await scene.events(scene.ann) == ["screen_started", "screen_stopped"]

    await until(is_logged, what="the log's saying so")


async def test_who_never_answers_is_asked_no_longer(house: House) -> None:
    scene = await Scene.of(house)
    heard = scene.ann.client.subscribe()
    share = await scene.asked()
    await changed(heard, "ended")
    error = await scene.cara.refused("screen.answer", share_id=share, agree=True)
    assert error.reason == "screen_over"
    assert await scene.events(scene.ann) == []


async def test_signals_are_bounded_in_size_and_number(house: House) -> None:
    scene = await Scene.of(house)
    share = await scene.agreed()
    error = await scene.cara.refused(
        "screen.signal", share_id=share, kind="offer", data={"sdp": "x" * 16_000}
    )
    assert error.reason == "signal_too_large"
    refusals = 0
    for _ in range(110):
        try:
            await scene.ann.asks("screen.signal", share_id=share, kind="candidate", data={})
        except Exception as refusal:
            assert getattr(refusal, "code", None) is ErrorCode.RATE_LIMITED
            refusals += 1
    assert refusals


async def test_nobody_is_asked_again_and_again(house: House) -> None:
    scene = await Scene.of(house)
    for _ in range(10):
        share = (
            await scene.ann.asks("screen.ask", conversation_id=scene.talk, sharer_id=scene.cara.id)
        ).share
        await scene.cara.asks("screen.answer", share_id=share.share_id, agree=False)
    error = await scene.ann.refused("screen.ask", conversation_id=scene.talk, sharer_id=scene.cara.id)
    assert error.code is ErrorCode.RATE_LIMITED


async def test_shares_leave_nothing_behind(house: House) -> None:
    scene = await Scene.of(house)
    share = await scene.agreed()
    await scene.ann.asks("screen.stop", share_id=share)
    app = scene.shop.app

    async def rests() -> bool:
        return await app.shares.shops() == {}

    await until(rests, what="the shop's rest")
    assert 0 < await app.link.call("PTTL", f"pm:screen:{{{scene.shop.id}}}:{share}") <= 60_000
