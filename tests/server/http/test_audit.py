"""`GET /v1/audit`: every filter, page after page, as JSON and for spreadsheets (GP-03, KS-23)."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.ids import new_id
from protocol.states import Role
from protocol.times import text_of_ms
from server.services.audit import Act, Source
from tests.scenarios.audit_desk import Desk
from tests.scenarios.house import House

pytestmark = pytest.mark.req("GP-03", "KS-23")
ROUTE = "GET /v1/audit"


@pytest.fixture
async def desk(migrated_database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    """A shop in which three groups were made and one thing was tried."""
    house = await House.start(migrated_database_url, redis_url)
    desk = await Desk.of(house)
    for name in ("A 100%", "B", "C"):
        await desk.does("POST /v1/groups", {"name": name})
    await desk.ask("POST /v1/groups", {"name": "mine"}, who=desk.agent)
    yield desk
    await desk.http.aclose()
    await house.stop()


async def found(desk: Desk, **wanted: Any) -> list[dict[str, Any]]:
    """The records of one page."""
    answer = await desk.ask(ROUTE, **wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()["records"]


async def test_a_record_says_who_what_when_from_where_before_and_after(desk: Desk) -> None:
    (record,) = await found(desk, action="groups.added", q="100%")
    assert record.pop("id") and record.pop("at").endswith("Z") and record.pop("subject_id")
    assert record == {
        "actor_kind": "account",
        "actor_id": desk.owner.id,
        "actor_name": "Olga",
        "action": "groups.added",
        "right": "",
        "subject_kind": "group",
        "outcome": "done",
        "reason": "",
        "before": None,
        "after": {"name": "A 100%", "kind": "other"},
        "source": {"via": "http", "address": "127.0.0.1", "request": "POST /v1/groups"},
    }


async def test_every_filter_narrows_it(desk: Desk) -> None:
    (refused,) = await found(desk, outcome="refused")
    assert (refused["actor_id"], refused["action"]) == (desk.agent.id, "POST /v1/groups")
    assert refused["right"] == "routing.manage"
    assert await found(desk, reason="no_right") == [refused]
    assert await found(desk, actor=desk.agent.id) == [refused]
    assert await found(desk, action="POST /v1/gr") == [refused]
    assert await found(desk, action="groups%") == []
    (b,) = await found(desk, q='"b"')
    assert await found(desk, subject_kind="group", subject_id=b["subject_id"]) == [b]
    assert [each["id"] for each in await found(desk, before=b["at"], q="100%")] != []
    assert b in await found(desk, **{"from": b["at"]})
    assert b not in await found(desk, before=b["at"])


async def test_it_goes_on_page_after_page_while_more_is_recorded(desk: Desk) -> None:
    whole = [record["id"] for record in await found(desk, limit=200)]
    walked: list[str] = []
    cursor: str | None = None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page = (await desk.ask(ROUTE, limit=2, **more)).json()
        walked += [record["id"] for record in page["records"]]
        await desk.does("POST /v1/groups", {"name": new_id()})  # newer than all of them
        cursor = page["cursor"]
        if cursor is None:
            break
    assert walked == whole


async def test_for_spreadsheets_it_is_csv_whose_cells_are_no_formulas(desk: Desk) -> None:
    await desk.app.audit.record(
        Act(
            shop_id=desk.shop.id,
            actor_kind="account",
            actor_id="1",
            actor_name='=HYPERLINK("https://evil.example", "click")',
            action="test.formula",
            source=Source(via="http"),
        )
    )
    answer = await desk.ask(ROUTE, format="csv", limit=2)
    assert answer.headers["content-type"].startswith("text/csv")
    head, formula, refused = csv.reader(io.StringIO(answer.text))
    record = dict(zip(head, formula, strict=True))
    assert record["actor_name"] == '\'=HYPERLINK("https://evil.example", "click")'
    assert dict(zip(head, refused, strict=True))["outcome"] == "refused"

    link = answer.headers["link"]
    assert link.endswith('; rel="next"')
    following = await desk.ask(f"GET {link[1 : link.index('>')]}")
    _, first, _ = csv.reader(io.StringIO(following.text))
    assert dict(zip(head, first, strict=True))["after"] == '{"kind":"other","name":"C"}'


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.OPERATIONS])
async def test_only_those_with_the_right_read_it(desk: Desk, role: Role) -> None:
    somebody = await desk.somebody(role)
    assert (await desk.ask(ROUTE, who=somebody)).status_code == 403


async def test_nobody_reads_another_shops(desk: Desk) -> None:
    other = await Desk.of(desk.house)
    assert await found(other, actor=desk.owner.id) == []
    await other.http.aclose()


@pytest.mark.parametrize(
    "wanted",
    [{"cursor": "bm9uc2Vuc2U"}, {"outcome": "x"}, {"from": "yesterday"}, {"limit": 0}, {"q": "\x00"}],
)
async def test_what_makes_no_sense_is_refused(desk: Desk, wanted: dict[str, Any]) -> None:
    assert (await desk.ask(ROUTE, **wanted)).status_code == 422


async def test_times_are_those_of_the_database(desk: Desk) -> None:
    (row,) = await desk.records(text="100%")
    (record,) = await found(desk, q="100%")
    assert record["at"] == text_of_ms(row.at_ms)
