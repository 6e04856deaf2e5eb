"""Conversations as pages and as files (GP-05): for whom, whole, safe to be opened, and on record."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import pytest

from protocol.ids import new_id
from protocol.states import Role
from server.http import sheets
from server.services import conversation_report
from server.services.ending_settings import EndingSettings
from server.store.audit import Wanted
from tests.server.http.world import Shop, World
from tests.spreadsheet import rows_of

pytestmark = pytest.mark.req("GP-05")

PAGES = "/v1/statistics/conversations"
FILE = "/v1/statistics/conversations/export"
WHOLE = {"from": "2026-01-01T00:00:00Z", "to": "2027-12-31T00:00:00Z"}


async def closed(
    world: World, shop: Shop, owner: Role, name: str, *, rating: int = 5, comment: str = ""
) -> str:
    """A conversation that somebody had; the one opened last is the first of a list."""
    customer = await world.customers.add_anonymous(shop.id)
    conversation = new_id()
    await world.db.execute("UPDATE customers SET name = $2 WHERE id = $1", customer.id, name)
    await world.db.execute(
        "INSERT INTO conversations (id, shop_id, customer_id, state, order_state, opened_at, arrived_at, closed_at,"
        " last_owner_id, rating, rating_comment)"
        " VALUES ($1, $2, $3, 'closed', 'after_sale', now(), now(), now(), $4, $5, $6)",
        conversation,
        shop.id,
        customer.id,
        shop.people[owner],
        rating,
        comment,
    )
    return conversation


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_a_page_goes_on_where_the_one_before_ended(world: World, demo: Shop) -> None:
    made = [await closed(world, demo, Role.AGENT, f"C{n}") for n in range(5)]

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        params = {**WHOLE, "state": "closed", "limit": "2", **cursor}
        page = (await world.ask("GET", PAGES, who=(demo, Role.SUPERVISOR), params=params)).json()
        seen += [item["conversation_id"] for item in page["items"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert seen == made[::-1]


async def test_a_line_says_who_had_it_and_how_it_came_out(world: World, demo: Shop) -> None:
    await closed(world, demo, Role.AGENT, "Ada", rating=2, comment="slow")

    answer = await world.ask("GET", PAGES, who=(demo, Role.OWNER), params={**WHOLE, "rating": "2"})

    (line,) = answer.json()["items"]
    assert (line["customer"], line["agent"], line["outcome"]) == ("Ada", "demo agent", "answered")
    assert (line["rating"], line["rating_comment"], line["order_state"]) == (2, "slow", "after_sale")


async def test_what_became_of_it_is_in_the_shops_words(world: World, demo: Shop) -> None:
    reason = EndingSettings().rating_reasons[0]
    conversation = await closed(world, demo, Role.AGENT, "Ada")
    await world.db.execute(
        "UPDATE conversations SET result_tags = '{gone-1}', rating_reasons = $2, end_reason = 'sent anew'"
        " WHERE id = $1",
        conversation,
        [reason.reason_id],
    )
    params = {**WHOLE, "rating": "5"}

    (line,) = (await world.ask("GET", PAGES, who=(demo, Role.OWNER), params=params)).json()["items"]
    assert (line["result_tags"], line["rating_reasons"], line["end_reason"]) == (
        ["gone-1"],
        [reason.reason_id],
        "sent anew",
    )
    answer = await world.ask("GET", FILE, who=(demo, Role.OWNER), params={**params, "language": "zh-CN"})
    (row,) = table(answer.text)
    assert (row["结果标签"], row["评价原因"], row["结束备注"]) == (
        "gone-1",
        reason.texts["zh-CN"],
        "sent anew",
    )


@pytest.mark.req("GP-02")
async def test_an_agent_sees_their_own_and_nothing_of_another_shop(
    world: World, demo: Shop, other: Shop
) -> None:
    own = await closed(world, demo, Role.AGENT, "Ada")
    await closed(world, demo, Role.SUPERVISOR, "Bob")
    await closed(world, other, Role.AGENT, "Cleo")

    for path in (PAGES, FILE):
        answer = await world.ask("GET", path, who=(demo, Role.AGENT), params=WHOLE)
        ids = (
            [item["conversation_id"] for item in answer.json()["items"]]
            if path == PAGES
            else [row["conversation"] for row in table(answer.text)]
        )
        assert ids == [own], path
    every = table((await world.ask("GET", FILE, who=(demo, Role.OWNER), params=WHOLE)).text)
    assert {row["customer"] for row in every} >= {"Ada", "Bob"}
    assert "Cleo" not in str(every)


@pytest.mark.req("GP-02")
async def test_who_may_count_but_not_read_is_not_told_who_the_customer_is(world: World, demo: Shop) -> None:
    await world.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, 'supervisor', $2)",
        demo.id,
        {"report.view": "all"},
    )
    await closed(world, demo, Role.AGENT, "Ada", comment="my name is Ada")

    answer = await world.ask("GET", PAGES, who=(demo, Role.SUPERVISOR), params={**WHOLE, "rating": "5"})

    (line,) = answer.json()["items"]
    assert [line[name] for name in ("customer", "customer_id", "external_id", "rating_comment")] == [None] * 4
    assert line["agent"] == "demo agent"


@pytest.mark.req("GP-03")
async def test_who_takes_conversations_away_is_in_the_audit_with_what(world: World, demo: Shop) -> None:
    await closed(world, demo, Role.AGENT, "Ada")

    await world.ask(
        "GET",
        FILE,
        who=(demo, Role.SUPERVISOR),
        params={**WHOLE, "format": "xlsx", "order_state": "after_sale"},
    )

    (record,) = (await world.node.audit.search(demo.id, Wanted(action="report.exported"))).rows
    assert (record.actor_id, record.outcome) == (demo.people[Role.SUPERVISOR], "done")
    assert record.after == {
        "from": "2026-01-01T00:00:00.000Z",
        "to": "2027-12-31T00:00:00.000Z",
        "order_state": "after_sale",
        "format": "xlsx",
        "count": 1,
    }


EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1+1")


async def test_nothing_in_a_file_is_taken_for_a_formula(world: World, demo: Shop) -> None:
    for evil in EVIL:
        await closed(world, demo, Role.AGENT, evil, comment=evil)
    params = {**WHOLE, "state": "closed"}

    text = (await world.ask("GET", FILE, who=(demo, Role.OWNER), params=params)).text
    assert text.startswith("\ufeff")
    assert [(row["customer"], row["rating_comment"]) for row in table(text)] == [
        (f"'{evil}", f"'{evil}") for evil in EVIL[::-1]
    ]
    answer = await world.ask("GET", FILE, who=(demo, Role.OWNER), params={**params, "format": "xlsx"})
    head, *rows = rows_of(answer.content)  # which finds no formula
    assert [row[head.index("customer")] for row in rows] == list(EVIL[::-1])


async def test_for_people_heads_codes_and_times_are_in_their_words(world: World, demo: Shop) -> None:
    await closed(world, demo, Role.AGENT, "小雨")
    params = {**WHOLE, "state": "closed", "language": "zh-CN"}

    (row,) = table((await world.ask("GET", FILE, who=(demo, Role.OWNER), params=params)).text)
    assert (row["客户"], row["会话状态"], row["订单状态"]) == ("小雨", "已关闭", "退款/售后")
    assert len(row["开始时间"]) == len("2026-11-22 17:05:00")

    answer = await world.ask("GET", FILE, who=(demo, Role.OWNER), params={**params, "format": "xlsx"})
    head, cells = rows_of(answer.content)
    assert cells[head.index("客户")] == "小雨"
    assert isinstance(cells[head.index("开始时间")], float)
    assert answer.headers["content-disposition"] == 'attachment; filename="conversations.xlsx"'
    assert answer.headers["pointsman-rows"] == "1"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_is_made_of_many_small_pieces_and_whole(
    world: World, demo: Shop, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await closed(world, demo, Role.AGENT, f"C{n}") for n in range(7)]
    monkeypatch.setattr(conversation_report, "BATCH", 2)

    answer = await world.ask(
        "GET", FILE, who=(demo, Role.OWNER), params={**WHOLE, "state": "closed", "format": form}
    )

    if form == "csv":
        ids: list[Any] = [row["conversation"] for row in table(answer.text)]
    else:
        head, *rows = rows_of(answer.content)
        ids = [row[head.index("conversation")] for row in rows]
    assert ids == made[::-1]


async def test_a_file_leaves_nothing_on_the_disk(
    world: World, demo: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    answer = await world.ask("GET", FILE, who=(demo, Role.OWNER), params={**WHOLE, "format": "xlsx"})
    assert answer.status_code == 200

    async def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the database fell over")

    monkeypatch.setattr("server.store.conversation_lines.ConversationLines.page", fails)
    broken = await world.ask("GET", FILE, who=(demo, Role.OWNER), params={**WHOLE, "format": "xlsx"})
    assert broken.status_code == 500
    assert list(tmp_path.iterdir()) == []


async def test_too_many_files_at_once_are_refused_and_may_be_tried_again(world: World, demo: Shop) -> None:
    params = {**WHOLE, "format": "xlsx"}
    async with sheets.making(), sheets.making():
        refused = await world.ask("GET", FILE, who=(demo, Role.OWNER), params=params)
    assert (refused.status_code, refused.json()["reason"]) == (429, "exports_under_way")
    assert (await world.ask("GET", FILE, who=(demo, Role.OWNER), params=params)).status_code == 200


async def test_more_rows_than_a_sheet_holds_are_refused(
    world: World, demo: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await closed(world, demo, Role.AGENT, "Ada")
    monkeypatch.setattr("server.http.conversation_lines.ROWS_MAX", 1)

    refused = await world.ask("GET", FILE, who=(demo, Role.OWNER), params={**WHOLE, "format": "xlsx"})

    assert refused.status_code == 422
    assert (await world.ask("GET", FILE, who=(demo, Role.OWNER), params=WHOLE)).status_code == 200


@pytest.mark.parametrize("path", [PAGES, FILE])
@pytest.mark.parametrize(
    "wrong",
    [
        {"to": WHOLE["from"]},
        {"rating": "6"},
        {"state": "gone"},
        {"agent": "x"},
        {"group": "x"},
        {"from": "now"},
    ],
)
async def test_what_cannot_be_wanted_is_refused(
    world: World, demo: Shop, path: str, wrong: dict[str, str]
) -> None:
    answer = await world.ask("GET", path, who=(demo, Role.OWNER), params={**WHOLE, **wrong})
    assert answer.status_code == 422


async def test_a_big_file_does_not_hold_up_the_others(world: World, demo: Shop) -> None:
    """Nobody waits for the making of a sheet: the loop goes round meanwhile."""
    for n in range(30):
        await closed(world, demo, Role.AGENT, f"C{n}")
    export = asyncio.create_task(
        world.ask("GET", FILE, who=(demo, Role.OWNER), params={**WHOLE, "format": "xlsx"})
    )
    turns = 0
    while not export.done():
        turns += 1
        await asyncio.sleep(0)
    assert (await export).status_code == 200
    assert turns > 10
