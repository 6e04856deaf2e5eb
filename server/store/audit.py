"""The audit's rows. They are added and read, never changed."""

from typing import Any

from protocol.ids import ShopId, new_id
from server.store.database import Database


class AuditStore:
    """The audit of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self,
        shop_id: ShopId,
        *,
        actor_kind: str,
        actor_id: str,
        actor_name: str,
        action: str,
        subject_kind: str,
        subject_id: str,
        outcome: str,
        reason: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
        source: dict[str, str],
    ) -> None:
        """One more row."""
        await self._db.execute(
            """
            INSERT INTO audit (
                id, shop_id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, outcome, reason,
                before, after, source
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            new_id(),
            shop_id,
            actor_kind,
            actor_id,
            actor_name,
            action,
            subject_kind,
            subject_id,
            outcome,
            reason,
            before,
            after,
            source,
        )
