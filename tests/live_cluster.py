"""A real Redis Cluster of three masters on loopback, our own: started by pid, ended with the tests.

It is strict: what scripts touch must be in the slot of their keys even where another slot happens to be on the same
master (`strict`).
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import RedisError

from router.redis_cluster import SLOTS
from server.embedded.binaries import find_redis
from server.embedded.ports import LOOPBACK, free_port
from server.embedded.process import Command, ServerProcess
from server.embedded.workspace import Workspace
from tests.live_servers import preferred

MASTERS: Final = 3
START_S: Final = 20.0


def strict(scripts: Mapping[str, str]) -> dict[str, str]:
    """The scripts, each with the first line by which Redis refuses every key that is in another slot than the first."""
    return {name: f"#!lua\n{source}" for name, source in scripts.items()}


class Master:
    """One member."""

    def __init__(self, place: Workspace, number: int, password: str) -> None:
        self.port = free_port()
        program = find_redis(preferred())
        folder = place.folder(f"member-{number}")
        place.hand_over(folder)
        runnable = place.reachable(program.path.parent, (Path(program.path.name),)) / program.path.name
        options = {
            "bind": LOOPBACK,
            "port": self.port,
            "requirepass": password,
            "cluster-enabled": "yes",
            "cluster-port": free_port(),
            "cluster-node-timeout": 2000,
            "save": "",
            "appendonly": "no",
        }
        words = (part for name, value in options.items() for part in (f"--{name}", str(value)))
        self._process = ServerProcess.spawn(
            Command(
                name=f"member {number} of a cluster",
                argv=(str(runnable), *words),
                account=place.account,
                folder=folder,
                log=folder / "server.log",
                stop_signal=signal.SIGTERM,
            )
        )
        self.client = cast("Any", Redis(host=LOOPBACK, port=self.port, password=password))

    async def until_up(self) -> None:
        await self._process.until(self._answers, within_s=START_S)

    def _answers(self) -> bool:
        with suppress(RedisError):
            return bool(self.client.ping())
        return False

    async def stop(self) -> None:
        self.client.close()
        await self._process.kill()


class LiveCluster:
    """Three masters with a third of the slots each."""

    def __init__(self) -> None:
        self._place = Workspace.temporary()
        self._password = secrets.token_urlsafe(16)
        self.masters = [Master(self._place, number, self._password) for number in range(MASTERS)]
        try:
            asyncio.run(self._join())
        except BaseException:
            self.close()
            raise
        # One address is enough: the others are found.
        self.url = f"redis-cluster://:{self._password}@{LOOPBACK}:{self.masters[0].port}"

    async def _join(self) -> None:
        for master in self.masters:
            await master.until_up()
        first = self.masters[0]
        edges = [SLOTS * part // MASTERS for part in range(MASTERS + 1)]
        for number, master in enumerate(self.masters):
            master.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            slots = (edges[number], edges[number + 1] - 1)
            master.client.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
        for master in self.masters[1:]:
            bus = int(master.client.config_get("cluster-port")["cluster-port"])
            first.client.execute_command("CLUSTER", "MEET", LOOPBACK, master.port, bus)
        self.until_agreed()

    def until_agreed(self) -> None:
        """All members tell the same about every slot."""
        deadline = time.monotonic() + START_S
        while not all(self._agrees(master) for master in self.masters):
            assert time.monotonic() < deadline, "the members did not find each other"
            time.sleep(0.02)

    def _agrees(self, master: Master) -> bool:
        said: bytes = master.client.execute_command("CLUSTER", "INFO")
        return {b"cluster_state:ok", b"cluster_size:%d" % MASTERS} <= set(said.splitlines())

    def empty(self) -> None:
        for master in self.masters:
            master.client.flushall()

    def keys(self) -> list[int]:
        """How many keys each master has."""
        return [master.client.dbsize() for master in self.masters]

    def move(self, slot: int, to: Master) -> None:
        """Give an empty slot to another master."""
        name = to.client.execute_command("CLUSTER", "MYID")
        for master in self.masters:
            master.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", name)
        self.until_agreed()

    def close(self) -> None:
        for master in self.masters:
            asyncio.run(master.stop())
        self._place.release()
