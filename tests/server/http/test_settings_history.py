"""`GET /v1/settings/history/{page}`: who changed what on a page of the settings, for who may see that page (KS-23)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.states import Role
from server.services.settings_history import PAGES
from server.store.acting import AUDITED
from tests.scenarios.audit_desk import REPLY, Desk
from tests.scenarios.house import House

pytestmark = pytest.mark.req("KS-23", "GP-03")
ROUTE = "GET /v1/settings/history/{page}"
NO_PAGE = {"customers"}
"""Changed where the work is done, not in the settings."""


@pytest.fixture
async def desk(migrated_database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    """The owner at the settings of a shop."""
    house = await House.start(migrated_database_url, redis_url)
    desk = await Desk.of(house)
    yield desk
    await desk.http.aclose()
    await house.stop()


async def told(desk: Desk, page: str, **asked: Any) -> list[tuple[str, str, Any, Any]]:
    """Action, who, before and after, the newest first."""
    desk.ids["page"] = page
    answer = await desk.ask(ROUTE, **asked)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return [(each["action"], each["actor_name"], each["before"], each["after"]) for each in items]


def test_every_setting_has_a_page_that_tells_its_changes() -> None:
    assert {part.table for parts in PAGES.values() for part in parts} == AUDITED - NO_PAGE


async def test_a_page_tells_its_own_changes_newest_first(desk: Desk) -> None:
    group = await desk.does("POST /v1/groups", {"name": "West", "kind": "region"})
    await desk.does(f"PATCH /v1/groups/{group['id']}", {"name": "Far West", "rev": group["rev"]})
    await desk.does("PUT /v1/settings/files", {"kinds": ["image"], "rev": 0})
    assert (await told(desk, "groups"))[:2] == [
        ("groups.changed", "Olga", {"name": "West"}, {"name": "Far West"}),
        ("groups.added", "Olga", None, {"name": "West", "kind": "region"}),
    ]
    ((action, *_),) = await told(desk, "files")
    assert action == "file_settings.added"


async def test_of_the_shops_own_row_a_page_tells_what_is_on_it(desk: Desk) -> None:
    await desk.does("PUT /v1/settings/collaboration", {"watchers_max": 7})
    await desk.does("PUT /v1/settings/widget", {"identity_mode": "report", "anonymous_allowed": True})
    ((action, _, _, after),) = await told(desk, "collaboration")
    assert (action, after["collaboration"]["watchers_max"]) == ("shops.changed", 7)
    ((action, _, _, after),) = await told(desk, "widget")
    assert (action, after["widget_settings"]["identity_mode"]) == ("shops.changed", "report")


async def test_pages_continue_at_the_cursor(desk: Desk) -> None:
    for name in ("A", "B", "C"):
        await desk.does("POST /v1/groups", {"name": name})
    desk.ids["page"] = "groups"
    first = (await desk.ask(ROUTE, limit=2)).json()
    second = (await desk.ask(ROUTE, limit=1, cursor=first["cursor"])).json()
    assert [each["after"]["name"] for each in (*first["items"], *second["items"])] == ["C", "B", "A"]


async def test_who_may_not_see_a_page_is_not_told_its_changes(desk: Desk) -> None:
    await desk.does("POST /v1/settings/identity-keys")
    await desk.does("POST /v1/api-keys", {"name": "shop system", "scopes": ["orders:read"]})
    supervisor = await desk.somebody(Role.SUPERVISOR)
    for page in ("keys", "roles", "rules"):
        desk.ids["page"] = page
        answer = await desk.ask(ROUTE, who=supervisor)
        assert (answer.status_code, answer.json()["reason"]) == (403, "no_right")
    desk.ids["page"] = "widget"
    assert (await desk.ask(ROUTE, who=supervisor)).json()["items"] == []
    assert [action for action, *_ in await told(desk, "widget")] == ["identity_keys.added"]


async def test_of_quick_replies_everybody_is_told_what_they_may_read(desk: Desk) -> None:
    leader = await desk.shop.account("Lea", Role.SERVICE_ADMIN)
    north = desk.ids["group_id"]
    made = [
        await desk.ask("POST /v1/quick-replies", {**REPLY, **shelf}, who=who)
        for who, shelf in (
            (desk.owner, {"title": "Of the shop"}),
            (desk.owner, {"title": "Of a group", "whose": "group", "group_id": north}),
            (desk.owner, {"title": "My own", "whose": "own"}),
            (leader, {"title": "Hers", "whose": "own"}),
        )
    ]
    assert all(answer.is_success for answer in made)
    desk.ids["reply_id"] = made[3].json()["id"]
    await desk.ask("DELETE /v1/quick-replies/{reply_id}", who=leader)

    assert [(action, after["title"]) for action, _, _, after in await told(desk, "quick_replies")] == [
        ("quick_replies.added", "My own"),
        ("quick_replies.added", "Of a group"),
        ("quick_replies.added", "Of the shop"),
    ]
    hers = await told(desk, "quick_replies", who=leader)
    assert [action for action, *_ in hers] == [
        "quick_replies.removed",
        "quick_replies.added",
        "quick_replies.added",
        "quick_replies.added",
    ]
    assert "My own" not in str(hers), "what somebody keeps for themselves is nobody's business"
    supervisor = await desk.somebody(Role.SUPERVISOR)
    assert "Of a group" not in str(await told(desk, "quick_replies", who=supervisor)), "it is not their group"


async def test_no_change_of_another_shop_is_told(desk: Desk) -> None:
    other = await Desk.of(desk.house)
    await other.does("POST /v1/groups", {"name": "Elsewhere"})
    assert "Elsewhere" not in str(await told(desk, "groups"))
    await other.http.aclose()


async def test_the_shops_time_zone_is_known_to_everybody_in_it(desk: Desk) -> None:
    current = await desk.does("GET /v1/settings/routing")
    policy = {**current["policy"], "timezone": "Asia/Tokyo"}
    await desk.does("PUT /v1/settings/routing", {"rev": current["rev"], "policy": policy})
    answer = await desk.ask("GET /v1/me", who=desk.agent)
    assert answer.json()["shop"]["timezone"] == "Asia/Tokyo"
