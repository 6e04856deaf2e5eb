"""What a quick reply may say, and many of them as a table (CSV). Pure.

The table has a heading, in English or Chinese, and one quick reply a line: shortcut, title, text, folder, in any order.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from protocol.variables import VARIABLES, unknown
from server.store.quick_replies import SHORTCUT_MAX, ReplyRow

TITLE_MAX: Final = 80
TEXT_MAX: Final = 2000
FOLDER_MAX: Final = 120
FOLDERS_DEEP: Final = 5
LINES_MAX: Final = 10_000
FAULTS_MAX: Final = 200
"""Faults of a table that are told; whoever mends so many sends it again."""
COLUMNS: Final = ("shortcut", "title", "text", "folder")
_HEADINGS: Final = {
    "shortcut": ("shortcut", "快捷词", "快捷码", "快捷詞", "快捷碼"),
    "title": ("title", "标题", "標題"),
    "text": ("text", "content", "内容", "话术", "內容", "話術"),
    "folder": ("folder", "category", "分类", "文件夹", "分類", "資料夾"),
}
_SHORTCUT: Final = re.compile(r"[^\s/\x00-\x1f\x7f]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would calculate what begins so; an apostrophe before it says that it is text."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A quick reply as somebody wrote it, in order. No shortcut: one is to be made from the title."""

    folder: str
    shortcut: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place: a field, and in a table its line, counted from 1."""

    field: str
    problem: str
    line: int = 0


def draft_of(folder: str, shortcut: str, title: str, text: str) -> Draft:
    """The same in order: no spaces around, shortcuts in small letters, folders with single strokes between them."""
    path = "/".join(part for each in folder.split("/") if (part := " ".join(each.split())))
    return Draft(
        path,
        shortcut.strip().removeprefix("/").lower(),
        " ".join(title.split()),
        text.replace("\r\n", "\n").strip(),
    )


def faults_of(draft: Draft, *, named: bool = False) -> list[Fault]:
    """Everything wrong with it. `named`: it must have a shortcut."""
    found: list[Fault] = []

    def look(field: str, value: str, least: int, most: int) -> None:
        if len(value) < least:
            found.append(Fault(field, "Field required"))
        elif len(value) > most:
            found.append(Fault(field, f"String should have at most {most} characters"))
        if _CONTROL.search(value):
            found.append(Fault(field, "must not contain control characters"))

    look("title", draft.title, 1, TITLE_MAX)
    look("text", draft.text, 1, TEXT_MAX)
    look("folder", draft.folder, 0, FOLDER_MAX)
    look("shortcut", draft.shortcut, 1 if named else 0, SHORTCUT_MAX)
    if draft.shortcut and _SHORTCUT.fullmatch(draft.shortcut) is None:
        found.append(Fault("shortcut", "must not contain spaces or strokes"))
    if draft.folder.count("/") >= FOLDERS_DEEP:
        found.append(Fault("folder", f"at most {FOLDERS_DEEP} folders deep"))
    for name in unknown(draft.text):
        known = ", ".join(f"{{{each}}}" for each in VARIABLES)
        found.append(Fault("text", f"there is no variable {{{name}}}; there are {known}"))
    return found


def read_table(text: str) -> tuple[list[Draft], list[Fault]]:
    """A table's quick replies, and everything wrong with it (at most `FAULTS_MAX`), by line. A comma, a semicolon or a
    tab stands between cells, whichever the heading has."""
    text = text.removeprefix("\ufeff")
    heading = text.partition("\n")[0]
    comma = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
    drafts: list[Draft] = []
    faults: list[Fault] = []
    taken: dict[str, int] = {}
    places: dict[str, int] = {}
    line = 1
    try:
        for row in reader:
            # A cell may hold line ends: a row begins after the line on which the one before ended.
            at, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if not places:
                places, missing = _places(row)
                if missing:
                    return [], [Fault(name, "this column is missing", at) for name in missing]
                continue
            draft = draft_of(*(_cell(row, places, name) for name in ("folder", "shortcut", "title", "text")))
            wrong = faults_of(draft, named=True)
            if draft.shortcut and (first := taken.setdefault(draft.shortcut, at)) != at:
                wrong.append(Fault("shortcut", f"line {first} has the same shortcut"))
            faults += [Fault(fault.field, fault.problem, at) for fault in wrong]
            drafts.append(draft)
            if len(faults) >= FAULTS_MAX or len(drafts) > LINES_MAX:
                break
    except csv.Error as error:
        faults.append(Fault("table", f"this is no CSV: {error}", line))
    if not drafts and not faults:
        faults.append(Fault("table", "there is nothing in it", 1))
    return drafts, faults[:FAULTS_MAX]


def written_table(rows: Iterable[ReplyRow]) -> str:
    """Quick replies as a table that `read_table` reads again, and that spreadsheets open as it is: with a mark of its
    encoding, and with nothing that they would calculate."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    table.writerows([[_safe(getattr(row, name)) for name in COLUMNS] for row in rows])
    return "\ufeff" + out.getvalue()


def _places(row: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    cells = [cell.strip().lower() for cell in row]
    places = {
        name: cells.index(called) for name, words in _HEADINGS.items() for called in words if called in cells
    }
    return places, [name for name in COLUMNS if name not in places and name != "folder"]


def _cell(row: Sequence[str], places: dict[str, int], name: str) -> str:
    at = places.get(name, len(row))
    cell = row[at] if at < len(row) else ""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
