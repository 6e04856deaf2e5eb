"""Tickets: what a browser puts into the first frame of a socket instead of a token (protocol.md, Authentication).

A ticket is 128 random bits, lives 30 s in Redis and is taken out by GETDEL: of any number of hellos at once exactly
one gets it. It is bound to a shop, a person, their roles and the origin that asked for it.
"""

import re
import secrets
import time
from collections.abc import Callable

import orjson
from hiredis import ReplyError
from pydantic import BaseModel, ConfigDict, TypeAdapter

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import PersonId, ShopId
from router.link import Link
from router.redis_link import LinkError
from server.services.tokens import Kind, Principal, unauthenticated

_SHAPE = re.compile(r"^[A-Za-z0-9_-]{22}$")


class _Stub(BaseModel):
    """A ticket as it lies in Redis."""

    model_config = ConfigDict(frozen=True)

    shop: str
    person: str
    kind: Kind
    roles: list[str]
    name: str
    tv: int
    origin: str
    session_until_ms: int


_STUB = TypeAdapter(_Stub)


def ticket_key(ticket: str) -> str:
    """Where a ticket lies."""
    return f"pm:ticket:{ticket}"


def redis_down() -> RequestError:
    """Redis did not answer in time: nothing was given out, ask again."""
    return RequestError(
        ErrorCode.UNAVAILABLE, "redis_down", "The server is busy; please try again.", retry_after_ms=1000
    )


class Tickets:
    """Gives out and takes in tickets.

    `origin` is the Origin header of the request, "" for a client that sends none (servers, native apps).
    """

    def __init__(
        self, link: Link, *, ticket_s: int = 30, session_s: int = 3600, now: Callable[[], float] = time.time
    ) -> None:
        self._link = link
        self.ticket_s = ticket_s
        self._session_s = session_s
        self._now = now

    async def issue(self, principal: Principal, origin: str) -> tuple[str, int]:
        """A fresh ticket, and when the session that it opens will end (milliseconds since 1970 UTC).

        Customers' sessions end with their session token at the latest; accounts' sessions outlive the access token,
        because revocation reaches them by `token_version` and by the gateway's own door.
        """
        ticket = secrets.token_urlsafe(16)
        until = int((self._now() + self._session_s) * 1000)
        if principal.kind == "customer":
            until = min(until, principal.expires_at_ms)
        stub = _Stub(
            shop=principal.shop_id,
            person=principal.person_id,
            kind=principal.kind,
            roles=sorted(principal.roles),
            name=principal.name,
            tv=principal.token_version,
            origin=origin,
            session_until_ms=until,
        )
        try:
            await self._link.call(
                "SET", ticket_key(ticket), _STUB.dump_json(stub), "EX", str(self.ticket_s), "NX"
            )
        except (LinkError, ReplyError):
            raise redis_down() from None
        return ticket, until

    async def redeem(self, ticket: str, origin: str) -> Principal:
        """Who the ticket was given to. Used, expired, unknown, or from another origin: UNAUTHENTICATED, and it is gone.

        `Principal.expires_at_ms` is the end of the session. Accounts: the caller still compares `token_version`.
        """
        refused = unauthenticated(
            "ticket_invalid", "The ticket was used already or has expired; get a new one."
        )
        if not _SHAPE.match(ticket):
            raise refused
        try:
            found = await self._link.call("GETDEL", ticket_key(ticket))
        except (LinkError, ReplyError):
            raise redis_down() from None
        if found is None:
            raise refused
        stub = _STUB.validate_python(orjson.loads(found))
        if stub.origin != origin or stub.session_until_ms <= self._now() * 1000:
            raise refused
        return Principal(
            ShopId(stub.shop),
            PersonId(stub.person),
            stub.kind,
            frozenset(stub.roles),
            stub.name,
            stub.session_until_ms,
            stub.tv,
        )
