"""The whole check of one run, in bounded memory: shelf by shelf, then moment by moment."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

from loadtest.checker import borders, givings, numbers, owners, snapshots, transcripts
from loadtest.checker.loads import Loads
from loadtest.checker.queues import Queues
from loadtest.checker.rows import Conversation, Decision, Entry, Talk, Violation
from loadtest.checker.shelves import Shelves, pages, shelf_of
from loadtest.checker.stored import Stored

PAGE: Final = 400
"""Conversations whose rows are in memory at a time."""
TOLD: Final = 100
"""Violations that are kept in words; more are only counted."""
COUNTED: Final = ("I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "client")
"""`client`: somebody's reference client gave up for good, which only the load itself can tell."""


@dataclass(slots=True)
class Verdict:
    """What was checked, and what did not hold."""

    violations: list[Violation] = field(default_factory=list[Violation])
    """the first `TOLD` of them"""
    broken: Counter[str] = field(default_factory=Counter[str])
    """invariant -> how often it did not hold"""
    checked: dict[str, int] = field(default_factory=dict[str, int])
    """what -> how many"""
    took_s: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything did."""
        return not self.broken

    def found(self, violations: Iterable[Violation]) -> None:
        """Some more that did not hold."""
        for violation in violations:
            self.broken[violation.invariant] += 1
            if len(self.violations) < TOLD:
                self.violations.append(violation)

    def also(self, other: "Verdict") -> None:
        """What another run's check found, added to this one."""
        self.violations += other.violations[: TOLD - len(self.violations)]
        self.broken.update(other.broken)
        for what, many in other.checked.items():
            self.checked[what] = self.checked.get(what, 0) + many
        self.took_s += other.took_s

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "holds": self.holds,
            "checked": self.checked,
            "broken": {invariant: self.broken[invariant] for invariant in COUNTED},
            "violations": [str(violation) for violation in self.violations],
            "took_s": round(self.took_s, 2),
        }

    def text(self) -> str:
        """For people."""
        counts = ", ".join(f"{number:,} {what}" for what, number in self.checked.items())
        verdict = (
            "everything holds"
            if self.holds
            else f"{sum(self.broken.values()):,} VIOLATIONS {dict(self.broken)}"
        )
        return "\n".join([f"{counts}: {verdict} ({self.took_s:.1f} s)", *map(str, self.violations[:20])])


async def check(
    journals: Sequence[Path],
    database_url: str,
    *,
    live: Mapping[str, Mapping[str, int]] | None = None,
    shops: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Verdict:
    """Hold the journals of a finished run against PostgreSQL. `live`: shop -> what `/v1/invariants` counts for it.
    `shops`: ids of those that the journals are about, when they are not about all.

    `progress` is called with how many of how many steps are done. Raises what asyncpg raises when PostgreSQL is not
    there, ValueError for a line that is no record.
    """
    verdict = Verdict()
    begun = time.monotonic()
    for shop, counted in (live or {}).items():
        for invariant, times in counted.items():
            if times:
                verdict.found([Violation(invariant, shop, f"{times} on live data")] * times)
    with tempfile.TemporaryDirectory(prefix="pointsman-check-") as folder:
        shelves = await asyncio.to_thread(Shelves.sort, journals, Path(folder))
        connection = await asyncpg.connect(database_url, timeout=30)
        try:
            run = _Run(verdict, shelves, Stored(connection, shops))
            await run.conversations(progress)
            await run.shops()
            await run.borders()
        finally:
            await connection.close()
    for what in ("sent", "acked", "given"):
        verdict.checked[what] = shelves.counts.get(what, 0)
    verdict.checked["faults"] = sum(fault.phase == "begun" for fault in shelves.faults)
    verdict.took_s = time.monotonic() - begun
    return verdict


class _Run:
    """One check under way."""

    def __init__(self, verdict: Verdict, shelves: Shelves, stored: Stored) -> None:
        self._verdict = verdict
        self._shelves = shelves
        self._stored = stored

    async def conversations(self, progress: Callable[[int, int], None]) -> None:
        """Everything that can be seen within one conversation."""
        ids = await self._stored.ids()
        self._verdict.checked["conversations"] = len(ids)
        self._verdict.found(
            Violation("I1", unknown, "people talked in it, and it is not stored")
            for unknown in self._shelves.conversations.difference(ids)
        )
        parts: list[list[str]] = [[] for _ in range(len(self._shelves))]
        for each in ids:
            parts[shelf_of(each, len(parts))].append(each)
        for number, part in enumerate(parts):
            talks = self._shelves.talks(number)
            for page in pages(part, PAGE):
                rows = await self._stored.conversations(page)
                logs = await self._stored.logs(page)
                decisions = await self._stored.decisions(page)
                for row in rows.values():
                    self._one(row, logs.get(row.id, []), decisions.get(row.id, []), talks.get(row.id, Talk()))
            progress(number + 1, len(parts))

    def _one(
        self, row: Conversation, log: Sequence[Entry], decisions: Sequence[Decision], talk: Talk
    ) -> None:
        cast = self._shelves.cast
        self._verdict.found(transcripts.violations(row, log, talk, cast))
        self._verdict.found(numbers.violations(row, log, talk, cast))
        self._verdict.found(owners.violations(row, log, decisions))
        self._verdict.found(borders.deliveries(row, talk, cast))
        self._verdict.found(snapshots.violations(row.id, talk, cast))

    async def shops(self) -> None:
        """Everything for which a whole shop must be looked at, in the order of time."""
        for shop, wrap_up_holds in await self._stored.shops():
            loads = Loads(await self._stored.capacities(shop), wrap_up_holds=wrap_up_holds)
            staff = await self._stored.staff(shop)
            queues = Queues()
            count = 0
            async for moment in self._stored.moments(shop):
                count += len(moment)
                self._verdict.found(loads.at(moment))
                self._verdict.found(queues.at(moment))
                for decision in moment:
                    self._verdict.found(givings.violations(decision, staff))
            self._verdict.checked["decisions"] = self._verdict.checked.get("decisions", 0) + count

    async def borders(self) -> None:
        """Every id that anybody was shown."""
        for shop, seen in self._shelves.seen.items():
            for page in pages(sorted(seen), PAGE):
                self._verdict.found(borders.sightings(shop, page, await self._stored.owners(page)))
