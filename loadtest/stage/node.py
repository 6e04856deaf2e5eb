"""One node of Pointsman as a process, with its own ways to Redis and PostgreSQL, at one port for its whole life."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from loadtest.children import Child, ChildFailed
from loadtest.front_desk import plain_http
from loadtest.stage.island import Island, Way
from loadtest.stage.proxy import LOOPBACK, Place
from loadtest.stage.servers import Servers
from loadtest.stage.wire import Switchboard, Wire

POLL_S = 0.05
READY_S = 2.0
METRICS_S = 20.0
"""The machine may stand still for seconds while its disk writes; that says nothing of the node."""


@dataclass(slots=True)
class Node:
    """Made by `start`. `redis` and `postgres` are its own ways to them, so that one node can be cut off alone.

    One on an island is reached at `port` of loopback like all others, and from one address: a relay leads there.
    """

    name: str
    port: int
    redis: Wire
    postgres: Wire
    child: Child
    folder: Path
    environment: Mapping[str, str]
    listens: int
    """where its processes listen: at `port`, unless a relay leads there"""
    inside: tuple[str, ...] = ()
    """before its command: on which island"""
    lives: int = 1
    """processes so far"""

    @classmethod
    async def start(
        cls,
        name: str,
        servers: Servers,
        board: Switchboard,
        folder: Path,
        environment: Mapping[str, str],
        island: Island | None = None,
    ) -> "Node":
        """Start it; returns when it answers. Raises ChildFailed."""

        async def way(which: Way, url: str) -> tuple[Wire, str]:
            at = LOOPBACK if island is None else island.shore(which)
            wire = await board.wire(
                f"{name} {which.name.lower()}", _place(url), at, keep_source=island is None
            )
            return wire, _through(url, (at, wire.port))

        redis, redis_url = await way(Way.REDIS, servers.redis_url)
        postgres, database_url = await way(Way.POSTGRES, servers.database_url)
        environment = {
            **environment,
            "POINTSMAN_REDIS_URL": redis_url,
            "POINTSMAN_DATABASE_URL": database_url,
        }
        inside = () if island is None else island.inside
        if island is not None:
            environment["POINTSMAN_HOST"] = island.there(Way.CLIENTS)
        child = await _serve(name, 1, 0, folder, environment, inside)
        listens = port = int((await child.first_word())["port"])
        if island is not None:
            there = (island.there(Way.CLIENTS), listens)
            port = (await board.wire(f"{name} clients", there, keep_source=False)).port
        return cls(name, port, redis, postgres, child, folder, environment, listens, inside)

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
        self.child = await _serve(
            self.name, self.lives, self.listens, self.folder, {**self.environment, **more}, self.inside
        )
        await self.child.first_word()

    async def ready(self, within_s: float) -> float:
        """Until it says so, or has ended; the seconds that took. Raises ChildFailed."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with plain_http(self.port, timeout_s=READY_S) as http:
            while self.running and not await _says_ready(http):
                if loop.time() - began > within_s:
                    raise ChildFailed(f"{self.name} is not ready after {within_s:g} s.\n{self.child.said()}")
                await asyncio.sleep(POLL_S)
        return loop.time() - began

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


async def _says_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).is_success
    except httpx.HTTPError:
        return False


async def _serve(
    name: str, life: int, port: int, folder: Path, environment: Mapping[str, str], inside: tuple[str, ...]
) -> Child:
    command = (sys.executable, "-m", "server", "serve", "--port", str(port), "--node", name, "--json")
    return await Child.start(f"{name}-{life}", (*inside, *command), folder, environment)


def _place(url: str) -> Place:
    parts = urlsplit(url)
    assert parts.hostname is not None, "servers of our own listen on loopback"
    assert parts.port is not None, "at a port"
    return parts.hostname, parts.port


def _through(url: str, place: Place) -> str:
    """The same URL, at another place."""
    parts = urlsplit(url)
    who = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return parts._replace(netloc=f"{who}{place[0]}:{place[1]}").geturl()
