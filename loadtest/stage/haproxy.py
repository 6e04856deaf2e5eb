"""HAProxy in front of the nodes, as a deployment has it: HTTP and WebSockets, to nodes whose `/readyz` says yes.

Not told by it is who came: nodes learn that from `X-Forwarded-For` (`POINTSMAN_TRUSTED_PROXIES`).
"""

import asyncio
import resource
import shutil
import socket
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

from loadtest.children import START_S, Child, ChildFailed
from loadtest.stage.proxy import Place

ELSEWHERE = "/usr/sbin"
"""where Debian has it; no part of everybody's PATH"""
MOST_CONNECTIONS = 12_000
SPARE_FILES = 200
"""Files that are no connection: listeners, health checks, logs."""
POLL_S = 0.02
CONFIGURATION = """\
global
    maxconn {connections}
    nbthread 1

defaults
    mode http
    timeout connect 1s
    timeout client 75s
    timeout server 75s
    timeout http-request 10s
    # Sockets are silent for 25 s at most: nodes see to those that are silent for longer.
    timeout tunnel 1h
    timeout check 1s
    retries 3
    retry-on conn-failure
    option redispatch 1
    # Nodes end connections that are idle; a request that meets such an end would be lost.
    option http-server-close

frontend clients
    bind 127.0.0.1:{port} backlog 4096
    option forwardfor
    default_backend nodes

backend nodes
    balance roundrobin
    option httpchk GET /readyz
    # A node that is taken out keeps its open connections: it sends its people away itself.
    default-server check inter 500ms fall 1 rise 1
    # When no node is ready, all are asked nevertheless: they say in their own words what is wrong.
    option allbackups
{servers}
"""


def program() -> str:
    """Where HAProxy is; empty when it is not installed."""
    return shutil.which("haproxy") or shutil.which("haproxy", path=ELSEWHERE) or ""


class HAProxy:
    """One process, at `port` of loopback. Made by `start`. `name`: the program with its version."""

    def __init__(self, name: str, port: int, child: Child) -> None:
        self.name = name
        self.port = port
        self.child = child

    @classmethod
    async def start(cls, folder: Path, nodes: Sequence[Place]) -> "HAProxy":
        """Lead to these nodes; its configuration and its log are in `folder`. Raises ChildFailed."""
        port = _free_port()
        servers = [
            line
            for number, (host, at) in enumerate(nodes, 1)
            for line in (
                f"    server node-{number} {host}:{at}",
                f"    server node-{number}-anyway {host}:{at} backup no-check",
            )
        ]
        configuration = folder / "haproxy.cfg"
        configuration.write_text(
            CONFIGURATION.format(connections=_connections(), port=port, servers="\n".join(servers))
        )
        child = await Child.start("haproxy", (program(), "-db", "-f", str(configuration)), folder, {})
        front = cls(await _version(), port, child)
        try:
            await front._listens()
        except BaseException:
            await child.stop()
            raise
        return front

    async def stop(self) -> None:
        """End it; connections through it are cut."""
        await self.child.stop()

    async def _listens(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not await _accepts(self.port):
            if not self.child.running or loop.time() - began > START_S:
                raise ChildFailed(f"HAProxy did not start.\n{self.child.said()}")
            await asyncio.sleep(POLL_S)


def _connections() -> int:
    """As many as are wanted, or as the limit of open files allows: each is one to the client and one to a node."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, (most - SPARE_FILES) // 2)


async def _version() -> str:
    """`HAProxy 2.6.12`, or what it calls itself."""
    asking = await asyncio.create_subprocess_exec(program(), "-v", stdout=PIPE)
    said, _ = await asking.communicate()
    name, _, number, *_ = said.decode().split()
    return f"{name} {number}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
