"""The doors of a Pointsman for the load test: HTTP for tickets and settings, a line that asks, one person each.

Customers come from addresses of their own (127.0.1.1 and on), as real ones do, since sessions are limited by address.
"""

import asyncio
import json
from itertools import count
from typing import Any, cast

import httpx

from loadtest.line import Line, LineBroken
from loadtest.speech import PointsmanSpeech
from protocol.version import SUBPROTOCOL

ORIGIN = "https://shop.example"
"""The page that all of them come from."""
ANSWER_S = 60.0
PER_ADDRESS = 50


class Refused(Exception):
    """The server answered a request of the set-up with an error. `later`: the same may succeed in a moment."""

    def __init__(self, words: str, *, later: bool = False) -> None:
        super().__init__(words)
        self.later = later


def address(number: int) -> str:
    """The local address of the `number`th customer."""
    block = number // PER_ADDRESS
    return f"127.0.{1 + block // 250}.{1 + block % 250}"


def plain_http(port: int, source: str = "127.0.0.1", *, timeout_s: float) -> httpx.AsyncClient:
    """A page's HTTP client at one address, for one server of this machine.

    Without TLS: to load the certificates of the system for it stops the event loop for 25 ms, each time.
    """
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        transport=httpx.AsyncHTTPTransport(local_address=source, verify=False),
        timeout=timeout_s,
        trust_env=False,
        headers={"Origin": ORIGIN},
    )


class Door:
    """The HTTP side of one node, from one address. Use as an async context manager."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.port = port
        self.source = source
        self._http = plain_http(port, source, timeout_s=ANSWER_S)

    async def __aenter__(self) -> "Door":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """One call; the JSON that it gives, None when it gives nothing. Raises Refused."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise Refused(f"{method} {path}: {type(error).__name__} {error}", later=True) from error
        if not answer.is_success:
            busy = answer.status_code in (429, 502, 503, 504)
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}", later=busy)
        return answer.json() if answer.content else None

    async def sign_in(self, shop: str, email: str, password: str) -> str:
        """An access token."""
        given = await self.ask("POST", "/v1/auth/login", {"shop": shop, "email": email, "password": password})
        return str(given["access_token"])

    async def account_ticket(self, token: str) -> str:
        """A ticket for the socket."""
        return str((await self.ask("POST", "/v1/tickets", {}, token=token))["ticket"])

    async def visitor_ticket(self, shop: str) -> str:
        """A new visitor's ticket for the socket."""
        return str((await self.ask("POST", "/v1/widget/sessions", {"shop": shop}))["ticket"])


class Asker:
    """Requests over a line that nobody else hears yet. Notifications are kept in `events`."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._line: Line | None = None
        self._ids = count(1)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._arrived = asyncio.Event()

    @classmethod
    async def hello(cls, door: Door, ticket: str, device: str = "web") -> tuple[Line, "Asker"]:
        """Connect through `door`'s node and address, say hello, and wait until the session is live."""
        asker = cls()
        line = await Line.open(
            "127.0.0.1",
            door.port,
            "/ws",
            asker.hear,
            subprotocol=SUBPROTOCOL,
            source=door.source,
            headers={"Origin": ORIGIN},
            beat=PointsmanSpeech.pong,
        )
        asker._line = line
        client = {"name": "loadtest", "version": "1", "device": device}
        await asker.ask("session.hello", {"ticket": ticket, "client": client})
        await asker.until("session.ready")
        return line, asker

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """One request; its result. Raises Refused, LineBroken."""
        assert self._line is not None, "said hello"
        name = f"setup-{next(self._ids)}"
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        request = {"jsonrpc": "2.0", "id": name, "method": method, "params": params}
        self._line.say(json.dumps(request).encode())
        try:
            async with asyncio.timeout(ANSWER_S):
                return await future
        except TimeoutError:
            raise LineBroken(f"no answer to {method}; the line: {self._line.ended or 'open'}") from None

    async def until(self, event: str) -> dict[str, Any]:
        """The params of the first such notification, heard already or to come. Raises LineBroken."""
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    for heard in self.events:
                        if heard["method"] == event:
                            return cast("dict[str, Any]", heard["params"])
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise LineBroken(f"never heard {event}") from None

    def hear(self, text: bytes) -> None:
        """For the line."""
        frame = cast("dict[str, Any]", json.loads(text))
        if "method" in frame:
            self.events.append(frame)
            self._arrived.set()
            return
        future = self._waiting.pop(str(frame["id"]), None)
        if future is None or future.done():
            return
        if "error" in frame:
            future.set_exception(Refused(json.dumps(frame["error"])[:300]))
        else:
            future.set_result(frame["result"])
