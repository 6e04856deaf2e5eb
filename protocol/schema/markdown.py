"""The tables of `docs/protocol.md`: requests, notifications, codes, shapes. A test compares them with the page."""

import json

from protocol.codes import CloseCode
from protocol.errors import RETRYABLE
from protocol.events import EVENTS, Sender
from protocol.methods import METHODS, Method
from protocol.schema.definitions import Json, definitions
from protocol.schema.typescript import type_of
from protocol.schema.words import CLOSES, ERRORS

BEGIN = "<!-- tables: made by `python -m protocol.schema markdown` -->"
END = "<!-- end of the tables -->"
_LIMITS = {"minimum": "from", "maximum": "to", "maxLength": "at most", "maxProperties": "at most"}
_SENDERS = {Sender.SERVER: "server", Sender.CLIENT: "client", Sender.BOTH: "both"}


def markdown() -> str:
    """The text between `BEGIN` and `END`, both included."""
    known = definitions()
    requests = [
        (f"`{m.name}`", _shape(known.given(m.params)), _shape(known.told(m.result)), _who(m), m.summary)
        for m in METHODS.values()
    ]
    events = [
        (f"`{e.name}`", _shape(e.payload.__name__), e.plane.value, _SENDERS[e.sender], e.summary)
        for e in EVENTS.values()
    ]
    errors = [
        (f"{int(code)}", f"`{code.name.lower()}`", "yes" if code in RETRYABLE else "no", words)
        for code, words in ERRORS.items()
    ]
    closes = [
        (f"{int(code)}", f"`{code.name.lower()}`", _next(code), words) for code, words in CLOSES.items()
    ]
    parts = [
        BEGIN,
        "### Requests",
        _table(("request", "params", "result", "who", "what"), requests),
        "### Notifications",
        _table(("notification", "params", "plane", "sender", "what"), events),
        "### Error codes",
        _table(("code", "name", "retryable", "meaning"), errors),
        "### Close codes",
        _table(("code", "name", "then", "meaning"), closes),
        "### Shapes",
        *(_section(name, schema) for name, schema in known.schemas.items()),
        END,
    ]
    return "\n\n".join(parts) + "\n"


def refreshed(page: str) -> str:
    """The page with the tables of now between its markers. ValueError when it has none."""
    begin, end = page.index(BEGIN), page.index(END) + len(END)
    return page[:begin] + markdown().rstrip("\n") + page[end:]


def _section(name: str, schema: Json) -> str:
    words = str(schema.get("description", "")).strip()
    head = f"#### {name}" + (f"\n\n{words}" if words else "")
    if schema.get("type") != "object":
        return f"{head}\n\n`{type_of(schema)}`"
    members: dict[str, Json] = schema.get("properties", {})
    if not members:
        return head
    required = schema.get("required", [])
    rows = [
        (f"`{key}`" if key in required else f"`{key}`?", f"`{type_of(member)}`", _facts(member))
        for key, member in members.items()
    ]
    return f"{head}\n\n{_table(('member', 'type', 'notes'), rows)}"


def _facts(member: Json) -> str:
    """Limits and words of a member; `anyOf` of one kind and null counts as that kind."""
    kinds = [option for option in member.get("anyOf", []) if option.get("type") != "null"]
    limits = kinds[0] if len(kinds) == 1 else member
    facts = [
        f"{words} {limits[key]}"
        for key, words in _LIMITS.items()
        if key in limits and not (key == "minimum" and limits[key] == 0)
    ]
    if "maxLength" in limits:
        facts[-1] += " characters"
    if "maxProperties" in limits:
        facts[-1] += " entries"
    if "default" in member and member["default"] not in (None, "", [], {}):
        facts.append(f"default `{json.dumps(member['default'])}`")
    return "; ".join([*facts, *([str(member["description"])] if "description" in member else [])])


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _shape(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _who(method: Method) -> str:
    right = [] if method.right is None else [f"`{method.right}`"]
    return ", ".join([*right, *sorted(method.others)])


def _next(code: CloseCode) -> str:
    if code < 4100:
        return "stop"
    return "back off, resume" if code < 4200 else "resume soon"
