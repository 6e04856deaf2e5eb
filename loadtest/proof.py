"""`python -m loadtest proof`: the checker is proven. Builds that are broken on purpose are caught, every time.

One short play on two nodes, in which everything happens that a broken build would get wrong: customers who are told by
pushes alone (they never ask for what they miss), conversations that change hands, and owners who write once more after
that. A sound build holds everything; each broken one breaks what it must.
"""

import asyncio
import random
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loadtest.checker import Verdict, check
from loadtest.front_desk import address
from loadtest.journal import Journal
from loadtest.people import PROFILES, Book
from loadtest.people.person import Person, World, page_door
from loadtest.stage import PASSWORD, Shop, Stage
from protocol.client import Patience, account_tickets, widget_tickets
from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.methods.conversations import OpenResult

CUSTOMERS: Final = 4
TURNS: Final = 6
"""of a customer and their agent, before the conversation changes hands"""
QUIET_S: Final = 6.0
"""After this long without anything new nothing will come."""
WITNESS: Final = Patience(first_s=0.25, longest_s=4.0, soon_s=1.0, reply_s=10.0, gap_s=3600.0)
"""Waits for what is missing instead of asking for it: what the server does not push, it does not get."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build of the server, and the invariant that it breaks; none: it is sound."""

    name: str
    failpoints: str
    breaks: str = ""


BUILDS: Final = (
    Build("sound", ""),
    Build("drops deliveries", "delivery.drop/{drop}", "I1"),
    Build("skips the fence", "fence.skip", "I3"),
    Build("repeats a script", "script.repeat", "I4"),
)


@dataclass(slots=True)
class Trial:
    """One build, played and checked."""

    build: Build
    verdict: Verdict

    @property
    def as_it_should(self) -> bool:
        """Sound and held, or broken and caught by the invariant that it breaks."""
        if not self.build.breaks:
            return self.verdict.holds
        return self.verdict.broken[self.build.breaks] > 0


@dataclass(slots=True)
class Outcome:
    """All builds, as often as was asked."""

    trials: list[Trial] = field(default_factory=list[Trial])

    @property
    def failed(self) -> bool:
        """Whether a sound build was accused, or a broken one got through."""
        return not all(trial.as_it_should for trial in self.trials)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": "proof",
            "trials": [
                {
                    "build": trial.build.name,
                    "breaks": trial.build.breaks,
                    "as_it_should": trial.as_it_should,
                    **trial.verdict.document(),
                }
                for trial in self.trials
            ],
        }

    def text(self) -> str:
        """For people."""
        rows: list[str] = []
        for build in BUILDS:
            trials = [trial for trial in self.trials if trial.build == build]
            good = sum(trial.as_it_should for trial in trials)
            what = f"caught by {build.breaks}" if build.breaks else "holds"
            rows.append(f"  {build.name:<20} {what:<14} {good} of {len(trials)} times")
            rows += [f"    {violation}" for trial in trials[:1] for violation in trial.verdict.violations[:2]]
        return "\n".join(rows)


Tell = Callable[[str], None]


async def run(times: int, drop: int, tell: Tell, logs: Path | None = None) -> Outcome:
    """Every build so many times, on servers of its own. `drop`: of how many deliveries one is lost.

    Raises ChildFailed, Refused.
    """
    outcome = Outcome()
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-proof-")))
        stage = await Stage.open(folder, shops=times * len(BUILDS), settings={"POINTSMAN_DEMO": "true"})
        undo.push_async_callback(stage.close)
        shops = iter(stage.shops)
        for build in BUILDS:
            rules = {"POINTSMAN_FAILPOINTS": build.failpoints.format(drop=drop)}
            await asyncio.gather(*(node.restart(rules) for node in stage.nodes))
            await stage.ready()
            for turn in range(times):
                path = folder / f"{build.name.replace(' ', '-')}-{turn + 1}"
                trial = Trial(build, await _try(stage, next(shops), path))
                outcome.trials.append(trial)
                tell(
                    f"{build.name}: {'as it should' if trial.as_it_should else 'WRONG'}: {trial.verdict.text()}"
                )
    return outcome


async def _try(stage: Stage, shop: Shop, path: Path) -> Verdict:
    await shop.employ(agents=2, capacity=2 * CUSTOMERS)
    with Journal(path) as journal:
        async with AsyncExitStack() as undo:
            play = Play(shop, stage.port, journal, undo)
            await play.come()
            await play.talk()
            await play.settle()
    live = await shop.violations()
    return await check([path], stage.database_url, live={shop.slug: live}, shops={play.shop_id})


class Play:
    """Two agents, and customers one after the other: each is answered, handed over, and answered again."""

    def __init__(self, shop: Shop, port: int, journal: Journal, undo: AsyncExitStack) -> None:
        self._shop = shop
        self._port = port
        self._undo = undo
        self._world = World(port, shop.slug, PROFILES["slow"], Book(), journal)
        self._agents: dict[str, Person] = {}
        self._customers: list[Person] = []
        self.shop_id = ""

    async def come(self) -> None:
        """Everybody is connected when this returns; agents are online."""
        door = page_door(self._port, "127.0.0.1")
        self._undo.push_async_callback(door.aclose)
        for account in self._shop.agents:
            tickets = account_tickets(door, self._shop.slug, account.email, PASSWORD)
            agent = await self._enter(Person(account.email, self._world, tickets, random.Random()))
            await agent.ask("agent.set_status", status="online")
            self._agents[agent.id] = agent
        for number in range(CUSTOMERS):
            door = page_door(self._port, address(number))
            self._undo.push_async_callback(door.aclose)
            tickets = widget_tickets(door, self._shop.slug)
            customer = Person(f"customer {number}", self._world, tickets, random.Random(), patience=WITNESS)
            self._customers.append(await self._enter(customer))

    async def talk(self) -> None:
        """All visits at the same time."""
        await asyncio.gather(*(self._visit(customer) for customer in self._customers))

    async def settle(self) -> None:
        """Until everybody has everything, or nothing comes any more."""
        people = [*self._agents.values(), *self._customers]
        had: dict[str, int] = {}
        loop = asyncio.get_running_loop()
        since = loop.time()
        while loop.time() - since < QUIET_S:
            have = {
                f"{person.name} {id}": log.cursor
                for person in people
                for id, log in person.client.logs.items()
            }
            if have != had:
                had, since = have, loop.time()
            missing = any(log.missing for person in people for log in person.client.logs.values())
            if not missing and self._equal(people):
                break
            await asyncio.sleep(0.05)
        for person in people:
            person.pen.stayed()

    def _equal(self, people: list[Person]) -> bool:
        """Whether everybody who has a log has the same of it: nothing here is for colleagues only."""
        cursors: dict[str, set[int]] = {}
        for person in people:
            for id, log in person.client.logs.items():
                cursors.setdefault(id, set()).add(log.cursor)
        return all(len(each) == 1 for each in cursors.values())

    async def _visit(self, customer: Person) -> None:
        name = new_id()
        first = {"client_message_id": name, "body": {"kind": "text", "text": f"{customer.name} comes"}}
        customer.pen.sent("", name, f"{customer.name} comes")
        opened = await customer.ask("conversation.open", message=first)
        assert isinstance(opened, OpenResult)
        assert opened.message is not None, "sent with it"
        conversation, owner = opened.conversation.conversation_id, opened.conversation.owner
        customer.pen.acked(conversation, name, opened.message)
        assert owner is not None, "agents with room are online"
        agent = self._agents[str(owner.id)]
        [colleague] = [each for each in self._agents.values() if each is not agent]
        for turn in range(TURNS):
            await customer.say(conversation, f"{customer.name} asks {turn}")
            await agent.say(conversation, f"{agent.name} answers {turn}")
        await agent.ask("conversation.transfer", conversation_id=conversation, account_id=colleague.id)
        try:
            await agent.say(conversation, f"{agent.name} was about to answer")
        except RequestError:
            # As it should be: it is the colleague's now. A build without the fence takes it, and the checker knows.
            self._world.book.count("stale")
        await colleague.say(conversation, f"{colleague.name} answers")
        await customer.say(conversation, f"{customer.name} thanks")

    async def _enter(self, person: Person) -> Person:
        self._undo.push_async_callback(person.leave)
        session = await person.client.start()
        self.shop_id = session.me.shop_id
        return person
