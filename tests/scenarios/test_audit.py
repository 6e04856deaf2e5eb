"""The audit over every way in: each change of a right, a setting or an owner leaves one record, each refused try too,
and nobody can change what is recorded (GP-03, KS-23, CO-12)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from protocol.codes import ErrorCode
from protocol.ids import new_id
from protocol.methods import METHODS, may_call
from protocol.rights import BUILT_IN, Right
from protocol.shapes import Shape
from protocol.states import PersonKind, Role
from server.http.rights import RIGHTS
from server.services.revisions import NOTHING
from server.setup import Setup
from tests.scenarios.audit_desk import CHANGES, NO_SETTING, PASSWORD, READ, Desk, filled
from tests.scenarios.house import House, until

pytestmark = pytest.mark.req("GP-03", "KS-23")

STAFF = (Role.AGENT, Role.OPERATIONS, Role.SUPERVISOR, Role.SERVICE_ADMIN, Role.ADMIN)
GUARDED = {route: access for route, access in RIGHTS.items() if not access.public}
CHANGING = {route for route in GUARDED if not route.startswith(("GET ", "OPTIONS "))}


@pytest.fixture
async def desk(migrated_database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    """A shop on one node, with its owner at the settings."""
    house = await House.start(migrated_database_url, redis_url, login_per_minute=1000)
    desk = await Desk.of(house)
    yield desk
    await desk.http.aclose()
    await house.stop()


def test_of_every_route_it_is_known_what_it_changes() -> None:
    assert set(CHANGES) | set(NO_SETTING) == CHANGING
    assert not set(CHANGES) & set(NO_SETTING)


@pytest.mark.parametrize("route", CHANGES)
async def test_a_change_over_http_leaves_one_record(desk: Desk, route: str) -> None:
    change = CHANGES[route]
    if change.before is not None:
        await change.before(desk)
    known = len(await desk.records())
    began = int(time.time() * 1000)
    answer = await desk.ask(route, filled(change.body, desk.ids))
    assert answer.is_success, answer.text
    await until(lambda: recorded_since(desk, known), what="the record")
    rows = (await desk.records())[known:]
    assert tuple(row.action for row in rows) == change.recorded
    for row in rows:
        assert (row.actor_kind, row.actor_id, row.actor_name) == ("account", desk.owner.id, "Olga")
        assert row.source["via"] == "http"
        assert row.source["request"] == route
        assert row.source["address"] == "127.0.0.1"
        assert began <= row.at_ms <= time.time() * 1000 + 1
        assert row.subject_kind and row.subject_id
        assert (row.outcome, row.reason) == ("done", "")
        match row.action.rpartition(".")[2]:
            case "added":
                assert row.before is None and row.after
            case "removed":
                assert row.before and row.after is None
            case "revoked":
                assert (row.before, row.after) == (None, None)  # no row changes that could be shown
            case _:
                assert row.before != row.after
                assert row.before is not None and row.after
    told = orjson.dumps([asdict(row) for row in await desk.records()]).decode()
    for secret in (PASSWORD, "SECRET", "$argon2", *secrets_in(answer)):
        assert secret not in told
    if route.startswith("PUT "):  # the same again changes nothing, and is not recorded
        await desk.ask(route, filled(change.body, desk.ids))
        assert (await desk.records())[known:] == rows


async def test_refused_tries_over_http_are_recorded_and_change_nothing(desk: Desk) -> None:
    names = (
        "conversation_id",
        "break_glass_id",
        "rule_id",
        "kid",
        "api_key_id",
        "order_id",
        "reassignment_id",
        "reply_id",
    )
    desk.ids |= {name: new_id() for name in (*names, "two", "one")} | {"rev": "1"}
    people = {role: await desk.somebody(role) for role in STAFF}
    tried = 0
    for route, access in GUARDED.items():
        somebody = next((people[role] for role in STAFF if access.right not in BUILT_IN[role]), None)
        if somebody is None:
            continue  # everybody may
        known = len(await desk.records())
        body = CHANGES[route].body if route in CHANGES else None
        if body is not None and route in READ:
            body = {**body, "rev": NOTHING}  # it does not come to that
        answer = await desk.ask(route, filled(body, desk.ids), who=somebody)
        assert answer.status_code == 403, route
        (row,) = (await desk.records())[known:]
        assert (row.action, row.outcome, row.reason) == (route, "refused", "no_right")
        assert (row.actor_kind, row.actor_id) == ("account", somebody.id), route
        assert row.source == {"via": "http", "address": "127.0.0.1"}, route
        tried += 1
    assert tried > 40


async def test_refused_tries_at_a_socket_are_recorded(desk: Desk) -> None:
    people = {role: await desk.shop.person(await desk.somebody(role)) for role in STAFF}
    tried = 0
    for name, method in METHODS.items():
        lacking = [role for role in STAFF if not may_call(PersonKind.ACCOUNT, BUILT_IN[role], method)]
        if not lacking:
            continue
        person = people[lacking[0]]
        known = len(await desk.records())
        error = await person.refused(name, **some_params(method.params))
        assert error.code is ErrorCode.FORBIDDEN, name
        (row,) = (await desk.records())[known:]
        assert (row.action, row.outcome, row.reason) == (name, "refused", error.reason)
        assert (row.actor_kind, row.actor_id) == ("account", person.id), name
        assert row.source["via"] == "socket" and row.source["address"] == "127.0.0.1", name
        assert row.source["session_id"] and row.source["device"] == "web", name
        tried += 1
    assert tried > 30


async def test_a_setting_changed_at_a_socket_leaves_one_record(house: House) -> None:
    desk = await Desk.of(house)
    ann = await desk.shop.person(desk.agent)
    known = len(await desk.records())
    await ann.asks("agent.set_capacity", capacity=3)
    await ann.asks("agent.set_status", status="online")  # what agents do all day
    (row,) = (await desk.records())[known:]
    assert (row.action, row.actor_id, row.source["request"]) == (
        "accounts.changed",
        ann.id,
        "agent.set_capacity",
    )
    assert (row.before, row.after) == ({"capacity": None}, {"capacity": 3})
    assert row.source["via"] == "socket" and row.source["address"] == "127.0.0.1"
    await desk.http.aclose()


@pytest.mark.req("KS-18", "KS-19")
async def test_what_a_manager_sets_for_somebody_else_is_recorded_with_its_reason(house: House) -> None:
    desk = await Desk.of(house)
    ann = await desk.shop.agent("Ann")
    max_ = await desk.shop.agent("Max", roles=(Role.SERVICE_ADMIN,), status="offline")
    known = len(await desk.records())
    await max_.asks("agent.set_status", account_id=ann.id, status="paused", reason="lunch is over late")
    await max_.asks("agent.set_capacity", account_id=ann.id, capacity=2, reason="new here")
    rows = [row for row in (await desk.records())[known:] if row.actor_id == max_.id]
    assert [(row.action, row.subject_id, row.reason) for row in rows] == [
        ("agent.set_status", ann.id, "lunch is over late"),
        ("agent.set_capacity", ann.id, "new here"),
        ("accounts.changed", ann.id, ""),
    ]
    assert rows[0].after == {"status": "paused"}
    await desk.http.aclose()


@pytest.mark.req("CO-12")
async def test_a_supervisors_acts_leave_one_record_each(house: House) -> None:
    desk = await Desk.of(house)
    ann = await desk.shop.agent("Ann")
    sue = await desk.shop.agent("Sue", roles=(Role.SUPERVISOR,), status="offline")
    cara = await desk.shop.customer("Cara")
    talk = await cara.opens()
    await ann.sees(talk, owner=ann.id)
    known = len(await desk.records())
    await sue.asks("monitor.watch", conversation_id=talk)
    body = {"kind": "note", "text": "a SECRET hint"}
    hint = {"conversation_id": talk, "client_message_id": new_id(), "body": body}
    await sue.asks("monitor.whisper", **hint)
    await sue.asks("monitor.speak", conversation_id=talk, reason="to help")
    rows = (await desk.records())[known:]
    assert [row.action for row in rows] == ["monitor.watch", "monitor.whisper", "monitor.speak"]
    assert {row.actor_id for row in rows} == {sue.id} and {row.subject_id for row in rows} == {talk}
    assert all(row.source["via"] == "socket" for row in rows)
    assert "SECRET" not in orjson.dumps([asdict(row) for row in rows]).decode()
    await desk.http.aclose()


async def test_sign_ins_are_recorded_and_failed_ones_of_known_accounts(desk: Desk) -> None:
    slug = (await desk.app.shop_store.get(desk.shop.id)).slug

    async def login(email: str, password: str) -> httpx.Response:
        body = {"shop": slug, "email": email, "password": password}
        return await desk.http.post("/v1/auth/login", json=body)

    known = len(await desk.records())
    given = (await login(desk.owner.email, PASSWORD)).json()
    assert (await login(desk.owner.email, "wrong")).status_code == 401
    assert (await login("nobody@example.com", "wrong")).status_code == 401
    await until(lambda: recorded_since(desk, known + 1), what="the failed sign-in's record")
    fresh = (await desk.http.post("/v1/auth/refresh", json={"refresh_token": given["refresh_token"]})).json()
    await desk.http.post("/v1/auth/refresh", json={"refresh_token": given["refresh_token"]})  # a copy
    again = (await login(desk.owner.email, PASSWORD)).json()
    await desk.http.post("/v1/auth/logout", json={"refresh_token": again["refresh_token"]})
    rows = (await desk.records())[known:]
    assert [(row.action, row.outcome, row.reason, row.actor_kind) for row in rows] == [
        ("auth.signed_in", "done", "", "account"),
        ("auth.signed_in", "refused", "wrong_credentials", "unknown"),
        ("auth.refreshed", "refused", "refresh_token_reused", "unknown"),
        ("auth.signed_in", "done", "", "account"),
        ("auth.signed_out", "done", "", "account"),
    ]
    assert {row.subject_id for row in rows} == {desk.owner.id}
    assert {row.source["address"] for row in rows} == {"127.0.0.1"}
    told = orjson.dumps([asdict(row) for row in rows]).decode()
    for secret in (PASSWORD, 'wrong"', given["access_token"], given["refresh_token"], fresh["refresh_token"]):
        assert secret not in told


async def test_what_the_shops_systems_change_is_recorded_with_their_key(desk: Desk) -> None:
    key = await desk.does("POST /v1/api-keys", {"name": "crm", "scopes": ["customers:write"]})
    known = len(await desk.records())
    answer = await desk.http.put(
        "/v1/customers/c-1", json={"tags": ["vip"]}, headers={"Authorization": f"Bearer {key['key']}"}
    )
    assert answer.is_success, answer.text
    (row,) = (await desk.records())[known:]
    assert (row.actor_kind, row.actor_id, row.actor_name) == ("key", f"key:{key['api_key']['id']}", "crm")


async def test_what_the_command_line_changes_is_recorded_with_its_user(desk: Desk) -> None:
    slug = (await desk.app.shop_store.get(desk.shop.id)).slug
    async with Setup(desk.app.settings) as setup:
        await setup.create_group(slug, "South", "region", [], [])
    (row,) = await desk.records(action="groups.added", text="South")
    assert row.actor_kind == "cli" and row.actor_id.startswith("os:") and row.source["via"] == "cli"
    await desk.does("POST /v1/groups", {"name": "East"})
    assert (await desk.records(text="East"))[-1].actor_kind == "account"


async def test_two_at_once_are_not_mistaken_for_each_other(desk: Desk) -> None:
    admins = [await desk.somebody(Role.ADMIN) for _ in range(8)]
    await asyncio.gather(
        *(desk.ask("POST /v1/groups", {"name": f"by {admin.id}"}, who=admin) for admin in admins)
    )
    rows = await desk.records(action="groups.added", text="by ")
    assert len(rows) == 8
    assert all(row.after is not None and row.after["name"] == f"by {row.actor_id}" for row in rows)


def test_no_way_in_changes_the_audit() -> None:
    assert [route for route in RIGHTS if "audit" in route] == ["GET /v1/audit"]
    assert [name for name in METHODS if "audit" in name] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_the_audit_is_only_read(desk: Desk, method: str) -> None:
    known = await desk.records()
    for path in ("/v1/audit", f"/v1/audit/{known[0].id}"):
        assert (await desk.ask(f"{method} {path}", {})).status_code in (404, 405)
    assert await desk.records() == known


def test_who_may_read_it() -> None:
    may = {role for role, grants in BUILT_IN.items() if Right.AUDIT in grants}
    assert may == {Role.OWNER, Role.ADMIN, Role.SERVICE_ADMIN}


async def recorded_since(desk: Desk, known: int) -> bool:
    """Whether there is more than what was known."""
    return len(await desk.records()) > known


def secrets_in(answer: httpx.Response) -> list[str]:
    """What the answer shows once."""
    shown = answer.json() if answer.content else {}
    return [shown[name] for name in ("key", "secret", "access_token", "refresh_token") if shown.get(name)]


def some_params(shape: type[Shape]) -> dict[str, Any]:
    """Valid params of a method, whatever they are: required members only, each tried with a few values."""
    names = [name for name, field in shape.model_fields.items() if field.is_required()]
    values = (
        new_id(),
        "x",
        1,
        True,
        "online",
        [new_id()],
        {"kind": "text", "text": "x"},
        {"kind": "note", "text": "x"},
        "offer",
        "transfer",
        {},
    )
    for chosen in itertools.product(values, repeat=len(names)):
        params = dict(zip(names, chosen, strict=True))
        try:
            shape.model_validate(params)
        except ValidationError:
            continue
        return params
    raise AssertionError(f"no params found for {shape.__name__}")
