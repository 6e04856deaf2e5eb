"""The driver's shortcuts against the real encoders: what it writes is understood, what is written it recognises."""

from __future__ import annotations

import json

import pytest

from loadtest.speech import Heard, PointsmanSpeech, SocketIoSpeech, Utterance, body
from protocol.codec import (
    NotificationFrame,
    RequestFrame,
    decode,
    encode_error,
    encode_notification,
    encode_result,
)
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import AgentChanged, Heartbeat
from protocol.methods.messages import SendParams, SendResult
from protocol.shapes import AgentCard, Message, Party, SystemBody, TextBody
from protocol.states import AgentStatus

CONVERSATION = "01a20302-3b0b-7168-ab69-881b8b85af66"
NOW = "2026-11-22T08:00:00.000Z"


def created(name: str | None, body: TextBody | SystemBody) -> bytes:
    """`message.created` as the codec writes it."""
    message = Message(
        conversation_id=CONVERSATION,
        seq=12_345_678,
        message_id=CONVERSATION,
        client_message_id=name,
        sender=Party(kind="customer", id=CONVERSATION, name='A "quoted" name'),
        body=body,
        created_at=NOW,
    )
    return encode_notification("message.created", message)


def test_a_message_is_a_200_byte_object() -> None:
    assert 190 <= len(body(CONVERSATION, 123_456)) <= 210


def test_the_server_understands_a_message_of_the_driver() -> None:
    frame = decode(PointsmanSpeech().message(CONVERSATION, 42))
    assert isinstance(frame, RequestFrame)
    assert isinstance(frame.params, SendParams)
    assert (frame.id, frame.method.name) == (42, "message.send")
    assert (frame.params.conversation_id, frame.params.client_message_id) == (CONVERSATION, "m42")


def test_the_server_understands_the_drivers_heartbeat() -> None:
    frame = decode(PointsmanSpeech().pong)
    assert isinstance(frame, NotificationFrame)
    assert frame.event.name == "hb"


def test_a_reply_is_an_acknowledgement() -> None:
    result = SendResult(seq=7, message_id=CONVERSATION, created_at=NOW, duplicate=False)
    assert PointsmanSpeech().hear(encode_result(42, result)) == Utterance(Heard.ACKNOWLEDGED, 42)


def test_a_refusal_is_not() -> None:
    error = RequestError(ErrorCode.RATE_LIMITED, "too_many_messages", "Slower, please.")
    assert PointsmanSpeech().hear(encode_error(42, error)).what is Heard.REFUSED
    assert PointsmanSpeech().hear(encode_error(None, error)).what is Heard.REFUSED


def test_a_created_message_of_the_driver_is_delivered() -> None:
    heard = PointsmanSpeech().hear(created("m42", TextBody(kind="text", text="hello")))
    assert heard == Utterance(Heard.DELIVERED, 42)


@pytest.mark.parametrize("name", [None, "d:3", "first"])
def test_entries_that_the_driver_did_not_send_are_passed_over(name: str | None) -> None:
    text = created(name, SystemBody(kind="system", event="assigned"))
    assert PointsmanSpeech().hear(text).what is Heard.OTHER


def test_a_heartbeat_wants_an_answer_and_other_news_none() -> None:
    card = AgentCard(
        account_id="a",
        name="Ann",
        status=AgentStatus.ONLINE,
        connected=True,
        counted_offline=False,
        availability="has_room",
        load=0,
        capacity=5,
    )
    assert PointsmanSpeech().hear(encode_notification("hb", Heartbeat())).what is Heard.PING
    assert (
        PointsmanSpeech().hear(encode_notification("agent.changed", AgentChanged(agent=card))).what
        is Heard.OTHER
    )


def test_socketio_packets_carry_the_same_message() -> None:
    text = SocketIoSpeech().message("room-1", 42)
    assert text.startswith(b'4242["send",')
    assert json.loads(text[4:]) == ["send", json.loads(body("room-1", 42))]
    assert SocketIoSpeech().join(0, ["a", "b"]) == b'420["join",["a","b"]]'


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (b'4342["m42"]', Utterance(Heard.ACKNOWLEDGED, 42)),
        (b'42["message",' + body("room-1", 42).encode() + b"]", Utterance(Heard.DELIVERED, 42)),
        (b"2", Utterance(Heard.PING)),
        (b'40{"sid":"x"}', Utterance(Heard.OTHER)),
        (b'44{"message":"no"}', Utterance(Heard.REFUSED)),
        (b"41", Utterance(Heard.REFUSED)),
        (b"1", Utterance(Heard.REFUSED)),
    ],
    ids=["ack", "event", "ping", "connected", "connect error", "disconnected", "closed"],
)
def test_socketio_packets_are_recognised(text: bytes, heard: Utterance) -> None:
    assert SocketIoSpeech().hear(text) == heard
