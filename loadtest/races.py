"""`python -m loadtest races`: two want the same at the same time, on two nodes; exactly one gets it, the other is told.

Tables play side by side, each with a customer, two agents and two managers, everybody on another node than their
rival. A seed decides which race, who begins, and by how many microseconds. In a second shop agents are online, and
their capacity changes while customers come.
"""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loadtest.checker import Verdict, check
from loadtest.front_desk import Door, address
from loadtest.journal import Journal
from loadtest.people import PROFILES, Book
from loadtest.people.person import Person, World, page_door
from loadtest.stage import PASSWORD, Account, Shop, Stage
from protocol.client import TicketSource, account_tickets, widget_tickets
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.methods.conversations import ConversationResult, OpenResult
from protocol.shapes import Conversation, Shape
from protocol.states import Life

TABLES: Final = 6
APART_S: Final = 0.004
"""At most so far apart two requests go out."""
TOLD: Final = frozenset({ErrorCode.CONFLICT, ErrorCode.STALE_ASSIGNMENT, ErrorCode.INVALID_STATE})
"""How somebody is told that another was faster."""
LOOK_EVERY: Final = 250
"""Seeds between two looks at the server's own count of broken invariants."""
AWAY: Final = 3_000
"""Addresses from this number on are the customers'."""


@dataclass(slots=True)
class Outcome:
    """What was raced for, and what is wrong with it."""

    seeds: int = 0
    races: Counter[str] = field(default_factory=Counter[str])
    """race and who won it -> how often"""
    wrong: list[str] = field(default_factory=list[str])
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether anything does not hold."""
        return bool(self.wrong) or not self.verdict.holds

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": "races",
            "seeds": self.seeds,
            "seconds": self.seconds,
            "races": dict(self.races),
            "wrong": self.wrong,
            "check": self.verdict.document(),
        }

    def text(self) -> str:
        """For people."""
        rows = [f"  {race:<40} {times:>7,}" for race, times in sorted(self.races.items())]
        wrong = f"{len(self.wrong)} WRONG" if self.wrong else "exactly one winner in each, the other told"
        head = f"{self.seeds:,} races in {self.seconds:,.0f} s: {wrong}"
        return "\n".join([head, *rows, *self.wrong[:20], self.verdict.text()])


Progress = Callable[[int, int], None]


async def run(seeds: int, first: int, progress: Progress, logs: Path | None = None) -> Outcome:
    """So many seeds from `first` on, on servers of its own. Raises ChildFailed, Refused."""
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-races-")))
        stage = await Stage.open(folder, shops=2)
        undo.push_async_callback(stage.close)
        return await on(stage, stage.shops[0], stage.shops[1], folder / "races", seeds, first, progress)


async def on(
    stage: Stage,
    by_hand: Shop,
    busy: Shop,
    path: Path,
    seeds: int,
    first: int,
    progress: Progress,
    *,
    tables: int = TABLES,
) -> Outcome:
    """The same on a stage, in two shops that nobody else uses, at so many tables in each."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with AsyncExitStack() as undo:
        journal = undo.enter_context(Journal(path, seed=first))
        halls = [
            await Hall.open(stage, by_hand, journal, undo, tables, agents=2 * tables, online=False),
            await Hall.open(stage, busy, journal, undo, tables, agents=2, online=True),
        ]
        numbers = iter(range(first, first + seeds))

        async def play(table: "Table") -> None:
            for seed in numbers:
                await _one(table, seed, outcome)
                progress(outcome.seeds, seeds)
                if outcome.seeds % LOOK_EVERY == 0:
                    await _look(halls, outcome)

        await asyncio.gather(*(play(table) for hall in halls for table in hall.tables))
        await _look(halls, outcome)
        for hall in halls:
            outcome.wrong += await hall.stale_capacities()
            await hall.settle()
    outcome.seconds = loop.time() - began
    ids = {hall.tables[0].customer.shop for hall in halls}
    outcome.verdict = await check([path], stage.database_url, shops=ids)
    return outcome


async def _one(table: "Table", seed: int, outcome: Outcome) -> None:
    dice = random.Random(seed)
    name = dice.choice(sorted(table.races))
    try:
        won, wrong = await table.races[name](dice)
    except (RequestError, TimeoutError, AssertionError) as error:
        won, wrong = "nobody", f"{type(error).__name__}: {error}"
    outcome.seeds += 1
    outcome.races[f"{name}: {won}"] += 1
    if wrong:
        outcome.wrong.append(f"seed {seed}, {name}: {wrong}")
        await table.clear()


async def _look(halls: list["Hall"], outcome: Outcome) -> None:
    for hall in halls:
        for invariant, times in (await hall.shop.violations()).items():
            outcome.wrong.append(f"{invariant}: {times} on live data after {outcome.seeds} seeds")


Race = Callable[[random.Random], Any]
"""Who won, and what is wrong (empty: nothing)."""


class Hall:
    """One shop's tables. Made by `open`."""

    def __init__(self, stage: Stage, shop: Shop, journal: Journal, undo: AsyncExitStack) -> None:
        self.shop = shop
        self.tables: list[Table] = []
        self.agents: dict[str, Person] = {}
        self._stage = stage
        self._journal = journal
        self._undo = undo
        self._book = Book()

    @classmethod
    async def open(
        cls,
        stage: Stage,
        shop: Shop,
        journal: Journal,
        undo: AsyncExitStack,
        tables: int,
        *,
        agents: int,
        online: bool,
    ) -> "Hall":
        """Everybody has come when this returns. `online`: agents are given conversations by routing."""
        hall = cls(stage, shop, journal, undo)
        await shop.change_policy(wrap_up_s=0)
        await shop.employ(agents=agents, managers=2, capacity=2 if online else 50)
        for number, account in enumerate(shop.agents):
            agent = await hall._enter(account, number)
            hall.agents[agent.id] = agent
            await agent.ask("agent.set_status", status="online" if online else "paused")
        managers = [await hall._enter(account, number) for number, account in enumerate(shop.managers)]
        people = list(hall.agents.values())
        for number in range(tables):
            door = page_door(stage.port, address(AWAY + number))
            undo.push_async_callback(door.aclose)
            customer = await hall._come(f"customer {number}", number, widget_tickets(door, shop.slug))
            if online:
                hall.tables.append(BusyTable(hall, customer, people, managers))
            else:
                hall.tables.append(HandTable(hall, customer, people[2 * number : 2 * number + 2], managers))
        return hall

    def door(self, dice: random.Random) -> Door:
        """The HTTP side of one of the nodes."""
        return Door(dice.choice(self._stage.nodes).port)

    async def settle(self) -> None:
        """Everybody has everything, or had the time to."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 35
        people = [*self.agents.values(), *(table.customer for table in self.tables)]
        while any(log.missing for person in people for log in person.client.logs.values()):
            if loop.time() > deadline:
                break
            await asyncio.sleep(0.05)
        for person in people:
            person.pen.stayed()

    async def stale_capacities(self) -> list[str]:
        """Agents whose capacity in routing is not the one that was set last."""
        async with Door(self._stage.port) as door:
            live = await door.ask("GET", "/v1/agents", token=self.shop.owner_token)
            stored = await door.ask("GET", "/v1/accounts?limit=200", token=self.shop.owner_token)
        meant = {each["id"]: each["capacity"] for each in stored["items"]}
        return [
            f"I4: {each['name']} may hold {meant[each['account_id']]}, routing believes {each['capacity']}"
            for each in live["items"]
            if meant[each["account_id"]] not in (None, each["capacity"])
        ]

    async def _enter(self, account: Account, number: int) -> Person:
        door = page_door(self._stage.port, "127.0.0.1")
        self._undo.push_async_callback(door.aclose)
        tickets = account_tickets(door, self.shop.slug, account.email, PASSWORD)
        return await self._come(account.email, number, tickets)

    async def _come(self, name: str, number: int, tickets: TicketSource) -> Person:
        port = self._stage.nodes[number % len(self._stage.nodes)].port
        world = World(port, self.shop.slug, PROFILES["slow"], self._book, self._journal)
        person = Person(name, world, tickets, random.Random(number))
        self._undo.push_async_callback(person.leave)
        await person.client.start()
        return person


class Table:
    """A customer and those who race for them. `races`: by name."""

    def __init__(self, hall: Hall, customer: Person, agents: list[Person], managers: list[Person]) -> None:
        self.customer = customer
        self.races: dict[str, Race] = {}
        self._hall = hall
        self._agents = agents
        self._managers = managers

    async def clear(self) -> None:
        """Nothing is open any more: whoever has it ends it, and who waits leaves."""
        open_ones = [each for each in self.customer.client.view.snapshot() if each.state is not Life.CLOSED]
        for each in open_ones:
            await self._end(await self._look(each.conversation_id))

    async def _open(self) -> Conversation:
        name, text = new_id(), "I have a question"
        self.customer.pen.sent("", name, text)
        message = {"client_message_id": name, "body": {"kind": "text", "text": text}}
        opened = await self.customer.ask("conversation.open", message=message)
        assert isinstance(opened, OpenResult)
        assert opened.message is not None, "sent with it"
        self.customer.pen.acked(opened.conversation.conversation_id, name, opened.message)
        return opened.conversation

    async def _look(self, conversation: str) -> Conversation:
        found = await self.customer.ask("conversation.get", conversation_id=conversation)
        assert isinstance(found, ConversationResult)
        return found.conversation

    async def _end(self, known: Conversation) -> None:
        """By whoever has it, as it is now."""
        while known.state is not Life.CLOSED:
            try:
                if known.owner is None:
                    await self.customer.ask("conversation.leave_queue", conversation_id=known.conversation_id)
                else:
                    owner = self._hall.agents[str(known.owner.id)]
                    await owner.ask("conversation.end", conversation_id=known.conversation_id)
            except RequestError as refusal:
                if refusal.retryable:
                    raise
            known = await self._look(known.conversation_id)


class HandTable(Table):
    """Agents are paused: nothing happens but by hand."""

    def __init__(self, hall: Hall, customer: Person, agents: list[Person], managers: list[Person]) -> None:
        super().__init__(hall, customer, agents, managers)
        self.races = {
            "two pull": self._two_pull,
            "two assign": self._two_assign,
            "transfer against assign": self._transfer_against_assign,
            "end against message": self._end_against_message,
            "leave against pull": self._leave_against_pull,
            "transfer against end": self._transfer_against_end,
        }

    async def _two_pull(self, dice: random.Random) -> tuple[str, str]:
        opened = await self._open()
        id = opened.conversation_id
        one, other = self._agents
        results = await _both(
            dice,
            one.ask("conversation.pull", conversation_id=id),
            other.ask("conversation.pull", conversation_id=id),
        )
        return await self._one_has_it(id, results, (one.id, other.id))

    async def _two_assign(self, dice: random.Random) -> tuple[str, str]:
        opened = await self._open()
        id, epoch = opened.conversation_id, opened.assign_epoch
        one, other = self._agents
        assigns = [
            manager.ask("conversation.assign", conversation_id=id, account_id=agent.id, assign_epoch=epoch)
            for manager, agent in zip(self._managers, (one, other), strict=True)
        ]
        return await self._one_has_it(id, await _both(dice, *assigns), (one.id, other.id))

    async def _transfer_against_assign(self, dice: random.Random) -> tuple[str, str]:
        owner, other, known = await self._owned()
        id, epoch = known.conversation_id, known.assign_epoch
        third = dice.choice([each for each in self._hall.agents.values() if each not in self._agents])
        results = await _both(
            dice,
            owner.ask("conversation.transfer", conversation_id=id, account_id=other.id, assign_epoch=epoch),
            self._managers[1].ask(
                "conversation.assign", conversation_id=id, account_id=third.id, assign_epoch=epoch
            ),
        )
        return await self._one_has_it(id, results, (other.id, third.id))

    async def _end_against_message(self, dice: random.Random) -> tuple[str, str]:
        owner, _, known = await self._owned()
        id = known.conversation_id
        ended, said = await _both(
            dice,
            owner.ask("conversation.end", conversation_id=id),
            self.customer.say(id, "one more thing"),
        )
        now = await self._look(id)
        wrong = ""
        if isinstance(ended, RequestError):
            wrong = f"the end was refused: {ended.reason}"
        elif now.state is not Life.CLOSED:
            wrong = f"it was ended and is {now.state}"
        elif isinstance(said, RequestError) and said.reason != "conversation_closed":
            wrong = f"the message was refused: {said.reason}"
        await self._end(now)
        return "the end" if isinstance(said, RequestError) else "the message", wrong

    async def _leave_against_pull(self, dice: random.Random) -> tuple[str, str]:
        id = (await self._open()).conversation_id
        left, pulled = await _both(
            dice,
            self.customer.ask("conversation.leave_queue", conversation_id=id),
            dice.choice(self._agents).ask("conversation.pull", conversation_id=id),
        )
        now = await self._look(id)
        wrong = _exactly_one(left, pulled)
        if not wrong and (now.state is Life.CLOSED) is isinstance(left, RequestError):
            wrong = f"it is {now.state}"
        await self._end(now)
        return "the puller" if isinstance(left, RequestError) else "the customer", wrong

    async def _transfer_against_end(self, dice: random.Random) -> tuple[str, str]:
        owner, other, known = await self._owned()
        id, epoch = known.conversation_id, known.assign_epoch
        given, ended = await _both(
            dice,
            self._managers[0].ask(
                "conversation.assign", conversation_id=id, account_id=other.id, assign_epoch=epoch
            ),
            owner.ask("conversation.end", conversation_id=id, assign_epoch=epoch),
        )
        now = await self._look(id)
        wrong = _exactly_one(given, ended)
        if not wrong and (now.state is Life.CLOSED) is isinstance(ended, RequestError):
            wrong = f"it is {now.state}"
        await self._end(now)
        return "the end" if isinstance(given, RequestError) else "the other owner", wrong

    async def _owned(self) -> tuple[Person, Person, Conversation]:
        """A conversation of the first agent's; the other one; as it is."""
        id = (await self._open()).conversation_id
        owner, other = self._agents
        pulled = await owner.ask("conversation.pull", conversation_id=id)
        assert isinstance(pulled, ConversationResult)
        return owner, other, pulled.conversation

    async def _one_has_it(
        self, id: str, results: tuple[Shape | RequestError, Shape | RequestError], people: tuple[str, str]
    ) -> tuple[str, str]:
        now = await self._look(id)
        wrong = _exactly_one(*results)
        first = not isinstance(results[0], RequestError)
        if not wrong and (now.owner is None or now.owner.id != people[0 if first else 1]):
            wrong = f"it is with {now.owner}, and {people[0 if first else 1]} was told to have won"
        await self._end(now)
        return "the first" if first else "the second", wrong


class BusyTable(Table):
    """Agents are online, with little room: routing decides, while capacities change under it."""

    def __init__(self, hall: Hall, customer: Person, agents: list[Person], managers: list[Person]) -> None:
        super().__init__(hall, customer, agents, managers)
        self.races = {"capacity against claim": self._capacity_against_claim}

    async def _capacity_against_claim(self, dice: random.Random) -> tuple[str, str]:
        agent = dice.choice(self._agents)
        opened, *changed = await asyncio.gather(
            self._open(), *(self._allow(dice, agent) for _ in range(2)), return_exceptions=True
        )
        for each in (opened, *changed):
            if isinstance(each, BaseException):
                raise each
        assert isinstance(opened, Conversation)
        # It may wait for as long as nobody has room: room comes with the ends of others, or with more capacity.
        if dice.random() < 0.5:
            await self.customer.say(opened.conversation_id, "thank you")
        known = await self._look(opened.conversation_id)
        await self._end(known)
        return "waited" if opened.owner is None else "an agent", ""

    async def _allow(self, dice: random.Random, agent: Person) -> None:
        async with self._hall.door(dice) as door:
            body = {"capacity": dice.randint(1, 3)}
            await door.ask("PATCH", f"/v1/accounts/{agent.id}", body, token=self._hall.shop.owner_token)


async def _both(
    dice: random.Random, one: Any, other: Any
) -> tuple[Shape | RequestError, Shape | RequestError]:
    """Both at about the same time: what each was answered, refusals as values."""
    wait_s = dice.uniform(-APART_S, APART_S)

    async def after(seconds: float, work: Any) -> Any:
        if seconds > 0:
            await asyncio.sleep(seconds)
        try:
            return await work
        except RequestError as refusal:
            return refusal

    first, second = await asyncio.gather(after(wait_s, one), after(-wait_s, other))
    return first, second


def _exactly_one(one: Shape | RequestError, other: Shape | RequestError) -> str:
    """What is wrong unless one was done and the other refused for good."""
    refused = [each for each in (one, other) if isinstance(each, RequestError)]
    if len(refused) == 1:
        return "" if refused[0].code in TOLD else f"the other was told {refused[0].reason}"
    if not refused:
        return "both were told to have won"
    return f"nobody won: {refused[0].reason}, {refused[1].reason}"
