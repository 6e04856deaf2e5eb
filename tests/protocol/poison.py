"""Poison: frames that no honest client sends, each with what the codec must make of it (fault 20).

`POISON` is for the codec's table and for fuzzing a running gateway alike: whatever comes, one node answers or ignores
it, keeps the socket, and lives. `mutations` makes more of them from honest frames.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import orjson

from protocol.codes import ErrorCode
from protocol.events import EVENTS, Sender
from protocol.limits import DEPTH_MAX, FRAME_MAX_BYTES
from protocol.methods import METHODS
from protocol.shapes import TEXT_MAX_BYTES

PARSE, INVALID = ErrorCode.PARSE_ERROR, ErrorCode.INVALID_REQUEST
NO_METHOD, PARAMS = ErrorCode.METHOD_NOT_FOUND, ErrorCode.INVALID_PARAMS
SEND: dict[str, Any] = {
    "conversation_id": "c1",
    "client_message_id": "m1",
    "body": {"kind": "text", "text": "Hello"},
}
HUGE = 2**53


@dataclass(frozen=True)
class Poison:
    """`name` for the report, the frame, and the refusal: code, reason, and the id that it must carry."""

    name: str
    data: bytes | str
    code: ErrorCode
    reason: str
    id: str | int | None = None
    answer: bool = True


def frame(method: str = "message.send", params: Any = SEND, id: Any = 7, **more: Any) -> bytes:
    """A frame as an honest encoder would write it."""
    return orjson.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params, **more})


def raw(params: bytes, method: bytes = b"message.send", id: bytes = b"7") -> bytes:
    """A frame with params as written."""
    return b'{"jsonrpc":"2.0","id":%b,"method":"%b","params":%b}' % (id, method, params)


def sending(text: bytes) -> bytes:
    """A `message.send` whose text is the JSON string as written."""
    return raw(b'{"conversation_id":"c1","client_message_id":"m1","body":{"kind":"text","text":%b}}' % text)


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """A frame of so many levels, its own included, in a member that nobody knows."""
    inside = levels - 2
    return raw(b'{"x":' + opening * inside + (b"1" if closing == b"}" else b"") + closing * inside + b"}")


def _with(**members: Any) -> dict[str, Any]:
    return {**SEND, **members}


_UNREADABLE = [
    Poison("empty", b"", PARSE, "not_json"),
    Poison("blank", b"   ", PARSE, "not_json"),
    Poison("half a frame", frame()[:-1], PARSE, "not_json"),
    Poison("two frames", frame() * 2, PARSE, "not_json"),
    Poison("no JSON", b"hello", PARSE, "not_json"),
    Poison("single quotes", b"{'jsonrpc':'2.0'}", PARSE, "not_json"),
    Poison("trailing comma", raw(b'{"a":1,}'), PARSE, "not_json"),
    Poison("byte order mark", b"\xef\xbb\xbf" + frame(), PARSE, "not_json"),
    Poison("UTF-16", frame().decode().encode("utf-16-le"), PARSE, "not_json"),
    Poison("bad UTF-8", sending(b'"\xff\xfe"'), PARSE, "not_utf8"),
    Poison("overlong UTF-8", sending(b'"\xc0\xaf"'), PARSE, "not_utf8"),
    Poison("surrogate in UTF-8", sending(b'"\xed\xa0\x80"'), PARSE, "not_utf8"),
    Poison("cut UTF-8", sending(b'"\xe4\xb8"'), PARSE, "not_utf8"),
    Poison("lone surrogate in str", '{"jsonrpc":"\ud800"}', PARSE, "not_utf8"),
    Poison("lone high surrogate", sending(b'"\\ud800"'), PARSE, "not_json"),
    Poison("lone low surrogate", sending(b'"\\udc00"'), PARSE, "not_json"),
    Poison("raw NUL", sending(b'"a\x00b"'), PARSE, "not_json"),
    Poison("raw newline in a string", sending(b'"a\nb"'), PARSE, "not_json"),
    Poison("NaN", raw(b'{"x":NaN}'), PARSE, "not_json"),
    Poison("Infinity", raw(b'{"x":Infinity}'), PARSE, "not_json"),
    Poison("minus Infinity", raw(b'{"x":-Infinity}'), PARSE, "not_json"),
    Poison("number beyond a double", raw(b'{"x":1e999}'), PARSE, "not_json"),
    Poison("integer of 60,000 digits", raw(b'{"x":' + b"9" * 60_000 + b"}"), PARSE, "not_json"),
    Poison("hexadecimal", raw(b'{"x":0x10}'), PARSE, "not_json"),
    Poison("leading zero", raw(b'{"x":007}'), PARSE, "not_json"),
    Poison("comment", b"/* hi */" + frame(), PARSE, "not_json"),
]
_NO_FRAME = [
    Poison(
        "one byte too long", frame() + b" " * (FRAME_MAX_BYTES + 1 - len(frame())), INVALID, "frame_too_large"
    ),
    Poison("far too long", b" " * 10_000_000, INVALID, "frame_too_large"),
    Poison("too long as str", " " * (FRAME_MAX_BYTES + 1), INVALID, "frame_too_large"),
    Poison("too long in bytes, not in characters", "中" * (FRAME_MAX_BYTES // 2), INVALID, "frame_too_large"),
    Poison("batch", b"[" + frame() + b"]", INVALID, "batch"),
    Poison("empty batch", b"[]", INVALID, "batch"),
    Poison("null", b"null", INVALID, "not_an_object"),
    Poison("number", b"7", INVALID, "not_an_object"),
    Poison("string", b'"message.send"', INVALID, "not_an_object"),
    Poison("true", b"true", INVALID, "not_an_object"),
    Poison("empty object", b"{}", INVALID, "not_jsonrpc_2"),
    Poison("one level too deep", nested(DEPTH_MAX + 1), INVALID, "too_deep", 7),
    Poison("one object too deep", nested(DEPTH_MAX + 1, b'{"a":', b"}"), INVALID, "too_deep", 7),
    Poison("1,000 levels", nested(1000), INVALID, "too_deep", 7),
    Poison("30,000 levels", nested(30_000), INVALID, "too_deep"),
    Poison("nothing but brackets", b"[" * 60_000, INVALID, "too_deep"),
    Poison("nothing but braces", b'{"a":' * 12_000, INVALID, "too_deep"),
    Poison("too many arrays", raw(b'{"x":[' + b"[]," * 20_000 + b"[]]}"), INVALID, "too_many_parts", 7),
    Poison("too many objects", raw(b'{"x":[' + b"{}," * 1000 + b"{}]}"), INVALID, "too_many_parts", 7),
    Poison(
        "a member twice",
        raw(b'{"conversation_id":"c1","conversation_id":"c2"}'),
        INVALID,
        "duplicate_member",
        7,
    ),
    Poison(
        "a member twice, escaped",
        raw(b'{"scope":"mine","sc\\u006fpe":"all"}'),
        INVALID,
        "duplicate_member",
        7,
    ),
    Poison("a member twice, spaced", raw(b'{"a" : 1, "a" : 2}'), INVALID, "duplicate_member", 7),
    Poison("one spaced, one twice", raw(b'{"a" :1,"b":"\\":","c":1,"c":2}'), INVALID, "duplicate_member", 7),
    Poison(
        "method twice", b'{"jsonrpc":"2.0","id":7,"method":"hb","method":"x"}', INVALID, "duplicate_member", 7
    ),
    Poison("no version", b'{"id":7,"method":"message.send"}', INVALID, "not_jsonrpc_2", 7),
    Poison("version 1", frame(jsonrpc="1.0"), INVALID, "not_jsonrpc_2", 7),
    Poison("version as number", frame(jsonrpc=2.0), INVALID, "not_jsonrpc_2", 7),
    Poison("no method", b'{"jsonrpc":"2.0","id":7}', INVALID, "no_method", 7),
    Poison("method null", frame(method=None), INVALID, "no_method", 7),  # type: ignore[arg-type]
    Poison("method as number", frame(method=1), INVALID, "no_method", 7),  # type: ignore[arg-type]
    Poison("method as list", frame(method=["message.send"]), INVALID, "no_method", 7),  # type: ignore[arg-type]
    Poison("a reply", b'{"jsonrpc":"2.0","id":7,"result":{}}', INVALID, "no_method", 7),
    Poison("id null", frame(id=None), INVALID, "bad_id"),
    Poison("id true", frame(id=True), INVALID, "bad_id"),
    Poison("id a fraction", frame(id=1.5), INVALID, "bad_id"),
    Poison("id 1.0", frame(id=1.0), INVALID, "bad_id"),
    Poison("id of 2^53", frame(id=HUGE), INVALID, "bad_id"),
    Poison("id of -2^53", frame(id=-HUGE), INVALID, "bad_id"),
    Poison("id of 30 digits", raw(b"{}", id=b"9" * 30), INVALID, "bad_id"),
    Poison("id empty", frame(id=""), INVALID, "bad_id"),
    Poison("id of 65 characters", frame(id="x" * 65), INVALID, "bad_id"),
    Poison("id with NUL", frame(id="a\0b"), INVALID, "bad_id"),
    Poison("id an object", frame(id={"a": 1}), INVALID, "bad_id"),
    Poison("id a list", frame(id=[7]), INVALID, "bad_id"),
    Poison("request without id", b'{"jsonrpc":"2.0","method":"message.send","params":{}}', INVALID, "no_id"),
    Poison("params null", frame(params=None), INVALID, "bad_params", 7),
    Poison("params a string", frame(params="x"), INVALID, "bad_params", 7),
    Poison("params a number", frame(params=0), INVALID, "bad_params", 7),
    Poison("params false", frame(params=False), INVALID, "bad_params", 7),
]
_NO_METHOD = [
    Poison("unknown method", frame("message.burn"), NO_METHOD, "method_not_found", 7),
    Poison("empty method", frame(""), NO_METHOD, "method_not_found", 7),
    Poison("method in capitals", frame("MESSAGE.SEND"), NO_METHOD, "method_not_found", 7),
    Poison("method with NUL", frame("message.send\0"), NO_METHOD, "method_not_found", 7),
    Poison("method of 50,000 characters", frame("x" * 50_000), NO_METHOD, "method_not_found", 7),
    Poison("method like an attribute", frame("__class__"), NO_METHOD, "method_not_found", 7),
    Poison("a notification with id", frame("hb", {}), NO_METHOD, "method_not_found", 7),
    Poison("a push of the server", frame("message.created", {}), NO_METHOD, "method_not_found", 7),
    Poison(
        "unknown notification", b'{"jsonrpc":"2.0","method":"x"}', NO_METHOD, "method_not_found", answer=False
    ),
    Poison(
        "server's notification",
        b'{"jsonrpc":"2.0","method":"agent.changed"}',
        NO_METHOD,
        "method_not_found",
        answer=False,
    ),
]
_BAD_PARAMS = [
    Poison(name, data, PARAMS, "invalid_params", 7)
    for name, data in {
        "by position": frame(params=["c1", "m1"]),
        "none at all": b'{"jsonrpc":"2.0","id":7,"method":"message.send"}',
        "empty": frame(params={}),
        "no body": frame(params={"conversation_id": "c1", "client_message_id": "m1"}),
        "conversation as number": frame(params=_with(conversation_id=1)),
        "conversation null": frame(params=_with(conversation_id=None)),
        "conversation empty": frame(params=_with(conversation_id="")),
        "conversation too long": frame(params=_with(conversation_id="c" * 65)),
        "conversation with a blank": frame(params=_with(conversation_id="c 1")),
        "conversation with a line end": frame(params=_with(conversation_id="c1\n")),
        "conversation with markup": frame(params=_with(conversation_id="<script>")),
        "client message id empty": frame(params=_with(client_message_id="")),
        "client message id too long": frame(params=_with(client_message_id="m" * 65)),
        "body a string": frame(params=_with(body="Hello")),
        "body a list": frame(params=_with(body=[])),
        "body null": frame(params=_with(body=None)),
        "body without kind": frame(params=_with(body={"text": "Hello"})),
        "body of unknown kind": frame(params=_with(body={"kind": "html", "text": "Hello"})),
        "body of a list kind": frame(params=_with(body={"kind": ["text"], "text": "Hello"})),
        "a system body": frame(params=_with(body={"kind": "system", "event": "closed"})),
        "text missing": frame(params=_with(body={"kind": "text"})),
        "text empty": frame(params=_with(body={"kind": "text", "text": ""})),
        "text as number": frame(params=_with(body={"kind": "text", "text": 1})),
        "text with NUL": sending(b'"a\\u0000b"'),
        "NUL in an unknown member": frame(params=_with(x=["\0"])),
        "NUL in a member's name": frame(params=_with(**{"\0": 1})),
        "text a byte too long": frame(
            params=_with(body={"kind": "text", "text": "x" * (TEXT_MAX_BYTES + 1)})
        ),
        "text too long in bytes": frame(params=_with(body={"kind": "text", "text": "中" * 5462})),
        "epoch a string": frame(params=_with(assign_epoch="1")),
        "epoch a truth value": frame(params=_with(assign_epoch=True)),
        "epoch a fraction": frame(params=_with(assign_epoch=1.5)),
        "seq negative": frame("read.mark", {"conversation_id": "c1", "seq": -1}),
        "seq of 2^53": frame("read.mark", {"conversation_id": "c1", "seq": HUGE}),
        "seq of 30 digits": raw(b'{"conversation_id":"c1","seq":' + b"9" * 30 + b"}", b"read.mark"),
        "seq 1.0": frame("read.mark", {"conversation_id": "c1", "seq": 1.0}),
        "limit over 200": frame("message.history", {"conversation_id": "c1", "limit": 201}),
        "limit of 0": frame("message.history", {"conversation_id": "c1", "limit": 0}),
        "rating of 6": frame("conversation.rate", {"conversation_id": "c1", "rating": 6}),
        "status unknown": frame("agent.set_status", {"status": "busy"}),
        "status a list": frame("agent.set_status", {"status": ["online"]}),
        "capacity of 501": frame("agent.set_capacity", {"capacity": 501}),
        "too many cursors": frame(
            "session.hello", {"resume": {"session_id": "s", "cursors": {f"c{n}": 1 for n in range(1001)}}}
        ),
        "a cursor's name with a blank": frame(
            "session.hello", {"resume": {"session_id": "s", "cursors": {"c 1": 1}}}
        ),
        "device unknown": frame("session.hello", {"client": {"device": "toaster"}}),
    }.items()
]
_BAD_NOTIFICATIONS = [
    Poison(
        name,
        orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params}),
        PARAMS,
        "invalid_params",
        None,
        False,
    )
    for name, method, params in (
        ("typing without conversation", "typing.set", {"typing": True}),
        ("typing as number", "typing.set", {"conversation_id": "c1", "typing": 1}),
        ("a draft with NUL", "typing.set", {"conversation_id": "c1", "typing": True, "text": "\0"}),
        ("hb with cursors as list", "hb", {"cursors": [1]}),
        ("hb by position", "hb", [1]),
    )
]

POISON: list[Poison] = [*_UNREADABLE, *_NO_FRAME, *_NO_METHOD, *_BAD_PARAMS, *_BAD_NOTIFICATIONS]

_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    HUGE,
    -HUGE,
    "",
    "\0",
    "x" * 5000,
    "中" * 5000,
    [],
    [[]],
    {},
    {"": {}},
]


def mutations(seed: int, count: int) -> list[bytes]:
    """So many frames for any method or notification with members of the wrong kind, missing, or torn; reproducible."""
    rng = random.Random(seed)
    names = [*METHODS, *(name for name, event in EVENTS.items() if event.sender is not Sender.SERVER)]
    frames: list[bytes] = []
    for number in range(count):
        name = rng.choice(names)
        shape = METHODS[name].params if name in METHODS else EVENTS[name].payload
        params: dict[str, Any] = {
            member: rng.choice(_VALUES) for member in shape.model_fields if rng.random() < 0.8
        }
        whole: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": name, "params": params}
        if rng.random() < 0.2:
            whole[rng.choice(list(whole))] = rng.choice(_VALUES)
        data = bytearray(orjson.dumps(whole))
        if rng.random() < 0.3:
            for _ in range(rng.randint(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        frames.append(bytes(data))
    return frames
