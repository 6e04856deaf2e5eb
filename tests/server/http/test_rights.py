"""Every route against every role, and every kind of id of another shop (faults 27, 28). Generated from the table."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from protocol.ids import AccountId, ConversationId, CustomerId, GroupId
from protocol.rights import BUILT_IN, Reach, Right
from protocol.states import OrderState, Role
from server.http.rights import RIGHTS, Access, Scope
from server.services.revisions import NOTHING
from server.services.schedules import week_rev
from tests.server.http.world import STAFF_ROLES, Shop, World

NOBODY = "nobody"


def parts(route: str) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    return method, path


def filled(path: str, shop: Shop) -> str:
    """A path with this shop's own ids."""
    return path.format(
        **shop.others,
        account_id=shop.people[Role.AGENT],
        customer_id=shop.customer,
        role="night_shift",
        day="2026-11-22",
        page="groups",
        file_id=uuid.uuid4(),
        group_id=shop.group,
        conversation_id=shop.conversation,
        api_key_id=shop.api_key_id,
        kid=shop.identity_kid,
        external_id=f"customer-of-{shop.slug}",
        order_id=f"order-of-{shop.slug}",
        surface="widget",
    )


EMPTY_WEEK = week_rev([])
BODIES: dict[str, Any] = {
    "PATCH /v1/accounts/{account_id}": {"capacity": 7},
    "POST /v1/accounts/{account_id}/password": {"password": "a rather new pass phrase"},
    "PUT /v1/accounts/{account_id}/schedules": {"hours": [], "rev": EMPTY_WEEK},
    "PUT /v1/accounts/{account_id}/dates/{day}": {"hours": [], "rev": NOTHING},
    "PUT /v1/accounts/{account_id}/duty": {"on_duty": True},
    "PATCH /v1/groups/{group_id}": {"name": "South", "rev": NOTHING},
    "PATCH /v1/rules/{rule_id}": {"rev": 1},
    "PATCH /v1/quick-replies/{reply_id}": {"rev": 1},
    "PATCH /v1/customers/id/{customer_id}": {"tags": []},
    "POST /v1/customers/id/{customer_id}/notes": {"text": "likes tea"},
    "PUT /v1/customers/{external_id}": {"name": "Lin"},
    "PUT /v1/orders/{order_id}": {
        "customer_id": "c-1",
        "state": "after_sale",
        "changed_at": "2026-11-22T08:00:00Z",
    },
}
"""Bodies that are right, for routes with an id; so that nothing but the id can be the reason for a refusal."""


async def asked(world: World, route: str, path: str, headers: dict[str, str]) -> httpx.Response:
    method, _ = parts(route)
    if method in ("POST", "PUT", "PATCH"):
        return await world.ask(method, path, headers=headers, json=BODIES.get(route, {}))
    return await world.ask(method, path, headers=headers)


async def outcome(world: World, route: str, headers: dict[str, str], shop: Shop) -> str:
    answer = await asked(world, route, filled(parts(route)[1], shop), headers)
    assert answer.status_code < 500, f"{route}: {answer.text}"
    if answer.status_code == 403 and answer.json()["reason"] == "out_of_scope":
        return "let in"  # it was judged on the very thing: what the role reaches has its own tests
    return {401: "unknown", 403: "forbidden"}.get(answer.status_code, "let in")


@pytest.mark.req("KS-23", "GP-03")
@pytest.mark.parametrize("role", STAFF_ROLES)
async def test_a_role_may_call_what_the_table_says_and_nothing_else(
    world: World, demo: Shop, role: Role
) -> None:
    headers = world.bearer(demo, role)
    expected = {
        route: "let in" if access.public or access.right in BUILT_IN[role] else "forbidden"
        for route, access in RIGHTS.items()
    }
    assert {route: await outcome(world, route, headers, demo) for route in RIGHTS} == expected
    recorded = {row["action"] for row in await world.refusals(demo) if row["reason"] == "no_right"}
    assert recorded == {route for route, wanted in expected.items() if wanted == "forbidden"}


@pytest.mark.req("GP-03", "CO-06")
async def test_every_route_asks_for_its_one_right_and_for_no_other(world: World, demo: Shop) -> None:
    everything = dict.fromkeys(Right, Reach.ALL)
    routes: dict[Right, list[str]] = {}
    for route, access in RIGHTS.items():
        if access.right is not None:
            routes.setdefault(access.right, []).append(route)
    for right, of_right in routes.items():
        word = right.value.replace(".", "_")
        for name, grants in (
            (f"only_{word}", {right: Reach.ALL}),
            (f"no_{word}", {each: reach for each, reach in everything.items() if each is not right}),
        ):
            await world.node.role_store.put(demo.id, name, name="", grants=grants, expected_rev=0)
            row = await world.accounts.add(
                demo.id, email=f"{name}@demo.example", name=name, password_hash="", roles=frozenset({name})
            )
            world.node.scope.forget(demo.id)
            token = world.tokens.access(demo.id, row.id, row.roles, 0)
            headers = {"Authorization": f"Bearer {token}"}
            # Everybody may sign in, whatever their role; "let in" may still be told that the thing is not for them.
            allowed = name.startswith("only_") or right is Right.SIGN_IN
            for route in of_right:
                answer = await asked(world, route, filled(parts(route)[1], demo), headers)
                refused = answer.status_code == 403 and answer.json()["detail"] == "You may not do this."
                assert refused is not allowed, f"{route} with {name}: {answer.text}"


async def test_nobody_may_call_public_routes_only(world: World, demo: Shop) -> None:
    expected = {route: "let in" if right.public else "unknown" for route, right in RIGHTS.items()}
    assert {route: await outcome(world, route, {}, demo) for route in RIGHTS} == expected


@pytest.mark.parametrize("scope", Scope)
async def test_an_api_key_may_call_what_its_scope_opens(world: World, demo: Shop, scope: Scope) -> None:
    key, _ = await world.api_keys.create(demo.id, "erp", frozenset({scope}))
    expected = {
        route: "let in" if right.public or right.scope is scope else "forbidden"
        for route, right in RIGHTS.items()
    }
    headers = {"Authorization": f"Bearer {key}"}
    assert {route: await outcome(world, route, headers, demo) for route in RIGHTS} == expected


async def test_a_revoked_api_key_opens_nothing(world: World, demo: Shop) -> None:
    await world.api_keys.revoke(demo.id, demo.api_key_id)
    answer = await world.ask("GET", "/v1/customers/c-1", headers={"Authorization": f"Bearer {demo.api_key}"})
    assert answer.json()["reason"] == "api_key_invalid"


@pytest.mark.parametrize(
    "header", ["", "Basic eDp5", "Bearer", "Bearer  ", "Bearer x", "bearer pmk_x", "Token x"]
)
async def test_what_is_no_credential_is_refused(world: World, demo: Shop, header: str) -> None:
    answer = await world.ask("GET", "/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.req("GP-03")
async def test_a_refused_try_is_recorded_without_any_secret(world: World, demo: Shop) -> None:
    await world.ask("POST", "/v1/accounts", who=(demo, Role.AGENT), json={"password": "hidden from all"})
    (row,) = await world.refusals(demo)
    assert (row["action"], row["actor_id"], row["reason"]) == (
        "POST /v1/accounts",
        demo.people[Role.AGENT],
        "no_right",
    )
    assert "hidden" not in str(dict(row))
    assert "eyJ" not in str(dict(row))


def test_a_route_without_a_right_lets_nobody_in() -> None:
    assert not Access().public
    assert Access().right is None


# --- another shop's ids ----------------------------------------------------------------------------------------------
OWN_WORDS = ("{surface}", "{role}", "{page}")
"""Parts of a path that are no ids of anything."""
WITH_IDS = sorted(
    route
    for route, access in RIGHTS.items()
    if "{" in route and not access.public and not any(word in route for word in OWN_WORDS)
)
CREATING = {"PUT /v1/customers/{external_id}", "PUT /v1/orders/{order_id}"}
"""Here the id is the caller's own word, and makes something of the caller's shop."""


async def everything_of(world: World, shop: Shop) -> list[str]:
    """All rows of a shop, as text."""
    tables = [
        "accounts",
        "groups",
        "group_members",
        "schedules",
        "customers",
        "orders",
        "conversations",
        "api_keys",
    ]
    tables += ["identity_keys", "shop_origins", "policy_history", "refresh_tokens", "roles", "break_glass"]
    tables += ["rules", "reassignments", "quick_replies", "audit"]
    rows: list[str] = []
    for table in tables:
        found = await world.db.fetch(
            f"SELECT t::text AS row FROM {table} t WHERE shop_id = $1 ORDER BY 1", shop.id
        )
        rows += [f"{table} {row['row']}" for row in found]
    found = await world.db.fetch("SELECT t::text AS row FROM shops t WHERE id = $1", shop.id)
    return rows + [row["row"] for row in found]


@pytest.mark.req("GP-03")
async def test_ids_of_another_shop_do_not_exist(world: World, demo: Shop, other: Shop) -> None:
    await world.customers.put(other.id, "customer-of-other")
    order = {"customer_id": "customer-of-other", "state": "trade_done", "changed_at": "2026-11-22T08:00:00Z"}
    await world.ask("PUT", "/v1/orders/order-of-other", who=(other, Role.OWNER), json=order)
    before = await everything_of(world, other)
    answers = {
        route: (
            await asked(world, route, filled(parts(route)[1], other), world.bearer(demo, Role.OWNER))
        ).status_code
        for route in WITH_IDS
    }
    assert answers == {route: 200 if route in CREATING else 404 for route in WITH_IDS}
    assert await everything_of(world, other) == before
    assert {call[0] for call in world.told.calls} == set(), "nobody was told anything"


async def test_ids_of_another_shop_answer_like_ids_that_never_were(
    world: World, demo: Shop, other: Shop
) -> None:
    headers = world.bearer(demo, Role.OWNER)
    never = Shop(
        other.id,
        "never",
        dict.fromkeys(STAFF_ROLES, AccountId(str(uuid.uuid4()))),
        GroupId(str(uuid.uuid4())),
        CustomerId(str(uuid.uuid4())),
        ConversationId(str(uuid.uuid4())),
        api_key="",
        api_key_id=str(uuid.uuid4()),
        identity_kid="ik_never",
        identity_secret="",
        others={name: str(uuid.uuid4()) for name in other.others},
    )
    for route in [route for route in WITH_IDS if route not in CREATING]:
        theirs = await asked(world, route, filled(parts(route)[1], other), headers)
        nobodys = await asked(world, route, filled(parts(route)[1], never), headers)
        assert theirs.json() == nobodys.json(), route


async def test_another_shops_ids_inside_a_request_do_not_exist_either(
    world: World, demo: Shop, other: Shop
) -> None:
    owner = (demo, Role.OWNER)
    theirs = other.people[Role.AGENT]
    member = await world.ask("PUT", f"/v1/groups/{demo.group}/members/{theirs}", who=owner)
    assert member.json()["reason"] == "account_not_found"
    hours = {"hours": [{"weekday": 0, "start_minute": 0, "end_minute": 60, "group_id": other.group}]}
    week = await world.saves(f"/v1/accounts/{demo.people[Role.AGENT]}/schedules", owner, hours)
    assert week.status_code == 422
    policy = {"order_state_groups": {OrderState.AFTER_SALE: [other.group]}, "offline_list": [theirs]}
    settings = await world.ask("PUT", "/v1/settings/routing", who=owner, json={"rev": 1, "policy": policy})
    assert [fault["field"] for fault in settings.json()["errors"]] == [
        "policy.order_state_groups.after_sale",
        "policy.offline_list",
    ]


async def test_a_token_of_one_shop_shows_that_shop_only(world: World, demo: Shop, other: Shop) -> None:
    mine = await world.ask("GET", "/v1/accounts", who=(demo, Role.OWNER))
    assert {account["id"] for account in mine.json()["items"]} == set(demo.people.values())
    groups = await world.ask("GET", "/v1/groups", who=(other, Role.OWNER))
    assert [group["id"] for group in groups.json()["items"]] == [other.group]
    conversations = await world.ask("GET", "/v1/conversations", who=(demo, Role.OWNER))
    assert [each["conversation_id"] for each in conversations.json()["conversations"]] == [demo.conversation]


async def test_an_account_of_one_shop_is_nobody_in_another(world: World, demo: Shop, other: Shop) -> None:
    forged = world.tokens.access(other.id, demo.people[Role.OWNER], frozenset({Role.OWNER}), 0)
    answer = await world.ask("GET", "/v1/me", headers={"Authorization": f"Bearer {forged}"})
    assert answer.json()["reason"] == "token_revoked"
