"""What the demo's board shows, as values: a supervisor's picture of the shop, and what happened since the start."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.shapes import AgentCard, Conversation, PoolCard, RoutingDecision

DECISIONS_KEPT = 12


@dataclass(slots=True)
class Totals:
    """Counts since the demo started."""

    opened: int = 0
    served: int = 0
    closed: int = 0
    messages: int = 0
    transfers: int = 0
    abandoned: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """One routing decision with the conversation that it was about."""

    conversation: Conversation
    decision: RoutingDecision


@dataclass(frozen=True, slots=True)
class Served:
    """A customer asked and got an answer."""

    customer: str
    agent: str
    reason: str


@dataclass(slots=True)
class Board:
    """The picture. Watchers and people write it, a view reads it; `on_decision` and `on_served` hear of news."""

    on_decision: Callable[[Decided], None]
    on_served: Callable[[Served], None]
    agents: list[AgentCard] = field(default_factory=list[AgentCard])
    pools: list[PoolCard] = field(default_factory=list[PoolCard])
    waiting: list[Conversation] = field(default_factory=list[Conversation])
    unanswered: dict[str, str] = field(default_factory=dict[str, str])
    """agent -> since when their longest unanswered customer waits"""
    decisions: deque[Decided] = field(default_factory=lambda: deque[Decided](maxlen=DECISIONS_KEPT))
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    """conversation -> reason of its last assignment"""
    unexplained: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """served conversation whose decision has not been seen yet -> its customer and agent"""
    totals: Totals = field(default_factory=Totals)
    observers: frozenset[str] = frozenset()
    """accounts that serve nobody, and are not shown"""
    humans: frozenset[str] = frozenset()
    """the accounts that are left to people"""
    played: set[str] = field(default_factory=set[str])
    """the customers who come by themselves"""
    last_error: str = ""
    started: float = field(default_factory=time.monotonic)

    def decided(self, entry: Decided) -> None:
        """A decision was seen."""
        self.decisions.append(entry)
        if entry.decision.reason is not None and entry.decision.owner is not None:
            self.reasons[entry.conversation.conversation_id] = entry.decision.reason
        self.on_decision(entry)
        conversation_id = entry.conversation.conversation_id
        if conversation_id in self.unexplained and conversation_id in self.reasons:
            customer, agent = self.unexplained.pop(conversation_id)
            self.on_served(Served(customer, agent, self.reasons[conversation_id]))
        if entry.decision.change == "closed":
            self.reasons.pop(conversation_id, None)
            self.unexplained.pop(conversation_id, None)

    def served(self, conversation_id: str, customer: str, agent: str) -> None:
        """A customer got their first answer; told once it is known why from this agent."""
        self.totals.served += 1
        reason = self.reasons.get(conversation_id)
        if reason is None:
            self.unexplained[conversation_id] = (customer, agent)
        else:
            self.on_served(Served(customer, agent, reason))

    def failed(self, what: str) -> None:
        """Something was refused that should not have been."""
        self.totals.failed += 1
        self.last_error = what

    def human_at_work(self) -> bool:
        """Whether a person sits at an account that is left to people."""
        return any(
            card.account_id in self.humans and (card.connected or card.status != "offline")
            for card in self.agents
        )

    def human_with_room(self) -> str | None:
        """The account of a person who sits there, online, and could serve one more."""
        return next(
            (
                card.account_id
                for card in self.agents
                if card.account_id in self.humans
                and card.connected
                and card.status == "online"
                and card.load < card.capacity
            ),
            None,
        )
