"""Who is asked into which conversation. Written by `change_roster` (`server.store.participants`) alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from protocol.ids import AccountId, ConversationId, GroupId, ShopId
from server.store.customer_columns import customer_columns, customer_from
from server.store.database import Database, Row
from server.store.rows import CustomerRow

SHOWN_MOST: Final = 200
"""Open invitations of one person that are shown."""


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An open invitation. Milliseconds since 1970 UTC. `by` None: a rule of the shop, or somebody who has left it."""

    conversation_id: ConversationId
    account_id: AccountId
    by: AccountId | None
    group_id: GroupId | None
    reason: str
    at_ms: int
    expires_ms: int
    priority: int
    """of the conversation"""
    customer: CustomerRow


_INVITATION: Final = f"""
    SELECT i.conversation_id, i.account_id, i.by, i.group_id, i.reason, i.at, i.expires_at, c.priority,
        {customer_columns("u")}
    FROM invitations i JOIN conversations c ON c.id = i.conversation_id JOIN customers u ON u.id = c.customer_id
    WHERE i.shop_id = $1 AND i.expires_at > clock_timestamp() AND {{where}}
    ORDER BY i.at, i.conversation_id, i.account_id {{limit}}
"""
_BEFORE_CUSTOMER: Final = 8


class Invitations:
    """Invitations of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_account(self, shop_id: ShopId, account_id: AccountId) -> tuple[InvitationRow, ...]:
        """What somebody is asked into now, oldest first."""
        sql = _INVITATION.format(where="i.account_id = $2", limit=f"LIMIT {SHOWN_MOST}")
        return tuple(_invitation(row) for row in await self._db.fetch(sql, shop_id, account_id))

    async def of_conversation(
        self, shop_id: ShopId, conversation_id: ConversationId
    ) -> tuple[InvitationRow, ...]:
        """Who is asked into a conversation now, oldest first."""
        sql = _INVITATION.format(where="i.conversation_id = $2", limit="")
        return tuple(_invitation(row) for row in await self._db.fetch(sql, shop_id, conversation_id))

    async def asked_ever(
        self, conversations: Iterable[ConversationId]
    ) -> dict[ConversationId, set[AccountId]]:
        """Who was ever asked into each of these, as their logs tell; into the others nobody was."""
        rows = await self._db.fetch(
            """
            SELECT m.conversation_id, w.who ->> 'id' AS account_id
            FROM messages m CROSS JOIN LATERAL jsonb_array_elements(m.body #> '{data,who}') AS w(who)
            WHERE m.conversation_id = ANY ($1) AND m.sender_kind = 'system' AND m.visibility = 'internal'
                AND m.body ->> 'event' = 'invited'
            """,
            list(conversations),
        )
        asked: dict[ConversationId, set[AccountId]] = {}
        for row in rows:
            asked.setdefault(row["conversation_id"], set()).add(row["account_id"])
        return asked

    async def overdue(self, limit: int = 200) -> tuple[tuple[ShopId, ConversationId], ...]:
        """Conversations of all shops with an invitation whose time is over."""
        rows = await self._db.fetch(
            """
            SELECT DISTINCT i.shop_id, i.conversation_id FROM invitations i JOIN shops s ON s.id = i.shop_id
            WHERE i.expires_at <= clock_timestamp() AND s.status = 'active' LIMIT $1
            """,
            limit,
        )
        return tuple((row["shop_id"], row["conversation_id"]) for row in rows)


def _invitation(row: Row) -> InvitationRow:
    values: tuple[Any, ...] = tuple(row.values())
    return InvitationRow(*values[:_BEFORE_CUSTOMER], customer=customer_from(values[_BEFORE_CUSTOMER:]))
