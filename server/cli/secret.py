"""Where the command line takes passwords from: a file, standard input, or its own dice. Never from an argument."""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from server.cli.answer import Failure

PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="A file whose first line is the password.")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
GENERATED_BYTES = 15


@dataclass(frozen=True, slots=True)
class Password:
    """A password, and whether it was made here and must be shown."""

    text: str
    generated: bool

    def shown(self) -> dict[str, str]:
        """The member of a JSON answer that shows a generated one."""
        return {"password": self.text} if self.generated else {}

    def told(self) -> list[str]:
        """The lines of a text answer that show a generated one."""
        return [f"Generated password, shown once: {self.text}"] if self.generated else []


def choose(file: Path | None, *, stdin: bool) -> Password:
    """The password that the options ask for; a generated one when they ask for none."""
    if file is not None and stdin:
        raise typer.BadParameter("Give --password-file or --password-stdin, not both.")
    if file is not None:
        return Password(read_secret(file, "password"), generated=False)
    if stdin:
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise Failure("password_empty", "Standard input is empty: write the password into it.")
        return Password(text, generated=False)
    return Password(secrets.token_urlsafe(GENERATED_BYTES), generated=True)


def read_secret(path: Path, what: str) -> str:
    """The first line of a file. Raises `Failure` when it cannot be read or is empty."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Failure("file_unreadable", f"The {what} file {path} cannot be read: {why}.") from None
    first = text.partition("\n")[0].strip()
    if not first:
        raise Failure("file_empty", f"The {what} file {path} is empty: put the {what} into its first line.")
    return first
