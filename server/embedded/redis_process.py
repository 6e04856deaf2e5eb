"""One private Redis (or Valkey): its folder, its process.

Listens on loopback TCP alone, with a random password. With `append_only` every write is kept in a log that is
synced each second (as production should); without, a restart is an empty server.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Final

from server.embedded.binaries import RedisProgram, dotted
from server.embedded.errors import CLEAN_DEV, EmbeddedServerError
from server.embedded.leftover import end_leftover
from server.embedded.ports import LOOPBACK, free_port
from server.embedded.process import Command, ServerProcess
from server.embedded.workspace import Workspace

START_WITHIN_S: Final = 30.0
STOP_WITHIN_S: Final = 10.0
PORT_TRIES: Final = 5
DATABASES: Final = 64

_PORT_TAKEN: Final = "Address already in use"


class RedisProcess:
    """A Redis that we started. Made by `start`."""

    def __init__(self, program: RedisProgram, workspace: Workspace, *, append_only: bool) -> None:
        self.program = program
        self._workspace = workspace
        self._append_only = append_only
        self._folder = workspace.folder("redis")
        self.data = self._folder / "data"
        self._config = self._folder / "redis.conf"
        self._password = secrets.token_urlsafe(24)
        self._port = 0
        self._process: ServerProcess | None = None
        found = program.path
        self._runnable = replace(
            program, path=workspace.reachable(found.parent, (Path(found.name),)) / found.name
        )

    @classmethod
    async def start(
        cls, program: RedisProgram, workspace: Workspace, *, append_only: bool = False
    ) -> RedisProcess:
        """Starts on the data of the workspace, which may be none.

        Raises `EmbeddedServerError` when the server does not come up, or the data was made by another product.
        """
        server = cls(program, workspace, append_only=append_only)
        try:
            await server._bring_up()
        except BaseException:
            await server.aclose()
            raise
        return server

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """The URL of one of the numbered databases, 0 to 63."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/{database}"

    def freeze(self) -> None:
        """The server stops answering, and open connections hang (SIGSTOP)."""
        self._running().freeze()

    def thaw(self) -> None:
        """Ends `freeze`."""
        self._running().thaw()

    async def kill(self) -> None:
        """Kills it with -9. `restart` brings it back, with what its append-only log has."""
        await self._running().kill()

    async def restart(self, *, empty: bool = False) -> None:
        """Stops the server when it runs, and starts it at the same URL, with the same data or with none."""
        await self._running().stop(within_s=STOP_WITHIN_S)
        if empty:
            shutil.rmtree(self.data)
        await self._bring_up()

    async def aclose(self) -> None:
        """Stops the server in good order: its append-only log is on disk."""
        if self._process is not None:
            await self._process.stop(within_s=STOP_WITHIN_S)

    def __str__(self) -> str:
        return f"{self.program}, port {self._port}"

    async def _bring_up(self) -> None:
        await end_leftover(self._folder / "redis.pid", argument=str(self._config))
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._workspace.hand_over(self.data)
        self._check_version()
        fixed_port = self._port != 0  # a restart: clients know the URL
        for _ in range(PORT_TRIES):
            self._port = self._port if fixed_port else free_port()
            self._process = ServerProcess.spawn(self._command())
            try:
                await self._process.until(self._is_ready, within_s=START_WITHIN_S)
            except EmbeddedServerError:
                if _PORT_TAKEN in self._process.said() and not fixed_port:
                    continue
                raise
            return
        raise EmbeddedServerError(
            f"{PORT_TRIES} free ports were taken by others at once.", mend="Start again."
        )

    def _check_version(self) -> None:
        # Newer servers write files that older ones cannot read, and the two products count differently.
        marker = self.data / "VERSION"
        ours = f"{self.program.product} {dotted(self.program.version[:1])}"
        if marker.exists() and marker.read_text() != ours:
            raise EmbeddedServerError(
                f"The data in {self.data} was made by {marker.read_text()}, but {self.program} was found.",
                mend=f"{CLEAN_DEV} Or install {marker.read_text()}.",
            )
        marker.write_text(ours)

    def _command(self) -> Command:
        # A file, since arguments, and with them the password, are visible to every user of the machine.
        self._config.touch(mode=0o600)
        lines = {
            "bind": LOOPBACK,
            "port": self._port,
            "requirepass": self._password,
            "databases": DATABASES,
            "dir": f'"{self.data}"',
            "pidfile": f'"{self._folder / "redis.pid"}"',
            "save": '""',
            "appendonly": "yes" if self._append_only else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "set-proc-title": "no",  # a later run recognizes ours by its arguments
        }
        self._config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        self._workspace.hand_over(self._config)
        return Command(
            name=self.program.product,
            argv=(str(self._runnable.path), str(self._config)),
            account=self._workspace.account,
            folder=self._folder,
            log=self._folder / "server.log",
            stop_signal=signal.SIGTERM,
        )

    def _is_ready(self) -> bool:
        """Answers PING with PONG: it listens, has loaded its data, and is ours (it knows the password)."""
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=1) as link:
                link.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = link.recv(256)
                    if not part:
                        return False
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("this Redis was never started")
        return self._process
