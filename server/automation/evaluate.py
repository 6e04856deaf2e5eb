"""Does a rule hold, why, and when could it hold by time alone.

What conditions say is constant between instants that are known beforehand (`_edges`); so the next instant at which a
rule holds is the first of them at which it does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any as AnyValue

from server.automation.clock import Window, edges
from server.automation.conditions import (
    All,
    Any,
    Condition,
    Count,
    Keyword,
    Longer,
    Not,
    OneOf,
    TimeOfDay,
    leaves,
)
from server.automation.facts import UNFORESEEN, Facts
from server.automation.keywords import found_in
from server.automation.rule import Rule

LOOK_AGAIN_MS = 15_000
"""How soon a rule that waits for what happens elsewhere (a peak) is looked at again, while all else holds."""
FORESEEN_MS = 8 * 24 * 3_600_000
"""How far ahead windows of the day are looked for: longer than anything lasts, and all weekdays."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one condition came out. `found`: what the subject has of it."""

    path: str
    kind: str
    wanted: AnyValue
    found: AnyValue
    holds: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a rule came out, with every condition in the order of the tree, trees before their parts."""

    holds: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Fired:
    """How often a rule has fired for a subject, and when last."""

    times: int = 0
    last_ms: int = 0


NEVER = Fired()


def judge(rule: Rule, facts: Facts) -> Judgement:
    """Whether the rule's conditions hold for these facts, and why. Its switch, its instants and what it did before are
    `may_fire`'s."""
    findings: list[Finding] = []
    holds = _judge(rule.conditions, facts, "", findings)
    return Judgement(holds, tuple(findings))


def may_fire(rule: Rule, facts: Facts, fired: Fired) -> bool:
    """Whether the rule may fire now, if its conditions hold."""
    if facts.over or facts.subject is not rule.subject or not rule.applies(facts.now_ms):
        return False
    if fired.times == 0:
        return True
    return rule.cooldown_s is not None and fired.last_ms + rule.cooldown_s * 1000 <= facts.now_ms


def next_look(rule: Rule, facts: Facts, fired: Fired) -> int | None:
    """The first instant after now at which the rule would fire if nothing but time passed, in milliseconds; None: by
    time alone it never will. A rule that waits for a peak is looked at every `LOOK_AGAIN_MS` while all else holds."""
    for instant in sorted(_edges(rule, facts, fired)):
        later = replace(facts, now_ms=instant)
        if may_fire(rule, later, fired) and True in _possible(rule.conditions, later):
            return instant
    return None


def explained(finding: Finding) -> dict[str, AnyValue]:
    """A finding as plain data."""
    return {
        "path": finding.path,
        "kind": finding.kind,
        "wanted": finding.wanted,
        "found": finding.found,
        "holds": finding.holds,
    }


# --- whether ---------------------------------------------------------------------------------------------------------
def _judge(condition: Condition, facts: Facts, path: str, findings: list[Finding]) -> bool:
    """Judges every part, also where the outcome is clear already: people want to know of each."""
    place = len(findings)
    under = f"{path}." if path else ""
    match condition:
        case All() | Any():
            parts = [_judge(part, facts, f"{under}of.{n}", findings) for n, part in enumerate(condition.of)]
            holds = all(parts) if condition.kind == "all" else any(parts)
            wanted: AnyValue = len(parts) if condition.kind == "all" else 1
            finding = Finding(path, condition.kind, wanted, sum(parts), holds)
        case Not():
            inner = _judge(condition.of, facts, f"{under}of", findings)
            finding = Finding(path, "not", False, inner, not inner)
        case _:
            finding = _leaf(condition, facts, path)
    findings.insert(place, finding)
    return finding.holds


def _leaf(leaf: Keyword | OneOf | Longer | Count | TimeOfDay, facts: Facts, path: str) -> Finding:
    match leaf:
        case Keyword():
            there = [word for word in leaf.any_of if any(found_in(word, text) for text in facts.said)]
            return Finding(path, leaf.kind, leaf.any_of, there, bool(there))
        case OneOf():
            has = facts.words.get(leaf.kind, frozenset())
            return Finding(path, leaf.kind, leaf.any_of, sorted(has), not has.isdisjoint(leaf.any_of))
        case Longer():
            since = facts.since_ms.get(leaf.kind)
            lasted = None if since is None else max(facts.now_ms - since, 0)
            holds = lasted is not None and lasted >= leaf.longer_than_s * 1000
            return Finding(
                path, leaf.kind, leaf.longer_than_s, None if lasted is None else lasted // 1000, holds
            )
        case Count():
            number = facts.numbers.get(leaf.kind, 0)
            low = leaf.at_least is None or number >= leaf.at_least
            high = leaf.at_most is None or number <= leaf.at_most
            return Finding(path, leaf.kind, [leaf.at_least, leaf.at_most], number, low and high)
        case TimeOfDay():
            window = _window(leaf)
            clock = window.clock(facts.now_ms, facts.zone)
            return Finding(
                path,
                leaf.kind,
                [leaf.begins, leaf.until, leaf.weekdays],
                clock,
                window.holds(facts.now_ms, facts.zone),
            )


def _window(leaf: TimeOfDay) -> Window:
    return _made(leaf.begins, leaf.until, tuple(leaf.weekdays))


@lru_cache(1024)
def _made(begins: str, until: str, weekdays: tuple[int, ...]) -> Window:
    return Window.of(begins, until, weekdays)


# --- when ------------------------------------------------------------------------------------------------------------
def _possible(condition: Condition, facts: Facts) -> frozenset[bool]:
    """What may come out when what happens elsewhere may be either way."""
    match condition:
        case All() | Any():
            parts = [_possible(part, facts) for part in condition.of]
            if condition.kind == "all":
                every = {True} if all(True in part for part in parts) else set[bool]()
                return frozenset(every | ({False} if any(False in part for part in parts) else set[bool]()))
            some = {True} if any(True in part for part in parts) else set[bool]()
            return frozenset(some | ({False} if all(False in part for part in parts) else set[bool]()))
        case Not():
            return frozenset(not outcome for outcome in _possible(condition.of, facts))
        case _:
            if condition.kind in UNFORESEEN:
                return frozenset({True, False})
            return frozenset({_leaf(condition, facts, "").holds})


def _edges(rule: Rule, facts: Facts, fired: Fired) -> set[int]:
    """Every instant after now at which something that time alone changes does change."""
    instants = set(_thresholds(rule, facts))
    if rule.valid_from_ms is not None:
        instants.add(rule.valid_from_ms)
    if rule.cooldown_s is not None and fired.times:
        instants.add(fired.last_ms + rule.cooldown_s * 1000)
    if rule.is_unforeseen():
        instants.add(facts.now_ms + LOOK_AGAIN_MS)
    return {instant for instant in instants if instant > facts.now_ms}


def _thresholds(rule: Rule, facts: Facts) -> Iterator[int]:
    windows: set[Window] = set()
    for _, leaf, _ in leaves(rule.conditions):
        if isinstance(leaf, Longer) and leaf.kind in facts.since_ms:
            yield facts.since_ms[leaf.kind] + leaf.longer_than_s * 1000
        elif isinstance(leaf, TimeOfDay):
            windows.add(_window(leaf))
    if windows:
        yield from edges(frozenset(windows), facts.zone, facts.now_ms, facts.now_ms + FORESEEN_MS)
