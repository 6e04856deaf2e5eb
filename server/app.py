"""One node of the server, whole: its parts are made in `server.storeys`; here they start from the ground up, and stop
in reverse.
"""

import time
from collections.abc import Callable

import structlog

from protocol.codes import CloseCode
from server.settings import Settings
from server.storeys.upkeep import Upkeep

log = structlog.get_logger("app")

FINISH_S = 3.0
"""How long deliveries and farewells under way may take at the end."""


class App(Upkeep):
    """One node of the server. `web` is the ASGI application; `start` before serving it, `stop` after."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self._leaving = False
        super().__init__(settings, now=now)

    async def start(self) -> None:
        """Everything is ready to serve when this returns. Raises LinkError when Redis is not there."""
        await self.db.open()
        await self.link.open()
        await self.node.start()
        await self.bus.start()
        self.feed.start()
        self.gateway.start()
        self.runner.start()
        self.duty.start()
        log.info("node_started", node=self.node.name)

    async def drain(self) -> None:
        """Send everybody elsewhere; new connections are refused from here on (SIGTERM)."""
        self._leaving = True
        await self.gateway.drain()

    async def stop(self) -> None:
        """Stop all parts, in reverse."""
        await self.duty.aclose()
        await self.runner.aclose()
        await self.gateway.stop(FINISH_S)
        await self.background.finish(FINISH_S)
        await self.supervision.walls.aclose()
        await self.queues.aclose()
        await self.list_feed.aclose()
        await self.supervision.wall_figures.aclose()
        await self.feed.aclose()
        await self.bus.stop()
        await self.node.stop()
        self.passwords.close()
        self.files.thumbnails.close()
        await self.writer.aclose()
        await self.link.close()
        await self.db.aclose()
        log.info("node_stopped", node=self.node.name)

    async def _fenced(self, _old: str) -> None:
        """The lease is lost: nothing that this node did not write must be believed here any more (fault 2, 6)."""
        self.gateway.stop_accepting()
        self.gateway.close_all(CloseCode.LEASE_LOST, "this node lost its lease")

    async def _registered(self, name: str) -> None:
        self.writer.rename(name)
        if not self._leaving:
            self.gateway.start()

    async def _resync(self, why: str) -> None:
        """Pushes may have been missed: everybody here resumes, and gets from PostgreSQL what was missed
        (fault 7, 19)."""
        closed = self.gateway.close_all(CloseCode.LEASE_LOST, "resync")
        log.warning("resync", why=why, sockets=closed)
