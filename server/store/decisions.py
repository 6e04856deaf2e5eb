"""The history of assignment: every routing decision of a conversation, with what was tried (KS-22)."""

from dataclasses import dataclass
from typing import Any

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, ShopId
from router.model import Change, Decision, Tried
from server.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class Past:
    """Whether somebody owned a conversation once, and whether it ever waited."""

    owned: bool
    waited: bool


class Decisions:
    """Decisions as they were recorded by `Log.append`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_conversation(self, shop_id: ShopId, conversation_id: ConversationId) -> tuple[Decision, ...]:
        """All decisions about a conversation, oldest first; none when there is no such conversation in the shop."""
        rows = await self._db.fetch(
            "SELECT * FROM decisions WHERE shop_id = $1 AND conversation_id = $2 ORDER BY rev",
            shop_id,
            conversation_id,
        )
        return tuple(_decision(row) for row in rows)

    async def past(self, shop_id: ShopId, conversation_id: ConversationId, account: AccountId) -> Past:
        """What of a conversation's past concerns somebody who has it no longer, or never had it."""
        row = await self._db.fetchrow(
            """
            SELECT coalesce(bool_or(owner = $3), false) AS owned, coalesce(bool_or(change = 'queued'), false) AS waited
            FROM decisions WHERE shop_id = $1 AND conversation_id = $2
            """,
            shop_id,
            conversation_id,
            account,
        )
        assert row is not None, "an aggregate has one row"
        return Past(row["owned"], row["waited"])

    async def heads(self, shop_id: ShopId, pool: str, since_ms: int, most: int) -> tuple[int, ...]:
        """For each of the last customers who were taken from the pool since then, newest first: the milliseconds that
        they were its first, which is since they came, or since the one before them was taken."""
        rows = await self._db.fetch(
            """
            SELECT taken.at - greatest(taken.arrived_at, lag(taken.at) OVER (ORDER BY taken.at)) AS head FROM (
                SELECT d.at, q.at AS arrived_at FROM decisions d
                CROSS JOIN LATERAL (
                    SELECT b.change, b.pool, b.at FROM decisions b
                    WHERE b.conversation_id = d.conversation_id AND b.rev < d.rev ORDER BY b.rev DESC LIMIT 1
                ) q
                WHERE d.shop_id = $1 AND d.change = 'assigned' AND d.at >= $3 AND q.change = 'queued' AND q.pool = $2
                ORDER BY d.at DESC LIMIT $4
            ) taken ORDER BY taken.at DESC
            """,
            shop_id,
            pool,
            since_ms,
            most,
        )
        return tuple(round(row["head"].total_seconds() * 1000) for row in rows)


def _decision(row: Row) -> Decision:
    tried: list[dict[str, Any]] = row["tried"]
    return Decision(
        conversation=row["conversation_id"],
        rev=row["rev"],
        epoch=row["epoch"],
        change=Change(row["change"]),
        at_ms=row["at"],
        owner=row["owner"],
        previous_owner=row["previous_owner"],
        reason=None if row["reason"] is None else Reason(row["reason"]),
        pool=row["pool"],
        priority=row["priority"],
        arrived_ms=row["arrived_at"],
        place=row["place"],
        wrap_up_until_ms=row["wrap_up_until"],
        offline=row["offline"],
        by=row["by"],
        tried=tuple(
            Tried(
                Reason(step["tier"]),
                Reason(step["outcome"]),
                step["agent"],
                tuple(step["groups"]),
                step["pool"],
            )
            for step in tried
        ),
    )
