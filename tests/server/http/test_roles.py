"""Roles are sets of rights that a shop edits (GP-02, CO-06): what makes sense, who may say so, and what follows."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from protocol.errors import RequestError
from protocol.ids import AccountId
from protocol.rights import BUILT_IN, Right
from protocol.states import Role
from server.services.schedules import week_rev
from tests.server.http.world import Shop, World

Who = dict[str, str]
"""The header of somebody who signed in."""

EMPTY_WEEK = {"hours": [], "rev": week_rev([])}


async def put(
    world: World, who: Who, role: str, grants: dict[str, str], *, rev: int = 0, name: str = ""
) -> httpx.Response:
    body = {"name": name, "grants": grants, "rev": rev}
    return await world.ask("PUT", f"/v1/roles/{role}", headers=who, json=body)


async def delete(world: World, who: Who, role: str, **query: Any) -> httpx.Response:
    return await world.ask("DELETE", f"/v1/roles/{role}", headers=who, params=query)


async def roles(world: World, who: Who) -> dict[str, dict[str, Any]]:
    found = await world.ask("GET", "/v1/roles", headers=who)
    return {role["role"]: role for role in found.json()["items"]}


async def somebody(world: World, shop: Shop, *held: str) -> tuple[AccountId, Who]:
    """An account with these roles."""
    email = f"{'-'.join(held)}@{shop.slug}.example".replace("_", "")
    body = {"email": email, "name": "Somebody", "roles": list(held)}
    made = await world.ask("POST", "/v1/accounts", who=(shop, Role.OWNER), json=body)
    assert made.status_code == 201, made.text
    account = AccountId(made.json()["id"])
    token = world.tokens.access(shop.id, account, frozenset(held), 0)
    return account, {"Authorization": f"Bearer {token}"}


def owner(world: World, shop: Shop) -> Who:
    return world.bearer(shop, Role.OWNER)


# --- what a role can be ----------------------------------------------------------------------------------------------
@pytest.mark.req("CO-06")
async def test_a_shop_begins_with_the_built_in_roles(world: World, demo: Shop) -> None:
    found = await roles(world, owner(world, demo))
    assert set(found) == set(BUILT_IN)
    assert {role["rev"] for role in found.values()} == {0}
    assert {name for name, role in found.items() if role["fixed"]} == {"owner", "bot"}
    assert found["agent"]["grants"]["conversation.serve"] == "own"
    assert "account.sign_in" not in found["agent"]["grants"]


@pytest.mark.req("CO-06", "GP-02")
async def test_a_role_of_the_shops_own_grants_what_it_says(world: World, demo: Shop) -> None:
    made = await put(
        world, owner(world, demo), "night_shift", {"conversation.view": "groups"}, name="Night shift"
    )
    assert made.status_code == 200
    assert (made.json()["name"], made.json()["built_in"]) == ("Night shift", False)
    _, nina = await somebody(world, demo, "night_shift")
    assert (await world.ask("GET", "/v1/accounts", headers=nina)).status_code == 200
    assert (await world.ask("GET", "/v1/settings/routing", headers=nina)).status_code == 403


@pytest.mark.req("CO-06")
async def test_changing_a_built_in_role_takes_effect_and_deleting_the_change_undoes_it(
    world: World, demo: Shop
) -> None:
    boss, agent = owner(world, demo), world.bearer(demo, Role.AGENT)
    assert (await world.ask("GET", "/v1/settings/routing", headers=agent)).status_code == 403
    assert (await put(world, boss, "agent", {"settings.view": "all"})).status_code == 200
    assert (await world.ask("GET", "/v1/settings/routing", headers=agent)).status_code == 200
    assert (await delete(world, boss, "agent")).status_code == 204
    assert (await world.ask("GET", "/v1/settings/routing", headers=agent)).status_code == 403
    assert (await roles(world, boss))["agent"]["rev"] == 0


async def test_everything_wrong_with_grants_is_said_at_once(world: World, demo: Shop) -> None:
    answer = await put(
        world,
        owner(world, demo),
        "odd",
        {
            "conversation.fly": "all",
            "conversation.view": "far",
            "role.manage": "groups",
            "account.break_glass": "all",
            "account.sign_in": "all",
            "report.view": "own",
        },
    )
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_grants")
    assert {fault["field"].removeprefix("body.grants.") for fault in answer.json()["errors"]} == {
        "conversation.fly",
        "conversation.view",
        "role.manage",
        "account.break_glass",
        "account.sign_in",
    }
    assert "odd" not in await roles(world, owner(world, demo))


@pytest.mark.parametrize("role", ["owner", "bot", "customer"])
async def test_some_roles_are_fixed(world: World, demo: Shop, role: str) -> None:
    boss = owner(world, demo)
    for answer in (await put(world, boss, role, {}), await delete(world, boss, role)):
        assert (answer.status_code, answer.json()["reason"]) == (409, "role_fixed")


@pytest.mark.parametrize("role", ["Night", "9to5", "a b", "x" * 33, "api key"])
async def test_a_role_needs_a_decent_name(world: World, demo: Shop, role: str) -> None:
    assert (await put(world, owner(world, demo), role, {})).status_code == 422


async def test_of_two_who_change_a_role_the_second_looks_again(world: World, demo: Shop) -> None:
    boss = owner(world, demo)
    first = await put(world, boss, "helper", {"conversation.view": "own"})
    rev = first.json()["rev"]
    assert (await put(world, boss, "helper", {}, rev=rev)).status_code == 200
    late = await put(world, boss, "helper", {"conversation.view": "all"}, rev=rev)
    assert (late.status_code, late.json()["reason"]) == (409, "stale_rev")
    assert (await delete(world, boss, "helper", rev=rev)).json()["reason"] == "stale_rev"


async def test_a_revision_never_names_two_states_of_a_role(world: World, demo: Shop) -> None:
    boss = owner(world, demo)
    before = (await put(world, boss, "agent", {"conversation.view": "all"})).json()["rev"]
    await delete(world, boss, "agent")
    again = (await put(world, boss, "agent", {})).json()["rev"]
    assert again > before


async def test_a_role_that_somebody_has_is_not_deleted(world: World, demo: Shop) -> None:
    boss = owner(world, demo)
    await put(world, boss, "helper", {})
    account, _ = await somebody(world, demo, "helper")
    refused = await delete(world, boss, "helper")
    assert (refused.status_code, refused.json()["reason"]) == (409, "role_in_use")
    await world.ask("PATCH", f"/v1/accounts/{account}", headers=boss, json={"roles": ["agent"]})
    assert (await delete(world, boss, "helper")).status_code == 204
    assert (await delete(world, boss, "helper")).status_code == 404


async def test_a_role_goes_or_is_given_but_never_both(world: World, demo: Shop) -> None:
    boss = owner(world, demo)
    for n in range(8):
        await put(world, boss, f"role{n}", {})
        gone, given = await asyncio.gather(
            delete(world, boss, f"role{n}"),
            world.accounts.add(
                demo.id, email=f"{n}@x.example", name="N", password_hash="", roles=frozenset({f"role{n}"})
            ),
            return_exceptions=True,
        )
        assert not isinstance(gone, BaseException)
        kept = not isinstance(given, RequestError)
        assert kept == (gone.status_code == 409), "the role is there exactly if somebody has it"


async def test_another_shops_role_is_no_role_here(world: World, demo: Shop, other: Shop) -> None:
    await put(world, owner(world, other), "helper", {})
    body = {"email": "x@demo.example", "name": "X", "roles": ["helper"]}
    made = await world.ask("POST", "/v1/accounts", who=(demo, Role.OWNER), json=body)
    assert (made.status_code, made.json()["reason"]) == (422, "unknown_role")
    assert (await delete(world, owner(world, demo), "helper")).status_code == 404


@pytest.mark.req("GP-03", "KS-23")
async def test_a_change_of_a_role_is_in_the_audit_with_before_and_after(world: World, demo: Shop) -> None:
    boss = owner(world, demo)
    made = await put(world, boss, "helper", {"conversation.view": "own"})
    await put(world, boss, "helper", {"conversation.view": "all"}, rev=made.json()["rev"])
    await delete(world, boss, "helper")
    rows = await world.db.fetch(
        "SELECT * FROM audit WHERE shop_id = $1 AND subject_id = 'helper' ORDER BY at, id", demo.id
    )
    assert [row["action"] for row in rows] == ["roles.added", "roles.changed", "roles.removed"]
    assert {row["actor_id"] for row in rows} == {demo.people[Role.OWNER]}
    assert [row["before"]["grants"] for row in rows[1:]] == [
        {"conversation.view": "own"},
        {"conversation.view": "all"},
    ]


# --- who may say so --------------------------------------------------------------------------------------------------
@pytest.mark.req("CO-06", "GP-03")
async def test_nobody_but_the_owner_grants_what_they_do_not_hold(world: World, demo: Shop) -> None:
    admin = world.bearer(demo, Role.ADMIN)
    assert Right.SERVE not in BUILT_IN[Role.ADMIN]
    refused = await put(world, admin, "helper", {"conversation.serve": "own"})
    assert (refused.status_code, refused.json()["reason"]) == (403, "forbidden")
    assert (await put(world, admin, "helper", {"conversation.view": "all"})).status_code == 200
    boss = owner(world, demo)
    assert (await put(world, boss, "answering", {"conversation.serve": "own"})).status_code == 200


async def test_what_somebody_else_granted_may_stay_when_the_rest_changes(world: World, demo: Shop) -> None:
    made = await put(
        world,
        owner(world, demo),
        "helper",
        {"conversation.serve": "own", "conversation.view": "all", "conversation.pull": "groups"},
    )
    grants = {"conversation.serve": "own", "conversation.view": "own"}
    less = await put(world, world.bearer(demo, Role.ADMIN), "helper", grants, rev=made.json()["rev"])
    assert less.json()["grants"] == {"conversation.serve": "own", "conversation.view": "own"}


async def test_undoing_a_change_is_granting_too(world: World, demo: Shop) -> None:
    boss, admin = owner(world, demo), world.bearer(demo, Role.ADMIN)
    await put(world, boss, "service_admin", {})
    assert (await delete(world, admin, "service_admin")).status_code == 403
    assert (await delete(world, boss, "service_admin")).status_code == 204


async def test_nobody_locks_themselves_out(world: World, demo: Shop) -> None:
    admin = world.bearer(demo, Role.ADMIN)
    refused = await put(world, admin, "admin", {"conversation.view": "all"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "own_rights")
    assert (await put(world, owner(world, demo), "admin", {"conversation.view": "all"})).status_code == 200
    assert (await world.ask("GET", "/v1/roles", headers=admin)).status_code == 403


@pytest.mark.req("GP-03")
async def test_who_manages_accounts_does_not_rise_above_themselves(world: World, demo: Shop) -> None:
    await put(world, owner(world, demo), "front_desk", {"account.manage": "all", "agent.manage": "all"})
    me, desk = await somebody(world, demo, "front_desk")
    admin = demo.people[Role.ADMIN]
    tries = [
        await world.ask("PATCH", f"/v1/accounts/{me}", headers=desk, json={"roles": ["admin"]}),
        await world.ask("PATCH", f"/v1/accounts/{admin}", headers=desk, json={"email": "x@y.example"}),
        await world.ask(
            "POST", f"/v1/accounts/{admin}/password", headers=desk, json={"password": "long enough for it"}
        ),
        await world.ask("POST", f"/v1/accounts/{admin}/revoke", headers=desk),
    ]
    assert [answer.status_code for answer in tries] == [403] * 4
    body = {"email": "new@demo.example", "name": "New", "roles": ["agent"]}
    assert (await world.ask("POST", "/v1/accounts", headers=desk, json=body)).status_code == 201
    assert len(await world.refusals(demo)) == 4


# --- reach -----------------------------------------------------------------------------------------------------------
@pytest.mark.req("GP-02", "GP-03", "KS-19")
async def test_a_team_leader_manages_the_own_group_only(world: World, demo: Shop) -> None:
    boss = owner(world, demo)
    await put(world, boss, "leader", {"agent.manage": "groups", "conversation.view": "groups"})
    leader, lea = await somebody(world, demo, "leader")
    agent, stranger = demo.people[Role.AGENT], demo.people[Role.SUPERVISOR]
    for member in (leader, agent):
        await world.groups.add_member(demo.id, demo.group, member)
    path = f"/v1/accounts/{agent}"
    assert (await world.ask("PATCH", path, headers=lea, json={"capacity": 3})).status_code == 200
    assert (await world.ask("PUT", f"{path}/schedules", headers=lea, json=EMPTY_WEEK)).status_code == 200
    path = f"/v1/accounts/{stranger}"
    tries = [
        await world.ask("PATCH", path, headers=lea, json={"capacity": 3}),
        await world.ask("PUT", f"{path}/schedules", headers=lea, json=EMPTY_WEEK),
        await world.ask("PATCH", f"/v1/accounts/{agent}", headers=lea, json={"name": "Else"}),
    ]
    assert [(answer.status_code, answer.json()["reason"]) for answer in tries] == [
        (403, "out_of_scope"),
        (403, "out_of_scope"),
        (403, "no_right"),
    ]
    assert (await world.accounts.get(demo.id, stranger)).capacity is None
    assert [(row["action"], row["reason"]) for row in await world.refusals(demo)] == [
        ("PATCH /v1/accounts/{account_id}", "out_of_scope"),
        ("PUT /v1/accounts/{account_id}/schedules", "out_of_scope"),
        ("PATCH /v1/accounts/{account_id}", "no_right"),
    ]


@pytest.mark.req("GP-03")
async def test_an_api_key_does_not_change_with_the_role_it_resembles(world: World, demo: Shop) -> None:
    await put(world, owner(world, demo), "operations", {})
    key, _ = await world.api_keys.create(demo.id, "erp", frozenset({"conversations:read"}))
    headers = {"Authorization": f"Bearer {key}"}
    assert (
        await world.ask("GET", f"/v1/conversations/{demo.conversation}", headers=headers)
    ).status_code == 200
