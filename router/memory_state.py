"""Live routing state of one shop as plain dicts, and the facts that can be read off it.

The executable specification of what the Redis keys hold. Knows no clock and makes no changes of its own but the
keeping of its queues; `memory_turn.py` changes it. Several engines (nodes) may share one `LiveShop`.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.codes import Reason
from protocol.ids import AccountId, ConnectionId, ConversationId, GroupId, PersonId
from protocol.states import AgentStatus, Life, PauseMode
from router.model import (
    EVERYBODY,
    AgentState,
    ConversationState,
    Decision,
    Due,
    LivePolicy,
    Outcome,
    Profile,
    Slot,
)

NEVER = float("inf")
"""An `offline_after` that dominates every number (KS-18: mobile never)."""

QueueKey = tuple[int, int, ConversationId]
"""Whose turn it is in a queue pool: priority class, first arrival in ms, id."""


@dataclass(slots=True)
class AgentRecord:
    """One agent. `offline_after_ms`: the longest seen since coming to work, `NEVER`, or None when none was seen."""

    profile: Profile
    status_since_ms: int
    status: AgentStatus = AgentStatus.OFFLINE
    counted_offline: bool = False
    offline_after_ms: float | None = None
    received: int = 0
    received_day: int = 0
    last_seq: int = 0
    slots: dict[ConversationId, Slot] = field(default_factory=dict[ConversationId, Slot])

    @property
    def load(self) -> int:
        """Held slots (I4)."""
        return len(self.slots)

    def availability(self) -> Reason:
        """HAS_ROOM, or the first reason against it."""
        profile = self.profile
        if not profile.routable:
            return Reason.NOT_AN_AGENT
        if profile.excluded:
            return Reason.EXCLUDED
        if not profile.on_duty:
            return Reason.OFF_DUTY
        if self.status is AgentStatus.OFFLINE or self.counted_offline:
            return Reason.OFFLINE
        if self.status is AgentStatus.PAUSED:
            return Reason.PAUSED
        at_n = profile.pause_mode is PauseMode.AT_N and profile.pause_at is not None
        if at_n and profile.pause_at is not None and self.load >= profile.pause_at:
            return Reason.AUTO_PAUSED
        return Reason.FULL if self.load >= profile.capacity else Reason.HAS_ROOM

    def at_work(self) -> bool:
        """Takes part in routing now; paused and full agents do (KS-02, KS-09)."""
        return self.availability() in AT_WORK

    def received_on(self, day: int) -> int:
        """Conversations received on `day`."""
        return self.received if self.received_day >= day else 0


AT_WORK = frozenset({Reason.HAS_ROOM, Reason.FULL, Reason.PAUSED, Reason.AUTO_PAUSED})
"""Availabilities of agents who are at work."""


@dataclass(slots=True)
class ConversationRecord:
    """One live conversation. It keeps pool, priority and first arrival while it is with an agent (I8)."""

    conversation: ConversationId
    epoch: int
    rev: int
    priority: int
    arrived_ms: int
    pool: str
    life: Life = Life.QUEUED
    owner: AccountId | None = None
    previous_owner: AccountId | None = None
    wrap_up_until_ms: int | None = None
    reason: Reason | None = None

    @property
    def queue_key(self) -> QueueKey:
        """Its place in queue order."""
        return (self.priority, self.arrived_ms, self.conversation)


@dataclass(slots=True)
class LiveShop:
    """Everything live about one shop."""

    live: bool = False
    policy: LivePolicy = field(default_factory=LivePolicy)
    agents: dict[AccountId, AgentRecord] = field(default_factory=dict[AccountId, AgentRecord])
    conversations: dict[ConversationId, ConversationRecord] = field(
        default_factory=dict[ConversationId, ConversationRecord]
    )
    queues: dict[str, list[QueueKey]] = field(default_factory=dict[str, list[QueueKey]])
    """non-empty pools, each in queue order"""
    due: dict[str, int] = field(default_factory=dict[str, int])
    """`wrap:<conversation>`, `grace:<agent>`, `requeue:<agent>` -> when, in ms"""
    directory: dict[PersonId, dict[ConnectionId, str]] = field(
        default_factory=dict[PersonId, dict[ConnectionId, str]]
    )
    """person -> connection -> node incarnation"""
    seq: int = 0
    """how many conversations were given out so far"""
    unconfirmed: dict[tuple[ConversationId, int], Decision] = field(
        default_factory=dict[tuple[ConversationId, int], Decision]
    )
    fenced: dict[str, int] = field(default_factory=dict[str, int])
    """dead node incarnation -> until when it is refused, in ms"""
    replies: dict[str, tuple[int, Outcome | Due]] = field(
        default_factory=dict[str, tuple[int, Outcome | Due]]
    )
    """op id -> until when it is kept, and the outcome"""

    def start_anew(self, policy: LivePolicy) -> None:
        """Empty, and live from now on; fences and first replies outlive it."""
        for part in (
            self.agents,
            self.conversations,
            self.queues,
            self.due,
            self.directory,
            self.unconfirmed,
        ):
            part.clear()
        self.seq = 0
        self.policy = policy
        self.live = True

    # --- agents ----------------------------------------------------------------------------------------------------
    def connected(self, agent: AccountId) -> bool:
        """Whether anybody is connected under this account."""
        return bool(self.directory.get(PersonId(agent)))

    def members(self, groups: Iterable[GroupId]) -> list[AgentRecord]:
        """The routable agents of any of `groups`; `EVERYBODY` is a group of all."""
        wanted = frozenset(groups)
        everybody = EVERYBODY in wanted
        return [
            agent
            for agent in self.agents.values()
            if agent.profile.routable and (everybody or not wanted.isdisjoint(agent.profile.groups))
        ]

    def anybody_at_work(self, groups: Iterable[GroupId]) -> bool:
        """Whether one of `groups` has somebody at work."""
        return any(agent.at_work() for agent in self.members(groups))

    def best(self, candidates: Iterable[AgentRecord], day: int) -> AgentRecord | None:
        """Whose turn it is among `candidates` by the shop's distribution (KS-02); None when there are none."""
        rank = self._least_loaded if self.policy.distribution == "least_loaded" else self._even
        return min(candidates, key=lambda agent: rank(agent, day), default=None)

    @staticmethod
    def _even(agent: AgentRecord, day: int) -> tuple[int, int, AccountId]:
        return (agent.received_on(day), agent.last_seq, agent.profile.agent)

    @staticmethod
    def _least_loaded(agent: AgentRecord, day: int) -> tuple[int, int, AccountId]:
        return ((agent.load << 18) // agent.profile.capacity, agent.last_seq, agent.profile.agent)

    def available(self, groups: Iterable[GroupId]) -> list[AgentRecord]:
        """The members of `groups` who are online with room."""
        return [agent for agent in self.members(groups) if agent.availability() is Reason.HAS_ROOM]

    # --- queue pools -----------------------------------------------------------------------------------------------
    def enqueue(self, record: ConversationRecord) -> int:
        """Put a conversation into its pool by class, first arrival and id; its 1-based place."""
        queue = self.queues.setdefault(record.pool, [])
        insort(queue, record.queue_key)
        return bisect_left(queue, record.queue_key) + 1

    def dequeue(self, record: ConversationRecord) -> None:
        """Take a waiting conversation out of its pool."""
        queue = self.queues[record.pool]
        del queue[bisect_left(queue, record.queue_key)]
        if not queue:
            del self.queues[record.pool]

    def place(self, record: ConversationRecord) -> int | None:
        """1-based place of a waiting conversation; None for others."""
        if record.life is not Life.QUEUED:
            return None
        return bisect_left(self.queues[record.pool], record.queue_key) + 1

    def bound_groups(self, pool: str) -> tuple[GroupId, ...]:
        """The groups bound to a pool; none: open to everybody."""
        return tuple(self.policy.pools.get(pool, ()))

    def serving(self, pool: str) -> tuple[GroupId, ...]:
        """The groups whose agents may take from `pool` now: the bound ones while anybody of them is at work (KS-09)."""
        bound = self.bound_groups(pool)
        return bound if bound and self.anybody_at_work(bound) else (GroupId(EVERYBODY),)

    # --- as values -------------------------------------------------------------------------------------------------
    def agent_state(self, agent: AgentRecord, *, with_slots: bool = True) -> AgentState:
        """One agent as a value."""
        slots = sorted(agent.slots.values(), key=lambda slot: (slot.since_ms, slot.conversation))
        return AgentState(
            profile=agent.profile,
            status=agent.status,
            connected=self.connected(agent.profile.agent),
            counted_offline=agent.counted_offline,
            load=agent.load,
            received_today=agent.received,
            availability=agent.availability(),
            slots=tuple(slots) if with_slots else (),
            status_since_ms=agent.status_since_ms,
        )

    def conversation_state(self, record: ConversationRecord) -> ConversationState:
        """One conversation as a value."""
        return ConversationState(
            conversation=record.conversation,
            life=record.life,
            owner=record.owner,
            epoch=record.epoch,
            rev=record.rev,
            priority=record.priority,
            arrived_ms=record.arrived_ms,
            pool=record.pool,
            place=self.place(record),
            wrap_up_until_ms=record.wrap_up_until_ms,
            reason=record.reason,
            previous_owner=record.previous_owner,
        )
