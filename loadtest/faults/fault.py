"""What a fault is: something done to a stage in the middle of a load, with figures that have limits."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from loadtest.journal import Journal
from loadtest.people import Book, Party
from loadtest.stage import Stage

Figures = Mapping[str, float]
"""By name, in the unit that its name ends with."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault meets: a stage, its people in the middle of their talk, and what is written down of it.

    `stage.nodes` all run and are ready, everybody is connected. An injection brings back what it broke and returns when
    its figures are known; the runner then waits until everything is well again, and checks the invariants at the end.
    """

    stage: Stage
    party: Party
    journal: Journal
    sockets: int = 1000
    """of a reconnect storm"""

    @property
    def book(self) -> Book:
        """Counts and latencies of the whole run."""
        return self.party.book


@dataclass(frozen=True, slots=True)
class Limit:
    """The figure of this name must be at most, or at least, so much. `if_possible`: some machines cannot measure it."""

    figure: str
    at_most: float | None = None
    at_least: float | None = None
    if_possible: bool = False

    def holds(self, figures: Figures) -> bool:
        """Whether it does; a figure that was not measured holds nothing, unless it could not be."""
        value = figures.get(self.figure)
        if value is None:
            return self.if_possible
        return (self.at_most is None or value <= self.at_most) and (
            self.at_least is None or value >= self.at_least
        )

    def __str__(self) -> str:
        bounds = [f"<= {self.at_most:g}"] if self.at_most is not None else []
        bounds += [f">= {self.at_least:g}"] if self.at_least is not None else []
        return f"{self.figure} {' and '.join(bounds)}"


Inject = Callable[[Scene, random.Random], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table. `inject` breaks something, measures, mends it, and gives the figures."""

    number: int
    name: str
    must_hold: str
    limits: tuple[Limit, ...]
    inject: Inject = field(compare=False)
    brief: Inject | None = field(default=None, compare=False)
    """a form of a few seconds for mixed runs, whose figures are not held against `limits`; None: not in mixed runs"""
    settings: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """environment variables of the nodes without which it cannot be injected; such a fault has a stage of its own"""
