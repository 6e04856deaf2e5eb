"""The audit's rows. They are added and read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocol.ids import AccountId, GroupId, ShopId, new_id
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database, Row
from server.store.finding import literal
from server.store.rows import Page


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One record. `before` and `after` hold only what differs; None: there was, or is, nothing."""

    id: str
    at_ms: int
    actor_kind: str
    """`account`, `bot`, `customer`, `key`, `rule`, `cli`, `system`"""
    actor_id: str
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str
    outcome: str
    """`done`, `refused`"""
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    source: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; None: whatever it is. All that is given must hold.

    `action`: how it begins. `text`: part of a name, an id, or of what differs; upper and lower case alike. Instants:
    `from_ms` <= at < `before_ms`.
    """

    actor: str | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    outcome: str | None = None
    reason: str | None = None
    from_ms: int | None = None
    before_ms: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads of changes of quick replies: theirs, the shop's, and those of `groups` (None: of all)."""

    account: AccountId
    groups: frozenset[GroupId] | None


class AuditStore:
    """The audit of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self,
        shop_id: ShopId,
        *,
        actor_kind: str,
        actor_id: str,
        actor_name: str,
        action: str,
        subject_kind: str,
        subject_id: str,
        outcome: str,
        reason: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
        source: dict[str, str],
    ) -> None:
        """One more row."""
        await self._db.execute(
            """
            INSERT INTO audit (
                id, shop_id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, outcome, reason,
                before, after, source
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            new_id(),
            shop_id,
            actor_kind,
            actor_id,
            actor_name,
            action,
            subject_kind,
            subject_id,
            outcome,
            reason,
            before,
            after,
            source,
        )

    async def accounts_changed(self, within_s: int) -> tuple[tuple[ShopId, AccountId], ...]:
        """Whose account was changed in the last `within_s` seconds by the database's clock, in all active shops. Not
        new ones: nobody of them has an old picture."""
        rows = await self._db.fetch(
            """
            SELECT DISTINCT s.id, a.subject_id FROM shops s CROSS JOIN LATERAL (
                SELECT subject_id FROM audit
                WHERE shop_id = s.id AND at >= now() - make_interval(secs => $1) AND outcome = 'done'
                    AND action LIKE 'accounts.%' AND action <> 'accounts.added'
            ) a
            WHERE s.status = 'active'
            """,
            within_s,
        )
        return tuple((row["id"], row["subject_id"]) for row in rows)

    async def search(
        self, shop_id: ShopId, wanted: Wanted, *, cursor: str | None = None, limit: int = 50
    ) -> Page[AuditRow]:
        """Records that match, the newest first. INVALID_PARAMS `bad_cursor`. UNAVAILABLE `database_slow`: too much to
        look through (`text` has no index of its own); ask more narrowly."""
        at_ms, last = (None, "") if cursor is None else read_cursor(cursor, (int, str))
        rows = await self._db.fetch(
            """
            SELECT * FROM audit
            WHERE shop_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::uuid))
                AND ($4::text IS NULL OR actor_id = $4) AND ($5::text IS NULL OR action LIKE $5)
                AND ($6::text IS NULL OR subject_kind = $6) AND ($7::text IS NULL OR subject_id = $7)
                AND ($8::text IS NULL OR outcome = $8) AND ($9::text IS NULL OR reason = $9)
                AND ($10::timestamptz IS NULL OR at >= $10) AND ($11::timestamptz IS NULL OR at < $11)
                AND ($12::text IS NULL OR concat_ws(
                    ' ', actor_name, action, subject_id, reason, before::text, after::text
                ) ILIKE $12)
            ORDER BY at DESC, id DESC LIMIT $13
            """,
            shop_id,
            at_ms,
            last,
            wanted.actor,
            None if wanted.action is None else f"{literal(wanted.action)}%",
            wanted.subject_kind,
            wanted.subject_id,
            wanted.outcome,
            wanted.reason,
            wanted.from_ms,
            wanted.before_ms,
            None if wanted.text is None else f"%{literal(wanted.text)}%",
            limit + 1,
        )
        return _page(rows, limit)

    async def changes(
        self,
        shop_id: ShopId,
        actions: list[str],
        columns: list[str],
        *,
        reader: Reader | None = None,
        subject: str | None = None,
        about: str | None = None,
        cursor: str | None,
        limit: int,
    ) -> Page[AuditRow]:
        """What was done by one of these actions, the newest first; of the shop's own row only what concerns one of
        `columns`; of quick replies only those that `reader` may know of. `subject`: of this one alone; `about`: which
        names this. INVALID_PARAMS `bad_cursor`."""
        at_ms, last = (None, "") if cursor is None else read_cursor(cursor, (int, str))
        rows = await self._db.fetch(
            """
            SELECT * FROM audit a
            WHERE shop_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::uuid))
                AND action = ANY ($4) AND outcome = 'done'
                AND (action NOT LIKE 'shops.%' OR before ?| $5::text[] OR after ?| $5::text[])
                AND ($7::text IS NULL OR subject_id = $7)
                AND ($8::text IS NULL OR strpos(concat(before, after), $8) > 0)
                AND ($9::text IS NULL OR action NOT LIKE 'quick_replies.%' OR EXISTS (
                    -- Whose a quick reply is, is said when it is made, and never changes.
                    SELECT FROM audit made
                    WHERE made.shop_id = a.shop_id AND made.subject_id = a.subject_id
                        AND made.action = 'quick_replies.added'
                        AND coalesce(made.after ->> 'account_id', $9) = $9
                        AND ($10::text[] IS NULL OR coalesce(made.after ->> 'group_id', '') = ANY ($10))
                ))
            ORDER BY at DESC, id DESC LIMIT $6
            """,
            shop_id,
            at_ms,
            last,
            actions,
            columns,
            limit + 1,
            subject,
            about,
            None if reader is None else reader.account,
            None if reader is None or reader.groups is None else ["", *reader.groups],
        )
        return _page(rows, limit)


def _page(rows: Sequence[Row], limit: int) -> Page[AuditRow]:
    """Of one row more than was asked for."""
    found = tuple(_record(row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(found, write_cursor(found[-1].at_ms, found[-1].id) if more else None)


def _record(row: Row) -> AuditRow:
    return AuditRow(
        id=row["id"],
        at_ms=row["at"],
        actor_kind=row["actor_kind"],
        actor_id=row["actor_id"],
        actor_name=row["actor_name"],
        action=row["action"],
        subject_kind=row["subject_kind"],
        subject_id=row["subject_id"],
        outcome=row["outcome"],
        reason=row["reason"],
        before=row["before"],
        after=row["after"],
        source=row["source"],
    )
