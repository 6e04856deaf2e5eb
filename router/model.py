"""The nouns of routing. Values only: nothing here knows the clock, Redis or a socket.

Times are integers: milliseconds since 1970-01-01 UTC (`*_ms`), as the engines take and give them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, CustomerId, GroupId
from protocol.states import AgentStatus, Life, PauseMode

NORMAL, PRIORITY = 1, 0
"""Priority classes of a waiting conversation; the lower goes first, arrival time decides within (KS-15)."""

EVERYBODY = "*"
"""The pseudo-group of every agent of the shop."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The last contact of a customer with a human agent of the shop (KS-01)."""

    agent: AccountId
    at_ms: int


@dataclass(frozen=True, slots=True)
class Request:
    """What the rules need to know about one conversation. Durable facts, read by the caller."""

    conversation: ConversationId
    customer: CustomerId
    arrived_ms: int
    """First arrival; kept through every return to a queue (I8)."""
    order_state: str
    last_contact: Contact | None = None
    new_customer_priority: bool = False
    """Bought within, and first paid within, the policy's windows (KS-15)."""
    via_bot: bool = False
    """The bot has handed over (or its turn is over): it is not tried again (KS-17)."""
    bot: AccountId | None = None
    """The shop's bot, when it is switched on and connected."""
    epoch: int = 0
    """`assign_epoch` so far, as PostgreSQL has it."""
    rev: int = 0
    """Revision of the live record so far, as PostgreSQL has it."""


class TierKind(StrEnum):
    """Where a tier looks for an agent."""

    AGENT = "agent"
    """one named agent"""
    GROUPS = "groups"
    """the best agent of some groups"""
    RANDOM = "random"
    """a random agent of everybody"""
    OFFLINE_LIST = "offline_list"
    """the best of the offline list, while nobody is at work"""
    OWNER = "owner"
    """the owner, while the shop has no agent"""
    POOL = "pool"
    """wait; always fits, always last"""


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the routing order, tried when all before it did not fit.

    `over_capacity`: how far above capacity it may go (None: without limit). `even_paused`: also a paused agent.
    `only_if_offline`: AGENT tiers that matter only as a condition are not made; instead RANDOM carries the agent whose
    being offline it depends on. `hold`: if anybody of `groups` is at work, later tiers but POOL are not tried (KS-09).
    """

    kind: TierKind
    reason: Reason
    agent: AccountId | None = None
    groups: tuple[GroupId, ...] = ()
    over_capacity: int | None = 0
    even_paused: bool = False
    hold: bool = False
    only_if_offline: AccountId | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered tiers for one request; the last is a POOL tier. `priority` is the class used when it waits."""

    request: Request
    tiers: tuple[Tier, ...]
    priority: int = NORMAL


@dataclass(frozen=True, slots=True)
class Tried:
    """One tier with its outcome: the explanation's atom (KS-22)."""

    tier: Reason
    outcome: Reason
    agent: AccountId | None = None
    groups: tuple[GroupId, ...] = ()
    pool: str | None = None


class Change(StrEnum):
    """What a decision did to a conversation; maps one to one to `protocol.states.Step`."""

    ASSIGNED = "assigned"
    QUEUED = "queued"
    ENDED = "ended"
    REOPENED = "reopened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of one conversation's live state, as written atomically with the change itself.

    It stays in the shop's unconfirmed decisions until the caller has made it durable and calls `Engine.confirm`.
    `(conversation, rev)` names it. `owner` is who owns the conversation after the change.
    """

    conversation: ConversationId
    rev: int
    epoch: int
    change: Change
    at_ms: int
    owner: AccountId | None
    previous_owner: AccountId | None = None
    reason: Reason | None = None
    pool: str | None = None
    priority: int = NORMAL
    arrived_ms: int = 0
    place: int | None = None
    """1-based place in its pool when QUEUED."""
    wrap_up_until_ms: int | None = None
    """when ENDED"""
    offline: bool = False
    """the new owner is not at work: the customer is told that answers come later (KS-10)"""
    by: AccountId | None = None
    """who did it by hand"""
    tried: tuple[Tried, ...] = ()
    stay: str | None = None
    """why the former owner takes part from then on (CO-10), perhaps without a word; None: they do not"""


class Refusal(StrEnum):
    """Why a verb changed nothing."""

    UNKNOWN_CONVERSATION = "unknown_conversation"
    UNKNOWN_AGENT = "unknown_agent"
    ALREADY_ROUTED = "already_routed"
    NOT_WAITING = "not_waiting"
    """pull, leave: it waits no longer; somebody was faster"""
    NOT_ACTIVE = "not_active"
    NOT_OWNER = "not_owner"
    STALE_EPOCH = "stale_epoch"
    """the owner changed since the caller looked (I3)"""
    SAME_OWNER = "same_owner"
    LOAD_CHANGED = "load_changed"
    """the agent got or gave away something since the caller chose them"""
    NOT_IN_WRAP_UP = "not_in_wrap_up"
    POOL_EMPTY = "pool_empty"
    FENCED = "fenced"
    """this node incarnation was declared dead; it must start anew"""
    NOT_LIVE = "not_live"
    """the shop's live state is missing or being rebuilt; retry after `rebuild`"""


@dataclass(frozen=True, slots=True)
class Done:
    """A verb that changed something (or found its goal reached: then `decisions` is empty).

    `decisions`: first the one asked for, then those of waiting conversations that got a slot by it, in the order in
    which they were given. `more`: freed room is left over; call `Engine.fill` until it is False.
    """

    decisions: tuple[Decision, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A verb that changed nothing, and why."""

    refusal: Refusal


Outcome = Done | Refused

NOT_IN: dict[Life, Refusal] = {
    Life.QUEUED: Refusal.NOT_WAITING,
    Life.ACTIVE: Refusal.NOT_ACTIVE,
    Life.WRAP_UP: Refusal.NOT_IN_WRAP_UP,
}
"""A state that a caller expected a live conversation to be in -> the refusal when it is not."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What admins decide about an agent. `groups` are those served now (GP-06: schedules already applied)."""

    agent: AccountId
    capacity: int = 10
    groups: tuple[GroupId, ...] = ()
    excluded: bool = False
    on_duty: bool = True
    """within working hours, for shops with schedules; off duty counts like offline for automatic routing"""
    on_offline_list: bool = False
    pause_mode: PauseMode = PauseMode.BY_HAND
    pause_at: int | None = None
    """N of `PauseMode.AT_N`"""
    routable: bool = True
    """has the role `agent`. Others (owner, managers, bots) can hold conversations but are in no tier but OWNER/BOT."""
    is_owner: bool = False


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """The part of a shop's policy that live state itself must know, to fill freed slots without the caller."""

    distribution: str = "even"
    """`even` or `least_loaded` (KS-02)"""
    pools: dict[str, tuple[GroupId, ...]] = field(default_factory=dict)
    """order state -> bound groups, for pools that are bound; pools not named are open to everybody (KS-09)"""
    wrap_up_holds_slot: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """One held unit of capacity, and why (KS-22)."""

    conversation: ConversationId
    why: str
    """`in_service` or `wrap_up`"""
    since_ms: int
    reason: Reason
    """how the conversation came to the agent"""
    over_capacity: bool = False
    """it was taken when the load had reached the capacity"""
    until_ms: int | None = None
    """end of wrap-up"""


@dataclass(frozen=True, slots=True)
class AgentState:
    """Everything live about one agent."""

    profile: Profile
    status: AgentStatus
    connected: bool
    counted_offline: bool
    """not heard from for longer than allowed (KS-18)"""
    load: int
    received_today: int
    availability: Reason
    """HAS_ROOM, FULL, PAUSED, AUTO_PAUSED, OFFLINE, OFF_DUTY, EXCLUDED, NOT_AN_AGENT: the first that applies, in the
    order NOT_AN_AGENT, EXCLUDED, OFF_DUTY, OFFLINE, PAUSED, AUTO_PAUSED, FULL"""
    slots: tuple[Slot, ...] = ()
    status_since_ms: int = 0


@dataclass(frozen=True, slots=True)
class ConversationState:
    """Everything live about one conversation."""

    conversation: ConversationId
    life: Life
    owner: AccountId | None
    epoch: int
    rev: int
    priority: int
    arrived_ms: int
    pool: str | None
    place: int | None = None
    wrap_up_until_ms: int | None = None
    reason: Reason | None = None
    previous_owner: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a conversation waits (KS-22)."""

    conversation: ConversationId
    pool: str
    place: int
    length: int
    priority: int
    arrived_ms: int
    reason: Reason
    """ALL_FULL (somebody eligible is at work), or NOBODY_ONLINE"""
    groups: tuple[GroupId, ...]
    """bound groups of the pool; empty: open to everybody"""
    open_to_everybody: bool
    agents: tuple[tuple[AccountId, Reason], ...]
    """every eligible agent with why they cannot take it"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation waits, without the reasons per agent: cheap enough to tell every waiting customer."""

    pool: str
    place: int
    length: int
    reason: Reason
    """ALL_FULL (somebody eligible is at work), NOBODY_ONLINE, or OFF_DUTY (all who could serve are)"""
    arrived_ms: int


POOL_SHOWN = 50
"""How many of those who wait a look at a pool names."""


@dataclass(frozen=True, slots=True)
class PoolState:
    """One queue pool at a glance."""

    pool: str
    length: int
    oldest_ms: int | None
    groups: tuple[GroupId, ...]
    open_to_everybody: bool
    first: tuple[ConversationId, ...] = ()
    """the first `POOL_SHOWN` of it, in queue order"""


@dataclass(frozen=True, slots=True)
class Due:
    """What `Engine.expire` found due. `decisions` as in `Done`."""

    decisions: tuple[Decision, ...] = ()
    counted_offline: tuple[AccountId, ...] = ()
    """agents whose grace ran out in this call"""
    requeue: tuple[tuple[AccountId, tuple[ConversationId, ...]], ...] = ()
    """agents counted offline for longer than `requeue_after`, with the ACTIVE conversations they hold; the caller
    decides each by its log (KS-18)"""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """What durable facts still tell of the day when live state is made anew: nobody begins it again at 0."""

    since_ms: Mapping[ConversationId, int] = field(default_factory=dict[ConversationId, int])
    """since when its owner has a conversation"""
    received: Mapping[AccountId, int] = field(default_factory=dict[AccountId, int])
    """how many conversations were given to an agent today (KS-02), whoever was given one longest ago first"""
    grace_ms: Mapping[AccountId, int | None] = field(default_factory=dict[AccountId, int | None])
    """how long after their last connection an agent counts as offline, None: never; by the most patient device used
    since they came to work (KS-18)"""
    away: frozenset[AccountId] = frozenset()
    """who was counted offline already"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole shop, for tests, invariants and comparison of engines. Ordered, so that equal states are equal values."""

    agents: tuple[AgentState, ...]
    conversations: tuple[ConversationState, ...]
    pools: tuple[tuple[str, tuple[ConversationId, ...]], ...]
    """every non-empty pool with its conversations in queue order"""
    extra: dict[str, Any] = field(default_factory=dict)
