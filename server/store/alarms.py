"""Alarms (CO-09): what stalls, since when, and who looks after it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from protocol.errors import not_found
from protocol.ids import AccountId, ConversationId, ShopId
from server.store.contacts import written_since
from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.database import Database, Row
from server.store.entry import Appended, Entry
from server.store.items import internal_entry
from server.store.rows import ConversationRow

OPEN_MOST: Final = 500
"""Most open alarms that anybody is shown at once."""
_ALARM: Final = (
    "id",
    "shop_id",
    "rev",
    "kind",
    "conversation_id",
    "item_id",
    "since",
    "raised_at",
    "acknowledged_by",
    "acknowledged_at",
    "cleared_at",
)
"""In the order of the members of `AlarmRow`."""
_COLUMNS: Final = ", ".join(f"a.{name}" for name in _ALARM)
_LOOK: Final = f"""
    WITH looked AS MATERIALIZED (SELECT * FROM look_for_alarms($1, $2, $3))
    SELECT
        l.what, l.entry_seq, l.entry_message, l.entry_at, l.entry_body,
        {", ".join(f"(l.alarm).{name}" for name in _ALARM)}, {columns("(l.talk)")}
    FROM looked l
"""
_FACTS: Final = 5


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm. Times in milliseconds since 1970 UTC."""

    id: str
    shop_id: ShopId
    rev: int
    kind: str
    """`collaboration_stalled`, `customer_waits`, `item_overdue`"""
    conversation_id: ConversationId
    item_id: str | None
    since_ms: int
    raised_ms: int
    acknowledged_by: AccountId | None
    acknowledged_ms: int | None
    cleared_ms: int | None


@dataclass(frozen=True, slots=True)
class AlarmMove:
    """An alarm that a look has raised (then with its entry in the log) or cleared."""

    alarm: AlarmRow
    conversation: ConversationRow
    entry: Entry | None
    appended: Appended | None


class Alarms:
    """Alarms of all shops; every question names its shop. `node`: under whose name entries are written."""

    def __init__(self, db: Database, node: Callable[[], str]) -> None:
        self._db = db
        self._node = node

    async def look(self, shop_id: ShopId, stalled_after_s: float) -> tuple[AlarmMove, ...]:
        """Raise what stalls now, and clear what moves again; each once, on whichever node. What another look is about
        to find is left to it.

        A collaboration whose customer waits for an answer is judged by that alone, any other by when somebody last said
        or did something. Costs what runs and is overdue, not what the shop has.
        """
        rows = await self._db.fetch(_LOOK, self._node(), shop_id, float(stalled_after_s))
        return tuple(_move(row) for row in rows)

    async def get(self, shop_id: ShopId, alarm_id: str) -> AlarmRow:
        """One alarm. NOT_FOUND."""
        return _there(
            await self._db.fetchrow(
                f"SELECT {_COLUMNS} FROM alarms a WHERE a.shop_id = $1 AND a.id = $2", shop_id, alarm_id
            )
        )

    async def open_alarms(self, shop_id: ShopId, limit: int = OPEN_MOST) -> tuple[AlarmRow, ...]:
        """What is not cleared, the oldest first; the wall shows them."""
        rows = await self._db.fetch(
            f"""
            SELECT {_COLUMNS} FROM alarms a WHERE a.shop_id = $1 AND a.cleared_at IS NULL
            ORDER BY a.raised_at, a.id LIMIT $2
            """,
            shop_id,
            limit,
        )
        return tuple(AlarmRow(*row.values()) for row in rows)

    async def written_since(self, since: str | None) -> tuple[AlarmRow, ...]:
        """Alarms of all shops that were raised, looked after or cleared since (see `Contacts.since`)."""
        rows = await self._db.fetch(f"SELECT {_COLUMNS} FROM alarms a WHERE {written_since('a', 1)}", since)
        return tuple(AlarmRow(*row.values()) for row in rows)

    async def acknowledge(self, shop_id: ShopId, alarm_id: str, by: AccountId) -> tuple[AlarmRow, bool]:
        """Somebody looks after it; the first who says so. The alarm as it is then, and whether this changed it: one
        that is cleared or looked after stays as it is. NOT_FOUND."""
        row = await self._db.fetchrow(
            f"""
            UPDATE alarms a SET
                acknowledged_by = $3, acknowledged_at = date_trunc('milliseconds', clock_timestamp()), rev = a.rev + 1
            WHERE a.shop_id = $1 AND a.id = $2 AND a.acknowledged_by IS NULL AND a.cleared_at IS NULL
            RETURNING {_COLUMNS}
            """,
            shop_id,
            alarm_id,
            by,
        )
        return (await self.get(shop_id, alarm_id), False) if row is None else (_there(row), True)


def _there(row: Row | None) -> AlarmRow:
    if row is None:
        raise not_found("alarm")
    return AlarmRow(*row.values())


def _move(row: Row) -> AlarmMove:
    values = tuple(row.values())
    what, seq, message_id, created_ms, body = values[:_FACTS]
    alarm = AlarmRow(*values[_FACTS : _FACTS + len(_ALARM)])
    conversation = conversation_from(values[_FACTS + len(_ALARM) : _FACTS + len(_ALARM) + WIDTH])
    if what == "cleared":
        return AlarmMove(alarm, conversation, None, None)
    entry, appended = internal_entry(conversation, f"alarm:{alarm.id}", body, seq, message_id, created_ms)
    return AlarmMove(alarm, conversation, entry, appended)
