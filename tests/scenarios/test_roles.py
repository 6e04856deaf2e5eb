"""Rights change while people work (GP-02, CO-06): open sockets hear of it, every node goes by it within a second, and
routing knows who serves."""

import time
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId
from protocol.states import Role
from server.services.callers import Caller
from tests.scenarios.house import Agent, House, Shop, until

TAKES_EFFECT_S = 1.0
"""The most that any node goes by what no longer holds; a moment more for the machine."""
MOMENT_S = 1.0


async def boss_of(shop: Shop) -> Caller:
    """The owner over HTTP, as somebody with an account."""
    row = await shop.account("Boss", Role.OWNER)
    return Caller(shop.id, row.name, row.id, row.roles)


async def changes(shop: Shop, boss: Caller, role: str, **grants: str) -> None:
    """The roles page: exactly these grants from now on."""
    before = {row.role: row for row in await shop.app.roles.list(boss)}
    rev = before[role].rev if role in before else 0
    words = {name.replace("_", ".", 1): reach for name, reach in grants.items()}
    await shop.app.roles.put(boss, role, name="", grants=words, rev=rev)


AGENT = {"conversation_serve": "own", "conversation_view": "own", "conversation_transfer": "all"}


@pytest.mark.req("GP-02", "CO-06")
async def test_hello_says_what_one_may_do_and_events_keep_it_true(house: House) -> None:
    shop = await house.shop()
    boss = await boss_of(shop)
    lily = await shop.agent("Lily")
    elsewhere = await shop.person(
        await shop.app.account_store.get(shop.id, AccountId(lily.id)), node=house.nodes[-1]
    )
    assert lily.client.view.rights["conversation.pull"] == "all"
    assert "audit.view" not in lily.client.view.rights

    await changes(shop, boss, "agent", **AGENT, audit_view="all")

    for person in (lily, elsewhere):
        await until(
            lambda person=person: person.client.view.rights.get("audit.view") == "all",
            what="hearing of the new right",
        )
    fresh = await shop.person(await shop.app.account_store.get(shop.id, AccountId(lily.id)))
    assert lily.client.view.rights == elsewhere.client.view.rights == fresh.client.view.rights
    assert "conversation.pull" not in fresh.client.view.rights


@pytest.mark.req("GP-02", "GP-03")
async def test_a_right_that_was_taken_is_gone_on_every_node_within_a_second(house: House) -> None:
    shop = await house.shop()
    boss = await boss_of(shop)
    agents = [
        await shop.person(await shop.account(f"A{n}", Role.AGENT), node=node)
        for n, node in enumerate(house.nodes)
    ]
    for agent in agents:
        assert (await agent.refused("conversation.pull")).reason == "pool_empty"

    await changes(shop, boss, "agent", **AGENT)

    changed = time.monotonic()
    for agent in agents:

        async def is_refused(agent: Agent = agent) -> bool:
            return (await agent.refused("conversation.pull")).code is ErrorCode.FORBIDDEN

        await until(is_refused, within_s=TAKES_EFFECT_S + MOMENT_S, what="the right's end")
    assert time.monotonic() - changed < TAKES_EFFECT_S + MOMENT_S


@pytest.mark.req("KS-04", "CO-06")
async def test_who_may_serve_no_longer_serves_no_longer(house: House) -> None:
    shop = await house.shop()
    boss = await boss_of(shop)
    lily = await shop.agent("Lily")
    nora = await shop.agent("Nora", roles=(Role.AGENT, Role.SERVICE_ADMIN), status="paused")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)

    await changes(shop, boss, "agent", conversation_view="own")

    await ada.sees(conversation, state="queued")
    assert set(await shop.loads()) == {"Nora"}, "she still serves by her other role"
    await nora.sets("online")
    await ada.sees(conversation, state="active", owner=nora.id)

    await changes(shop, boss, "agent", **AGENT)
    await lily.sets("online")
    assert (await lily.card()).availability == "has_room"


@pytest.mark.req("KS-04", "KS-07")
async def test_a_role_of_the_shops_own_may_serve_by_hand_but_is_not_routed_to(house: House) -> None:
    shop = await house.shop()
    await shop.role("expert", conversation_serve="own", conversation_view="own")
    max_ = await shop.agent("Max", roles=("expert",))
    manager = await shop.agent("Manager", roles=(Role.SERVICE_ADMIN,), status="offline")
    await shop.agent("Lily", status="offline")
    ada = await shop.customer("Ada")

    assert await ada.waits() == ("default", 1, "nobody_online")
    conversation = (await ada.service()).conversation_id
    await manager.asks("conversation.assign", conversation_id=conversation, account_id=max_.id)

    await max_.says(conversation, "what may I do for you?")
    await ada.reads(conversation, "what may I do for you?")


@pytest.mark.req("GP-02", "GP-03", "CO-12")
async def test_break_glass_opens_everything_at_once_and_closes_by_itself(house: House) -> None:
    shop = await house.shop()
    boss = await boss_of(shop)
    lily = await shop.agent("Lily")
    nora = await shop.agent("Nora", roles=(Role.OPERATIONS,), status="offline")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)
    own = dict(nora.client.view.rights)
    give: dict[str, Any] = {"conversation_id": conversation, "account_id": nora.id}
    assert (await nora.refused("conversation.assign", **give)).code is ErrorCode.FORBIDDEN

    lent = await shop.app.break_glass.open(
        boss, AccountId(nora.id), reason="Lily has fainted at her desk", minutes=1
    )

    await until(lambda: nora.client.view.rights.get("conversation.assign") == "all", what="hearing of it")

    async def may() -> bool:
        try:
            await nora.asks("conversation.assign", **give)
        except RequestError as refused:
            assert refused.code is ErrorCode.FORBIDDEN
            return False
        return True

    await until(may, within_s=TAKES_EFFECT_S + MOMENT_S, what="reach over everything")
    await ada.sees(conversation, owner=nora.id)
    await nora.says(conversation, "we have not forgotten you")
    await ada.reads(conversation, "we have not forgotten you")
    assert "account.manage" not in nora.client.view.rights

    await shop.app.db.execute(
        "UPDATE break_glass SET began_at = now() - interval '1 hour', until = now() WHERE id = $1", lent.id
    )
    await until(lambda: nora.client.view.rights == own, what="hearing that it is over")
    await ada.sees(conversation, owner=lily.id)  # what nobody may serve any more goes on by the queue
    assert set(await shop.loads()) == {"Lily"}
