"""What became of conversations, and why customers rated as they did (GP-05): counted from the conversations themselves.

A conversation counts when it is closed, for whoever had it last, as ratings do (docs/statistics.md). Tags and ratings
may be given after that: nothing of this is summed up in advance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from protocol.ids import GroupId, ShopId
from server.store.database import Database
from server.store.statistics import KEYS, By, Visible

OutcomeKind = Literal["result_tag", "rating_reason"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many conversations of a key had one tag, or how many ratings one reason. `id` None: none was given. `of`: all
    conversations that were closed, or all ratings. `rated`, `stars`: how many of the `n` were rated, and the sum."""

    key: str | None
    kind: OutcomeKind
    id: str | None
    n: int
    of: int
    rated: int
    stars: int


class Outcomes:
    """Counts. Every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def counted(
        self,
        shop_id: ShopId,
        from_ms: int,
        to_ms: int,
        by: By,
        visible: Visible,
        bound: Mapping[str, Sequence[GroupId]],
    ) -> tuple[Outcome, ...]:
        """Of what was closed from `from_ms` up to `to_ms` (exclusive). `bound`: order state -> its groups."""
        pairs = [(state, group) for state, groups in bound.items() for group in groups]
        rows = await self._db.fetch(
            f"""
            WITH row AS (
                SELECT c.closed_at AS at, c.last_owner_id AS agent, c.order_state, c.result_tags, c.rating,
                    c.rating_reasons
                FROM conversations c
                WHERE c.shop_id = $1 AND c.state = 'closed'
                    AND c.closed_at >= ($2::timestamptz[])[1] AND c.closed_at < ($2::timestamptz[])[2]
                    AND ($3::uuid[] IS NULL OR c.last_owner_id = ANY ($3)
                        OR (c.last_owner_id IS NULL AND c.order_state = ANY ($4::text[])))
            ), keyed AS MATERIALIZED ({KEYS[by]}), whole AS (
                SELECT key, count(*) AS closed, count(rating) AS rated FROM keyed GROUP BY key
            ), given AS (
                SELECT k.key, 'result_tag' AS kind, t.id, k.rating FROM keyed k
                CROSS JOIN unnest(coalesce(nullif(k.result_tags, '{{}}'), ARRAY[NULL::text])) AS t(id)
                UNION ALL
                SELECT k.key, 'rating_reason', t.id, k.rating FROM keyed k
                CROSS JOIN unnest(coalesce(nullif(k.rating_reasons, '{{}}'), ARRAY[NULL::text])) AS t(id)
                WHERE k.rating IS NOT NULL
            )
            SELECT g.key, g.kind, g.id, count(*) AS n,
                CASE g.kind WHEN 'result_tag' THEN w.closed ELSE w.rated END AS of,
                count(g.rating) AS rated, coalesce(sum(g.rating), 0)::bigint AS stars
            FROM given g JOIN whole w ON w.key IS NOT DISTINCT FROM g.key
            WHERE $5::text[] IS NOT NULL AND $6::uuid[] IS NOT NULL
            GROUP BY g.key, g.kind, g.id, w.closed, w.rated
            ORDER BY g.key NULLS FIRST, g.kind DESC, n DESC, g.id NULLS LAST
            """,
            shop_id,
            [from_ms, to_ms],
            None if visible.agents is None else sorted(visible.agents),
            sorted(visible.order_states),
            [state for state, _ in pairs],
            [group for _, group in pairs],
        )
        return tuple(Outcome(*row.values()) for row in rows)
