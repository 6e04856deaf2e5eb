"""JSON Schemas of all shapes, by name. What all documents are made of.

A shape that clients give and the server gives too has two schemas where they differ: members with defaults may be
left out by clients (`ImageBodyInput`), while the server always writes them (`ImageBody`).
"""

import ast
import inspect
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from protocol.events import EVENTS, Sender
from protocol.methods import METHODS
from protocol.shapes import Shape

REF = "#/components/schemas/"
"""Where OpenRPC and AsyncAPI keep schemas."""
Json = dict[str, Any]
_Key = tuple[Any, Literal["validation", "serialization"]]
"""A shape, and which way it goes."""


@dataclass(frozen=True)
class Definitions:
    """`schemas`: name -> JSON Schema, sorted by name. `given` and `told`: a shape's name in either direction."""

    schemas: dict[str, Json]
    names: dict[_Key, str]

    def given(self, shape: type[Shape]) -> str:
        """The schema's name of a shape that clients give."""
        return self.names[shape, "validation"]

    def told(self, shape: type[Shape]) -> str:
        """The schema's name of a shape that the server gives."""
        return self.names[shape, "serialization"]


def definitions() -> Definitions:
    """The schemas of everything that `METHODS` and `EVENTS` carry."""
    keys: list[_Key] = []
    for method in METHODS.values():
        keys.append((method.params, "validation"))
        keys.append((method.result, "serialization"))
    for event in EVENTS.values():
        if event.sender is not Sender.SERVER:
            keys.append((event.payload, "validation"))
        if event.sender is not Sender.CLIENT:
            keys.append((event.payload, "serialization"))
    found, whole = models_json_schema(
        list(dict.fromkeys(keys)), ref_template=REF + "{model}", schema_generator=_Generator
    )
    raw = cast("dict[str, Json]", whole.get("$defs", {}))
    new_names = {name: _plain(name) for name in raw}
    schemas = {new_names[name]: _renamed(schema, new_names) for name, schema in raw.items()}
    names = {key: new_names[schema["$ref"].removeprefix(REF)] for key, schema in found.items()}
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            _close_keys(member)
    for shape in _shapes(Shape):
        _describe(shape, schemas)
    return Definitions(dict(sorted(schemas.items())), names)


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # titles that repeat the names of members

    def field_is_required(self, field: Any, total: bool) -> bool:
        # What the server tells, it tells in full.
        return self.mode == "serialization" or super().field_is_required(field, total)


def _plain(name: str) -> str:
    return name.removesuffix("-Output").replace("-Input", "Input")


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        members = cast("Json", node)
        return {
            key: REF + names[value.removeprefix(REF)] if _is_ref(key, value) else _renamed(value, names)
            for key, value in members.items()
            if key != "discriminator"  # OpenAPI's word; in AsyncAPI it means something else
        }
    if isinstance(node, list):
        return [_renamed(item, names) for item in cast("list[Any]", node)]
    return node


def _close_keys(member: Json) -> None:
    """Objects keyed by ids: say that other keys are wrong, not only what the right ones hold."""
    patterns: dict[str, Json] = member.pop("patternProperties", {})
    for pattern, values in patterns.items():
        member["propertyNames"] = {**member.get("propertyNames", {}), "pattern": pattern}
        member["additionalProperties"] = values


def _is_ref(key: str, value: Any) -> bool:
    return key == "$ref" and isinstance(value, str)


def _shapes(base: type[Shape]) -> list[type[Shape]]:
    found: list[type[Shape]] = []
    for shape in base.__subclasses__():
        found += [shape, *_shapes(shape)]
    return found


def _describe(shape: type[Shape], schemas: dict[str, Json]) -> None:
    """Give members the docstrings below them as descriptions."""
    for name in (shape.__name__, shape.__name__ + "Input"):
        for member, words in _member_docs(shape).items() if name in schemas else ():
            schemas[name]["properties"][member].setdefault("description", words)


def _member_docs(shape: type[Shape]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(shape)))
    body = cast("ast.ClassDef", tree.body[0]).body
    docs: dict[str, str] = {}
    for member, below in pairwise(body):
        if not isinstance(member, ast.AnnAssign) or not isinstance(member.target, ast.Name):
            continue
        if (
            isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            docs[member.target.id] = inspect.cleandoc(below.value.value)
    return docs
