"""Signs identity tokens as a shop's backend would: who a customer is, and how their orders stand.

For the demo, for trials and tests with a key of your own. In a live shop the key stays in the shop's backend.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import OctKey

AUDIENCE: Final = "pointsman"
LIFE_S: Final = 300


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """A shop's key for identity tokens, as `pointsman shop create` prints it."""

    kid: str
    secret: str

    @classmethod
    def parse(cls, text: str) -> "IdentityKey":
        """From `KID:SECRET`. ValueError when it is not that."""
        kid, colon, secret = text.strip().partition(":")
        if not (kid and colon and secret):
            raise ValueError("an identity key is written KID:SECRET")
        return cls(kid, secret)


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a customer, as the shop has it now."""

    id: str
    state: str
    title: str = ""
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What the shop says of a customer. `first_paid_at`, `last_bought_at`: seconds since 1970 (KS-15)."""

    external_id: str
    name: str = ""
    tags: tuple[str, ...] = ()
    orders: tuple[Order, ...] = field(default=())
    first_paid_at: int | None = None
    last_bought_at: int | None = None


def identity_token(key: IdentityKey, shop: str, person: Person) -> str:
    """A token that works once, within `LIFE_S` seconds."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": shop,
        "aud": AUDIENCE,
        "sub": person.external_id,
        "jti": secrets.token_urlsafe(12),
        "iat": now,
        "exp": now + LIFE_S,
        "name": person.name,
        "tags": list(person.tags),
        "orders": [
            {
                "id": order.id,
                "state": order.state,
                "changed_at": now,
                "title": order.title,
                "amount": order.amount,
            }
            for order in person.orders
        ],
    }
    if person.first_paid_at is not None:
        claims["first_paid_at"] = person.first_paid_at
    if person.last_bought_at is not None:
        claims["last_bought_at"] = person.last_bought_at
    header = {"alg": "HS256", "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, OctKey.import_key(key.secret))
