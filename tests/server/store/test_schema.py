"""Migrations: once, twice, at the same time; and what the schema itself refuses."""

import asyncio

import asyncpg
import pytest

from protocol.ids import AccountId, new_id
from server.store.database import Database
from server.store.migrate import MigrationError, migrate, script, steps
from tests.server.store.world import World


async def test_a_new_database_gets_every_step_and_the_second_time_none(database_url: str) -> None:
    assert await migrate(database_url) == steps()
    assert await migrate(database_url) == []


async def test_five_nodes_starting_at_once_migrate_once(database_url: str) -> None:
    done = await asyncio.gather(*(migrate(database_url) for _ in range(5)))
    assert sorted(done) == [[], [], [], [], steps()]


async def test_a_step_that_fails_leaves_nothing_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = script() + "CREATE TABLE broken (id nonsense);"
    monkeypatch.setattr("server.store.migrate.script", lambda after: broken)
    with pytest.raises(asyncpg.UndefinedObjectError):
        await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_a_schema_newer_than_the_program_is_left_alone(database_url: str) -> None:
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(MigrationError, match="older than the schema"):
        await migrate(database_url)


async def test_migrating_works_from_any_folder(
    database_url: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert await migrate(database_url) == steps()


async def test_every_foreign_key_has_an_index_to_go_back_by(migrated_database_url: str) -> None:
    connection = await asyncpg.connect(migrated_database_url)
    missing = await connection.fetch(
        """
        SELECT c.conname FROM pg_constraint c
        WHERE c.contype = 'f' AND c.confdeltype = 'c' AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = ANY (c.conkey)
        )
        """
    )
    await connection.close()
    assert [row["conname"] for row in missing] == []


@pytest.mark.req("I5")
async def test_the_schema_itself_keeps_shops_apart(world: World, db: Database) -> None:
    other = await World.make(db)
    for owner, customer in ((AccountId(other.ann), world.cara), (world.ann, await other.customer())):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await db.execute(
                "UPDATE conversations SET owner_id = $2, owner_kind = 'agent', customer_id = $3 WHERE id = $1",
                world.talk,
                owner,
                customer,
            )


async def test_a_customer_cannot_have_two_open_conversations(world: World, db: Database) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.execute(
            """
            INSERT INTO conversations (id, shop_id, customer_id, state, order_state, opened_at, arrived_at)
            VALUES ($1, $2, $3, 'queued', 'trade_done', now(), now())
            """,
            new_id(),
            world.shop,
            world.cara,
        )
