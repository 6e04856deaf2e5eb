"""The whole check on a real PostgreSQL: every way from a row or a line to a violation."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from loadtest.checker import Verdict, check
from tests.loadtest.checker.made_up import make_up

CONVERSATIONS = 6
MESSAGES = 8


@pytest.fixture
async def journal(migrated_database_url: str, tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    await make_up(migrated_database_url, path, conversations=CONVERSATIONS, messages=MESSAGES)
    return path


async def lie(database_url: str, statement: str) -> None:
    db = await asyncpg.connect(database_url)
    try:
        await db.execute(statement)
    finally:
        await db.close()


def broken(verdict: Verdict) -> set[str]:
    assert not verdict.holds
    return set(verdict.broken)


@pytest.mark.req("PF-05")
async def test_nothing_is_wrong_with_what_went_well(migrated_database_url: str, journal: Path) -> None:
    verdict = await check([journal], migrated_database_url, live={"made-up": {"I3": 0}})
    assert verdict.violations == []
    assert verdict.holds
    assert verdict.checked == {
        "conversations": CONVERSATIONS,
        "decisions": 2 * CONVERSATIONS,
        "sent": CONVERSATIONS * MESSAGES,
        "acked": CONVERSATIONS * MESSAGES,
        "given": CONVERSATIONS * (MESSAGES + 2) * 2,
        "faults": 0,
    }


ONE = "(SELECT id FROM conversations ORDER BY id LIMIT 1)"


OTHER_WORDS = 'UPDATE messages SET body = body || \'{"text": "no"}\''
EXCLUDED = """
    INSERT INTO audit (
        id, shop_id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, outcome, reason, after, source
    )
    SELECT gen_random_uuid(), shop_id, 'system', '', '', 'accounts.changed', 'account', id, 'done', '',
        '{"excluded": true}', '{}'
    FROM accounts
"""
NEVER_CLOSED = "UPDATE decisions SET at = at + interval '1 hour' WHERE change = 'closed'"


@pytest.mark.parametrize(
    ("statement", "invariants"),
    [
        (f"DELETE FROM messages WHERE conversation_id = {ONE} AND seq = 4", {"I1", "I2"}),
        (f"{OTHER_WORDS} WHERE conversation_id = {ONE} AND seq = 4", {"I1"}),
        (f"UPDATE conversations SET head_seq = head_seq + 1 WHERE id = {ONE}", {"I2"}),
        (f"UPDATE conversations SET assign_epoch = 2 WHERE id = {ONE}", {"I3"}),
        ("UPDATE decisions SET change = 'queued', owner = NULL WHERE change = 'assigned'", {"I3"}),
        (EXCLUDED, {"I9"}),
        ("UPDATE agent_states SET state = 'offline'", {"I9"}),
        (f"{NEVER_CLOSED}; UPDATE accounts SET capacity = 1", {"I4"}),
    ],
    ids=["lost", "other words", "head", "epoch", "owner", "excluded", "offline", "too many"],
)
@pytest.mark.req("PF-05")
async def test_a_row_that_lies_is_found(
    migrated_database_url: str, journal: Path, statement: str, invariants: set[str]
) -> None:
    await lie(migrated_database_url, statement)
    assert broken(await check([journal], migrated_database_url)) == invariants


@pytest.mark.req("PF-05")
async def test_one_delivery_of_all_that_is_missing_is_found(
    migrated_database_url: str, journal: Path
) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    given = [index for index, line in enumerate(lines) if line.startswith(b'["given"')]
    del lines[given[len(given) // 2]]
    journal.write_bytes(b"".join(lines))
    # What came after it is not in its place, and one is missing.
    assert (await check([journal], migrated_database_url)).broken == {"I1": 2}


@pytest.mark.req("PF-05")
async def test_a_conversation_that_nobody_stored_is_found(migrated_database_url: str, journal: Path) -> None:
    await lie(migrated_database_url, f"DELETE FROM conversations WHERE id = {ONE}")
    assert (await check([journal], migrated_database_url)).broken == {"I1": 1}


@pytest.mark.req("PF-05", "PF-03")
async def test_the_id_of_another_shop_is_found(migrated_database_url: str, journal: Path) -> None:
    db = await asyncpg.connect(migrated_database_url)
    try:
        account = await db.fetchval("SELECT id::text FROM accounts")
    finally:
        await db.close()
    with journal.open("ab") as lines:
        lines.write(f'["saw",0,"next door",["{account}"]]\n'.encode())
    assert (await check([journal], migrated_database_url)).broken == {"I5": 1}
