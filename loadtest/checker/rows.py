"""What the checker reads of PostgreSQL and of the journal, as values, and what it finds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from loadtest.records import Acked, Came, Fresh, Given, Held, Read, Refused, Sent


class Violation(NamedTuple):
    """One invariant that did not hold: its id in docs/reliability.md, what it is about, and what is wrong."""

    invariant: str
    about: str
    problem: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.about}: {self.problem}"


class Entry(NamedTuple):
    """One row of `messages`. Ids that are absent are empty."""

    seq: int
    customer_seq: int | None
    message_id: str
    kind: str
    sender: str
    name: str
    digest: str
    recalled: bool
    event: str
    """of the server's own entries"""
    who: tuple[str, ...]
    """of entries about who takes part: whom it is about"""


class Decision(NamedTuple):
    """One row of `decisions`. Ids and words that are absent are empty."""

    conversation: str
    rev: int
    shop: str
    at_ms: int
    change: str
    epoch: int
    owner: str
    previous_owner: str
    reason: str
    by: str
    pool: str
    priority: int
    arrived_ms: int
    groups: tuple[str, ...]
    """bound to the tier that took it"""


def standing(moment: Iterable[Decision]) -> list[Decision]:
    """What of a moment's decisions, given in any order, holds after it: the last of each conversation."""
    last: dict[str, Decision] = {}
    for decision in moment:
        known = last.get(decision.conversation)
        if known is None or known.rev < decision.rev:
            last[decision.conversation] = decision
    return list(last.values())


class Conversation(NamedTuple):
    """One row of `conversations`."""

    id: str
    shop: str
    customer: str
    state: str
    owner: str
    epoch: int
    live_rev: int
    head: int
    customer_head: int
    customer_read: int
    staff_read: int
    following: frozenset[str]
    """who takes part in it or watches it, beside the owner"""


@dataclass(slots=True)
class Talk:
    """What the journal has of one conversation, in the order in which it was written down."""

    sent: list[Sent] = field(default_factory=list[Sent])
    acked: list[Acked] = field(default_factory=list[Acked])
    refused: list[Refused] = field(default_factory=list[Refused])
    given: dict[str, list[Given]] = field(default_factory=dict[str, list[Given]])
    """by pen"""
    read: list[Read] = field(default_factory=list[Read])
    held: list[Held] = field(default_factory=list[Held])
    fresh: list[Fresh] = field(default_factory=list[Fresh])


@dataclass(slots=True)
class Cast:
    """Who wrote the journal."""

    pens: dict[str, Came] = field(default_factory=dict[str, Came])
    stayed: set[str] = field(default_factory=set[str])
    """pens that were there to the end"""
    openings: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(person, name) of what was sent to open a conversation, whose id was not known yet"""

    def person(self, pen: str) -> str:
        """Who writes with it; the pen itself when nobody ever said."""
        came = self.pens.get(pen)
        return pen if came is None else came.person


AUTOMATIC: Final = frozenset(
    {
        "last_agent",
        "returning_priority",
        "order_state_group",
        "random_online",
        "any_online",
        "offline_list",
        "filled",
        "overflow",
    }
)
"""Reasons of assignments for which nobody chose the agent. A shop without agents (`owner_fallback`) and the bot have
terms of their own."""
STICKY: Final = frozenset({"last_agent", "returning_priority"})
"""Those that may go above capacity, and past those who wait (KS-08, KS-16)."""
