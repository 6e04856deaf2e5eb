"""Break-glass: reach over everything, lent by the owner for a short time, with a reason, and never more than lent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from protocol.rights import LASTING, LENT, UNSCOPED
from protocol.states import Role
from server.settings import load
from tests.server.http.world import SECRET, Shop, World

WHY = "the only supervisor is ill and customers wait"


async def lend(
    world: World, shop: Shop, to: Role | None = Role.AGENT, *, by: Role = Role.OWNER, **members: Any
) -> httpx.Response:
    body = {"minutes": 30, "reason": WHY, **members}
    if to is not None:
        body["account_id"] = shop.people[to]
    return await world.ask("POST", "/v1/break-glass", who=(shop, by), json=body)


async def sees_the_settings(world: World, shop: Shop) -> bool:
    return (await world.ask("GET", "/v1/settings/routing", who=(shop, Role.AGENT))).status_code == 200


@pytest.mark.req("GP-02", "GP-03")
async def test_the_owner_lends_an_agent_reach_over_everything_and_takes_it_back(
    world: World, demo: Shop
) -> None:
    assert not await sees_the_settings(world, demo)
    lent = await lend(world, demo)
    assert lent.status_code == 201
    assert (lent.json()["account_id"], lent.json()["ended_at"]) == (demo.people[Role.AGENT], None)
    assert await sees_the_settings(world, demo)
    ended = await world.ask("DELETE", f"/v1/break-glass/{lent.json()['id']}", who=(demo, Role.OWNER))
    assert ended.status_code == 204
    assert not await sees_the_settings(world, demo)
    again = await world.ask("DELETE", f"/v1/break-glass/{lent.json()['id']}", who=(demo, Role.OWNER))
    assert again.status_code == 204


@pytest.mark.req("GP-03")
async def test_it_ends_by_itself_once_and_is_then_marked(world: World, demo: Shop) -> None:
    lent = (await lend(world, demo, minutes=1)).json()
    await world.db.execute(
        "UPDATE break_glass SET began_at = began_at - interval '2 min', until = until - interval '2 min' WHERE id = $1",
        lent["id"],
    )
    world.node.scope.forget(demo.id)
    assert not await sees_the_settings(world, demo), "whatever a sweep does or does not"
    assert await world.node.break_glass.run_out() == 1
    assert await world.node.break_glass.run_out() == 0
    (listed, *_) = (await world.ask("GET", "/v1/break-glass", who=(demo, Role.OWNER))).json()["items"]
    assert listed["ended_at"] == listed["until"]


@pytest.mark.req("GP-03")
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SERVICE_ADMIN, Role.SUPERVISOR, Role.AGENT])
async def test_only_the_owner_opens_looks_and_ends(world: World, demo: Shop, role: Role) -> None:
    assert (await lend(world, demo, by=role)).status_code == 403
    assert (await world.ask("GET", "/v1/break-glass", who=(demo, role))).status_code == 403
    path = f"/v1/break-glass/{demo.others['break_glass_id']}"
    assert (await world.ask("DELETE", path, who=(demo, role))).status_code == 403


def test_what_could_outlast_it_is_never_lent() -> None:
    assert LASTING <= UNSCOPED
    assert not LASTING & LENT.keys()


@pytest.mark.req("GP-03")
async def test_whom_it_was_lent_to_cannot_keep_it(world: World, demo: Shop) -> None:
    await lend(world, demo)
    agent = demo.people[Role.AGENT]
    tries = [
        await lend(world, demo, by=Role.AGENT),
        await world.ask("PATCH", f"/v1/accounts/{agent}", who=(demo, Role.AGENT), json={"roles": ["owner"]}),
        await world.ask(
            "PUT", "/v1/roles/agent", who=(demo, Role.AGENT), json={"grants": {"audit.view": "all"}, "rev": 0}
        ),
        await world.ask(
            "POST", "/v1/api-keys", who=(demo, Role.AGENT), json={"name": "x", "scopes": ["customers:read"]}
        ),
    ]
    assert [answer.status_code for answer in tries] == [403] * 4


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no reason": ({"reason": ""}, "body.reason"),
    "a reason that is none": ({"reason": " because "}, "body.reason"),
    "no time": ({"minutes": 0}, "body.minutes"),
    "longer than a day": ({"minutes": 1441}, "body.minutes"),
    "blanks for a reason": ({"reason": " " * 20}, "body.reason"),
    "an account that is no id": ({"account_id": "me"}, "body.account_id"),
}


@pytest.mark.parametrize("case", BAD, ids=lambda case: case)
async def test_a_bad_wish_is_refused_by_field(world: World, demo: Shop, case: str) -> None:
    members, field = BAD[case]
    answer = await lend(world, demo, None, **members)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_nobody_is_lent_it_for_longer_than_the_server_allows(world: World, demo: Shop) -> None:
    answer = await lend(world, demo, minutes=61)
    assert (answer.status_code, answer.json()["reason"]) == (409, "too_long")


def test_the_longest_time_is_a_setting() -> None:
    settings = load(
        database_url="postgresql://x/y", redis_url="redis://x", secret=SECRET, break_glass_minutes=5
    )
    assert settings.break_glass_minutes == 5


async def test_nobody_lends_to_a_bot_to_the_disabled_or_to_another_shop(
    world: World, demo: Shop, other: Shop
) -> None:
    assert (await lend(world, demo, Role.BOT)).json()["reason"] == "account_is_bot"
    path = f"/v1/accounts/{demo.people[Role.AGENT]}"
    await world.ask("PATCH", path, who=(demo, Role.OWNER), json={"disabled": True})
    assert (await lend(world, demo)).json()["reason"] == "account_disabled"
    assert (await lend(world, demo, None, account_id=other.people[Role.AGENT])).status_code == 404


@pytest.mark.req("GP-03")
async def test_opening_and_ending_are_in_the_audit_with_the_reason(world: World, demo: Shop) -> None:
    lent = (await lend(world, demo)).json()
    await world.ask("DELETE", f"/v1/break-glass/{lent['id']}", who=(demo, Role.OWNER))
    rows = await world.db.fetch(
        "SELECT * FROM audit WHERE shop_id = $1 AND subject_id = $2 AND action LIKE 'break_glass.%' ORDER BY at, id",
        demo.id,
        demo.people[Role.AGENT],
    )
    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("break_glass.added", demo.people[Role.OWNER]),
        ("break_glass.changed", demo.people[Role.OWNER]),
    ]
    assert rows[0]["after"]["reason"] == WHY
