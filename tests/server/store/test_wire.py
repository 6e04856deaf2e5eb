"""How values travel: forms, and that a fresh connection knows them without asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from server.store.database import Database

ID = "01890000-0000-7000-8000-000000000000"
NIL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def link(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that was never used."""
    link = await Database(database_url).connect(5)
    yield link
    await link.close()


@pytest.mark.parametrize(
    ("kind", "given", "found"),
    [
        ("uuid", [ID, "made up"], [ID, NIL]),
        ("timestamptz", [0, 1_767_225_600_123], [0, 1_767_225_600_123]),
        ("smallint", [1, -2], [1, -2]),
        ("bigint", [2**40], [2**40]),
        ("text", ["a", "b"], ["a", "b"]),
        ("date", [], []),
    ],
)
async def test_arrays_have_the_forms_of_what_is_in_them_and_nothing_is_asked(
    link: asyncpg.Connection[asyncpg.Record], kind: str, given: list[Any], found: list[Any]
) -> None:
    asked: list[str] = []
    link.add_query_logger(lambda record: asked.append(record.query))
    statement = f"SELECT $1::{kind}[]"
    assert await link.fetchval(statement, given) == found
    await asyncio.sleep(0)  # loggers are told a turn of the loop later
    assert asked == [statement]
