"""I3: one owner at a time, epochs only grow, and nobody else's public words are stored. Pure: one conversation at a
time."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from loadtest.checker.rows import Conversation, Decision, Entry, Violation

STATES: Final = {"queued": "queued", "ended": "wrap_up", "closed": "closed"}
"""State after a change; after any other: active."""
ENTERED: Final = "joined"
LEFT: Final = frozenset({"left", "removed"})


def violations(row: Conversation, log: Sequence[Entry], decisions: Sequence[Decision]) -> Iterator[Violation]:
    """Everything wrong with who had one conversation. `log`: by `seq`; `decisions`: by `rev`."""
    yield from _history(row, decisions)
    yield from _told(row, log, decisions)
    yield from _speakers(row, log, decisions)


def _history(row: Conversation, decisions: Sequence[Decision]) -> Iterator[Violation]:
    revs = [decision.rev for decision in decisions]
    if revs != list(range(1, len(revs) + 1)):
        yield Violation("I3", row.id, f"its decisions are numbered {revs}")
    for before, after in pairwise(decisions):
        changed = before.owner != after.owner
        if after.epoch != before.epoch + changed:
            yield Violation(
                "I3",
                row.id,
                f"epoch {after.epoch} after {before.epoch}, and its owner {'changed' if changed else 'stayed'}",
            )
        if changed and after.previous_owner != before.owner:
            yield Violation("I3", row.id, f"taken from {after.previous_owner}, who was not its owner")
        if before.change == "closed":
            yield Violation("I3", row.id, f"{after.change} after it was closed")
        if after.arrived_ms != before.arrived_ms:
            yield Violation("I8", row.id, "its first arrival changed")
    for decision in decisions:
        if (decision.change == "queued") != (decision.owner == "") and decision.change != "closed":
            yield Violation("I3", row.id, f"{decision.change} with the owner {decision.owner or 'nobody'}")
    if decisions:
        last = decisions[-1]
        is_now = (row.owner, row.epoch, row.live_rev, row.state)
        should = (last.owner, last.epoch, last.rev, STATES.get(last.change, "active"))
        if is_now != should:
            yield Violation("I3", row.id, f"is {is_now}, its last decision says {should}")


def _told(row: Conversation, log: Sequence[Entry], decisions: Sequence[Decision]) -> Iterator[Violation]:
    """Every decision is in the log, once."""
    told = sorted(int(entry.name[2:]) for entry in log if _is_decision(entry))
    revs = [decision.rev for decision in decisions]
    if told != revs:
        yield Violation("I3", row.id, f"its log tells of the decisions {told}, made were {revs}")


def _speakers(row: Conversation, log: Sequence[Entry], decisions: Sequence[Decision]) -> Iterator[Violation]:
    """A stale owner's writes do not exist: who said something publicly owned it then, or took part in it."""
    made = {decision.rev: decision for decision in decisions}
    newest = 0
    owner = ""
    taking_part: set[str] = set()
    for entry in log:
        if _is_decision(entry):
            decision = made.get(int(entry.name[2:]))
            if decision is not None and decision.rev > newest:
                newest, owner = decision.rev, decision.owner
                taking_part.discard(owner)
        elif entry.event == ENTERED:
            taking_part.update(entry.who)
        elif entry.event in LEFT:
            taking_part.difference_update(entry.who)
        elif entry.kind in ("agent", "bot") and entry.customer_seq is not None:
            if entry.sender != owner and entry.sender not in taking_part:
                yield Violation(
                    "I3", row.id, f"{entry.sender} wrote {entry.seq} while {owner or 'nobody'} had it"
                )
        elif entry.kind == "customer" and entry.sender != row.customer:
            yield Violation("I3", row.id, f"{entry.seq} is by another customer, {entry.sender}")


def _is_decision(entry: Entry) -> bool:
    return entry.kind == "system" and entry.name.startswith("d:")
