"""Running collaborations (CO-09): conversations in which somebody takes part beside the owner."""

from dataclasses import dataclass
from typing import Final

from protocol.ids import AccountId, ShopId
from server.store.database import Database
from server.store.rows import ConversationView
from server.store.view_columns import VIEW, view_from

RUNNING_MOST: Final = 200
"""Most collaborations that anybody is shown at once."""
_SAID: Final = """(
    SELECT m.created_at FROM messages m
    WHERE m.conversation_id = c.id AND NOT (
        m.sender_kind = 'system' AND m.body ->> 'event' IN ('alarm_raised', 'rule_applied')
    )
    ORDER BY m.seq DESC LIMIT 1
)"""
"""When somebody last did something in it."""


@dataclass(frozen=True, slots=True)
class RunningRow:
    """A running collaboration. Milliseconds since 1970 UTC."""

    view: ConversationView
    began_ms: int
    last_activity_ms: int


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """What an account did in collaborations in a stretch of time."""

    account_id: AccountId
    joined: int
    """conversations of others in which they took part (watching is not taking part)"""
    items_done: int
    median_s: float | None
    """from an item's adding to its end"""


class Collaborations:
    """Running collaborations of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def running(
        self,
        shop_id: ShopId,
        limit: int = RUNNING_MOST,
        *,
        owners: tuple[AccountId, ...] | None = None,
        me: AccountId | None = None,
    ) -> tuple[RunningRow, ...]:
        """The longest quiet first. `owners`: only those of these, those in which `me` takes part or watches, and those
        that wait for an owner (their reach is the caller's to judge); None: all of the shop."""
        rows = await self._db.fetch(
            VIEW.format(
                where=f"""c.shop_id = $1 AND c.collaboration_since IS NOT NULL AND c.state <> 'closed'
                AND ($3::uuid[] IS NULL OR c.owner_id IS NULL OR c.owner_id = ANY ($3)
                    OR $4 = ANY (c.collaborators || c.supervisors || c.watchers))
                ORDER BY greatest({_SAID}, c.collaboration_since), c.id""",
                order="LIMIT $5",
            ),
            shop_id,
            False,
            owners,
            me,
            limit,
        )
        views = tuple(view_from(row) for row in rows)
        activity = await self._activity(views)
        found: list[RunningRow] = []
        for view in views:
            began_ms = view.conversation.collaboration_since_ms
            assert began_ms is not None, "the query says so"
            found.append(RunningRow(view, began_ms, max(began_ms, activity.get(view.conversation.id, 0))))
        return tuple(found)

    async def figures(
        self, shop_id: ShopId, from_ms: int, to_ms: int, *, accounts: tuple[AccountId, ...] | None
    ) -> tuple[FiguresRow, ...]:
        """By account, the busiest first: in how many conversations they began to take part, and how many items were
        finished (an item counts for its owner; one without, for who finished it), from `from_ms` up to `to_ms`."""
        rows = await self._db.fetch(
            """
            WITH joined AS (
                SELECT p.account_id AS account, count(DISTINCT p.conversation_id) AS n FROM participations p
                WHERE p.shop_id = $1 AND p.joined_at >= $2 AND p.joined_at < $3 AND p.role <> 'watcher'
                GROUP BY p.account_id
            ), done AS (
                SELECT
                    coalesce(i.owner_id, i.done_by) AS account, count(*) AS n,
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM i.done_at - i.created_at)) AS median
                FROM items i
                WHERE i.shop_id = $1 AND i.done_at >= $2 AND i.done_at < $3 AND i.done AND i.removed_at IS NULL
                GROUP BY 1
            )
            SELECT account, coalesce(j.n, 0) AS joined, coalesce(d.n, 0) AS items_done, d.median::float8 AS median_s
            FROM joined j FULL JOIN done d USING (account)
            WHERE $4::uuid[] IS NULL OR account = ANY ($4)
            ORDER BY coalesce(j.n, 0) DESC, coalesce(d.n, 0) DESC, account
            """,
            shop_id,
            from_ms,
            to_ms,
            accounts,
        )
        return tuple(
            FiguresRow(row["account"], row["joined"], row["items_done"], row["median_s"]) for row in rows
        )

    async def _activity(self, views: tuple[ConversationView, ...]) -> dict[str, int]:
        rows = await self._db.fetch(
            f"SELECT c.id, {_SAID} AS at FROM unnest($1::uuid[]) AS c(id)",
            [view.conversation.id for view in views],
        )
        return {row["id"]: row["at"] for row in rows if row["at"] is not None}
