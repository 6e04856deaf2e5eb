"""Both directions of the socket as an AsyncAPI 3.0 document; served by `GET /asyncapi.json`.

Written from the server's side, as the specification wants it: `send` is what the server sends.
"""

from typing import Any

from protocol.events import EVENTS, Event, Sender
from protocol.limits import ID_MAX_CHARS, INT_LIMIT
from protocol.methods import METHODS, Method
from protocol.schema.definitions import REF, Definitions, Json, definitions
from protocol.schema.words import INTRODUCTION, TITLE
from protocol.version import SUBPROTOCOL, VERSION

_ID: Json = {
    "oneOf": [
        {"type": "string", "minLength": 1, "maxLength": ID_MAX_CHARS},
        {"type": "integer", "exclusiveMinimum": -INT_LIMIT, "exclusiveMaximum": INT_LIMIT},
    ]
}
_CHANNEL = "#/channels/socket"


def asyncapi() -> Json:
    """The document, complete in itself: all references point into it."""
    known = definitions()
    messages: dict[str, Json] = {}
    operations: dict[str, Json] = {}
    for method in METHODS.values():
        messages[f"{method.name}.request"] = _request(method, known)
        messages[f"{method.name}.reply"] = _reply(method, known)
        operations[method.name] = {
            **_operation("receive", f"{method.name}.request", method.summary),
            "reply": {
                "channel": {"$ref": _CHANNEL},
                "messages": [_message(f"{method.name}.reply"), _message("error")],
            },
            "x-right": method.right and method.right.value,
            "x-others": sorted(method.others),
        }
    for event in EVENTS.values():
        if event.sender is not Sender.CLIENT:
            messages[event.name] = _notification(event, known.told(event.payload))
            operations[f"{event.name}.send"] = _operation("send", event.name, event.summary)
        if event.sender is not Sender.SERVER:
            name = event.name if event.sender is Sender.CLIENT else f"{event.name}.client"
            messages[name] = _notification(event, known.given(event.payload))
            operations[f"{event.name}.receive"] = _operation("receive", name, event.summary)
    messages["error"] = _error()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": TITLE, "version": VERSION, "description": INTRODUCTION, "license": {"name": "MIT"}},
        "defaultContentType": "application/json",
        "servers": {
            "node": {
                "host": "localhost",
                "pathname": "/ws",
                "protocol": "wss",
                "description": f"Any node of the installation. The subprotocol `{SUBPROTOCOL}` must be offered.",
            }
        },
        "channels": {
            "socket": {
                "address": "/ws",
                "description": "One socket per client; `session.hello` comes first.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": operations,
        "components": {"messages": messages, "schemas": known.schemas},
    }


def _operation(action: str, message: str, summary: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": _CHANNEL},
        "summary": summary,
        "messages": [_message(message)],
    }


def _message(name: str) -> Json:
    return {"$ref": f"{_CHANNEL}/messages/{name}"}


def _frame(name: str, summary: str, required: list[str], members: Json) -> Json:
    payload: dict[str, Any] = {
        "type": "object",
        "required": ["jsonrpc", *required],
        "properties": {"jsonrpc": {"const": "2.0"}, **members},
    }
    return {"name": name, "summary": summary, "payload": payload}


def _request(method: Method, known: Definitions) -> Json:
    params = known.given(method.params)
    needed = ["id", "method"] + (["params"] if known.schemas[params].get("required") else [])
    members = {"id": _ID, "method": {"const": method.name}, "params": {"$ref": REF + params}}
    return _frame(method.name, method.summary, needed, members)


def _reply(method: Method, known: Definitions) -> Json:
    members = {"id": _ID, "result": {"$ref": REF + known.told(method.result)}}
    return _frame(f"{method.name} reply", f"Answers `{method.name}`.", ["id", "result"], members)


def _notification(event: Event, payload: str) -> Json:
    members = {"method": {"const": event.name}, "params": {"$ref": REF + payload}}
    message = _frame(event.name, event.summary, ["method", "params"], members)
    return {**message, "x-plane": event.plane.value}


def _error() -> Json:
    data: Json = {
        "type": "object",
        "required": ["reason", "retryable"],
        "properties": {
            "reason": {"type": "string", "description": "a stable word for programs"},
            "retryable": {"type": "boolean", "description": "the request may be repeated unchanged"},
            "retry_after_ms": {"type": "integer"},
            "detail": {"description": "further facts; for -32602 a list of `{field, problem}`"},
        },
    }
    error: Json = {
        "type": "object",
        "required": ["code", "message", "data"],
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "data": data},
    }
    members = {"id": {"oneOf": [*_ID["oneOf"], {"type": "null"}]}, "error": error}
    return _frame("error", "Refuses a request.", ["id", "error"], members)
