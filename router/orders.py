"""What a customer's orders mean for routing: which one counts (KS-06), and whether they are a new customer (KS-15)."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.states import OrderState
from router.policy import Policy

OPEN_AFTER_SALE = OrderState.AFTER_SALE
"""An order in this state has an after-sale case that is open; when it is settled the order is in another state."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a customer, as the shop's integration reports it."""

    order: str
    state: OrderState
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Purchases:
    """What a customer has bought so far: first payment ever and latest purchase, None when there is none."""

    first_paid_ms: int | None
    last_bought_ms: int | None


def choose_order(
    orders: Iterable[Order], *, named: str | None, now_ms: int, lookback_ms: int
) -> Order | None:
    """The order that counts: the one named on the entry card whatever its age, else an open after-sale, else the one
    changed last; of several after-sales the one changed last, and equal times go by id. None when nothing within the
    look-back is left (KS-06)."""
    known = list(orders)
    for order in known:
        if order.order == named:
            return order
    recent = [order for order in known if now_ms - order.changed_ms <= lookback_ms]
    return max(
        recent,
        key=lambda order: (order.state is OPEN_AFTER_SALE, order.changed_ms, order.order),
        default=None,
    )


def order_state(orders: Iterable[Order], policy: Policy, *, named: str | None, now_ms: int) -> OrderState:
    """The state that selects groups and pool; without an order that counts, `no_active_order`."""
    order = choose_order(orders, named=named, now_ms=now_ms, lookback_ms=policy.order_lookback_s * 1000)
    return OrderState.NO_ACTIVE_ORDER if order is None else order.state


def is_new_customer(purchases: Purchases, policy: Policy, *, now_ms: int) -> bool:
    """Bought lately, and paid for the first time not long ago (KS-15). The switch itself is `rules.plan`'s."""
    if purchases.first_paid_ms is None or purchases.last_bought_ms is None:
        return False
    bought_lately = now_ms - purchases.last_bought_ms <= policy.new_customer_bought_within_s * 1000
    first_paid_lately = now_ms - purchases.first_paid_ms <= policy.new_customer_first_paid_within_s * 1000
    return bought_lately and first_paid_lately
