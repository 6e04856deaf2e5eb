"""What was played over sockets is what the report tells (GP-05, CO-09): exactly, as a recount of the raw log says."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from protocol.states import Role
from server.services.statistics import Reports
from server.store.statistics import By, Figure
from tests.recount import facts_of, recount, state_times, terms_of
from tests.scenarios.house import House, Shop, until

BYS: tuple[By, ...] = ("shop", "agent", "order_state", "group")


def now_ms() -> int:
    return int(time.time() * 1000)


async def told(shop: Shop, edges: tuple[int, int], by: By) -> dict[tuple[int, str | None, str], Figure]:
    """The report of the shop's owner, from the next node, as figures by bucket, key and measure."""
    reports: Reports = shop.house.next_node().app.web.state.deps.reports
    report = await reports.report(shop.caller(), *edges, "total", by)
    return {
        (0, line.key, measure): figure for line in report.lines for measure, figure in line.figures.items()
    }


async def recounted(shop: Shop, edges: tuple[int, int], by: By) -> dict[tuple[int, str | None, str], Figure]:
    """The same from the raw log."""
    db = shop.app.db
    bound = {"after_sale": [shop.groups["Refunds"]]}
    return recount(await facts_of(db, shop.id), edges, by, terms=await terms_of(db, shop.id), bound=bound)


async def a_day(shop: Shop) -> dict[str, Any]:
    """Customers are served, wait, are handed over, give up, and rate. Who took part, by name."""
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", capacity=1, groups=("Refunds",))
    max_ = await shop.agent("Max", capacity=1)
    ada, bob = await shop.customer("Ada", order_state="after_sale"), await shop.customer("Bob")
    cleo, dan = await shop.customer("Cleo"), await shop.customer("Dan", order_state="after_sale")
    first = await ada.opens("where is my refund?")
    await lily.says(first, "let me look")
    await ada.says(first, "thanks")
    second = await bob.opens("does it fit?")
    await max_.says(second, "it does")
    await cleo.waits("anybody there?")
    waiting = (await dan.opened("and my refund?")).conversation_id
    await dan.asks("conversation.leave_queue", conversation_id=waiting)
    await lily.asks("conversation.transfer", conversation_id=first, account_id=max_.id)
    await until(lambda: max_.knows(first), what="Max having Ada")
    await max_.says(first, "I take over from here")
    await max_.asks("conversation.end", conversation_id=first)
    await ada.asks("conversation.rate", conversation_id=first, rating=4, comment="")
    await max_.asks("conversation.end", conversation_id=second)
    return {"lily": lily, "max": max_, "first": first}


@pytest.mark.req("GP-05", "CO-09")
async def test_a_played_day_is_told_exactly(house: House) -> None:
    begin = now_ms() - 60_000
    shop = await house.shop(wrap_up_s=0)
    people = await a_day(shop)
    edges = (begin, now_ms() + 60_000)

    for by in BYS:
        assert await told(shop, edges, by) == await recounted(shop, edges, by)

    whole = {measure: figure.n for (_, _, measure), figure in (await told(shop, edges, "shop")).items()}
    assert whole["opened"] == 4
    assert (whole["abandoned"], whole["transfers_in"], whole["transfers_out"]) == (1, 1, 1)
    assert (whole["served_by_several"], whole["ratings"]) == (1, 1)
    by_agent = await told(shop, edges, "agent")
    assert by_agent[0, people["lily"].id, "transfers_out"].n == 1
    assert by_agent[0, people["max"].id, "ratings"].total == 4


@pytest.mark.req("GP-05")
async def test_summed_up_it_says_the_same(house: House) -> None:
    begin = now_ms() - 60_000
    shop = await house.shop(wrap_up_s=0)
    await a_day(shop)
    edges = (begin - begin % 900_000, now_ms() + 1_800_000)
    before = await told(shop, edges, "agent")

    await shop.app.statistics.sum_up(budget_s=30, now_ms=now_ms() + 960_000)

    summed = await shop.app.db.fetchrow("SELECT count(*) AS n FROM statistics WHERE shop_id = $1", shop.id)
    assert summed is not None and summed["n"] > 0
    assert await told(shop, edges, "agent") == before == await recounted(shop, edges, "agent")


@pytest.mark.req("GP-05", "GP-03")
async def test_a_cross_group_try_is_an_anomaly_of_who_tried(house: House) -> None:
    begin = now_ms() - 60_000
    shop = await house.shop()
    await shop.group("North")
    await shop.group("South")
    await shop.app.db.execute(
        "INSERT INTO roles (shop_id, role, grants) VALUES ($1, 'agent', $2)",
        shop.id,
        {"conversation.serve": "own", "conversation.transfer": "groups", "conversation.view": "own"},
    )
    lily = await shop.agent("Lily", groups=("North",), roles=(Role.AGENT,))
    max_ = await shop.agent("Max", groups=("South",), status="paused")
    conversation = await (await shop.customer("Ada")).opens()

    refused = await lily.refused("conversation.transfer", conversation_id=conversation, account_id=max_.id)

    assert refused.reason == "out_of_scope"
    edges = (begin, now_ms() + 60_000)
    tries = {key: figure.n for key, figure in (await told(shop, edges, "agent")).items()}
    assert tries[0, lily.id, "cross_group_tries"] == 1


@pytest.mark.req("GP-05", "GP-02")
async def test_an_agent_is_told_of_their_own_work_only(house: House) -> None:
    begin = now_ms() - 60_000
    shop = await house.shop(wrap_up_s=0)
    people = await a_day(shop)
    lily = people["lily"]
    reports: Reports = shop.house.next_node().app.web.state.deps.reports

    report = await reports.report(
        replace(shop.caller(), account_id=lily.id, roles=frozenset({Role.AGENT})),
        begin,
        now_ms() + 60_000,
        "total",
        "agent",
    )

    assert {line.key for line in report.lines} == {lily.id}


@pytest.mark.req("GP-05", "KS-18")
async def test_how_long_an_agent_was_in_which_state_is_told(house: House) -> None:
    begin = now_ms() - 60_000
    shop = await house.shop(offline_after_s={"web": 5, "desktop": 60, "mobile": None, "bot": 15})
    lily = await shop.agent("Lily")
    max_ = await shop.agent("Max")
    await max_.sets("paused")
    await max_.sets("offline")

    async def state() -> str:
        row = await shop.app.db.fetchrow(
            "SELECT state FROM agent_states WHERE account_id = $1 AND ended_at IS NULL", lily.id
        )
        return "" if row is None else row["state"]

    async def is_in(wanted: str) -> bool:
        return await state() == wanted

    await lily.leave()  # the connection is lost, the status stays
    await until(lambda: is_in("away"), what="Lily being counted as offline")
    await lily.arrive()
    assert await state() == "online"

    edges = (begin, now_ms())
    reports: Reports = shop.house.next_node().app.web.state.deps.reports
    for by in ("shop", "agent", "group"):
        report = await reports.report(shop.caller(), *edges, "total", by)
        told_times = {(0, line.key, state): ms for line in report.lines for state, ms in line.states.items()}
        assert told_times == await state_times(shop.app.db, shop.id, edges, by, now_ms())
    lines = {
        line.key: line.states
        for line in (await reports.report(shop.caller(), *edges, "total", "agent")).lines
    }
    assert set(lines[lily.id]) == {"offline", "online", "away"}
    assert set(lines[max_.id]) == {"offline", "online", "paused"}
    assert lines[lily.id]["away"] > 0
