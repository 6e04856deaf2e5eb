"""How many messages a second the log's writer acknowledges, beside one row per transaction on the same server.

    python -m tests.server.store.log_bench postgresql://user@host/name [--seconds 2] [--rounds 5] [--json]

Uses a database of its own on that server, and drops it. Lives with the tests because loadtest/ does not know the
server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import uvloop

from protocol.ids import ConversationId, CustomerId
from server.store.database import Database
from server.store.log import Log
from server.store.migrate import migrate
from tests.server.store.world import World

CALLERS = (1, 16, 128, 512)
CONVERSATIONS = 600
NAME = "pointsman_log_bench"

Send = Callable[[CustomerId, ConversationId], Awaitable[object]]


async def messages_per_s(
    send: Send, talks: list[tuple[CustomerId, ConversationId]], callers: int, s: float
) -> float:
    """Every caller sends its next message when its last is acknowledged."""
    done = 0
    until = time.monotonic() + s

    async def caller(number: int) -> None:
        nonlocal done
        while time.monotonic() < until:
            await send(*talks[number % len(talks)])
            done += 1

    started = time.monotonic()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return done / (time.monotonic() - started)


async def measure(url: str, seconds: float, rounds: int) -> dict[str, dict[int, float]]:
    """Medians over `rounds`, the ways interleaved."""
    await migrate(url)
    db = Database(url, pool_max=10)
    await db.open()
    world = await World.make(db)
    customers = [await world.customer() for _ in range(CONVERSATIONS)]
    talks = [(customer, (await world.open(customer)).id) for customer in customers]
    logs = {f"writer, {n} connection(s)": Log(db, "bench", writers=n) for n in (1, 2)}
    alone = [Log(db, "bench", batch_max=1) for _ in range(10)]

    def batched(log: Log) -> Send:
        return lambda customer, talk: log.append(world.entry("hello " * 30, by=customer, to=talk))

    def one_by_one(customer: CustomerId, talk: ConversationId) -> Awaitable[object]:
        return alone[hash(talk) % 10].append(world.entry("hello " * 30, by=customer, to=talk))

    ways: dict[str, Send] = {"one row per transaction, 10 connections": one_by_one}
    ways |= {name: batched(log) for name, log in logs.items()}
    found: dict[str, dict[int, list[float]]] = {way: {n: [] for n in CALLERS} for way in ways}
    for _ in range(rounds):
        for callers in CALLERS:
            for way, send in ways.items():
                found[way][callers].append(await messages_per_s(send, talks, callers, seconds))
    for log in (*logs.values(), *alone):
        await log.aclose()
    await db.aclose()
    return {way: {n: statistics.median(each) for n, each in by.items()} for way, by in found.items()}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    admin = await asyncpg.connect(options.url)
    await admin.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
    await admin.execute(f'CREATE DATABASE "{NAME}"')
    try:
        url = urlsplit(options.url)._replace(path=f"/{NAME}").geturl()
        table = await measure(url, options.seconds, options.rounds)
    finally:
        await admin.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
        await admin.close()
    if options.json:
        sys.stdout.write(json.dumps(table) + "\n")
        return
    lines = [f"{'messages/s acknowledged, by callers':<44}" + "".join(f"{n:>9}" for n in CALLERS)]
    lines += [f"{way:<44}" + "".join(f"{by[n]:>9,.0f}" for n in CALLERS) for way, by in table.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    uvloop.run(main())
