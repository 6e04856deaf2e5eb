"""Tickets over HTTP: what is asked, and how refusals become errors that say whether to try again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import httpx
import pytest

from protocol.client import account_ticket, account_tickets, sign_in, widget_session, widget_tickets
from protocol.codes import ErrorCode
from protocol.errors import RequestError

Answer = Callable[[httpx.Request], httpx.Response]
CUSTOMER = {"customer_id": "k1", "session_token": "again", "ticket": "t1", "ticket_expires_in_s": 30}


class Desk:
    """An HTTP server that answers from a list and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, Mapping[str, object], dict[str, str]]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, dict[str, object], str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(
            (request.url.path, json.loads(request.content), request.headers.get("Authorization"))
        )
        status, body, headers = self._answers.pop(0)
        return httpx.Response(status, json=body, headers=headers)


def http(desk: Answer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url="http://shop.test", transport=httpx.MockTransport(desk))


async def test_an_account_signs_in_and_gets_a_ticket() -> None:
    desk = Desk(
        (200, {"access_token": "a", "refresh_token": "r", "expires_in_s": 900}, {}),
        (200, {"ticket": "t", "expires_in_s": 30}, {}),
    )
    async with http(desk) as client:
        tokens = await sign_in(client, "tea", "ann@example.com", "secret")
        assert (tokens.access_token, tokens.refresh_token, tokens.expires_in_s) == ("a", "r", 900)
        assert await account_ticket(client, tokens.access_token) == "t"
    assert desk.asked == [
        ("/v1/auth/login", {"shop": "tea", "email": "ann@example.com", "password": "secret"}, None),
        ("/v1/tickets", {}, "Bearer a"),
    ]


@pytest.mark.parametrize(
    ("lifetime_s", "paths"), [(900, ["login", "tickets", "tickets"]), (10, ["login", "tickets"] * 2)]
)
async def test_a_ticket_source_signs_in_again_only_when_it_must(lifetime_s: int, paths: list[str]) -> None:
    def desk(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rpartition("/")[2])
        body = {"access_token": "a", "refresh_token": "r", "expires_in_s": lifetime_s, "ticket": "t"}
        return httpx.Response(200, json=body)

    asked: list[str] = []
    async with http(desk) as client:
        ticket = account_tickets(client, "tea", "ann@example.com", "secret")
        assert [await ticket(), await ticket()] == ["t", "t"]
    assert asked == paths


async def test_a_visitor_becomes_a_customer_and_stays_the_same() -> None:
    desk = Desk((200, CUSTOMER, {}), (200, {**CUSTOMER, "ticket": "t2"}, {}))
    async with http(desk) as client:
        ticket = widget_tickets(client, "tea", identity_token="signed")
        assert [await ticket(), await ticket()] == ["t1", "t2"]
    assert [body for _, body, _ in desk.asked] == [
        {"shop": "tea", "identity_token": "signed"},
        {"shop": "tea", "session_token": "again"},
    ]


@pytest.mark.parametrize(
    ("status", "headers", "code", "retryable", "after_ms"),
    [
        (401, {}, ErrorCode.UNAUTHENTICATED, False, None),
        (403, {}, ErrorCode.FORBIDDEN, False, None),
        (404, {}, ErrorCode.NOT_FOUND, False, None),
        (422, {}, ErrorCode.INVALID_REQUEST, False, None),
        (429, {"Retry-After": "3"}, ErrorCode.RATE_LIMITED, True, 3000),
        (503, {}, ErrorCode.UNAVAILABLE, True, None),
    ],
)
async def test_refusals_say_whether_to_try_again(
    status: int, headers: dict[str, str], code: ErrorCode, retryable: bool, after_ms: int | None
) -> None:
    problem = {"title": "No", "detail": "Not today."}
    desk = Desk((status, problem, {**headers, "content-type": "application/problem+json"}))
    async with http(desk) as client:
        with pytest.raises(RequestError) as refused:
            await widget_session(client, "tea")
    error = refused.value
    assert (error.code, error.retryable, error.retry_after_ms) == (code, retryable, after_ms)
    assert error.message == f"/v1/widget/sessions: HTTP {status}: Not today."


async def test_a_server_out_of_reach_is_worth_another_try() -> None:
    def desk(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with http(desk) as client:
        with pytest.raises(RequestError) as refused:
            await sign_in(client, "tea", "ann@example.com", "secret")
    assert (refused.value.code, refused.value.retryable) == (ErrorCode.UNAVAILABLE, True)
