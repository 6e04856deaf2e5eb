"""How long agents were in which state (KS-18, GP-05).

What an agent chooses is written down by the database itself, with the change of their account; `away` (the server
counts them as offline, whatever they chose) is told here by who finds it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from protocol.ids import AccountId, ShopId
from server.store.database import Database
from server.store.statistics import By, Visible

State = Literal["online", "paused", "offline", "away"]

_NOW: Final = "date_trunc('milliseconds', clock_timestamp())"
_KEYS: Final = {
    "shop": "SELECT NULL::text, p.state, p.whole FROM part p",
    "agent": "SELECT p.account_id::text, p.state, p.whole FROM part p",
    # In each group for as long as they were in it then; in none for the rest.
    "group": """
        SELECT t.group_id::text, p.state, p.whole * tstzmultirange(tstzrange(t.joined_at, t.left_at))
        FROM part p JOIN group_terms t ON t.shop_id = $1 AND t.account_id = p.account_id
        UNION ALL
        SELECT NULL, p.state, p.whole - coalesce((
            SELECT range_agg(tstzrange(t.joined_at, t.left_at)) FROM group_terms t
            WHERE t.shop_id = $1 AND t.account_id = p.account_id
        ), '{}')
        FROM part p
    """,
}


@dataclass(frozen=True, slots=True)
class StateTime:
    """Milliseconds that those of one key spent in one state in one stretch of time, added up over them."""

    bucket: int
    key: str | None
    state: State
    ms: int


class AgentStates:
    """Reads them; and records who is away."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def away(self, shop_id: ShopId, accounts: Sequence[AccountId]) -> None:
        """From now on these are counted as offline, though they chose otherwise. Who is so already stays so."""
        await self._db.execute(
            f"""
            WITH ended AS (
                UPDATE agent_states SET ended_at = greatest({_NOW}, began_at)
                WHERE shop_id = $1 AND account_id = ANY ($2) AND ended_at IS NULL AND state IN ('online', 'paused')
                RETURNING account_id, ended_at
            )
            INSERT INTO agent_states (shop_id, account_id, state, began_at)
            SELECT $1, account_id, 'away', ended_at FROM ended
            """,
            shop_id,
            list(accounts),
        )

    async def back(self, shop_id: ShopId, account: AccountId) -> None:
        """There again: from now on what they chose holds. Who was not away is as they were."""
        await self._db.execute(
            f"""
            WITH ended AS (
                UPDATE agent_states SET ended_at = greatest({_NOW}, began_at)
                WHERE shop_id = $1 AND account_id = $2 AND ended_at IS NULL AND state = 'away'
                RETURNING account_id, ended_at
            )
            INSERT INTO agent_states (shop_id, account_id, state, began_at)
            SELECT $1, a.id, a.status, e.ended_at FROM ended e JOIN accounts a ON a.id = e.account_id
            """,
            shop_id,
            account,
        )

    async def times(
        self, shop_id: ShopId, edges_ms: Sequence[int], by: By, visible: Visible
    ) -> tuple[StateTime, ...]:
        """Who was how long in which state between neighbouring edges, up to now; bots left out. Nothing by order
        state: nobody is online for one."""
        if by == "order_state":
            return ()
        rows = await self._db.fetch(
            f"""
            WITH edge AS (
                SELECT u.nth - 1 AS bucket, u.at AS a, lead(u.at) OVER (ORDER BY u.nth) AS z
                FROM unnest($2::timestamptz[]) WITH ORDINALITY AS u(at, nth)
            ), part AS (
                SELECT s.account_id, s.state,
                    tstzmultirange(tstzrange(s.began_at, coalesce(s.ended_at, {_NOW}))) AS whole
                FROM agent_states s JOIN accounts a ON a.id = s.account_id AND NOT 'bot' = ANY (a.roles)
                WHERE s.shop_id = $1 AND ($3::uuid[] IS NULL OR s.account_id = ANY ($3))
                    AND s.began_at < ($2::timestamptz[])[cardinality($2::timestamptz[])]
                    AND coalesce(s.ended_at, 'infinity'::timestamptz) > ($2::timestamptz[])[1]
                    AND (s.ended_at IS NOT NULL OR s.began_at < {_NOW})
            ), keyed(key, state, during) AS ({_KEYS[by]}), cut AS (
                SELECT e.bucket, k.key, k.state, unnest(k.during * tstzmultirange(tstzrange(e.a, e.z))) AS piece
                FROM keyed k JOIN edge e ON e.z IS NOT NULL AND k.during && tstzrange(e.a, e.z)
            )
            SELECT bucket, key, state,
                sum(round(extract(epoch FROM upper(piece) - lower(piece)) * 1000))::bigint AS ms
            FROM cut GROUP BY bucket, key, state ORDER BY bucket, key NULLS FIRST, state
            """,
            shop_id,
            list(edges_ms),
            None if visible.agents is None else sorted(visible.agents),
        )
        return tuple(StateTime(row["bucket"], row["key"], row["state"], row["ms"]) for row in rows)
