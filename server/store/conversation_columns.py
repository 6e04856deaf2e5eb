"""The columns of `conversations` as every query selects them, and the row made of them."""

from collections.abc import Sequence
from typing import Any, Final

from protocol.states import Life
from server.store.rows import ConversationRow

NAMES: Final = (
    "id",
    "shop_id",
    "customer_id",
    "state",
    "owner_id",
    "owner_kind",
    "assign_epoch",
    "live_rev",
    "rev",
    "order_state",
    "order_id",
    "priority",
    "pool",
    "opened_at",
    "arrived_at",
    "assigned_at",
    "wrap_up_until",
    "closed_at",
    "answers_later",
    "detached_at",
    "via_bot",
    "head_seq",
    "customer_head_seq",
    "customer_read_seq",
    "staff_read_seq",
    "customer_read_log_seq",
    "staff_read_customer_seq",
    "waiting_since",
    "last_agent_id",
    "last_contact_at",
    "last_owner_id",
    "rating",
    "rating_comment",
    "customer_rev",
    "collaborators",
    "supervisors",
    "watchers",
    "invited",
    "items_done",
    "items_open",
    "collaboration_since",
    "customer_messages",
    "customer_messages_read",
    "returning_agent_id",
    "returning_at",
    "result_tags",
    "end_reason",
    "rating_reasons",
    "rated_at",
)
"""In the order of the members of `ConversationRow`."""
WIDTH: Final = len(NAMES)
_STATE: Final = NAMES.index("state")
_LISTS: Final = tuple(
    NAMES.index(name)
    for name in ("collaborators", "supervisors", "watchers", "invited", "result_tags", "rating_reasons")
)
_LIFE: Final = {life.value: life for life in Life}


def columns(of: str) -> str:
    """The select list, for the table or alias `of`."""
    return ", ".join(f"{of}.{name}" for name in NAMES)


def conversation_from(values: Sequence[Any]) -> ConversationRow:
    """The row made of the values of `columns`."""
    members: list[Any] = [*values]
    members[_STATE] = _LIFE[members[_STATE]]
    for each in _LISTS:
        members[each] = tuple(members[each])
    return ConversationRow(*members)
