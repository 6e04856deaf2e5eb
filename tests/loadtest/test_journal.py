"""The journal: what people did and heard is on disk as it happened, and comes back as it was written."""

from __future__ import annotations

from pathlib import Path
from timeit import repeat
from typing import Any

import orjson
import pytest

from loadtest.journal import Journal, digest, said_in
from loadtest.records import Acked, Began, Came, Fault, Given, Record, Refused, Saw, Sent, record
from protocol.codec import NotificationFrame
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import EVENTS, AgentChanged
from protocol.ids import new_id
from protocol.methods.messages import SendResult
from protocol.shapes import AgentCard, Message, Party, TextBody
from protocol.states import AgentStatus

AT = "2026-11-22T08:00:00.000Z"
ADA, SHOP, CONVERSATION = new_id(), new_id(), new_id()


def read(path: Path) -> list[Record]:
    return [record(line) for line in path.read_bytes().splitlines()]


def kinds(path: Path, kind: type) -> list[Any]:
    return [each for each in read(path) if isinstance(each, kind)]


def message(seq: int, text: str, name: str, *, internal: bool = False) -> Message:
    return Message(
        conversation_id=CONVERSATION,
        seq=seq,
        message_id=new_id(),
        client_message_id=name,
        sender=Party(kind="customer", id=ADA, name="Ada"),
        body=TextBody(kind="text", text=text),
        created_at=AT,
        internal=internal,
    )


def test_a_send_is_written_down_before_it_goes_out_and_again_with_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, seed=7) as journal:
        pen = journal.pen()
        pen.came(ADA, "customer", SHOP)
        pen.sent(CONVERSATION, "m-1", "hello")
        pen.acked(CONVERSATION, "m-1", SendResult(seq=1, message_id="id-1", created_at=AT, duplicate=False))
        pen.sent(CONVERSATION, "m-2", "anybody?")
        pen.refused(
            CONVERSATION, "m-2", RequestError(ErrorCode.INVALID_STATE, "conversation_closed", "Over.")
        )

    began, came, *rest = read(path)
    assert isinstance(began, Began) and began.seed == 7
    assert isinstance(came, Came) and came[2:] == (ADA, "customer", SHOP)
    assert [each[2:] for each in rest] == [
        (CONVERSATION, "m-1", digest("hello"), False),
        (CONVERSATION, "m-1", 1, "id-1", False),
        (CONVERSATION, "m-2", digest("anybody?"), False),
        (CONVERSATION, "m-2", 1012, "conversation_closed"),
    ]
    assert [type(each) for each in rest] == [Sent, Acked, Sent, Refused]
    assert [each.at_us for each in rest] == sorted(each.at_us for each in rest)


def test_messages_that_come_are_given_with_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    one, note = message(1, "hello", "m-1"), message(2, "psst", "m-2", internal=True)
    with Journal(path) as journal:
        pen = journal.pen()
        pen.came(ADA, "customer", SHOP)
        pen.heard(NotificationFrame(EVENTS["message.created"], one))
        pen.heard(NotificationFrame(EVENTS["note.created"], note))

    assert [each[2:] for each in kinds(path, Given)] == [
        (CONVERSATION, 1, one.message_id, "m-1", digest("hello"), False),
        (CONVERSATION, 2, note.message_id, "m-2", digest("psst"), True),
    ]


def test_every_id_that_a_shop_is_shown_is_written_down_once(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    group = new_id()
    card = AgentCard(
        account_id=ADA, name="Ada", status=AgentStatus.ONLINE, connected=True, counted_offline=False,
        availability="has_room", load=0, capacity=5, groups=[group],
    )  # fmt: skip
    frame = NotificationFrame(EVENTS["agent.changed"], AgentChanged(agent=card))
    with Journal(path) as journal:
        for _ in range(2):
            pen = journal.pen()
            pen.came(ADA, "agent", SHOP)
            pen.heard(frame)
        stranger = journal.pen()
        stranger.came(new_id(), "agent", "another shop")
        stranger.heard(frame)

    assert [(saw.shop, set(saw.ids)) for saw in kinds(path, Saw)] == [
        (SHOP, {ADA, group}),
        ("another shop", {ADA, group}),
    ]


def test_faults_are_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.fault(11, "begun", node="b")
        assert [each[1:] for each in kinds(path, Fault)] == [(11, "begun", {"node": "b"})]


@pytest.mark.parametrize("line", [b'["dreamt", 1]', b'["sent", 1]'], ids=["unknown", "too short"])
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"no record|members"):
        record(line)


def test_what_was_recalled_says_nothing() -> None:
    assert said_in(None) == ""


def test_it_takes_a_million_records_in_some_seconds(tmp_path: Path) -> None:
    """500,000 messages with four records each are written beside the load: 50 us a record would be felt. As a ratio to
    what JSON alone costs here and now."""
    frame = NotificationFrame(EVENTS["message.created"], message(1, "hello", "m-1"))
    with Journal(tmp_path / "journal") as journal:
        pen = journal.pen()
        pen.came(ADA, "customer", SHOP)
        # The best of some rounds: in one of them somebody else may have had the processor.
        ours = min(repeat(lambda: pen.heard(frame), number=1_000, repeat=7))
    theirs = min(repeat(lambda: orjson.dumps(frame.params.model_dump()), number=1_000, repeat=7))
    assert ours < 3 * theirs
