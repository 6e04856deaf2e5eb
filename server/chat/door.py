"""The HTTP doors of a Pointsman: sign-in, tickets for the socket, customers' sessions. For every client of ours.

Refusals come as `RequestError` (the problem document's code, reason and words), a server that does not answer as its
kind `Unreachable`.
"""

from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, cast

import httpx
import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError

TIMEOUT_S: Final = 10.0


class Unreachable(RequestError):
    """Nobody answers at the URL, or not in HTTP. Retryable: perhaps it is only being restarted."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(ErrorCode.UNAVAILABLE, "unreachable", f"{url} does not answer: {why}.")
        self.url = url
        self.why = why


@dataclass(slots=True)
class SignIn:
    """An account's sign-in: what its tickets are asked for with. Refreshed in place."""

    shop: str
    email: str
    access_token: str
    refresh_token: str
    account_id: str
    name: str


@dataclass(slots=True)
class CustomerSession:
    """A customer's session, to be continued with its token, and a ticket that works once."""

    shop: str
    session_token: str
    customer_id: str
    anonymous: bool
    identity: str
    ticket: str


class Door:
    """One Pointsman's HTTP side. Use as an async context manager.

    Tickets are bound to an origin, and sockets are accepted from listed origins only: a program names one of the
    shop's. By default that is the server's own, where its pages are served from.
    """

    def __init__(self, url: str, *, origin: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.origin = origin or self.url
        self._http = httpx.AsyncClient(
            base_url=self.url, timeout=TIMEOUT_S, trust_env=False, headers={"Origin": self.origin}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    @property
    def socket_url(self) -> str:
        """Where the WebSocket is."""
        return f"ws{self.url.removeprefix('http')}/ws"

    async def sign_in(self, shop: str, email: str, password: str) -> SignIn:
        """Sign an account in."""
        given = await self.ask("POST", "/v1/auth/login", {"shop": shop, "email": email, "password": password})
        return SignIn(
            shop,
            email,
            given["access_token"],
            given["refresh_token"],
            given["account"]["id"],
            given["account"]["name"],
        )

    async def ticket(self, signed_in: SignIn) -> str:
        """A ticket for the socket; the sign-in is refreshed when its access token is over."""
        try:
            given = await self.ask("POST", "/v1/tickets", token=signed_in.access_token)
        except RequestError as error:
            if error.code is not ErrorCode.UNAUTHENTICATED:
                raise
            fresh = await self.ask("POST", "/v1/auth/refresh", {"refresh_token": signed_in.refresh_token})
            signed_in.access_token = fresh["access_token"]
            signed_in.refresh_token = fresh["refresh_token"]
            given = await self.ask("POST", "/v1/tickets", token=signed_in.access_token)
        return given["ticket"]

    async def sign_out(self, signed_in: SignIn) -> None:
        """End the sign-in; an agent becomes offline (KS-18)."""
        await self.ask("POST", "/v1/auth/logout", {"refresh_token": signed_in.refresh_token})

    async def customer(
        self, shop: str, *, session_token: str | None = None, identity_token: str | None = None
    ) -> CustomerSession:
        """Begin or continue a customer's session."""
        body = {"shop": shop}
        if session_token is not None:
            body["session_token"] = session_token
        if identity_token is not None:
            body["identity_token"] = identity_token
        given = await self.ask("POST", "/v1/widget/sessions", body)
        return CustomerSession(
            shop,
            given["session_token"],
            given["customer_id"],
            given["anonymous"],
            given["identity"],
            given["ticket"],
        )

    async def put(self, url: str, content: bytes, media_type: str) -> None:
        """Send a file to where a grant says. Refused: as the problem document says."""
        try:
            answer = await self._http.put(url, content=content, headers={"Content-Type": media_type})
        except httpx.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from None
        if not answer.is_success:
            raise _refusal(answer.status_code, _document(answer.content))

    async def fetch(self, url: str) -> bytes:
        """What a grant opens, whole."""
        try:
            answer = await self._http.get(url)
        except httpx.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from None
        if not answer.is_success:
            raise _refusal(answer.status_code, _document(answer.content))
        return answer.content

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> Any:
        """One request; the JSON of its answer (None when it has none)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from None
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        try:
            document = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            raise Unreachable(self.url, f"HTTP {answer.status_code}, and not JSON") from None
        if answer.is_success:
            return document
        raise _refusal(answer.status_code, document)


def _document(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _refusal(status: int, problem: Any) -> RequestError:
    """A problem document as the refusal that it stands for."""
    if not isinstance(problem, dict) or "code" not in problem:
        return RequestError(ErrorCode.INTERNAL_ERROR, "unknown", f"The server answered with HTTP {status}.")
    facts = cast("dict[str, Any]", problem)
    known = {int(code) for code in ErrorCode}
    code = ErrorCode(facts["code"]) if facts["code"] in known else ErrorCode.INTERNAL_ERROR
    after = facts.get("retry_after_ms")
    return RequestError(
        code,
        str(facts.get("reason", "unknown")),
        str(facts.get("detail", "")),
        retry_after_ms=after if isinstance(after, int) else None,
        detail=facts.get("errors"),
    )
