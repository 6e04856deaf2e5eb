"""Every refusal is a problem document; bodies are bounded, JSON and closed; headers protect whoever opens an answer."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.states import Role
from server.http.problems import STATUS
from tests.server.http.world import Shop, World


def check_problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["reason"]) == (status, status, reason)
    assert problem["type"] == f"urn:pointsman:problem:{reason}"
    assert problem["detail"]
    return problem


async def test_an_address_that_is_none(world: World) -> None:
    check_problem(await world.ask("GET", "/v1/nowhere"), 404, "not_found")


async def test_a_method_that_the_address_does_not_know(world: World) -> None:
    answer = await world.ask("DELETE", "/v1/accounts")
    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_a_trailing_slash_is_another_address(world: World) -> None:
    check_problem(await world.ask("GET", "/v1/accounts/"), 404, "not_found")


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"]
)
async def test_a_body_that_is_not_json(world: World, media: str) -> None:
    headers = {"Content-Type": media} if media else {}
    answer = await world.ask("POST", "/v1/auth/login", content=b"shop=demo", headers=headers)
    check_problem(answer, 415, "unsupported_media_type")


BROKEN = [
    b"{",
    b"[1,",
    b'{"shop": NaN}',
    b'{"shop": "\xff"}',
    b'{"shop": "\\ud800"}',
    b"{'shop': 1}",
    b"\x00",
    b"{}x",
]


@pytest.mark.parametrize("body", BROKEN)
async def test_a_body_that_is_broken_json(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    check_problem(
        await world.ask("POST", "/v1/auth/login", content=body, headers=headers), 400, "json_invalid"
    )


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b'"x"', b"1", b"{}", b'{"shop": ' + b"[" * 900 + b"]" * 900 + b"}"]
)
async def test_a_body_of_another_shape_is_refused_by_field(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem = check_problem(
        await world.ask("POST", "/v1/auth/login", content=body, headers=headers), 422, "invalid"
    )
    assert all(fault["field"].startswith("body") for fault in problem["errors"])


async def test_no_body_at_all(world: World) -> None:
    check_problem(await world.ask("POST", "/v1/auth/login"), 422, "invalid")


async def test_an_unknown_member_is_not_ignored(world: World) -> None:
    body = {"shop": "demo", "email": "a@b.c", "password": "x", "remember": True}
    problem = check_problem(await world.ask("POST", "/v1/auth/login", json=body), 422, "invalid")
    assert [fault["field"] for fault in problem["errors"]] == ["body.remember"]


async def test_a_refused_password_is_not_sent_back(world: World) -> None:
    answer = await world.ask("POST", "/v1/auth/login", json={"shop": "demo", "password": "secret" * 100})
    assert "secret" not in answer.text


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
async def test_a_body_that_is_too_large_is_not_read_to_its_end(world: World, announced: bool) -> None:
    read = 0

    async def chunks() -> Any:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 16_384

    headers = {"Content-Type": "application/json"}
    content: Any = b" " * 300_000 if announced else chunks()
    answer = await world.ask("POST", "/v1/auth/login", content=content, headers=headers)
    check_problem(answer, 413, "body_too_large")
    assert read < 30


async def test_who_is_not_signed_in_is_told_so_before_anything_is_read(world: World) -> None:
    answer = await world.ask(
        "PUT", "/v1/settings/routing", content=b"{", headers={"Content-Type": "text/plain"}
    )
    check_problem(answer, 401, "token_missing")


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_of_the_wire_has_a_status(code: ErrorCode) -> None:
    assert 400 <= STATUS[code] < 600


async def test_a_fault_of_ours_says_nothing_of_itself(
    world: World, demo: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(shop: object) -> None:
        raise ZeroDivisionError("the password is swordfish")

    monkeypatch.setattr(world.app.state.deps.live, "agents", broken)
    answer = await world.ask("GET", "/v1/agents", who=(demo, Role.AGENT))
    check_problem(answer, 500, "internal_error")
    assert "swordfish" not in answer.text
    assert capsys.readouterr().out.count("http_bug") == 1, "logged once"


async def test_a_service_that_is_away_says_when_to_come_back(
    world: World, demo: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(shop: object) -> None:
        raise RequestError(ErrorCode.UNAVAILABLE, "routing_away", "Soon.", retry_after_ms=1500)

    monkeypatch.setattr(world.app.state.deps.live, "agents", away)
    answer = await world.ask("GET", "/v1/agents", who=(demo, Role.AGENT))
    assert check_problem(answer, 503, "routing_away")["retryable"] is True
    assert answer.headers["retry-after"] == "2"


# --- headers, documents, health --------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/v1/me", "/livez", "/nowhere", "/openapi.json"])
async def test_no_answer_can_be_framed_sniffed_or_kept(world: World, path: str) -> None:
    headers = (await world.ask("GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_the_page_of_routes_takes_nothing_from_elsewhere(world: World) -> None:
    page = await world.ask("GET", "/docs")
    assert page.status_code == 200
    assert "/v1/routing/dry-run" in page.text
    assert "<script" not in page.text
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page.text)
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]


async def test_the_documents_of_the_protocol_are_served(world: World) -> None:
    assert (await world.ask("GET", "/openrpc.json")).json()["openrpc"]
    assert (await world.ask("GET", "/asyncapi.json")).json()["asyncapi"]
    openapi = (await world.ask("GET", "/openapi.json")).json()
    assert openapi["paths"]["/v1/accounts"]["post"]["x-right"] == "account.manage"


async def test_alive_and_ready_are_two_questions(world: World) -> None:
    assert (await world.ask("GET", "/readyz")).json() == {"ready": True, "problems": {}}
    world.problems = {"redis": "no answer"}
    away = await world.ask("GET", "/readyz")
    assert (away.status_code, away.json()) == (503, {"ready": False, "problems": {"redis": "no answer"}})
    assert (await world.ask("GET", "/livez")).status_code == 200


async def test_figures_count_by_route_and_not_by_address(world: World, demo: Shop) -> None:
    await world.ask("GET", f"/v1/accounts/{demo.people[Role.AGENT]}", who=(demo, Role.OWNER))
    await world.ask("GET", "/v1/me")
    figures = (await world.ask("GET", "/metrics")).text
    assert 'pointsman_http_requests_total{route="GET /v1/accounts/{account_id}",status="200"} 1.0' in figures
    assert 'pointsman_http_refusals_total{reason="token_missing"} 1.0' in figures
    assert demo.people[Role.AGENT] not in figures
