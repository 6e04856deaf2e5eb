"""How every command answers: text for people or one JSON document for scripts, and errors as one clear sentence.

Exit codes: 0 done; 1 it could not be done (the sentence says what to do); 2 the command line is wrong; 130 Ctrl+C.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, Final, TypeVar, cast

import orjson
import typer

from protocol.errors import RequestError
from server.embedded.errors import EmbeddedServerError
from server.settings import SettingsError

T = TypeVar("T")

DONE: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document instead of text.")]
"""The `--json` of every command."""


class Failure(Exception):
    """A command that cannot do what was asked. `sentence` says what to do; `code` is a stable word for scripts."""

    def __init__(self, code: str, sentence: str, *, faults: list[dict[str, str]] | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.faults = faults or []


def give(document: dict[str, Any] | list[Any], text: str, *, as_json: bool) -> None:
    """Print the outcome of a command on standard output, in one of its two forms."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str).decode() if as_json else text)


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned columns of plain text."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part."""
    return asyncio.run(work)


def explain(error: BaseException) -> Failure | None:
    """The failure that an expected error stands for; None for bugs."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, SettingsError):
        count = len(error.faults)
        sentence = f"The settings cannot be used ({count} fault{'s' * (count > 1)}); mend each and try again:"
        return Failure("settings_invalid", sentence, faults=error.faults)
    if isinstance(error, RequestError):
        faults = cast("list[dict[str, str]]", error.detail) if isinstance(error.detail, list) else []
        return Failure(error.reason, error.message, faults=faults)
    if isinstance(error, EmbeddedServerError):
        return Failure("private_servers", f"{error.what} {error.mend}")
    return None


def fail(failure: Failure, *, as_json: bool) -> None:
    """Print a failure: on standard output as JSON when asked for, else on standard error as text."""
    if as_json:
        error: dict[str, Any] = {"code": failure.code, "message": failure.sentence}
        if failure.faults:
            error["faults"] = failure.faults
        give({"error": error}, "", as_json=True)
        return
    lines = [failure.sentence]
    lines += [f"  {_place(fault)}: {fault.get('problem', '')}" for fault in failure.faults]
    typer.echo("\n".join(lines), file=sys.stderr)


def _place(fault: dict[str, str]) -> str:
    line = fault.get("line")
    return fault.get("field", "") if not line else f"line {line}: {fault.get('field', '')}"
