"""I9: nobody who is offline, excluded or out of scope was given anything automatically. Pure: decisions one by one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from loadtest.checker.histories import SLACK_MS, History
from loadtest.checker.rows import AUTOMATIC, Decision, Violation

AT_WORK: Final = frozenset({"online"})
PAUSED_TOO: Final = frozenset({"online", "paused"})
AWAY_SLACK_MS: Final = 30_000
"""That the server counts somebody as offline, and no longer, is written down by whoever finds it out."""


@dataclass(frozen=True, slots=True)
class Staff:
    """What PostgreSQL has about the agents of a shop over time, by account."""

    states: Mapping[str, History[str]]
    """`online`, `paused`, `offline`, `away` (counted as offline)"""
    excluded: Mapping[str, History[bool]]
    groups: Mapping[str, Mapping[str, History[bool]]]
    """account -> group -> whether they are in it"""


def violations(decision: Decision, staff: Staff) -> Iterator[Violation]:
    """What is wrong with one decision."""
    if decision.change != "assigned" or decision.reason not in AUTOMATIC:
        return
    agent, at_ms = decision.owner, decision.at_ms
    about = decision.conversation
    excluded = staff.excluded.get(agent)
    if excluded is not None and _always(excluded.around(at_ms), True):
        yield Violation("I9", about, f"{decision.reason} gave it to {agent}, who is excluded")
    if decision.reason != "offline_list":
        yield from _at_work(decision, staff)
    if decision.reason in ("order_state_group", "filled") and decision.groups:
        member_of = staff.groups.get(agent, {})
        if not any(True in member_of[group].around(at_ms) for group in decision.groups if group in member_of):
            yield Violation(
                "I9", about, f"{decision.reason} gave it to {agent}, who is in none of its groups"
            )


def _at_work(decision: Decision, staff: Staff) -> Iterator[Violation]:
    states = staff.states.get(decision.owner)
    if states is None:
        return
    fit = PAUSED_TOO if decision.reason == "returning_priority" else AT_WORK
    were = states.around(decision.at_ms, SLACK_MS)
    if "away" in were:
        were = states.around(decision.at_ms, AWAY_SLACK_MS)
    if were and not fit & set(were):
        yield Violation(
            "I9", decision.conversation, f"{decision.reason} gave it to {decision.owner}, who was {were[-1]}"
        )


def _always(values: list[bool], value: bool) -> bool:
    return bool(values) and all(each is value for each in values)
