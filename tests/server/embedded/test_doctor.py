"""Checks and errors say what is missing and what to do, and work before anything is installed."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from server.embedded import accounts, binaries, doctor
from server.embedded.binaries import find_postgres, find_redis
from server.embedded.errors import EmbeddedServerError
from server.embedded.missing import missing
from server.embedded.ports import HIGHEST, LOWEST, free_port

CHECKOUT: Final = Path(__file__).resolve().parents[3]


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither installed servers nor wheels."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "DEBIAN_POSTGRES", tmp_path)
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda _name: None)


def fake_program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


@pytest.mark.usefixtures("bare_machine")
def test_a_bare_machine_is_told_what_to_do() -> None:
    with pytest.raises(EmbeddedServerError, match="PostgreSQL server programs") as postgres:
        find_postgres()
    assert "apt-get install postgresql" in postgres.value.mend
    assert "requirements/embedded.txt" in postgres.value.mend
    assert "POINTSMAN_DATABASE_URL" in postgres.value.mend
    with pytest.raises(EmbeddedServerError, match="No installed redis-server") as redis:
        find_redis("installed")
    assert "requirements/embedded.txt" not in redis.value.mend
    assert missing("", "") == ["postgresql", "redis"]
    assert missing("postgresql://db/x", "") == ["redis"]
    lacking = {check.name for check in doctor.examine(CHECKOUT) if check.needed and not check.ok}
    assert {"PostgreSQL", "Redis", "server wheels", "libraries"} <= lacking


@pytest.mark.usefixtures("bare_machine")
def test_the_highest_installed_version_is_taken_and_old_ones_are_not(tmp_path: Path) -> None:
    for major in (9, 13, 15, 16):
        for name in ("postgres", "initdb"):
            fake_program(
                tmp_path / str(major) / "bin", name, f"{name} (PostgreSQL) {major}.2 (Debian {major}.2-1)"
            )
    assert find_postgres().version == (16, 2)
    fake_program(tmp_path, "redis-server", "Redis server v=6.2.7 sha=0 malloc=jemalloc bits=64")
    with pytest.raises(EmbeddedServerError, match=r"7\.0 or newer"):
        find_redis()
    fake_program(tmp_path, "valkey-server", "Valkey server v=8.1.0 sha=0 malloc=jemalloc bits=64")
    assert str(find_redis()) == f"Valkey 8.1.0 (installed, {tmp_path / 'valkey-server'})"


def test_root_without_an_account_to_become_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts.os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "CANDIDATES", ("nobody-by-that-name",))
    with pytest.raises(EmbeddedServerError, match="refuses to run as root"):
        accounts.server_account()


def test_a_taken_port_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        check = doctor.loopback_port(port)
        assert not check.ok
        assert str(port) in check.mend
    assert LOWEST <= free_port() < HIGHEST


def test_runs_on_the_bare_standard_library() -> None:
    # -S: no site-packages, as before the first installation.
    started_as = (
        f"import runpy, sys; sys.path.insert(0, '.'); runpy.run_module('{doctor.__name__}', None, '__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", started_as],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 1
    assert "LACK libraries" in done.stdout
    assert "make setup" in done.stdout
