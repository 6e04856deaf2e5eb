"""One decision is one command to Redis, as Redis itself counts: `INFO commandstats`, and `MONITOR` for who sent what.

Commandstats count what scripts run inside as well; MONITOR tells that apart from what came over a connection.
"""

import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, CustomerId, GroupId, ShopId, new_id
from protocol.states import AgentStatus
from router.model import EVERYBODY, Change, Done, LivePolicy, Plan, Profile, Request, Tier, TierKind
from router.redis_engine import RedisEngine
from router.redis_link import RedisLink
from router.scripts import load
from tests.scenarios.house import House

DAY = 739_000
DECIDING = (
    "claim", "assign", "pull", "requeue", "end", "reopen", "close", "fill", "set_status", "set_profile", "set_policy",
    "connect", "disconnect", "expire", "reap",
)  # fmt: skip
"""Scripts whose runs may decide about conversations."""


def sha_of(script: str) -> str:
    """What EVALSHA names a script by."""
    return hashlib.sha1(load()[script].encode(), usedforsecurity=False).hexdigest()


@asynccontextmanager
async def live_shop(redis_url: str, agents: int, waiting: int) -> AsyncGenerator[RedisEngine]:
    """Live state of one shop: that many agents with room for one each, and that many customers more than room."""
    link = RedisLink(redis_url, scripts=load())
    await link.open()
    engine = RedisEngine(link, ShopId("one-command"), node="n1:0")
    profiles = [(Profile(AccountId(f"a{i:04d}"), capacity=1), AgentStatus.ONLINE) for i in range(agents)]
    await engine.rebuild(LivePolicy(), profiles, [], op_id=new_id(), day=DAY, offline_after_ms=None)
    for number in range(agents + waiting if waiting else 0):
        await engine.claim(plan(number), op_id=new_id(), day=DAY, rand=0)
    try:
        yield engine
    finally:
        await link.close()


def plan(number: int) -> Plan:
    """A new customer: anybody online, else wait."""
    customer = CustomerId(f"u{number}")
    request = Request(ConversationId(f"c{number}"), customer, int(time.time() * 1000), "no_active_order")
    anybody = Tier(TierKind.GROUPS, Reason.ANY_ONLINE, groups=(GroupId(EVERYBODY),))
    return Plan(request, (anybody, Tier(TierKind.POOL, Reason.QUEUE_POOL, pool="default")))


class Seen:
    """What came over connections between two moments, and how often Redis ran `EVALSHA` meanwhile."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.commands: list[str] = []
        self.evalsha = 0

    @asynccontextmanager
    async def during(self) -> AsyncGenerator[None]:
        before = await self._evalsha()
        async with self._redis.monitor() as monitor:
            await self._redis.echo("begin")
            await self._until(monitor, "begin")
            yield
            await self._redis.echo("end")
            self.commands = await self._until(monitor, "end")
        self.evalsha = await self._evalsha() - before

    async def _evalsha(self) -> int:
        stats: dict[str, Any] = await self._redis.info("commandstats")
        return stats.get("cmdstat_evalsha", {"calls": 0})["calls"]

    async def _until(self, monitor: Any, marker: str) -> list[str]:
        seen: list[str] = []
        async for entry in monitor.listen():
            if entry["command"] == f"ECHO {marker}":
                return seen
            if entry["client_type"] != "lua":
                seen.append(entry["command"])
        raise AssertionError("MONITOR ended")


@pytest.mark.req("KS-02", "PF-02")
@pytest.mark.parametrize("agents", [1, 300])
async def test_choosing_an_agent_is_one_command_however_many_there_are(redis_url: str, agents: int) -> None:
    async with Redis.from_url(redis_url) as redis, live_shop(redis_url, agents, 0) as engine:
        seen = Seen(redis)
        async with seen.during():
            done = await engine.claim(plan(1), op_id=new_id(), day=DAY, rand=7)

    assert isinstance(done, Done)
    assert [decision.change for decision in done.decisions] == [Change.ASSIGNED]
    assert [command.split()[0].upper() for command in seen.commands] == ["EVALSHA"]
    assert seen.evalsha == 1


@pytest.mark.req("KS-19", "PF-02")
@pytest.mark.parametrize("waiting", [1, 300])
async def test_freeing_a_slot_and_filling_it_is_one_command_however_many_wait(
    redis_url: str, waiting: int
) -> None:
    async with Redis.from_url(redis_url) as redis, live_shop(redis_url, 1, waiting) as engine:
        seen = Seen(redis)
        async with seen.during():
            done = await engine.end(ConversationId("c0"), op_id=new_id(), day=DAY, wrap_up_ms=0)

    assert isinstance(done, Done)
    assert [decision.change for decision in done.decisions] == [Change.CLOSED, Change.ASSIGNED]
    assert [command.split()[0].upper() for command in seen.commands] == ["EVALSHA"]
    assert seen.evalsha == 1


@pytest.mark.req("KS-02", "PF-02")
async def test_over_the_wire_too_one_customer_is_one_claim(
    migrated_database_url: str, redis_url: str
) -> None:
    house = await House.start(migrated_database_url, redis_url, sweep_s=60, queue_places_s=60)
    try:
        shop = await house.shop()
        await shop.agent("Lily", capacity=20)
        customers = [await shop.customer(f"C{i}") for i in range(5)]
        claim = sha_of("claim")
        async with Redis.from_url(redis_url) as redis:
            seen = Seen(redis)
            async with seen.during():
                owners = [await customer.reaches() for customer in customers]
    finally:
        await house.stop()

    assert owners == ["Lily"] * 5
    scripts = [command.split()[1] for command in seen.commands if command.upper().startswith("EVALSHA ")]
    assert scripts.count(claim) == 5
    verbs = {sha_of(name) for name in DECIDING if name != "claim"}
    assert not verbs.intersection(scripts), "somebody decided beside the claims"
