"""The ground: settings, clocks, and the connections that everything above stands on."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from router.link import link_to
from router.scripts import SOURCES
from server import failpoints
from server.background import Background
from server.bus import Bus
from server.gateway.hub import Hub
from server.limits import GatewayLimits, Rate
from server.node import Node
from server.scripts import SCRIPTS
from server.settings import Settings
from server.store.contacts import Contacts
from server.store.database import Database


class Clients(ABC):
    """PostgreSQL, Redis, this node's name and lease, the hub of its connections, the bus to the others.

    `now`: seconds since 1970, the clock that working hours go by.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.now = now
        self.limits = gateway_limits(settings)
        self.registry = CollectorRegistry()
        redis_url = settings.redis_url.get_secret_value()
        self.db = Database(
            settings.database_url.get_secret_value(),
            pool_max=settings.database_pool,
            deadline_s=settings.database_deadline_s,
        )
        scripts = failpoints.scripts({**SOURCES, **SCRIPTS})
        self.link = link_to(redis_url, scripts=scripts, time_out_s=settings.redis_timeout_s)
        self.hub = Hub()
        self.contacts = Contacts(self.db, kept_s=settings.redeliver_s)
        self.node = Node(
            self.link,
            settings.node,
            lease_s=settings.lease_s,
            renew_s=settings.lease_renew_s,
            on_fenced=self._fenced,
            on_registered=self._registered,
            contacts=self.contacts,
        )
        self.bus = Bus(
            self.link,
            self.hub,
            self.node,
            on_gap=self._resync,
            stream_length=settings.stream_entries,
        )
        self.background = Background()

    @abstractmethod
    async def _fenced(self, _old: str) -> None:
        """The lease is lost."""
        ...

    @abstractmethod
    async def _registered(self, name: str) -> None:
        """The node has a lease, under this name."""
        ...

    @abstractmethod
    async def _resync(self, why: str) -> None:
        """Pushes may have been missed."""
        ...


def gateway_limits(settings: Settings) -> GatewayLimits:
    """What of the gateway's limits can be set from outside."""
    return GatewayLimits(
        frame_bytes=settings.frame_bytes,
        handshake_s=settings.hello_s,
        hello_s=settings.hello_s,
        heartbeat_s=settings.heartbeat_s,
        silence_s=settings.silence_s,
        customer_rate=Rate(settings.customer_messages_per_s, settings.customer_burst),
        account_rate=Rate(settings.agent_messages_per_s, settings.agent_burst),
        request_deadline_s=settings.request_deadline_s,
        connections=settings.connections,
        customer_connections=settings.connections_per_person,
        account_connections=settings.connections_per_person,
        drain_share_per_s=settings.drain_wave_percent / 100,
        drain_s=settings.drain_s,
    )
