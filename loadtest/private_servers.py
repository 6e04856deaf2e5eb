"""A PostgreSQL and a Redis of our own, through `python -m server.embedded`: temporary, durable, ended with us."""

import sys
from dataclasses import dataclass
from pathlib import Path

from loadtest.children import Child


@dataclass(frozen=True, slots=True)
class PrivateServers:
    """Both servers, and the process that keeps them."""

    database_url: str
    redis_url: str
    names: list[str]
    """which programs, for the report"""
    postgres_pid: int
    redis_pid: int
    keeper: Child

    @classmethod
    async def start(cls, folder: Path) -> "PrivateServers":
        """Start both. Raises ChildFailed with what to do."""
        keeper = await Child.start("private-servers", (sys.executable, "-m", "server.embedded"), folder, {})
        facts = await keeper.first_word()
        pids = facts["pids"]
        return cls(
            facts["database_url"],
            facts["redis_url"],
            facts["servers"],
            pids["postgres"],
            pids["redis"],
            keeper,
        )

    async def stop(self) -> None:
        """End both."""
        await self.keeper.stop()
