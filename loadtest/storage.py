"""How much of PostgreSQL a run's rows take, each: what a deployment grows by, for docs/growing.md."""

from typing import Final

import asyncpg

TABLES: Final = ("messages", "decisions", "conversations", "customers")
"""those that grow with the work"""


async def bytes_each(database_url: str) -> dict[str, int]:
    """Table -> bytes a row, with its indexes and its long values; a table without rows is left out.

    Pages count whole, so few rows look large: ask after a run. Raises OSError, asyncpg.PostgresError.
    """
    database = await asyncpg.connect(database_url)
    try:
        sizes: dict[str, int] = {}
        for table in TABLES:
            rows = int(await database.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608  a name of ours
            if rows:
                size = int(await database.fetchval("SELECT pg_total_relation_size($1::regclass)", table))
                sizes[table] = size // rows
        return sizes
    finally:
        await database.close()
