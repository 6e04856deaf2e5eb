"""What is wrong with params, in plain words, as `{field, problem}`. Never the value itself."""

from collections.abc import Callable
from typing import Any, TypedDict, cast

from pydantic import ValidationError

from protocol.shapes import TEXT_MAX_BYTES

PROBLEMS_MAX = 10
"""More findings than this help nobody."""
NUL = "\0"
"""PostgreSQL can store it neither in text nor in jsonb."""
_NUL_WRITTEN = b"\\u0000"  # the only way to write it: raw control characters are not JSON
_HAS_NUL = "must not contain the NUL character (U+0000)"
_FIELD_PART_MAX = 64
_Place = tuple[Any, str | int, Any]
"""An object or array: the place that it stands in (None for the params), its name there, itself."""


class Problem(TypedDict):
    """What is wrong with one field; `field` is a path like `body.text`, empty for the params as a whole."""

    field: str
    problem: str


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "string_type": lambda _: "must be a string",
    "string_too_short": lambda c: _at_least(c["min_length"], "characters"),
    "string_too_long": lambda c: _at_most(c["max_length"], "characters"),
    "string_pattern_mismatch": lambda c: f"must match {c['pattern']}",
    "string_unicode": lambda _: "must be valid Unicode",
    "int_type": lambda _: "must be an integer",
    "int_from_float": lambda _: "must be an integer",
    "int_parsing": lambda _: "must be an integer",
    "int_parsing_size": lambda _: "must be a smaller integer",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "bool_type": lambda _: "must be true or false",
    "dict_type": lambda _: "must be an object",
    "model_type": lambda _: "must be an object",
    "model_attributes_type": lambda _: "must be an object",
    "list_type": lambda _: "must be an array",
    "literal_error": lambda c: f"must be {c['expected']}",
    "enum": lambda c: f"must be {c['expected']}",
    "union_tag_not_found": lambda c: f"needs the member {c['discriminator']}",
    "union_tag_invalid": lambda c: (
        f"has an unknown {c['discriminator']}: must be one of {c['expected_tags']}"
    ),
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "greater_than": lambda c: f"must be more than {c['gt']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
    "less_than": lambda c: f"must be less than {c['lt']}",
    "too_long": lambda c: _at_most(c["max_length"], "entries"),
    "too_short": lambda c: _at_least(c["min_length"], "entries"),
}


def problems(error: ValidationError, given: Any) -> list[Problem]:
    """At most `PROBLEMS_MAX` findings about `given`, in the order of the shape's fields."""
    found: list[Problem] = []
    for item in error.errors(include_url=False, include_input=False)[:PROBLEMS_MAX]:
        words = _WORDS.get(item["type"])
        problem = words(item.get("ctx", {})) if words else _lowered(item["msg"])
        found.append({"field": _path(item["loc"], given), "problem": problem})
    return found


def bad_strings(params: dict[str, Any], raw: bytes) -> list[Problem]:
    """Strings of the params that cannot be stored, as `{field, problem}`: with NUL, or over `TEXT_MAX_BYTES` of UTF-8.

    Both show in the raw frame, so most frames are not looked through: JSON never writes a text with fewer bytes.
    """
    if len(raw) <= TEXT_MAX_BYTES and _NUL_WRITTEN not in raw:
        return []
    found: list[Problem] = []
    places: list[_Place] = [(None, "", params)]
    for place in places:  # grows while it is read
        node = place[2]
        is_object = type(node) is dict
        for key, value in cast("dict[str, Any]", node).items() if is_object else enumerate(node):
            if is_object and NUL in cast("str", key):
                found.append(_unfit(place, key, _HAS_NUL))
            if type(value) is str:
                if NUL in value:
                    found.append(_unfit(place, key, _HAS_NUL))
                elif len(value) > TEXT_MAX_BYTES // 4 and len(value.encode()) > TEXT_MAX_BYTES:
                    found.append(_unfit(place, key, f"must be at most {TEXT_MAX_BYTES} bytes of UTF-8"))
            elif type(value) is dict or type(value) is list:
                places.append((place, key, cast("Any", value)))
            if len(found) == PROBLEMS_MAX:
                return found
    return found


def shown(name: object) -> str:
    """A member's name as it may stand in an answer: not long, and without NUL."""
    return str(name)[:_FIELD_PART_MAX].replace(NUL, "\N{SYMBOL FOR NULL}")


def _unfit(place: _Place | None, key: str | int, problem: str) -> Problem:
    """The problem with the path of its field, which is only put together for those that have one."""
    parts = [shown(key)]
    while place is not None and place[0] is not None:
        parts.append(shown(place[1]))
        place = place[0]
    return {"field": ".".join(reversed(parts)), "problem": problem}


def _path(loc: tuple[int | str, ...], given: Any) -> str:
    """The path of a field, without the names of union members that pydantic puts into it."""
    parts: list[str] = []
    node, tagged = given, False
    for part in loc:
        if part == "[key]":
            continue
        members = cast("dict[int | str, Any]", node) if isinstance(node, dict) else None
        if members is not None and not tagged and members.get("kind") == part:
            tagged = True
            continue
        parts.append(shown(part))
        if members is not None:
            node, tagged = members.get(part), False
        elif isinstance(node, list) and isinstance(part, int):
            node, tagged = cast("list[Any]", node)[part], False
    return ".".join(parts)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _at_most(count: int, noun: str) -> str:
    return f"must have at most {count} {noun}"


def _at_least(count: int, noun: str) -> str:
    if count == 1:
        return "must not be empty"
    return f"must have at least {count} {noun}"
