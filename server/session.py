"""Who is at a connection, and what the gateway asks of the rest of the house.

The gateway knows no service, no store and no Redis: everything it cannot do itself is handed to it as one of the
callables of this file. It promises to call them in the way their docstrings say.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from protocol.codes import CloseCode
from protocol.errors import RequestError
from protocol.ids import ConnectionId, ConversationId, PersonId, SessionId, ShopId
from protocol.methods import Method
from protocol.methods.session import HelloParams, HelloResult
from protocol.shapes import Shape
from protocol.states import PersonKind
from server.push import Push


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a ticket or an Authorization header proved to be there."""

    shop_id: ShopId
    person_id: PersonId
    kind: PersonKind
    roles: frozenset[str]
    name: str
    expires_at_ms: int
    """milliseconds since 1970 UTC; the session ends then unless it is refreshed"""
    token_version: int = 0
    """of the account when it was proved; a higher one since means revoked"""
    observer: bool = False
    """may follow more than its own conversations: its send queue is larger"""


class Outlet(Protocol):
    """The way back to one client."""

    def push(self, push: Push) -> None:
        """Queue a notification under the rules of its plane. Never blocks, never raises; nothing after the close."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the connection once what is queued has been sent, or soon without. Repeating it changes nothing."""
        ...


@dataclass(slots=True, eq=False)
class Session:
    """One person at one connection. The gateway owns it; others read it.

    `roles` and `expires_at_ms` may change with `session.refresh`; everything else stands.
    """

    shop_id: ShopId
    person_id: PersonId
    kind: PersonKind
    roles: frozenset[str]
    name: str
    session_id: SessionId
    """new for every hello; `Opener.open` may answer with the id that is resumed, and then it is that"""
    connection_id: ConnectionId
    device: str
    """`web`, `desktop`, `mobile` or `server`, as the client says (KS-18)"""
    origin: str | None
    """None: a program, with an Authorization header"""
    expires_at_ms: int
    outlet: Outlet = field(repr=False)
    token_version: int = 0
    address: str = ""
    """of the peer, for the audit"""

    def send(self, push: Push) -> None:
        """Push to this connection only (`to` is not looked at)."""
        self.outlet.push(push)

    def close(self, code: CloseCode, reason: str) -> None:
        """End this connection."""
        self.outlet.close(code, reason)


class SessionRefused(Exception):
    """Raised by an `Opener` to end the socket with a close code of its choice: 4001, 4004, 4005, 4006, 4007, 4104."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a session.

    `missed` gives, in order, the pushes that bring a resumed client up to date; it is read as fast as the client
    takes them, and closed early when the client goes. `heads` says per conversation up to which `seq` (in the
    person's numbering) result and snapshot already tell the story: pushes at or below it that arrived meanwhile are
    dropped.
    """

    result: HelloResult
    missed: AsyncIterator[Push] | None = None
    heads: Mapping[ConversationId, int] = field(default_factory=dict[ConversationId, int])


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a session is over. `code` is a close code of ours, or one of RFC 6455 (1006: the socket just went)."""

    code: int
    reason: str
    sign_out: bool = False
    """the client said `session.bye {sign_out: true}`"""


class Opener(Protocol):
    """Lets people in. Implemented by services."""

    async def authenticate(
        self, *, ticket: str | None, authorization: str | None, origin: str | None
    ) -> Principal:
        """Prove who it is, by a single-use ticket or an Authorization header (at least one is given).

        The ticket must have been made for `origin` (I5: it names the shop). Raises RequestError (UNAUTHENTICATED:
        the gateway closes with 4001, or answers 401 before accept; UNAVAILABLE: 4104, 503) or SessionRefused.
        Also called for `session.refresh`.
        """
        ...

    async def open(self, session: Session, params: HelloParams) -> Opening:
        """Begin or resume the session.

        When it is called the session is in the hub already: what is published from now on is held and follows after
        `missed`. So first make the connection known to other nodes (`Engine.connect`), then read the durable state.
        Raises SessionRefused, or RequestError (the hello is answered with it; then 4104 if it is retryable, else 4001).
        """
        ...

    async def closed(self, session: Session, ending: Ending) -> None:
        """The session is over. Called exactly once for every session that `open` was called with, after it came back,
        whatever it gave."""
        ...


class Door(Protocol):
    """Who may call what, and what becomes of a try that was refused. Implemented by services."""

    async def admit(self, session: Session, method: Method) -> None:
        """Raise FORBIDDEN unless this person may call the method at all. Asks nobody outside the process, as a rule: it
        is on the way of every message."""
        ...

    async def refused(self, session: Session, method: Method, params: Shape, error: RequestError) -> None:
        """Record a refused try (GP-03). Never raises."""
        ...


Handler = Callable[[Session, Any], Awaitable[Shape]]
"""Serves one request: `(session, params)` -> result, both of the types in `protocol.methods.METHODS`.

Refusals are RequestErrors; any other exception is a bug, logged once, answered with -32603. Handlers are never
cancelled: one that overruns the deadline is answered for (1050) and its late result dropped.

Order: the requests of one connection to one conversation (the param `conversation_id`; else those without one) run
one after the other, but consecutive calls of a method in `dispatch.PIPELINED` (`message.send`) are
started in order without waiting for each other. Such a handler keeps the order if it reaches `Log.append` without
awaiting something that can take differently long.
"""

NoticeHandler = Callable[[Session, Any], Awaitable[None]]
"""Serves one notification of the client (`typing.set`), after the rate limit. Refusals are dropped silently."""

Handlers = Mapping[str, Handler]
NoticeHandlers = Mapping[str, NoticeHandler]
