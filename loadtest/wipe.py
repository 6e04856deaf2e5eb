"""`python -m loadtest wipe`: Redis comes back empty in the middle of 10,000 open conversations (fault 4, alone).

The conversations are given out by the router itself (`router.redis_engine`), written into PostgreSQL as the server
would have, and then Redis is killed and started with nothing. Measured: until a customer who asks for service has it;
compared: everything that live state knew (`Engine.snapshot`), before and after.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from loadtest.children import ChildFailed, run
from loadtest.figures import told
from loadtest.front_desk import ORIGIN, address
from loadtest.gauge import resident_mib
from loadtest.people.person import page_door
from loadtest.stage import Stage
from protocol.client import Client, widget_tickets
from protocol.errors import PointsmanError
from protocol.ids import ConversationId, CustomerId, ShopId, new_id
from protocol.states import Life
from router.model import Decision, Done, Request, Snapshot
from router.policy import Policy
from router.redis_engine import RedisEngine
from router.redis_link import RedisLink
from router.rules import plan
from router.scripts import SOURCES

AGENTS: Final = 100
WRAP_UP_S: Final = 900
AT_ONCE: Final = 100
"""verbs under way while the shop is filled"""
AGAIN_S: Final = 0.02
WITHIN_S: Final = 120.0
LIMIT_S: Final = 5.0


@dataclass(slots=True)
class Outcome:
    """What was measured."""

    conversations: int
    figures: dict[str, float] = field(default_factory=dict[str, float])
    differences: list[str] = field(default_factory=list[str])

    @property
    def failed(self) -> bool:
        """Whether anything was lost, or routing was away for too long."""
        return bool(self.differences) or self.figures["routing_back_s"] > LIMIT_S

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": "wipe",
            "conversations": self.conversations,
            "figures": self.figures,
            "differences": self.differences,
        }

    def text(self) -> str:
        """For people."""
        rows = [f"  {told({name: value})}" for name, value in self.figures.items()]
        lost = [f"  DIFFERS {words}" for words in self.differences[:20]]
        head = f"{self.conversations:,} open conversations, {len(self.differences)} differences"
        return "\n".join([head, *rows, *lost])


async def measure(conversations: int, tell: Callable[[str], None], logs: Path | None = None) -> Outcome:
    """Do it on a stage of its own. Raises ChildFailed, Refused when it cannot be set up."""
    outcome = Outcome(conversations)
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-wipe-")))
        stage = await Stage.open(folder)
        undo.push_async_callback(stage.close)
        shop = stage.shops[0]
        # A fifth of the customers finds everybody full and waits.
        capacity = conversations * 4 // 5 // AGENTS
        tell(f"{AGENTS} agents, {conversations:,} conversations ...")
        await shop.employ(agents=AGENTS, capacity=capacity)
        await shop.change_policy(wrap_up_s=WRAP_UP_S)
        database = await asyncpg.connect(stage.database_url)
        undo.push_async_callback(database.close)
        shop_id = ShopId(str(await database.fetchval("SELECT id FROM shops WHERE slug = $1", shop.slug)))
        await database.execute("UPDATE accounts SET status = 'online' WHERE 'agent' = ANY (roles)")
        await run((sys.executable, "-m", "server", "rebuild-live", "--json"), _servers(stage))
        link = RedisLink(stage.servers.redis_url, scripts=SOURCES, time_out_s=30.0, stall_s=60.0)
        await link.open()
        undo.push_async_callback(link.close)
        engine = RedisEngine(link, shop_id, node="loadtest")
        empty_mib = resident_mib(stage.servers.redis_pid)
        await _fill(engine, database, shop_id, conversations)
        filled_mib = resident_mib(stage.servers.redis_pid) - empty_mib
        outcome.figures["redis_each_kib"] = filled_mib * 1024 / conversations
        customer = await _customer(undo, stage, shop.slug)
        await _opened(customer)
        await customer.request("conversation.leave_queue", conversation_id=_first(customer))
        before = await engine.snapshot()
        tell(f"{len(before.conversations):,} open, wiping ...")
        await _wipe(outcome, stage, customer)
        after = await engine.snapshot()
        mine = _first(customer)
        outcome.differences += differences(before, after, but=mine)
        violations = await shop.violations()
        outcome.differences += [f"{times} violations of {name}" for name, times in violations.items()]
    return outcome


async def _wipe(outcome: Outcome, stage: Stage, customer: Client) -> None:
    loop = asyncio.get_running_loop()
    await stage.servers.redis.kill()
    began = loop.time()
    await stage.servers.redis.restart(empty=True)
    up = loop.time()
    outcome.figures["redis_back_s"] = up - began
    await _opened(customer)
    outcome.figures["routing_back_s"] = loop.time() - up


async def _opened(customer: Client) -> None:
    """Ask for service until it is given."""
    message = {"client_message_id": new_id(), "body": {"kind": "text", "text": "hello"}}
    deadline = asyncio.get_running_loop().time() + WITHIN_S
    while True:
        try:
            opened: Any = await customer.request("conversation.open", message=message)
        except PointsmanError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise ChildFailed(f"no service after {WITHIN_S:g} s: {error}") from error
        else:
            if opened.conversation.owner is not None or opened.conversation.queue is not None:
                return
        await asyncio.sleep(AGAIN_S)


def _first(customer: Client) -> ConversationId:
    found = next(
        conversation.conversation_id
        for conversation in customer.view.conversations.values()
        if conversation.state is not Life.CLOSED
    )
    return ConversationId(found)


async def _customer(undo: AsyncExitStack, stage: Stage, slug: str) -> Client:
    door = page_door(stage.port, address(0))
    undo.push_async_callback(door.aclose)
    tickets = widget_tickets(door, slug)
    client = Client(f"ws://127.0.0.1:{stage.port}/ws", tickets, name="loadtest", origin=ORIGIN)
    undo.push_async_callback(client.close)
    await client.start()
    return client


def _servers(stage: Stage) -> dict[str, str]:
    return {
        "POINTSMAN_DATABASE_URL": stage.servers.database_url,
        "POINTSMAN_REDIS_URL": stage.servers.redis_url,
        "POINTSMAN_SECRET": "s" * 32,
    }


# --- a shop in the middle of its day -----------------------------------------------------------------------------
async def _fill(engine: RedisEngine, database: Any, shop: ShopId, many: int) -> None:
    """So many given out by the router: four fifths in service (some of them in wrap-up), the rest wait."""
    today, policy = datetime.now(UTC).date().toordinal(), Policy()
    begun_ms = int(datetime.now(UTC).timestamp() * 1000)
    decided: dict[ConversationId, list[Decision]] = {}
    customers: dict[ConversationId, CustomerId] = {}

    def note(outcome: Any) -> None:
        assert isinstance(outcome, Done), outcome
        for decision in outcome.decisions:
            decided.setdefault(decision.conversation, []).append(decision)

    async def comes(number: int) -> None:
        conversation = ConversationId(new_id())
        customers[conversation] = CustomerId(new_id())
        arrived_ms = begun_ms - (many - number) * 100
        request = Request(conversation, customers[conversation], arrived_ms, "none")
        planned = plan(request, policy, now_ms=begun_ms, groups_exist=False)
        note(await engine.claim(planned, op_id=new_id(), day=today, rand=number))

    async def ends(conversation: ConversationId) -> None:
        wrap_up_ms = WRAP_UP_S * 1000
        note(await engine.end(conversation, op_id=new_id(), day=today, wrap_up_ms=wrap_up_ms))

    for first in range(0, many, AT_ONCE):
        await asyncio.gather(*(comes(number) for number in range(first, min(first + AT_ONCE, many))))
    served = [name for name, decisions in decided.items() if decisions[-1].owner is not None]
    for conversation in served[:: len(served) // 500 or 1]:
        await ends(conversation)
    await _write(database, shop, customers, decided)
    names = [(one.conversation, one.rev) for decisions in decided.values() for one in decisions]
    for first in range(0, len(names), AT_ONCE):
        await engine.confirm(names[first : first + AT_ONCE])


async def _write(
    database: Any,
    shop: ShopId,
    customers: dict[ConversationId, CustomerId],
    decided: dict[ConversationId, list[Decision]],
) -> None:
    """What the log would have written of these decisions."""
    await database.executemany(
        "INSERT INTO customers (id, shop_id, anonymous) VALUES ($1, $2, true)",
        [(customer, shop) for customer in customers.values()],
    )
    lives = {"assigned": "active", "queued": "queued", "ended": "wrap_up"}
    await database.executemany(
        """
        INSERT INTO conversations (id, shop_id, customer_id, state, owner_id, owner_kind, assign_epoch, live_rev,
            order_state, priority, pool, opened_at, arrived_at, assigned_at, wrap_up_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'none', $9, $10, $11, $11, $12, $13)
        """,
        [
            (
                conversation,
                shop,
                customers[conversation],
                lives[decisions[-1].change.value],
                decisions[-1].owner,
                None if decisions[-1].owner is None else "agent",
                decisions[-1].epoch,
                decisions[-1].rev,
                decisions[-1].priority,
                decisions[-1].pool,
                _at(decisions[-1].arrived_ms),
                None if decisions[-1].owner is None else _at(decisions[0].at_ms),
                _at(decisions[-1].wrap_up_until_ms),
            )
            for conversation, decisions in decided.items()
        ],
    )
    await database.executemany(
        """
        INSERT INTO decisions (conversation_id, rev, shop_id, at, change, epoch, owner, previous_owner, reason, pool,
            priority, arrived_at, place, wrap_up_until, offline, tried)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '[]')
        """,
        [
            (
                one.conversation,
                one.rev,
                shop,
                _at(one.at_ms),
                one.change.value,
                one.epoch,
                one.owner,
                one.previous_owner,
                one.reason,
                one.pool,
                one.priority,
                _at(one.arrived_ms),
                one.place,
                _at(one.wrap_up_until_ms),
                one.offline,
            )
            for decisions in decided.values()
            for one in decisions
        ],
    )


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


# --- comparing ---------------------------------------------------------------------------------------------------
def differences(before: Snapshot, after: Snapshot, *, but: ConversationId) -> list[str]:
    """What live state knew and knows otherwise now, in sentences; the conversation `but` began in between."""
    was, is_ = _facts(before, but), _facts(after, but)
    return [
        f"{what}: was {was.get(what)}, is {is_.get(what)}"
        for what in sorted(was.keys() | is_.keys())
        if was.get(what) != is_.get(what)
    ]


def _facts(snapshot: Snapshot, but: ConversationId) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for state in snapshot.conversations:
        if state.conversation != but:
            facts[f"conversation {state.conversation}"] = replace(state, place=None)
    for pool, queue in snapshot.pools:
        facts[f"queue {pool}"] = [conversation for conversation in queue if conversation != but]
    for agent in snapshot.agents:
        name = agent.profile.agent
        slots = [slot for slot in agent.slots if slot.conversation != but]
        facts[f"agent {name}"] = (agent.profile, agent.status, len(slots), agent.received_today)
        facts |= {f"slot {slot.conversation} of {name}": slot for slot in slots}
    return facts
