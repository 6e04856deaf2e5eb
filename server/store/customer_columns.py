"""The columns of `customers` as every query selects them, and the row made of them."""

from collections.abc import Sequence
from typing import Any, Final

from server.store.rows import CustomerRow

NAMES: Final = (
    "id",
    "shop_id",
    "external_id",
    "name",
    "tags",
    "anonymous",
    "first_paid_at",
    "last_bought_at",
    "created_at",
    "owner_id",
)
"""In the order of the members of `CustomerRow`."""
CUSTOMER_WIDTH: Final = len(NAMES)
_TAGS: Final = NAMES.index("tags")


def customer_columns(of: str) -> str:
    """The select list, for the table or alias `of`."""
    return ", ".join(f"{of}.{name}" for name in NAMES)


def customer_from(values: Sequence[Any]) -> CustomerRow:
    """The row made of the values of `customer_columns`."""
    members: list[Any] = [*values]
    members[_TAGS] = tuple(members[_TAGS])
    return CustomerRow(*members)
