"""The server that a killed run left on our data: it is shutting down, or only its pid file is still there."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Final

from server.embedded.process import POLL_S
from server.embedded.workspace import is_running

PATIENCE_S: Final = 5.0


async def end_leftover(
    pid_file: Path, *, argument: str, last_resort: signal.Signals = signal.SIGTERM
) -> None:
    """Returns when no such server runs any more, and deletes its pid file.

    `argument` is one that the server was started with and nobody else can have been. We hold the lock of the
    workspace, so a server with it is one of ours whose starter is dead. A pid file that names any other program (ids
    are used again) is stale, and would make PostgreSQL refuse to start.
    """
    try:
        first = pid_file.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return
    pid = int(first) if first.isdecimal() else None
    # It got its death signal when its starter died; frozen or hanging, it needs more.
    for numbers in ((), (signal.SIGCONT, last_resort), (signal.SIGKILL,)):
        if pid is None or not _runs_with(pid, argument):
            break
        for number in numbers:
            os.kill(pid, number)
        deadline = time.monotonic() + PATIENCE_S
        while is_running(pid) and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
    pid_file.unlink(missing_ok=True)


def _runs_with(pid: int, argument: str) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return is_running(pid) and os.fsencode(argument) in arguments
