"""What the server records, and what it finds wrong, is said at the desk in words of every language: never as a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from protocol.methods import METHODS
from server.http.audit import right_for
from server.http.rights import RIGHTS
from server.services.configuration.shapes import Document
from server.store.acting import AUDITED

ROOT = Path(__file__).resolve().parents[3]
WORDS = ROOT / "web/desk/src/texts/areas/settings"
PATTERN = re.compile(r"^  \[/(.+)/, \"(\w+)\"\],$", re.MULTILINE)
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
LANGUAGES = 3


def keys(file: str, name: str) -> list[set[str]]:
    """The keys of a table of words, in every language."""
    text = (WORDS / file).read_text(encoding="utf-8")
    tables = re.findall(rf"^( +){name}: \{{\n(.*?)^\1\}}", text, re.MULTILINE | re.DOTALL)
    assert len(tables) == LANGUAGES
    return [set(re.findall(r"^ +(\w+):", body, re.MULTILINE)) for _, body in tables]


def lacking(wanted: set[str], file: str, name: str) -> set[str]:
    """Those that some language has no words for."""
    return wanted - set.intersection(*keys(file, name))


def calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call in the files of a folder, by the name of what is called."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node


def sentences(node: ast.AST) -> Iterator[str]:
    """What is written out in an expression; what is filled in is `7`."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
        case _:
            return


def words_for(problem: str) -> str | None:
    """The key of the words for a fault, as the desk finds it; None: there are none."""
    patterns = PATTERN.findall((ROOT / "web/desk/src/state/settingsFaults.ts").read_text(encoding="utf-8"))
    return next((key for pattern, key in patterns if re.search(pattern, problem)), None)


@pytest.mark.req("GP-03", "KS-23")
def test_every_change_that_the_database_records_has_words() -> None:
    # Members of a set are recorded under the set's name (0010_schedules).
    within = {"holiday_hours": "holidays", "dated_shifts": "dated_days"}
    assert lacking({within.get(table, table) for table in AUDITED}, "connect.ts", "thing") == set()
    assert lacking({"added", "changed", "removed"}, "connect.ts", "deed") == set()


@pytest.mark.req("GP-03", "KS-23")
def test_every_act_that_is_recorded_has_words() -> None:
    actions: set[str] = set()
    for name, call in calls("server/services"):
        if name.endswith(("audit.done", "self._record", "_sign_in", "Act")):
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            actions |= {text for each in given for text in sentences(each) if ACTION.fullmatch(text)}
    assert {"agent.set_status", "auth.signed_in", "customers.reassign", "monitor.take_over"} <= actions
    assert lacking({action.replace(".", "_") for action in actions}, "connect.ts", "deed") == set()


@pytest.mark.req("GP-03")
def test_every_refused_try_is_said_by_the_right_that_it_needs() -> None:
    asked = {name for name, method in METHODS.items() if method.right is not None}
    asked |= {route for route, access in RIGHTS.items() if access.right is not None}
    needed = {right_for(action) for action in asked}
    assert "" not in needed
    assert lacking({right.replace(".", "_") for right in needed}, "people.ts", "right") == set()
    assert right_for("groups.changed") == ""


@pytest.mark.req("KS-23")
def test_every_fault_of_an_imported_file_has_words() -> None:
    found = {
        text
        for name, call in calls("server/services/configuration")
        if name.endswith(("fault", "Fault"))
        for each in call.args
        for text in sentences(each)
        if " " in text
    }
    assert len(found) > 15
    found.add("There is no group 'Nights' in this shop.")
    assert {problem for problem in found if words_for(problem) is None} == set()
    assert lacking({words_for(problem) or "" for problem in found}, "faults.ts", "fault") == set()


@pytest.mark.req("KS-23")
@pytest.mark.parametrize(
    "content",
    [
        {"nothing_of_ours": 1},
        {"groups": 7},
        {"groups": {"Nights": 7}},
        {"groups": {"Nights": {"kind": "no kind"}}},
        {"roles": []},
        {"holidays": "no"},
        {"widget": {"identity_mode": "sometimes"}},
        {"rules": {"late": {"conditions": "all"}}},
        {"schedules": {"ann@shop.example": {"monday": "9 to 5"}}},
    ],
)
def test_what_has_not_the_shape_of_a_setting_is_said_in_words(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        Document.model_validate(content)
    messages = {each["msg"].removeprefix("Value error, ") for each in refused.value.errors()}
    assert {message for message in messages if words_for(message) is None} == set()
