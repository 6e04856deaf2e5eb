"""A PostgreSQL and a Redis of our own, through `python -m server.embedded`: temporary, durable, ended with us.

Each can be killed, frozen and brought back, with its data or with none.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.children import Child


@dataclass(slots=True)
class Server:
    """One of the two. Every verb returns when it is done (`restart`: when the server answers); raises ChildFailed."""

    name: str
    """`postgres` or `redis`"""
    url: str
    """the same for its whole life"""
    pid: int
    keeper: "Keeper"

    async def kill(self) -> None:
        """Kill -9, its children too. `restart` brings it back with what is on its disk."""
        await self._order("kill")

    async def freeze(self) -> None:
        """SIGSTOP, its children too: connections stay and hang."""
        await self._order("freeze")

    async def thaw(self) -> None:
        """Ends `freeze`."""
        await self._order("thaw")

    async def restart(self, *, empty: bool = False) -> None:
        """Stop it in good order if it runs, and start it at the same URL, with its data or with none."""
        await self._order("empty" if empty else "restart")

    async def _order(self, verb: str) -> None:
        self.pid = await self.keeper.order(f"{self.name} {verb}")


@dataclass(slots=True)
class Keeper:
    """The process that keeps both servers, one order at a time."""

    child: Child
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def order(self, words: str) -> int:
        """Give an order of `server.embedded`; the server's process id after it. Raises ChildFailed."""
        async with self.turn:
            answer = await self.child.ask(words)
        return int(answer["pid"])


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, and the process that keeps them."""

    postgres: Server
    redis: Server
    names: list[str]
    """which programs, for the report"""
    keeper: Child

    @classmethod
    async def start(cls, folder: Path) -> "Servers":
        """Start both. Raises ChildFailed with what to do."""
        child = await Child.start("private-servers", (sys.executable, "-m", "server.embedded"), folder, {})
        facts = await child.first_word()
        keeper, pids = Keeper(child), facts["pids"]
        return cls(
            Server("postgres", facts["database_url"], pids["postgres"], keeper),
            Server("redis", facts["redis_url"], pids["redis"], keeper),
            facts["servers"],
            child,
        )

    @property
    def database_url(self) -> str:
        """Of PostgreSQL."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """Of Redis."""
        return self.redis.url

    @property
    def postgres_pid(self) -> int:
        """Of its first process, whose children are its workers."""
        return self.postgres.pid

    @property
    def redis_pid(self) -> int:
        """Of its one process."""
        return self.redis.pid

    async def stop(self) -> None:
        """End both."""
        await self.keeper.stop()
