"""What can be wrong with routing settings, and how pydantic's findings become sentences by field."""

from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with settings: the field by its dotted name, and a sentence that says what to do."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Settings that are each fine and together make no sense. `involved`: the top-level fields that it is about."""

    fault: Fault
    involved: frozenset[str]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something allowed that its author should know. `word` is stable, for translation; `about` what it concerns."""

    field: str
    word: str
    about: str
    problem: str


class PolicyError(ValueError):
    """Settings that are refused whole, with everything that is wrong with them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.problem}" for fault in faults))
        self.faults = tuple(faults)

    def detail(self) -> list[dict[str, str]]:
        """As the `detail` of a refused request: a list of `{field, problem}`."""
        return [{"field": fault.field, "problem": fault.problem} for fault in self.faults]


CONTRADICTION = "contradiction"
"""The pydantic error type under which contradictions travel, as `found` in its context."""


def contradictions_in(error: ValidationError) -> list[Contradiction]:
    """The contradictions of a failed validation."""
    found: list[Contradiction] = []
    for item in error.errors(include_url=False):
        if item["type"] == CONTRADICTION:
            found += cast("list[Contradiction]", item.get("ctx", {})["found"])
    return found


def field_faults_in(error: ValidationError) -> list[Fault]:
    """The faults of single fields of a failed validation."""
    return [
        Fault(
            ".".join(str(part) for part in item["loc"] if part != "[key]"),
            _sentence(cast("dict[str, Any]", item)),
        )
        for item in error.errors(include_url=False)
        if item["type"] != CONTRADICTION
    ]


def _sentence(item: dict[str, Any]) -> str:
    match item["type"]:
        case "extra_forbidden":
            return "There is no such setting."
        case "enum" if "[key]" in item["loc"]:
            return "There is no such order state."
        case _:
            message = str(item["msg"])
            return message if message.endswith(".") else f"{message}."
