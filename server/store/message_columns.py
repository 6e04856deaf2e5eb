"""The columns of `messages` as every query selects them, and the row made of them."""

from collections.abc import Sequence
from typing import Any, Final

from server.store.rows import MessageRow

NAMES: Final = (
    "shop_id",
    "conversation_id",
    "seq",
    "customer_seq",
    "message_id",
    "sender_kind",
    "sender_id",
    "sender_name",
    "client_message_id",
    "body",
    "visibility",
    "created_at",
    "recalled_at",
    "rev",
)
"""In the order of the members of `MessageRow`."""
MESSAGE_WIDTH: Final = len(NAMES)


def message_columns(of: str) -> str:
    """The select list, for the table or alias `of`; a recalled body does not leave the database."""
    return ", ".join(
        f"CASE WHEN {of}.recalled_at IS NULL THEN {of}.body END AS body" if name == "body" else f"{of}.{name}"
        for name in NAMES
    )


def message_from(values: Sequence[Any]) -> MessageRow:
    """The row made of the values of `message_columns`."""
    return MessageRow(*values)
