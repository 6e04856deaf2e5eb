"""One private PostgreSQL: its data folder, its process, its databases.

Listens on loopback TCP alone, with a random password and SCRAM. `durable=False` turns fsync and full-page writes off
(for tests: the data survives a kill of the processes, not of the machine); COMMIT stays synchronous either way, so what
the code may assume about order and visibility is the same.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg

from server.embedded.binaries import PostgresPrograms
from server.embedded.errors import CLEAN_DEV, EmbeddedServerError
from server.embedded.leftover import end_leftover
from server.embedded.ports import LOOPBACK, free_port
from server.embedded.process import Command, ServerProcess
from server.embedded.scram import scram_verifier
from server.embedded.workspace import Workspace

ROLE: Final = "pointsman"
DATABASE: Final = "pointsman"
START_WITHIN_S: Final = 60.0  # recovery after a kill included
STOP_WITHIN_S: Final = 20.0
PORT_TRIES: Final = 5

_PORT_TAKEN: Final = "could not bind"
# Workers of a postmaster that was killed with -9 notice its death a moment later; until then the next one refuses.
_OLD_WORKERS: Final = "pre-existing shared memory block"


class PostgresProcess:
    """A PostgreSQL that we started. Made by `start`; `url` names a database that exists and is ours."""

    def __init__(
        self, programs: PostgresPrograms, workspace: Workspace, *, durable: bool, max_connections: int
    ) -> None:
        self.programs = programs
        self._workspace = workspace
        self._durable = durable
        self._max_connections = max_connections
        self._folder = workspace.folder("postgres")
        self.data = self._folder / "data"
        self._log = self._folder / "server.log"
        self._password = ""
        self._port = 0
        self._process: ServerProcess | None = None
        self._runnable = replace(programs, root=workspace.reachable(programs.root, programs.parts))

    @classmethod
    async def start(
        cls,
        programs: PostgresPrograms,
        workspace: Workspace,
        *,
        durable: bool = True,
        max_connections: int = 300,
    ) -> PostgresProcess:
        """Starts on the data of the workspace, which is made when it has none.

        Raises `EmbeddedServerError` when the server does not come up, or the data is of another major version.
        """
        server = cls(programs, workspace, durable=durable, max_connections=max_connections)
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
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of a database of this server, existing or not."""
        return f"postgresql://{ROLE}:{self._password}@{LOOPBACK}:{self._port}/{database}"

    def freeze(self) -> None:
        """The server stops answering, and open connections hang (SIGSTOP to all its processes)."""
        self._running().freeze()

    def thaw(self) -> None:
        """Ends `freeze`."""
        self._running().thaw()

    async def kill(self) -> None:
        """Kills all its processes with -9. `restart` brings it back, with what was committed."""
        await self._running().kill()

    async def restart(self, *, empty: bool = False) -> None:
        """Stops the server when it runs, and starts it at the same URL, with the same data or with none."""
        await self._running().stop(within_s=STOP_WITHIN_S)
        if empty:
            shutil.rmtree(self.data)
        await self._bring_up()

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Makes a database, empty or as a copy of `template` (to which nobody may be connected); its URL."""
        copy = f" TEMPLATE {_quoted(template)}" if template is not None else ""
        await self._execute(f"CREATE DATABASE {_quoted(name)}{copy}")
        return self.url_of(name)

    async def drop_database(self, name: str) -> None:
        """Drops the database if it exists, and throws out whoever is connected to it."""
        await self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    async def aclose(self) -> None:
        """Stops the server in good order: connections are ended, everything is on disk."""
        if self._process is not None:
            await self._process.stop(within_s=STOP_WITHIN_S)

    def __str__(self) -> str:
        return f"{self.programs}, port {self._port}"

    async def _bring_up(self) -> None:
        await end_leftover(self.data / "postmaster.pid", argument=str(self.data), last_resort=signal.SIGQUIT)
        if not (self.data / "PG_VERSION").exists():
            await asyncio.to_thread(self._make_data)
        else:
            self._check_version()
        self._password = (self._folder / "password").read_text()
        await self._serve()
        await self._make_own_database()

    def _make_data(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # what an initdb left that was killed
        self._password = self._password or secrets.token_urlsafe(24)
        for name, text in (("password", self._password), ("verifier", scram_verifier(self._password))):
            path = self._folder / name
            path.touch(mode=0o600)
            path.write_text(text)
            self._workspace.hand_over(path)
        argv = [
            *(
                str(self._runnable.initdb),
                "--pgdata",
                str(self.data),
                "--username",
                ROLE,
                "--encoding",
                "UTF8",
            ),
            *("--locale", "C.UTF-8", "--auth", "scram-sha-256", "--pwfile", str(self._folder / "verifier")),
            "--no-instructions",
        ]
        if not self._durable:
            argv.append("--no-sync")
        account = self._workspace.account
        done = subprocess.run(
            argv,
            user=account.uid if account is not None else None,
            group=account.gid if account is not None else None,
            extra_groups=[] if account is not None else None,
            cwd=self._folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise EmbeddedServerError(
                f"{self._runnable.initdb} could not make a data folder in {self.data}.",
                mend=done.stdout.strip(),
            )

    def _check_version(self) -> None:
        has = (self.data / "PG_VERSION").read_text().strip()
        runs = str(self.programs.version[0])
        if has != runs:
            raise EmbeddedServerError(
                f"The data in {self.data} was made by PostgreSQL {has}, but {self.programs} was found.",
                mend=f"{CLEAN_DEV} Or install PostgreSQL {has}.",
            )

    async def _serve(self) -> None:
        fixed_port = self._port != 0  # a restart: clients know the URL
        deadline = time.monotonic() + START_WITHIN_S
        for _ in range(PORT_TRIES):
            self._port = self._port if fixed_port else free_port()
            while True:
                self._process = ServerProcess.spawn(self._command())
                try:
                    await self._process.until(self._is_ready, within_s=START_WITHIN_S)
                except EmbeddedServerError:
                    said = self._process.said()
                    if _OLD_WORKERS in said and time.monotonic() < deadline:
                        continue
                    if _PORT_TAKEN in said and not fixed_port:
                        break
                    raise
                return
        raise EmbeddedServerError(
            f"{PORT_TRIES} free ports were taken by others at once.", mend="Start again."
        )

    def _command(self) -> Command:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": str(self._max_connections),
            "shared_buffers": "128MB",
            "logging_collector": "off",
            "log_min_messages": "warning",
            "timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            name="PostgreSQL",
            argv=(str(self._runnable.postgres), "-D", str(self.data), *options),
            account=self._workspace.account,
            folder=self._folder,
            log=self._log,
            # "Fast": ends connections and writes everything to disk. SIGTERM would wait for the clients.
            stop_signal=signal.SIGINT,
        )

    def _is_ready(self) -> bool:
        # PostgreSQL's own word for it: the status line that pg_ctl waits for as well.
        lines = _pid_lines(self.data)
        return len(lines) > 7 and lines[0] == str(self._running().pid) and lines[7].strip() == "ready"

    async def _make_own_database(self) -> None:
        connection = await self._connect()
        try:
            exists = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE)
            if not exists:
                await connection.execute(f"CREATE DATABASE {_quoted(DATABASE)}")
        finally:
            await connection.close()

    async def _execute(self, statement: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(self.url_of("postgres"), timeout=30)

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("this PostgreSQL was never started")
        return self._process


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _pid_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
