"""Dry run over live state: who would get a described customer now, by which step, and why not by the ones before."""

import time

import pytest

from protocol.codes import Reason
from protocol.ids import AccountId
from protocol.states import OrderState
from router.model import TierKind
from server.services.dry_run import Described, DescribedOrder, Run
from tests.scenarios.house import House, Shop


def customer(state: OrderState | None = None, *, last: str | None = None) -> Described:
    now_ms = int(time.time() * 1000)
    return Described(
        orders=() if state is None else (DescribedOrder("o1", state, now_ms),),
        contact_account=None if last is None else AccountId(last),
        contact_ms=None if last is None else now_ms - 3_600_000,
    )


def outcomes(run: Run) -> list[tuple[Reason, str | None, str | None]]:
    return [(step.tier.reason, step.now, step.taker) for step in run.steps]


async def foreseen(shop: Shop, described: Described) -> Run:
    return await shop.house.nodes[-1].app.dry_run.run(shop.id, described)


@pytest.mark.req("KS-22", "KS-23", "KS-05")
async def test_each_step_says_how_it_would_end_now_and_who_would_get_the_customer(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", groups=("Refunds",))
    max_ = await shop.agent("Max", status="offline")

    run = await foreseen(shop, customer(OrderState.AFTER_SALE, last=max_.id))

    assert outcomes(run)[:2] == [
        (Reason.LAST_AGENT, "offline", None),
        (Reason.ORDER_STATE_GROUP, "taken", lily.id),
    ]
    assert all(step.now is None for step in run.steps[2:]), "it would not come to these"
    assert (await shop.loads())["Lily"] == 0, "nothing was claimed"


@pytest.mark.req("KS-22", "KS-09")
async def test_a_full_group_holds_the_customer_in_its_pool(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    await shop.agent("Lily", groups=("Refunds",), capacity=1)
    await shop.agent("Max")
    ada = await shop.customer("Ada", order_state=OrderState.AFTER_SALE)
    assert await ada.reaches() == "Lily"

    run = await foreseen(shop, customer(OrderState.AFTER_SALE))

    now = {step.tier.kind: step.now for step in run.steps}
    assert now[TierKind.GROUPS] is None or now[TierKind.GROUPS] == "all_full"
    assert run.steps[0].now == "all_full"
    assert (run.steps[-1].tier.kind, run.steps[-1].tier.pool, run.steps[-1].now) == (
        TierKind.POOL,
        "after_sale",
        "all_full",
    )
    bob = await shop.customer("Bob", order_state=OrderState.AFTER_SALE)
    assert (await bob.waits())[0] == "after_sale", "and so it is"


@pytest.mark.req("KS-22")
async def test_what_is_foreseen_is_what_happens(house: House) -> None:
    shop = await house.shop()
    await shop.agent("Lily")
    await shop.agent("Max")
    ada = await shop.customer("Ada")
    names = {card.account_id: card.name for card in (await shop.app.agents.everybody(shop.id)).agents}

    run = await foreseen(shop, customer())

    (taker,) = [step.taker for step in run.steps if step.taker is not None]
    assert await ada.reaches() == names[taker]
