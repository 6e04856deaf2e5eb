"""Durable deadlines: each fires once, never early, on whichever node looks, also after a restart.

Time is the database's: what it compares is its own clock with instants that came from its own rows, so that no node's
clock matters. A timer that is due is taken by one node; it is removed when that node says that its effect is done, and
is due again after a while if the node never does. So an effect happens at least once, and has to be idempotent.
"""

from dataclasses import dataclass
from typing import Any, Final

from protocol.ids import ShopId
from server.store.database import Database, Transaction

AGAIN_S: Final = 10.0
"""A timer whose taker says nothing is due again after this; twice as late with each try."""
AGAIN_MOST_S: Final = 600.0

# Not a SELECT to the eye: a lost answer to it is an unknown COMMIT. `now()`, not `clock_timestamp()`: it is one value
# for the whole statement, so that the index is used; and it is never later than the moment at which the row is taken.
_TAKE: Final = """
    WITH due AS MATERIALIZED (
        SELECT id FROM timers WHERE take_at <= now() AND kind = ANY ($1)
        ORDER BY take_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE timers t SET
        take_at = now() + least($3 * 2 ^ least(t.tries, 20), $4) * interval '1 second', tries = t.tries + 1
    FROM due WHERE t.id = due.id
    RETURNING t.id, t.shop_id, t.kind, t.subject_id, t.due_at, t.payload, t.rev, t.tries, now() AS taken_at
"""


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline that is due. `tries`: how often it was taken, this time included. Milliseconds since 1970 UTC."""

    id: str
    shop_id: ShopId
    kind: str
    subject_id: str
    due_ms: int
    payload: Any
    rev: int
    tries: int
    taken_ms: int


class Timers:
    """Deadlines of all shops: one of a kind for each subject."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def set(
        self,
        shop_id: ShopId,
        kind: str,
        subject_id: str,
        due_ms: int,
        payload: Any = None,
        *,
        within: Transaction | None = None,
    ) -> None:
        """Be due then; instead of the one of this kind that the subject has, if it has one, also when that is being
        carried out at this moment. `within`: as part of this transaction."""
        await (within or self._db).execute(
            """
            INSERT INTO timers AS t (shop_id, kind, subject_id, due_at, take_at, payload)
            VALUES ($1, $2, $3, $4, $4, $5)
            ON CONFLICT (kind, subject_id) DO UPDATE SET
                due_at = excluded.due_at, take_at = excluded.take_at, payload = excluded.payload,
                rev = t.rev + 1, tries = 0
            """,
            shop_id,
            kind,
            subject_id,
            due_ms,
            {} if payload is None else payload,
        )

    async def cancel(self, kind: str, subject_id: str) -> bool:
        """Be due no longer. Whether there was one."""
        removed = await self._db.execute(
            "DELETE FROM timers WHERE kind = $1 AND subject_id = $2", kind, subject_id
        )
        return removed > 0

    async def take_due(
        self,
        kinds: tuple[str, ...],
        *,
        limit: int,
        again_s: float = AGAIN_S,
        again_most_s: float = AGAIN_MOST_S,
    ) -> tuple[Timer, ...]:
        """Take those of these kinds that are due, the longest due first; nobody else gets them now. Each is due again
        after `again_s` (twice that at the next try, and so on up to `again_most_s`) unless `done` is said."""
        rows = await self._db.fetch(_TAKE, list(kinds), limit, again_s, again_most_s)
        timers = [Timer(*row.values()) for row in rows]
        return tuple(sorted(timers, key=lambda timer: (timer.due_ms, timer.id)))

    async def done(self, timer: Timer) -> bool:
        """Its effect is there: forget it. False: it was set anew or cancelled meanwhile, and stays as it is."""
        removed = await self._db.execute(
            "DELETE FROM timers WHERE id = $1 AND rev = $2 AND tries = $3", timer.id, timer.rev, timer.tries
        )
        return removed > 0
