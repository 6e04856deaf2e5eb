"""The documents: complete, closed in themselves, true to the codec, and the page in docs/ is not stale."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from protocol.codec import CodecError, decode
from protocol.codes import CloseCode, ErrorCode, Reason
from protocol.events import EVENTS, Sender
from protocol.methods import METHODS
from protocol.schema import asyncapi, markdown, openrpc, typescript
from protocol.schema.markdown import BEGIN, END, refreshed
from protocol.schema.words import CLOSES, ERRORS
from tests.protocol.poison import POISON, frame

ROOT = Path(__file__).parents[2]
OPENRPC, ASYNCAPI, TYPESCRIPT = openrpc(), asyncapi(), typescript()

OBJECT = {"type": "object"}
CLOSED: dict[str, Any] = {**OBJECT, "additionalProperties": False, "patternProperties": {"^x-": True}}
REF = {**CLOSED, "required": ["$ref"], "properties": {"$ref": {"type": "string"}}}
DESCRIPTOR = {
    **CLOSED,
    "required": ["name", "schema"],
    "properties": {
        "name": {"minLength": 1},
        "schema": OBJECT,
        "required": {"type": "boolean"},
        "description": {},
    },
}
# What the OpenRPC 1.3 specification asks of the parts that we write.
OPENRPC_FORM = {
    **CLOSED,
    "required": ["openrpc", "info", "methods"],
    "properties": {
        "openrpc": {"pattern": r"^1\.3\.\d+$"},
        "info": {
            **CLOSED,
            "required": ["title", "version"],
            "properties": {"title": {}, "version": {}, "description": {}, "license": {"required": ["name"]}},
        },
        "methods": {
            "type": "array",
            "items": {
                **CLOSED,
                "required": ["name", "params", "result"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "summary": {"type": "string"},
                    "description": {"type": "string"},
                    "tags": {"type": "array", "items": {"required": ["name"]}},
                    "paramStructure": {"const": "by-name"},
                    "params": {"type": "array", "items": DESCRIPTOR},
                    "result": DESCRIPTOR,
                    "errors": {"type": "array", "items": REF, "uniqueItems": True},
                },
            },
        },
        "components": {
            **CLOSED,
            "properties": {
                "schemas": {"type": "object", "additionalProperties": OBJECT},
                "errors": {
                    "type": "object",
                    "additionalProperties": {
                        **CLOSED,
                        "required": ["code", "message"],
                        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
                    },
                },
            },
        },
    },
}
# What the AsyncAPI 3.0 specification asks of the parts that we write.
MESSAGE = {
    **CLOSED,
    "required": ["payload"],
    "properties": {"name": {"type": "string"}, "summary": {"type": "string"}, "payload": OBJECT},
}
ASYNCAPI_FORM = {
    **CLOSED,
    "required": ["asyncapi", "info"],
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"required": ["title", "version"]},
        "defaultContentType": {"const": "application/json"},
        "servers": {"type": "object", "additionalProperties": {"required": ["host", "protocol"]}},
        "channels": {
            "type": "object",
            "additionalProperties": {
                **CLOSED,
                "properties": {
                    "address": {"type": "string"},
                    "description": {"type": "string"},
                    "messages": {"type": "object", "additionalProperties": REF},
                    "bindings": OBJECT,
                },
            },
        },
        "operations": {
            "type": "object",
            "additionalProperties": {
                **CLOSED,
                "required": ["action", "channel"],
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": REF,
                    "summary": {"type": "string"},
                    "messages": {"type": "array", "items": REF},
                    "reply": {
                        **CLOSED,
                        "properties": {"channel": REF, "messages": {"type": "array", "items": REF}},
                    },
                },
            },
        },
        "components": {
            **CLOSED,
            "properties": {
                "messages": {"propertyNames": {"pattern": r"^[\w.-]+$"}, "additionalProperties": MESSAGE},
                "schemas": {"type": "object", "additionalProperties": OBJECT},
            },
        },
    },
}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def in_document(document: dict[str, Any], schema: Any) -> jsonschema_rs.Draft202012Validator:
    """A validator for a schema whose references point into the document."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.parametrize(("document", "form"), [(OPENRPC, OPENRPC_FORM), (ASYNCAPI, ASYNCAPI_FORM)])
def test_the_document_has_the_form_of_its_specification(
    document: dict[str, Any], form: dict[str, Any]
) -> None:
    faults = [
        f"{error.instance_path}: {error.message}" for error in jsonschema_rs.iter_errors(form, document)
    ]
    assert faults == []


@pytest.mark.parametrize("document", [OPENRPC, ASYNCAPI])
def test_every_reference_resolves_within_the_document(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert len(found) > 20
    for reference in found:
        assert reference.startswith("#/")
        assert resolve(document, reference)


@pytest.mark.parametrize("document", [OPENRPC, ASYNCAPI])
def test_every_schema_is_json_schema_and_is_used(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
        assert name.isidentifier()
    if document is ASYNCAPI:
        used = {reference.rpartition("/")[2] for reference in references(document)}
        assert set(document["components"]["schemas"]) <= used


def test_openrpc_has_every_method_with_roles_params_and_result() -> None:
    assert {method["name"] for method in OPENRPC["methods"]} == set(METHODS)
    for described in OPENRPC["methods"]:
        method = METHODS[described["name"]]
        assert described["x-right"] == (method.right and method.right.value)
        assert described["x-others"] == sorted(kind.value for kind in method.others)
        assert {param["name"] for param in described["params"]} == set(method.params.model_fields)
        assert {param["name"] for param in described["params"] if param["required"]} == {
            name for name, field in method.params.model_fields.items() if field.is_required()
        }
        assert described["result"]["name"] == method.result.__name__


def test_openrpc_has_every_error() -> None:
    assert {error["code"] for error in OPENRPC["components"]["errors"].values()} == set(ErrorCode)


def test_asyncapi_has_every_event_in_its_directions_with_its_plane() -> None:
    for event in EVENTS.values():
        directions = {
            Sender.SERVER: {("send", event.name)},
            Sender.CLIENT: {("receive", event.name)},
            Sender.BOTH: {("send", event.name), ("receive", f"{event.name}.client")},
        }[event.sender]
        found: set[tuple[str, str]] = set()
        for action in ("send", "receive"):
            operation = ASYNCAPI["operations"].get(f"{event.name}.{action}")
            if operation is not None:
                reference = operation["messages"][0]["$ref"]
                message = resolve(ASYNCAPI, resolve(ASYNCAPI, reference)["$ref"])
                assert message["x-plane"] == event.plane
                assert message["payload"]["properties"]["method"] == {"const": event.name}
                found.add((operation["action"], reference.rpartition("/")[2]))
        assert found == directions


def test_asyncapi_has_every_request_with_its_reply() -> None:
    for name in METHODS:
        operation = ASYNCAPI["operations"][name]
        assert operation["action"] == "receive"
        replies = [reference["$ref"].rpartition("/")[2] for reference in operation["reply"]["messages"]]
        assert replies == [f"{name}.reply", "error"]


def test_the_documents_allow_what_the_codec_understands() -> None:
    whole = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "message.send",
        "params": decode(frame()).params.model_dump(),
    }
    payload = ASYNCAPI["components"]["messages"]["message.send.request"]["payload"]
    assert in_document(ASYNCAPI, payload).is_valid(whole)


@pytest.mark.parametrize(
    "poison", [p for p in POISON if p.code is ErrorCode.INVALID_PARAMS and p.id], ids=lambda p: p.name
)
def test_the_documents_forbid_what_the_codec_refuses(poison: Any) -> None:
    """All but three rules that JSON Schema cannot say: no NUL, bytes of UTF-8, and 1.0 is not an integer."""
    whole = json.loads(poison.data)
    with pytest.raises(CodecError):
        decode(poison.data)
    payload = ASYNCAPI["components"]["messages"][f"{whole['method']}.request"]["payload"]
    beyond = {
        "text with NUL",
        "NUL in an unknown member",
        "NUL in a member's name",
        "text too long in bytes",
        "seq 1.0",
    }
    assert in_document(ASYNCAPI, payload).is_valid(whole) is (poison.name in beyond)


def test_typescript_has_every_shape_request_event_and_code() -> None:
    declared = set(re.findall(r"^export (?:interface|type|const) (\w+)", TYPESCRIPT, re.MULTILINE))
    assert set(OPENRPC["components"]["schemas"]) <= declared
    for name, method in METHODS.items():
        assert (
            f'"{name}": {{ params: {method.params.__name__}; result: {method.result.__name__} }};'
            in TYPESCRIPT
        )
    for name in EVENTS:
        assert re.search(rf'^  "?{re.escape(name)}"?: \w+;$', TYPESCRIPT, re.MULTILINE)
    for code in (*ErrorCode, *CloseCode):
        assert f"  {code.name}: {int(code)}," in TYPESCRIPT
    assert all(f'"{reason}"' in TYPESCRIPT for reason in Reason)


def test_typescript_names_only_types_that_it_declares() -> None:
    declared = set(re.findall(r"^export (?:interface|type|const) (\w+)", TYPESCRIPT, re.MULTILINE))
    code = re.sub(r'/\*.*?\*/|//[^\n]*|"[^"]*"', "", TYPESCRIPT, flags=re.DOTALL)
    used = set(re.findall(r"[:|<(]\s*([A-Z]\w+)", code))
    assert used <= declared | {"Record"}


def test_what_clients_give_may_be_left_out_and_what_the_server_tells_is_whole() -> None:
    assert (
        'export interface ImageBodyInput {\n  kind: "image";\n  file_id: string;\n  name?: string;'
        in TYPESCRIPT
    )
    assert 'export interface ImageBody {\n  kind: "image";\n  file_id: string;\n  name: string;' in TYPESCRIPT


def test_docstrings_below_members_become_descriptions() -> None:
    head = OPENRPC["components"]["schemas"]["Conversation"]["properties"]["head_seq"]
    assert head["description"] == "last entry of the log, in the reader's numbering"


def test_every_code_has_words() -> None:
    assert set(ERRORS) == set(ErrorCode)
    assert set(CLOSES) == set(CloseCode)


def test_the_tables_in_the_page_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert page == refreshed(page), "run: python -m protocol.schema page docs/protocol.md"


def test_a_page_keeps_what_stands_around_its_tables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "protocol.schema", "page", str(page)], check=True, cwd=ROOT)
    assert page.read_text(encoding="utf-8") == f"before\n{markdown()}after\n"


@pytest.mark.parametrize(
    ("document", "beginning"),
    [
        ("openrpc", '{\n  "openrpc": "1.3.2"'),
        ("asyncapi", '{\n  "asyncapi"'),
        ("typescript", "// Made"),
        ("markdown", BEGIN),
    ],
)
def test_every_document_can_be_printed_and_is_the_same_every_time(document: str, beginning: str) -> None:
    command = [sys.executable, "-m", "protocol.schema", document]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout for _ in range(2)
    )
    assert first.startswith(beginning)
    assert first == second


def test_an_unknown_document_is_refused() -> None:
    command = [sys.executable, "-m", "protocol.schema", "poem"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (said.returncode, said.stdout) == (2, "")
    assert "openrpc|asyncapi|typescript|markdown" in said.stderr
