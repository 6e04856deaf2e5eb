"""The protocol as TypeScript types for the web client: types and constants, no code to run, no dependency."""

import json
import re
from enum import IntEnum
from typing import cast

from protocol.codes import CloseCode, ErrorCode, Reason
from protocol.events import EVENTS, Sender
from protocol.limits import FRAME_MAX_BYTES
from protocol.methods import METHODS
from protocol.reasons import FOR_PEOPLE, FOR_PROGRAMS
from protocol.schema.definitions import REF, Json, definitions
from protocol.shapes import TEXT_MAX_BYTES
from protocol.states import Role
from protocol.variables import VARIABLES
from protocol.version import SUBPROTOCOL

_HEAD = (
    "// Made by `python -m protocol.schema typescript`. Do not edit: change protocol/ and make it again.\n"
)
_BARE = re.compile(r"^[A-Za-z_$][\w$]*$")


def typescript() -> str:
    """The module's text: one type per shape, the tables of requests and events, and all codes."""
    known = definitions()
    parts = [_HEAD]
    parts += [_declaration(name, schema) for name, schema in known.schemas.items()]
    requests = {
        m.name: f"{{ params: {known.given(m.params)}; result: {known.told(m.result)} }}"
        for m in METHODS.values()
    }
    told = {e.name: known.told(e.payload) for e in EVENTS.values() if e.sender is not Sender.CLIENT}
    given = {e.name: known.given(e.payload) for e in EVENTS.values() if e.sender is not Sender.SERVER}
    parts += [
        _interface("Requests", "Every request: name -> params and result.", requests),
        _interface("ServerEvents", "Every notification of the server: name -> params.", told),
        _interface("ClientEvents", "Every notification of the client: name -> params.", given),
        'export type Plane = "durable" | "state" | "ephemeral";\n',
        _constant("PLANES", {e.name: e.plane.value for e in EVENTS.values()}, "Record<string, Plane>"),
        _codes(ErrorCode),
        _codes(CloseCode),
        f"export type Reason = {_union(list(Reason))};\n",
        "/** Why the server refuses something: what a person can meet, and what only programs can. */\n"
        f"export type PersonReason = {_union(list(FOR_PEOPLE))};\n",
        f"export type ProgramReason = {_union(list(FOR_PROGRAMS))};\n",
        "export type RefusalReason = PersonReason | ProgramReason;\n",
        f"export type Role = {_union(list(Role))};\n",
        f'export const SUBPROTOCOL = "{SUBPROTOCOL}";\n',
        f"export const FRAME_MAX_BYTES = {FRAME_MAX_BYTES};\n",
        f"export const TEXT_MAX_BYTES = {TEXT_MAX_BYTES};\n",
        f"export const VARIABLES = {json.dumps(VARIABLES)} as const;\n",
    ]
    return "\n".join(parts)


def _declaration(name: str, schema: Json) -> str:
    doc = _comment(schema.get("description"), "")
    if schema.get("type") != "object":
        return f"{doc}export type {name} = {type_of(schema)};\n"
    members: dict[str, Json] = schema.get("properties", {})
    if not members:
        return f"{doc}export type {name} = Record<string, never>;\n"
    required = schema.get("required", [])
    lines: list[str] = []
    for key, member in members.items():
        mark = "" if key in required else "?"
        lines.append(f"{_comment(member.get('description'), '  ')}  {_key(key)}{mark}: {type_of(member)};\n")
    return f"{doc}export interface {name} {{\n{''.join(lines)}}}\n"


def type_of(schema: Json) -> str:
    """A JSON Schema of the kinds that our shapes produce as a TypeScript type."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return _union(schema["enum"])
    for many in ("anyOf", "oneOf"):
        if many in schema:
            return " | ".join(dict.fromkeys(type_of(cast("Json", option)) for option in schema[many]))
    kind = schema.get("type")
    if kind == "array":
        item = type_of(schema.get("items", {}))
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        inner = type_of(cast("Json", values)) if isinstance(values, dict) and values else "unknown"
        return f"Record<string, {inner}>"
    return {
        "string": "string",
        "integer": "number",
        "number": "number",
        "boolean": "boolean",
        "null": "null",
    }.get(str(kind), "unknown")


def _interface(name: str, doc: str, members: dict[str, str]) -> str:
    lines = "".join(f"  {_key(key)}: {kind};\n" for key, kind in members.items())
    return f"{_comment(doc, '')}export interface {name} {{\n{lines}}}\n"


def _constant(name: str, members: dict[str, str], kind: str) -> str:
    lines = "".join(f"  {_key(key)}: {json.dumps(value)},\n" for key, value in members.items())
    return f"export const {name}: {kind} = {{\n{lines}}};\n"


def _codes(codes: type[IntEnum]) -> str:
    lines = "".join(f"  {code.name}: {int(code)},\n" for code in codes)
    name = codes.__name__
    values = f"export const {name} = {{\n{lines}}} as const;\n"
    return f"{values}export type {name} = (typeof {name})[keyof typeof {name}];\n"


def _union(values: list[str]) -> str:
    return " | ".join(json.dumps(str(value)) for value in values)


def _key(name: str) -> str:
    return name if _BARE.match(name) else json.dumps(name)


def _comment(words: object, indent: str) -> str:
    if not words:
        return ""
    lines = str(words).replace("*/", "* /").splitlines()
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"
