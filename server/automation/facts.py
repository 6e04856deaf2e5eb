"""What a rule is judged on: one frozen record about one subject at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from protocol.states import DEFAULT_POOL, Life, OrderState


class Subject(StrEnum):
    """What a rule is about."""

    CONVERSATION = "conversation"


class Happening(StrEnum):
    """Something that happened to a subject, by which a condition may have become true or false."""

    WRITTEN = "written"
    """the customer wrote"""
    ANSWERED = "answered"
    """the customer was answered"""
    QUEUED = "queued"
    """it waits for somebody, or in another class"""
    ASSIGNED = "assigned"
    """it has an owner, another one, or the same again"""
    ENDED = "ended"
    """wrap-up began"""
    ROSTER = "roster"
    """somebody takes part now, or no longer"""
    TAGGED = "tagged"
    """the customer's tags changed"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one subject that conditions ask for, at `now_ms` (milliseconds since 1970 UTC).

    The three tables are keyed by the kind of condition: `words` (what it is, as a set), `since_ms` (since when
    something lasts; absent: it does not), `numbers`.
    """

    subject: Subject
    subject_id: str
    now_ms: int
    zone: str
    """the shop's time zone, by its IANA name"""
    over: bool = False
    """closed: no rule applies any more"""
    said: tuple[str, ...] = ()
    """what the customer wrote and nobody has answered yet, the latest first; and what they wrote just now"""
    words: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    since_ms: Mapping[str, int] = field(default_factory=dict[str, int])
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])


PRIORITIES = ("priority", "normal")
"""The words of a waiting conversation's class; their places are `router.model.PRIORITY` and `NORMAL`."""

WORDS: Mapping[Subject, Mapping[str, frozenset[str] | None]] = MappingProxyType(
    {
        Subject.CONVERSATION: MappingProxyType(
            {
                "customer_tag": None,
                "group": None,
                "order_state": frozenset(OrderState),
                "pool": frozenset({DEFAULT_POOL, *OrderState}),
                "priority": frozenset(PRIORITIES),
                "state": frozenset({Life.QUEUED, Life.ACTIVE, Life.WRAP_UP}),
            }
        )
    }
)
"""Subject -> kinds of condition about words -> the words there are (None: any)."""
SINGLE = frozenset({"order_state", "pool", "priority", "state"})
"""Kinds of which a subject has at most one word at a time."""
LASTING: Mapping[Subject, frozenset[str]] = MappingProxyType(
    {Subject.CONVERSATION: frozenset({"customer_waits", "in_queue", "collaboration_open"})}
)
"""Subject -> kinds of condition about how long something has lasted."""
COUNTED: Mapping[Subject, frozenset[str]] = MappingProxyType(
    {Subject.CONVERSATION: frozenset({"participants", "queue_length", "full_agents_percent"})}
)
"""Subject -> kinds of condition about a number."""
UNFORESEEN = frozenset({"queue_length", "full_agents_percent"})
"""Kinds that change by what happens to other subjects: who waits for them has to look now and then."""

_H = Happening
_BEGINS = frozenset({_H.QUEUED, _H.ASSIGNED})
BECOMES_TRUE: Mapping[str, frozenset[Happening]] = MappingProxyType(
    {
        "keyword": frozenset({_H.WRITTEN}),
        "customer_tag": _BEGINS | {_H.TAGGED},
        "order_state": _BEGINS,
        "pool": _BEGINS,
        "group": _BEGINS,
        "priority": _BEGINS,
        "state": _BEGINS | {_H.ENDED},
        "customer_waits": frozenset({_H.WRITTEN}),
        "in_queue": frozenset({_H.QUEUED}),
        "collaboration_open": frozenset({_H.ROSTER}),
        "participants": _BEGINS | {_H.ROSTER},
        "queue_length": _BEGINS,
        "full_agents_percent": _BEGINS,
        "time_of_day": _BEGINS,
    }
)
"""Kind -> what may make it true for a subject. What time alone does is `evaluate.next_look`'s."""
BECOMES_FALSE: Mapping[str, frozenset[Happening]] = MappingProxyType(
    {
        **BECOMES_TRUE,
        "keyword": _BEGINS | {_H.WRITTEN, _H.ANSWERED},
        "customer_waits": _BEGINS | {_H.ANSWERED},
        "in_queue": _BEGINS,
        "collaboration_open": _BEGINS | {_H.ROSTER},
    }
)
"""Kind -> what may make it false, or begin a subject for which it never was true: for conditions under `not`."""
