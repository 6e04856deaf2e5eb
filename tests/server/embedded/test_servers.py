"""Private servers start, answer, stop, come back with their data, and leave nothing behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from server.embedded import servers
from server.embedded.accounts import server_account
from server.embedded.binaries import Prefer
from server.embedded.clean import clean
from server.embedded.errors import EmbeddedServerError
from server.embedded.workspace import is_running


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.req("PF-02")
async def test_start_answer_stop(prefer: Prefer) -> None:
    async with await servers.start(prefer=prefer, durable=False) as running:
        assert running.postgres is not None
        assert running.redis is not None
        pids = [running.postgres.pid, running.redis.pid]
        assert await ask(running.database_url, "SELECT current_database()") == "pointsman"
        assert (
            await ask(running.database_url, "SELECT lower('ÄÖ') || current_setting('server_encoding')")
            == "äöUTF8"
        )
        assert await ask(running.database_url, "SELECT current_setting('synchronous_commit')") == "on"
        async with Redis.from_url(running.redis_url) as client:
            assert await client.ping()
        assert all(is_running(pid) for pid in pids)
        wanted = "wheel" if prefer == "wheels" else "installed"
        assert all(wanted in line for line in running.describe())
        folder = running.postgres.data.parent.parent
    assert not any(is_running(pid) for pid in pids)
    assert not folder.exists()


async def test_servers_never_run_as_root(prefer: Prefer) -> None:
    async with await servers.start(prefer=prefer, durable=False) as running:
        assert running.postgres is not None
        assert running.redis is not None
        account = server_account()
        expected = account.uid if account is not None else os.geteuid()
        assert expected != 0
        assert [Path(f"/proc/{pid}").stat().st_uid for pid in (running.postgres.pid, running.redis.pid)] == [
            expected
        ] * 2


async def test_a_kept_folder_survives_and_is_durable(prefer: Prefer, state: Path) -> None:
    async with await servers.start(state_dir=state, prefer=prefer) as running:
        assert await ask(running.database_url, "SELECT current_setting('fsync')") == "on"
        await ask(running.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
        async with Redis.from_url(running.redis_url) as client:
            await client.set("kept", "7")
    async with await servers.start(state_dir=state, prefer=prefer) as running:
        assert await ask(running.database_url, "SELECT number FROM kept") == 7
        async with Redis.from_url(running.redis_url) as client:
            assert await client.get("kept") == b"7"
    assert "is deleted" in clean(state)
    assert not state.exists()


async def test_a_folder_serves_one_run_at_a_time(state: Path) -> None:
    async with await servers.start(state_dir=state, durable=False) as running:
        with pytest.raises(EmbeddedServerError, match=f"in use by another run \\(process {os.getpid()}\\)"):
            await servers.start(state_dir=state)
        with pytest.raises(EmbeddedServerError, match="running"):
            clean(state)
        assert await ask(running.database_url, "SELECT 1") == 1


async def test_a_stale_pid_file_does_not_block(state: Path, prefer: Prefer) -> None:
    async with await servers.start(state_dir=state, prefer=prefer) as running:
        assert running.postgres is not None
        data = running.postgres.data
    # The id of a killed run's server belongs to another program by now: to us.
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    async with await servers.start(state_dir=state, prefer=prefer) as running:
        assert await ask(running.database_url, "SELECT 1") == 1


@pytest.mark.parametrize(
    ("marker", "text", "said"), [("postgres", "9\n", "PostgreSQL 9"), ("redis", "Redis 3", "Redis 3")]
)
async def test_data_of_another_version_is_refused(state: Path, marker: str, text: str, said: str) -> None:
    async with await servers.start(state_dir=state, durable=False) as running:
        assert running.postgres is not None
        assert running.redis is not None
        files = {"postgres": running.postgres.data / "PG_VERSION", "redis": running.redis.data / "VERSION"}
    files[marker].write_text(text)
    with pytest.raises(EmbeddedServerError, match=f"made by {said}") as refusal:
        await servers.start(state_dir=state)
    assert "make clean-dev" in refusal.value.mend


async def test_given_servers_are_left_alone() -> None:
    # Nobody listens there, and nobody minds: a given server is not even asked.
    database, redis = "postgresql://me:secret@db.invalid/shop", "redis://:secret@redis.invalid/3"
    async with await servers.start(database_url=database, redis_url=redis) as running:
        assert (running.database_url, running.redis_url) == (database, redis)
        assert running.postgres is None
        assert running.redis is None
        assert running.describe() == [
            "PostgreSQL given: postgresql://db.invalid/shop",
            "Redis given: redis://redis.invalid/3",
        ]


async def test_one_given_one_started() -> None:
    async with await servers.start(database_url="postgresql://db.invalid/shop") as running:
        assert running.postgres is None
        async with Redis.from_url(running.redis_url) as client:
            assert await client.ping()


async def test_a_stranger_is_not_let_in() -> None:
    async with await servers.start(durable=False) as running:
        parts = urlsplit(running.database_url)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(parts._replace(netloc=f"pointsman:guess@127.0.0.1:{parts.port}").geturl())
        with socket.create_connection(("127.0.0.1", urlsplit(running.redis_url).port or 0)) as link:
            link.sendall(b"PING\r\n")
            assert link.recv(100).startswith(b"-NOAUTH")
