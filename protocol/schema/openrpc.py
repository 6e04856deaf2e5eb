"""The requests as an OpenRPC 1.3 document; served by `rpc.discover` and `GET /openrpc.json`."""

from typing import Any

from protocol.codes import ErrorCode
from protocol.methods import METHODS, Method
from protocol.schema.definitions import REF, Definitions, Json, definitions
from protocol.schema.words import ERRORS, INTRODUCTION, TITLE
from protocol.version import VERSION

_EVERY_METHOD = (
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN,
    ErrorCode.RATE_LIMITED,
    ErrorCode.UNAVAILABLE,
)
_BY_MEMBER: dict[str, tuple[ErrorCode, ...]] = {
    "conversation_id": (ErrorCode.NOT_FOUND, ErrorCode.INVALID_STATE),
    "account_id": (ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
    "assign_epoch": (ErrorCode.STALE_ASSIGNMENT,),
    "client_message_id": (ErrorCode.IDEMPOTENCY_CONFLICT, ErrorCode.COMMIT_UNKNOWN),
    "message": (ErrorCode.IDEMPOTENCY_CONFLICT, ErrorCode.COMMIT_UNKNOWN),
    "open_conversations": (ErrorCode.CONFLICT,),
}


def openrpc() -> Json:
    """The document, complete in itself: all references point into it."""
    known = definitions()
    return {
        "openrpc": "1.3.2",
        "info": {"title": TITLE, "version": VERSION, "description": INTRODUCTION, "license": {"name": "MIT"}},
        "methods": [_method(method, known) for method in METHODS.values()],
        "components": {"schemas": known.schemas, "errors": {_key(code): _error(code) for code in ERRORS}},
    }


def errors_of(method: Method) -> list[ErrorCode]:
    """The errors of ours that a method may answer with, besides those of JSON-RPC."""
    found: set[ErrorCode] = set(_EVERY_METHOD)
    for member in method.params.model_fields:
        found.update(_BY_MEMBER.get(member, ()))
    return sorted(found)


def _method(method: Method, known: Definitions) -> Json:
    params = known.schemas[known.given(method.params)]
    required = params.get("required", [])
    result = known.told(method.result)
    return {
        "name": method.name,
        "summary": method.summary,
        "description": params.get("description", method.summary),
        "tags": [{"name": method.name.partition(".")[0]}],
        "paramStructure": "by-name",
        "params": [
            _param(name, schema, name in required) for name, schema in params.get("properties", {}).items()
        ],
        "result": {"name": result, "schema": {"$ref": REF + result}},
        "errors": [{"$ref": f"#/components/errors/{_key(code)}"} for code in errors_of(method)],
        "x-right": method.right and method.right.value,
        "x-others": sorted(method.others),
    }


def _param(name: str, schema: Json, required: bool) -> Json:
    descriptor: dict[str, Any] = {"name": name, "required": required, "schema": schema}
    if "description" in schema:
        descriptor["description"] = schema["description"]
    return descriptor


def _key(code: ErrorCode) -> str:
    return code.name.lower()


def _error(code: ErrorCode) -> Json:
    return {"code": int(code), "message": ERRORS[code]}
