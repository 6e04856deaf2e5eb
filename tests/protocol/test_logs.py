"""The pure half of the client: one log kept contiguous, and states reduced."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.client.logs import HELD_MAX, Log
from protocol.client.view import View
from protocol.events import AgentChanged
from protocol.methods.session import HelloResult
from protocol.shapes import AgentCard, Conversation, Message
from tests.protocol.script import conversation, message, session


def said(seq: int, **members: Any) -> Message:
    return Message.model_validate(message(seq, **members), strict=False)


def open_conversation(**members: Any) -> Conversation:
    return Conversation.model_validate(conversation(**members), strict=False)


@pytest.mark.req("PF-05")
@given(
    st.integers(min_value=1, max_value=30),
    st.randoms(use_true_random=False),
    st.integers(min_value=0, max_value=40),
)
def test_whatever_the_order_and_however_often_each_is_taken_once_in_order(
    count: int, rng: random.Random, repeats: int
) -> None:
    arrivals = [said(seq) for seq in range(1, count + 1)]
    arrivals += rng.choices(arrivals, k=repeats)
    rng.shuffle(arrivals)
    log = Log(keep=True)
    taken = [one for arrival in arrivals for one in log.take(arrival)]
    assert [one.seq for one in taken] == list(range(1, count + 1))
    assert log.messages == taken
    assert (log.cursor, log.head, log.missing) == (count, count, False)


def test_a_log_may_begin_anywhere() -> None:
    log = Log(10)
    assert log.take(said(10)) == []
    assert [one.seq for one in log.take(said(11))] == [11]


def test_what_is_held_behind_a_hole_is_bounded_and_the_rest_is_still_known_to_be_missing() -> None:
    log = Log()
    for seq in range(2, HELD_MAX + 100):
        log.take(said(seq))
    assert len(log.take(said(1))) == HELD_MAX + 1
    assert (log.cursor, log.head, log.missing) == (HELD_MAX + 1, HELD_MAX + 99, True)


def test_a_recall_of_what_is_still_held_is_not_undone() -> None:
    log = Log(keep=True)
    log.take(said(2))
    assert log.update(said(2, rev=1, body=None))
    assert [one.body is None for one in log.take(said(1))] == [False, True]


def test_the_end_that_the_server_names_outdoes_what_was_heard_of() -> None:
    log = Log(3)
    log.exists(9)
    assert log.missing
    log.ends_at(3)
    assert not log.missing


@given(st.permutations(range(1, 8)))
def test_conversations_converge_whatever_the_order_of_their_versions(revs: list[int]) -> None:
    view = View()
    for rev in revs:
        view.put(open_conversation(rev=rev, assign_epoch=rev))
    assert view.conversations["c1"].assign_epoch == 7


def test_an_older_head_in_a_newer_version_does_not_take_messages_back() -> None:
    view = View()
    view.put(open_conversation(rev=1, head=4))
    view.said(said(5))
    view.put(open_conversation(rev=2, head=4, assign_epoch=2))
    seen = view.conversations["c1"]
    assert (seen.head_seq, seen.assign_epoch) == (5, 2)
    assert seen.last_message == said(5)


def test_a_recalled_last_message_shows_as_recalled() -> None:
    view = View()
    view.put(open_conversation())
    view.said(said(1))
    view.changed(said(1, body=None, rev=1))
    assert view.conversations["c1"].last_message == said(1, body=None, rev=1)


@pytest.mark.parametrize(
    ("person", "members", "own"),
    [
        ({"kind": "agent", "id": "a1"}, {}, True),
        ({"kind": "agent", "id": "a2"}, {}, False),
        ({"kind": "agent", "id": "a1"}, {"owner": None, "state": "queued"}, False),
        ({"kind": "agent", "id": "a1"}, {"state": "wrap_up"}, True),
        ({"kind": "agent", "id": "a1"}, {"state": "closed"}, False),
        ({"kind": "customer", "id": "k1"}, {"owner": None, "state": "queued"}, True),
        ({"kind": "customer", "id": "k1"}, {"state": "closed"}, False),
        ({"kind": "customer", "id": "k2"}, {}, False),
    ],
)
def test_what_belongs_into_a_snapshot(person: dict[str, str], members: dict[str, object], own: bool) -> None:
    hello = session()
    hello["me"]["person"] = person
    view = View()
    view.begin(HelloResult.model_validate(hello, strict=False))
    view.put(open_conversation(**members))
    assert [one.conversation_id for one in view.snapshot()] == (["c1"] if own else [])


def test_agents_are_as_they_were_last_told() -> None:
    view = View()
    card = AgentCard.model_validate(
        {"account_id": "a1", "name": "Ann", "status": "online", "connected": True, "counted_offline": False,
         "availability": "has_room", "load": 0, "capacity": 5},
        strict=False,
    )  # fmt: skip
    view.apply(AgentChanged(agent=card))
    view.apply(AgentChanged(agent=card.model_copy(update={"load": 1})))
    assert view.agents["a1"].load == 1
