"""When the nodes last heard from Redis: the second opinion of one that hears nothing (ADR 24). And where the database
stood then, which tells what a dead node may have told nobody of (ADR 27)."""

from typing import Final

from server.store.database import Database

_NOTE: Final = """
    WITH old AS (DELETE FROM node_contacts WHERE at < clock_timestamp() - interval '1 day' AND node <> $1)
    INSERT INTO node_contacts AS n (node, at, since, mark, marked_at)
    VALUES ($1, clock_timestamp(), pg_current_xact_id(), pg_current_xact_id(), clock_timestamp())
    ON CONFLICT (node) DO UPDATE SET at = excluded.at, (since, mark, marked_at) = (
        SELECT
            CASE WHEN due THEN coalesce(n.mark, excluded.mark) ELSE n.since END,
            CASE WHEN due THEN excluded.mark ELSE n.mark END,
            CASE WHEN due THEN excluded.marked_at ELSE n.marked_at END
        FROM (SELECT coalesce(n.marked_at < excluded.at - make_interval(secs => $2), true) AS due) k
    )
"""
"""Those who have not heard for a day are forgotten."""


def written_since(row: str, parameter: int) -> str:
    """The condition that this row was written or changed in or after the transaction that the parameter names (as
    `Contacts.since` gives it; null: none was). PostgreSQL stamps every version of a row: no table needs a column for
    it, and no write pays."""
    return f"age({row}.xmin) <= age(xid(${parameter}::text::xid8))"


class Contacts:
    """One row per node, by the database's clock. `kept_s`: how long before its last contact a node may have written
    what nobody was told of."""

    def __init__(self, db: Database, *, kept_s: int) -> None:
        self._db = db
        self._kept_s = kept_s

    async def note(self, node: str) -> None:
        """This node has heard from Redis just now."""
        await self._db.execute(_NOTE, node, self._kept_s)

    async def since(self, node: str) -> str | None:
        """A transaction `kept_s` to about twice that before this node's last contact, or its first one. None: nothing
        is known of the node."""
        row = await self._db.fetchrow("SELECT since::text FROM node_contacts WHERE node = $1", node)
        return None if row is None else row["since"]

    async def others(self, node: str, within_s: float) -> bool:
        """Whether any other node has heard from Redis within that time."""
        row = await self._db.fetchrow(
            "SELECT FROM node_contacts WHERE node <> $1 AND at > clock_timestamp() - make_interval(secs => $2) LIMIT 1",
            node,
            within_s,
        )
        return row is not None
