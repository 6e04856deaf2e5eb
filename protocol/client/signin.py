"""Tickets over HTTP: sign in as an account or as a customer, and get what the first frame of a socket needs."""

import time
from dataclasses import dataclass
from typing import Any, cast

import httpx

from protocol.client.link import TicketSource
from protocol.codes import ErrorCode
from protocol.errors import RequestError


@dataclass(frozen=True, slots=True)
class Tokens:
    """A signed-in account. `expires_in_s` counts the seconds of `access_token`."""

    access_token: str
    refresh_token: str
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class WidgetSession:
    """A customer's session. `session_token` brings the same customer back; `expires_in_s`: the ticket's seconds."""

    customer_id: str
    session_token: str
    ticket: str
    expires_in_s: int


async def sign_in(http: httpx.AsyncClient, shop: str, email: str, password: str) -> Tokens:
    """`POST /v1/auth/login`. RequestError: UNAUTHENTICATED, RATE_LIMITED, UNAVAILABLE."""
    found = await _post(http, "/v1/auth/login", {"shop": shop, "email": email, "password": password})
    return Tokens(found["access_token"], found["refresh_token"], found["expires_in_s"])


async def account_ticket(http: httpx.AsyncClient, access_token: str) -> str:
    """`POST /v1/tickets`: a single-use ticket. RequestError: UNAUTHENTICATED when the token has expired."""
    found = await _post(http, "/v1/tickets", {}, {"Authorization": f"Bearer {access_token}"})
    return found["ticket"]


async def widget_session(
    http: httpx.AsyncClient,
    shop: str,
    *,
    identity_token: str | None = None,
    session_token: str | None = None,
) -> WidgetSession:
    """`POST /v1/widget/sessions`: a customer (known by one of the tokens, else a new visitor) and a ticket."""
    members = {"shop": shop, "identity_token": identity_token, "session_token": session_token}
    found = await _post(http, "/v1/widget/sessions", {key: value for key, value in members.items() if value})
    return WidgetSession(
        found["customer_id"], found["session_token"], found["ticket"], found["ticket_expires_in_s"]
    )


def account_tickets(http: httpx.AsyncClient, shop: str, email: str, password: str) -> TicketSource:
    """A ticket source that signs an account in when it must, and again when its token has run out."""
    tokens: Tokens | None = None
    good_until = 0.0

    async def ticket() -> str:
        nonlocal tokens, good_until
        if tokens is None or time.monotonic() >= good_until:
            tokens = await sign_in(http, shop, email, password)
            good_until = time.monotonic() + tokens.expires_in_s - 30
        return await account_ticket(http, tokens.access_token)

    return ticket


def widget_tickets(http: httpx.AsyncClient, shop: str, *, identity_token: str | None = None) -> TicketSource:
    """A ticket source that stays the same customer for as long as it is used."""
    session: WidgetSession | None = None

    async def ticket() -> str:
        nonlocal session
        session = await widget_session(
            http,
            shop,
            identity_token=identity_token if session is None else None,
            session_token=None if session is None else session.session_token,
        )
        return session.ticket

    return ticket


async def _post(
    http: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    try:
        response = await http.post(path, json=body, headers=headers)
    except httpx.TransportError as error:
        words = f"{path}: {type(error).__name__}"
        raise RequestError(ErrorCode.UNAVAILABLE, "http_unreachable", words) from error
    if response.is_success:
        return cast("dict[str, Any]", response.json())
    raise _refusal(path, response)


def _refusal(path: str, response: httpx.Response) -> RequestError:
    """The problem document of a refused call as an error of the wire."""
    status = response.status_code
    after = response.headers.get("Retry-After", "")
    words = f"{path}: HTTP {status}"
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        problem = cast("dict[str, Any]", response.json())
        words = f"{words}: {problem.get('detail') or problem.get('title') or ''}"
    code = _CODES.get(status, ErrorCode.UNAVAILABLE if status >= 500 else ErrorCode.INVALID_REQUEST)
    return RequestError(
        code, f"http_{status}", words, retry_after_ms=int(after) * 1000 if after.isdecimal() else None
    )


_CODES = {
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    429: ErrorCode.RATE_LIMITED,
}
