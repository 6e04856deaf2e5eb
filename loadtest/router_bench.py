"""What a routing decision costs: goals P4 and P5 of docs, as ratios of one run.

P4: claims per second of one process with 128 callers through `RedisLink`, against `redis-benchmark` sending the same
script with the same arguments over one pipelined connection; and claim, close and confirm against a bare pipelined
writer of prepared bytes. P5: what the same decisions cost Redis in a shop of 10 agents and in one of 10,000 agents and
100,000 waiting customers.

    python -m loadtest.router_bench [--redis URL] [--rounds 5] [--json]

Everything is measured in turns, round by round; a cell is the median with its spread. Without --redis it starts a
private redis-server. It uses the database of the URL alone and empties it.
"""

import argparse
import asyncio
import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop
from hiredis import Reader

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, CustomerId, GroupId, ShopId
from protocol.states import AgentStatus, Life
from router.model import (
    EVERYBODY,
    ConversationState,
    Done,
    LivePolicy,
    Outcome,
    Plan,
    Profile,
    Request,
    Tier,
    TierKind,
)
from router.redis_engine import RedisEngine
from router.redis_link import RedisLink, Script, pack
from router.replies import plan_text
from router.scripts import SOURCES

CALLERS = 128
DAY = 739_000
NOW_MS = 1_800_000_000_000
BUSY_POOL = "after_sale"
BUSY = GroupId("busy")
Cells = dict[str, list[float]]


# --- the shops -----------------------------------------------------------------------------------------------------
def groups_of(number: int, groups: int) -> tuple[GroupId, ...]:
    """Every agent serves two groups."""
    return (GroupId(f"g{number % groups}"), GroupId(f"g{(number + 1) % groups}"))


async def furnish(
    engine: RedisEngine, *, agents: int, groups: int, waiting: int, capacity: int = 1_000_000
) -> None:
    """A live shop: agents with room in `groups`, and a pool with `waiting` customers whose own agent is full."""
    room = [
        Profile(AccountId(f"a{n}"), capacity=capacity, groups=groups_of(n, groups)) for n in range(agents)
    ]
    busy = Profile(AccountId("busy"), capacity=1, groups=(BUSY,))
    held = ConversationState(
        ConversationId("held"), Life.ACTIVE, busy.agent, 1, 1, 1, NOW_MS, BUSY_POOL, reason=Reason.ANY_ONLINE
    )
    queue = [
        ConversationState(ConversationId(f"q{n}"), Life.QUEUED, None, 0, 1, 1, NOW_MS + n, BUSY_POOL)
        for n in range(waiting)
    ]
    outcome = await engine.rebuild(
        LivePolicy(pools={BUSY_POOL: (BUSY,)}),
        [(profile, AgentStatus.ONLINE) for profile in [*room, busy]],
        [held, *queue],
        op_id=f"furnish-{agents}-{time.monotonic_ns()}",
        day=DAY,
        offline_after_ms=None,
    )
    if not isinstance(outcome, Done) or outcome.decisions:
        raise RuntimeError(f"the shop is not as meant: {outcome}")


def plan_for(name: str, *, groups: int, number: int) -> Plan:
    """As grouped mode makes it: the order state's group, anybody, the pool."""
    request = Request(ConversationId(name), CustomerId("c"), NOW_MS + 2_000_000, "paid_unshipped")
    mine = (GroupId(f"g{number % groups}"),)
    return Plan(
        request,
        (
            Tier(TierKind.AGENT, Reason.LAST_AGENT, agent=AccountId("gone")),
            Tier(TierKind.GROUPS, Reason.ORDER_STATE_GROUP, groups=mine, hold=True),
            Tier(TierKind.GROUPS, Reason.ANY_ONLINE, groups=(GroupId(EVERYBODY),)),
            Tier(TierKind.POOL, Reason.QUEUE_POOL, pool="paid_unshipped"),
        ),
    )


def waiting_plan(name: str, number: int) -> Plan:
    """Of a customer whose group is full."""
    request = Request(ConversationId(name), CustomerId("c"), NOW_MS + 1_000_000 + number, BUSY_POOL)
    groups = Tier(TierKind.GROUPS, Reason.ORDER_STATE_GROUP, groups=(BUSY,), hold=True)
    return Plan(request, (groups, Tier(TierKind.POOL, Reason.QUEUE_POOL, pool=BUSY_POOL)))


# --- driving -------------------------------------------------------------------------------------------------------
async def crowd(jobs: Iterator[Callable[[], Awaitable[Any]]]) -> tuple[float, float]:
    """Run all jobs with 128 callers: wall and CPU seconds of this process."""

    async def caller() -> None:
        for job in jobs:
            await job()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return time.perf_counter() - wall, time.process_time() - cpu


def expect(outcome: Outcome) -> Done:
    """The outcome of a verb that must have worked."""
    if not isinstance(outcome, Done):
        raise TypeError(f"refused: {outcome.refusal}")
    return outcome


async def effort(link: RedisLink) -> tuple[int, float]:
    """Scripts run, and CPU microseconds of Redis' main thread: what others do on the machine hardly shows in it."""
    text = (await link.call("INFO", "everything")).decode()
    facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    calls = facts["cmdstat_evalsha"].partition("calls=")[2].partition(",")[0]
    seconds = float(facts["used_cpu_user_main_thread"]) + float(facts["used_cpu_sys_main_thread"])
    return int(calls), seconds * 1e6


# --- P4 --------------------------------------------------------------------------------------------------------------
async def claims_through_link(engine: RedisEngine, calls: int, tag: str) -> tuple[float, float]:
    """Claims per second, and client CPU microseconds per claim."""
    plans = [plan_for(f"{tag}-{n}", groups=10, number=n) for n in range(calls)]

    async def claim(n: int) -> None:
        expect(await engine.claim(plans[n], op_id=f"{tag}:{n}", day=DAY, rand=n))

    wall, cpu = await crowd((lambda n=n: claim(n)) for n in range(calls))
    return calls / wall, cpu / calls * 1e6


def claims_of_redis_benchmark(url: str, prefix: str, calls: int) -> float:
    """Claims per second of redis-benchmark: the same script and arguments, random names."""
    parts = urlsplit(url)
    plan = plan_text(plan_for("c", groups=10, number=3)).decode()
    script = Script("claim", SOURCES["claim"])
    arguments = ["", "op:__rand_int__", "bench", str(DAY), "c:__rand_int__", "7", plan, ""]
    command = [
        *("redis-benchmark", "-h", parts.hostname or "127.0.0.1", "-p", str(parts.port or 6379)),
        *("--dbnum", parts.path.strip("/") or "0", "-c", "1", "-P", str(CALLERS), "-n", str(calls)),
        *("-r", "1000000000", "--csv", "EVALSHA", script.sha.decode(), "1", prefix, *arguments),
    ]
    if parts.password:
        command[1:1] = ["-a", parts.password]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(answer.stdout.splitlines()[-1].split('","')[-7])  # rate and six latencies end the row


async def lives_through_link(engine: RedisEngine, calls: int, tag: str) -> tuple[float, float]:
    """Decisions per second of conversations that are claimed, closed and confirmed; client CPU per call."""
    plans = [plan_for(f"{tag}-{n}", groups=10, number=n) for n in range(calls)]

    async def live(n: int) -> None:
        name = plans[n].request.conversation
        expect(await engine.claim(plans[n], op_id=f"{tag}:{n}a", day=DAY, rand=n))
        expect(await engine.close(name, op_id=f"{tag}:{n}b", day=DAY))
        await engine.confirm([(name, 1), (name, 2)])

    wall, cpu = await crowd((lambda n=n: live(n)) for n in range(calls))
    return 2 * calls / wall, cpu / calls / 3 * 1e6


def lives_of_bare_writer(url: str, prefix: str, calls: int, tag: str) -> float:
    """The same commands, packed beforehand, written 128 at a time over a blocking socket."""
    parts = urlsplit(url)
    shas = {name: Script(name, SOURCES[name]).sha for name in ("claim", "close", "confirm")}
    batches: list[bytes] = []
    for first in range(0, calls, CALLERS):
        rows: list[list[tuple[Any, ...]]] = [[], [], []]
        for n in range(first, min(first + CALLERS, calls)):
            name = f"{tag}-{n}"
            plan = plan_text(plan_for(name, groups=10, number=n))
            rows[0].append(
                ("EVALSHA", shas["claim"], 1, prefix, "", f"{tag}:{n}a", "bench", DAY, name, n, plan, "")
            )
            rows[1].append(("EVALSHA", shas["close"], 1, prefix, "", f"{tag}:{n}b", "bench", DAY, name, ""))
            rows[2].append(("EVALSHA", shas["confirm"], 1, prefix, f"{name}:{1:010}", f"{name}:{2:010}"))
        batches += [b"".join(pack(command) for command in row) for row in rows]
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, unread = Reader(), 0

        def drain(down_to: int) -> None:
            nonlocal unread
            while unread > down_to:
                reader.feed(sock.recv(1 << 18))
                while unread and reader.gets() is not False:
                    unread -= 1

        hello: list[tuple[Any, ...]] = [("SELECT", parts.path.strip("/") or "0")]
        hello[:0] = [("AUTH", parts.password)] if parts.password else []
        for command in hello:
            sock.sendall(pack(command))
            unread += 1
        drain(0)
        start = time.perf_counter()
        for batch in batches:
            sock.sendall(batch)
            unread += batch.count(b"EVALSHA")
            drain(CALLERS // 2)
        drain(0)
        return 2 * calls / (time.perf_counter() - start)


# --- P5 --------------------------------------------------------------------------------------------------------------
async def decision_cost(
    link: RedisLink, engine: RedisEngine, groups: int, calls: int, tag: str
) -> dict[str, float]:
    """CPU microseconds of Redis per script call, by what is decided."""
    costs: dict[str, float] = {}

    async def measure(name: str, job: Callable[[int], Awaitable[Any]], times: int) -> None:
        calls_before, before = await effort(link)
        await crowd((lambda n=n: job(n)) for n in range(times))
        calls_after, after = await effort(link)
        costs[name] = (after - before) / (calls_after - calls_before)

    plans = [plan_for(f"{tag}-{n}", groups=groups, number=n) for n in range(calls)]
    late = [waiting_plan(f"{tag}-w{n}", n) for n in range(calls)]

    async def claim(n: int) -> None:
        expect(await engine.claim(plans[n], op_id=f"{tag}:{n}a", day=DAY, rand=n))

    async def close(n: int) -> None:
        expect(await engine.close(plans[n].request.conversation, op_id=f"{tag}:{n}b", day=DAY))

    async def queue(n: int) -> None:
        expect(await engine.claim(late[n], op_id=f"{tag}:{n}c", day=DAY, rand=n))

    async def leave(n: int) -> None:
        expect(await engine.close(late[n].request.conversation, op_id=f"{tag}:{n}d", day=DAY))

    busy = await engine.agent(AccountId("busy"))
    line = [busy.slots[0].conversation] if busy else []  # who has the busy agent's only slot

    async def hand_over(n: int) -> None:
        # The busy agent's conversation ends, the first in line gets the slot, and somebody joins the end of the line.
        done = expect(await engine.close(line.pop(), op_id=f"{tag}:{n}e", day=DAY))
        line.append(done.decisions[1].conversation)
        again = waiting_plan(f"{tag}-r{n}", 10 * calls + n)
        expect(await engine.claim(again, op_id=f"{tag}:{n}f", day=DAY, rand=n))

    await measure("claim", claim, calls)
    await measure("close", close, calls)
    await measure("queue", queue, calls)
    await measure("leave", leave, calls)
    await measure("close and fill, queue", one_at_a_time(hand_over), calls // 4)
    return costs


def one_at_a_time(job: Callable[[int], Awaitable[None]]) -> Callable[[int], Awaitable[None]]:
    """For jobs that build on one another."""
    lock = asyncio.Lock()

    async def alone(n: int) -> None:
        async with lock:
            await job(n)

    return alone


# --- the run -------------------------------------------------------------------------------------------------------
@asynccontextmanager
async def server(url: str | None) -> AsyncGenerator[str]:
    """The Redis to use: the one named, or a private one that ends with the run."""
    if url is not None:
        yield url
        return
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("no redis-server here: name a Redis with --redis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(program, "--port", str(port), "--save", "", "--dir", folder), stdout=asyncio.subprocess.PIPE
        )
        try:
            while b"Ready to accept" not in await cast(asyncio.StreamReader, process.stdout).readline():
                pass
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            await process.wait()


async def measure_p4(url: str, link: RedisLink, rounds: int, calls: int) -> Cells:
    """Interleaved rounds; the shop is furnished anew before each cell, so that all start equal."""
    engine = RedisEngine(link, ShopId("p4"), node="bench")
    prefix = "pm:{p4}:"
    cells: Cells = {name: [] for name in ("claims, link", "claims, redis-benchmark", "client us per claim")}
    cells |= {name: [] for name in ("lives, link", "lives, bare writer", "client us per call")}

    async def fresh() -> None:
        await link.call("FLUSHDB")
        await furnish(engine, agents=100, groups=10, waiting=0)

    for turn in range(rounds):
        await fresh()
        rate, cpu = await claims_through_link(engine, calls, f"t{turn}")
        cells["claims, link"].append(rate)
        cells["client us per claim"].append(cpu)
        if shutil.which("redis-benchmark"):  # else the bare writer below is the only limit
            await fresh()
            rate = await asyncio.to_thread(claims_of_redis_benchmark, url, prefix, calls)
            cells["claims, redis-benchmark"].append(rate)
            if int(await link.call("GET", f"{prefix}seq")) < 0.99 * calls:
                raise RuntimeError("redis-benchmark did not claim what it was told to")
        await fresh()
        rate, cpu = await lives_through_link(engine, calls // 2, f"l{turn}")
        cells["lives, link"].append(rate)
        cells["client us per call"].append(cpu)
        await fresh()
        cells["lives, bare writer"].append(lives_of_bare_writer(url, prefix, calls // 2, f"w{turn}"))
    return {name: row for name, row in cells.items() if row}


async def measure_p5(link: RedisLink, rounds: int, calls: int, agents: int, waiting: int) -> Cells:
    """Interleaved rounds over two shops that live side by side."""
    await link.call("FLUSHDB")
    shops = {"small": (10, 2, 10), "large": (agents, max(2, agents // 100), waiting)}
    engines = {size: RedisEngine(link, ShopId(size), node="bench") for size in shops}
    for size, (many, groups, line) in shops.items():
        await furnish(engines[size], agents=many, groups=groups, waiting=line)
    cells: Cells = {}
    for turn in range(rounds):
        for size, (_, groups, _) in shops.items():
            for name, cost in (await decision_cost(link, engines[size], groups, calls, f"r{turn}")).items():
                cells.setdefault(f"{name}, {size}", []).append(cost)
    return cells


def ratio(cells: Cells, over: str, under: str) -> dict[str, float]:
    """The median of the rounds' ratios, and the ends of their spread."""
    each = sorted(a / b for a, b in zip(cells[over], cells[under], strict=True))
    return {"median": statistics.median(each), "least": each[0], "most": each[-1]}


def report(p4: Cells, p5: Cells) -> dict[str, Any]:
    """Everything measured, with the goals' ratios."""
    kinds = sorted({name.rpartition(", ")[0] for name in p5})
    totals: Cells = {
        size: [sum(row) for row in zip(*(p5[f"{kind}, {size}"] for kind in kinds), strict=True)]
        for size in ("small", "large")
    }
    ratios = {"P4 lives: link / bare writer": ratio(p4, "lives, link", "lives, bare writer")}
    if "claims, redis-benchmark" in p4:
        found = ratio(p4, "claims, link", "claims, redis-benchmark")
        ratios["P4 claims: link / redis-benchmark (goal >= 0.8)"] = found
    ratios["P5 all kinds: large / small (goal <= 1.3)"] = ratio(totals, "large", "small")
    ratios |= {f"P5 {kind}": ratio(p5, f"{kind}, large", f"{kind}, small") for kind in kinds}
    cells = {
        name: {"median": statistics.median(row), "least": min(row), "most": max(row)}
        for name, row in (p4 | p5).items()
    }
    return {"cells": cells, "ratios": ratios}


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """All measurements."""
    async with server(options.redis) as url:
        link = RedisLink(url, scripts=SOURCES, time_out_s=30, stall_s=60)
        await link.open()
        p4 = await measure_p4(url, link, options.rounds, options.calls)
        p5 = await measure_p5(link, options.rounds, options.calls // 4, options.agents, options.waiting)
        await link.call("FLUSHDB")
        await link.close()
    return report(p4, p5)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--redis", help="URL of a Redis whose database may be emptied; a private one otherwise"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=20_000, help="claims per round of P4")
    parser.add_argument("--agents", type=int, default=10_000, help="agents of the large shop")
    parser.add_argument("--waiting", type=int, default=100_000, help="waiting customers of the large shop")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(run(options))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for title in ("cells", "ratios"):
        for name, row in found[title].items():
            print(f"{name:<52} {row['median']:>12,.2f}   ({row['least']:,.2f} to {row['most']:,.2f})")
        print()


if __name__ == "__main__":
    main()
