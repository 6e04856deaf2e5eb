"""Accounts, groups, hours: who may make whom what, and what live routing hears of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from protocol.states import Role
from tests.server.http.world import Shop, World


async def patch(world: World, shop: Shop, target: Role, by: Role, **change: Any) -> httpx.Response:
    return await world.ask("PATCH", f"/v1/accounts/{shop.people[target]}", who=(shop, by), json=change)


NEW = {
    "email": "new@demo.example",
    "name": "新人",
    "roles": ["agent"],
    "password": "a rather new pass phrase",
}


async def create(world: World, shop: Shop, by: Role = Role.OWNER, **members: Any) -> httpx.Response:
    return await world.ask("POST", "/v1/accounts", who=(shop, by), json={**NEW, **members})


@pytest.mark.req("KS-19")
async def test_a_new_agent_is_there_at_once(world: World, demo: Shop) -> None:
    made = await create(world, demo, capacity=500, pause_mode="at_n", pause_at=400)
    assert made.status_code == 201
    assert (made.json()["capacity"], made.json()["pause_at"], made.json()["status"]) == (500, 400, "offline")
    assert world.told.calls == [("profile_changed", made.json()["id"])]
    login = {"shop": "demo", "email": "new@demo.example", "password": "a rather new pass phrase"}
    assert (await world.ask("POST", "/v1/auth/login", json=login)).status_code == 200


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "capacity 501": ({"capacity": 501}, "body.capacity"),
    "capacity as text": ({"capacity": "5"}, "body.capacity"),
    "at N without N": ({"pause_mode": "at_n"}, "body.pause_at"),
    "a role that does not exist": ({"roles": ["emperor"]}, "body.roles"),
    "a customer": ({"roles": ["customer"]}, "body.roles"),
    "a bot with another role": ({"roles": ["bot", "agent"]}, "body.roles"),
    "no role": ({"roles": []}, "body.roles"),
    "a weak password": ({"password": "new@demo.example"}, "body.password"),
    "a name with a NUL": ({"name": "a\x00b"}, "body.name"),
    "something unknown": ({"shop_id": "x"}, "body.shop_id"),
}


@pytest.mark.parametrize("case", BAD, ids=lambda case: case)
async def test_a_bad_account_is_refused_by_field(world: World, demo: Shop, case: str) -> None:
    members, field = BAD[case]
    answer = await create(world, demo, **members)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_an_address_is_an_accounts_own_whatever_its_case(world: World, demo: Shop, other: Shop) -> None:
    await create(world, demo)
    again = await create(world, demo, email="NEW@demo.example")
    assert (again.status_code, again.json()["reason"]) == (409, "email_taken")
    assert (await create(world, other)).status_code == 201, "another shop has addresses of its own"


FORBIDDEN: list[tuple[Role, Role, dict[str, Any]]] = [
    (Role.ADMIN, Role.AGENT, {"roles": ["owner"]}),
    (Role.ADMIN, Role.OWNER, {"disabled": True}),
    (Role.ADMIN, Role.OWNER, {"roles": ["agent"]}),
    (Role.SERVICE_ADMIN, Role.AGENT, {"roles": ["admin"]}),
    (Role.SERVICE_ADMIN, Role.SERVICE_ADMIN, {"roles": ["owner"]}),
    (Role.SERVICE_ADMIN, Role.AGENT, {"disabled": True}),
    (Role.SERVICE_ADMIN, Role.AGENT, {"email": "x@demo.example"}),
]


@pytest.mark.parametrize(("by", "target", "change"), FORBIDDEN)
async def test_nobody_makes_themselves_or_others_more_than_they_may(
    world: World, demo: Shop, by: Role, target: Role, change: dict[str, Any]
) -> None:
    assert (await patch(world, demo, target, by, **change)).status_code == 403
    assert (await world.accounts.get(demo.id, demo.people[target])).roles == {target}


async def test_an_admin_neither_makes_owners_nor_sets_their_password(world: World, demo: Shop) -> None:
    assert (await create(world, demo, Role.ADMIN, roles=["owner"])).status_code == 403
    path = f"/v1/accounts/{demo.people[Role.OWNER]}"
    body = {"password": "a rather new pass phrase"}
    assert (await world.ask("POST", f"{path}/password", who=(demo, Role.ADMIN), json=body)).status_code == 403
    assert (await world.ask("POST", f"{path}/revoke", who=(demo, Role.ADMIN))).status_code == 403


async def test_a_shop_keeps_an_owner(world: World, demo: Shop) -> None:
    gone = await patch(world, demo, Role.OWNER, Role.OWNER, roles=["agent"])
    assert (gone.status_code, gone.json()["reason"]) == (409, "last_owner")
    disabled = await patch(world, demo, Role.OWNER, Role.OWNER, disabled=True)
    assert disabled.json()["reason"] == "own_account"


@pytest.mark.req("KS-14", "KS-19")
async def test_a_service_admin_sets_capacity_pause_and_the_mark(world: World, demo: Shop) -> None:
    agent = demo.people[Role.AGENT]
    changed = await patch(
        world, demo, Role.AGENT, Role.SERVICE_ADMIN, capacity=3, pause_mode="at_n", pause_at=2, excluded=True
    )
    assert (changed.json()["capacity"], changed.json()["pause_at"], changed.json()["excluded"]) == (
        3,
        2,
        True,
    )
    back = await patch(world, demo, Role.AGENT, Role.SERVICE_ADMIN, capacity=None)
    assert back.json()["capacity"] is None, "null is the shop's default"
    assert back.json()["pause_at"] == 2, "what is absent stays"
    assert world.told.calls == [("profile_changed", agent)] * 2


async def test_nothing_asked_for_tells_nobody(world: World, demo: Shop) -> None:
    assert (await patch(world, demo, Role.AGENT, Role.OWNER)).status_code == 200
    assert world.told.calls == []


async def test_accounts_come_in_pages_without_holes(world: World, demo: Shop) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await world.ask("GET", f"/v1/accounts?limit=3{cursor}", who=(demo, Role.AGENT))).json()
        seen += [account["id"] for account in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert sorted(seen) == sorted(demo.people.values())
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("cursor", ["x", "eyJ", "====", "AAAA"])
async def test_a_made_up_cursor_is_refused(world: World, demo: Shop, cursor: str) -> None:
    answer = await world.ask("GET", f"/v1/accounts?cursor={cursor}", who=(demo, Role.OWNER))
    assert answer.status_code == 422


# --- groups ----------------------------------------------------------------------------------------------------------
@pytest.mark.req("GP-01", "KS-12")
async def test_an_account_is_in_several_groups_and_live_routing_hears_of_each(
    world: World, demo: Shop
) -> None:
    agent, who = demo.people[Role.AGENT], (demo, Role.SERVICE_ADMIN)
    body = {"name": "手机", "kind": "product_line"}
    phones = (await world.ask("POST", "/v1/groups", who=who, json=body)).json()
    for group in (demo.group, phones["id"], phones["id"]):
        assert (await world.ask("PUT", f"/v1/groups/{group}/members/{agent}", who=who)).status_code == 204
    members = (await world.ask("GET", f"/v1/groups/{phones['id']}/members", who=who)).json()["items"]
    assert [member["id"] for member in members] == [agent]
    await world.ask("DELETE", f"/v1/groups/{phones['id']}", who=who)
    assert world.told.calls == [
        ("policy_changed", demo.id),
        *[("profile_changed", agent)] * 4,
        ("policy_changed", demo.id),
    ]


async def test_a_group_name_is_its_own(world: World, demo: Shop) -> None:
    again = await world.ask("POST", "/v1/groups", who=(demo, Role.OWNER), json={"name": "NORTH"})
    assert (again.status_code, again.json()["reason"]) == (409, "group_name_taken")


# --- hours -----------------------------------------------------------------------------------------------------------
def hours(weekday: int, start: int, end: int, group: str | None = None) -> dict[str, Any]:
    return {"weekday": weekday, "start_minute": start, "end_minute": end, "group_id": group}


async def set_week(world: World, shop: Shop, *week: dict[str, Any]) -> httpx.Response:
    path = f"/v1/accounts/{shop.people[Role.AGENT]}/schedules"
    return await world.saves(path, (shop, Role.SERVICE_ADMIN), {"hours": list(week)})


@pytest.mark.req("GP-06")
async def test_a_week_is_set_whole_and_read_in_order(world: World, demo: Shop) -> None:
    await world.groups.add_member(demo.id, demo.group, demo.people[Role.AGENT])
    late, early = hours(1, 600, 1440), hours(0, 540, 1080, demo.group)
    answer = await set_week(world, demo, late, early)
    assert answer.json()["hours"] == [early, late]
    path = f"/v1/accounts/{demo.people[Role.AGENT]}/schedules"
    assert (await world.ask("GET", path, who=(demo, Role.AGENT))).json() == answer.json()
    assert world.told.calls == [("hours_changed", demo.id)]
    assert (await set_week(world, demo)).json()["hours"] == []


@pytest.mark.parametrize(
    "week",
    [
        [hours(0, 600, 600)],
        [hours(0, 600, 540)],
        [hours(0, 540, 660), hours(0, 600, 720)],
        [hours(7, 0, 60)],
        [hours(0, 0, 1441)],
        [hours(0, 0, 60, "00000000-0000-7000-8000-000000000000")],
    ],
)
async def test_hours_that_make_no_sense_are_refused(
    world: World, demo: Shop, week: list[dict[str, Any]]
) -> None:
    assert (await set_week(world, demo, *week)).status_code == 422
    assert world.told.calls == []
