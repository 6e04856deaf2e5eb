"""Transition tables. What is not in a table is illegal; nothing else in the code decides that."""

from enum import StrEnum


class Role(StrEnum):
    """Who somebody is to the shop. An account may hold several; `customer` and `bot` stand alone."""

    OWNER = "owner"
    ADMIN = "admin"
    SERVICE_ADMIN = "service_admin"
    OPERATIONS = "operations"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    CUSTOMER = "customer"
    BOT = "bot"


class PersonKind(StrEnum):
    """Which kind of person is at a connection; decides limits, and what may be called."""

    CUSTOMER = "customer"
    BOT = "bot"
    ACCOUNT = "account"


class AgentStatus(StrEnum):
    """What an agent chose (KS-18). Whether the server hears from them is another fact."""

    ONLINE = "online"
    PAUSED = "paused"
    OFFLINE = "offline"


class PauseMode(StrEnum):
    """When an agent is paused without doing anything (KS-19)."""

    AT_N = "at_n"
    BY_HAND = "by_hand"
    NEVER = "never"


class OrderState(StrEnum):
    """What the customer's order is doing (KS-06)."""

    NO_ACTIVE_ORDER = "no_active_order"
    PLACED_UNPAID = "placed_unpaid"
    PAID_UNSHIPPED = "paid_unshipped"
    SHIPPED_UNSIGNED = "shipped_unsigned"
    TRADE_DONE = "trade_done"
    AFTER_SALE = "after_sale"


DEFAULT_POOL = "default"
"""Where conversations wait that no order state's groups claim; the other pools are named like the order states."""


class Life(StrEnum):
    """The life of a conversation (KS-20)."""

    QUEUED = "queued"
    ACTIVE = "active"
    WRAP_UP = "wrap_up"
    CLOSED = "closed"


class Step(StrEnum):
    """What can happen to a conversation."""

    QUEUE = "queue"
    """put into, or back into, a queue pool"""
    ASSIGN = "assign"
    """given to an owner, by the router or by hand"""
    END = "end"
    """ended by the agent: wrap-up begins"""
    REOPEN = "reopen"
    """the customer wrote, or the agent undid the end, during wrap-up"""
    CLOSE = "close"
    """wrap-up is over, the customer left the queue, or there is no wrap-up"""


LIFE: dict[tuple[Life, Step], Life] = {
    (Life.QUEUED, Step.QUEUE): Life.QUEUED,
    (Life.QUEUED, Step.ASSIGN): Life.ACTIVE,
    (Life.QUEUED, Step.CLOSE): Life.CLOSED,
    (Life.ACTIVE, Step.QUEUE): Life.QUEUED,
    (Life.ACTIVE, Step.ASSIGN): Life.ACTIVE,
    (Life.ACTIVE, Step.END): Life.WRAP_UP,
    (Life.ACTIVE, Step.CLOSE): Life.CLOSED,
    (Life.WRAP_UP, Step.REOPEN): Life.ACTIVE,
    (Life.WRAP_UP, Step.ASSIGN): Life.ACTIVE,
    (Life.WRAP_UP, Step.CLOSE): Life.CLOSED,
}


class Phase(StrEnum):
    """The life of a connection, from the server's side."""

    OPENED = "opened"
    """accepted; only `session.hello` is understood"""
    SYNCING = "syncing"
    """hello answered; missed events are being sent"""
    LIVE = "live"
    DRAINING = "draining"
    CLOSED = "closed"


PHASES: dict[Phase, frozenset[Phase]] = {
    Phase.OPENED: frozenset({Phase.SYNCING, Phase.CLOSED}),
    Phase.SYNCING: frozenset({Phase.LIVE, Phase.DRAINING, Phase.CLOSED}),
    Phase.LIVE: frozenset({Phase.DRAINING, Phase.CLOSED}),
    Phase.DRAINING: frozenset({Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
}


STATUS: dict[AgentStatus, frozenset[AgentStatus]] = {
    AgentStatus.ONLINE: frozenset({AgentStatus.PAUSED, AgentStatus.OFFLINE}),
    AgentStatus.PAUSED: frozenset({AgentStatus.ONLINE, AgentStatus.OFFLINE}),
    AgentStatus.OFFLINE: frozenset({AgentStatus.ONLINE, AgentStatus.PAUSED}),
}
"""Every status may follow every other; asking for the one that holds already changes nothing."""
