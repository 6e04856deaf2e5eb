"""`python -m loadtest bench`: the goals of the performance page, each as a ratio of one run."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from loadtest import end_to_end, machine
from loadtest.figures import Figure, Goal

GOALS = ("P1", "P3", "P4", "P5")
"""What can be measured so far."""
P4 = Goal("P4", "routing decisions/s: one process, 128 callers / redis-benchmark", 0.8, at_least=True)
P5 = Goal("P5", "decision cost: 10,000 agents, 100,000 waiting / 10 agents", 1.3, at_least=False)


@dataclass(slots=True)
class Report:
    """Everything that a run found."""

    machine: dict[str, Any]
    rounds: int
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict[str, dict[str, Figure]])
    verdicts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    left_out: list[str] = field(default_factory=list[str])
    servers: list[str] = field(default_factory=list[str])

    def document(self) -> dict[str, Any]:
        """For JSON."""
        figures = {
            system: {name: figure.facts() for name, figure in rows.items()}
            for system, rows in self.figures.items()
        }
        return {
            "machine": self.machine,
            "servers": self.servers,
            "rounds": self.rounds,
            "goals": self.verdicts,
            "figures": figures,
            "left_out": self.left_out,
        }

    def text(self) -> str:
        """For people: what was measured, then the goals."""
        lines = [
            machine.sentence(self.machine),
            *self.servers,
            f"Medians of {self.rounds} rounds (least to most).",
            "",
        ]
        for system, rows in self.figures.items():
            lines.append(system)
            lines += [
                f"  {name:<46} {row.median:>12,.2f}   ({row.least:,.2f} to {row.most:,.2f})"
                for name, row in rows.items()
            ]
            lines.append("")
        for verdict in self.verdicts:
            word = "met" if verdict["met"] else "MISSED"
            lines.append(
                f"{verdict['id']}  {verdict['what']:<64} {verdict['median']:>7.2f}  "
                f"({verdict['least']:.2f} to {verdict['most']:.2f})  goal {verdict['goal']}: {word}"
            )
        lines += [f"Left out: {each}" for each in self.left_out]
        return "\n".join(lines)


class BenchFailed(Exception):
    """A part of the benchmark could not be run."""


async def run(goals: frozenset[str], rounds: int, tell: Callable[[str], None], logs: Path | None) -> Report:
    """Measure these goals. Raises what `end_to_end.measure` raises, and BenchFailed."""
    report = Report(machine.describe(), rounds)
    tell(machine.sentence(report.machine))
    if goals & {"P1", "P3"}:
        shape = end_to_end.Shape(rounds=rounds)
        found = await end_to_end.measure(shape, goals=goals, tell=tell, logs=logs)
        report.figures |= found.figures()
        report.verdicts += found.verdicts()
        report.left_out += found.left_out
        report.servers = found.servers
    if goals & {"P4", "P5"}:
        tell("P4, P5: the router's decisions (some minutes)")
        found = await _router(rounds)
        cells = cast("dict[str, dict[str, float]]", found["cells"])
        report.figures["router"] = {name: Figure(**cell) for name, cell in cells.items()}
        report.verdicts += router_verdicts(found, goals)
    return report


def router_verdicts(found: dict[str, Any], goals: frozenset[str]) -> list[dict[str, Any]]:
    """The router's own report (`loadtest.router_bench --json`) as goals; a goal's ratio is named by its id first."""
    verdicts: list[dict[str, Any]] = []
    ratios = cast("dict[str, dict[str, float]]", found["ratios"])
    for goal in (P4, P5):
        mine = [name for name in ratios if name.startswith(goal.id) and "goal" in name]
        if goal.id in goals:
            if not mine:
                raise BenchFailed(f"the router's report has no ratio for {goal.id}")
            verdicts += [goal.facts(Figure(**ratios[name])) for name in mine]
    return verdicts


async def _router(rounds: int) -> dict[str, Any]:
    # A process of its own: our sockets and garbage shall not weigh on it.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest.router_bench", "--rounds", str(rounds), "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise BenchFailed(f"the router's benchmark ended with code {process.returncode}")
    return cast("dict[str, Any]", json.loads(output))
