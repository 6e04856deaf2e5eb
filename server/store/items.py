"""Divided work (CO-08): the items of conversations. Every change is one statement, with its entry in the log."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import AccountId, ClientMessageId, ConversationId, MessageId, ShopId, new_id
from server.store.contacts import written_since
from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.database import Database, Row
from server.store.entry import Appended, Entry
from server.store.rows import ConversationRow
from server.store.wire import uuid_text

_ITEM: Final = (
    "conversation_id",
    "id",
    "shop_id",
    "rev",
    "text",
    "owner_id",
    "due_at",
    "done",
    "by_id",
    "created_at",
    "done_at",
    "done_by",
    "removed_at",
)
"""In the order of the members of `ItemRow`."""
_CHANGE: Final = f"""
    WITH changed AS MATERIALIZED (
        SELECT * FROM change_item($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    )
    SELECT
        d.verdict, d.entry_seq, d.entry_message, d.entry_at, d.entry_body,
        {", ".join(f"(d.item).{name}" for name in _ITEM)}, {columns("(d.talk)")}
    FROM changed d
"""
"""Begins with WITH, so that a lost answer is told as `COMMIT_UNKNOWN`: it writes."""
_FACTS: Final = 5

ItemAct = Literal["add", "change", "remove"]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A piece of work. Times in milliseconds since 1970 UTC."""

    conversation_id: ConversationId
    id: str
    shop_id: ShopId
    rev: int
    text: str
    owner_id: AccountId | None
    due_ms: int | None
    done: bool
    by_id: AccountId
    created_ms: int
    done_ms: int | None
    done_by: AccountId | None
    removed_ms: int | None


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The item after a request. `entry` and `appended`: what its log got; None when nothing had to change."""

    item: ItemRow
    conversation: ConversationRow
    entry: Entry | None
    appended: Appended | None


class ItemConflict(Exception):
    """Somebody else changed the item since; here it is."""

    def __init__(self, present: ItemRow) -> None:
        super().__init__(present.id)
        self.present = present


class Items:
    """Items of all shops. `node`: under whose name entries are written."""

    def __init__(self, db: Database, node: Callable[[], str]) -> None:
        self._db = db
        self._node = node

    async def of_conversation(self, shop_id: ShopId, conversation_id: ConversationId) -> tuple[ItemRow, ...]:
        """In the order in which they were added, without the removed ones."""
        rows = await self._db.fetch(
            f"""
            SELECT {", ".join(_ITEM)} FROM items
            WHERE shop_id = $1 AND conversation_id = $2 AND removed_at IS NULL ORDER BY created_at, id
            """,
            shop_id,
            conversation_id,
        )
        return tuple(ItemRow(*row.values()) for row in rows)

    async def written_since(
        self, since: str | None, conversations: Iterable[ConversationId]
    ) -> tuple[ItemRow, ...]:
        """Items of these that changed since (see `Contacts.since`), removed ones too."""
        rows = await self._db.fetch(
            f"""
            SELECT {", ".join(f"i.{name}" for name in _ITEM)} FROM items i
            WHERE i.conversation_id = ANY ($2) AND {written_since("i", 1)}
            """,
            since,
            list(conversations),
        )
        return tuple(ItemRow(*row.values()) for row in rows)

    async def change(
        self,
        shop_id: ShopId,
        conversation_id: ConversationId,
        item_id: str,
        act: ItemAct,
        given: dict[str, Any],
        *,
        by: AccountId,
        by_name: str,
        must_speak: bool,
        most: int,
        rev: int | None = None,
    ) -> ItemChange:
        """Add, change or remove an item, with its entry in the log. Repeating it changes nothing.

        `given`: `text`, `owner_id`, `due_ms`, `done`, as far as they change (None takes owner or due time away).
        `most`: items of one conversation. `must_speak`: refused unless `by` still takes part when it is done.
        Raises ItemConflict (`rev` is old); NOT_FOUND (conversation, item), FORBIDDEN, IDEMPOTENCY_CONFLICT (this id was
        added as something else), INVALID_STATE (`conversation_closed`, `owner_elsewhere`, `too_many_items`).
        """
        row = await self._db.fetchrow(
            _CHANGE,
            self._node(),
            shop_id,
            conversation_id,
            item_id,
            act,
            by,
            by_name,
            must_speak,
            rev,
            _canonical(given),
            most,
            new_id(),
        )
        assert row is not None, "the function answers with one row"
        return _answer(row)


def _canonical(given: dict[str, Any]) -> dict[str, Any]:
    """With an owner that is an id, or the id that nobody has."""
    owner = given.get("owner_id")
    return given if owner is None else {**given, "owner_id": uuid_text(owner)}


def _answer(row: Row) -> ItemChange:
    values = tuple(row.values())
    verdict, seq, message_id, created_ms, body = values[:_FACTS]
    item = values[_FACTS : _FACTS + len(_ITEM)]
    talk = values[_FACTS + len(_ITEM) : _FACTS + len(_ITEM) + WIDTH]
    if verdict == "stale":
        raise ItemConflict(ItemRow(*item))
    if verdict not in ("ok", "same"):
        raise _refusal(verdict)
    conversation = conversation_from(talk)
    if verdict == "same":
        return ItemChange(ItemRow(*item), conversation, None, None)
    row_of = ItemRow(*item)
    entry, appended = internal_entry(
        conversation, f"i:{row_of.id}:{row_of.rev}", body, seq, message_id, created_ms
    )
    return ItemChange(row_of, conversation, entry, appended)


def internal_entry(
    conversation: ConversationRow,
    client_message_id: str,
    body: dict[str, Any],
    seq: int,
    message_id: str,
    created_ms: int,
) -> tuple[Entry, Appended]:
    """A system entry for colleagues that a function of the database has written, as delivery takes it."""
    entry = Entry(
        shop_id=conversation.shop_id,
        conversation_id=conversation.id,
        sender_kind="system",
        sender_id=None,
        sender_name="",
        client_message_id=ClientMessageId(client_message_id),
        body=orjson.dumps(body),
        body_hash=b"",
        visibility="internal",
        must_own=False,
    )
    return entry, Appended(seq, None, MessageId(message_id), created_ms, False, conversation)


_REFUSED: Final[dict[str, Sequence[str]]] = {
    "closed": ("conversation_closed", "The conversation is closed; its work is as it was left."),
    "owner_elsewhere": (
        "owner_elsewhere",
        "Invite them first: work is given to who takes part or is invited.",
    ),
    "too_many": ("too_many_items", "There are too many items in this conversation; finish or remove some."),
}


def _refusal(verdict: str) -> RequestError:
    if verdict == "no_conversation":
        return not_found("conversation")
    if verdict == "no_item":
        return not_found("item")
    if verdict == "conflict":
        return RequestError(
            ErrorCode.IDEMPOTENCY_CONFLICT, "idempotency_conflict", "This item id was used for another item."
        )
    if verdict == "not_taking_part":
        return RequestError(
            ErrorCode.FORBIDDEN, "out_of_scope", "You take part in this conversation no longer."
        )
    reason, message = _REFUSED[verdict]
    return invalid_state(reason, message)
