"""Cursors of lists: the sort key of the last row seen, opaque to clients, of no use to forgers.

A list's query carries its own shop and filters; a cursor only says where to go on.
"""

import base64
import binascii
from collections.abc import Sequence

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError

Part = str | int


def write_cursor(*parts: Part) -> str:
    """The cursor of a sort key."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def read_cursor(cursor: str, kinds: Sequence[type[Part]]) -> list[Part]:
    """The sort key of a cursor, whose parts are of these kinds. INVALID_PARAMS `bad_cursor`: not one of ours."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise _bad() from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        raise _bad()
    return parts  # pyright: ignore[reportUnknownVariableType]


def _bad() -> RequestError:
    return RequestError(
        ErrorCode.INVALID_PARAMS, "bad_cursor", "This cursor is not from this list; begin anew."
    )
