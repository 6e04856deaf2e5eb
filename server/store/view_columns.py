"""The one query behind everything that shows conversations: with customer, owner's name, and what was said last."""

from typing import Final

from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.customer_columns import CUSTOMER_WIDTH, customer_columns, customer_from
from server.store.database import Row
from server.store.message_columns import message_columns, message_from
from server.store.rows import ConversationView

VIEW: Final = f"""
    SELECT {columns("c")}, {customer_columns("u")}, coalesce(a.name, '') AS owner_name, {message_columns("m")}
    FROM conversations c
    JOIN customers u ON u.id = c.customer_id
    LEFT JOIN accounts a ON a.id = c.owner_id
    LEFT JOIN LATERAL (
        SELECT * FROM messages
        WHERE conversation_id = c.id AND sender_kind <> 'system' AND (customer_seq IS NOT NULL OR NOT $2)
        ORDER BY seq DESC LIMIT 1
    ) m ON true
    WHERE {{where}} {{order}}
"""
"""$2: whether the customer asks. `where` and `order` are the caller's SQL, from $3 on; never anybody's input."""

_MESSAGE: Final = WIDTH + CUSTOMER_WIDTH + 1


def view_from(row: Row) -> ConversationView:
    """The view made of one record of `VIEW`."""
    values = tuple(row.values())
    return ConversationView(
        conversation_from(values[:WIDTH]),
        customer_from(values[WIDTH : WIDTH + CUSTOMER_WIDTH]),
        values[_MESSAGE - 1],
        message_from(values[_MESSAGE:]) if values[_MESSAGE] is not None else None,
    )
