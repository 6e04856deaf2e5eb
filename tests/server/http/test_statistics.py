"""Reports over HTTP (GP-05): as JSON and CSV, by the shop's clock, within the asker's reach."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.states import Role
from server.services.statistics import BUCKETS_MAX, Step, edges_of
from tests.server.http.world import Shop, World

pytestmark = pytest.mark.req("GP-05")

WHOLE = {"from": "2026-01-01T00:00:00Z", "to": "2027-12-31T00:00:00Z"}


async def closed(world: World, shop: Shop, owner: Role, rating: int) -> None:
    """A conversation that somebody had, and a customer rated."""
    customer = await world.customers.add_anonymous(shop.id)
    await world.db.execute(
        "INSERT INTO conversations (id, shop_id, customer_id, state, order_state, opened_at, arrived_at, closed_at,"
        " last_owner_id, rating) VALUES ($1, $2, $3, 'closed', 'after_sale', now(), now(), now(), $4, $5)",
        new_id(),
        shop.id,
        customer.id,
        shop.people[owner],
        rating,
    )


async def test_a_report_tells_what_happened(world: World, demo: Shop) -> None:
    await closed(world, demo, Role.AGENT, 5)
    await closed(world, demo, Role.AGENT, 2)

    answer = await world.ask("GET", "/v1/statistics", who=(demo, Role.SUPERVISOR), params=WHOLE)

    (line,) = answer.json()["lines"]
    assert (line["opened"], line["ratings"]) == (3, {"count": 2, "mean": 3.5})
    assert line["responses"] == {
        "count": 0,
        "mean_ms": None,
        "median_ms": None,
        "p95_ms": None,
        "longest_ms": None,
    }
    assert (line["from"], line["to"]) == ("2026-01-01T00:00:00.000Z", "2027-12-31T00:00:00.000Z")


async def test_by_agent_each_has_a_line_and_what_is_nobodys_comes_first(world: World, demo: Shop) -> None:
    await closed(world, demo, Role.AGENT, 5)
    await closed(world, demo, Role.SUPERVISOR, 4)

    answer = await world.ask("GET", "/v1/statistics", who=(demo, Role.OWNER), params={**WHOLE, "by": "agent"})

    lines = [(line["name"], line["opened"], line["ratings"]["count"]) for line in answer.json()["lines"]]
    assert lines == [("", 3, 0), ("demo agent", 0, 1), ("demo supervisor", 0, 1)]


async def test_an_agent_counts_only_what_was_theirs(world: World, demo: Shop) -> None:
    await closed(world, demo, Role.AGENT, 5)
    await closed(world, demo, Role.SUPERVISOR, 1)

    answer = await world.ask("GET", "/v1/statistics", who=(demo, Role.AGENT), params=WHOLE)

    (line,) = answer.json()["lines"]
    assert (line["opened"], line["ratings"]) == (0, {"count": 1, "mean": 5.0})


@pytest.mark.req("GP-02")
async def test_who_reaches_their_groups_counts_their_colleagues_and_sees_no_other_group(
    world: World, demo: Shop
) -> None:
    await world.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, 'supervisor', $2)",
        demo.id,
        {"report.view": "groups"},
    )
    south = await world.groups.add(demo.id, name="South", kind="region")
    for group in (demo.group, south.id):
        await world.groups.add_member(demo.id, group, demo.people[Role.AGENT])
    await world.groups.add_member(demo.id, demo.group, demo.people[Role.SUPERVISOR])
    await closed(world, demo, Role.AGENT, 5)
    await closed(world, demo, Role.SERVICE_ADMIN, 1)

    answer = await world.ask(
        "GET", "/v1/statistics", who=(demo, Role.SUPERVISOR), params={**WHOLE, "by": "group"}
    )

    assert [(line["name"], line["ratings"]["count"]) for line in answer.json()["lines"]] == [("North", 1)]


async def test_another_shop_is_not_in_it(world: World, demo: Shop, other: Shop) -> None:
    await closed(world, other, Role.AGENT, 5)
    answer = await world.ask("GET", "/v1/statistics", who=(demo, Role.OWNER), params=WHOLE)
    assert [line["opened"] for line in answer.json()["lines"]] == [1]


@pytest.mark.parametrize("wish", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
async def test_a_report_is_also_a_table(world: World, demo: Shop, wish: dict[str, dict[str, str]]) -> None:
    await world.accounts.update(demo.id, demo.people[Role.AGENT], {"name": '=1+1,"x"'})
    await closed(world, demo, Role.AGENT, 5)
    params = {**WHOLE, "by": "agent", **wish.get("params", {})}

    answer = await world.ask(
        "GET", "/v1/statistics", who=(demo, Role.OWNER), params=params, headers=wish.get("headers", {})
    )

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["name"], row["ratings_mean"], row["opened"]) for row in rows] == [
        ("", "", "2"),
        ('\'=1+1,"x"', "5.0", "0"),
    ]


@pytest.mark.parametrize(
    "params",
    [
        {"from": WHOLE["to"], "to": WHOLE["from"]},
        {"from": WHOLE["from"], "to": WHOLE["from"]},
        {**WHOLE, "step": "half_hour"},
        {**WHOLE, "step": "week"},
        {**WHOLE, "by": "customer"},
        {"from": "yesterday", "to": WHOLE["to"]},
        {"from": WHOLE["from"]},
    ],
)
async def test_what_cannot_be_reported_is_refused(world: World, demo: Shop, params: dict[str, str]) -> None:
    answer = await world.ask("GET", "/v1/statistics", who=(demo, Role.OWNER), params=params)
    assert answer.status_code == 422


# --- the shop's clock ------------------------------------------------------------------------------------------------
def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def walls(first: str, last: str, step: Step, zone: str) -> list[str]:
    """Where buckets begin, as the clock on the shop's wall shows it."""
    edges = edges_of(ms(first), ms(last), step, ZoneInfo(zone))
    return [datetime.fromtimestamp(edge / 1000, ZoneInfo(zone)).strftime("%d %H:%M") for edge in edges]


@pytest.mark.parametrize(
    ("first", "last", "step", "zone", "expected"),
    [
        pytest.param(
            "2026-10-24T23:00",
            "2026-10-25T02:00",
            "hour",
            "Europe/Berlin",
            ["25 01:00", "25 02:00", "25 02:00", "25 03:00"],
            id="an hour that comes twice is two",
        ),
        pytest.param(
            "2026-03-29T00:00",
            "2026-03-29T02:00",
            "half_hour",
            "Europe/Berlin",
            ["29 01:00", "29 01:30", "29 03:00", "29 03:30", "29 04:00"],
            id="half hours that are leapt over are none",
        ),
        pytest.param(
            "2026-11-22T00:20",
            "2026-11-22T02:00",
            "hour",
            "Asia/Kathmandu",
            ["22 06:05", "22 07:00", "22 07:45"],
            id="a zone at three quarters of an hour",
        ),
        pytest.param(
            "2026-11-21T16:00",
            "2026-11-23T16:00",
            "day",
            "Asia/Shanghai",
            ["22 00:00", "23 00:00", "24 00:00"],
            id="days of Shanghai",
        ),
        pytest.param(
            "2026-10-31T04:00",
            "2026-11-03T05:00",
            "day",
            "America/New_York",
            ["31 00:00", "01 00:00", "02 00:00", "03 00:00"],
            id="days of New York, one of 25 hours",
        ),
        pytest.param(
            "2026-11-22T00:20", "2026-11-23T02:00", "total", "UTC", ["22 00:20", "23 02:00"], id="in one"
        ),
    ],
)
def test_buckets_are_those_of_the_shops_clock(
    first: str, last: str, step: Step, zone: str, expected: list[str]
) -> None:
    assert walls(first, last, step, zone) == expected


def test_as_many_buckets_as_are_allowed_and_no_more() -> None:
    begin, zone = ms("2026-01-01T00:00"), ZoneInfo("UTC")
    most = begin + int(timedelta(hours=BUCKETS_MAX).total_seconds() * 1000)

    assert len(edges_of(begin, most, "hour", zone)) == BUCKETS_MAX + 1
    with pytest.raises(RequestError, match="see errors"):
        edges_of(begin, most + 3_600_000, "hour", zone)


async def test_outcomes_are_told_with_their_words_and_as_a_table(world: World, demo: Shop) -> None:
    who = (demo, Role.OWNER)
    tags = [{"tag_id": "solved", "name": "已解决", "colour": "green", "archived": False}]
    now = (await world.ask("GET", "/v1/settings/endings", who=who)).json()
    await world.saves("/v1/settings/endings", who, {**now, "result_tags": tags})
    for rating in (5, 2, 1):
        await closed(world, demo, Role.AGENT, rating)
    await world.db.execute(
        "UPDATE conversations SET result_tags = '{solved}', rating_reasons = '{slow,gone}' WHERE rating < 5"
        " AND shop_id = $1",
        demo.id,
    )

    path, params = "/v1/statistics/outcomes", {**WHOLE, "by": "agent"}
    lines = (await world.ask("GET", path, who=who, params=params)).json()["lines"]
    told = [
        (each["kind"], each["id"], each["conversations"], each["of"], each["ratings_mean"]) for each in lines
    ]
    assert told == [
        ("result_tag", "solved", 2, 3, 1.5),
        ("result_tag", None, 1, 3, 5.0),
        ("rating_reason", "gone", 2, 3, 1.5),
        ("rating_reason", "slow", 2, 3, 1.5),
        ("rating_reason", None, 1, 3, 5.0),
    ]
    assert [each["labels"].get("") or each["labels"].get("en") for each in lines] == [
        "已解决",
        None,
        None,
        "Slow replies",
        None,
    ]

    sheet = await world.ask("GET", path, who=who, params={**params, "format": "csv", "language": "zh-CN"})
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert [(row["类别"], row["标签或原因"], row["会话数"], row["占比"]) for row in rows] == [
        ("结果标签", "已解决", "2", "0.6667"),
        ("结果标签", "未选择", "1", "0.3333"),
        ("评价原因", "gone", "2", "0.6667"),
        ("评价原因", "回复太慢", "2", "0.6667"),
        ("评价原因", "未选择", "1", "0.3333"),
    ]
    for role in (Role.AGENT, Role.SUPERVISOR):
        seen = await world.ask("GET", path, who=(demo, role), params=WHOLE)
        assert len(seen.json()["lines"]) == 5, "their own work, or everybody's"
    nothing = await world.ask("GET", path, who=who, params={"from": WHOLE["to"], "to": WHOLE["from"]})
    assert nothing.status_code == 422
