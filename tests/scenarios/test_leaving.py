"""Leaving (KS-18): going offline with open conversations, being counted offline, and what becomes of the customers."""

import pytest

from protocol.codes import ErrorCode
from protocol.ids import AccountId
from protocol.states import Role
from tests.scenarios.house import Agent, Customer, House, Shop, until

QUICK = {"offline_after_s": {"web": 5, "desktop": 60, "mobile": None, "bot": 15}}
"""The shortest grace that a shop may set for browsers."""


async def serving(house: House, **policy: object) -> tuple[Shop, Agent, Customer, str]:
    """Lily serves Ada; nobody else is there."""
    shop = await house.shop(**policy)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    return shop, lily, ada, await ada.opens()


async def counted_offline(shop: Shop, agent: Agent) -> None:
    """Wait until the server counts this agent as offline."""

    async def counted() -> bool:
        cards = (await shop.app.agents.everybody(shop.id)).agents
        return any(card.account_id == agent.id and card.counted_offline for card in cards)

    await until(counted, what=f"{agent.name}'s being counted offline")


# --- going offline -----------------------------------------------------------------------------------------------
@pytest.mark.req("KS-18")
async def test_going_offline_with_open_conversations_needs_a_word_about_them(house: House) -> None:
    _, lily, _, conversation = await serving(house)

    refused = await lily.refused("agent.set_status", status="offline")

    assert (refused.code, refused.reason) == (ErrorCode.INVALID_STATE, "open_conversations")
    assert refused.detail == {"conversations": [conversation]}
    assert (await lily.card()).status == "online"


@pytest.mark.req("KS-18")
async def test_kept_conversations_stay_with_the_agent_who_left(house: House) -> None:
    shop, lily, ada, _ = await serving(house)
    await shop.agent("Max")

    await lily.sets("offline", open_conversations="keep")

    owner = (await ada.service()).owner
    assert owner is not None
    assert owner.id == lily.id


@pytest.mark.req("KS-18", "KS-09")
async def test_given_back_conversations_go_to_a_colleague(house: House) -> None:
    shop, lily, _, conversation = await serving(house)
    max_ = await shop.agent("Max")

    await lily.sets("offline", open_conversations="requeue")

    await max_.sees(conversation, state="active", owner=max_.id)


@pytest.mark.req("KS-18")
async def test_given_back_conversations_wait_at_their_original_age(house: House) -> None:
    shop, lily, ada, _ = await serving(house)
    max_ = await shop.agent("Max", status="paused")
    await lily.asks("agent.set_capacity", capacity=1)
    bob = await shop.customer("Bob")
    assert await bob.waits() == ("default", 1, "all_full")

    await lily.sets("offline", open_conversations="requeue")

    queue = (await ada.service()).queue
    assert queue is not None
    assert queue.place == 1
    await max_.sets("online")


# --- the network goes, the agent does not --------------------------------------------------------------------------
@pytest.mark.req("KS-18")
async def test_losing_the_connection_does_not_make_offline(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    await lily.leave()

    assert await (await shop.customer("Ada")).reaches() == "Lily"


@pytest.mark.req("KS-18")
async def test_signing_out_makes_offline_at_once(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")

    await lily.leave(sign_out=True)

    async def offline() -> bool:
        [card] = (await shop.app.agents.everybody(shop.id)).agents
        return card.status == "offline"

    await until(offline, what="Lily's being offline")
    assert await (await shop.customer("Ada")).waits() == ("default", 1, "nobody_online")


@pytest.mark.req("KS-18")
async def test_after_the_grace_without_a_connection_an_agent_counts_as_offline(house: House) -> None:
    shop = await house.shop(**QUICK)
    lily, _ = await shop.agent("Lily"), await shop.agent("Max")
    await lily.leave()

    await counted_offline(shop, lily)

    assert [await (await shop.customer(f"C{i}")).reaches() for i in range(2)] == ["Max", "Max"]


@pytest.mark.req("KS-18")
async def test_on_a_mobile_an_agent_never_counts_as_offline(house: House) -> None:
    shop = await house.shop(**QUICK)
    mobile = await shop.agent("Mobile", device="mobile")
    web = await shop.agent("Web")
    await mobile.leave()
    await web.leave()

    await counted_offline(shop, web)

    assert [await (await shop.customer(f"C{i}")).reaches() for i in range(2)] == ["Mobile", "Mobile"]


@pytest.mark.req("KS-18")
async def test_a_mobile_kept_beside_the_browser_outlives_it(house: House) -> None:
    shop = await house.shop(**QUICK)
    lily = await shop.agent("Lily")
    row = await shop.app.account_store.get(shop.id, AccountId(lily.id))
    pocket = await shop.person(row, device="mobile")
    max_ = await shop.agent("Max")
    for person in (pocket, lily, max_):
        await person.leave()

    await counted_offline(shop, max_)

    assert await (await shop.customer("Ada")).reaches() == "Lily"


@pytest.mark.req("KS-18", "PF-02")
async def test_the_grace_of_the_last_device_holds_though_live_state_was_lost(house: House) -> None:
    shop = await house.shop(**QUICK)
    mobile = await shop.agent("Mobile", device="mobile")
    web = await shop.agent("Web")
    await mobile.leave()
    await web.leave()

    await shop.app.live.rebuild(shop.id)  # as if Redis had been wiped

    await counted_offline(shop, web)
    assert [await (await shop.customer(f"C{i}")).reaches() for i in range(2)] == ["Mobile", "Mobile"]


async def nobody_online(house: House) -> tuple[Shop, Agent, Customer]:
    """The one agent was counted offline, and a customer waits."""
    shop = await house.shop(**QUICK)
    lily = await shop.agent("Lily")
    await lily.leave()
    await counted_offline(shop, lily)
    ada = await shop.customer("Ada")
    assert await ada.waits() == ("default", 1, "nobody_online")
    return shop, lily, ada


@pytest.mark.req("KS-18", "PF-02")
async def test_who_was_counted_offline_gets_nothing_when_live_state_was_lost(house: House) -> None:
    shop, lily, _ = await nobody_online(house)

    async def known() -> bool:
        return (await shop.app.account_store.last_seen(shop.id))[AccountId(lily.id)].away

    await until(known, what="its being written down")
    await shop.app.live.rebuild(shop.id)

    assert await shop.loads() == {"Lily": 0}
    await counted_offline(shop, lily)


@pytest.mark.req("KS-18", "KS-19")
async def test_who_comes_back_is_online_again_and_gets_the_queue(house: House) -> None:
    _, lily, ada = await nobody_online(house)

    await lily.arrive()

    await ada.sees((await ada.service()).conversation_id, state="active", owner=lily.id)


@pytest.mark.req("KS-18", "KS-09")
async def test_when_the_last_of_a_group_is_counted_offline_its_customers_overflow(house: House) -> None:
    shop = await house.shop(**QUICK)
    await shop.grouped({"after_sale": "Refunds"})
    lily = await shop.agent("Lily", groups=("Refunds",), capacity=1)
    max_ = await shop.agent("Max")
    await (await shop.customer("Bob", order_state="after_sale")).opens()
    ada = await shop.customer("Ada", order_state="after_sale")
    assert await ada.waits() == ("after_sale", 1, "all_full")

    await lily.leave()

    await ada.sees((await ada.service()).conversation_id, state="active", owner=max_.id)


# --- what they had in hand -----------------------------------------------------------------------------------------
@pytest.mark.req("KS-18")
async def test_whose_customer_waits_for_an_answer_goes_to_somebody_else_after_a_while(house: House) -> None:
    shop, lily, ada, conversation = await serving(house, requeue_after_s=1, **QUICK)
    max_ = await shop.agent("Max")
    opened_at = (await ada.service()).arrived_at

    await lily.leave()

    taken = await ada.sees(conversation, state="active", owner=max_.id)
    assert taken.arrived_at == opened_at
    await max_.reads(conversation, "hello")


@pytest.mark.req("KS-18")
async def test_whose_customer_was_answered_is_routed_when_they_write_next(house: House) -> None:
    shop, lily, ada, answered = await serving(house, requeue_after_s=0, **QUICK)
    await lily.says(answered, "here you are")
    max_ = await shop.agent("Max", capacity=3)
    bob = await shop.customer("Bob", node=max_.node)
    assert await bob.reaches() == "Max"
    cleo = await shop.customer("Cleo")
    waiting_for_lily = await cleo.opens()
    assert (await cleo.service()).owner is not None
    await lily.leave()
    await counted_offline(shop, lily)
    await cleo.sees(waiting_for_lily, owner=max_.id)  # so Lily's conversations have been looked at
    owner = (await ada.service()).owner
    assert owner is not None
    assert owner.id == lily.id

    await ada.says(answered, "and now?")

    await max_.sees(answered, state="active", owner=max_.id)
    await max_.reads(answered, "and now?")


@pytest.mark.req("KS-18")
async def test_who_comes_back_in_time_keeps_what_they_had(house: House) -> None:
    shop, lily, ada, conversation = await serving(house, requeue_after_s=60, **QUICK)
    await shop.agent("Max")
    await lily.leave()
    await counted_offline(shop, lily)

    await lily.arrive()
    await lily.says(conversation, "I am back")

    await ada.reads(conversation, "I am back")


# --- who may --------------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-18")
async def test_a_service_admin_sets_an_agents_status(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily", status="offline")
    boss = await shop.agent("Boss", roles=(Role.SERVICE_ADMIN,), status="offline")
    ada = await shop.customer("Ada")
    await ada.waits()

    await boss.asks("agent.set_status", status="online", account_id=lily.id)

    assert (await ada.service()).state == "active"


@pytest.mark.req("KS-18")
async def test_an_agent_does_not_set_a_colleagues_status(house: House) -> None:
    shop = await house.shop()
    lily, max_ = await shop.agent("Lily"), await shop.agent("Max")

    refused = await max_.refused("agent.set_status", status="offline", account_id=lily.id)

    assert refused.code is ErrorCode.FORBIDDEN
    assert (await lily.card()).status == "online"
