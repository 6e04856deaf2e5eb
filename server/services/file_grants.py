"""Grants: short-lived signed words that let somebody send or fetch the bytes of one file, without signing in again.

A grant names one file, one shop and one direction. Whoever holds it may do just that until it ends, so it is only given
to who may do it, and lives for minutes.
"""

import time
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from server.services.tokens import ISSUER, Expected, SigningKeys, sign, verify

Direction = Literal["send", "fetch"]


class GrantClaims(BaseModel):
    """What a grant says. `sub`: the file; `way`: which way the bytes may go."""

    model_config = ConfigDict(strict=True, frozen=True)

    sub: str
    shop: ShopId
    way: Direction
    iat: int
    exp: int


EXPECTED = {
    "send": Expected(ISSUER, "file", "send+jwt", leeway_s=0),
    "fetch": Expected(ISSUER, "file", "fetch+jwt", leeway_s=0),
}
"""Direction -> what its grants look like; one is never taken for the other."""


class FileGrants:
    """Makes and reads grants. The same secret on every node."""

    def __init__(
        self, secret: str, *, send_s: int, fetch_s: int, now: Callable[[], float] = time.time
    ) -> None:
        self._keys = SigningKeys("files", secret)
        self._lives: dict[Direction, int] = {"send": send_s, "fetch": fetch_s}
        self._now = now

    def make(self, way: Direction, shop: ShopId, file_id: str) -> tuple[str, int]:
        """A grant, and when it ends (milliseconds since 1970 UTC)."""
        now = int(self._now())
        end = now + self._lives[way]
        claims = {"sub": file_id, "shop": shop, "way": way, "iat": now, "exp": end}
        current = self._keys.current
        return sign(claims, self._keys.keys[current], current, EXPECTED[way]), end * 1000

    def read(self, grant: str, way: Direction, file_id: str) -> ShopId:
        """The shop whose file it is. UNAUTHENTICATED `grant_expired`, `grant_invalid` (also for another file's)."""
        try:
            claims = verify(grant, self._keys.keys, GrantClaims, EXPECTED[way], now=self._now)
        except RequestError as error:
            raise _refused("grant_expired" if error.reason == "token_expired" else "grant_invalid") from None
        if claims.sub != file_id or claims.way != way:
            raise _refused("grant_invalid")
        return claims.shop


def _refused(reason: str) -> RequestError:
    message = {
        "grant_expired": "This link has expired; ask for a new one.",
        "grant_invalid": "This link is not valid for this file; ask for a new one.",
    }[reason]
    return RequestError(ErrorCode.UNAUTHENTICATED, reason, message)
