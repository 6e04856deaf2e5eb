"""Two people on one page of settings: who saves second is told who was faster, and overwrites nothing (KS-23)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from protocol.states import Role
from server.http.edits import EDITS, NO_EDIT
from server.http.rights import RIGHTS
from tests.scenarios.audit_desk import CHANGES, READ, Desk, filled
from tests.scenarios.house import House

pytestmark = pytest.mark.req("KS-23")

REPLACING = {
    route for route, access in RIGHTS.items() if route.startswith(("PUT ", "PATCH ")) and not access.public
}


@pytest.fixture
async def desk(migrated_database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    """A shop on one node, with its owner at the settings."""
    house = await House.start(migrated_database_url, redis_url, login_per_minute=1000)
    desk = await Desk.of(house)
    yield desk
    await desk.http.aclose()
    await house.stop()


def test_every_route_that_changes_something_in_place_asks_from_what_or_says_why_not() -> None:
    known = {*EDITS, *NO_EDIT} - {"PUT /v1/files/{file_id}/content"}
    assert {route for route in known if not route.startswith("DELETE ")} == REPLACING
    assert not EDITS.keys() & NO_EDIT.keys()
    assert {route for route in EDITS if not route.startswith("DELETE ")} == set(READ)


async def test_who_saves_second_is_told_who_was_faster_on_every_page(desk: Desk) -> None:
    outcomes = {route: await _two_save(await Desk.of(desk.house), route) for route in sorted(READ)}
    assert outcomes == dict.fromkeys(READ, ("saved", "refused: Olga was faster", "saved"))


async def _two_save(desk: Desk, route: str) -> tuple[str, ...]:
    """The owner and another one, both from the same page; then the other one from what holds."""
    change = CHANGES[route]
    if change.before is not None:
        await change.before(desk)
    boss = await desk.shop.account("Boss", Role.OWNER)
    read_by_both = await desk.rev(route)
    body = filled(change.body, desk.ids)
    answers = [
        await desk.ask(route, {**body, "rev": read_by_both}),
        await desk.ask(route, {**body, "rev": read_by_both}, who=boss),
        await desk.ask(route, body, who=boss),
    ]
    await desk.http.aclose()
    return tuple(_said(answer) for answer in answers)


def _said(answer: httpx.Response) -> str:
    if answer.is_success:
        return "saved"
    problem = answer.json()
    if (answer.status_code, problem["reason"]) != (409, "stale_rev"):
        return answer.text
    return f"refused: {problem['meanwhile']['by']} was faster"


async def test_nothing_is_saved_without_saying_from_what(desk: Desk) -> None:
    status: dict[str, int] = {}
    for route in sorted(READ):
        change = CHANGES[route]
        if change.before is not None:
            await change.before(desk)
        before = await desk.rev(route)
        status[route] = (await desk.ask(route, {**filled(change.body, desk.ids), "rev": None})).status_code
        assert await desk.rev(route) == before, route
    assert status == dict.fromkeys(READ, 422)


async def test_of_two_at_once_one_is_refused(desk: Desk) -> None:
    route = "PUT /v1/settings/collaboration"
    rev = await desk.rev(route)
    answers = await asyncio.gather(
        *(desk.ask(route, {"participants_max": most, "rev": rev}) for most in (3, 4, 5, 6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_dates_of_one_account_are_changed_one_by_one(desk: Desk) -> None:
    route = "PUT /v1/accounts/{account_id}/dates/{day}"
    boss = await desk.shop.account("Boss", Role.OWNER)
    await desk.does(route, {"hours": []})
    desk.ids["day"] = "2026-12-25"
    other = await desk.ask(route, {"hours": []}, who=boss)
    assert other.is_success, "another date of the same account was not changed by anybody"
    desk.ids["day"] = "2026-12-24"
    stale = await desk.ask(route, {"hours": [], "rev": "none"}, who=boss)
    assert stale.json()["meanwhile"]["by"] == "Olga", "of this date, not of the one that was changed last"
