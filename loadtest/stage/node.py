"""One node of Pointsman as a process, with its own ways to Redis and PostgreSQL, at one port for its whole life."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from loadtest.children import Child, ChildFailed
from loadtest.front_desk import plain_http
from loadtest.stage.servers import Servers
from loadtest.stage.wire import Switchboard, Wire

METRICS_S = 20.0
"""The machine may stand still for seconds while its disk writes; that says nothing of the node."""


@dataclass(slots=True)
class Node:
    """Made by `start`. `redis` and `postgres` are its own ways to them, so that one node can be cut off alone."""

    name: str
    port: int
    redis: Wire
    postgres: Wire
    child: Child
    folder: Path
    environment: Mapping[str, str]
    lives: int = 1
    """processes so far"""
    logs: list[Path] = field(default_factory=list[Path])

    @classmethod
    async def start(
        cls, name: str, servers: Servers, board: Switchboard, folder: Path, environment: Mapping[str, str]
    ) -> "Node":
        """Start it; returns when it answers. Raises ChildFailed."""
        redis = await board.wire(f"{name} redis", _place(servers.redis_url))
        postgres = await board.wire(f"{name} postgres", _place(servers.database_url))
        ways = {
            "POINTSMAN_REDIS_URL": _through(servers.redis_url, redis.port),
            "POINTSMAN_DATABASE_URL": _through(servers.database_url, postgres.port),
        }
        environment = {**environment, **ways}
        child = await _serve(name, 1, 0, folder, environment)
        port = int((await child.first_word())["port"])
        return cls(name, port, redis, postgres, child, folder, environment)

    @property
    def pid(self) -> int:
        """Of its present process."""
        return self.child.pid

    @property
    def running(self) -> bool:
        """Whether its present process has not ended."""
        return self.child.running

    async def kill(self) -> None:
        """Kill -9; returns when it is dead."""
        self.child.signal(signal.SIGKILL)
        await self.child.ended()

    def freeze(self) -> None:
        """SIGSTOP: its sockets stay and hang."""
        self.child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.child.signal(signal.SIGCONT)

    def drain(self) -> None:
        """SIGTERM: finish, send everybody elsewhere, end. `ended` waits for it."""
        self.child.signal(signal.SIGTERM)

    async def ended(self, within_s: float) -> float:
        """Until it has ended by itself; the seconds that took. ChildFailed when it does not, or ends badly."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(within_s):
                code = await self.child.ended()
        except TimeoutError:
            raise ChildFailed(
                f"{self.name} did not end within {within_s:g} s.\n{self.child.said()}"
            ) from None
        if code != 0:
            raise ChildFailed(f"{self.name} ended with code {code}.\n{self.child.said()}")
        return asyncio.get_running_loop().time() - began

    async def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """A new process at the same port, with these variables beside (or over) its own; returns when it answers.

        What still runs is stopped in good order first. Raises ChildFailed.
        """
        await self.child.stop()
        self.lives += 1
        more = environment or {}
        self.child = await _serve(self.name, self.lives, self.port, self.folder, {**self.environment, **more})
        await self.child.first_word()

    async def metrics(self) -> dict[str, float]:
        """What it says at `/metrics`: `name{labels}` -> value. Raises ChildFailed when it does not answer."""
        try:
            async with plain_http(self.port, timeout_s=METRICS_S) as http:
                answer = await http.get("/metrics")
        except httpx.HTTPError as error:
            raise ChildFailed(f"{self.name} gives no metrics: {error}") from error
        lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    async def closed_with(self, code: int) -> int:
        """Sockets that this process has closed with this code."""
        return int((await self.metrics()).get(f'pointsman_connections_closed_total{{code="{code}"}}', 0))

    async def stop(self) -> None:
        """End it in good order."""
        await self.child.stop()


async def _serve(name: str, life: int, port: int, folder: Path, environment: Mapping[str, str]) -> Child:
    command = (sys.executable, "-m", "server", "serve", "--port", str(port), "--node", name, "--json")
    return await Child.start(f"{name}-{life}", command, folder, environment)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None, "servers of our own listen on loopback"
    assert parts.port is not None, "at a port"
    return parts.hostname, parts.port


def _through(url: str, port: int) -> str:
    """The same URL, at another port of loopback."""
    parts = urlsplit(url)
    who = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return parts._replace(netloc=f"{who}127.0.0.1:{port}").geturl()
