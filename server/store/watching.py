"""Who watches what, in all shops: for ending what has to end."""

from dataclasses import dataclass
from typing import Final

from protocol.ids import AccountId, ConversationId, ShopId
from server.store.database import Database

_WATCHING: Final = """
    SELECT p.shop_id, p.account_id, a.roles, a.disabled_at IS NOT NULL AS disabled,
        p.conversation_id, c.owner_id, c.pool
    FROM participations p
    JOIN accounts a ON a.shop_id = p.shop_id AND a.id = p.account_id
    JOIN conversations c ON c.id = p.conversation_id
    WHERE p.left_at IS NULL AND p.role = 'watcher'
    ORDER BY p.shop_id, p.account_id, p.joined_at
"""


@dataclass(frozen=True, slots=True)
class WatchedRow:
    """A watched conversation, as far as reach is judged by it."""

    id: ConversationId
    owner_id: AccountId | None
    pool: str | None


@dataclass(slots=True)
class Watcher:
    """Somebody who watches, and what."""

    account_id: AccountId
    roles: frozenset[str]
    disabled: bool
    watched: list[WatchedRow]


class Watched:
    """A read over all who watch."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def everybody(self) -> dict[ShopId, dict[AccountId, Watcher]]:
        """Everybody who watches something now; one query, over those who take part in something."""
        found: dict[ShopId, dict[AccountId, Watcher]] = {}
        for row in await self._db.fetch(_WATCHING):
            watchers = found.setdefault(row["shop_id"], {})
            account = row["account_id"]
            if account not in watchers:
                watchers[account] = Watcher(account, frozenset(row["roles"]), row["disabled"], [])
            watchers[account].watched.append(WatchedRow(row["conversation_id"], row["owner_id"], row["pool"]))
        return found
