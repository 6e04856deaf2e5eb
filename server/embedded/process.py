"""One server process of ours: spawned, watched, frozen, killed, stopped.

Knows processes and signals, nothing of PostgreSQL or Redis. Promises that the process ends with us, even when we are
killed with -9, and that only processes started here (and their children) are ever signalled.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.embedded import launch
from server.embedded.accounts import Account
from server.embedded.errors import EmbeddedServerError

POLL_S: Final = 0.01
KILL_WITHIN_S: Final = 10.0
LOG_TAIL_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, as whom, where its output goes, and the signal that stops it in good order."""

    name: str
    argv: tuple[str, ...]
    account: Account | None
    folder: Path
    log: Path
    stop_signal: signal.Signals


class ServerProcess:
    """A running (or ended) process of one `Command`.

    The death signal hangs on the thread that called `spawn`: call it from a thread that lives as long as the
    servers shall, in practice the main thread or that of the event loop.
    """

    def __init__(self, command: Command, process: subprocess.Popen[bytes], log_start: int) -> None:
        self.command = command
        self._process = process
        self._log_start = log_start

    @classmethod
    def spawn(cls, command: Command) -> ServerProcess:
        """Starts the command. It is not ready yet: see `until`."""
        account = command.account
        who = (str(account.uid), str(account.gid)) if account is not None else ("-1", "-1")
        with command.log.open("ab") as log:
            log_start = log.tell()
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", launch.__file__),
                    *(str(os.getpid()), str(int(command.stop_signal)), *who),
                    *command.argv,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.folder,
                # Nothing of ours leaks in: PGDATA, PGOPTIONS or LD_PRELOAD would change the server.
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(command.folder)},
                # Ctrl+C in the terminal must reach us alone: we drain first, then stop the servers.
                start_new_session=True,
            )
        return cls(command, process, log_start)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    async def until(self, ready: Callable[[], bool], *, within_s: float) -> None:
        """Returns when `ready()` says so. Raises `EmbeddedServerError` when the process ends or time is up."""
        deadline = time.monotonic() + within_s
        while not ready():
            if not self.running:
                raise EmbeddedServerError(
                    f"{self.command.name} ended at once, with code {self._process.returncode}.",
                    mend=self.explain(),
                )
            if time.monotonic() > deadline:
                await self.stop(within_s=0)
                raise EmbeddedServerError(
                    f"{self.command.name} was not ready in {within_s:g} s.", mend=self.explain()
                )
            await asyncio.sleep(POLL_S)

    def explain(self) -> str:
        """Where the log is and what it said last, in words that fit an error."""
        return f"Its log ({self.command.log}) says:\n{self.said()}"

    def said(self) -> str:
        """The last lines that this process, not an earlier one, wrote to its log."""
        with self.command.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def freeze(self) -> None:
        """Stops the clock of the process and its children (SIGSTOP): it is there, but answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Ends `freeze`."""
        self._signal_all(signal.SIGCONT)

    async def kill(self) -> None:
        """Kills the process and its children with -9, as a crash of the machine would, and waits for their end."""
        if not self.running:
            return
        # Listed while all stand still: children of a dead parent belong to somebody else.
        family = self._signal_all(signal.SIGSTOP)
        self._process.kill()
        _signal_each(family, signal.SIGKILL)
        deadline = time.monotonic() + KILL_WITHIN_S
        while self.running or any(_parent_of(pid) is not None for pid in family):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"{self.command.name} survived kill -9.", mend="It waits for a broken disk?"
                )
            await asyncio.sleep(POLL_S)

    async def stop(self, *, within_s: float = 10) -> None:
        """Stops in good order; whoever has not ended after `within_s` is killed. Fine when it has ended already."""
        if not self.running:
            return
        self.thaw()
        if within_s > 0:
            self._process.send_signal(self.command.stop_signal)
            if await self._ended(within_s):
                return
        await self.kill()

    async def _ended(self, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while self.running:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def _signal_all(self, number: signal.Signals) -> list[int]:
        if not self.running:
            return []
        # The parent first: frozen, it starts no further children.
        self._process.send_signal(number)
        children = children_of(self.pid)
        _signal_each(children, number)
        return children


def _signal_each(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # ended by itself meanwhile


def children_of(parent: int) -> list[int]:
    """The direct children of a process: PostgreSQL's workers, all started by its first process."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return [pid for pid in pids if _parent_of(pid) == parent]


def _parent_of(pid: int) -> int | None:
    """The parent's process id; None when the process is gone, or is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[1])
