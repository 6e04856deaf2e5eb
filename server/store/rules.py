"""A shop's rules, and what they fired. Knows nothing of what conditions and actions mean."""

from dataclasses import dataclass
from typing import Any, Final

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import ShopId, new_id
from server.store.cursors import read_cursor, write_cursor
from server.store.database import Database, Row, Transaction
from server.store.rows import Page
from server.store.timers import Timers

FIRING: Final = "firing"
"""The kind of timer that finds a firing which was begun and not finished."""
FINISH_S: Final = 10.0
"""How long whoever began a firing has for its actions, before another node finishes them."""
_COLUMNS: Final = (
    "id, shop_id, subject, position, name, enabled, conditions, actions, cooldown_s, valid_from,"
)
_MORE: Final = "valid_until, rev, created_at, changed_at"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule. Milliseconds since 1970 UTC."""

    id: str
    shop_id: ShopId
    subject: str
    position: int
    name: str
    enabled: bool
    conditions: dict[str, Any]
    actions: list[dict[str, Any]]
    cooldown_s: int | None
    valid_from_ms: int | None
    valid_until_ms: int | None
    rev: int
    created_ms: int
    changed_ms: int

    def content(self) -> dict[str, Any]:
        """What its author wrote."""
        return {
            "subject": self.subject,
            "name": self.name,
            "enabled": self.enabled,
            "conditions": self.conditions,
            "actions": self.actions,
            "cooldown_s": self.cooldown_s,
            "valid_from_ms": self.valid_from_ms,
            "valid_until_ms": self.valid_until_ms,
        }


@dataclass(frozen=True, slots=True)
class FiringRow:
    """A rule that held for a subject, and what came of each action. `given`: what of the subject the actions go by."""

    id: str
    shop_id: ShopId
    rule_id: str
    rule_rev: int
    rule_name: str
    subject: str
    subject_id: str
    occasion: int
    at_ms: int
    matched: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    given: dict[str, Any]
    outcomes: list[dict[str, Any]]
    done_ms: int | None


class Rules:
    """Rules of all shops; every question names its shop."""

    def __init__(self, db: Database, timers: Timers) -> None:
        self._db = db
        self._timers = timers

    # --- rules -------------------------------------------------------------------------------------------------------
    async def of_shop(self, shop_id: ShopId, subject: str) -> tuple[RuleRow, ...]:
        """All rules about this kind of subject, in their order."""
        rows = await self._db.fetch(
            f"SELECT {_COLUMNS} {_MORE} FROM rules WHERE shop_id = $1 AND subject = $2 ORDER BY position, id",
            shop_id,
            subject,
        )
        return tuple(RuleRow(*row.values()) for row in rows)

    async def get(self, shop_id: ShopId, rule_id: str) -> RuleRow:
        """One rule. NOT_FOUND."""
        return _there(
            await self._db.fetchrow(
                f"SELECT {_COLUMNS} {_MORE} FROM rules WHERE shop_id = $1 AND id = $2", shop_id, rule_id
            )
        )

    async def add(self, shop_id: ShopId, content: dict[str, Any], *, most: int) -> RuleRow:
        """A new rule, the last in order. CONFLICT `too_many_rules`: the shop has `most` about such subjects."""
        async with self._db.transaction() as transaction:
            # One after the other: places are counted. NOT_FOUND is left to the door: the shop is the caller's.
            await transaction.fetchrow("SELECT id FROM shops WHERE id = $1 FOR NO KEY UPDATE", shop_id)
            count = await transaction.fetchrow(
                """
                SELECT count(*) AS rules, coalesce(max(position), 0) AS last FROM rules
                WHERE shop_id = $1 AND subject = $2
                """,
                shop_id,
                content["subject"],
            )
            assert count is not None, "an aggregate gives a row"
            if count["rules"] >= most:
                raise RequestError(
                    ErrorCode.CONFLICT,
                    "too_many_rules",
                    f"At most {most} rules; delete one before adding another.",
                )
            row = await transaction.fetchrow(
                f"""
                INSERT INTO rules (id, shop_id, subject, position, {_CONTENT})
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING {_COLUMNS} {_MORE}
                """,
                new_id(),
                shop_id,
                content["subject"],
                count["last"] + 1,
                *_values(content),
            )
        return _there(row)

    async def change(
        self, shop_id: ShopId, rule_id: str, content: dict[str, Any], *, expected_rev: int
    ) -> RuleRow:
        """Replace what a rule says. NOT_FOUND; CONFLICT `stale_rev` (detail: the revision that holds)."""
        row = await self._db.fetchrow(
            f"""
            UPDATE rules SET ({_CONTENT}) = ($4, $5, $6, $7, $8, $9, $10), rev = rev + 1,
                changed_at = date_trunc('milliseconds', clock_timestamp())
            WHERE shop_id = $1 AND id = $2 AND rev = $3 RETURNING {_COLUMNS} {_MORE}
            """,
            shop_id,
            rule_id,
            expected_rev,
            *_values(content),
        )
        if row is None:
            raise _stale((await self.get(shop_id, rule_id)).rev)
        return _there(row)

    async def delete(self, shop_id: ShopId, rule_id: str) -> None:
        """Forget a rule; what it fired stays on record. NOT_FOUND."""
        if not await self._db.execute("DELETE FROM rules WHERE shop_id = $1 AND id = $2", shop_id, rule_id):
            raise not_found("rule")

    async def reorder(self, shop_id: ShopId, subject: str, rule_ids: tuple[str, ...]) -> tuple[RuleRow, ...]:
        """Put all rules about such subjects into this order. CONFLICT `other_rules`: these are not exactly those that
        there are now."""
        async with self._db.transaction() as transaction:
            rows = await transaction.fetch(
                "SELECT id FROM rules WHERE shop_id = $1 AND subject = $2 ORDER BY id FOR NO KEY UPDATE",
                shop_id,
                subject,
            )
            if sorted(row["id"] for row in rows) != sorted(rule_ids):
                raise RequestError(
                    ErrorCode.CONFLICT,
                    "other_rules",
                    "Name every rule exactly once; rules were added or deleted meanwhile: look at them again.",
                )
            await transaction.execute(
                """
                UPDATE rules r SET position = o.nth, changed_at = date_trunc('milliseconds', clock_timestamp())
                FROM unnest($3::uuid[]) WITH ORDINALITY AS o(id, nth)
                WHERE r.shop_id = $1 AND r.subject = $2 AND r.id = o.id AND r.position <> o.nth
                """,
                shop_id,
                subject,
                list(rule_ids),
            )
        return await self.of_shop(shop_id, subject)

    # --- what they fired ---------------------------------------------------------------------------------------------
    async def begin(
        self,
        rule: RuleRow,
        subject_id: str,
        *,
        times: int,
        matched: list[dict[str, Any]],
        given: dict[str, Any],
    ) -> FiringRow | None:
        """Claim the firing of a rule that fired `times` times for this subject so far. None: another node was faster,
        or the rule was switched off or deleted meanwhile. With it goes a deadline by which it has to be finished."""
        async with self._db.transaction() as transaction:
            row = await transaction.fetchrow(
                f"""
                INSERT INTO rule_firings (
                    id, shop_id, rule_id, rule_rev, rule_name, subject, subject_id, occasion, at, matched, actions,
                    given
                )
                SELECT $3, r.shop_id, r.id, r.rev, r.name, r.subject, $4, $5,
                    date_trunc('milliseconds', clock_timestamp()), $6, $7, $8
                FROM rules r WHERE r.shop_id = $1 AND r.id = $2 AND r.enabled
                ON CONFLICT (subject_id, rule_id, occasion) DO NOTHING RETURNING {_FIRING}
                """,
                rule.shop_id,
                rule.id,
                new_id(),
                subject_id,
                times + 1,
                matched,
                rule.actions,
                given,
            )
            if row is None:
                return None
            firing = FiringRow(*row.values())
            until_ms = firing.at_ms + int(FINISH_S * 1000)
            await self._timers.set(rule.shop_id, FIRING, firing.id, until_ms, within=transaction)
        return firing

    async def unfinished(self, shop_id: ShopId, firing_id: str) -> FiringRow | None:
        """A firing that was begun; None when it is finished."""
        row = await self._db.fetchrow(
            f"SELECT {_FIRING} FROM rule_firings WHERE shop_id = $1 AND id = $2 AND done_at IS NULL",
            shop_id,
            firing_id,
        )
        return None if row is None else FiringRow(*row.values())

    async def note(
        self, firing: FiringRow, outcomes: list[dict[str, Any]], *, within: Transaction | None = None
    ) -> None:
        """What came of the actions so far."""
        await (within or self._db).execute(
            "UPDATE rule_firings SET outcomes = $3 WHERE shop_id = $1 AND id = $2",
            firing.shop_id,
            firing.id,
            outcomes,
        )

    async def finish(self, firing: FiringRow, outcomes: list[dict[str, Any]]) -> None:
        """All its actions are done: what came of each."""
        async with self._db.transaction() as transaction:
            await self.note(firing, outcomes, within=transaction)
            await transaction.execute(
                "UPDATE rule_firings SET done_at = date_trunc('milliseconds', clock_timestamp()) WHERE id = $1",
                firing.id,
            )
            await transaction.execute(
                "DELETE FROM timers WHERE kind = $1 AND subject_id = $2", FIRING, firing.id
            )

    async def firings(
        self, shop_id: ShopId, rule_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[FiringRow]:
        """What a rule fired, the latest first. INVALID_PARAMS `bad_cursor`."""
        before_ms, before_id = (2**43, "") if cursor is None else read_cursor(cursor, (int, str))
        rows = await self._db.fetch(
            f"""
            SELECT {_FIRING} FROM rule_firings
            WHERE shop_id = $1 AND rule_id = $2 AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT $5
            """,
            shop_id,
            rule_id,
            before_ms,
            before_id,
            limit + 1,
        )
        found = tuple(FiringRow(*row.values()) for row in rows[:limit])
        return Page(found, write_cursor(found[-1].at_ms, found[-1].id) if len(rows) > limit else None)


_CONTENT: Final = "name, enabled, conditions, actions, cooldown_s, valid_from, valid_until"
_FIRING: Final = (
    "id, shop_id, rule_id, rule_rev, rule_name, subject, subject_id, occasion, at, matched, actions, given, outcomes,"
    " done_at"
)


def _values(content: dict[str, Any]) -> tuple[Any, ...]:
    return (
        content["name"],
        content["enabled"],
        content["conditions"],
        content["actions"],
        content["cooldown_s"],
        content["valid_from_ms"],
        content["valid_until_ms"],
    )


def _there(row: Row | None) -> RuleRow:
    if row is None:
        raise not_found("rule")
    return RuleRow(*row.values())


def _stale(rev: int) -> RequestError:
    return RequestError(
        ErrorCode.CONFLICT,
        "stale_rev",
        "This rule was changed meanwhile; look at it again.",
        detail={"rev": rev},
    )
