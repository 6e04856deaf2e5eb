"""Dry run: who would get a described customer, and why, without touching anything (KS-22, KS-23)."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, CustomerId, ShopId
from protocol.states import OrderState
from router import orders, rules
from router.model import PRIORITY, Contact, Plan, Request, Tier, Tried
from router.orders import Order, Purchases
from server.services.policies import Policies

LiveTiers = Callable[[ShopId, Plan], Awaitable[tuple[Tried, ...]]]
"""What a claim of a plan would try at this moment, in the plan's order, without claiming anything: the last is the tier
that takes the customer. Empty: live state cannot say."""


@dataclass(frozen=True, slots=True)
class DescribedOrder:
    """An order of the described customer."""

    order_id: str
    state: OrderState
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Described:
    """A customer as far as routing is concerned. Times in milliseconds since 1970 UTC."""

    orders: tuple[DescribedOrder, ...] = ()
    entry_order_id: str | None = None
    contact_account: AccountId | None = None
    contact_ms: int | None = None
    first_paid_ms: int | None = None
    last_bought_ms: int | None = None
    via_bot: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One tier, and how it would end now; None when it would not be tried, or live state was not asked. `taker`: who
    would get the customer by it."""

    tier: Tier
    now: str | None = None
    taker: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What would happen."""

    order_state: OrderState
    order_id: str | None
    returning: bool
    new_customer: bool
    priority: bool
    steps: tuple[Step, ...]


class DryRun:
    """Plans for customers that do not exist. `live_tiers`: asked when given."""

    def __init__(
        self, policies: Policies, live_tiers: LiveTiers | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._policies = policies
        self._live_tiers = live_tiers
        self._now = now

    async def run(self, shop: ShopId, described: Described, proposed: Mapping[str, Any] | None = None) -> Run:
        """The plan under the settings that hold, or under `proposed` ones (refused like a change would be)."""
        facts = await self._policies.facts(shop)
        if proposed is None:
            policy = (await self._policies.current(shop)).policy
        else:
            policy = self._policies.accept(proposed, facts)
        now_ms = int(self._now() * 1000)
        counting = orders.choose_order(
            [Order(order.order_id, order.state, order.changed_ms) for order in described.orders],
            named=described.entry_order_id,
            now_ms=now_ms,
            lookback_ms=policy.order_lookback_s * 1000,
        )
        contact = None
        if described.contact_account is not None and described.contact_ms is not None:
            contact = Contact(described.contact_account, described.contact_ms)
        new_customer = orders.is_new_customer(
            Purchases(described.first_paid_ms, described.last_bought_ms), policy, now_ms=now_ms
        )
        request = Request(
            conversation=ConversationId("dry-run"),
            customer=CustomerId("dry-run"),
            arrived_ms=now_ms,
            order_state=OrderState.NO_ACTIVE_ORDER if counting is None else counting.state,
            last_contact=contact,
            new_customer_priority=new_customer,
            via_bot=described.via_bot,
            bot=policy.bot.account,
        )
        plan = rules.plan(request, policy, now_ms=now_ms, groups_exist=bool(facts.groups))
        outcomes: tuple[Tried, ...] = ()
        if self._live_tiers is not None:
            outcomes = await self._live_tiers(shop, plan)
        return Run(
            order_state=OrderState(request.order_state),
            order_id=None if counting is None else counting.order,
            returning=contact is not None and now_ms - contact.at_ms <= policy.sticky_window_s * 1000,
            new_customer=new_customer,
            priority=plan.priority == PRIORITY,
            steps=_steps(plan, outcomes),
        )


def _steps(plan: Plan, tried: tuple[Tried, ...]) -> tuple[Step, ...]:
    """The tiers with their outcomes. What a tier holds back, and what comes after the one that fits, is not tried."""
    left = list(tried)
    steps: list[Step] = []
    for tier in plan.tiers:
        if left and left[0].tier is tier.reason:
            outcome = left.pop(0)
            taken = outcome.outcome is Reason.TAKEN
            steps.append(Step(tier, outcome.outcome.value, outcome.agent if taken else None))
        else:
            steps.append(Step(tier))
    return tuple(steps)
