"""Three vocabularies that must never mix.

`ErrorCode` answers one request and leaves the socket open; `CloseCode` ends a socket and says what to do next;
`Reason` explains a routing decision to people. Number ranges carry policy: see `protocol.md` in docs.
"""

from enum import IntEnum, StrEnum


class ErrorCode(IntEnum):
    """Codes of JSON-RPC error objects. Negative ones are the specification's (JSON-RPC 2.0, section 5.1)."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    UNAUTHENTICATED = 1001
    FORBIDDEN = 1003
    NOT_FOUND = 1004
    """Also for what belongs to another shop: existence is never revealed."""
    CONFLICT = 1009
    IDEMPOTENCY_CONFLICT = 1010
    STALE_ASSIGNMENT = 1011
    INVALID_STATE = 1012
    RATE_LIMITED = 1029
    UNAVAILABLE = 1050
    COMMIT_UNKNOWN = 1051


class CloseCode(IntEnum):
    """Close codes of our own. 4000-4099: stop. 4100-4199: back off, then resume. 4200-4299: resume soon, jittered."""

    BAD_PROTOCOL = 4000
    AUTH_FAILED = 4001
    REPLACED = 4003
    SHOP_SUSPENDED = 4004
    BLOCKED = 4005
    UNSUPPORTED_VERSION = 4006
    TOO_MANY_CONNECTIONS = 4007
    INTERNAL = 4100
    TOKEN_EXPIRED = 4101
    HELLO_TIMEOUT = 4102
    RATE_ABUSE = 4103
    OVERLOAD = 4104
    SLOW_CONSUMER = 4108
    NO_HEARTBEAT = 4109
    DRAINING = 4200
    LEASE_LOST = 4203


class Reason(StrEnum):
    """Why a tier of the routing order did, or did not, take a conversation (KS-22). Shown to people, translated."""

    # why a tier is tried
    LAST_AGENT = "last_agent"
    """Contact with this agent within the sticky window (KS-01, KS-08)."""
    RETURNING_PRIORITY = "returning_priority"
    """The same, with the returning-customer switch: whatever the capacity, even when paused (KS-16)."""
    ORDER_STATE_GROUP = "order_state_group"
    """Agents of the groups bound to the customer's order state (KS-05)."""
    RANDOM_ONLINE = "random_online"
    """The last agent is not online: a random other one (KS-01)."""
    ANY_ONLINE = "any_online"
    """Any online agent with room (KS-02, KS-05, KS-09)."""
    OFFLINE_LIST = "offline_list"
    """Nobody is online and offline routing is on (KS-10)."""
    OWNER_FALLBACK = "owner_fallback"
    """The shop has no agent: its owner serves (KS-04)."""
    BOT = "bot"
    """The bot speaks first (KS-15, KS-17)."""
    QUEUE_POOL = "queue_pool"
    """Waits in the pool of its order state, or in the default pool (KS-02, KS-09, KS-11)."""
    FILLED = "filled"
    """A waiting conversation got a slot that became free (KS-19)."""
    OVERFLOW = "overflow"
    """The pool's own groups have nobody online: open to everybody (KS-09)."""
    BY_HAND = "by_hand"
    """Assigned, transferred or pulled by a person (KS-07, KS-14, KS-21)."""
    REOPENED = "reopened"
    """The customer wrote during wrap-up: back to the same agent (KS-20)."""
    REBUILT = "rebuilt"
    """Found in the database when live state was rebuilt."""
    # how a tier ended
    TAKEN = "taken"
    OFFLINE = "offline"
    PAUSED = "paused"
    AUTO_PAUSED = "auto_paused"
    """Paused by itself: its load reached N (KS-19)."""
    FULL = "full"
    OVER_CAPACITY_LIMIT = "over_capacity_limit"
    """Stickiness may not go further above capacity (KS-08)."""
    EXCLUDED = "excluded"
    OFF_DUTY = "off_duty"
    NOT_AN_AGENT = "not_an_agent"
    NOBODY_ONLINE = "nobody_online"
    ALL_FULL = "all_full"
    """At least one is at work, none has room."""
    SOMEBODY_ONLINE = "somebody_online"
    """The tier is only for when nobody is online."""
    HAS_AGENTS = "has_agents"
    """The owner serves only a shop without agents."""
    OTHERS_WAIT = "others_wait"
    """Earlier conversations of the same pool are being handed out first."""
    HAS_ROOM = "has_room"
