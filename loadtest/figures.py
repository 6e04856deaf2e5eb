"""Arithmetic of measurements: medians, spreads, ratios round by round, percentiles. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured once a round: its median and the ends of its spread."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Figure":
        """Of at least one round."""
        return cls(statistics.median(rounds), min(rounds), max(rounds))

    def facts(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def ratio(over: Sequence[float], under: Sequence[float]) -> Figure:
    """Of the rounds' ratios, not of the medians: neighbours in time met the same machine."""
    return Figure.of([a / b for a, b in zip(over, under, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[min(len(ordered), max(1, int(rank))) - 1]


UNITS: Final = {"s": "s", "ms": "ms", "kib": "KiB", "mib": "MiB", "percent": "%"}
"""What the name of a figure ends with, and how people write it."""


def told(figures: Mapping[str, float]) -> str:
    """Figures for people: `resume_p99_s` 0.549 is "resume p99 0.549 s"."""
    return ", ".join(_told(name, value) for name, value in figures.items())


def _told(name: str, value: float) -> str:
    words, _, unit = name.rpartition("_")
    if value == round(value) or abs(value) >= 1000:
        number = f"{value:,.0f}"
    else:
        number = f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
    if unit not in UNITS:
        return f"{name.replace('_', ' ')} {number}"
    if words.rpartition("_")[2].isdigit():  # what was counted in so long
        return f"{words.replace('_', ' ')} {UNITS[unit]}: {number}"
    if words.endswith("_per"):
        return f"{words.removesuffix('_per').replace('_', ' ')} {number} per {UNITS[unit]}"
    return f"{words.replace('_', ' ')} {number} {UNITS[unit]}"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio shall be, from the performance page: `id` as there, `at_least` or else at most `bound`."""

    id: str
    what: str
    bound: float
    at_least: bool

    def met(self, figure: Figure) -> bool:
        """Whether the median keeps to it."""
        return figure.median >= self.bound if self.at_least else figure.median <= self.bound

    def facts(self, figure: Figure) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "what": self.what,
            "goal": f"{'>=' if self.at_least else '<='} {self.bound:g}",
            "met": self.met(figure),
            **figure.facts(),
        }
