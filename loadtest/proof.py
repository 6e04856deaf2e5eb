"""`python -m loadtest proof`: the checker is proven. Builds that are broken on purpose are caught, every time.

One play on two nodes, in which everything happens that a broken build would get wrong: customers with several tabs who
are told by pushes alone (they never ask for what they miss), conversations that change hands, and owners who write once
more after that. It is long enough for the rarest fault to happen. A sound build holds everything; each broken one
breaks what it must.
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
TABS: Final = 3
"""of each of them; what is said in one is pushed to the others"""
LOST: Final = 4
"""Deliveries lost in a play. Agents ask for what they miss: each that meets a customer is a loss for good."""
TURNS: Final = 6
"""of a customer and their agent, before the conversation changes hands; more, where a fault is rarer"""
SETTINGS: Final = {
    "POINTSMAN_DEMO": "true",
    # Failpoints exist in demo mode alone; and nobody here writes as slowly as people do.
    "POINTSMAN_CUSTOMER_MESSAGES_PER_S": "1000000",
    "POINTSMAN_CUSTOMER_BURST": "1000000",
}
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
        stage = await Stage.open(folder, shops=times * len(BUILDS), settings=SETTINGS)
        undo.push_async_callback(stage.close)
        shops = iter(stage.shops)
        for build in BUILDS:
            rules = {"POINTSMAN_FAILPOINTS": build.failpoints.format(drop=drop)}
            await asyncio.gather(*(node.restart(rules) for node in stage.nodes))
            await stage.ready()
            for turn in range(times):
                path = folder / f"{build.name.replace(' ', '-')}-{turn + 1}"
                trial = Trial(build, await _try(stage, next(shops), path, _turns(build, drop)))
                outcome.trials.append(trial)
                tell(
                    f"{build.name}: {'as it should' if trial.as_it_should else 'WRONG'}: {trial.verdict.text()}"
                )
    return outcome


def _turns(build: Build, drop: int) -> int:
    """So many that `LOST` deliveries are lost: in each the agent's answer goes to every tab of the customer."""
    return max(TURNS, -(-drop * LOST // (CUSTOMERS * TABS))) if "{drop}" in build.failpoints else TURNS


async def _try(stage: Stage, shop: Shop, path: Path, turns: int) -> Verdict:
    await shop.employ(agents=2, capacity=2 * CUSTOMERS)
    with Journal(path) as journal:
        async with AsyncExitStack() as undo:
            play = Play(shop, stage.port, journal, undo)
            await play.come()
            await play.talk(turns)
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
        self._others: list[Person] = []
        """tabs of the same customers, in which nobody writes"""
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
            tabs = [
                await self._enter(
                    Person(f"customer {number}", self._world, tickets, random.Random(), patience=WITNESS)
                )
                for _ in range(TABS)
            ]
            self._customers.append(tabs[0])
            self._others += tabs[1:]

    async def talk(self, turns: int) -> None:
        """All visits at the same time."""
        await asyncio.gather(*(self._visit(customer, turns) for customer in self._customers))

    async def settle(self) -> None:
        """Until everybody has everything, or nothing comes any more."""
        people = [*self._agents.values(), *self._customers, *self._others]
        had: dict[str, int] = {}
        loop = asyncio.get_running_loop()
        since = loop.time()
        while loop.time() - since < QUIET_S:
            have = {
                f"{number} {id}": log.cursor
                for number, person in enumerate(people)
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

    async def _visit(self, customer: Person, turns: int) -> None:
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
        for turn in range(turns):
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
