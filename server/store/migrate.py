"""Brings a database to the newest schema.

Alembic keeps the steps and writes their SQL; this module gives it to PostgreSQL over the same driver as
everything else, in one transaction under an advisory lock: several nodes may start at once, and a step that
fails leaves nothing behind.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

LOCK: Final = 0x706F696E7473  # any number, the same for all nodes
OLDEST_POSTGRES: Final = 15
BEFORE_ALL: Final = "base"
CONNECT_TIMEOUT_S: Final = 30


class MigrationError(Exception):
    """The database cannot be brought to this program's schema; the text says what to do."""


async def migrate(url: str) -> list[str]:
    """Apply the steps that `url`'s database lacks, and name them. Repeating it is harmless, also at the same time.

    Raises `MigrationError` for a PostgreSQL that is too old, or a schema newer than this program.
    """
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            version = connection.get_server_version()
            if version.major < OLDEST_POSTGRES:
                raise MigrationError(
                    f"PostgreSQL {version.major} is too old: {OLDEST_POSTGRES} or later is needed."
                )
            now = await _applied(connection)
            missing = _after(now)
            if missing:
                await connection.execute(script(now))
    finally:
        await connection.close()
    return missing


def steps() -> list[str]:
    """Every step of this program, oldest first."""
    return _after(BEFORE_ALL)


def script(after: str = BEFORE_ALL) -> str:
    """The SQL of all steps after `after`, for those who apply migrations by hand."""
    config = _config()
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{after}:head", sql=True)
    return config.output_buffer.getvalue()


def _config() -> Config:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _after(revision: str) -> list[str]:
    directory = ScriptDirectory.from_config(_config())
    known = [step.revision for step in directory.walk_revisions()][::-1]
    if revision == BEFORE_ALL:
        return known
    if revision not in known:
        raise MigrationError(
            f"The database is at step {revision}, which this program does not know: it is older than the schema."
        )
    return known[known.index(revision) + 1 :]


async def _applied(connection: asyncpg.Connection[asyncpg.Record]) -> str:
    if await connection.fetchval("SELECT to_regclass('alembic_version') IS NULL"):
        return BEFORE_ALL
    return await connection.fetchval("SELECT version_num FROM alembic_version") or BEFORE_ALL
