"""Two nodes as a deployment has them: processes of their own that share PostgreSQL and Redis and nothing else."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from server.embedded import launch
from server.embedded.ports import LOOPBACK, free_port
from server.settings import PREFIX, Settings

START_WITHIN_S: Final = 30.0
STOP_WITHIN_S: Final = 12.0
POLL_S: Final = 0.05
LOG_TAIL_LINES: Final = 8


class NodeFailed(Exception):
    """A node did not start, or ended by itself."""


class NodeProcess:
    """One `pointsman serve`, ended with its parent whatever becomes of that."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = process
        self.port = port
        self._log = log

    @classmethod
    def spawn(cls, settings: Settings, name: str, port: int, folder: Path) -> "NodeProcess":
        """Start it; it is not ready yet. Its output goes to a log in `folder`."""
        port = port or free_port()
        log = folder / f"{name}.log"
        environment = _environment(settings, {"node": name, "port": port, "host": LOOPBACK})
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", launch.__file__),
                    *(str(os.getpid()), str(int(signal.SIGTERM)), "-1", "-1"),
                    *(sys.executable, "-m", "server", "serve"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=Path(__file__).resolve().parents[2],
                # Ctrl+C in the terminal reaches us alone: robots leave first, then the nodes drain.
                start_new_session=True,
            )
        return cls(process, port, log)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    async def ready(self) -> None:
        """Returns when it takes clients. Raises `NodeFailed` when it ends before, or takes too long."""
        deadline = time.monotonic() + START_WITHIN_S
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while True:
                if self.exit_code is not None:
                    raise NodeFailed(f"Node {self.port} ended with code {self.exit_code}.\n{self.said()}")
                try:
                    answer = await http.get(f"{self.url}/readyz")
                except httpx.HTTPError:
                    answer = None
                if answer is not None and answer.is_success:
                    return
                if time.monotonic() > deadline:
                    raise NodeFailed(
                        f"Node {self.port} is not ready after {START_WITHIN_S:g} s.\n{self.said()}"
                    )
                await asyncio.sleep(POLL_S)

    def said(self) -> str:
        """Where its log is, and what it said last."""
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"Its log ({self._log}) ends with:", *lines])

    def drain(self) -> None:
        """Ask it to finish what it accepted and stop."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would: nothing is finished."""
        if self.exit_code is None:
            self._process.kill()

    async def ended(self) -> None:
        """Returns when it has ended; whoever does not within `STOP_WITHIN_S` is killed."""
        deadline = time.monotonic() + STOP_WITHIN_S
        while self.exit_code is None:
            if time.monotonic() > deadline:
                self._process.kill()
            await asyncio.sleep(POLL_S)


def _environment(settings: Settings, overrides: dict[str, Any]) -> dict[str, str]:
    """The settings as a child's environment: every field by name, so that nothing is read in two ways."""
    values = {**{name: getattr(settings, name) for name in Settings.model_fields}, **overrides}
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    for name, value in values.items():
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        environment[f"{PREFIX}{name.upper()}"] = str(plain)
    return environment
