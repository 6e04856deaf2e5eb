"""Bytes to frames and back: what is understood, what is refused and how, and what it costs."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codec import (
    CodecError,
    NotificationFrame,
    ReplyFrame,
    RequestFrame,
    decode,
    decode_result,
    decode_server,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import EVENTS, GoingAway, Sender, TypingSet
from protocol.limits import DEPTH_MAX, FRAME_MAX_BYTES
from protocol.methods import METHODS
from protocol.methods.agents import SetStatusParams
from protocol.methods.messages import SendParams, SendResult
from protocol.shapes import TEXT_MAX_BYTES, ImageBody, Message, Party, TextBody
from protocol.states import AgentStatus
from tests.protocol.poison import POISON, SEND, Poison, frame, mutations, nested, raw, sending

SENT = SendResult(seq=3, message_id="m", created_at="2026-11-22T08:00:00.000Z", duplicate=False)


def text_of(data: bytes | str) -> str:
    understood = decode(data)
    assert isinstance(understood, RequestFrame)
    assert isinstance(understood.params, SendParams)
    assert isinstance(understood.params.body, TextBody)
    return understood.params.body.text


# -- what is understood --------------------------------------------------------------------------------------------


def test_a_request_becomes_its_method_and_typed_params() -> None:
    assert decode(frame()) == RequestFrame(7, METHODS["message.send"], SendParams.model_validate(SEND))


def test_str_and_bytes_are_understood_alike() -> None:
    assert decode(frame().decode()) == decode(frame())


@pytest.mark.parametrize("id", ["a", "x" * 64, "中" * 64, 0, -1, 2**53 - 1, -(2**53) + 1])
def test_ids_of_either_kind_come_back_unchanged(id: str | int) -> None:
    understood = decode(frame(id=id))
    assert isinstance(understood, RequestFrame)
    assert understood.id == id


@pytest.mark.parametrize("params", [b"{}", b"[]"])
def test_no_params_may_be_said_in_several_ways(params: bytes) -> None:
    assert decode(raw(params, b"agent.list")) == decode(b'{"jsonrpc":"2.0","id":7,"method":"agent.list"}')


def test_unknown_members_are_ignored_anywhere() -> None:
    body = {**SEND["body"], "colour": "red"}
    assert decode(frame(params={**SEND, "body": body, "new": {"deep": [1]}}, extra=1)) == decode(frame())


def test_members_may_stand_in_any_order_and_with_blanks() -> None:
    spread = orjson.dumps(orjson.loads(frame()), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    assert decode(b" \r\n\t" + spread.replace(b":", b" :")) == decode(frame())


def test_a_notification_has_no_id() -> None:
    understood = decode(
        b'{"jsonrpc":"2.0","method":"typing.set","params":{"conversation_id":"c1","typing":true}}'
    )
    assert understood == NotificationFrame(EVENTS["typing.set"], TypingSet(conversation_id="c1", typing=True))


def test_a_word_of_a_list_is_taken_as_that_word() -> None:
    understood = decode(frame("agent.set_status", {"status": "paused"}))
    assert isinstance(understood, RequestFrame)
    assert understood.params == SetStatusParams(status=AgentStatus.PAUSED)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b'"\\"text\\":"', '"text":'),
        (b'"a: b, http://x"', "a: b, http://x"),
        (b'"{[{[{[{[{[{[{[{[{["', "{[" * 9),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\"', "\\"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\u202e"', "\u202e"),
        ('"中文"'.encode(), "中文"),
    ],
)
def test_texts_that_look_like_json_are_texts(written: bytes, text: str) -> None:
    assert text_of(sending(written)) == text


def test_the_longest_frame_depth_and_text_are_understood() -> None:
    assert text_of(frame() + b" " * (FRAME_MAX_BYTES - len(frame()))) == "Hello"
    assert isinstance(
        decode(
            nested(DEPTH_MAX)
            .replace(b'"x"', b'"conversation_id":"c1","x"')
            .replace(b"message.send", b"conversation.get")
        ),
        RequestFrame,
    )
    longest = "中" * (TEXT_MAX_BYTES // 3) + "x" * (TEXT_MAX_BYTES % 3)
    assert text_of(frame(params={**SEND, "body": {"kind": "text", "text": longest}})) == longest


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", POISON, ids=lambda poison: poison.name)
def test_poison_is_refused_with_the_right_code(poison: Poison) -> None:
    with pytest.raises(CodecError) as refused:
        decode(poison.data)
    error = refused.value
    assert (error.error.code, error.error.reason) == (poison.code, poison.reason)
    assert (error.id, error.answer) == (poison.id, poison.answer)


@pytest.mark.parametrize("poison", POISON, ids=lambda poison: poison.name)
def test_every_refusal_can_be_answered_in_few_bytes(poison: Poison) -> None:
    with pytest.raises(CodecError) as refused:
        decode(poison.data)
    answer = encode_error(refused.value.id, refused.value.error)
    assert len(answer) < 4096
    assert b"\\u0000" not in answer
    assert orjson.loads(answer)["error"]["data"]["reason"] == poison.reason


@pytest.mark.parametrize(
    ("method", "params", "found"),
    [
        ("message.send", {}, dict.fromkeys(("conversation_id", "client_message_id", "body"), "is required")),
        ("message.send", {**SEND, "body": {"kind": "text"}}, {"body.text": "is required"}),
        ("message.send", {**SEND, "body": {"kind": "text", "text": ""}}, {"body.text": "must not be empty"}),
        ("message.send", {**SEND, "body": {"text": "x"}}, {"body": "needs the member 'kind'"}),
        ("message.send", {**SEND, "assign_epoch": 1.5}, {"assign_epoch": "must be an integer"}),
        ("message.send", {**SEND, "client_message_id": 5}, {"client_message_id": "must be a string"}),
        ("message.send", {**SEND, "client_message_id": "x" * 65},
         {"client_message_id": "must have at most 64 characters"}),
        ("message.send", {**SEND, "body": {"kind": "text", "text": "x" * 16385}},
         {"body.text": "must be at most 16384 bytes of UTF-8"}),
        ("message.send", {**SEND, "body": {"kind": "text", "text": "\0"}},
         {"body.text": "must not contain the NUL character (U+0000)"}),
        ("agent.set_capacity", {"capacity": 0}, {"capacity": "must be at least 1"}),
        ("agent.set_capacity", {"capacity": 501}, {"capacity": "must be at most 500"}),
        ("agent.set_status", {"status": "busy"}, {"status": "must be 'online', 'paused' or 'offline'"}),
        ("session.hello", {"resume": {"session_id": "s", "cursors": {"c1": "1"}}},
         {"resume.cursors.c1": "must be an integer"}),
        ("session.hello", {"client": []}, {"client": "must be an object"}),
        ("session.bye", {"sign_out": "yes"}, {"sign_out": "must be true or false"}),
    ],
)  # fmt: skip
def test_wrong_params_are_told_by_field_in_plain_words(
    method: str, params: Any, found: dict[str, str]
) -> None:
    with pytest.raises(CodecError) as refused:
        decode(frame(method, params))
    detail = refused.value.error.detail
    assert {item["field"]: item["problem"] for item in detail} == found


def test_at_most_ten_problems_are_told() -> None:
    cursors = {f"c{number}": "x" for number in range(50)}
    with pytest.raises(CodecError) as refused:
        decode(frame("session.hello", {"resume": {"session_id": "s", "cursors": cursors}}))
    assert len(refused.value.error.detail) == 10


def test_refusals_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(CodecError) as refused:
        decode(frame(params={**SEND, "conversation_id": "my secret", "client_message_id": ["my secret"]}))
    assert b"secret" not in encode_error(7, refused.value.error)


# -- whatever comes ------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def understood_or_refused(data: bytes | str) -> None:
    try:
        decode(data)
    except CodecError as error:
        encode_error(error.id, error.error)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_and_any_text_are_understood_or_refused(data: bytes | str) -> None:
    understood_or_refused(data)


@settings(max_examples=300, deadline=None)
@given(method=st.sampled_from([*METHODS, *EVENTS]), params=json_values, id=json_values, with_id=st.booleans())
def test_any_json_in_any_request_is_understood_or_refused(
    method: str, params: Any, id: Any, with_id: bool
) -> None:
    whole = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": id} if with_id else {})
    try:
        data = orjson.dumps(whole)
    except TypeError:  # an integer beyond 64 bits: write it the way another encoder would
        data = json.dumps(whole).encode()
    understood_or_refused(data)


def test_mutated_frames_are_understood_or_refused() -> None:
    for data in mutations(seed=20, count=2000):
        understood_or_refused(data)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=400).filter(lambda text: "\0" not in text), st.booleans())
def test_every_text_that_can_be_stored_arrives_as_it_was_sent(text: str, escaped: bool) -> None:
    whole = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "message.send",
        "params": {**SEND, "body": {"kind": "text", "text": text}},
    }
    assert text_of(json.dumps(whole, ensure_ascii=escaped).encode()) == text


# -- the way back --------------------------------------------------------------------------------------------------


def test_a_result_goes_to_the_client_and_is_understood_there() -> None:
    reply = decode_server(encode_result("a", SENT))
    assert isinstance(reply, ReplyFrame)
    assert (reply.id, reply.error) == ("a", None)
    assert decode_result(METHODS["message.send"], reply.result) == SENT


def test_a_result_may_be_encoded_before() -> None:
    assert encode_result(1, b'{"a":1}') == b'{"jsonrpc":"2.0","id":1,"result":{"a":1}}'


def test_an_id_is_quoted_properly() -> None:
    assert orjson.loads(encode_result('a"\\\n中', b"{}"))["id"] == 'a"\\\n中'


def test_an_error_goes_to_the_client_and_is_understood_there() -> None:
    said = RequestError(
        ErrorCode.RATE_LIMITED, "too_fast", "Slow down.", retry_after_ms=250, detail={"per_s": 5}
    )
    reply = decode_server(encode_error(None, said))
    assert isinstance(reply, ReplyFrame)
    assert reply.id is None
    assert reply.error is not None
    assert (reply.error.code, reply.error.message, reply.error.data()) == (
        said.code,
        said.message,
        said.data(),
    )


def test_an_unknown_error_code_counts_as_internal() -> None:
    reply = decode_server(b'{"jsonrpc":"2.0","id":1,"error":{"code":1999,"message":"new"}}')
    assert isinstance(reply, ReplyFrame)
    assert reply.error is not None
    assert (reply.error.code, reply.error.retryable) == (ErrorCode.INTERNAL_ERROR, False)


def test_a_notification_goes_to_the_client_and_is_understood_there() -> None:
    said = GoingAway(reconnect_in_ms=1500)
    assert decode_server(encode_notification("session.going_away", said)) == NotificationFrame(
        EVENTS["session.going_away"], said
    )


def test_an_image_keeps_what_it_is() -> None:
    said = Message(
        conversation_id="c1",
        seq=1,
        message_id="m",
        sender=Party(kind="customer", id="k"),
        body=ImageBody(kind="image", file_id="f", width=3),
        created_at="2026-11-22T08:00:00.000Z",
    )
    assert decode_server(encode_notification("message.created", said)) == NotificationFrame(
        EVENTS["message.created"], said
    )


def test_a_request_of_the_client_is_understood_by_the_server() -> None:
    params = SendParams.model_validate(SEND)
    assert decode(encode_request(9, "message.send", params)) == RequestFrame(
        9, METHODS["message.send"], params
    )


def test_clients_ignore_members_they_do_not_know() -> None:
    heard = decode_server(
        b'{"jsonrpc":"2.0","method":"session.going_away","params":{"reconnect_in_ms":1,"new":2},"x":1}'
    )
    assert isinstance(heard, NotificationFrame)
    assert heard.params == GoingAway(reconnect_in_ms=1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"jsonrpc":"2.0","method":"from.the_future","params":{}}', ErrorCode.METHOD_NOT_FOUND),
        (b'{"jsonrpc":"2.0","method":"typing.set","params":{}}', ErrorCode.METHOD_NOT_FOUND),
        (b'{"jsonrpc":"2.0","method":"session.going_away","params":{}}', ErrorCode.INVALID_PARAMS),
        (b'{"jsonrpc":"2.0","id":1}', ErrorCode.INVALID_REQUEST),
        (b"[]", ErrorCode.INVALID_REQUEST),
        (b"{", ErrorCode.PARSE_ERROR),
    ],
)
def test_clients_refuse_what_they_cannot_use(data: bytes, code: ErrorCode) -> None:
    with pytest.raises(CodecError) as refused:
        decode_server(data)
    assert refused.value.error.code is code


half_replies = st.dictionaries(
    st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]),
    json_values
    | st.sampled_from(list(EVENTS))
    | st.dictionaries(st.sampled_from(["code", "message", "data"]), json_values),
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | half_replies.map(lambda said: json.dumps(said).encode()))
def test_whatever_a_server_says_clients_understand_or_refuse(data: bytes) -> None:
    with contextlib.suppress(CodecError):
        assert isinstance(decode_server(data), ReplyFrame | NotificationFrame)


# -- the tables ----------------------------------------------------------------------------------------------------


def test_no_name_is_both_a_request_and_a_notification() -> None:
    assert not METHODS.keys() & EVENTS.keys()


@pytest.mark.parametrize(
    "name", [name for name, event in EVENTS.items() if event.sender is not Sender.CLIENT]
)
def test_an_unknown_event_name_cannot_be_sent_by_mistake(name: str) -> None:
    with pytest.raises(KeyError):
        encode_notification(name + "x", GoingAway(reconnect_in_ms=1))


@pytest.mark.req("PF-06")
def test_decoding_a_message_costs_microseconds() -> None:
    """The best of several rounds, far above that of an idle machine (7 us): catches only what is grossly wrong."""
    data = frame(params={**SEND, "conversation_id": "0199d7a0-1111-7222-8333-444455556666"})
    best = float("inf")
    for _ in range(20):
        begin = time.perf_counter()
        for _ in range(500):
            decode(data)
        best = min(best, (time.perf_counter() - begin) / 500)
    assert best < 60e-6
