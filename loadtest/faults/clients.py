"""What happens to clients: their network goes dark, they stop reading, they all come back at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise

import asyncpg

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.hall import Hall
from loadtest.faults.islands import dark_way
from loadtest.figures import percentile
from loadtest.front_desk import Asker, Door, address
from loadtest.gauge import resident_mib
from loadtest.people import Book
from loadtest.people.person import Person
from loadtest.people.supervisor import Supervisor
from loadtest.stage import PASSWORD, Node
from loadtest.stage.proxy import Direction
from protocol.client import widget_tickets
from protocol.events import AgentChanged
from protocol.methods.conversations import OpenResult

SILENCE_S = 40.0
"""`POINTSMAN_SILENCE_S`"""
LOOK_S = 0.1
LAG_S = 15.0
LONG_TEXT = "x" * 15_000
CALM_S = 4.0
BACK_S = 60.0
STORM_S = 110.0
POOL = 10
"""`POINTSMAN_DATABASE_POOL`"""


async def half_open(scene: Scene, dice: random.Random) -> Figures:
    """Fault 12: an agent's network goes dark without a word; the server finds out, and only then the grace begins."""
    shop, loop = scene.party.shop, asyncio.get_running_loop()
    await shop.renew()
    if not shop.spare:
        shop.spare.append(await shop.hire("agent"))
    account = shop.spare[0]
    async with (
        dark_way(scene, dice) as dark,
        Door(dark.port, address(30_000)) as door,
        Door(shop.port) as desk,
    ):
        token = await door.sign_in(shop.slug, account.email, PASSWORD)
        line, asker = await Asker.hello(door, await door.account_ticket(token), "desktop")
        await asker.ask("agent.set_status", {"status": "paused"})
        await dark.fall()
        fell = loop.time()
        while True:
            agents = (await desk.ask("GET", "/v1/agents", token=shop.owner_token))["items"]
            [card] = [each for each in agents if each["account_id"] == account.id]
            if not card["connected"] or loop.time() - fell > 2 * SILENCE_S:
                break
            await asyncio.sleep(LOOK_S)
        took = loop.time() - fell
        await dark.lift()
        await line.close()
    return {"aborted_after_s": took, "offline_without_grace": float(bool(card["counted_offline"]))}


async def deaf(scene: Scene, dice: random.Random) -> Figures:
    """Fault 13: a window stops reading while its conversation goes on in another one."""
    node = dice.choice(scene.stage.nodes)
    wire = await scene.stage.board.wire(f"deaf {dice.random()}", ("127.0.0.1", node.port))
    party, loop = scene.party, asyncio.get_running_loop()
    tickets = widget_tickets(party.door(address(30_001)), party.shop.slug)
    aside = replace(party.world, book=Book())  # others' sends are measured, not theirs
    writer = Person("writer", aside, tickets, party.dice())
    reader = Person("reader", replace(aside, port=wire.port), tickets, party.dice())
    try:
        await writer.client.start()
        await reader.client.start()
        opened = await writer.ask("conversation.open")
        assert isinstance(opened, OpenResult)
        conversation = opened.conversation.conversation_id
        await writer.say(conversation, "hello")
        # The same talk, while everybody reads: what is compared is the reading, not the talk.
        calm = loop.time() + CALM_S
        quiet = await _p99_during(
            scene, lambda: _talk(writer, conversation, node, lambda _: loop.time() > calm)
        )
        memory = resident_mib(node.pid)
        lagging = (await node.metrics())["pointsman_sessions_lagging_total"]
        closed = await node.closed_with(4108)
        await wire.stall(Direction.TO_CLIENT)  # what they say still comes
        busy = await _p99_during(scene, lambda: _talk(writer, conversation, node, lambda now: now > lagging))
        lagged = loop.time()
        while await node.closed_with(4108) == closed and loop.time() - lagged < 3 * LAG_S:
            await asyncio.sleep(0.2)
        freed = loop.time() - lagged
        grown = resident_mib(node.pid) - memory
        await wire.mend()
        head = writer.client.cursors.get(conversation, 0)
        back = loop.time()
        while reader.client.cursors.get(conversation, 0) < head and loop.time() - back < BACK_S:
            await asyncio.sleep(0.05)
        missing = head - reader.client.cursors.get(conversation, 0)
        took = loop.time() - back
        await writer.say(conversation, "Thank you, goodbye.")
    finally:
        await writer.leave()
        await reader.leave()
        await wire.close()
    return {
        "freed_after_s": freed,
        "memory_grew_mib": grown,
        "others_p99_before_ms": quiet * 1000,
        "others_p99_during_ms": busy * 1000,
        "others_p99_ratio": busy / quiet if quiet else 1.0,
        "resumed_after_s": took,
        "messages": head,
        "messages_missing": missing,
    }


async def _p99_during(scene: Scene, what: Callable[[], Awaitable[None]]) -> float:
    """p99 of everybody else's sends while that goes on."""
    sends = scene.book.sends.all
    first = len(sends)
    await what()
    return percentile(sends[first:], 0.99) if len(sends) > first else 0.0


async def _talk(writer: Person, conversation: str, node: Node, enough: Callable[[float], bool]) -> None:
    """Long messages, one after another, until it is enough: asked with how many sessions of the node have lagged."""
    for number in range(2_000):
        await writer.say(conversation, LONG_TEXT)
        if number % 10 == 0 and enough((await node.metrics())["pointsman_sessions_lagging_total"]):
            return


async def storm(scene: Scene, dice: random.Random) -> Figures:
    """Fault 14: very many sockets break in the same moment, agents' too."""
    party = scene.party
    wire = await scene.stage.door(f"storm {dice.random()}")
    hall = await Hall.open(scene.stage.folder, wire.port, party.shop.slug)
    watch = PresenceWatch([each for each in party.others if isinstance(each, Supervisor)])
    try:
        await hall.come(scene.sockets, dice.random())
        sends = len(scene.book.sends.all)
        backends = Backends()
        counting = asyncio.create_task(backends.watch(scene.stage.database_url))
        watch.begin()
        await wire.reset()
        for agent in party.agents:
            agent.client.drop()
        back = await hall.back(STORM_S)
        await party.all_live(BACK_S)
        await asyncio.sleep(2.0)
        counting.cancel()
        during = scene.book.sends.all[sends:]
    finally:
        await hall.close()
        await wire.close()
    return {
        "sockets": scene.sockets,
        "all_back_s": back.all_s,
        "back_p50_s": back.p50_s,
        "back_p99_s": back.p99_s,
        "tries_per_socket": back.tries / scene.sockets,
        "others_send_p99_ms": percentile(during, 0.99) * 1000 if during else 0.0,
        "most_backends": backends.most,
        "presence_pushes_per_agent": watch.most(),
    }


async def storm_briefly(scene: Scene, dice: random.Random) -> Figures:
    """The connections of the party itself break in the same moment."""
    watch = asyncio.create_task(scene.party.resumptions(BACK_S, quiet_s=0.5))
    await asyncio.sleep(0)  # who is connected is known before
    for person in scene.party.everybody:
        person.client.drop()
    took = await watch
    return {"sockets": len(took), "all_back_s": max(took, default=0.0)}


class Backends:
    """How many connections of nodes worked in PostgreSQL at once, at most."""

    def __init__(self) -> None:
        self.most = 0

    async def watch(self, database_url: str) -> None:
        """Until cancelled."""
        connection = await asyncpg.connect(database_url)
        try:
            while True:
                self.most = max(self.most, int(await connection.fetchval(WORKING) or 0))
                await asyncio.sleep(0.1)
        finally:
            await connection.close()


class PresenceWatch:
    """How often supervisors are told that an agent's connection came or went."""

    def __init__(self, supervisors: list[Supervisor]) -> None:
        self._heard = [each.client.subscribe() for each in supervisors]

    def begin(self) -> None:
        """Forget what was told so far."""
        for heard in self._heard:
            heard.drain()

    def most(self) -> float:
        """Of any agent, by any supervisor."""
        most = 0
        for heard in self._heard:
            told: dict[str, list[bool]] = {}
            for frame in heard.drain():
                if isinstance(frame.params, AgentChanged):
                    card = frame.params.agent
                    told.setdefault(card.account_id, []).append(card.connected)
            for states in told.values():
                changes = sum(before != after for before, after in pairwise([True, *states]))
                most = max(most, changes)
            heard.close()
        return float(most)


WORKING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
"""
FAMILY = (
    Fault(
        12,
        "client half-open",
        "aborted within 40 s, grace starts",
        (Limit("aborted_after_s", at_most=SILENCE_S), Limit("offline_without_grace", at_most=0)),
        half_open,
    ),
    Fault(
        13,
        "client that stops reading",
        "others' p99 unchanged; freed within 15 s; memory bounded; resumes without loss",
        (
            Limit("freed_after_s", at_most=LAG_S),
            Limit("memory_grew_mib", at_most=32),
            Limit("others_p99_ratio", at_most=2),
            Limit("messages_missing", at_most=0),
        ),
        deaf,
    ),
    Fault(
        14,
        "reconnect storm, 5,000 sockets",
        "no overload of PostgreSQL; spread by backoff; presence pushes at most 2 per agent",
        (
            Limit("most_backends", at_most=POOL * 2 + 2),
            Limit("tries_per_socket", at_most=3),
            Limit("presence_pushes_per_agent", at_most=2),
        ),
        storm,
        brief=storm_briefly,
    ),
)
