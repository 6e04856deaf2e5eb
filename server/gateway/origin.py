"""Which web pages may connect (fault 26: cross-site WebSockets). Decided before accept.

Browsers send `Origin` with every WebSocket and let no script change it; CORS does not cover WebSockets. Before the
hello the shop is not known, so the question here is whether any shop lists the origin; that it is this shop's is
checked with the ticket, which is bound to it.
"""

import re
from collections.abc import Awaitable, Callable
from enum import StrEnum

from starlette.datastructures import Headers

Known = Callable[[str], Awaitable[bool]]
"""Whether some shop lists exactly this origin, for its widget or its desk. Should be cached: asked per handshake."""

_SERIALISED = re.compile(r"https?://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
"""RFC 6454 section 6.2, in lower case as browsers send it; nothing may follow."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Verdict(StrEnum):
    """What to do with a handshake; the words are for logs and the refusal's body."""

    ALLOWED = "allowed"
    FOREIGN = "foreign_origin"
    MISSING = "missing_origin"
    AMBIGUOUS = "several_origins"
    MALFORMED = "malformed_origin"


class Origins:
    """The exact allow-list. `allow_loopback`: pages of this machine too, whatever their port (demos, development)."""

    __slots__ = ("_known", "_loopback")

    def __init__(self, known: Known, *, allow_loopback: bool = False) -> None:
        self._known = known
        self._loopback = allow_loopback

    async def judge(self, headers: Headers) -> Verdict:
        """No Origin is for programs: they must bring an Authorization header, which no web page can add."""
        origins = headers.getlist("origin")
        if not origins:
            return Verdict.ALLOWED if headers.get("authorization") else Verdict.MISSING
        if len(origins) > 1:
            return Verdict.AMBIGUOUS
        match = _SERIALISED.fullmatch(origins[0])
        if match is None:  # "null" (sandboxed frames, files) included: it names nobody
            return Verdict.MALFORMED
        if self._loopback and match["host"] in _LOOPBACK:
            return Verdict.ALLOWED
        return Verdict.ALLOWED if await self._known(origins[0]) else Verdict.FOREIGN
