"""The list of reasons is complete: what the server refuses with is in it, and nothing is in it that nobody says."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from protocol.reasons import FOR_PEOPLE, FOR_PROGRAMS, REASONS

ROOT: Final = Path(__file__).parents[2]
WORD: Final = re.compile(r"[a-z]+(_[a-z0-9]+)*")
NOT_REFUSALS: Final = {"description", "problem"}
"""Words that stand before a sentence and are no reasons: a member's name, a page's part."""
ELSEWHERE: Final = (
    "protocol/client",
    "protocol/schema",
    "server/chat",
    "server/demo",
    "server/cli",
    "server/embedded",
    "server/automation",
    "server/metrics",
)
"""Clients of our own, and what prints documents: they refuse nothing over the wire."""


def sources() -> Iterator[Path]:
    for folder in ("server", "protocol"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            inside = path.relative_to(ROOT).as_posix()
            if not inside.startswith(ELSEWHERE) and "migrations" not in inside and path.name != "settings.py":
                yield path


def word(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.fullmatch(node.value):
        return node.value
    return None


def is_sentence(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
        return " " in text and text[:1].isupper() and text.rstrip().endswith((".", "!"))
    if isinstance(node, ast.JoinedStr):
        last = node.values[-1]
        return isinstance(last, ast.Constant) and str(last.value).endswith(".")
    return isinstance(node, ast.Name) and node.id == "message"


def said_in(tree: ast.AST) -> Iterator[str]:
    """A reason stands before its sentence, in a call, a table or a dict; or what was not found is named."""
    for node in ast.walk(tree):
        rows: list[list[ast.expr | None]] = []
        if isinstance(node, ast.Call):
            rows.append([*node.args])
            if getattr(node.func, "id", "") == "not_found" and node.args and (noun := word(node.args[0])):
                yield f"{noun}_not_found"
            if getattr(node.func, "id", "") in ("invalid", "Refusal"):
                yield from (
                    found for key in node.keywords if key.arg == "reason" and (found := word(key.value))
                )
        elif isinstance(node, ast.Tuple):
            rows.append([*node.elts])
        elif isinstance(node, ast.Dict):
            rows += [[key, value] for key, value in zip(node.keys, node.values, strict=True)]
        for row in rows:
            for first, second in pairwise(row):
                found = word(first)
                if (
                    found
                    and second is not None
                    and is_sentence(second)
                    and not found.startswith("pointsman_")
                ):
                    yield found


@pytest.mark.req("KS-23")
def test_every_reason_that_the_server_gives_is_in_the_list() -> None:
    missing = {
        reason: str(path.relative_to(ROOT))
        for path in sources()
        for reason in said_in(ast.parse(path.read_text()))
        if reason not in REASONS | NOT_REFUSALS
    }
    assert missing == {}, (
        "add them to protocol/reasons.py, and their words to web/desk/src/texts/areas/refusals/"
    )


def test_nothing_is_in_the_list_that_nobody_says() -> None:
    text = "\n".join(path.read_text() for path in sources() if path.name != "reasons.py")
    unsaid = [
        reason
        for reason in sorted(REASONS)
        if f'"{reason}"' not in text and f'"{reason.removesuffix("_not_found")}"' not in text
    ]
    assert unsaid == []


def test_a_reason_is_for_people_or_for_programs() -> None:
    assert set(FOR_PEOPLE).isdisjoint(FOR_PROGRAMS)
    assert len(REASONS) == len(FOR_PEOPLE) + len(FOR_PROGRAMS)
