"""`python -m loadtest load`: a shop with two nodes under realistic load, and every conversation checked at the end."""

import asyncio
import random
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from loadtest.actors import Agent, Book, Customer, account_tickets, client, entries, leave, visitor_tickets
from loadtest.figures import percentile
from loadtest.front_desk import Door, address
from loadtest.invariants import violations
from loadtest.pointsman_stand import OWNER, PASSWORD, SHOP, Shop
from loadtest.profiles import Profile
from loadtest.stage.servers import Servers
from protocol.shapes import Message

SETTLE_S = 35.0
"""A lost last message is found by the next heartbeat, 25 s later at most."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to play."""

    profile: Profile
    customers: int
    agents: int
    seconds: float
    seed: int


@dataclass(slots=True)
class Outcome:
    """What happened, and what is wrong with it."""

    wishes: Wishes
    book: Book
    violations: list[str] = field(default_factory=list[str])
    checked: int = 0

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "profile": self.wishes.profile.name,
            "customers": self.wishes.customers,
            "agents": self.wishes.agents,
            "seconds": self.wishes.seconds,
            "seed": self.wishes.seed,
            "counts": self.book.counts,
            "send_ms": _summary(self.book.send_s),
            "wait_ms": _summary(self.book.waits_s),
            "conversations_checked": self.checked,
            "violations": self.violations,
        }

    def text(self) -> str:
        """For people."""
        counts = [f"  {what:<28} {number:>8,}" for what, number in sorted(self.book.counts.items())]
        for what, values in (
            ("send to acknowledgement", self.book.send_s),
            ("wait for an agent", self.book.waits_s),
        ):
            row = _summary(values)
            if row:
                counts.append(f"  {what:<28} p50 {row['p50']:,.1f} ms, p99 {row['p99']:,.1f} ms")
        verdict = f"{self.checked} conversations checked, {len(self.violations)} violations"
        return "\n".join(
            [f"{self.wishes.profile.name}: {self.wishes.profile.what}", *counts, verdict, *self.violations]
        )


def _summary(values_s: list[float]) -> dict[str, float]:
    if not values_s:
        return {}
    return {f"p{share}": percentile(values_s, share / 100) * 1000 for share in (50, 90, 99)}


async def run(wishes: Wishes, tell: Callable[[str], None], logs: Path | None = None) -> Outcome:
    """Play it on servers of its own. Raises ChildFailed, Refused; a broken invariant is in the outcome."""
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-load-")))
        servers = await Servers.start(folder)
        undo.push_async_callback(servers.stop)
        tell("; ".join(servers.names))
        shop = await Shop.open(
            servers, folder, agents=wishes.agents, capacity=wishes.profile.capacity, settings=_SETTINGS
        )
        undo.push_async_callback(shop.close)
        await _end_at_once(shop)
        play = Play(wishes, shop, undo)
        await play.agents_come()
        tell(f"{wishes.agents} agents are online; {wishes.customers} customers come")
        await play.customers_come()
        tell(f"{play.book.counts.get('messages', 0):,} messages; checking every conversation")
        return await play.check()


_SETTINGS = {"POINTSMAN_LOG_LEVEL": "info"}


async def _end_at_once(shop: Shop) -> None:
    """No wrap-up: a load lasts seconds, and slots shall be used again."""
    async with Door(shop.ports[0]) as door:
        current = await door.ask("GET", "/v1/settings/routing", token=shop.owner_token)
        policy = {**current["policy"], "wrap_up_s": 0}
        body = {"rev": current["rev"], "policy": policy, "note": "load test"}
        await door.ask("PUT", "/v1/settings/routing", body, token=shop.owner_token)


class Play:
    """The people of one run."""

    def __init__(self, wishes: Wishes, shop: Shop, undo: AsyncExitStack) -> None:
        self.book = Book()
        self._wishes = wishes
        self._shop = shop
        self._undo = undo
        self._rng = random.Random(wishes.seed)
        self._agents: list[Agent] = []
        self._customers: list[Customer] = []
        self._at_work: list[asyncio.Task[None]] = []

    async def agents_come(self) -> None:
        """All agents online, in turns on both nodes."""
        for number, email in enumerate(self._shop.agents):
            port = self._shop.ports[number % 2]
            door = await self._undo.enter_async_context(Door(port))
            talker = client(port, account_tickets(door, SHOP, email, PASSWORD), self._dice())
            self._undo.push_async_callback(talker.close)
            own = self._shop.agent_ids[number]
            colleagues = [each for each in self._shop.agent_ids if each != own]
            agent = Agent(email, talker, self.book, self._wishes.profile, self._dice(), colleagues)
            self._agents.append(agent)
            self._at_work.append(asyncio.create_task(agent.live(), name=email))
        async with asyncio.timeout(SETTLE_S):
            while not all(agent.client.is_live for agent in self._agents):
                await asyncio.sleep(0.05)

    async def customers_come(self) -> None:
        """Customers one after another over the profile's share of the time; who is not done at its end leaves."""
        wishes = self._wishes
        gap = wishes.seconds * wishes.profile.arrive_within / wishes.customers
        lives: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(wishes.seconds):
                for number in range(wishes.customers):
                    lives.append(asyncio.create_task((await self._customer(number)).live()))
                    await asyncio.sleep(gap)
                await asyncio.gather(*lives)
        except TimeoutError:
            pass  # the time is over
        await leave(lives)
        for agent in self._agents:
            await agent.rest()

    async def _customer(self, number: int) -> Customer:
        port = self._shop.ports[number % 2]
        door = await self._undo.enter_async_context(Door(port, address(number)))
        talker = client(port, visitor_tickets(door, SHOP), self._dice())
        self._undo.push_async_callback(talker.close)
        customer = Customer(f"customer-{number}", talker, self.book, self._wishes.profile, self._dice())
        self._customers.append(customer)
        return customer

    def _dice(self) -> random.Random:
        return random.Random(self._rng.getrandbits(64))

    async def check(self) -> Outcome:
        """Compare what everybody has with what is stored, once all have caught up or had the time to."""
        outcome = Outcome(self._wishes, self.book)
        async with Door(self._shop.ports[0]) as door:
            token = await door.sign_in(SHOP, OWNER, PASSWORD)
            deadline = asyncio.get_running_loop().time() + SETTLE_S
            while True:
                outcome.violations, outcome.checked = await self._violations(door, token)
                if not outcome.violations or asyncio.get_running_loop().time() > deadline:
                    break
                await asyncio.sleep(1)
            counted = await door.ask("GET", "/v1/invariants", token=token)
            outcome.violations += [
                f"{name}: {times} on live data" for name, times in counted["violations"].items() if times
            ]
        await leave(self._at_work)
        for person in (*self._agents, *self._customers):
            if person.client.failure is not None:
                outcome.violations.append(f"{person.name} was thrown out: {person.client.failure}")
        return outcome

    async def _violations(self, door: Door, token: str) -> tuple[list[str], int]:
        found: list[str] = []
        for conversation, journal in self.book.journals.items():
            given = await door.ask("GET", f"/v1/conversations/{conversation}/transcript", token=token)
            facts = cast("dict[str, Any]", given["conversation"])
            owner = facts["owner"]["id"] if facts["owner"] else None
            stored = entries(Message.model_validate(each, strict=False) for each in given["messages"])
            for customer in self._customers:
                if customer.conversation == conversation:
                    self._hears(journal.heard, customer, conversation)
                    journal.whole.add(customer.name)
                    journal.customers.add(customer.name)
            for agent, account in zip(self._agents, self._shop.agent_ids, strict=True):
                self._hears(journal.heard, agent, conversation)
                if account == owner:
                    journal.whole.add(agent.name)
            found += [f"{conversation}: {wrong}" for wrong in violations(stored, journal)]
        return found, len(self.book.journals)

    def _hears(self, heard: dict[str, Any], person: Agent | Customer, conversation: str) -> None:
        log = person.client.logs.get(conversation)
        if log is not None:
            heard[person.name] = entries(log.messages)
