"""All people of one shop in a run: they come, live, are looked after, and go home."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import asyncpg
import httpx

from loadtest.checker.rows import Violation
from loadtest.front_desk import PER_ADDRESS, address
from loadtest.journal import Journal
from loadtest.people.agent import Agent
from loadtest.people.attendance import Attendance
from loadtest.people.book import Book
from loadtest.people.bot import Bot
from loadtest.people.customer import Customer
from loadtest.people.person import Person, World, failed, page_door
from loadtest.people.profile import Profile
from loadtest.people.supervisor import Supervisor
from loadtest.stage import PASSWORD, Account, Shop
from protocol.client import TicketSource, account_tickets, widget_tickets
from protocol.states import Life

COME_S = 120.0
FINISH_S = 30.0
"""How long visits may take to come to their end."""
SETTLE_S = 40.0
"""A lost last message is found by the next heartbeat, 25 s later at most."""
PER_DOOR = 5
"""customers of one address: each asks for a session whenever they come back, and 120 in a minute are too many"""
POLL_S = 0.05


class PartyFailed(Exception):
    """People did not come in, or somebody's life ended by a fault; the words say whose."""


class Party:
    """Use `staff_come`, `customers_come`, `go_home`. `book` has the figures of all; the journal what was said."""

    def __init__(
        self, shop: Shop, journal: Journal, profile: Profile, book: Book, *, seed: int, port: int = 0
    ) -> None:
        self.shop = shop
        self.book = book
        self.agents: list[Agent] = []
        self.customers: list[Customer] = []
        self.others: list[Person] = []
        self.thin_port = 0
        """where customers with a slow network come in"""
        self.attendance = Attendance(lambda: self.everybody, book.resumes)
        self._standing: list[asyncio.Task[None]] = []
        """tasks that live as long as the party"""
        self.world = World(port or shop.port, shop.slug, profile, book, journal)
        self._rng = random.Random(seed)
        self._undo = AsyncExitStack()
        self._doors: dict[str, httpx.AsyncClient] = {}
        self._lives: dict[Person, asyncio.Task[None]] = {}
        self._looking = asyncio.Semaphore(10)

    @property
    def everybody(self) -> list[Person]:
        """Who is in it now."""
        return [*self.agents, *self.others, *self.customers]

    async def staff_come(self) -> None:
        """All agents, supervisors and bots that the shop employs; returns when they are online. PartyFailed."""
        ids = [account.id for account in self.shop.agents]
        for account in self.shop.agents:
            colleagues = [each for each in ids if each != account.id]
            agent = Agent(account.email, self.world, self.account_tickets(account), self.dice(), colleagues)
            self.agents.append(agent)
        self.others += [
            Supervisor(each.email, self.world, self.account_tickets(each), self.dice())
            for each in self.shop.supervisors
        ]
        self.others += [
            Bot(each.email, self.world, self.account_tickets(each), self.dice(), device="server")
            for each in self.shop.bots
        ]
        for person in (*self.agents, *self.others):
            self._begin(person)
        await self.all_live(COME_S)
        self._standing.append(asyncio.create_task(self.attendance.watch()))

    async def customers_come(self, many: int, over_s: float = 0.0, waves: int = 1) -> None:
        """So many more customers, evenly over that time or in waves of it; returns when the last has set out."""
        gap_s = over_s / waves
        for wave in range(waves):
            for number in range(many * wave // waves, many * (wave + 1) // waves):
                self._begin(self._customer())
                if waves == 1 and number + 1 < many:
                    await asyncio.sleep(over_s / many)
            if wave + 1 < waves:
                await asyncio.sleep(gap_s)

    def troubles(self) -> list[Violation]:
        """Whose life has ended by a fault: nothing may be in the way of a client for good."""
        found = [(person, failed(task)) for person, task in self._lives.items()]
        return [
            Violation("client", person.name, f"{type(error).__name__}: {error}")
            for person, error in found
            if error is not None
        ]

    async def all_live(self, within_s: float) -> float:
        """Until everybody has a live connection; the seconds that took. PartyFailed when it takes longer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while away := [person for person in self.everybody if not person.client.is_live]:
            self._check()
            if loop.time() - began > within_s:
                raise PartyFailed(f"{len(away)} have no connection after {within_s:g} s: {away[0].name}, ...")
            await asyncio.sleep(POLL_S)
        return loop.time() - began

    async def resumptions(self, within_s: float, *, quiet_s: float = 1.0) -> list[float]:
        """Watch who loses the connection from now on: for each the seconds until it is live again.

        Ends when everybody is live and nobody has come back for `quiet_s`; who is away after `within_s` counts as
        infinite.
        """
        loop = asyncio.get_running_loop()
        began = quiet_since = loop.time()
        returns = self.book.resumes.all
        first = seen = len(returns)
        while loop.time() - began < within_s:
            await asyncio.sleep(POLL_S)
            if self.attendance.away or len(returns) > seen:
                seen, quiet_since = len(returns), loop.time()
            elif loop.time() - quiet_since >= quiet_s:
                break
        return [*returns[first:], *(float("inf") for _ in range(self.attendance.away))]

    def begin_storms(self, every_s: float) -> None:
        """From now on everybody's connection breaks at once, every so often, until they go home."""

        async def storms() -> None:
            while True:
                await asyncio.sleep(every_s)
                for person in self.everybody:
                    person.client.drop()
                self.book.count("storms")

        self._standing.append(asyncio.create_task(storms()))

    async def rest(self, within_s: float) -> None:
        """Everybody finishes what they do and stays, doing nothing, until `pace.go_on`. PartyFailed."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.world.pace.rest()
        while any(customer.visiting for customer in self.customers) or any(
            agent.busy for agent in self.agents
        ):
            self._check()
            if loop.time() - began > within_s:
                raise PartyFailed(f"somebody still talks after {within_s:g} s")
            await asyncio.sleep(POLL_S)

    async def go_home(self, database_url: str) -> None:
        """Customers finish their visits, staff what they began; everybody catches up; the journal says who stayed."""
        self._stand_down()
        for customer in self.customers:
            customer.finishing = True
        self.world.pace.go_on()
        visits = [self._lives[customer] for customer in self.customers]
        if visits:
            await asyncio.wait(visits, timeout=FINISH_S)
        for agent in self.agents:
            await agent.rest()
        for task in self._lives.values():
            task.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)
        stayed = await self._caught_up(database_url)
        for person in stayed:
            person.pen.stayed()
        await asyncio.gather(*(self._look_afresh(person) for person in stayed))

    async def close(self) -> None:
        """Everybody leaves, finished or not."""
        self._stand_down()
        for task in self._lives.values():
            task.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)
        await asyncio.gather(*(person.leave() for person in self.everybody))
        await self._undo.aclose()

    async def _look_afresh(self, person: Person) -> None:
        """What a fresh hello of the same person gives, beside what events have made of the world (I7)."""
        async with self._looking:
            client = person.double()
            try:
                await client.start()
                person.pen.held(person.client.view.snapshot())
                person.pen.fresh(client.view.snapshot())
            finally:
                await client.close()

    async def _caught_up(self, database_url: str) -> list[Person]:
        """Wait until everybody has what is stored for them, or has had the time to; all who have a connection then."""
        connection = await asyncpg.connect(database_url)
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        try:
            while asyncio.get_running_loop().time() < deadline and await self._behind(connection):
                await asyncio.sleep(0.25)
        finally:
            await connection.close()
        return [person for person in self.everybody if person.client.is_live]

    async def _behind(self, connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
        open_ones = {
            known.conversation_id
            for person in (*self.agents, *self.customers)
            for known in person.client.view.conversations.values()
            if known.state is not Life.CLOSED
        }
        rows = await connection.fetch(HEADS, list(open_ones))
        heads = {str(row["id"]): row for row in rows}
        return any(self._lacks(person, heads) for person in (*self.agents, *self.customers))

    def _lacks(self, person: Person, heads: "dict[str, asyncpg.Record]") -> bool:
        if not person.client.is_live:
            return True
        for conversation, log in person.client.logs.items():
            row = heads.get(conversation)
            if row is None:
                continue
            if person.id == str(row["customer_id"]) and log.cursor < row["customer_head"]:
                return True
            if person.id == str(row["owner_id"]) and log.cursor < row["head_seq"]:
                return True
        return False

    def _stand_down(self) -> None:
        for task in self._standing:
            task.cancel()

    def _check(self) -> None:
        troubles = self.troubles()
        if troubles:
            raise PartyFailed("; ".join(str(trouble) for trouble in troubles[:3]))

    def _customer(self) -> Customer:
        number = len(self.customers)
        door = self.door(address(number // PER_DOOR * PER_ADDRESS))
        tickets = widget_tickets(door, self.shop.slug)
        world = self.world
        if self.thin_port and number % 100 < world.profile.slow * 100:
            world = replace(world, port=self.thin_port, slow=True)
        customer = Customer(f"customer {number + 1}", world, tickets, self.dice())
        self.customers.append(customer)
        return customer

    def account_tickets(self, account: Account) -> TicketSource:
        """With which this account signs in."""
        return account_tickets(self.door("127.0.0.1"), self.shop.slug, account.email, PASSWORD)

    def door(self, source: str) -> httpx.AsyncClient:
        """The HTTP side for people from this loopback address."""
        door = self._doors.get(source)
        if door is None:
            door = self._doors[source] = page_door(self.world.port, source)
            self._undo.push_async_callback(door.aclose)
        return door

    def _begin(self, person: Person) -> None:
        self._lives[person] = asyncio.create_task(person.live(), name=person.name)

    def dice(self) -> random.Random:
        """Of one person's own."""
        return random.Random(self._rng.getrandbits(64))

    def __iter__(self) -> Iterator[Person]:
        return iter(self.everybody)


HEADS = """
SELECT c.id, c.owner_id, c.customer_id, c.head_seq,
       coalesce((SELECT max(m.customer_seq) FROM messages m WHERE m.conversation_id = c.id), 0) AS customer_head
FROM conversations c WHERE c.id = ANY($1::uuid[]) AND c.state <> 'closed'
"""
