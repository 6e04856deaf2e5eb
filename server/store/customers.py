"""Customers: anonymous visitors, and those whom the shop knows."""

from typing import Final

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, CustomerId, ShopId, new_id
from router.model import Contact
from server.store.customer_columns import customer_columns, customer_from
from server.store.database import Database, Row
from server.store.rows import CustomerRow

_COLUMNS: Final = customer_columns("c")


class Customers:
    """Customers of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add_anonymous(self, shop_id: ShopId, *, name: str = "") -> CustomerRow:
        """A new visitor whom nobody knows."""
        row = await self._db.fetchrow(
            f"INSERT INTO customers AS c (id, shop_id, name, anonymous) VALUES ($1, $2, $3, true) RETURNING {_COLUMNS}",
            new_id(),
            shop_id,
            name,
        )
        return _there(row)

    async def put(
        self,
        shop_id: ShopId,
        external_id: str,
        *,
        name: str | None = None,
        tags: tuple[str, ...] | None = None,
        first_paid_ms: int | None = None,
        last_bought_ms: int | None = None,
    ) -> CustomerRow:
        """Make a customer known by the shop's own id, or bring them up to date; None: nothing new.

        The first payment only moves back, the last purchase only forward: facts may come twice, and in any order.
        """
        row = await self._db.fetchrow(
            f"""
            INSERT INTO customers AS c (id, shop_id, external_id, name, tags, anonymous, first_paid_at, last_bought_at)
            VALUES ($1, $2, $3, coalesce($4, ''), coalesce($5::text[], '{{}}'), false, $6, $7)
            ON CONFLICT (shop_id, external_id) DO UPDATE SET
                name = coalesce($4, c.name),
                tags = coalesce($5, c.tags),
                first_paid_at = least(c.first_paid_at, $6),
                last_bought_at = greatest(c.last_bought_at, $7)
            RETURNING {_COLUMNS}
            """,
            new_id(),
            shop_id,
            external_id,
            name,
            tags,
            first_paid_ms,
            last_bought_ms,
        )
        return _there(row)

    async def get(self, shop_id: ShopId, customer_id: CustomerId) -> CustomerRow:
        """One customer. NOT_FOUND."""
        return _there(
            await self._db.fetchrow(
                f"SELECT {_COLUMNS} FROM customers c WHERE c.shop_id = $1 AND c.id = $2", shop_id, customer_id
            )
        )

    async def by_external_id(self, shop_id: ShopId, external_id: str) -> CustomerRow:
        """One customer by the shop's own id. NOT_FOUND."""
        return _there(
            await self._db.fetchrow(
                f"SELECT {_COLUMNS} FROM customers c WHERE c.shop_id = $1 AND c.external_id = $2",
                shop_id,
                external_id,
            )
        )

    async def last_contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """The last human agent over all the customer's conversations, however long ago (KS-01); None: never any."""
        row = await self._db.fetchrow(
            """
            SELECT last_agent_id, last_contact_at FROM conversations
            WHERE shop_id = $1 AND customer_id = $2 AND last_contact_at IS NOT NULL
            ORDER BY last_contact_at DESC LIMIT 1
            """,
            shop_id,
            customer_id,
        )
        return None if row is None else Contact(AccountId(row["last_agent_id"]), row["last_contact_at"])

    async def merge(self, shop_id: ShopId, visitor_id: CustomerId, customer_id: CustomerId) -> bool:
        """What an anonymous visitor wrote, and what was noted about them, becomes this customer's; so does who looked
        after them, if nobody looks after the customer. True: everything; False: but for the visitor's open
        conversation, because the customer has one too (a customer has one at a time), and it stays the visitor's.

        NOT_FOUND, CONFLICT `not_anonymous`: a known customer is merged into nobody. Repeating it is harmless.
        """
        async with self._db.transaction() as transaction:
            rows = await transaction.fetch(
                "SELECT id, anonymous FROM customers WHERE shop_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE",
                shop_id,
                [visitor_id, customer_id],
            )
            anonymous = {row["id"]: row["anonymous"] for row in rows}
            if len(anonymous) != 2:
                raise not_found("customer")
            if not anonymous[visitor_id]:
                raise RequestError(ErrorCode.CONFLICT, "not_anonymous", "This customer is known already.")
            await transaction.execute(
                """
                UPDATE conversations SET customer_id = $3, rev = rev + 1, customer_rev = customer_rev + 1
                WHERE shop_id = $1 AND customer_id = $2 AND (state = 'closed' OR NOT EXISTS (
                    SELECT FROM conversations WHERE shop_id = $1 AND customer_id = $3 AND state <> 'closed'
                ))
                """,
                shop_id,
                visitor_id,
                customer_id,
            )
            await transaction.execute(
                "UPDATE orders SET customer_id = $3 WHERE shop_id = $1 AND customer_id = $2",
                shop_id,
                visitor_id,
                customer_id,
            )
            await transaction.execute(
                "UPDATE customer_notes SET customer_id = $3 WHERE shop_id = $1 AND customer_id = $2",
                shop_id,
                visitor_id,
                customer_id,
            )
            await transaction.execute(
                """
                UPDATE customers c SET owner_id = v.owner_id FROM customers v
                WHERE c.shop_id = $1 AND v.shop_id = $1 AND v.id = $2 AND c.id = $3 AND c.owner_id IS NULL
                    AND v.owner_id IS NOT NULL
                """,
                shop_id,
                visitor_id,
                customer_id,
            )
            left = await transaction.fetchrow(
                "SELECT FROM conversations WHERE shop_id = $1 AND customer_id = $2 LIMIT 1",
                shop_id,
                visitor_id,
            )
        return left is None


def _there(row: Row | None) -> CustomerRow:
    if row is None:
        raise not_found("customer")
    return customer_from(tuple(row.values()))
