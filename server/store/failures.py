"""What went wrong with PostgreSQL, in the words of the wire.

Knows three fates of a statement: it did not happen (1050), nobody knows whether it was committed (1051), or it
was a bug of ours (the exception itself).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

import asyncpg

from protocol.codes import ErrorCode
from protocol.errors import RequestError

RETRY_AFTER_MS: Final = 500

# Classes and codes of appendix A of PostgreSQL's manual.
_DOWN: Final = ("08", "53", "57P", "58", "25006")
"""connection, resources, operator intervention, system error, a standby that cannot write"""
_SLOW: Final = ("57014", "55P03", "40")
"""cancelled by a time limit, a lock not got in time, rolled back for the sake of another transaction"""
_BAD_TEXT: Final = ("22021", "22P05")
"""characters that PostgreSQL's text cannot hold: U+0000"""


def down() -> RequestError:
    """PostgreSQL cannot be reached, or refuses to work."""
    return RequestError(
        ErrorCode.UNAVAILABLE,
        "database_down",
        "The database is not available; try again.",
        retry_after_ms=RETRY_AFTER_MS,
    )


def slow() -> RequestError:
    """PostgreSQL did not answer in time; nothing was changed."""
    return RequestError(
        ErrorCode.UNAVAILABLE,
        "database_slow",
        "The database is too slow; try again.",
        retry_after_ms=RETRY_AFTER_MS,
    )


def unknown() -> RequestError:
    """The connection ended after the change was sent and before the answer."""
    return RequestError(
        ErrorCode.COMMIT_UNKNOWN,
        "commit_unknown",
        "It is not known whether this was stored; repeat it unchanged.",
        retry_after_ms=RETRY_AFTER_MS,
    )


def bad_text() -> RequestError:
    """Text with a character that cannot be stored."""
    return RequestError(ErrorCode.INVALID_PARAMS, "bad_text", "Text must not contain the character U+0000.")


def is_lost(error: BaseException) -> bool:
    """Whether the connection ended, so that the fate of what was sent is open."""
    if isinstance(error, asyncpg.DataError):  # an InterfaceError by ancestry: our own wrong argument
        return False
    if isinstance(error, asyncpg.PostgresError):
        return error.sqlstate.startswith(("08", "57P0"))
    return isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | EOFError)


def refusal(error: BaseException, *, sent_change: bool) -> BaseException:
    """What the caller gets for this error: a `RequestError`, or the error itself when it is a bug.

    `sent_change`: something that may have been committed was under way.
    """
    if is_lost(error):
        return unknown() if sent_change else down()
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate
        if state.startswith(_SLOW):
            return slow()
        if state.startswith(_DOWN):
            return down()
        if state in _BAD_TEXT:
            return bad_text()
    return error


def is_retryable(error: BaseException) -> bool:
    """Whether the same may be tried again later."""
    return isinstance(error, RequestError) and error.retryable


@contextmanager
def unique_taken(refusals: Mapping[str, tuple[str, str]]) -> Generator[None]:
    """Inside, breaking a unique constraint or index that `refusals` names is a CONFLICT with that reason and
    message."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        refused = refusals.get(error.constraint_name or "")
        if refused is None:
            raise
        raise RequestError(ErrorCode.CONFLICT, *refused) from None
