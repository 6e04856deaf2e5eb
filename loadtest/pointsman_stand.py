"""Pointsman itself: PostgreSQL, Redis and two nodes as processes, and a shop set up as its documentation says.

Routing, authentication and the durable log are on. Customers connect to node A, agents to node B. Of the settings only
the rates of customers are raised, which are limits against floods, and how many of one address may come in at once.
"""

import asyncio
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.children import Child, run
from loadtest.crowd import Crowd
from loadtest.front_desk import ORIGIN, Asker, Door, address
from loadtest.line import Line
from loadtest.speech import PointsmanSpeech
from loadtest.stage.servers import Servers

SHOP = "bench"
OWNER = "owner@bench.example"
PASSWORD = secrets.token_urlsafe(12)
NODES = ("a", "b")
AT_ONCE = 8
"""customers that connect at the same time"""
SETTINGS = {
    "POINTSMAN_CUSTOMER_MESSAGES_PER_S": "1000000",
    "POINTSMAN_CUSTOMER_BURST": "1000000",
    "POINTSMAN_LOG_LEVEL": "warning",
}


@dataclass(slots=True)
class Shop:
    """Two nodes that serve one shop, with its agents' e-mail addresses. Made by `open`."""

    servers: Servers
    nodes: list[Child]
    ports: list[int]
    owner_token: str
    agents: list[str]
    agent_ids: list[str]

    @classmethod
    async def open(
        cls,
        servers: Servers,
        folder: Path,
        *,
        agents: int,
        capacity: int,
        settings: Mapping[str, str] = SETTINGS,
    ) -> "Shop":
        """Make the shop, start the nodes, allow the page, employ the agents. Raises ChildFailed, Refused."""
        environment = {
            **settings,
            "POINTSMAN_DATABASE_URL": servers.database_url,
            "POINTSMAN_REDIS_URL": servers.redis_url,
            "POINTSMAN_SECRET": secrets.token_urlsafe(32),
        }
        command = (sys.executable, "-m", "server")
        await run((*command, "migrate", "--json"), environment)
        create = (*command, "shop", "create", SHOP, "--owner-email", OWNER, "--password-stdin", "--json")
        await run(create, environment, PASSWORD)
        emails = [f"agent{number}@bench.example" for number in range(agents)]
        nodes: list[Child] = []
        try:
            for name in NODES:
                serve = (*command, "serve", "--port", "0", "--node", f"bench-{name}", "--json")
                nodes.append(await Child.start(f"node-{name}", serve, folder, environment))
            ports = [int((await node.first_word())["port"]) for node in nodes]
            async with Door(ports[0]) as door:
                token = await door.sign_in(SHOP, OWNER, PASSWORD)
                for surface in ("widget", "desk"):
                    path = f"/v1/settings/origins/{surface}"
                    revs = (await door.ask("GET", "/v1/settings/origins", token=token))["revs"]
                    body = {"origins": [ORIGIN], "rev": revs[surface]}
                    await door.ask("PUT", path, body, token=token)
                made = [await _employ(door, token, email, capacity) for email in emails]
        except BaseException:
            for node in nodes:
                await node.stop()
            raise
        return cls(servers, nodes, ports, token, emails, made)

    async def close(self) -> None:
        """Stop the nodes; the servers are their owner's."""
        for node in self.nodes:
            await node.stop()


class PointsmanStand:
    """The shop with its crowd. Made by `start`."""

    name = "pointsman"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.crowd = Crowd(PointsmanSpeech())
        self.pids = {
            "node A": shop.nodes[0].pid,
            "node B": shop.nodes[1].pid,
            "postgres": shop.servers.postgres_pid,
            "redis": shop.servers.redis_pid,
        }

    @classmethod
    async def start(cls, servers: Servers, folder: Path, *, customers: int, agents: int) -> "PointsmanStand":
        """Open the shop and connect the crowd; every customer has an agent. Raises ChildFailed, Refused, LineBroken."""
        shop = await Shop.open(servers, folder, agents=agents, capacity=-(-customers // agents) + 5)
        stand = cls(shop)
        try:
            await stand._connect(customers)
        except BaseException:
            await stand.stop()
            raise
        return stand

    async def stop(self) -> None:
        """As `Stand.stop`."""
        await self.crowd.leave()
        await self.shop.close()

    async def _connect(self, customers: int) -> None:
        first, second = self.shop.ports
        reading = [await _agent(second, email) for email in self.shop.agents]
        gate = asyncio.Semaphore(AT_ONCE)

        async def arrive(number: int) -> tuple[Line, str]:
            async with gate:
                return await _customer(first, number)

        writing = await asyncio.gather(*(arrive(number) for number in range(customers)))
        self.crowd.attach(writing, reading)


async def _employ(door: Door, token: str, email: str, capacity: int) -> str:
    """A new agent's account; its id."""
    body = {"email": email, "name": email.partition("@")[0], "roles": ["agent"], "password": PASSWORD}
    return str((await door.ask("POST", "/v1/accounts", {**body, "capacity": capacity}, token=token))["id"])


async def _agent(port: int, email: str) -> Line:
    """An agent at work."""
    async with Door(port) as door:
        token = await door.sign_in(SHOP, email, PASSWORD)
        line, asker = await Asker.hello(door, await door.account_ticket(token), "desktop")
    await asker.ask("agent.set_status", {"status": "online"})
    return line


async def _customer(port: int, number: int) -> tuple[Line, str]:
    """A visitor whose conversation an agent has."""
    async with Door(port, address(number)) as door:
        line, asker = await Asker.hello(door, await door.visitor_ticket(SHOP))
    first = {"client_message_id": "first", "body": {"kind": "text", "text": "Good morning"}}
    opened = await asker.ask("conversation.open", {"message": first})
    if opened["conversation"]["state"] != "active":
        await asker.until("conversation.assigned")
    return line, str(opened["conversation"]["conversation_id"])
