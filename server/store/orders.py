"""Orders, as far as routing needs them (KS-06)."""

from dataclasses import dataclass

from protocol.errors import not_found
from protocol.ids import CustomerId, ShopId
from protocol.states import OrderState
from server.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order. `order_id` is the shop's own number."""

    shop_id: ShopId
    order_id: str
    customer_id: CustomerId
    state: OrderState
    changed_ms: int
    title: str
    amount: str


class Orders:
    """Orders of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(
        self,
        shop_id: ShopId,
        order_id: str,
        *,
        customer_id: CustomerId,
        state: OrderState,
        changed_ms: int,
        title: str = "",
        amount: str = "",
    ) -> OrderRow:
        """Make an order known, or bring it up to date unless something later is known already. The order as it
        is known now.

        The customer must be in this shop.
        """
        await self._db.execute(
            """
            INSERT INTO orders AS o (shop_id, order_id, customer_id, state, changed_at, title, amount)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (shop_id, order_id) DO UPDATE SET
                customer_id = excluded.customer_id, state = excluded.state, changed_at = excluded.changed_at,
                title = excluded.title, amount = excluded.amount
            WHERE o.changed_at <= excluded.changed_at
            """,
            shop_id,
            order_id,
            customer_id,
            state,
            changed_ms,
            title,
            amount,
        )
        return await self.get(shop_id, order_id)

    async def get(self, shop_id: ShopId, order_id: str) -> OrderRow:
        """One order. NOT_FOUND."""
        row = await self._db.fetchrow(
            "SELECT * FROM orders WHERE shop_id = $1 AND order_id = $2", shop_id, order_id
        )
        if row is None:
            raise not_found("order")
        return _order(row)

    async def of_customer(
        self, shop_id: ShopId, customer_id: CustomerId, *, limit: int = 100
    ) -> tuple[OrderRow, ...]:
        """A customer's orders, the one changed last first."""
        rows = await self._db.fetch(
            """
            SELECT * FROM orders WHERE shop_id = $1 AND customer_id = $2 ORDER BY changed_at DESC, order_id LIMIT $3
            """,
            shop_id,
            customer_id,
            limit,
        )
        return tuple(_order(row) for row in rows)


def _order(row: Row) -> OrderRow:
    return OrderRow(
        shop_id=row["shop_id"],
        order_id=row["order_id"],
        customer_id=row["customer_id"],
        state=OrderState(row["state"]),
        changed_ms=row["changed_at"],
        title=row["title"],
        amount=row["amount"],
    )
