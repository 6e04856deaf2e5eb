"""Our own signed tokens: access tokens of accounts and session tokens of customers (JWT, RFC 7519, HS256).

Knows the server's secret, and nothing of passwords, sockets or the database. A token says who somebody was when it was
made; whether they still are is for the caller to look up (`token_version`). What is refused is refused with 401 and one
of three reasons, so that a forger learns nothing: `token_missing`, `token_expired`, `token_invalid`.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import GuestProtocol, OctKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, ValidationError

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, CustomerId, PersonId, ShopId, new_id

ISSUER = "pointsman"
ALGORITHM = "HS256"
TOKEN_MAX_CHARS = 16 * 1024
"""Longer ones are refused before they are looked at."""
LEEWAY_S = 10
"""How far the clock of somebody who signs for us may be from ours."""
APART_S = 600
"""How far the clocks of two nodes may be apart: 5 minutes off each (reliability, fault 18)."""

Kind = Literal["account", "bot", "customer"]
"""Who stands behind a session."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose identity was proved, until `expires_at_ms` (milliseconds since 1970 UTC)."""

    shop_id: ShopId
    person_id: PersonId
    kind: Kind
    roles: frozenset[str]
    name: str
    expires_at_ms: int
    token_version: int = 0
    """Accounts and bots: older than the account's means revoked."""


class AccessClaims(BaseModel):
    """What an access token says. `sub`: the account; `tv`: its token version."""

    model_config = ConfigDict(strict=True, frozen=True)

    sub: str
    shop: str
    roles: list[str]
    tv: int
    iat: int
    exp: int


class CustomerClaims(BaseModel):
    """What a customer's session token says. `sub`: our customer id; `known`: proved by an identity token."""

    model_config = ConfigDict(strict=True, frozen=True)

    sub: str
    shop: str
    known: bool
    iat: int
    exp: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must be to be looked into at all."""

    issuer: str
    audience: str
    typ: str | None
    """the header's `typ`; None: any, for tokens that others make"""
    leeway_s: int = LEEWAY_S
    apart_s: int = 0
    """a token that was signed so far in the future, by a node whose clock is ahead, is judged by that clock"""


ACCESS = Expected(ISSUER, "api", "at+jwt", apart_s=APART_S)
WIDGET = Expected(ISSUER, "widget", "customer+jwt", apart_s=APART_S)

C = TypeVar("C", bound=BaseModel)


def unauthenticated(reason: str, message: str) -> RequestError:
    """The answer to whoever did not prove who they are."""
    return RequestError(ErrorCode.UNAUTHENTICATED, reason, message)


def token_hash(token: str) -> bytes:
    """What is kept of a random token of ours: nobody can sign in with what the database holds."""
    return hashlib.sha256(token.encode()).digest()


def verify(
    token: str,
    keys: Mapping[str, OctKey],
    shape: type[C],
    expected: Expected,
    *,
    now: Callable[[], float] = time.time,
) -> C:
    """The claims of a genuine, unexpired token for `expected`, or RequestError UNAUTHENTICATED.

    The key is the one that the header's `kid` names, never a guess; the algorithm is HS256, never the header's wish.
    """
    if not token or len(token) > TOKEN_MAX_CHARS:
        raise unauthenticated("token_missing" if not token else "token_invalid", "Sign in first.")

    def key(guest: GuestProtocol) -> OctKey:
        header = guest.headers()
        found = keys.get(str(header.get("kid")))
        if found is None or (expected.typ is not None and header.get("typ") != expected.typ):
            raise JoseError("another key or kind of token")
        return found

    def clock(signed_s: Any) -> int:
        here_s = int(now())
        ahead = isinstance(signed_s, int) and here_s < signed_s <= here_s + expected.apart_s
        return signed_s if ahead else here_s

    claims_rule = jwt.JWTClaimsRegistry(
        now=lambda: clock(found.claims.get("iat")),
        leeway=expected.leeway_s,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.audience},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )
    try:
        found = jwt.decode(token, key, algorithms=[ALGORITHM], registry=JWSRegistry(algorithms=[ALGORITHM]))
        claims_rule.validate(found.claims)
        return shape.model_validate(found.claims)
    except ExpiredTokenError:
        raise unauthenticated("token_expired", "The token has expired; get a new one.") from None
    except (JoseError, ValidationError, ValueError, TypeError):
        raise unauthenticated("token_invalid", "The token is not valid; sign in again.") from None


def sign(claims: Mapping[str, Any], key: OctKey, kid: str, expected: Expected) -> str:
    """A compact token with these claims besides issuer and audience."""
    header = {"alg": ALGORITHM, "kid": kid, "typ": expected.typ or "JWT"}
    return jwt.encode(
        header, {"iss": expected.issuer, "aud": expected.audience, **claims}, key, algorithms=[ALGORITHM]
    )


class SigningKeys:
    """Keys for one purpose, derived from the server's secret; earlier secrets still verify while they are rotated."""

    def __init__(self, purpose: str, secret: str, previous: tuple[str, ...] = ()) -> None:
        self.keys: dict[str, OctKey] = {}
        self.current = ""
        for text in (secret, *previous):
            material = hmac.new(text.encode(), purpose.encode(), hashlib.sha256).digest()
            kid = hashlib.sha256(b"kid:" + material).hexdigest()[:12]
            self.keys[kid] = OctKey.import_key(material)
            self.current = self.current or kid


class Tokens:
    """Makes and reads our own tokens. The same secret on every node.

    Lives in seconds: `access_s` of access tokens, `customer_s` of anonymous visitors' sessions (they are
    only recognised by them), `known_s` of known customers' (their shop can say anew who they are, and the
    device may be shared).
    """

    def __init__(
        self,
        secret: str,
        *,
        previous_secrets: tuple[str, ...] = (),
        access_s: int = 900,
        customer_s: int = 180 * 86_400,
        known_s: int = 86_400,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._access = SigningKeys("access", secret, previous_secrets)
        self._widget = SigningKeys("widget", secret, previous_secrets)
        self.access_s = access_s
        self._customer_s = customer_s
        self._known_s = known_s
        self._now = now

    def access(self, shop: ShopId, account: AccountId, roles: frozenset[str], token_version: int) -> str:
        """An access token for `access_s` seconds."""
        now = int(self._now())
        claims = {
            "sub": account,
            "shop": shop,
            "roles": sorted(roles),
            "tv": token_version,
            "jti": new_id(),
            "iat": now,
            "exp": now + self.access_s,
        }
        return sign(claims, self._access.keys[self._access.current], self._access.current, ACCESS)

    def read_access(self, token: str) -> AccessClaims:
        """Who an access token was made for, or RequestError UNAUTHENTICATED."""
        return verify(token, self._access.keys, AccessClaims, ACCESS, now=self._now)

    def customer(self, shop: ShopId, customer: CustomerId, *, known: bool) -> tuple[str, int]:
        """A customer's session token, and when it ends (milliseconds since 1970 UTC)."""
        now = int(self._now())
        end = now + (self._known_s if known else self._customer_s)
        claims = {"sub": customer, "shop": shop, "known": known, "iat": now, "exp": end}
        return sign(claims, self._widget.keys[self._widget.current], self._widget.current, WIDGET), end * 1000

    def read_customer(self, token: str) -> CustomerClaims:
        """Which customer a session token was made for, or RequestError UNAUTHENTICATED."""
        return verify(token, self._widget.keys, CustomerClaims, WIDGET, now=self._now)
