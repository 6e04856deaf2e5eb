"""Reassigning customers, one or many (GP-07): durable jobs that any node goes on with, batch by batch.

A batch is one transaction: the customers' owners, their outcomes and the job's counts change together, or not at all.
Batches of several nodes never meet (SKIP LOCKED); a node that dies leaves its batch to the others at once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, CustomerId, ShopId, new_id
from server.store.cursors import read_cursor, write_cursor
from server.store.customer_columns import customer_columns, customer_from
from server.store.customer_list import Matching, touch_open
from server.store.database import Database, Row
from server.store.rows import ConversationRow, CustomerRow, Page

BATCH: Final = 250
"""Customers of one transaction: well under a second, and few enough to be done again."""
CUSTOMERS_MOST: Final = 50_000
"""Customers of one job."""
_COLUMNS: Final = (
    "id, shop_id, by_id, to_id, reason, actor, total, done, refused, state, created_at, finished_at"
)

Judge = Callable[[Sequence[CustomerRow]], Awaitable[Mapping[CustomerId, str]]]
"""Why the job may not touch some of these customers; those it may touch are left out."""


@dataclass(frozen=True, slots=True)
class ReassignmentRow:
    """A job. `actor`: who asked for it, as the audit keeps it. Times in milliseconds since 1970 UTC."""

    id: str
    shop_id: ShopId
    by_id: AccountId
    to_id: AccountId | None
    """None: they are to be nobody's"""
    reason: str
    actor: dict[str, Any]
    total: int
    done: int
    refused: int
    state: Literal["running", "done"]
    created_ms: int
    finished_ms: int | None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A customer that a job left as it was, and why."""

    customer_id: CustomerId
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """One batch that is done. `worked`: how many customers were in it; 0: nothing is left, or others have it.
    `changed`: who has another owner now; `talks`: their open conversations, with a higher `rev`."""

    worked: int
    changed: tuple[CustomerId, ...] = ()
    talks: tuple[ConversationRow, ...] = ()


class Reassignments:
    """Jobs of all shops; every question of a person names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(
        self,
        shop_id: ShopId,
        *,
        by: AccountId,
        to: AccountId | None,
        reason: str,
        actor: dict[str, Any],
        customers: Matching,
    ) -> ReassignmentRow:
        """A new job, for the customers that match now (at most `CUSTOMERS_MOST`). INVALID_PARAMS
        `too_many_customers`."""
        job = new_id()
        async with self._db.transaction() as transaction:
            await transaction.execute(
                f"""
                INSERT INTO reassignments (id, shop_id, by_id, to_id, reason, actor, total, state)
                VALUES ($1, $2, $3, $4, $5, $6, {CUSTOMERS_MOST + 1}, 'running')
                """,
                job,
                shop_id,
                by,
                to,
                reason,
                actor,
            )
            total = await transaction.execute(
                f"""
                INSERT INTO reassignment_customers (reassignment_id, customer_id)
                SELECT ${len(customers.args) + 1}, f.id FROM ({customers.sql}) f
                """,
                *customers.args,
                job,
            )
            if total > CUSTOMERS_MOST:
                raise RequestError(
                    ErrorCode.INVALID_PARAMS,
                    "too_many_customers",
                    f"These are more than {CUSTOMERS_MOST} customers; choose more narrowly.",
                )
            row = await transaction.fetchrow(
                f"""
                UPDATE reassignments SET
                    total = $2, state = CASE WHEN $2 = 0 THEN 'done' ELSE 'running' END,
                    finished_at = CASE WHEN $2 = 0 THEN created_at END
                WHERE id = $1 RETURNING {_COLUMNS}
                """,
                job,
                total,
            )
        return _there(row)

    async def get(self, shop_id: ShopId, reassignment_id: str) -> ReassignmentRow:
        """One job. NOT_FOUND."""
        return _there(
            await self._db.fetchrow(
                f"SELECT {_COLUMNS} FROM reassignments WHERE shop_id = $1 AND id = $2",
                shop_id,
                reassignment_id,
            )
        )

    async def running(self) -> tuple[ReassignmentRow, ...]:
        """Every job that is not done, of all shops, the oldest first."""
        rows = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM reassignments WHERE state = 'running' ORDER BY created_at LIMIT 100"
        )
        return tuple(ReassignmentRow(*row.values()) for row in rows)

    async def refused(
        self, shop_id: ShopId, reassignment_id: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page[RefusedRow]:
        """What a job left as it was. INVALID_PARAMS `bad_cursor`."""
        (start,) = (None,) if cursor is None else read_cursor(cursor, (str,))
        rows = await self._db.fetch(
            """
            SELECT c.customer_id, c.why FROM reassignments r
            JOIN reassignment_customers c ON c.reassignment_id = r.id AND c.outcome = 'refused'
            WHERE r.shop_id = $1 AND r.id = $2 AND ($3::uuid IS NULL OR c.customer_id > $3)
            ORDER BY c.customer_id LIMIT $4
            """,
            shop_id,
            reassignment_id,
            start,
            limit + 1,
        )
        found = [RefusedRow(*row.values()) for row in rows][:limit]
        return Page(tuple(found), write_cursor(found[-1].customer_id) if len(rows) > limit else None)

    async def step(self, job: ReassignmentRow, judge: Judge) -> Step:
        """The next batch of a job that nobody else works at. A customer that is nobody's is refused as `not_found`."""
        async with self._db.transaction() as transaction:
            batch = await transaction.fetch(
                """
                SELECT customer_id FROM reassignment_customers
                WHERE reassignment_id = $1 AND outcome IS NULL
                ORDER BY customer_id LIMIT $2 FOR UPDATE SKIP LOCKED
                """,
                job.id,
                BATCH,
            )
            if not batch:
                return Step(0)
            ids = [row["customer_id"] for row in batch]
            rows = await transaction.fetch(
                f"""
                SELECT {customer_columns("c")} FROM customers c WHERE c.shop_id = $1 AND c.id = ANY ($2)
                ORDER BY c.id FOR NO KEY UPDATE OF c
                """,
                job.shop_id,
                ids,
            )
            customers = {row.id: row for row in (customer_from(tuple(each.values())) for each in rows)}
            why = {**dict.fromkeys(ids, "not_found"), **dict.fromkeys(customers, "")}
            why.update(await judge(tuple(customers.values())))
            changed = await transaction.fetch(
                """
                UPDATE customers SET owner_id = $3
                WHERE shop_id = $1 AND id = ANY ($2) AND owner_id IS DISTINCT FROM $3 RETURNING id
                """,
                job.shop_id,
                [customer for customer in ids if not why[customer]],
                job.to_id,
            )
            await transaction.execute(
                """
                UPDATE reassignment_customers r SET
                    outcome = CASE WHEN j.why = '' THEN 'done' ELSE 'refused' END, why = nullif(j.why, ''),
                    previous_owner_id = j.owner
                FROM unnest($2::uuid[], $3::text[], $4::uuid[]) AS j(customer, why, owner)
                WHERE r.reassignment_id = $1 AND r.customer_id = j.customer
                """,
                job.id,
                ids,
                [why[customer] for customer in ids],
                [customers[customer].owner_id if customer in customers else None for customer in ids],
            )
            refused = sum(why[customer] != "" for customer in ids)
            talks = await touch_open(transaction, job.shop_id, [row["id"] for row in changed])
            await transaction.execute(
                """
                UPDATE reassignments SET
                    done = done + $2, refused = refused + $3,
                    state = CASE WHEN done + $2 + refused + $3 = total THEN 'done' ELSE 'running' END,
                    finished_at = CASE WHEN done + $2 + refused + $3 = total
                        THEN date_trunc('milliseconds', clock_timestamp()) END
                WHERE id = $1
                """,
                job.id,
                len(ids) - refused,
                refused,
            )
        return Step(len(ids), tuple(row["id"] for row in changed), talks)


def _there(row: Row | None) -> ReassignmentRow:
    if row is None:
        raise not_found("reassignment")
    return ReassignmentRow(*row.values())
