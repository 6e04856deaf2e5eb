"""The customer list (GP-07): who looks after whom, what is noted about them, and the facts that colleagues see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from protocol.errors import not_found
from protocol.ids import AccountId, ConversationId, CustomerId, ShopId, new_id
from server.store.conversation_columns import columns, conversation_from
from server.store.cursors import read_cursor, write_cursor
from server.store.customer_columns import customer_columns, customer_from
from server.store.database import Database, Transaction
from server.store.finding import literal
from server.store.rows import ConversationRow, CustomerRow, Page
from server.store.wire import uuid_text

_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class CustomersWanted:
    """Which customers; all that is given must hold. `owner`: an account, or `nobody`; `text`: part of the name or of
    the shop's own id, upper and lower case alike; `order_state`: of any of their orders."""

    owner: AccountId | Literal["nobody"] | None = None
    tag: str | None = None
    text: str | None = None
    order_state: str | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """Which customers somebody may see: those whose owner is one of `owners` (None: all customers), those without an
    owner if `unowned`, and `served`, whatever their owner."""

    owners: tuple[AccountId, ...] | None = None
    unowned: bool = True
    served: tuple[CustomerId, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteRow:
    """Something that a colleague noted about a customer."""

    id: str
    by_id: AccountId
    by_name: str
    text: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Dealings:
    """What a customer has with the shop."""

    conversations: int
    open_conversation: ConversationId | None


class CustomerList:
    """Customers of one shop, for its staff. Cursors: INVALID_PARAMS `bad_cursor` when not ours."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(
        self,
        shop_id: ShopId,
        wanted: CustomersWanted,
        sight: Sight,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[CustomerRow]:
        """One page, the newest customers first. UNAVAILABLE `database_slow`: too much to look through for a text."""
        (start,) = (_LAST_ID,) if cursor is None else read_cursor(cursor, (str,))
        query = matching(shop_id, wanted, sight, before=str(start), limit=limit + 1)
        async with self._db.transaction() as transaction:
            # How many fit a filter differs by orders of magnitude: planned for this very one (measured, 200,000
            # customers, a rare tag: 1 ms; by a plan for any tag: 100 ms).
            await transaction.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            rows = await transaction.fetch(
                f"SELECT {customer_columns('c')} FROM customers c WHERE c.id IN ({query.sql}) ORDER BY c.id DESC",
                *query.args,
            )
        found = [customer_from(tuple(row.values())) for row in rows][:limit]
        return Page(tuple(found), write_cursor(found[-1].id) if len(rows) > limit else None)

    async def served_by(self, shop_id: ShopId, account_id: AccountId) -> tuple[CustomerId, ...]:
        """Whose open conversation an account has, or takes part in."""
        rows = await self._db.fetch(
            """
            SELECT c.customer_id FROM conversations c
            WHERE c.shop_id = $1 AND c.owner_id = $2 AND c.state <> 'closed'
            UNION
            SELECT c.customer_id FROM participations p JOIN conversations c ON c.id = p.conversation_id
            WHERE p.shop_id = $1 AND p.account_id = $2 AND p.left_at IS NULL AND p.role <> 'watcher'
                AND c.state <> 'closed'
            """,
            shop_id,
            account_id,
        )
        return tuple(row["customer_id"] for row in rows)

    async def open_conversation(self, shop_id: ShopId, customer_id: CustomerId) -> ConversationRow | None:
        """The customer's open conversation, if there is one."""
        row = await self._db.fetchrow(
            f"""
            SELECT {columns("c")} FROM conversations c
            WHERE c.shop_id = $1 AND c.customer_id = $2 AND c.state <> 'closed'
            """,
            shop_id,
            customer_id,
        )
        return None if row is None else conversation_from(tuple(row.values()))

    async def dealings(self, shop_id: ShopId, customer_id: CustomerId) -> Dealings:
        """How many conversations there were, and which is open."""
        row = await self._db.fetchrow(
            """
            SELECT count(*) AS n, max(id::text) FILTER (WHERE state <> 'closed') AS open
            FROM conversations WHERE shop_id = $1 AND customer_id = $2
            """,
            shop_id,
            customer_id,
        )
        assert row is not None, "an aggregate gives one row"
        return Dealings(row["n"], row["open"])

    async def set_tags(
        self, shop_id: ShopId, customer_id: CustomerId, tags: Sequence[str]
    ) -> tuple[CustomerRow, tuple[ConversationRow, ...]]:
        """Replace the tags. The customer, and the open conversation whose colleagues see them (none: they were so
        already, or nobody is served). NOT_FOUND."""
        async with self._db.transaction() as transaction:
            changed = await transaction.fetch(
                "UPDATE customers SET tags = $3 WHERE shop_id = $1 AND id = $2 AND tags <> $3 RETURNING id",
                shop_id,
                customer_id,
                list(tags),
            )
            row = await transaction.fetchrow(
                f"SELECT {customer_columns('c')} FROM customers c WHERE c.shop_id = $1 AND c.id = $2",
                shop_id,
                customer_id,
            )
            if row is None:
                raise not_found("customer")
            talks = await touch_open(transaction, shop_id, [each["id"] for each in changed])
        return customer_from(tuple(row.values())), talks

    async def retag(
        self, shop_id: ShopId, customer_id: CustomerId, *, add: Sequence[str], remove: Sequence[str]
    ) -> tuple[bool, tuple[ConversationRow, ...]]:
        """Put tags on and take some away, whatever others do at the same moment. Whether that changed anything, and the
        open conversation whose colleagues see it. NOT_FOUND."""
        async with self._db.transaction() as transaction:
            row = await transaction.fetchrow(
                "SELECT tags FROM customers WHERE shop_id = $1 AND id = $2 FOR NO KEY UPDATE",
                shop_id,
                customer_id,
            )
            if row is None:
                raise not_found("customer")
            tags = [tag for tag in dict.fromkeys((*row["tags"], *add)) if tag not in remove]
            if tags == row["tags"]:
                return False, ()
            await transaction.execute(
                "UPDATE customers SET tags = $3 WHERE shop_id = $1 AND id = $2", shop_id, customer_id, tags
            )
            return True, await touch_open(transaction, shop_id, [customer_id])

    async def touch(self, shop_id: ShopId, customers: Sequence[CustomerId]) -> tuple[ConversationRow, ...]:
        """Raise `rev` of the open conversations of these customers, so that colleagues take what is told next."""
        async with self._db.transaction() as transaction:
            return await touch_open(transaction, shop_id, customers)

    async def add_note(self, shop_id: ShopId, customer_id: CustomerId, by: AccountId, text: str) -> NoteRow:
        """Note something about a customer of the shop."""
        row = await self._db.fetchrow(
            """
            INSERT INTO customer_notes (id, shop_id, customer_id, by_id, text) VALUES ($1, $2, $3, $4, $5)
            RETURNING id, by_id, (SELECT name FROM accounts WHERE id = by_id) AS by_name, text, created_at
            """,
            new_id(),
            shop_id,
            customer_id,
            by,
            text,
        )
        assert row is not None, "RETURNING gives the row"
        return NoteRow(*row.values())

    async def notes(
        self, shop_id: ShopId, customer_id: CustomerId, *, cursor: str | None = None, limit: int = 50
    ) -> Page[NoteRow]:
        """What was noted, the latest first."""
        (start,) = (_LAST_ID,) if cursor is None else read_cursor(cursor, (str,))
        rows = await self._db.fetch(
            """
            SELECT n.id, n.by_id, a.name AS by_name, n.text, n.created_at
            FROM customer_notes n JOIN accounts a ON a.id = n.by_id
            WHERE n.shop_id = $1 AND n.customer_id = $2 AND n.id < $3 ORDER BY n.id DESC LIMIT $4
            """,
            shop_id,
            customer_id,
            start,
            limit + 1,
        )
        found = [NoteRow(*row.values()) for row in rows][:limit]
        return Page(tuple(found), write_cursor(found[-1].id) if len(rows) > limit else None)


async def touch_open(
    transaction: Transaction, shop_id: ShopId, customers: Sequence[str]
) -> tuple[ConversationRow, ...]:
    """Raise `rev` of the open conversations of these customers; what customers themselves count stays as it is."""
    if not customers:
        return ()
    # Locked in the order of ids first, as the log's writer does: batches must not wait for each other.
    await transaction.fetch(
        """
        SELECT id FROM conversations WHERE shop_id = $1 AND customer_id = ANY ($2) AND state <> 'closed'
        ORDER BY id FOR NO KEY UPDATE
        """,
        shop_id,
        customers,
    )
    rows = await transaction.fetch(
        f"""
        UPDATE conversations c SET rev = c.rev + 1
        WHERE c.shop_id = $1 AND c.customer_id = ANY ($2) AND c.state <> 'closed' RETURNING {columns("c")}
        """,
        shop_id,
        customers,
    )
    return tuple(conversation_from(tuple(row.values())) for row in rows)


@dataclass(frozen=True, slots=True)
class Matching:
    """A query that gives ids of customers, at most `limit`, the newest first, and its arguments."""

    sql: str
    args: tuple[Any, ...]


def matching(shop_id: ShopId, wanted: CustomersWanted, sight: Sight, *, before: str, limit: int) -> Matching:
    """The customers that are wanted and in sight. Each way to be in sight is a branch of its own with its own index,
    and none reads more than `limit` of what it finds (a text, which has no index, aside)."""
    args: list[Any] = [shop_id, before, limit]

    def arg(value: Any) -> str:
        args.append(value)
        return f"${len(args)}"

    filters = "c.shop_id = $1 AND c.id < $2"
    if wanted.tag is not None:
        filters += f" AND c.tags @> ARRAY[{arg(wanted.tag)}::text]"
    if wanted.text is not None:
        pattern = arg(f"%{literal(wanted.text)}%")
        filters += f" AND (c.name ILIKE {pattern} OR c.external_id ILIKE {pattern})"
    if wanted.order_state is not None:
        filters += f""" AND EXISTS (
            SELECT FROM orders o
            WHERE o.shop_id = c.shop_id AND o.customer_id = c.id AND o.state = {arg(wanted.order_state)}
        )"""
    owned = "true"
    if wanted.owner == "nobody":
        owned = "c.owner_id IS NULL"
    elif wanted.owner is not None:
        owned = f"c.owner_id = {arg(uuid_text(wanted.owner))}"
    order = "ORDER BY c.id DESC LIMIT $3"

    branches: list[str] = []
    if _all_in_sight(wanted, sight):
        branches.append(f"SELECT c.id FROM customers c WHERE {filters} AND {owned} {order}")
    else:
        if wanted.owner is None and sight.owners:
            branches.append(f"""
                SELECT f.id FROM unnest({arg(list(sight.owners))}::uuid[]) AS w(id) CROSS JOIN LATERAL (
                    SELECT c.id FROM customers c WHERE {filters} AND c.owner_id = w.id {order}
                ) f""")
        if wanted.owner is None and sight.unowned:
            branches.append(f"SELECT c.id FROM customers c WHERE {filters} AND c.owner_id IS NULL {order}")
        branches.append(f"""
            SELECT c.id FROM customers c
            WHERE {filters} AND {owned} AND c.id = ANY ({arg(list(sight.served))}::uuid[]) {order}""")
    union = " UNION ".join(f"({branch})" for branch in branches)
    return Matching(f"SELECT u.id FROM ({union}) u ORDER BY u.id DESC LIMIT $3", tuple(args))


def named(customers: Sequence[str]) -> Matching:
    """Just these, whether they are anybody's or not; what is no id of ours is nobody's."""
    return Matching("SELECT DISTINCT n.id FROM unnest($1::uuid[]) AS n(id)", ([*map(uuid_text, customers)],))


def everybody(shop_id: ShopId, wanted: CustomersWanted, sight: Sight, most: int) -> Matching:
    """All who are wanted and in sight, up to `most`."""
    return matching(shop_id, wanted, sight, before=_LAST_ID, limit=most)


def _all_in_sight(wanted: CustomersWanted, sight: Sight) -> bool:
    """Whether whoever is wanted by owner is in sight by owner."""
    if sight.owners is None:
        return True
    if wanted.owner == "nobody":
        return sight.unowned
    return wanted.owner is not None and wanted.owner in sight.owners
