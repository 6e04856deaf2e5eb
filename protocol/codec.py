"""Bytes <-> frames: JSON-RPC 2.0 with the profile of `docs/protocol.md`, strict on the server's side. No I/O.

A frame that breaks the profile is a `CodecError`: it carries the `RequestError` to answer with, and the id when that
could be known. Decoding raises nothing else (fault 20 of the fault catalogue: poison frames).

Checked in this order: size; UTF-8 and JSON (numbers that do not fit, NaN, lone surrogates and raw control characters
are not JSON here); one object, not a batch; depth and parts; no member twice in one object; `jsonrpc`, `method`, `id`;
that the method exists; its params by name, without NUL and with texts within `TEXT_MAX_BYTES`, in the method's shape.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import orjson
from pydantic import ValidationError

from protocol import refusals as refuse
from protocol.codes import ErrorCode
from protocol.errors import PointsmanError, RequestError
from protocol.events import EVENTS, Event, Sender
from protocol.limits import (
    FRAME_MAX_BYTES,
    ID_MAX_CHARS,
    INT_LIMIT,
    TooDeep,
    TooManyParts,
    count_members,
    says_twice,
)
from protocol.methods import METHODS, Method
from protocol.problems import NUL, bad_strings, problems
from protocol.shapes import Shape

RequestId = str | int
"""A string of 1 to 64 characters, or an integer below 2**53."""


@dataclass(frozen=True, slots=True)
class RequestFrame:
    """A client asks; it gets exactly one reply with the same id."""

    id: RequestId
    method: Method
    params: Shape


@dataclass(frozen=True, slots=True)
class NotificationFrame:
    """Either side tells; nobody answers."""

    event: Event
    params: Shape


@dataclass(frozen=True, slots=True)
class ReplyFrame:
    """The server answers: `error`, or else `result` (for `decode_result`). `id` is None when the server had none."""

    id: RequestId | None
    result: Any
    error: RequestError | None


class CodecError(PointsmanError):
    """A frame that cannot be understood.

    `answer` is False for notifications: JSON-RPC forbids a reply to them, however wrong they are.
    """

    def __init__(self, error: RequestError, id: RequestId | None = None, *, answer: bool = True) -> None:
        super().__init__(error.message)
        self.error = error
        self.id = id
        self.answer = answer


def decode(data: bytes | str) -> RequestFrame | NotificationFrame:
    """Understand one frame of a client. Raises `CodecError`, and nothing else."""
    raw = _sized(data)
    members = _object(raw)
    request_id = _id_of(members)
    try:
        written = count_members(members)
    except TooDeep:
        raise CodecError(refuse.too_deep(), request_id) from None
    except TooManyParts:
        raise CodecError(refuse.too_many_parts(), request_id) from None
    if says_twice(raw, written):
        raise CodecError(
            refuse.invalid("duplicate_member", "An object has the same member twice."), request_id
        )
    if members.get("jsonrpc") != "2.0":
        raise CodecError(refuse.invalid("not_jsonrpc_2", 'The member `jsonrpc` must be "2.0".'), request_id)
    name = members.get("method")
    if not isinstance(name, str):
        raise CodecError(refuse.invalid("no_method", "The member `method` must be a string."), request_id)
    if "id" not in members:
        return _notification(members, name, raw)
    if request_id is None:
        raise CodecError(refuse.bad_id())
    method = METHODS.get(name)
    if method is None:
        raise CodecError(refuse.no_method(name), request_id)
    try:
        return RequestFrame(request_id, method, _params(members, _PARAMS[name], raw))
    except RequestError as error:
        raise CodecError(error, request_id) from None


def encode_result(id: RequestId, result: Shape | bytes) -> bytes:
    """The reply to request `id`; `result` may be JSON that was encoded before."""
    payload = result if isinstance(result, bytes) else encode_shape(result)
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (orjson.dumps(id), payload)


def encode_error(id: RequestId | None, error: RequestError) -> bytes:
    """The refusal of request `id` (None: it could not be known)."""
    body = {"code": int(error.code), "message": error.message, "data": error.data()}
    return orjson.dumps({"jsonrpc": "2.0", "id": id, "error": body})


def encode_notification(name: str, params: Shape) -> bytes:
    """The notification `name` of `EVENTS`; KeyError when there is no such event."""
    return _HEADS[name] + encode_shape(params) + b"}"


def encode_shape(shape: Shape) -> bytes:
    """One shape as JSON, every member written."""
    return shape.__pydantic_serializer__.to_json(shape)


def encode_request(id: RequestId, name: str, params: Shape) -> bytes:
    """The request `name` of `METHODS`, for clients; members that were never set stay away."""
    payload = params.__pydantic_serializer__.to_json(params, exclude_unset=True)
    return b'{"jsonrpc":"2.0","id":%b,"method":"%b","params":%b}' % (orjson.dumps(id), name.encode(), payload)


def decode_server(data: bytes | str) -> ReplyFrame | NotificationFrame:
    """Understand one frame of the server, for clients; leniently, since a newer server may say more than they know.

    Raises `CodecError`: -32601 is an event of a newer server, to be passed over; anything else is a broken peer.
    """
    members = _object(data)
    name = members.get("method")
    if isinstance(name, str):
        event = EVENTS.get(name)
        if event is None or event.sender is Sender.CLIENT:
            raise CodecError(refuse.no_method(name), answer=False)
        return NotificationFrame(event, _lenient(event.payload, members.get("params", {})))
    request_id = _id_of(members)
    if "error" in members:
        return ReplyFrame(request_id, None, _error_of(members["error"]))
    if "result" in members and request_id is not None:
        return ReplyFrame(request_id, members["result"], None)
    raise CodecError(
        refuse.invalid("not_a_reply", "The frame is neither a reply nor a notification."), answer=False
    )


def decode_result(method: Method, result: Any) -> Shape:
    """The typed result of a reply to `method`. Raises `CodecError` when it has another shape."""
    return _lenient(method.result, result)


_PARAMS: dict[str, Callable[[Any], Shape]] = {
    name: method.params.model_validate for name, method in METHODS.items()
}
_FROM_CLIENT: dict[str, Event] = {
    name: event for name, event in EVENTS.items() if event.sender is not Sender.SERVER
}
_HEADS: dict[str, bytes] = {
    name: b'{"jsonrpc":"2.0","method":"%b","params":' % name.encode() for name in EVENTS
}
_CODES = frozenset(int(code) for code in ErrorCode)


def _sized(data: bytes | str) -> bytes:
    raw = data
    if isinstance(raw, str) and len(raw) <= FRAME_MAX_BYTES:
        try:
            raw = raw.encode()
        except UnicodeEncodeError:
            raise CodecError(refuse.not_utf8()) from None
    if isinstance(raw, str) or len(raw) > FRAME_MAX_BYTES:
        raise CodecError(refuse.too_large(FRAME_MAX_BYTES))
    return raw


def _object(raw: bytes | str) -> dict[str, Any]:
    try:
        frame = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise CodecError(_parse_error(raw, str(error))) from None
    if type(frame) is dict:
        return cast("dict[str, Any]", frame)
    if isinstance(frame, list):
        raise CodecError(refuse.invalid("batch", "Batches are not supported: send one object per frame."))
    raise CodecError(refuse.invalid("not_an_object", "A frame must be one JSON object."))


def _parse_error(raw: bytes | str, words: str) -> RequestError:
    if "depth limit" in words:  # orjson's own, far beyond ours
        return refuse.too_deep()
    try:
        _ = raw.encode() if isinstance(raw, str) else raw.decode()
    except UnicodeError:
        return refuse.not_utf8()
    return RequestError(ErrorCode.PARSE_ERROR, "not_json", "The frame is not valid JSON.")


def _is_id(value: object) -> TypeGuard[RequestId]:
    if isinstance(value, str):
        return 0 < len(value) <= ID_MAX_CHARS and NUL not in value
    # true and false are integers to Python
    return isinstance(value, int) and not isinstance(value, bool) and -INT_LIMIT < value < INT_LIMIT


def _id_of(members: dict[str, Any]) -> RequestId | None:
    """The frame's id when it is one that may be echoed."""
    value = members.get("id")
    return value if _is_id(value) else None


def _notification(members: dict[str, Any], name: str, raw: bytes) -> NotificationFrame:
    if name in METHODS:
        # To JSON-RPC a request without id is a notification; silence about a message that is not sent would be worse.
        raise CodecError(refuse.invalid("no_id", f"`{name}` is a request: it needs an `id`."))
    event = _FROM_CLIENT.get(name)
    if event is None:
        raise CodecError(refuse.no_method(name), answer=False)
    try:
        return NotificationFrame(event, _params(members, event.payload.model_validate, raw))
    except RequestError as error:
        raise CodecError(error, answer=False) from None


def _params(members: dict[str, Any], validate: Callable[[Any], Shape], raw: bytes) -> Shape:
    """The checked params of a request or notification. Raises `RequestError`."""
    given = members.get("params", {})
    if given == []:  # what some clients send for "none"
        given = {}
    if isinstance(given, list):
        raise refuse.invalid_params([{"field": "params", "problem": "must be given by name, as an object"}])
    if not isinstance(given, dict):
        raise refuse.invalid("bad_params", "The member `params` must be an object.")
    params = cast("dict[str, Any]", given)
    bad = bad_strings(params, raw)
    if bad:
        raise refuse.invalid_params(bad)
    try:
        return validate(params)
    except ValidationError as error:
        found = problems(error, params)
    raise refuse.invalid_params(found)


def _lenient(shape: type[Shape], given: Any) -> Shape:
    try:
        return shape.model_validate(given, strict=False)
    except ValidationError as error:
        found = problems(error, given)
    raise CodecError(refuse.invalid_params(found), answer=False)


def _error_of(error: Any) -> RequestError:
    """The error object of a reply. A code that this client does not know counts as an internal error."""
    members = _members(error)
    facts = _members(members.get("data"))
    code, after = members.get("code"), facts.get("retry_after_ms")
    return RequestError(
        ErrorCode(code) if isinstance(code, int) and code in _CODES else ErrorCode.INTERNAL_ERROR,
        str(facts.get("reason", "unknown")),
        str(members.get("message", "")),
        retry_after_ms=after if isinstance(after, int) else None,
        detail=facts.get("detail"),
    )


def _members(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
