"""Holidays, shifts by date and duty by hand over HTTP (GP-06)."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.states import Role
from server.services.revisions import NOTHING
from tests.server.http.world import Shop, World

pytestmark = pytest.mark.req("GP-06")

CHRISTMAS = {"date": "2026-12-25", "name": "Christmas", "hours": []}
EVE = {"date": "2026-12-24", "name": "Eve", "hours": [{"start_minute": 480, "end_minute": 720}]}


def of_agent(shop: Shop, path: str) -> str:
    return f"/v1/accounts/{shop.people[Role.AGENT]}/{path}"


async def test_holidays_are_set_whole_and_read_by_date(world: World, demo: Shop) -> None:
    body = {"holidays": [CHRISTMAS, EVE]}
    answer = await world.saves("/v1/settings/holidays", (demo, Role.SERVICE_ADMIN), body)

    assert answer.json()["holidays"] == [EVE, CHRISTMAS]
    read = await world.ask("GET", "/v1/settings/holidays", who=(demo, Role.SUPERVISOR))
    assert read.json() == answer.json()
    assert world.told.calls == [("hours_changed", demo.id)]


@pytest.mark.parametrize(
    "holidays",
    [
        pytest.param([CHRISTMAS, CHRISTMAS], id="a date twice"),
        pytest.param([{**EVE, "date": "2026-02-30"}], id="no such date"),
        pytest.param([{**EVE, "hours": [{"start_minute": 60, "end_minute": 60}]}], id="empty hours"),
        pytest.param([{**EVE, "hours": [{"start_minute": 60, "end_minute": 1441}]}], id="past midnight"),
        pytest.param(
            [
                {
                    **EVE,
                    "hours": [{"start_minute": 60, "end_minute": 90}, {"start_minute": 80, "end_minute": 95}],
                }
            ],
            id="hours that overlap",
        ),
    ],
)
async def test_holidays_that_make_no_sense_are_refused(
    world: World, demo: Shop, holidays: list[dict[str, Any]]
) -> None:
    answer = await world.saves("/v1/settings/holidays", (demo, Role.OWNER), {"holidays": holidays})

    assert answer.status_code == 422
    assert world.told.calls == []


async def test_a_week_may_go_past_midnight(world: World, demo: Shop) -> None:
    night = {"weekday": 6, "start_minute": 1320, "end_minute": 1800, "group_id": None}
    monday = {"weekday": 0, "start_minute": 300, "end_minute": 600, "group_id": None}
    path, who = of_agent(demo, "schedules"), (demo, Role.SERVICE_ADMIN)

    kept = await world.saves(path, who, {"hours": [night]})
    into_monday = await world.saves(path, who, {"hours": [night, monday]})

    assert kept.json()["hours"] == [night]
    assert into_monday.json()["errors"][0]["problem"] == "two stretches of the same group overlap"


async def test_a_date_overrides_the_week_until_it_is_taken_back(world: World, demo: Shop) -> None:
    who = (demo, Role.SERVICE_ADMIN)
    late = {"start_minute": 840, "end_minute": 1500, "group_id": None}
    path = of_agent(demo, "dates/2026-12-31")

    body = {"hours": [late], "note": "fireworks", "rev": NOTHING}
    set_ = await world.ask("PUT", path, who=who, json=body)
    listed = await world.ask("GET", of_agent(demo, "dates?from=2026-12-01&to=2026-12-31"), who=who)
    await world.ask("DELETE", path, who=who)

    assert set_.json() == {**body, "date": "2026-12-31", "rev": set_.json()["rev"]}
    assert listed.json() == {"items": [set_.json()]}
    assert (await world.ask("GET", of_agent(demo, "dates"), who=who)).json() == {"items": []}


async def test_duty_by_hand_is_told_with_its_reason_and_ends_when_it_is_taken_back(
    world: World, demo: Shop
) -> None:
    who, path = (demo, Role.SERVICE_ADMIN), of_agent(demo, "duty")

    off = await world.ask("PUT", path, who=who, json={"on_duty": False, "until": None, "reason": "training"})
    back = await world.ask("DELETE", path, who=who)

    assert off.json()["on_duty"] is False
    assert (off.json()["by_hand"]["reason"], off.json()["by_hand"]["by"]) == (
        "training",
        demo.people[Role.SERVICE_ADMIN],
    )
    assert back.json() == {"on_duty": True, "groups": [], "until": None, "by_hand": None}


async def test_duty_by_hand_until_a_time_that_has_passed_is_refused(world: World, demo: Shop) -> None:
    body = {"on_duty": False, "until": "2020-01-01T00:00:00Z"}
    answer = await world.ask("PUT", of_agent(demo, "duty"), who=(demo, Role.SERVICE_ADMIN), json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.until")


async def test_who_set_what_is_in_the_audit(world: World, demo: Shop) -> None:
    who = (demo, Role.SERVICE_ADMIN)
    await world.ask("PUT", of_agent(demo, "duty"), who=who, json={"on_duty": False})
    await world.saves("/v1/settings/holidays", who, {"holidays": [CHRISTMAS]})

    rows = await world.db.fetch(
        "SELECT action, actor_id FROM audit WHERE shop_id = $1 AND outcome = 'done' AND action ~ '^(duty|holi)'"
        " ORDER BY id",
        demo.id,
    )

    admin = demo.people[Role.SERVICE_ADMIN]
    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("duty_by_hand.added", admin),
        ("holidays.changed", admin),
    ]
