"""The settings for working together over HTTP (CO-06)."""

from __future__ import annotations

import pytest

from protocol.states import Role
from tests.server.http.world import Shop, World

PATH = "/v1/settings/collaboration"


@pytest.mark.req("CO-06")
async def test_a_shop_begins_with_defaults_and_replaces_them_whole(world: World, demo: Shop) -> None:
    first = (await world.ask("GET", PATH, who=(demo, Role.SUPERVISOR))).json()
    assert (first["agents_see_watchers"], first["participants_max"], first["invitation_s"]) == (
        False,
        50,
        600,
    )

    changed = await world.saves(
        PATH, (demo, Role.SERVICE_ADMIN), {"agents_see_watchers": True, "participants_max": 3}
    )

    assert changed.status_code == 200
    rev = changed.json()["rev"]
    assert changed.json() == {**first, "agents_see_watchers": True, "participants_max": 3, "rev": rev}
    assert (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json() == changed.json()
    again = await world.saves(PATH, (demo, Role.OWNER), {})
    assert again.json() == first


@pytest.mark.req("CO-06")
@pytest.mark.parametrize(
    "body", [{"participants_max": 0}, {"invitation_s": "600"}, {"agents_see_watchers": 1}, {"made_up": 1}]
)
async def test_what_cannot_hold_is_refused_and_changes_nothing(
    world: World, demo: Shop, body: dict[str, object]
) -> None:
    before = (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json()
    refused = await world.saves(PATH, (demo, Role.OWNER), body)
    assert refused.status_code == 422
    assert (await world.ask("GET", PATH, who=(demo, Role.OWNER))).json() == before


@pytest.mark.req("CO-06")
async def test_agents_neither_read_nor_change_them(world: World, demo: Shop) -> None:
    for method, body in (("GET", None), ("PUT", {})):
        refused = await world.ask(method, PATH, who=(demo, Role.AGENT), json=body)
        assert refused.status_code == 403
