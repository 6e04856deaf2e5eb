"""Figures of a shop (GP-05, CO-09), counted by PostgreSQL; what each one means is in docs/statistics.md."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from protocol.ids import AccountId, GroupId, ShopId
from server.store.database import Database

By = Literal["shop", "group", "agent", "order_state"]

SUM_UP_DEADLINE_S: Final = 60.0
"""A quarter of an hour of a very busy server takes longer to sum up than a request may."""
CLOSE_S: Final = 5.0
SETTLED_S: Final = 60
"""A quarter is over when its last transactions have ended; none lives this long."""
QUICK_MS: Final = 180_000
"""Replies within three minutes are counted on their own."""

KEYS: Final[Mapping[By, str]] = {
    "shop": "SELECT r.*, NULL::text AS key FROM row r",
    "agent": "SELECT r.*, r.agent::text AS key FROM row r",
    "order_state": "SELECT r.*, r.order_state AS key FROM row r",
    # An agent's for the groups they were in at the end of that quarter of an hour (of sums no more is known); nobody's
    # for the groups that its order state is bound to now.
    "group": """
        SELECT r.*, g.group_id::text AS key
        FROM (
            SELECT w.*, date_bin('15 minutes', w.at, timestamptz 'epoch') + interval '15 minutes' AS quarter_end
            FROM row w
        ) r
        LEFT JOIN LATERAL (
            SELECT t.group_id FROM group_terms t WHERE t.shop_id = $1 AND t.account_id = r.agent
                AND t.joined_at < r.quarter_end AND (t.left_at IS NULL OR t.left_at >= r.quarter_end)
            UNION ALL
            SELECT b.group_id FROM unnest($5::text[], $6::uuid[]) AS b(order_state, group_id)
            WHERE r.agent IS NULL AND b.order_state = r.order_state
        ) g ON true
    """,
}
"""What figures are counted by -> the rows of `row` with their key. Parameters: $1 shop; $5, $6 order states and the
groups that are bound to them."""


@dataclass(frozen=True, slots=True)
class Visible:
    """What may be counted. `agents` None: everything. Else what these did, and of what nobody had, the order states
    given."""

    agents: frozenset[AccountId] | None = None
    order_states: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure in one stretch of time for one key. `key` None: the shop, or what belongs to nobody. Times are in
    milliseconds over the `timed` of the `n`; None: there are none."""

    bucket: int
    """which stretch, counted from 0"""
    key: str | None
    measure: str
    n: int
    timed: int
    total: int
    median: int | None
    p95: int | None
    longest: int | None
    quick: int
    """times of three minutes at most"""


class Statistics:
    """Counts. Every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def figures(
        self,
        shop_id: ShopId,
        edges_ms: Sequence[int],
        by: By,
        visible: Visible,
        bound: Mapping[str, Sequence[GroupId]],
    ) -> tuple[Figure, ...]:
        """All figures between neighbouring edges (ascending, at least two; the later one exclusive). `bound`: order
        state -> its groups. UNAVAILABLE `database_slow` when it is too much."""
        pairs = [(state, group) for state, groups in bound.items() for group in groups]
        rows = await self._db.fetch(
            f"""
            WITH row AS (
                SELECT width_bucket(s.at, $2::timestamptz[]) - 1 AS bucket, s.* FROM statistic_rows(
                    $1, ($2::timestamptz[])[1], ($2::timestamptz[])[cardinality($2::timestamptz[])]
                ) s
                WHERE $3::uuid[] IS NULL OR s.agent = ANY ($3)
                    OR (s.agent IS NULL AND s.order_state = ANY ($4::text[]))
            ), keyed AS MATERIALIZED ({KEYS[by]})
            , counted AS (
                SELECT bucket, key, measure, sum(n)::bigint AS n FROM keyed GROUP BY bucket, key, measure
            ), timed AS (
                SELECT k.bucket, k.key, k.measure, count(*) AS timed, sum(t.took)::bigint AS total,
                    percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY t.took) AS shares, max(t.took) AS longest,
                    count(*) FILTER (WHERE t.took <= {QUICK_MS}) AS quick
                FROM keyed k CROSS JOIN LATERAL unnest(k.times) AS t(took) GROUP BY k.bucket, k.key, k.measure
            )
            SELECT c.*, t.timed, t.total, t.shares, t.longest, t.quick
            FROM counted c
            LEFT JOIN timed t ON t.bucket = c.bucket AND t.measure = c.measure AND t.key IS NOT DISTINCT FROM c.key
            WHERE $5::text[] IS NOT NULL AND $6::uuid[] IS NOT NULL
            ORDER BY c.bucket, c.key NULLS FIRST, c.measure
            """,
            shop_id,
            list(edges_ms),
            None if visible.agents is None else sorted(visible.agents),
            sorted(visible.order_states),
            [state for state, _ in pairs],
            [group for _, group in pairs],
        )
        return tuple(
            Figure(
                bucket=row["bucket"],
                key=row["key"],
                measure=row["measure"],
                n=row["n"],
                timed=row["timed"] or 0,
                total=row["total"] or 0,
                median=None if row["shares"] is None else row["shares"][0],
                p95=None if row["shares"] is None else row["shares"][1],
                longest=row["longest"],
                quick=row["quick"] or 0,
            )
            for row in rows
        )

    async def sum_up(self, *, budget_s: float, now_ms: int | None = None) -> int:
        """Sum up quarters of an hour that are over and not summed up, the oldest first, for about `budget_s`. Returns
        how many; 0: all is done, or somebody else is at it. `now_ms`: instead of the database's clock, for tests."""
        until = time.monotonic() + budget_s
        done = 0
        connection = await self._db.connect(SUM_UP_DEADLINE_S)
        try:
            while time.monotonic() < until:
                upto = await connection.fetchval(
                    "SELECT statistics_sum_up(coalesce($1::timestamptz, clock_timestamp()) - $2 * interval '1 second')",
                    now_ms,
                    SETTLED_S,
                    timeout=SUM_UP_DEADLINE_S,
                )
                if upto is None:
                    break
                done += 1
        finally:
            await connection.close(timeout=CLOSE_S)
        return done

    async def start_anew(self) -> None:
        """Throw all sums away; `sum_up` makes them again from the log. Reports stay right meanwhile, and are slower."""
        async with self._db.transaction() as transaction:
            await transaction.execute("SELECT FROM statistics_mark FOR UPDATE")
            await transaction.execute("TRUNCATE statistics")
            await transaction.execute(
                """
                UPDATE statistics_mark SET upto = date_bin('15 minutes', coalesce(
                    (SELECT min(opened_at) FROM conversations), now()), timestamptz 'epoch')
                """
            )
