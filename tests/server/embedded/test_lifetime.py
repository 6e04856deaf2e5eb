"""Servers live as long as whoever started them, and run for root and for ordinary users."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from server.embedded.accounts import can_use, server_account
from server.embedded.binaries import Prefer
from server.embedded.clean import clean
from server.embedded.workspace import Workspace, is_running

CHECKOUT: Final = Path(__file__).resolve().parents[3]

# Starts servers, says who they are, and waits to be killed (or for its input to end).
STARTER: Final = """
import asyncio, sys
from pathlib import Path
from server.embedded import servers

async def main():
    state = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    running = await servers.start(state_dir=state, prefer=sys.argv[1], durable=False)
    print(running.postgres.pid, running.redis.pid, running.postgres.data, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await running.aclose()

asyncio.run(main())
"""


def eventually(true: Callable[[], bool], within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def starter(*arguments: str, python: str = sys.executable, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, "-c", STARTER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        **options,  # type: ignore[call-overload]
    )


def announced(process: subprocess.Popen[str]) -> tuple[list[int], Path]:
    assert process.stdout is not None
    postgres, redis, data = process.stdout.readline().split()
    return [int(postgres), int(redis)], Path(data)


def test_servers_end_with_a_parent_killed_with_minus_9(prefer: Prefer) -> None:
    with starter(prefer) as process:
        pids, data = announced(process)
        assert all(is_running(pid) for pid in pids)
        process.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(is_running(pid) for pid in pids))
    # In good order: PostgreSQL removes its pid file at the end of a clean stop.
    assert not (data / "postmaster.pid").exists()
    # And the next start tidies the folder up.
    Workspace.temporary().release()
    assert not data.exists()


def test_the_next_run_takes_over_from_a_killed_one(prefer: Prefer, state: Path) -> None:
    with starter(prefer, str(state)) as killed:
        first, _ = announced(killed)
        killed.send_signal(signal.SIGKILL)
    # At once, while the servers of the killed run are still shutting down.
    with starter(prefer, str(state)) as process:
        second, _ = announced(process)
        assert not set(first) & set(second)
        assert not any(is_running(pid) for pid in first)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not any(is_running(pid) for pid in second)


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(prefer: Prefer) -> None:
    with starter(prefer, start_new_session=True) as process:
        pids, _ = announced(process)
        # A terminal signals the whole process group of the foreground program; ours are in others.
        assert all(os.getpgid(pid) != os.getpgid(process.pid) for pid in pids)
        process.communicate(timeout=30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_starts_servers_as_themselves() -> None:
    account = server_account()
    assert account is not None
    python = next(
        (path for path in (sys.executable, "/usr/bin/python3") if can_use(account, Path(path))), None
    )
    if python is None:
        pytest.skip("no Python that others may run")
    # The standard library of that Python, and the packages of this one.
    environment = {
        "PATH": os.defpath,
        "HOME": "/tmp",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LC_ALL": "C.UTF-8",
    }
    if not all(can_use(account, Path(entry)) for entry in sys.path if "site-packages" in entry):
        pytest.skip("the packages are in a folder that others may not enter")
    drop = {"user": account.uid, "group": account.gid, "extra_groups": []}
    with starter("auto", python=python, env=environment, **drop) as process:
        pids, _ = announced(process)
        assert [Path(f"/proc/{pid}").stat().st_uid for pid in pids] == [account.uid] * 2
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not any(is_running(pid) for pid in pids)


@pytest.mark.skipif(os.geteuid() != 0, reason="for ordinary users every folder of theirs is reachable")
def test_root_keeps_data_elsewhere_when_the_account_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    state = closed / "state"
    with starter("auto", str(state)) as process:
        pids, data = announced(process)
        assert len(pids) == 2
        assert not data.is_relative_to(closed)
        assert (state / "elsewhere").resolve() in data.parents
        process.communicate(timeout=30)
    assert process.returncode == 0
    kept = (state / "elsewhere").resolve()
    clean(state)
    assert not kept.exists()


def test_programs_that_the_account_cannot_reach_are_copied(workspace: Workspace, tmp_path: Path) -> None:
    account = server_account()
    closed = tmp_path / "closed"
    (closed / "lib").mkdir(parents=True)
    (closed / "lib" / "part").write_text("text")
    (closed / "program").write_text("program")
    closed.chmod(0o700)
    place = workspace.reachable(closed, (Path("lib"), Path("program")))
    if account is None:
        assert place == closed
    else:
        assert place.is_relative_to(workspace.root)
        assert can_use(account, place / "lib" / "part")
    assert (place / "lib" / "part").read_text() == "text"
    assert (place / "program").read_text() == "program"
