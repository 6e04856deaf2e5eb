"""A fortnight that the shop did not have, so that reports have something to draw: summed up as its own days will be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

DAYS = 14
QUARTER = timedelta(minutes=15)
SHOP_CLOCK = timedelta(hours=8)
BY_HOUR = (2, 1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 11, 8, 9, 11, 12, 11, 9, 8, 10, 12, 11, 8, 4)
"""How many come in an hour of a working day."""
BY_DAY = (1.0, 0.9, 0.85, 0.9, 1.1, 1.5, 1.35)
"""Monday to Sunday."""
STATES = (
    "no_active_order",
    "paid_unshipped",
    "shipped_unsigned",
    "trade_done",
    "after_sale",
    "placed_unpaid",
)
Row = tuple[Any, ...]


async def gives_a_past(database_url: str, shop: str, agents: list[str]) -> None:
    """Until the quarter of an hour from which on the shop sums up by itself."""
    link: Any = await asyncpg.connect(database_url)
    try:
        upto: datetime = await link.fetchval("SELECT upto FROM statistics_mark")
        columns = ("shop_id", "quarter", "measure", "agent", "order_state", "n", "times")
        await link.copy_records_to_table("statistics", records=_rows(upto, shop, agents), columns=columns)
    finally:
        await link.close()


def _rows(upto: datetime, shop: str, agents: list[str]) -> Iterator[Row]:
    dice = random.Random(7)
    at = upto - timedelta(days=DAYS)
    while at < upto:
        clock = at.astimezone(UTC) + SHOP_CLOCK
        busy = BY_HOUR[clock.hour] * BY_DAY[clock.weekday()] / 4
        for _ in range(int(busy) + (dice.random() < busy % 1)):
            state, agent = dice.choice(STATES), dice.choice(agents)
            yield from ((shop, at, *fact) for fact in _conversation(dice, busy, agent, state))
        at += QUARTER


def _conversation(dice: random.Random, busy: float, agent: str, state: str) -> Iterator[Row]:
    def took(seconds: float) -> list[int]:
        return [int(1000 * dice.lognormvariate(0, 0.6) * seconds)]

    yield "opened", None, state, 1, None
    if dice.random() < 0.02 * busy:
        yield "abandoned", None, state, 1, None
        yield "closed", None, state, 1, None
        return
    waited = took(12 * busy) if dice.random() < 0.4 else []
    if waited:
        yield "queue_waits", agent, state, 1, waited
    yield "assigned", agent, state, 1, None
    yield "first_responses", agent, state, 1, (first := took(20 + 10 * busy))
    yield "responses", agent, state, 4, [*first, *(took(35)[0] for _ in range(3))]
    yield "messages_customer", agent, state, 5, None
    yield "messages_agent", agent, state, 5, None
    yield "closed", agent, state, 1, None
    yield "resolutions", agent, state, 1, took(420)
    if dice.random() < 0.08:
        yield "transfers_in", agent, state, 1, None
    if dice.random() < 0.1:
        yield "notes", agent, state, 1, None
