"""Which order counts (KS-06), and who is a new customer (KS-15)."""

import pytest

from protocol.states import OrderState
from router.orders import Order, Purchases, choose_order, is_new_customer, order_state
from router.policy import Policy

DAY_MS = 86_400_000
NOW = 1_000 * DAY_MS

PAID = Order("paid", OrderState.PAID_UNSHIPPED, NOW - 1 * DAY_MS)
REFUND = Order("refund", OrderState.AFTER_SALE, NOW - 20 * DAY_MS)
LATER_REFUND = Order("later_refund", OrderState.AFTER_SALE, NOW - 10 * DAY_MS)
DONE = Order("done", OrderState.TRADE_DONE, NOW - 2 * DAY_MS)
OLD = Order("old", OrderState.SHIPPED_UNSIGNED, NOW - 31 * DAY_MS)
OLD_REFUND = Order("old_refund", OrderState.AFTER_SALE, NOW - 31 * DAY_MS)
EDGE = Order("edge", OrderState.TRADE_DONE, NOW - 30 * DAY_MS)


@pytest.mark.req("KS-06")
@pytest.mark.parametrize(
    ("orders", "named", "chosen"),
    [
        ([], None, None),
        ([PAID, REFUND, DONE], "done", "done"),
        ([PAID, OLD], "old", "old"),
        ([PAID, DONE], "not_theirs", "paid"),
        ([PAID, REFUND, DONE], None, "refund"),
        ([REFUND, PAID, LATER_REFUND], None, "later_refund"),
        ([DONE, PAID], None, "paid"),
        ([OLD], None, None),
        ([OLD_REFUND, DONE], None, "done"),
        ([EDGE], None, "edge"),
    ],
)
def test_the_order_that_counts(orders: list[Order], named: str | None, chosen: str | None) -> None:
    order = choose_order(orders, named=named, now_ms=NOW, lookback_ms=30 * DAY_MS)
    assert (order.order if order else None) == chosen


@pytest.mark.req("KS-06")
def test_the_look_back_is_a_setting_and_no_order_is_a_state() -> None:
    assert order_state([OLD], Policy(), named=None, now_ms=NOW) is OrderState.NO_ACTIVE_ORDER
    longer = Policy(order_lookback_s=40 * 86_400)
    assert order_state([OLD], longer, named=None, now_ms=NOW) is OrderState.SHIPPED_UNSIGNED


@pytest.mark.req("KS-15")
@pytest.mark.parametrize(
    ("first_paid_days", "last_bought_days", "new"),
    [
        (180, 30, True),
        (181, 30, False),
        (180, 31, False),
        (1, 0, True),
        (None, None, False),
        (None, 1, False),
    ],
)
def test_a_new_customer_bought_lately_and_first_paid_not_long_ago(
    first_paid_days: int | None, last_bought_days: int | None, new: bool
) -> None:
    def ago(days: int | None) -> int | None:
        return None if days is None else NOW - days * DAY_MS

    purchases = Purchases(first_paid_ms=ago(first_paid_days), last_bought_ms=ago(last_bought_days))
    assert is_new_customer(purchases, Policy(), now_ms=NOW) is new
