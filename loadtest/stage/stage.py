"""Everything that a load or a fault needs, set up: servers, nodes behind proxies, a balancer, shops."""

import asyncio
import secrets
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Literal

from loadtest.children import run
from loadtest.stage import haproxy
from loadtest.stage.island import Island
from loadtest.stage.node import Node
from loadtest.stage.proxy import LOOPBACK, Place
from loadtest.stage.servers import Servers
from loadtest.stage.shop import Shop
from loadtest.stage.wire import Switchboard, Wire

SETTINGS: Mapping[str, str] = {
    # Limits against floods, by what people can type: robots type faster.
    "POINTSMAN_CUSTOMER_MESSAGES_PER_S": "1000",
    "POINTSMAN_CUSTOMER_BURST": "1000",
    "POINTSMAN_AGENT_MESSAGES_PER_S": "1000",
    "POINTSMAN_AGENT_BURST": "1000",
    "POINTSMAN_LOGIN_PER_MINUTE": "1000",
}
"""What differs from a deployment. Leases, deadlines and sweeps are as in production."""
READY_S = 60.0
OWN = "the harness's own"
BalancerChoice = Literal["installed", "own"]
"""HAProxy, if it is installed, or the harness's own"""


class Stage:
    """Use as an async context manager, made by `open`; or `close` it.

    `port` is the balancer's, `balancer` its name. `nodes` have their own proxies (`node.redis`, `node.postgres`); the
    balancer leads to the nodes directly. `shops` has at least one.
    """

    def __init__(self, folder: Path, servers: Servers, board: Switchboard, undo: AsyncExitStack) -> None:
        self.folder = folder
        self.servers = servers
        self.board = board
        self.nodes: list[Node] = []
        self.shops: list[Shop] = []
        self.port = 0
        self._islanders = count(1)
        self.balancer = OWN
        self.passages = {"wires": board.child.pid}
        """processes that connections pass through, by name"""
        self._undo = undo
        self._direct: dict[str, str] = {}
        """the environment of commands: past all proxies"""

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        nodes: int = 2,
        shops: int = 1,
        settings: Mapping[str, str] | None = None,
        balancer: BalancerChoice = "installed",
    ) -> "Stage":
        """Start everything; logs go to `folder`. `settings`: more environment variables of the nodes.

        The shops have an owner and nobody else: `shop.employ`. Raises ChildFailed, Refused.
        """
        async with AsyncExitStack() as undo:
            servers = await Servers.start(folder)
            undo.push_async_callback(servers.stop)
            board = await Switchboard.start(folder)
            undo.push_async_callback(board.stop)
            stage = cls(folder, servers, board, undo)
            environment = {**SETTINGS, **(settings or {}), "POINTSMAN_SECRET": secrets.token_urlsafe(32)}
            environment.setdefault("POINTSMAN_FILES", str(folder / "files"))
            with_haproxy = balancer == "installed" and bool(haproxy.program())
            if with_haproxy:
                environment["POINTSMAN_TRUSTED_PROXIES"] = LOOPBACK
            await stage._start(nodes, shops, environment)
            await stage._open_front(with_haproxy)
            stage._undo = undo.pop_all()
            return stage
        raise AssertionError("unreachable")

    @property
    def database_url(self) -> str:
        """PostgreSQL itself, past all proxies."""
        return self.servers.database_url

    async def found(self, slug: str) -> Shop:
        """One more shop, which is also in `shops`. Raises ChildFailed, Refused."""
        shop = await Shop.found(slug, self._direct)
        shop.port = self.port
        await shop.open_doors()
        self.shops.append(shop)
        return shop

    async def wire(self, name: str) -> Wire:
        """A new proxy before the balancer, for clients whose network misbehaves."""
        return await self.board.wire(name, ("127.0.0.1", self.port))

    async def door(self, name: str) -> Wire:
        """A balancer beside the one in front, for many clients whose network misbehaves."""
        return await self.board.balancer(name, self._places())

    @asynccontextmanager
    async def islander(self) -> AsyncGenerator[tuple[Island, Node]]:
        """One more node, on an island of its own; the balancer does not know it. Raises ChildFailed."""
        async with await Island.open() as island:
            name = f"islander-{next(self._islanders)}"
            like = self.nodes[0].environment
            node = await Node.start(name, self.servers, self.board, self.folder, like, island)
            try:
                await node.ready(READY_S)
                yield island, node
            finally:
                await node.stop()

    async def busiest(self) -> Node:
        """The node with most sockets: after a fault nearly everybody may be on one. Raises ChildFailed."""
        sockets = [(await node.metrics())["pointsman_sockets"] for node in self.nodes]
        return self.nodes[sockets.index(max(sockets))]

    async def ready(self, within_s: float = READY_S) -> float:
        """Until all nodes that run say that they are ready; the seconds that took. Raises ChildFailed."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for node in self.nodes:
            await node.ready(within_s)
        return loop.time() - began

    async def close(self) -> None:
        """End everything."""
        await self._undo.aclose()

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _places(self) -> list[Place]:
        return [("127.0.0.1", node.port) for node in self.nodes]

    async def _start(self, nodes: int, shops: int, environment: Mapping[str, str]) -> None:
        self._direct = {
            **environment,
            "POINTSMAN_DATABASE_URL": self.servers.database_url,
            "POINTSMAN_REDIS_URL": self.servers.redis_url,
        }
        await run((sys.executable, "-m", "server", "migrate", "--json"), self._direct)
        await asyncio.gather(self._start_nodes(nodes, environment), self._found(shops))

    async def _open_front(self, with_haproxy: bool) -> None:
        if with_haproxy:
            front = await haproxy.HAProxy.start(self.folder, self._places())
            self._undo.push_async_callback(front.stop)
            self.port, self.balancer = front.port, front.name
            self.passages["haproxy"] = front.child.pid
        else:
            self.port = (await self.board.balancer("front", self._places())).port
        for shop in self.shops:
            shop.port = self.port
            await shop.open_doors()

    async def _start_nodes(self, many: int, environment: Mapping[str, str]) -> None:
        names = [f"node-{number}" for number in range(1, many + 1)]
        starts = [Node.start(name, self.servers, self.board, self.folder, environment) for name in names]
        made = await asyncio.gather(*starts, return_exceptions=True)
        for each in made:
            if isinstance(each, Node):
                self.nodes.append(each)
                self._undo.push_async_callback(each.stop)
        for each in made:
            if isinstance(each, BaseException):
                raise each
        await self.ready()

    async def _found(self, many: int) -> None:
        slugs = [f"shop-{number}" for number in range(1, many + 1)]
        self.shops = list(await asyncio.gather(*(Shop.found(slug, self._direct) for slug in slugs)))
