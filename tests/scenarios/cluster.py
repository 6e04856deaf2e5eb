"""Nodes as processes of their own, and a small balancer before them: what a deployment looks like from outside."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from protocol.client import Client
from protocol.client.link import TicketSource
from protocol.client.signin import account_tickets, widget_tickets
from protocol.codec import NotificationFrame
from protocol.states import Role
from server.demo.nodes import NodeProcess
from server.embedded.ports import LOOPBACK
from server.services.accounts import NewAccount
from server.settings import Settings, load
from server.setup import Owner, Setup
from server.store.database import Database
from server.store.shops import Shops

PASSWORD = "correct horse battery staple"
SHOP = "cluster"


class Balancer:
    """Gives each TCP connection to the first of its nodes that takes it; knows nothing of what goes through."""

    def __init__(self, *ports: int) -> None:
        self._ports = ports
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, 0)

    @property
    def url(self) -> str:
        assert self._server is not None, "start it first"
        return f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self._ports:
            with suppress(OSError):
                there = await asyncio.open_connection(LOOPBACK, port)
                break
        else:
            writer.transport.abort()
            return
        for pump in (self._pump(reader, there[1]), self._pump(there[0], writer)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the end of one side is the end of the other
        finally:
            writer.transport.abort()


class Cluster:
    """Nodes A and B, a balancer that prefers A and one that prefers B, and one shop."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self._doors: list[httpx.AsyncClient] = []
        self._clients: list[Client] = []
        self.a = NodeProcess.spawn(settings, "a", 0, folder)
        self.b = NodeProcess.spawn(settings, "b", 0, folder)
        self.prefers_a = Balancer(self.a.port, self.b.port)
        self.prefers_b = Balancer(self.b.port, self.a.port)

    @classmethod
    async def start(cls, database_url: str, redis_url: str, folder: Path) -> "Cluster":
        """Ready for people when this returns."""
        settings = load(
            database_url=database_url,
            redis_url=redis_url,
            secret="a secret for scenarios that is long enough",
            demo=True,
            lease_s=3,
            lease_renew_s=1,
            sweep_s=0.2,
            customer_messages_per_s=500,
            customer_burst=500,
            agent_messages_per_s=500,
            agent_burst=500,
        )
        cluster = cls(settings, folder)
        try:
            await cluster._open()
        except BaseException:
            await cluster.stop()
            raise
        return cluster

    async def _open(self) -> None:
        await asyncio.gather(self.a.ready(), self.b.ready())
        await asyncio.gather(self.prefers_a.start(), self.prefers_b.start())
        async with Setup(self.settings) as setup:
            made = await setup.create_shop(
                slug=SHOP, name="Cluster", owner=Owner("owner@example.com", "Owner", PASSWORD)
            )
        async with _Opened(self.settings.database_url.get_secret_value()) as database:
            origins = (self.prefers_a.url, self.prefers_b.url)
            await Shops(database).set_origins(made.shop.id, "widget", origins)

    async def stop(self) -> None:
        """Everybody leaves; nodes that still run are ended."""
        await asyncio.gather(*(client.close() for client in self._clients))
        for door in self._doors:
            await door.aclose()
        for node in (self.a, self.b):
            node.drain()
        for node in (self.a, self.b):
            await node.ended()
        await self.prefers_a.stop()
        await self.prefers_b.stop()

    async def agent(self, name: str, by: Balancer, on_event: Callable[[NotificationFrame], None]) -> Client:
        """An agent at work, signed in through this balancer."""
        email = f"{name.lower()}@example.com"
        async with Setup(self.settings) as setup:
            new = NewAccount(email, name, frozenset({Role.AGENT}), PASSWORD, capacity=50)
            await setup.create_account(SHOP, new, [])
        door = self._door(by)
        client = await self._client(name, by, account_tickets(door, SHOP, email, PASSWORD), on_event)
        await client.request("agent.set_status", status="online")
        return client

    async def customer(
        self, name: str, by: Balancer, on_event: Callable[[NotificationFrame], None]
    ) -> Client:
        """A visitor at the widget, through this balancer."""
        return await self._client(name, by, widget_tickets(self._door(by), SHOP), on_event)

    def _door(self, by: Balancer) -> httpx.AsyncClient:
        door = httpx.AsyncClient(base_url=by.url, headers={"Origin": by.url}, trust_env=False, timeout=10)
        self._doors.append(door)
        return door

    async def _client(
        self, name: str, by: Balancer, tickets: TicketSource, on_event: Callable[[NotificationFrame], None]
    ) -> Client:
        url = by.url.replace("http", "ws") + "/ws"
        client = Client(
            url, tickets, name=name, device="web", origin=by.url, keep_messages=True, on_event=on_event
        )
        self._clients.append(client)
        await client.start()
        return client


class _Opened:
    """A database for a moment."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, pool_max=2, deadline_s=5)

    async def __aenter__(self) -> Database:
        await self._database.open()
        return self._database

    async def __aexit__(self, *_: Any) -> None:
        await self._database.aclose()
