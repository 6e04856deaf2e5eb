"""A command line on an empty database and an empty Redis."""

from __future__ import annotations

import asyncio

import pytest

from server.settings import load
from server.setup import Owner, Setup
from tests.command_line import SECRET, CommandLine, Here


@pytest.fixture
def pointsman(database_url: str, redis_url: str) -> CommandLine:
    """`pointsman` with settings that are sound, and nothing set up."""
    return CommandLine(database_url=database_url, redis_url=redis_url, secret=SECRET)


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """A command line without any setting."""
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET"):
        monkeypatch.delenv(f"POINTSMAN_{name}", raising=False)
    return Here(capsys, monkeypatch)


@pytest.fixture
def shop(here: Here, migrated_database_url: str, redis_url: str) -> Here:
    """A command line with the schema and the shop `acme`."""
    here.settings(database_url=migrated_database_url, redis_url=redis_url, secret=SECRET)

    async def make() -> None:
        async with Setup(load()) as setup:
            owner = Owner("boss@acme.example", "Boss", "correct horse battery")
            await setup.create_shop(slug="acme", name="Acme", owner=owner)

    asyncio.run(make())
    return here
