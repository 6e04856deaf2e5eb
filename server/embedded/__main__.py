"""Private servers for a program that must not import ours: `python -m server.embedded`.

Prints one line of JSON when both answer, `{"database_url", "redis_url", "servers", "pids": {"postgres", "redis"}}`, and
stops them when its standard input ends (so they end with whoever started us). The data is temporary and durable, as in
production: fsync, synchronous commit, Redis's log on disk.

Until then each line of its standard input is an order, `SERVER VERB`: `postgres kill`, `redis freeze`, `redis empty`;
see `ORDERS`. Each is answered, when it is done, by one line: `{"done": ORDER, "pid": NUMBER}` or `{"error": WORDS}`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable

from server.embedded.binaries import Prefer
from server.embedded.errors import EmbeddedServerError
from server.embedded.postgres_process import PostgresProcess
from server.embedded.redis_process import RedisProcess
from server.embedded.servers import start

CHOICES = ("auto", "installed", "wheels")
Private = PostgresProcess | RedisProcess


async def _freeze(server: Private) -> None:
    server.freeze()


async def _thaw(server: Private) -> None:
    server.thaw()


ORDERS: dict[str, Callable[[Private], Awaitable[None]]] = {
    "kill": lambda server: server.kill(),
    "restart": lambda server: server.restart(),
    "empty": lambda server: server.restart(empty=True),
    "freeze": _freeze,
    "thaw": _thaw,
}
"""kill -9; (stop and) start again at the same URL with its data; the same with none; SIGSTOP; SIGCONT."""


async def serve(prefer: Prefer) -> None:
    """Start both servers, say where they are, and stop them at the end of the standard input, SIGTERM or SIGINT."""
    async with await start(prefer=prefer) as servers:
        assert servers.postgres is not None, "no URL was given"
        assert servers.redis is not None, "no URL was given"
        facts = {
            "database_url": servers.database_url,
            "redis_url": servers.redis_url,
            "servers": servers.describe(),
            "pids": {"postgres": servers.postgres.pid, "redis": servers.redis.pid},
        }
        print(json.dumps(facts), flush=True)  # noqa: T201 - this line is what we are for
        await _obey({"postgres": servers.postgres, "redis": servers.redis})


async def _obey(servers: dict[str, Private]) -> None:
    """Follow orders until the end of the standard input, SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ended = asyncio.create_task(_follow(reader, servers))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    stopped.cancel()
    await asyncio.gather(ended, stopped, return_exceptions=True)
    transport.close()


async def _follow(orders: asyncio.StreamReader, servers: dict[str, Private]) -> None:
    while line := (await orders.readline()).decode().strip():
        name, _, verb = line.partition(" ")
        if name not in servers or verb not in ORDERS:
            words = f"no such order: {line!r}; there are postgres and redis, each with {', '.join(ORDERS)}"
            print(json.dumps({"error": words}), flush=True)  # noqa: T201
            continue
        try:
            await ORDERS[verb](servers[name])
        except EmbeddedServerError as error:
            print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201
        else:
            print(json.dumps({"done": line, "pid": servers[name].pid}), flush=True)  # noqa: T201


def main(arguments: list[str]) -> None:
    """The command line: which programs to take, `auto` when not said."""
    prefer = arguments[0] if arguments else "auto"
    if prefer not in CHOICES or len(arguments) > 1:
        sys.exit(f"usage: python -m server.embedded [{'|'.join(CHOICES)}]")
    try:
        asyncio.run(serve(prefer))
    except EmbeddedServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
