"""What stands in lists that are open somewhere: which of it changed, and what is new at their head."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from protocol.ids import ConversationId, ShopId
from server.store.database import Database
from server.store.rows import ConversationView
from server.store.view_columns import VIEW, view_from
from server.store.within import Within, reached

AMONG: Final = 1000
"""What somebody with a short reach has in sight is looked for among so many, not among all that ever were."""


@dataclass(frozen=True, slots=True)
class Mark:
    """By which somebody tells whether a conversation changed: its revision, and the end of its log."""

    rev: int
    head_seq: int


class Followed:
    """Each is one query over the keys of conversations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def marks(
        self, shop_id: ShopId, conversation_ids: Collection[ConversationId], within: Within
    ) -> dict[ConversationId, Mark]:
        """How these stand now; those that somebody does not reach are left out."""
        rows = await self._db.fetch(
            f"""
            SELECT c.id, c.rev, c.head_seq FROM conversations c
            WHERE c.shop_id = $1 AND c.id = ANY ($2) AND {reached(3)}
            """,
            shop_id,
            list(conversation_ids),
            *within.args,
        )
        return {row["id"]: Mark(row["rev"], row["head_seq"]) for row in rows}

    async def newest(self, shop_id: ShopId, within: Within, *, most: int) -> dict[ConversationId, Mark]:
        """The newest `most` that somebody reaches among the `AMONG` newest of the shop."""
        rows = await self._db.fetch(
            f"""
            SELECT c.id, c.rev, c.head_seq
            FROM (SELECT * FROM conversations WHERE shop_id = $1 ORDER BY id DESC LIMIT {AMONG}) c
            WHERE {reached(3)} ORDER BY c.id DESC LIMIT $2
            """,
            shop_id,
            most,
            *within.args,
        )
        return {row["id"]: Mark(row["rev"], row["head_seq"]) for row in rows}

    async def views(
        self, shop_id: ShopId, conversation_ids: Collection[ConversationId], within: Within
    ) -> dict[ConversationId, ConversationView]:
        """Those of these that somebody reaches, as a list shows them."""
        rows = await self._db.fetch(
            VIEW.format(where=f"c.shop_id = $1 AND c.id = ANY ($3) AND {reached(4)}", order=""),
            shop_id,
            False,
            list(conversation_ids),
            *within.args,
        )
        views = (view_from(row) for row in rows)
        return {view.conversation.id: view for view in views}
