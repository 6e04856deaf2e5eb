"""The things that requests and notifications carry, as the other side sees them.

Every shape ignores members it does not know (additive changes stay version 1) and is strict about types.
Times are RFC 3339 in UTC with milliseconds; ids are strings; `seq`, `rev` and `epoch` are integers below 2**53.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from protocol.states import AgentStatus, Life, PauseMode

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:~-]+$")]
"""An id on the wire: opaque, at most 64 characters."""
Seq = Annotated[int, Field(ge=0, lt=2**53)]
Rev = Annotated[int, Field(ge=0, lt=2**53)]
Timestamp = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"),
    Field(examples=["2026-11-22T08:00:00.000Z"]),
]
TEXT_MAX_BYTES = 16 * 1024
"""Longest message text, in bytes of UTF-8."""


class Shape(BaseModel):
    """Base of everything on the wire: frozen, strict, tolerant of unknown members."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Party(Shape):
    """Who speaks or is spoken of. `id` is absent for the system."""

    kind: Literal["customer", "agent", "bot", "system"]
    id: Id | None = None
    name: str = ""


class Quote(Shape):
    """The message of the same conversation that another one is about. Who sends it says `message_id`; the rest is told
    by the server, and ignored when it is sent."""

    message_id: Id
    sender: Party | None = None
    kind: Literal["text", "image", "file", "order_card", "note"] | None = None
    """absent, as `excerpt` is, once the quoted message was recalled"""
    excerpt: str = ""
    """the beginning of its text, or the name of what it shows; at most 200 characters"""


class TextBody(Shape):
    """Plain text; never interpreted as markup."""

    kind: Literal["text"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX_BYTES)]
    quote: Quote | None = None
    """of what everybody may read: never a note"""


class ImageBody(Shape):
    """A reference to an uploaded image."""

    kind: Literal["image"]
    file_id: Id
    name: Annotated[str, StringConstraints(max_length=255)] = ""
    width: Annotated[int, Field(ge=0, le=100_000)] = 0
    height: Annotated[int, Field(ge=0, le=100_000)] = 0
    size_bytes: Annotated[int, Field(ge=0, lt=2**40)] = 0


class FileBody(Shape):
    """A reference to an uploaded file."""

    kind: Literal["file"]
    file_id: Id
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=0, lt=2**40)] = 0


class OrderCardBody(Shape):
    """An order of the customer, shown as a card. `order_id` is the shop's own order number."""

    kind: Literal["order_card"]
    order_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    title: Annotated[str, StringConstraints(max_length=255)] = ""
    state: Annotated[str, StringConstraints(max_length=32)] = ""
    amount: Annotated[str, StringConstraints(max_length=32)] = ""


class SystemBody(Shape):
    """Something that happened to the conversation: written by the server only, worded by the client."""

    kind: Literal["system"]
    event: str
    """`queued`, `assigned`, `ended`, `reopened`, `closed`, `handed_off`, `rated`; `screen_started`, `screen_stopped`;
    for colleagues only: `invited`, `declined`, `expired`, `joined`, `left`, `removed` (who, by, role, group, reason),
    `handed_over` (by, from, to, group, pool, stays, reason), `item_added`, `item_changed`, `item_removed`,
    `rule_applied`, `alarm_raised`"""
    data: dict[str, Any] = {}


class NoteBody(Shape):
    """What colleagues say among themselves; no customer ever sees one (CO-05). `whisper`: by somebody who only
    watches (CO-12); the server decides it."""

    kind: Literal["note"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX_BYTES)]
    mentions: Annotated[list[Id], Field(max_length=50)] = []
    """accounts who shall hear of it, now or later"""
    whisper: bool = False
    quote: Quote | None = None
    """of anything in the conversation"""


SentBody = Annotated[TextBody | ImageBody | FileBody | OrderCardBody, Field(discriminator="kind")]
"""What people may send."""
NotedBody = Annotated[NoteBody | ImageBody | FileBody, Field(discriminator="kind")]
"""What colleagues may leave for each other."""
Body = Annotated[
    TextBody | ImageBody | FileBody | OrderCardBody | NoteBody | SystemBody, Field(discriminator="kind")
]


class Message(Shape):
    """One entry of a conversation's log. `body` is null once it was recalled.

    `seq` is in the reader's own numbering: customers count only what they may see, 1..n without holes.
    """

    conversation_id: Id
    seq: Seq
    message_id: Id
    client_message_id: str | None = None
    sender: Party
    body: Body | None
    created_at: Timestamp
    recalled_at: Timestamp | None = None
    rev: Rev = 0
    """rises with recall; the higher wins"""
    internal: bool = False
    """for colleagues only; it has no number in the customer's numbering, and customers never get one"""


WaitsBecause = Literal["all_full", "nobody_online", "out_of_hours"]
"""Why somebody waits, as customers are told it."""


class Queue(Shape):
    """Where a conversation waits, in facts for words (KS-22)."""

    pool: str
    place: int
    length: int
    reason: WaitsBecause
    """`all_full`: somebody eligible is at work; `out_of_hours`: all who could serve are off duty"""
    waiting_since: Timestamp
    estimate_s: int | None = None
    """to the customer: how much longer it will take, in seconds, rounded up; `queue.moved` tells it anew. Null when the
    pool's last hour is no basis for an estimate"""


class Returning(Shape):
    """A returning customer's last contact before this conversation: with whom, and when (KS-01)."""

    agent: Party
    at: Timestamp


class CustomerCard(Shape):
    """What colleagues see of a customer."""

    customer_id: Id
    name: str = ""
    anonymous: bool = True
    new_customer_priority: bool = False
    tags: list[str] = []
    owner: Party | None = None
    """the colleague who looks after this customer (GP-07)"""
    returning: Returning | None = None
    """contact with a human agent within the sticky window before this conversation was opened"""


TagColour = Literal["grey", "blue", "teal", "green", "yellow", "orange", "red", "purple"]
"""Named, so that every surface shows it readably on light and on dark."""


class ResultTag(Shape):
    """What became of a conversation, in the shop's own words."""

    tag_id: Id
    name: str
    colour: TagColour = "grey"


class RatingReason(Shape):
    """One reason for a rating that a customer may choose. `texts`: language (BCP 47) -> words."""

    reason_id: Id
    texts: dict[str, str]
    stars_from: Annotated[int, Field(ge=1, le=5)] = 1
    """the ratings with which it is offered, from this one"""
    stars_to: Annotated[int, Field(ge=1, le=5)] = 5
    """up to this one"""


class Participant(Shape):
    """Somebody beside the owner in a conversation (CO-01, CO-12)."""

    person: Party
    role: Literal["collaborator", "supervisor"]


class Work(Shape):
    """How far the divided work of a collaboration is (CO-08)."""

    done: int
    remaining: int


class Conversation(Shape):
    """The whole state of a conversation as its reader may see it: absolute, the highest `rev` wins."""

    conversation_id: Id
    rev: Rev
    state: Life
    customer: CustomerCard
    owner: Party | None
    """agent or bot in charge; null while it waits"""
    assign_epoch: int
    order_state: str
    order_id: str | None = None
    queue: Queue | None = None
    opened_at: Timestamp
    arrived_at: Timestamp
    assigned_at: Timestamp | None = None
    wrap_up_until: Timestamp | None = None
    closed_at: Timestamp | None = None
    answers_later: bool = False
    """given to somebody who is not at work now (KS-10)"""
    head_seq: Seq
    """last entry of the log, in the reader's numbering"""
    read_by_customer: Seq = 0
    read_by_staff: Seq = 0
    waiting_since: Timestamp | None = None
    """when the customer's oldest unanswered message came; null when none waits"""
    last_message: Message | None = None
    """what the customer, an agent or the bot said last, for colleagues also what they said among themselves. In
    snapshots and replies, and for colleagues when it changes hands; other events leave it out, since
    `message.created` brings every message"""
    customer_messages: int = 0
    """how many the customer wrote so far"""
    customer_messages_read: int = 0
    """how many of them `read_by_staff` covers; the others are unread"""
    answered: bool = False
    """whoever serves it has written to the customer in it"""
    rating: int | None = None
    rating_reasons: list[RatingReason] = []
    rating_comment: str = ""
    rated_at: Timestamp | None = None
    """when it was last said"""
    participants: list[Participant] = []
    """beside the owner, in the order in which they joined; empty for customers, as everything below"""
    watchers: list[Party] = []
    """who follows silently, when the shop's `agents_see_watchers` is on"""
    work: Work | None = None
    result_tags: list[ResultTag] = []
    end_reason: str = ""
    """why it was ended last, by whoever ended it"""


class AgentCard(Shape):
    """An agent as colleagues see them (three facts kept apart: presence, status, load)."""

    account_id: Id
    name: str
    status: AgentStatus
    connected: bool
    counted_offline: bool
    availability: str
    """why they can or cannot take one more; a `Reason`"""
    load: int
    capacity: int
    received_today: int = 0
    groups: list[Id] = []
    excluded: bool = False
    on_duty: bool = True
    pause_mode: PauseMode = PauseMode.BY_HAND
    pause_at: int | None = None
    status_since: Timestamp | None = None


class SlotCard(Shape):
    """One held unit of capacity, and why (KS-22)."""

    conversation_id: Id
    why: Literal["in_service", "wrap_up"]
    since: Timestamp
    reason: str
    over_capacity: bool
    until: Timestamp | None = None
    customer_name: str = ""


class PoolCard(Shape):
    """One queue pool at a glance."""

    pool: str
    length: int
    oldest_at: Timestamp | None
    groups: list[Id]
    open_to_everybody: bool


class TriedTier(Shape):
    """One step of the routing order with its outcome; both words are `Reason`s."""

    tier: str
    outcome: str
    agent: Party | None = None
    groups: list[Id] = []
    pool: str | None = None


class RoutingDecision(Shape):
    """One decision in the life of a conversation."""

    at: Timestamp
    change: str
    rev: Rev
    assign_epoch: int
    owner: Party | None = None
    previous_owner: Party | None = None
    reason: str | None = None
    by: Party | None = None
    pool: str | None = None
    place: int | None = None
    tried: list[TriedTier] = []


class WaitReason(Shape):
    """One agent who could serve, and why they cannot now."""

    agent: Party
    why: str


class WaitExplanation(Shape):
    """Why a conversation waits."""

    pool: str
    place: int
    length: int
    priority: bool
    reason: str
    groups: list[Id]
    open_to_everybody: bool
    agents: list[WaitReason]
