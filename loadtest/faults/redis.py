"""What happens to Redis, and to a node's way to it: killed, emptied, frozen, cut off."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.islands import VISITORS, without_redis
from loadtest.figures import percentile
from loadtest.people.agent import Agent
from loadtest.stage.node import Node
from protocol.errors import ConnectionClosed, RequestError
from protocol.states import Life
from router.redis_link import RedisLink

LEASE_S = 7.0
"""`POINTSMAN_LEASE_S`"""
BLIP_S = 3.0
LONG_S = 60.0
CUT_S = 5.0
TRIMMED_CUT_S = 6.0
"""long enough for more entries than the stream keeps"""
PATIENCE_S = 60.0
QUIET_S = 3.0
"""After so long nobody else is sent to resume."""
POLL_S = 0.02
NODES_KEY = "pm:{nodes}"


@dataclass(slots=True)
class Talk:
    """Agents who go on talking in what they have in hand, and ask the router all the time; how long answers took."""

    agents: list[Agent]
    acknowledged: list[float] = field(default_factory=list[float])
    """when, by the loop's clock"""
    said: list[float] = field(default_factory=list[float])
    """how long an acknowledgement took"""
    asked: list[float] = field(default_factory=list[float])
    """how long an answer of the router took, refusals too"""

    async def during(self, work: Callable[[], Awaitable[None]]) -> None:
        """Talk while `work` is done."""
        lives = [asyncio.create_task(act(agent)) for agent in self.agents for act in (self._say, self._ask)]
        try:
            await work()
        finally:
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)

    async def _say(self, agent: Agent) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for known in [*agent.client.view.conversations.values()]:
                mine = known.state is Life.ACTIVE and known.owner is not None and known.owner.id == agent.id
                if not mine or not agent.client.is_live:
                    continue
                began = loop.time()
                try:
                    await agent.say(known.conversation_id, "one moment please")
                except (RequestError, ConnectionClosed):
                    continue
                self.said.append(loop.time() - began)
                self.acknowledged.append(loop.time())
            await asyncio.sleep(0.25)

    async def _ask(self, agent: Agent) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began, connection = loop.time(), agent.client.connections
            try:
                await agent.client.request("agent.slots")
            except (RequestError, ConnectionClosed) as error:
                if getattr(error, "reason", "") in ("no_reply", "connection_lost", "not_connected"):
                    await asyncio.sleep(0.2)
                    continue
            if agent.client.connections == connection:
                self.asked.append(loop.time() - began)
            await asyncio.sleep(0.1)


async def kill(scene: Scene, dice: random.Random) -> Figures:
    """Fault 3: kill -9, and back with what its log has."""
    return await _killed(scene, dice, empty=False)


async def empty(scene: Scene, dice: random.Random) -> Figures:
    """Fault 4: kill -9, and back with nothing."""
    return await _killed(scene, dice, empty=True)


async def _killed(scene: Scene, dice: random.Random, *, empty: bool) -> Figures:
    loop = asyncio.get_running_loop()
    server = scene.stage.servers.redis
    await asyncio.sleep(dice.uniform(0, 0.5))
    await server.kill()
    killed = loop.time()
    await server.restart(empty=empty)
    up = loop.time()
    served = asyncio.create_task(_served(scene))
    figures = {"down_s": up - killed}
    if empty:
        figures["epoch_seen_s"] = await _registered(scene)
    figures["routing_back_s"] = await served
    return figures


async def _served(scene: Scene) -> float:
    """Until a customer who wants an agent has got one; the seconds that took."""
    loop = asyncio.get_running_loop()
    began, before = loop.time(), len(scene.book.waits.all)
    while len(scene.book.waits.all) == before and loop.time() - began < PATIENCE_S:
        await asyncio.sleep(POLL_S)
    return loop.time() - began


async def _registered(scene: Scene) -> float:
    """Until every node is known to the Redis that forgot them; the seconds that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    link = RedisLink(scene.stage.servers.redis_url)
    await link.open()
    try:
        while await link.call("HLEN", NODES_KEY) < len(scene.stage.nodes):
            if loop.time() - began > PATIENCE_S:
                break
            await asyncio.sleep(POLL_S)
    finally:
        await link.close()
    return loop.time() - began


async def freeze(scene: Scene, dice: random.Random) -> Figures:
    """Fault 5: frozen for a moment, then for a minute: who is connected goes on talking."""
    back = len(scene.book.resumes.all)
    moment, minute = Talk(scene.party.agents), Talk(scene.party.agents)
    await moment.during(lambda: _frozen(scene, BLIP_S))
    await scene.stage.ready()
    lost_by_the_moment = sum(not person.client.is_live for person in scene.party.everybody)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await minute.during(lambda: _frozen(scene, LONG_S))
    served = await _served(scene)
    late = [at for at in minute.acknowledged if at - began > LONG_S / 2]
    return {
        "acknowledged_in_3_s": len(moment.acknowledged),
        "acknowledged_in_the_second_half_minute": len(late),
        "longest_send_s": max((*moment.said, *minute.said), default=float("inf")),
        "longest_routing_answer_s": max((*moment.asked, *minute.asked), default=float("inf")),
        "lost_by_3_s": lost_by_the_moment,
        "resumed_afterwards": len(scene.book.resumes.all) - back,
        "routing_back_s": served,
    }


async def freeze_briefly(scene: Scene, dice: random.Random) -> Figures:
    """A few seconds only."""
    seconds = dice.choice((0.5, 1.5, 3.0))
    await _frozen(scene, seconds)
    return {"frozen_s": seconds}


async def _frozen(scene: Scene, seconds: float) -> None:
    await scene.stage.servers.redis.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        await scene.stage.servers.redis.thaw()


async def cut(scene: Scene, dice: random.Random) -> Figures:
    """Fault 6: one node's way to Redis is cut: for 5 s nobody notices, for 60 s its people go elsewhere."""
    await asyncio.sleep(dice.uniform(0, 0.5))
    node = await scene.stage.busiest()
    counts = {person: person.client.connections for person in scene.party.everybody}
    await node.redis.stall()
    await asyncio.sleep(CUT_S)
    away = sum(not person.client.is_live for person in counts)
    await node.redis.mend()
    await scene.stage.ready()
    loop = asyncio.get_running_loop()
    await node.redis.stall()
    began = loop.time()
    try:
        while all(person.client.is_live for person in scene.party.everybody):
            if loop.time() - began > PATIENCE_S:
                break
            await asyncio.sleep(POLL_S / 2)
        fenced = loop.time() - began
        took = await scene.party.resumptions(PATIENCE_S)
        await asyncio.sleep(max(0.0, LONG_S - (loop.time() - began)))
    finally:
        await node.redis.mend()
    return {
        "lost_by_5_s": away,
        "fenced_after_s": fenced,
        "resumed": len(took),
        "resume_p99_s": percentile(took, 0.99) if took else float("inf"),
        "ready_again_s": await scene.stage.ready(),
        **await without_redis(scene),
    }


async def cut_briefly(scene: Scene, dice: random.Random) -> Figures:
    """A few seconds, or a little longer than a lease."""
    seconds = dice.choice((2.0, 5.0, LEASE_S + 2))
    node = dice.choice(scene.stage.nodes)
    await node.redis.stall()
    try:
        await asyncio.sleep(seconds)
    finally:
        await node.redis.mend()
    return {"cut_s": seconds}


async def outrun(scene: Scene, dice: random.Random) -> Figures:
    """Fault 7: a node is cut off until its stream has forgotten what it has not read."""
    await asyncio.sleep(dice.uniform(0, 0.5))
    node = await scene.stage.busiest()
    said, gaps = scene.journal.acknowledged, _resyncs(node)
    await node.redis.stall()
    loop = asyncio.get_running_loop()
    try:
        await asyncio.sleep(TRIMMED_CUT_S)
        watch = asyncio.create_task(scene.party.resumptions(PATIENCE_S, quiet_s=QUIET_S))
        await asyncio.sleep(0)  # who is connected is known before
    finally:
        began = loop.time()
        await node.redis.mend()
    missed = scene.journal.acknowledged - said
    while _resyncs(node) == gaps and loop.time() - began < PATIENCE_S:
        await asyncio.sleep(POLL_S)
    seen = loop.time() - began
    took = await watch
    return {
        "acknowledged_meanwhile": missed,
        "jump_seen_s": seen,
        "resumed": len(took),
        "resume_p99_s": percentile(took, 0.99) if took else float("inf"),
    }


def _resyncs(node: Node) -> int:
    """How often this life of the node has said that it sends its people to resume."""
    log = node.folder / f"{node.name}-{node.lives}.log"
    return log.read_bytes().count(b'"event": "resync"') + log.read_bytes().count(b'"event":"resync"')


FAMILY = (
    Fault(
        3,
        "Redis killed, restarted with its log",
        "I1-I4; routing resumes within 5 s",
        (Limit("routing_back_s", at_most=5),),
        kill,
        brief=kill,
    ),
    Fault(
        4,
        "Redis killed, restarted empty",
        "epoch change seen within 5 s; rebuilt from PostgreSQL and live sockets; I1-I4, I8",
        (Limit("epoch_seen_s", at_most=5), Limit("routing_back_s", at_most=5)),
        empty,
        brief=empty,
    ),
    Fault(
        5,
        "Redis frozen for 3 s, then for 60 s",
        "no script applied twice; no handler blocked over 2 s; sends still acknowledged",
        (
            Limit("acknowledged_in_3_s", at_least=1),
            Limit("acknowledged_in_the_second_half_minute", at_least=1),
            Limit("longest_send_s", at_most=2),
            Limit("longest_routing_answer_s", at_most=2),
            Limit("lost_by_3_s", at_most=0),
            Limit("routing_back_s", at_most=5),
        ),
        freeze,
        brief=freeze_briefly,
    ),
    Fault(
        6,
        "one gateway cut from Redis for 5 s, then for 60 s",
        "I1; 60 s: it fences itself, its clients resume elsewhere",
        (
            Limit("lost_by_5_s", at_most=0),
            Limit("fenced_after_s", at_most=LEASE_S + 2),
            Limit("resumed", at_least=1),
            Limit("resume_p99_s", at_most=10),
            Limit("lost_packets_fenced_after_s", at_most=LEASE_S + 2, if_possible=True),
            Limit("lost_packets_closed_with_4203", at_least=VISITORS, if_possible=True),
            Limit("lost_packets_ready_again_s", at_most=10, if_possible=True),
        ),
        cut,
        brief=cut_briefly,
    ),
    Fault(
        7,
        "a cut longer than the node's stream holds",
        "the jump of `n` is seen, its clients resume, I1",
        (Limit("jump_seen_s", at_most=5), Limit("resumed", at_least=1), Limit("resume_p99_s", at_most=10)),
        outrun,
        # With the usual lease a node on a busy machine may fence itself before it sees the jump.
        settings={"POINTSMAN_STREAM_ENTRIES": "100", "POINTSMAN_LEASE_S": "20"},
    ),
)
