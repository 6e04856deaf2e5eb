"""Identity tokens: a shop's backend says who the customer in front of the widget is.

A JWT (HS256) with the shop's own key: header `kid`; claims `iss` the shop's short name, `aud` "pointsman", `sub` its id
of the customer, `jti`, `iat`, `exp` at most one hour after `iat`; and, as far as the shop tells: `name`, `tags`,
`first_paid_at`, `last_bought_at` (seconds since 1970), `orders` [{`id`, `state`, `changed_at`, `title`, `amount`}].
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Annotated

from hiredis import ReplyError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from protocol.ids import ShopId
from protocol.states import OrderState
from router.link import Link
from router.redis_link import LinkError
from server.services.tickets import redis_down
from server.services.tokens import Expected, unauthenticated, verify

AUDIENCE = "pointsman"
LIFE_MAX_S = 3600
LEEWAY_S = 60
"""How far a shop's clock may be off."""

Seconds = Annotated[int, Field(ge=0, lt=2**33)]
Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:~@-]+$")]


class IdentityOrder(BaseModel):
    """One order of the customer, as the shop has it now."""

    model_config = ConfigDict(strict=True, frozen=True)

    id: ExternalId
    state: Annotated[OrderState, Field(strict=False)]
    changed_at: Seconds
    title: Text = ""
    amount: Annotated[str, StringConstraints(max_length=32, pattern=r"^[^\x00]*$")] = ""


class IdentityClaims(BaseModel):
    """What the shop says of its customer. Members that we do not know are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)

    sub: ExternalId
    jti: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    iat: int
    exp: int
    name: Annotated[str, StringConstraints(max_length=80, pattern=r"^[^\x00]*$")] | None = None
    tags: (
        Annotated[
            list[Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]],
            Field(max_length=50),
        ]
        | None
    ) = None
    orders: Annotated[list[IdentityOrder], Field(max_length=200)] = []
    first_paid_at: Seconds | None = None
    last_bought_at: Seconds | None = None


class IdentityTokens:
    """Reads identity tokens and sees to it that each is used once. Shared by all nodes through Redis."""

    def __init__(self, link: Link, *, now: Callable[[], float] = time.time) -> None:
        self._link = link
        self._now = now

    def read(self, token: str, *, shop_slug: str, keys: Mapping[str, str]) -> IdentityClaims:
        """The claims of a genuine token of this shop (`keys`: kid -> secret, those not revoked), or UNAUTHENTICATED."""
        octets = {kid: OctKey.import_key(secret.encode()) for kid, secret in keys.items()}
        claims = verify(
            token, octets, IdentityClaims, Expected(shop_slug, AUDIENCE, None, LEEWAY_S), now=self._now
        )
        if not 0 < claims.exp - claims.iat <= LIFE_MAX_S:
            raise unauthenticated("identity_token_too_long", "An identity token lives at most one hour.")
        return claims

    async def use(self, shop: ShopId, claims: IdentityClaims) -> None:
        """Mark as used; UNAUTHENTICATED when it was. Call it last, when all else about the token is right."""
        key = f"pm:jti:{shop}:{hashlib.sha256(claims.jti.encode()).hexdigest()[:32]}"
        try:
            until = str(claims.exp + LEEWAY_S + 1)
            first = await self._link.call("SET", key, "1", "NX", "EXAT", until)
        except (LinkError, ReplyError):
            raise redis_down() from None
        if first is None:
            raise unauthenticated(
                "identity_token_used", "This identity token was used already; get a new one."
            )
