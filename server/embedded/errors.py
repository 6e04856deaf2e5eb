"""The one error of this package: what went wrong, and how to mend it."""

from __future__ import annotations

from typing import Final

CLEAN_DEV: Final = "Run `make clean-dev` to start with empty servers (this deletes the development data)."


class EmbeddedServerError(RuntimeError):
    """A private server cannot be found, started or stopped.

    `what` says in one sentence what is missing or wrong; `mend` says what a person can do about it.
    """

    def __init__(self, what: str, *, mend: str) -> None:
        super().__init__(f"{what}\n{mend}")
        self.what = what
        self.mend = mend
