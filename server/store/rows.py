"""The rows that several parts of the store give out: values, never database records.

Times are integers: milliseconds since 1970-01-01 UTC (`*_ms`), as the router takes them. None means that the
fact does not exist (not closed, nobody's), never that something failed.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from protocol.ids import AccountId, ClientMessageId, ConversationId, CustomerId, MessageId, PersonId, ShopId
from protocol.states import Life
from router.model import Contact

SenderKind = Literal["customer", "agent", "bot", "system"]
OwnerKind = Literal["agent", "bot"]
Visibility = Literal["public", "internal"]
Side = Literal["customer", "staff"]

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """A part of a list. `cursor` continues it; None: that was the end."""

    rows: tuple[RowT, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation as PostgreSQL has it. `head_seq` and `staff_read_seq` are in the staff numbering (every
    entry of the log), `customer_head_seq` and `customer_read_seq` in the customer's (public entries only)."""

    id: ConversationId
    shop_id: ShopId
    customer_id: CustomerId
    state: Life
    owner_id: AccountId | None
    owner_kind: OwnerKind | None
    assign_epoch: int
    live_rev: int
    """`Decision.rev` of the last decision applied"""
    rev: int
    """rises with every visible change"""
    order_state: str
    order_id: str | None
    priority: int
    pool: str | None
    opened_ms: int
    arrived_ms: int
    assigned_ms: int | None
    wrap_up_until_ms: int | None
    closed_ms: int | None
    answers_later: bool
    detached_ms: int | None
    """since when the owner has been away for too long: routed anew when the customer writes (KS-18)"""
    via_bot: bool
    """the bot has had its turn (KS-17)"""
    head_seq: int
    customer_head_seq: int
    customer_read_seq: int
    staff_read_seq: int
    customer_read_log_seq: int
    """the customer's mark in the staff numbering"""
    staff_read_customer_seq: int
    """the staff's mark in the customer's numbering"""
    waiting_since_ms: int | None
    """the customer's oldest unanswered message"""
    last_agent_id: AccountId | None
    """the human agent who wrote last (stickiness)"""
    last_contact_ms: int | None
    last_owner_id: AccountId | None
    """the agent or bot who had it last; stays when it is closed or waits again"""
    rating: int | None
    rating_comment: str | None
    customer_rev: int = 1
    """rises with every change that the customer may see; notes leave no gap in it"""
    collaborators: tuple[AccountId, ...] = ()
    """colleagues beside the owner, in the order in which they joined"""
    supervisors: tuple[AccountId, ...] = ()
    """who joined to speak as a supervisor"""
    watchers: tuple[AccountId, ...] = ()
    """who follows silently"""
    invited: tuple[AccountId, ...] = ()
    """who is asked to join"""
    items_done: int = 0
    items_open: int = 0
    collaboration_since_ms: int | None = None
    """since when somebody takes part beside the owner"""
    customer_messages: int = 0
    """how many entries the customer wrote"""
    customer_messages_read: int = 0
    """how many of them the staff's mark covers"""
    returning_agent_id: AccountId | None = None
    """when it was opened, the human agent who had written to this customer last (KS-01), in another conversation"""
    returning_ms: int | None = None
    """when that agent wrote"""
    result_tags: tuple[str, ...] = ()
    """what became of it: ids of the shop's result tags"""
    end_reason: str = ""
    """why it was ended last"""
    rating_reasons: tuple[str, ...] = ()
    """ids of the shop's reasons for ratings"""
    rated_ms: int | None = None

    @property
    def speaking(self) -> tuple[AccountId, ...]:
        """Everybody who may write to the customer: the owner, collaborators, supervisors who joined."""
        owner = () if self.owner_id is None else (self.owner_id,)
        if not self.collaborators and not self.supervisors:  # nearly always, and asked for every message
            return owner
        return (*owner, *self.collaborators, *self.supervisors)

    @property
    def following(self) -> tuple[AccountId, ...]:
        """Everybody of the staff to whom each entry of the log is sent."""
        return (*self.speaking, *self.watchers) if self.watchers else self.speaking


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One entry of a log. `customer_seq` is None for what the customer may not see; `body` is None once recalled."""

    shop_id: ShopId
    conversation_id: ConversationId
    seq: int
    customer_seq: int | None
    message_id: MessageId
    sender_kind: SenderKind
    sender_id: PersonId | None
    sender_name: str
    client_message_id: ClientMessageId
    body: dict[str, Any] | None
    visibility: Visibility
    created_ms: int
    recalled_ms: int | None
    rev: int


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer. `external_id` is the shop's own id of an identified one."""

    id: CustomerId
    shop_id: ShopId
    external_id: str | None
    name: str
    tags: tuple[str, ...]
    anonymous: bool
    first_paid_ms: int | None
    last_bought_ms: int | None
    created_ms: int
    owner_id: AccountId | None = None
    """the colleague who looks after them (GP-07)"""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation with what a list or a snapshot shows beside it.

    `last_message` is the last thing that a person or a bot said and the asker may see.
    """

    conversation: ConversationRow
    customer: CustomerRow
    owner_name: str
    """empty without an owner"""
    last_message: MessageRow | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The customer's open conversation. `created`: it did not exist before this call."""

    conversation: ConversationRow
    customer: CustomerRow
    created: bool
    last_contact: Contact | None
    """the last human agent over all the customer's conversations, however long ago (KS-01)"""


@dataclass(frozen=True, slots=True)
class Missed:
    """What a reader has not seen of one conversation: all of it in order, or `reset` and nothing."""

    conversation_id: ConversationId
    head_seq: int
    """in the reader's numbering"""
    messages: tuple[MessageRow, ...] = field(default=())
    reset: bool = False
    """more than the limit was missed, or the cursor lies beyond the log"""
