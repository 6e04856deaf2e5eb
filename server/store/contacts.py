"""When the nodes last heard from Redis: the second opinion of one that hears nothing (ADR 24)."""

from server.store.database import Database


class Contacts:
    """One row per node, by the database's clock."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def note(self, node: str) -> None:
        """This node has heard from Redis just now. Those who have not for a day are forgotten."""
        await self._db.execute(
            """
            WITH old AS (DELETE FROM node_contacts WHERE at < clock_timestamp() - interval '1 day' AND node <> $1)
            INSERT INTO node_contacts (node, at) VALUES ($1, clock_timestamp())
            ON CONFLICT (node) DO UPDATE SET at = clock_timestamp()
            """,
            node,
        )

    async def others(self, node: str, within_s: float) -> bool:
        """Whether any other node has heard from Redis within that time."""
        row = await self._db.fetchrow(
            "SELECT FROM node_contacts WHERE node <> $1 AND at > clock_timestamp() - make_interval(secs => $2) LIMIT 1",
            node,
            within_s,
        )
        return row is not None
