"""`python -m loadtest chaos`: people talk, faults happen in the middle of it, and everything is checked afterwards.

In turn: each fault alone, its figures against its limits. Mixed: faults in an order that the seed decides, for so many
minutes. Faults that need nodes of another kind (`Fault.settings`) get a stage of their own.
"""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.children import ChildFailed
from loadtest.faults import FAULTS, Fault, Figures, Scene
from loadtest.front_desk import Refused
from loadtest.journal import Journal
from loadtest.people import PROFILES, Book, Party
from loadtest.people.party import PartyFailed
from loadtest.stage import Stage
from protocol.errors import PointsmanError

WELL_S = 60.0
CALM_S = 2.0
"""of ordinary talk between two faults"""
INJECTION_S = 240.0


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
    violations: list[str] = field(default_factory=list[str])
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether anything does not hold. Limits count where faults came one by one."""
        limits = not self.wishes.minutes and any(each.broken for each in self.injected)
        return bool(self.violations) or limits or any(each.trouble for each in self.injected)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": "chaos",
            "mixed_minutes": self.wishes.minutes,
            "seed": self.wishes.seed,
            "nodes": self.wishes.nodes,
            "seconds": self.seconds,
            "faults": [
                {
                    "number": each.number,
                    "name": FAULTS[each.number].name,
                    "figures": dict(each.figures),
                    "seconds": each.seconds,
                    "broken": each.broken,
                    "trouble": each.trouble,
                }
                for each in self.injected
            ],
            "acknowledged": self.book.of("messages"),
            "counts": self.book.counts,
            "send_ms": self.book.sends.summary(),
            "resume_ms": self.book.resumes.summary(),
            "violations": self.violations,
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
                figures = ", ".join(f"{name} {value:,.4g}" for name, value in each.figures.items())
                verdict = "TROUBLE" if each.trouble else "BROKEN" if each.broken else "holds"
                rows.append(f"  {each.number:>2} {verdict:<7} {FAULTS[each.number].name}: {figures}")
                rows += [f"     {words}" for words in (*each.broken, each.trouble) if words]
        said = self.book.of("messages")
        rate = said / self.seconds if self.seconds else 0.0
        return "\n".join(
            [
                f"{len(self.injected)} faults, {said:,} acknowledged messages in {self.seconds:,.0f} s "
                f"({rate:,.0f}/s), {len(self.violations)} violations, seed {self.wishes.seed}",
                *rows,
                *self.violations,
            ]
        )


Tell = Callable[[str], None]


async def run(wishes: Wishes, tell: Tell, logs: Path | None = None) -> Outcome:
    """Do it on stages of its own. Raises ChildFailed, Refused when a stage cannot be set up."""
    outcome = Outcome(wishes)
    tell(f"seed {wishes.seed}")
    with tempfile.TemporaryDirectory(prefix="pointsman-chaos-") as temporary:
        folder = logs or Path(temporary)
        for number, (settings, faults) in enumerate(_troupes(wishes.faults)):
            place = folder / f"stage-{number + 1}"
            place.mkdir(exist_ok=True)
            await _play(outcome, settings, faults, place, tell)
    return outcome


def _troupes(numbers: Iterable[int]) -> list[tuple[Mapping[str, str], list[Fault]]]:
    """Faults that can share a stage."""
    groups: dict[tuple[tuple[str, str], ...], list[Fault]] = {}
    for number in numbers:
        fault = FAULTS[number]
        groups.setdefault(tuple(sorted(fault.settings.items())), []).append(fault)
    return [(dict(key), faults) for key, faults in groups.items()]


async def _play(
    outcome: Outcome, settings: Mapping[str, str], faults: list[Fault], folder: Path, tell: Tell
) -> None:
    wishes, profile = outcome.wishes, PROFILES["chaos"]
    dice = random.Random(wishes.seed)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as undo:
        stage = await Stage.open(folder, nodes=wishes.nodes, settings=settings)
        undo.push_async_callback(stage.close)
        shop = stage.shops[0]
        await shop.employ(agents=wishes.agents or profile.agents, supervisors=1, capacity=profile.capacity)
        await shop.change_policy(wrap_up_s=0)
        journal = undo.enter_context(Journal(folder / "journal", seed=wishes.seed))
        party = Party(shop, journal, profile, outcome.book, seed=wishes.seed, port=stage.port)
        undo.push_async_callback(party.close)
        await party.staff_come()
        began = loop.time()
        await party.customers_come(wishes.customers or profile.customers, over_s=1.0)
        scene = Scene(stage, party, journal)
        await _well(scene)
        if wishes.minutes:
            await _mixed(outcome, scene, faults, dice, tell)
        else:
            for fault in faults:
                outcome.injected.append(await _inject(scene, fault, fault.inject, dice, tell))
        outcome.seconds += loop.time() - began
        await party.go_home(stage.database_url)
        outcome.violations += party.troubles()
        counted = await shop.violations()
        outcome.violations += [f"{name}: {times} on live data" for name, times in counted.items()]


async def _mixed(
    outcome: Outcome, scene: Scene, faults: list[Fault], dice: random.Random, tell: Tell
) -> None:
    able = [fault for fault in faults if fault.brief is not None]
    deadline = asyncio.get_running_loop().time() + outcome.wishes.minutes * 60
    while asyncio.get_running_loop().time() < deadline:
        fault = dice.choice(able)
        assert fault.brief is not None, "chosen for it"
        outcome.injected.append(await _inject(scene, fault, fault.brief, dice, tell))


async def _inject(scene: Scene, fault: Fault, inject: Any, dice: random.Random, tell: Tell) -> Injected:
    loop = asyncio.get_running_loop()
    scene.journal.fault(fault.number, "begun")
    began = loop.time()
    figures: Figures = {}
    trouble = ""
    try:
        async with asyncio.timeout(INJECTION_S):
            figures = await inject(scene, dice)
        await _well(scene)
    except (ChildFailed, Refused, PartyFailed, PointsmanError, TimeoutError) as error:
        trouble = f"{type(error).__name__}: {error}"
    done = Injected(fault.number, figures, loop.time() - began, trouble)
    scene.journal.fault(fault.number, "over", **figures)
    told = ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
    tell(f"{fault.number} {fault.name}: {told}{trouble} [{done.seconds:.1f} s]")
    with suppress(ChildFailed, PartyFailed):
        await _well(scene)
    return done


async def _well(scene: Scene) -> None:
    """Every node runs and is ready, everybody is connected, and people have talked for a moment."""
    for node in scene.stage.nodes:
        if not node.running:
            await node.restart()
    await scene.stage.ready(WELL_S)
    await scene.party.all_live(WELL_S)
    await asyncio.sleep(CALM_S)
