"""Conversations for reports, one line each (GP-05): what is kept of them, and what their logs say.

The figures of a line are drawn by the same SQL function as those of reports, so they add up to the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from protocol.ids import AccountId, ConversationId, CustomerId, GroupId, ShopId
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database, Row
from server.store.rows import Page
from server.store.statistics import Visible

_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_CHOSEN: Final = """
    c.shop_id = $1 AND c.opened_at >= $2 AND c.opened_at < $3
    AND ($4::uuid[] IS NULL OR coalesce(c.owner_id, c.last_owner_id) = ANY ($4)
        OR (coalesce(c.owner_id, c.last_owner_id) IS NULL AND c.order_state = ANY ($5::text[])))
    AND ($6::uuid IS NULL OR coalesce(c.owner_id, c.last_owner_id) = $6)
    AND ($7::uuid IS NULL OR EXISTS (
        SELECT FROM group_terms t WHERE t.shop_id = $1 AND t.group_id = $7
            AND t.account_id = coalesce(c.owner_id, c.last_owner_id)
            AND t.joined_at < coalesce(c.closed_at, now())
            AND coalesce(t.left_at, 'infinity') >= coalesce(c.closed_at, now())
    ))
    AND ($8::text IS NULL OR c.order_state = $8)
    AND ($9::text IS NULL OR c.state = $9)
    AND ($10::smallint IS NULL OR c.rating = $10)
"""
_FACTS: Final = """
    SELECT f.conversation,
        min(f.at) FILTER (WHERE f.measure = 'first_responses') AS first_answer_at,
        min(f.value) FILTER (WHERE f.measure = 'first_responses') AS first_response,
        count(*) FILTER (WHERE f.measure = 'responses') AS responses,
        sum(f.value) FILTER (WHERE f.measure = 'responses') AS responses_took,
        max(f.value) FILTER (WHERE f.measure = 'responses') AS longest_response,
        sum(f.value) FILTER (WHERE f.measure = 'queue_waits') AS queue_wait,
        count(*) FILTER (WHERE f.measure = 'transfers_in') AS transfers,
        count(DISTINCT f.agent) FILTER (WHERE f.measure = 'messages_agent') AS people,
        count(*) FILTER (WHERE f.measure = 'messages_customer') AS messages_customer,
        count(*) FILTER (WHERE f.measure = 'messages_agent') AS messages_agent,
        count(*) FILTER (WHERE f.measure = 'messages_bot') AS messages_bot,
        count(*) FILTER (WHERE f.measure = 'notes') AS notes,
        count(*) FILTER (WHERE f.measure = 'abandoned') AS abandoned,
        count(*) FILTER (WHERE f.measure = 'unanswered') AS unanswered
    FROM conversation_facts($2::uuid[], 'infinity') f WHERE f.shop_id = $1 GROUP BY f.conversation
"""


@dataclass(frozen=True, slots=True)
class LinesWanted:
    """Which conversations: opened from `from_ms` up to `to_ms` (exclusive), and all else that is given. `agent`: who
    has it, or had it last; `group`: of which that agent was a member at the closing (of an open one: is now)."""

    from_ms: int
    to_ms: int
    agent: AccountId | None = None
    group: GroupId | None = None
    order_state: str | None = None
    state: str | None = None
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class LineRow:
    """One conversation. Times since 1970 and durations in milliseconds; None: there is none."""

    id: ConversationId
    opened_ms: int
    closed_ms: int | None
    state: str
    order_state: str
    order_id: str | None
    via_bot: bool
    customer_id: CustomerId
    customer_name: str
    external_id: str | None
    agent_id: AccountId | None
    agent_name: str
    groups: tuple[str, ...]
    """names of those that the agent was in at the closing, or is in now"""
    rating: int | None
    rating_comment: str | None
    rating_reasons: tuple[str, ...]
    """ids"""
    result_tags: tuple[str, ...]
    """ids"""
    end_reason: str
    first_answer_ms: int | None
    first_response: int | None
    responses: int
    responses_took: int
    longest_response: int | None
    queue_wait: int | None
    transfers: int
    people: int
    """how many people wrote to the customer"""
    messages_customer: int
    messages_agent: int
    messages_bot: int
    notes: int
    abandoned: bool
    unanswered: bool


class ConversationLines:
    """Reads; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def count(self, shop_id: ShopId, wanted: LinesWanted, visible: Visible) -> int:
        """How many there are. UNAVAILABLE `database_slow`: too many to be counted."""
        row = await self._db.fetchrow(
            f"SELECT count(*) AS n FROM conversations c WHERE {_CHOSEN}", *_chosen(shop_id, wanted, visible)
        )
        assert row is not None, "an aggregate gives one row"
        return row["n"]

    async def page(
        self,
        shop_id: ShopId,
        wanted: LinesWanted,
        visible: Visible,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[LineRow]:
        """One page, those opened last first. INVALID_PARAMS `bad_cursor`. UNAVAILABLE `database_slow`."""
        at_us, last = (wanted.to_ms * 1000, _LAST_ID) if cursor is None else read_cursor(cursor, (int, str))
        rows = await self._db.fetch(
            f"""
            WITH chosen AS MATERIALIZED (
                SELECT c.* FROM conversations c
                WHERE {_CHOSEN} AND (c.opened_at, c.id) < (
                    timestamptz 'epoch' + $11::bigint * interval '1 microsecond', $12::uuid
                )
                ORDER BY c.opened_at DESC, c.id DESC LIMIT $13
            )
            SELECT c.id, c.opened_at, (extract(epoch FROM c.opened_at) * 1000000)::bigint AS opened_us, c.closed_at,
                c.state, c.order_state, c.order_id, c.via_bot, c.customer_id, u.name AS customer_name, u.external_id,
                a.id AS agent_id, coalesce(a.name, '') AS agent_name,
                c.rating, c.rating_comment, c.rating_reasons, c.result_tags, c.end_reason,
                coalesce(g.names, '{{}}') AS groups
            FROM chosen c
            JOIN customers u ON u.id = c.customer_id
            LEFT JOIN accounts a ON a.id = coalesce(c.owner_id, c.last_owner_id)
            LEFT JOIN LATERAL (
                SELECT array_agg(DISTINCT g.name ORDER BY g.name) AS names
                FROM group_terms t JOIN groups g ON g.id = t.group_id
                WHERE t.shop_id = $1 AND t.account_id = a.id AND t.joined_at < coalesce(c.closed_at, now())
                    AND coalesce(t.left_at, 'infinity') >= coalesce(c.closed_at, now())
            ) g ON true
            ORDER BY c.opened_at DESC, c.id DESC
            """,
            *_chosen(shop_id, wanted, visible),
            max(wanted.from_ms * 1000, min(int(at_us), wanted.to_ms * 1000)),
            last,
            limit + 1,
        )
        shown = rows[:limit]
        facts = await self._facts(shop_id, [row["id"] for row in shown])
        lines = tuple(_line(row, facts.get(row["id"])) for row in shown)
        more = len(rows) > limit
        return Page(lines, write_cursor(shown[-1]["opened_us"], shown[-1]["id"]) if more else None)

    async def _facts(self, shop_id: ShopId, ids: Sequence[ConversationId]) -> dict[ConversationId, Row]:
        if not ids:
            return {}
        return {row["conversation"]: row for row in await self._db.fetch(_FACTS, shop_id, list(ids))}


def _chosen(shop_id: ShopId, wanted: LinesWanted, visible: Visible) -> tuple[Any, ...]:
    return (
        shop_id,
        wanted.from_ms,
        wanted.to_ms,
        None if visible.agents is None else sorted(visible.agents),
        sorted(visible.order_states),
        wanted.agent,
        wanted.group,
        wanted.order_state,
        wanted.state,
        wanted.rating,
    )


def _line(row: Row, facts: Row | None) -> LineRow:
    def counted(name: str) -> int:
        return 0 if facts is None else int(facts[name] or 0)

    def if_any(name: str) -> int | None:
        return None if facts is None or facts[name] is None else int(facts[name])

    return LineRow(
        id=row["id"],
        opened_ms=row["opened_at"],
        closed_ms=row["closed_at"],
        state=row["state"],
        order_state=row["order_state"],
        order_id=row["order_id"],
        via_bot=row["via_bot"],
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
        external_id=row["external_id"],
        agent_id=row["agent_id"],
        agent_name=row["agent_name"],
        groups=tuple(row["groups"]),
        rating=row["rating"],
        rating_comment=row["rating_comment"],
        rating_reasons=tuple(row["rating_reasons"]),
        result_tags=tuple(row["result_tags"]),
        end_reason=row["end_reason"],
        first_answer_ms=if_any("first_answer_at"),
        first_response=if_any("first_response"),
        responses=counted("responses"),
        responses_took=counted("responses_took"),
        longest_response=if_any("longest_response"),
        queue_wait=if_any("queue_wait"),
        transfers=counted("transfers"),
        people=counted("people"),
        messages_customer=counted("messages_customer"),
        messages_agent=counted("messages_agent"),
        messages_bot=counted("messages_bot"),
        notes=counted("notes"),
        abandoned=counted("abandoned") > 0,
        unanswered=counted("unanswered") > 0,
    )
