"""The settings for the end of conversations over HTTP: result tags, undoing, reasons for ratings."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.states import Role
from tests.server.http.world import Shop, World

PATH = "/v1/settings/endings"
SOLVED = {"tag_id": "solved", "name": "Solved", "colour": "green", "archived": False}


async def put(world: World, shop: Shop, **changes: Any) -> Any:
    """What holds now with these changes, as the settings page sends it."""
    now = (await world.ask("GET", PATH, who=(shop, Role.OWNER))).json()
    return await world.ask("PUT", PATH, who=(shop, Role.SERVICE_ADMIN), json={**now, **changes})


@pytest.mark.req("KS-20", "KS-23")
async def test_a_shop_begins_with_reasons_in_three_languages_and_no_tags(world: World, demo: Shop) -> None:
    first = (await world.ask("GET", PATH, who=(demo, Role.SUPERVISOR))).json()

    assert (first["result_tags"], first["result_tag_required"], first["undo_s"]) == ([], False, 10)
    for stars in range(1, 6):
        offered = [
            each for each in first["rating_reasons"] if each["stars_from"] <= stars <= each["stars_to"]
        ]
        assert len(offered) == 4
        assert all(set(each["texts"]) == {"zh-CN", "en", "zh-TW"} for each in offered)


@pytest.mark.req("KS-20", "KS-23")
async def test_tags_keep_their_order_and_are_archived_not_removed(world: World, demo: Shop) -> None:
    later = {"tag_id": "later", "name": "Later", "colour": "blue", "archived": False}
    changed = await put(world, demo, result_tags=[later, SOLVED], result_tag_required=True)
    assert changed.status_code == 200
    assert changed.json()["result_tags"] == [later, SOLVED]

    removed = await put(world, demo, result_tags=[SOLVED])
    assert removed.status_code == 422
    assert [(each["field"], "archive" in each["problem"]) for each in removed.json()["errors"]] == [
        ("body.result_tags", True)
    ]

    archived = await put(world, demo, result_tags=[SOLVED, {**later, "archived": True}])
    assert archived.status_code == 200
    assert (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json() == archived.json()


@pytest.mark.req("KS-23")
async def test_every_contradiction_is_named_and_nothing_changes(world: World, demo: Shop) -> None:
    before = (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json()
    turned = {"reason_id": "x", "texts": {"en": "x"}, "stars_from": 5, "stars_to": 1, "archived": False}

    refused = await put(
        world,
        demo,
        result_tags=[SOLVED, SOLVED, {**SOLVED, "tag_id": "other", "name": "solved"}],
        rating_reasons=[*before["rating_reasons"], turned],
    )

    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == [
        "body.result_tags.1.tag_id",
        "body.result_tags.1.name",
        "body.result_tags.2.name",
        "body.rating_reasons.8.stars_to",
    ]
    assert (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json() == before


@pytest.mark.req("KS-23")
@pytest.mark.parametrize(
    "change",
    [
        {"result_tag_required": True},
        {"undo_s": 61},
        {"result_tags": [{**SOLVED, "colour": "pink"}]},
        {"result_tags": [{**SOLVED, "name": "  "}]},
        {"rating_reasons": []},
        {"made_up": 1},
    ],
)
async def test_what_cannot_hold_is_refused(world: World, demo: Shop, change: dict[str, Any]) -> None:
    assert (await put(world, demo, **change)).status_code == 422


@pytest.mark.req("KS-23")
async def test_agents_neither_read_nor_change_them(world: World, demo: Shop) -> None:
    for method, body in (("GET", None), ("PUT", {})):
        refused = await world.ask(method, PATH, who=(demo, Role.AGENT), json=body)
        assert refused.status_code == 403
