"""`python -m loadtest load`: people as a profile describes them, for so long, on real nodes; everything is checked."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.checker import Verdict
from loadtest.gauge import Gauge, Sample
from loadtest.machine import describe
from loadtest.people import Book, Profile
from loadtest.play import Play
from loadtest.show import Show
from loadtest.stage import BalancerChoice
from loadtest.storage import bytes_each


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to play. `customers`, `agents`: instead of the profile's, if not 0."""

    profile: Profile
    seconds: float = 60.0
    nodes: int = 2
    seed: int = 1
    customers: int = 0
    agents: int = 0
    balancer: BalancerChoice = "installed"

    @property
    def cast(self) -> Profile:
        """The profile with the numbers that were wished for."""
        many = self.customers or self.profile.customers
        return replace(self.profile, customers=many, agents=self.agents or self.profile.agents)


@dataclass(slots=True)
class Outcome:
    """What happened, and what is wrong with it."""

    wishes: Wishes
    book: Book = field(default_factory=Book)
    balancer: str = ""
    """which one it was"""
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    gauge: dict[str, Any] = field(default_factory=dict[str, Any])
    machine: dict[str, Any] = field(default_factory=dict[str, Any])
    stored_bytes: dict[str, int] = field(default_factory=dict[str, int])
    """of PostgreSQL, by table, each row"""

    @property
    def failed(self) -> bool:
        """Whether anything does not hold."""
        return not self.verdict.holds

    def document(self) -> dict[str, Any]:
        """For JSON, and for the report."""
        book, profile = self.book, self.wishes.cast
        return {
            "kind": "load",
            "title": f"Load: {profile.name}",
            "what": profile.what,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": self.machine,
            "run": {
                "profile": profile.name,
                "customers": profile.customers,
                "agents": profile.agents,
                "nodes": self.wishes.nodes,
                "balancer": self.balancer,
                "seconds": round(self.seconds, 1),
                "seed": self.wishes.seed,
            },
            "acknowledged": book.of("messages"),
            "messages_per_s": round(book.of("messages") / self.seconds, 1) if self.seconds else 0.0,
            "counts": dict(sorted(book.counts.items())),
            "latencies_ms": book.latencies(),
            "verdict": self.verdict.document(),
            "stored_bytes_each": self.stored_bytes,
            "gauge": self.gauge,
        }

    def text(self) -> str:
        """For people."""
        document = self.document()
        counts = [f"  {what:<34} {number:>9,}" for what, number in document["counts"].items()]
        rows = [
            f"  {what:<34} p50 {row['p50']:,.1f} ms, p99 {row['p99']:,.1f} ms, longest {row['max']:,.0f} ms"
            for what, row in document["latencies_ms"].items()
        ]
        stored = [
            f"  {f'bytes a row of {table}':<34} {size:>9,}" for table, size in self.stored_bytes.items()
        ]
        said = f"{document['acknowledged']:,} acknowledged messages, {document['messages_per_s']:,.0f}/s"
        return "\n".join(
            [f"{document['title']}: {document['what']}", said, *counts, *rows, *stored, self.verdict.text()]
        )


async def run(wishes: Wishes, show: Show, logs: Path | None = None) -> Outcome:
    """Play it on servers of its own. Raises ChildFailed, Refused, PartyFailed; a broken invariant is in the outcome."""
    outcome = Outcome(wishes, machine=describe())
    profile = wishes.cast
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as undo:
        folder = logs or Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-load-")))
        show.step(f"setting up {wishes.nodes} nodes, {profile.agents} agents")
        play = await Play.open(folder, profile, undo, wishes, outcome.book)
        outcome.balancer = play.stage.balancer
        gauge = Gauge(play.stage, play.party)
        sampling = asyncio.create_task(gauge.run())
        undo.callback(sampling.cancel)
        show.step(f"{profile.name}: {profile.customers} customers", wishes.seconds)
        began = loop.time()
        coming = asyncio.create_task(
            play.customers_come(profile.customers, wishes.seconds * profile.arrive_within, profile.waves)
        )
        undo.callback(coming.cancel)
        if profile.storm_every_s:
            play.party.begin_storms(profile.storm_every_s)
        while (passed := loop.time() - began) < wishes.seconds:
            await asyncio.sleep(0.5)
            show.at(passed, figures(gauge.samples, outcome.book))
        outcome.seconds = loop.time() - began
        sampling.cancel()
        outcome.gauge = gauge.document()
        show.step("everybody finishes and catches up")
        outcome.verdict = await play.end(lambda done, of: show.at(done))
        outcome.stored_bytes = await bytes_each(play.stage.database_url)
    return outcome


def figures(samples: list[Sample], book: Book) -> dict[str, str]:
    """The latest second, for people."""
    if not samples:
        return {}
    now = samples[-1]
    nodes = [share for name, share in now.cpu.items() if name.startswith("node")]
    return {
        "messages": f"{book.of('messages'):,} ({now.messages_per_s:,.0f}/s)",
        "acknowledged after": f"p50 {now.send_p50_ms:,.1f} ms, p99 {now.send_p99_ms:,.1f} ms",
        "connected": f"{now.connected:,}, {now.waiting:,} wait for an agent",
        "CPU": f"nodes {sum(nodes):.0%}, postgres {now.cpu['postgres']:.0%}, redis {now.cpu['redis']:.0%}, "
        f"people {now.cpu['people']:.0%}",
    }
