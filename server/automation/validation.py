"""What makes a rule unacceptable: every fault at once, each with its field and a sentence that says what to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any as AnyValue
from typing import cast

from pydantic import ValidationError

from server.automation.actions import Add, HandOn, Invite, Notify, SetPriority
from server.automation.conditions import (
    DEEPEST,
    MOST_CONDITIONS,
    All,
    Any,
    Condition,
    Count,
    Longer,
    Not,
    OneOf,
    leaves,
)
from server.automation.facts import COUNTED, LASTING, SINGLE, WORDS
from server.automation.rule import Rule

MOST_RULES = 100
"""of one shop, for one subject"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the field by its dotted name, and what to do."""

    field: str
    problem: str


class RuleError(ValueError):
    """A rule that is refused, with everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.problem}" for fault in faults))
        self.faults = tuple(faults)

    def detail(self) -> list[dict[str, str]]:
        """As the `detail` of a refused request."""
        return [{"field": fault.field, "problem": fault.problem} for fault in self.faults]


@dataclass(frozen=True, slots=True)
class Known:
    """What there is in a shop that rules may name."""

    groups: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    """accounts that can sign in; the bot is none of them"""


def parse(data: Mapping[str, AnyValue], known: Known) -> Rule:
    """The rule that `data` describes. Raises RuleError with every fault."""
    if oversized := list(_measured(data.get("conditions"))):
        raise RuleError(oversized)  # not looked into: it may be of any size
    try:
        rule = Rule.model_validate(data)
    except ValidationError as error:
        raise RuleError(_faults(error, data)) from None
    faults = [*_conditions(rule, known), *_contradictions(rule.conditions, ""), *_actions(rule, known)]
    if faults:
        raise RuleError(faults)
    return rule


def _measured(conditions: AnyValue) -> Iterator[Fault]:
    """Looks at depth and number without recursion, before anything else does with it."""
    nodes, deepest = 0, 0
    left: list[tuple[AnyValue, int]] = [(conditions, 0)]
    while left and nodes <= MOST_CONDITIONS:
        node, depth = left.pop()
        if not isinstance(node, Mapping):
            continue
        nodes, deepest = nodes + 1, max(deepest, depth)
        of: AnyValue = cast("Mapping[str, AnyValue]", node).get("of")
        parts: list[AnyValue] = cast("list[AnyValue]", of) if isinstance(of, list) else [of]
        left += [(part, depth + 1) for part in parts[: MOST_CONDITIONS + 1]]
    if nodes > MOST_CONDITIONS:
        yield Fault("conditions", f"At most {MOST_CONDITIONS} conditions; make several rules of it.")
    if deepest > DEEPEST:
        yield Fault("conditions", f"At most {DEEPEST} levels of all, any and not; make it flatter.")


def _faults(error: ValidationError, data: Mapping[str, AnyValue]) -> list[Fault]:
    found: list[Fault] = []
    for item in error.errors(include_url=False, include_input=False):
        problem = str(item["msg"]).removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            problem = "There is no such member."
        field = _field(item["loc"], data) or "rule"
        found.append(Fault(field, problem if problem.endswith(".") else f"{problem}."))
    return found


def _field(location: tuple[int | str, ...], data: AnyValue) -> str:
    """The dotted name of a place in `data`; pydantic's has the kinds of conditions and actions in between."""
    names: list[str] = []
    node = data
    for part in location:
        if isinstance(node, Mapping):
            members = cast("Mapping[str, AnyValue]", node)
            if members.get("kind") == part:
                continue
            node = members.get(str(part))
        elif isinstance(node, list) and isinstance(part, int):
            node = cast("list[AnyValue]", node)[part]
        names.append(str(part))
    return ".".join(names)


def _conditions(rule: Rule, known: Known) -> Iterator[Fault]:
    words = WORDS[rule.subject]
    for path, leaf, _ in leaves(rule.conditions):
        field = ".".join(part for part in ("conditions", path) if part)
        match leaf:
            case OneOf() if leaf.kind not in words:
                yield Fault(f"{field}.kind", f"A {rule.subject} has no {leaf.kind}.")
            case OneOf():
                allowed = known.groups if leaf.kind == "group" else words[leaf.kind]
                for word in leaf.any_of:
                    if allowed is not None and word not in allowed:
                        yield Fault(f"{field}.any_of", f"There is no {leaf.kind} {word!r}.")
            case Longer() if leaf.kind not in LASTING[rule.subject]:
                yield Fault(f"{field}.kind", f"A {rule.subject} has no {leaf.kind}.")
            case Count() if leaf.kind not in COUNTED[rule.subject]:
                yield Fault(f"{field}.kind", f"A {rule.subject} has no {leaf.kind}.")
            case Count() if leaf.kind == "full_agents_percent" and (leaf.at_least or 0) > 100:
                yield Fault(f"{field}.at_least", "At most 100 of a hundred agents are full.")
            case _:
                pass


def _contradictions(condition: Condition, path: str) -> Iterator[Fault]:
    """An `all` that nothing can fulfil: two conditions of one kind with nothing in common."""
    under = f"{path}." if path else ""
    match condition:
        case All():
            yield from _impossible(condition, path)
            for place, part in enumerate(condition.of):
                yield from _contradictions(part, f"{under}of.{place}")
        case Any():
            for place, part in enumerate(condition.of):
                yield from _contradictions(part, f"{under}of.{place}")
        case Not():
            yield from _contradictions(condition.of, f"{under}of")
        case _:
            pass


def _impossible(condition: All, path: str) -> Iterator[Fault]:
    field = ".".join(part for part in ("conditions", path, "of") if part)
    left: dict[str, set[str]] = {}
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    waiting = False
    for part in condition.of:
        if isinstance(part, OneOf) and part.kind in SINGLE:
            left[part.kind] = left.get(part.kind, {*part.any_of}) & {*part.any_of}
        elif isinstance(part, Count):
            low[part.kind] = max(low.get(part.kind, 0), part.at_least or 0)
            if part.at_most is not None:
                high[part.kind] = min(high.get(part.kind, part.at_most), part.at_most)
        elif isinstance(part, Longer):
            waiting = waiting or part.kind == "in_queue"
    for kind, words in left.items():
        if not words:
            yield Fault(field, f"No conversation has two words for {kind} at once: this is never true.")
        elif kind == "state" and waiting and "queued" not in words:
            yield Fault(field, "What waits in the queue is in the state queued: this is never true.")
    for kind, least in low.items():
        if least > high.get(kind, least):
            yield Fault(field, f"{kind} cannot be above {least - 1} and below {high[kind] + 1}: never true.")


def _actions(rule: Rule, known: Known) -> Iterator[Fault]:
    handed_on = False
    for place, action in enumerate(rule.actions):
        field = f"actions.{place}"
        match action:
            case Invite() | Notify():
                yield from _people(f"{field}.account_ids", action.account_ids, known)
                yield from _group(f"{field}.group_id", action.group_id, known)
            case Add():
                yield from _people(f"{field}.account_ids", action.account_ids, known)
            case HandOn():
                if handed_on:
                    yield Fault(field, "It is handed on already; a conversation has one owner.")
                handed_on = True
                people = [] if action.account_id is None else [action.account_id]
                yield from _people(f"{field}.account_id", people, known)
                yield from _group(f"{field}.group_id", action.group_id, known)
            case SetPriority():
                if handed_on:
                    yield Fault(field, "What was handed on waits no longer: change the order of the actions.")
            case _:
                pass


def _people(field: str, ids: list[str], known: Known) -> Iterator[Fault]:
    for account in ids:
        if account not in known.people:
            yield Fault(field, f"There is nobody {account} who could be chosen.")


def _group(field: str, group: str | None, known: Known) -> Iterator[Fault]:
    if group is not None and group not in known.groups:
        yield Fault(field, f"There is no group {group}.")
