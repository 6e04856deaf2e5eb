"""When a figure on the wall deserves a look: the shop's own settings (KS-23, CO-09)."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.states import Role
from tests.server.http.world import Shop, World

pytestmark = pytest.mark.req("KS-23", "CO-09")
PATH = "/v1/settings/wall"


async def put(world: World, shop: Shop, rev: int, role: Role = Role.OWNER, **thresholds: Any) -> Any:
    return await world.ask("PUT", PATH, who=(shop, role), json={"thresholds": thresholds, "rev": rev})


async def test_before_anybody_set_them_the_defaults_hold(world: World, demo: Shop) -> None:
    answer = (await world.ask("GET", PATH, who=(demo, Role.SUPERVISOR))).json()
    assert answer["rev"] == 0
    assert answer["thresholds"]["waiting_s"] == {"warn": 120.0, "bad": 600.0}
    assert answer["thresholds"]["queued"] is None


async def test_what_was_set_holds_and_is_in_the_history_with_its_difference(world: World, demo: Shop) -> None:
    assert (await put(world, demo, 0, waiting_s={"warn": 30, "bad": 60}, queued=None)).status_code == 200
    second = await put(world, demo, 1, waiting_s={"warn": 45, "bad": 60}, rating=None)
    assert second.json()["rev"] == 2

    held = (await world.ask("GET", PATH, who=(demo, Role.SUPERVISOR))).json()["thresholds"]
    assert (held["waiting_s"], held["rating"]) == ({"warn": 45.0, "bad": 60.0}, None)
    latest, first = (await world.ask("GET", f"{PATH}/history", who=(demo, Role.SUPERVISOR))).json()["items"]
    assert latest["by"] == "demo owner"
    assert latest["before"]["waiting_s"]["warn"] == 30.0
    assert latest["after"]["waiting_s"]["warn"] == 45.0
    assert "load_percent" not in latest["after"]
    assert first["before"] == {}


async def test_who_was_slower_is_told_so_and_nothing_changes(world: World, demo: Shop) -> None:
    await put(world, demo, 0, silent_s=60)
    late = await put(world, demo, 0, silent_s=90)
    assert (late.status_code, late.json()["reason"]) == (409, "stale_rev")
    assert (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json()["thresholds"]["silent_s"] == 60


async def test_another_shop_keeps_its_own(world: World, demo: Shop, other: Shop) -> None:
    await put(world, demo, 0, silent_s=60)
    assert (await world.ask("GET", PATH, who=(other, Role.OWNER))).json() == {
        "thresholds": (await world.ask("GET", PATH, who=(other, Role.OWNER))).json()["thresholds"],
        "rev": 0,
    }
    assert (await world.ask("GET", f"{PATH}/history", who=(other, Role.OWNER))).json()["items"] == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"waiting_s": {"warn": 60, "bad": 30}}, "waiting_s"),
        ({"reply_percent": {"warn": 70, "bad": 90}}, "reply_percent"),
        ({"reply_percent": {"warn": 101, "bad": 90}}, "reply_percent"),
        ({"rating": {"warn": 6, "bad": 4}}, "rating"),
        ({"rating": {"warn": 4}}, "rating"),
        ({"load_percent": {"warn": -1, "bad": 4}}, "load_percent"),
        ({"silent_s": 1}, "silent_s"),
        ({"speed": {"warn": 1, "bad": 4}}, "speed"),
    ],
)
async def test_what_can_never_hold_is_refused_at_its_field(
    world: World, demo: Shop, wrong: dict[str, Any], field: str
) -> None:
    answer = await put(world, demo, 0, **wrong)
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"])


async def test_a_supervisor_sees_and_does_not_change_them(world: World, demo: Shop) -> None:
    assert (await put(world, demo, 0, Role.SUPERVISOR, silent_s=60)).status_code == 403
