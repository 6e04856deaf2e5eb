"""The load test's own servers: both answer, and both end when whoever asked for them has closed the door."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asyncpg
from redis import Redis

from loadtest.stage.servers import Servers


async def test_both_servers_answer_and_end_with_the_standard_input(tmp_path: Path) -> None:
    servers = await Servers.start(tmp_path)
    connection = await asyncpg.connect(servers.database_url)
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.close()
    with Redis.from_url(servers.redis_url) as redis:
        assert redis.config_get("appendonly") == {"appendonly": "yes"}
    assert [name.partition(" ")[0] for name in servers.names] in (
        ["PostgreSQL", "Redis"],
        ["PostgreSQL", "Valkey"],
    )

    await servers.stop()

    assert not any(Path(f"/proc/{pid}").exists() for pid in (servers.postgres_pid, servers.redis_pid))


def test_other_programs_than_there_are_cannot_be_asked_for() -> None:
    command = [sys.executable, "-m", "server.embedded", "docker"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "usage: python -m server.embedded [auto|installed|wheels]" in done.stderr
