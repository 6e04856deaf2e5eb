"""Servers as processes of our own: started, heard, measured, stopped. They end when we do.

CPU time is the kernel's count (utime + stime of /proc/PID/stat, ticks of 10 ms) of a process, its children and its
ended children, so that PostgreSQL's workers count however long they live.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadtest import tether

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_S = 120.0
STOP_S = 15.0


class ChildFailed(Exception):
    """A server did not start, or ended by itself."""


class Child:
    """One server process. Made by `start`; ends with `stop`, or with the end of its standard input."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._log = log

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> "Child":
        """Run `command`; its standard error goes to a log in `folder`. It is not ready yet."""
        log = folder / f"{name}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment},
                # Ctrl+C reaches us alone; we stop the servers in order.
                start_new_session=True,
            )
        return cls(name, process, log)

    async def first_word(self) -> dict[str, Any]:
        """The JSON object that it prints first, on one line or several. Raises ChildFailed."""
        return await self._word("start")

    async def ask(self, words: str) -> dict[str, Any]:
        """Say one line to its standard input; the JSON object that it answers with. Raises ChildFailed."""
        assert self._process.stdin is not None, "piped"
        self._process.stdin.write(words.encode() + b"\n")
        return await self._word(words)

    async def _word(self, what: str) -> dict[str, Any]:
        output = self._process.stdout
        assert output is not None, "piped"
        said = b""
        try:
            async with asyncio.timeout(START_S):
                while True:
                    line = await output.readline()
                    if not line:
                        raise ChildFailed(f"{self.name} ended before it could {what}.\n{self.said()}")
                    said += line
                    with suppress(json.JSONDecodeError):
                        return self._understood(what, json.loads(said))
        except TimeoutError:
            raise ChildFailed(
                f"{self.name} did not say within {START_S:g} s that it could {what}.\n{self.said()}"
            ) from None

    def _understood(self, what: str, word: dict[str, Any]) -> dict[str, Any]:
        if "error" in word:
            raise ChildFailed(f"{self.name} cannot {what}: {word['error']}\n{self.said()}")
        return word

    def signal(self, number: signal.Signals) -> None:
        """Signal it, if it has not ended."""
        if self.running:
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Until it has ended, by itself or by a signal (then negative); its exit code."""
        return await self._process.wait()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    def said(self) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-12:])

    async def stop(self) -> None:
        """End it in good order (end of its input, SIGTERM); after `STOP_S` it is killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # should it be frozen
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._process.wait()


async def run(command: Sequence[str], environment: Mapping[str, str], words: str = "") -> Any:
    """Run a command that prints JSON, with `words` as its standard input; what it printed. Raises ChildFailed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment},
    )
    output, errors = await process.communicate(words.encode())
    if process.returncode != 0:
        heard = (output + errors).decode(errors="replace").strip()
        raise ChildFailed(f"{' '.join(command)} ended with code {process.returncode}:\n{heard}")
    return json.loads(output)


def cpu_s(pid: int) -> float:
    """CPU seconds so far of a process, its ended children and its living descendants; 0 when it is gone."""
    ticks = _ticks(pid)
    return (ticks + sum(_ticks(each) for each in descendants(pid))) / TICKS_PER_S


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    parents = {
        int(entry.name): _parent(int(entry.name))
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal()
    }
    family, fresh = list[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        family += fresh
    return family


def _fields(pid: int) -> list[str]:
    try:
        # The name in brackets may hold anything; what counts comes after it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _ticks(pid: int) -> int:
    fields = _fields(pid)
    return sum(int(each) for each in fields[11:15])  # utime, stime, cutime, cstime


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0
