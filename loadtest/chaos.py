"""`python -m loadtest chaos`: people talk, faults happen in the middle of it, and everything is checked afterwards.

In turn: each fault alone, its figures against its limits. Mixed: faults in an order that the seed decides, for so many
minutes. Faults that need nodes of another kind (`Fault.settings`) get a stage of their own.
"""

import asyncio
import random
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.checker import Verdict
from loadtest.children import ChildFailed
from loadtest.faults import FAULTS, Fault, Figures, Scene
from loadtest.faults.fault import Inject
from loadtest.figures import told
from loadtest.gauge import Gauge
from loadtest.load import figures
from loadtest.machine import describe
from loadtest.people import PROFILES, Book
from loadtest.people.party import PartyFailed
from loadtest.play import Play
from loadtest.show import Show
from loadtest.stage import BalancerChoice

WELL_S = 60.0
CALM_S = 2.0
BRIEF_CALM_S = 0.5
"""of ordinary talk between two faults; the second in mixed runs"""
INJECTION_S = 600.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to do. `minutes`: a mixed run of that length instead of one turn each."""

    faults: tuple[int, ...] = tuple(sorted(FAULTS))
    minutes: float = 0.0
    seed: int = 1
    nodes: int = 2
    customers: int = 0
    """0: as many as the profile has"""
    agents: int = 0
    sockets: int = 1000
    """of a reconnect storm (fault 14)"""
    balancer: BalancerChoice = "installed"


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault that happened. `trouble`: why its figures are not to be had; empty when they are."""

    number: int
    figures: Figures
    seconds: float
    trouble: str = ""

    @property
    def broken(self) -> list[str]:
        """The limits that do not hold."""
        return [str(limit) for limit in FAULTS[self.number].limits if not limit.holds(self.figures)]


@dataclass(slots=True)
class Outcome:
    """What happened, and what is wrong with it."""

    wishes: Wishes
    book: Book = field(default_factory=Book)
    injected: list[Injected] = field(default_factory=list[Injected])
    verdict: Verdict = field(default_factory=Verdict)
    gauges: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """one of each stage"""
    machine: dict[str, Any] = field(default_factory=dict[str, Any])
    balancer: str = ""
    """which one it was"""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether anything does not hold. Limits count where faults came one by one."""
        limits = not self.wishes.minutes and any(each.broken for each in self.injected)
        return not self.verdict.holds or limits or any(each.trouble for each in self.injected)

    def document(self) -> dict[str, Any]:
        """For JSON, and for the report."""
        wishes, said = self.wishes, self.book.of("messages")
        mixed = f"mixed, {wishes.minutes:g} minutes" if wishes.minutes else "one by one"
        return {
            "kind": "chaos",
            "title": f"Faults, {mixed}",
            "what": "people talk, faults happen in the middle of it, and everything is checked afterwards",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": self.machine,
            "failed": self.failed,
            "run": {
                "faults": len(self.injected),
                "minutes_mixed": wishes.minutes,
                "nodes": wishes.nodes,
                "balancer": self.balancer,
                "seconds": round(self.seconds, 1),
                "seed": wishes.seed,
            },
            "faults": [
                {
                    "number": each.number,
                    "name": FAULTS[each.number].name,
                    "figures": dict(each.figures),
                    "seconds": round(each.seconds, 2),
                    "broken": [] if wishes.minutes else each.broken,
                    "trouble": each.trouble,
                }
                for each in self.injected
            ],
            "acknowledged": said,
            "messages_per_s": round(said / self.seconds, 1) if self.seconds else 0.0,
            "counts": dict(sorted(self.book.counts.items())),
            "latencies_ms": self.book.latencies(),
            "verdict": self.verdict.document(),
            "gauge": self.gauges[0] if self.gauges else {"samples": [], "marks": []},
        }

    def text(self) -> str:
        """For people."""
        rows: list[str] = []
        if self.wishes.minutes:
            for number in sorted({each.number for each in self.injected}):
                these = [each for each in self.injected if each.number == number]
                rows.append(f"  {number:>2} {FAULTS[number].name}: {len(these)} times")
                rows += [f"     TROUBLE {each.trouble}" for each in these if each.trouble]
        else:
            for each in self.injected:
                verdict = "TROUBLE" if each.trouble else "BROKEN" if each.broken else "holds"
                rows.append(
                    f"  {each.number:>2} {verdict:<7} {FAULTS[each.number].name}: {told(each.figures)}"
                )
                rows += [f"     {words}" for words in (*each.broken, each.trouble) if words]
        said = self.book.of("messages")
        rate = said / self.seconds if self.seconds else 0.0
        return "\n".join(
            [
                f"{len(self.injected)} faults, {said:,} acknowledged messages in {self.seconds:,.0f} s "
                f"({rate:,.0f}/s), seed {self.wishes.seed}",
                *rows,
                self.verdict.text(),
            ]
        )


async def run(wishes: Wishes, show: Show, logs: Path | None = None) -> Outcome:
    """Do it on stages of its own. Raises ChildFailed, Refused, PartyFailed when a stage cannot be set up."""
    outcome = Outcome(wishes, machine=describe())
    show.tell(f"seed {wishes.seed}")
    with tempfile.TemporaryDirectory(prefix="pointsman-chaos-") as temporary:
        troupes = _mixable(wishes.faults) if wishes.minutes else _troupes(wishes.faults)
        for number, (settings, faults) in enumerate(troupes):
            folder = (logs or Path(temporary)) / f"stage-{number + 1}"
            await asyncio.to_thread(folder.mkdir, exist_ok=True)
            await _play(outcome, settings, faults, folder, show)
    return outcome


def _mixable(numbers: Iterable[int]) -> list[tuple[Mapping[str, str], list[Fault]]]:
    """One stage, for those that ordinary nodes can suffer."""
    return [({}, [FAULTS[number] for number in numbers if not FAULTS[number].settings])]


def _troupes(numbers: Iterable[int]) -> list[tuple[Mapping[str, str], list[Fault]]]:
    """Faults that can share a stage."""
    groups: dict[tuple[tuple[str, str], ...], list[Fault]] = {}
    for number in numbers:
        fault = FAULTS[number]
        groups.setdefault(tuple(sorted(fault.settings.items())), []).append(fault)
    return [(dict(key), faults) for key, faults in groups.items()]


async def _play(
    outcome: Outcome, settings: Mapping[str, str], faults: list[Fault], folder: Path, show: Show
) -> None:
    wishes = outcome.wishes
    many = wishes.customers or PROFILES["chaos"].customers
    profile = replace(PROFILES["chaos"], customers=many, agents=wishes.agents or PROFILES["chaos"].agents)
    dice = random.Random(wishes.seed)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as undo:
        show.step(f"setting up {wishes.nodes} nodes, {profile.agents} agents")
        play = await Play.open(folder, profile, undo, wishes, outcome.book, settings=settings)
        outcome.balancer = play.stage.balancer
        gauge = Gauge(play.stage, play.party)
        sampling = asyncio.create_task(gauge.run())
        undo.callback(sampling.cancel)
        began = loop.time()
        await play.customers_come(profile.customers, over_s=1.0)
        scene = Scene(play.stage, play.party, play.journal, wishes.sockets)
        await _well(scene)
        chaos = Chaos(outcome, scene, gauge, dice, show)
        await (chaos.mixed(faults) if wishes.minutes else chaos.in_turn(faults))
        outcome.seconds += loop.time() - began
        sampling.cancel()
        outcome.gauges.append(gauge.document())
        show.step("everybody finishes and catches up")
        outcome.verdict.also(await play.end(lambda done, of: show.at(done)))


class Chaos:
    """Faults on one stage."""

    def __init__(self, outcome: Outcome, scene: Scene, gauge: Gauge, dice: random.Random, show: Show) -> None:
        self._outcome = outcome
        self._scene = scene
        self._gauge = gauge
        self._dice = dice
        self._show = show

    async def in_turn(self, faults: list[Fault]) -> None:
        """Each once."""
        self._show.step("faults, one by one", len(faults))
        for done, fault in enumerate(faults):
            self._show.at(done)
            self._outcome.injected.append(await self._inject(fault, fault.inject))

    async def mixed(self, faults: list[Fault]) -> None:
        """At random, for so long: round by round, in each of them every fault once."""
        able = [fault for fault in faults if fault.brief is not None]
        to_come: list[Fault] = []
        seconds = self._outcome.wishes.minutes * 60
        began = asyncio.get_running_loop().time()
        self._show.step("faults, mixed", seconds)
        while able and (passed := asyncio.get_running_loop().time() - began) < seconds:
            self._show.at(passed)
            to_come = to_come or self._dice.sample(able, len(able))
            fault = to_come.pop()
            assert fault.brief is not None, "chosen for it"
            self._outcome.injected.append(await self._inject(fault, fault.brief))

    async def _inject(self, fault: Fault, inject: Inject) -> Injected:
        loop = asyncio.get_running_loop()
        scene = self._scene
        scene.journal.fault(fault.number, "begun")
        self._gauge.mark(f"{fault.number} {fault.name}")
        began = loop.time()
        given: Figures = {}
        trouble = ""
        try:
            async with asyncio.timeout(INJECTION_S):
                given = await inject(scene, self._dice)
            await _well(scene, BRIEF_CALM_S if self._outcome.wishes.minutes else CALM_S)
        except (
            Exception
        ) as error:  # whatever it is, it is told of this fault, and the run goes on to its verdict
            trouble = f"{type(error).__name__}: {error}"
        done = Injected(fault.number, given, loop.time() - began, trouble)
        scene.journal.fault(fault.number, "over", **given)
        self._show.tell(f"{fault.number:>2} {fault.name}: {told(given)}{trouble} [{done.seconds:.1f} s]")
        self._show.at(len(self._outcome.injected), figures(self._gauge.samples, self._outcome.book))
        if trouble:
            with suppress(ChildFailed, PartyFailed):
                await _well(scene)
        return done


async def _well(scene: Scene, calm_s: float = CALM_S) -> None:
    """Every node runs and is ready, everybody is connected, and people have talked for a moment."""
    for node in scene.stage.nodes:
        if not node.running:
            await node.restart()
    await scene.stage.ready(WELL_S)
    await scene.party.all_live(WELL_S)
    await asyncio.sleep(calm_s)
