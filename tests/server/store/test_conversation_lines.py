"""One line per conversation says what its raw log says (GP-05), page by page, within what somebody may count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protocol.ids import AccountId, GroupId, ShopId
from server.store.conversation_lines import ConversationLines, LineRow, LinesWanted
from server.store.database import Database
from server.store.statistics import Visible
from tests.recount import Fact, of_one
from tests.server.store.test_statistics import BEGIN, DAY, Chance, a_shop

pytestmark = pytest.mark.req("GP-05")

WHOLE = LinesWanted(BEGIN - DAY, BEGIN + 4 * DAY)
EVERYTHING = Visible()


async def all_lines(
    db: Database, shop: str, wanted: LinesWanted = WHOLE, visible: Visible = EVERYTHING, *, limit: int = 7
) -> list[LineRow]:
    """Page after page."""
    lines: list[LineRow] = []
    cursor: str | None = None
    while True:
        page = await ConversationLines(db).page(ShopId(shop), wanted, visible, cursor=cursor, limit=limit)
        assert len(page.rows) <= limit
        lines += page.rows
        cursor = page.cursor
        if cursor is None:
            return lines


async def truth_of(chance: Chance) -> dict[str, dict[str, Any]]:
    """What the logs say, entry by entry."""
    db = chance.db
    found: dict[str, dict[str, Any]] = {}
    for row in await db.fetch("SELECT * FROM conversations WHERE shop_id = $1", chance.shop):
        entries = await db.fetch("SELECT * FROM messages WHERE conversation_id = $1 ORDER BY seq", row["id"])
        decisions = {
            f"d:{each['rev']}": each
            for each in await db.fetch("SELECT * FROM decisions WHERE conversation_id = $1", row["id"])
        }
        facts = of_one(row, entries, decisions, {chance.bot})

        def those(measure: str, facts: list[Fact] = facts) -> list[Fact]:
            return [fact for fact in facts if fact.measure == measure]

        first = those("first_responses")
        replies = [fact.value or 0 for fact in those("responses")]
        found[row["id"]] = {
            "opened_ms": row["opened_at"],
            "closed_ms": row["closed_at"],
            "rating": row["rating"],
            "first_answer_ms": first[0].at if first else None,
            "first_response": first[0].value if first else None,
            "responses": len(replies),
            "responses_took": sum(replies),
            "longest_response": max(replies, default=None),
            "queue_wait": sum(fact.value or 0 for fact in those("queue_waits"))
            if those("queue_waits")
            else None,
            "transfers": len(those("transfers_in")),
            "people": len({fact.agent for fact in those("messages_agent")}),
            "messages_customer": len(those("messages_customer")),
            "messages_agent": len(those("messages_agent")),
            "messages_bot": len(those("messages_bot")),
            "notes": len(those("notes")),
            "abandoned": bool(those("abandoned")),
            "unanswered": bool(those("unanswered")),
        }
    return found


async def test_lines_are_what_the_raw_logs_say_and_none_is_missing_or_twice(db: Database) -> None:
    chance = await a_shop(db, 31, 40)
    await a_shop(db, 32, 5)

    lines = await all_lines(db, chance.shop)

    truth = await truth_of(chance)
    told = {line.id: {name: getattr(line, name) for name in truth[line.id]} for line in lines}
    assert told == truth
    assert len(lines) == len(truth) == 40
    assert [(line.opened_ms, line.id) for line in lines] == sorted(
        ((line.opened_ms, line.id) for line in lines), reverse=True
    )


async def test_conversations_of_the_same_instant_are_not_lost_between_two_pages(db: Database) -> None:
    chance = await a_shop(db, 33, 9)
    await db.execute(
        "UPDATE conversations SET opened_at = $2::timestamptz + interval '3 microseconds' WHERE shop_id = $1",
        chance.shop,
        BEGIN,
    )

    assert len({line.id for line in await all_lines(db, chance.shop, limit=2)}) == 9


async def test_only_what_is_wanted_is_told(db: Database) -> None:
    chance = await a_shop(db, 34, 40)
    everything = await all_lines(db, chance.shop)

    async def those(**wish: Any) -> list[str]:
        return [line.id for line in await all_lines(db, chance.shop, replace(WHOLE, **wish))]

    agent = chance.agents[0]
    assert await those(agent=AccountId(agent)) == [each.id for each in everything if each.agent_id == agent]
    assert await those(order_state="after_sale") == [
        each.id for each in everything if each.order_state == "after_sale"
    ]
    assert await those(state="closed", rating=5) == [each.id for each in everything if each.rating == 5]
    assert await those(from_ms=BEGIN + DAY) == [
        each.id for each in everything if each.opened_ms >= BEGIN + DAY
    ]
    group = chance.groups[0]
    assert set(await those(group=GroupId(group))) == {each.id for each in everything if group in each.groups}
    count = await ConversationLines(db).count(ShopId(chance.shop), replace(WHOLE, state="closed"), Visible())
    assert count == sum(each.state == "closed" for each in everything) > 0


@pytest.mark.req("GP-02")
async def test_who_sees_some_agents_is_told_of_theirs_and_of_what_waited_for_them(db: Database) -> None:
    chance = await a_shop(db, 35, 40)
    everything = await all_lines(db, chance.shop)
    mine = frozenset({AccountId(chance.agents[0])})

    seen = await all_lines(db, chance.shop, WHOLE, Visible(mine, frozenset({"after_sale"})))

    assert [line.id for line in seen] == [
        line.id
        for line in everything
        if line.agent_id in mine or (line.agent_id is None and line.order_state == "after_sale")
    ]
    assert 0 < len(seen) < len(everything)
