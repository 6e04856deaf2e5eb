"""Private servers for a program that must not import ours: `python -m server.embedded`.

Prints one line of JSON when both answer, `{"database_url", "redis_url", "servers", "pids": {"postgres", "redis"}}`, and
stops them when its standard input ends (so they end with whoever started us). The data is temporary and durable, as in
production: fsync, synchronous commit, Redis's log on disk.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from server.embedded.binaries import Prefer
from server.embedded.errors import EmbeddedServerError
from server.embedded.servers import start

CHOICES = ("auto", "installed", "wheels")


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
        await _told_to_stop()


async def _told_to_stop() -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ended = asyncio.create_task(reader.read())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    stopped.cancel()
    transport.close()


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
