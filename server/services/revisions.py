"""What a page of settings was made from: every change names the revision that it was made from (KS-23).

A revision is a print of what holds, not a count: whoever brings back what was there brings back its revision, and
what is changed by other ways (at a terminal, by an import) is noticed as well. Routing settings, rules, roles and what
else has a history by number keep their numbers; who was faster is named in the same way for all of them.
"""

from hashlib import sha256
from typing import Any, Final

import orjson
from pydantic import BaseModel

from protocol.codes import ErrorCode
from protocol.errors import RequestError

STALE: Final = "stale_rev"
"""Reason of every refusal of a change that was made from something older."""
NOTHING: Final = "none"
"""Revision of what is not there."""
_LENGTH: Final = 16


def revision_of(*content: object) -> str:
    """The revision of this content: 16 hexadecimal digits, the same on every node and after every restart."""
    plain = orjson.dumps(content, default=_plain, option=orjson.OPT_SORT_KEYS)
    return sha256(plain).hexdigest()[:_LENGTH]


def check_revision(made_from: str, holds: str) -> None:
    """Refuse a change that was made from something else than what holds: CONFLICT `stale_rev`."""
    if made_from != holds:
        raise RequestError(
            ErrorCode.CONFLICT,
            STALE,
            "These settings were changed meanwhile; look at them again.",
            detail={"rev": holds},
        )


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"no part of settings: {type(value).__name__}")
