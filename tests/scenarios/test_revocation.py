"""A revoked account is out within a second, on whichever node it is (fault 23)."""

import time

import pytest

from protocol.codes import CloseCode
from protocol.errors import ConnectionClosed, RequestError
from protocol.ids import AccountId
from server.setup import Setup
from tests.scenarios.house import House, Shop, until


@pytest.mark.req("PF-01", "PF-04")
async def test_a_revoked_account_is_closed_out_within_a_second(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    began = time.monotonic()

    await house.app.accounts.revoke(shop.caller(), AccountId(lily.id))

    ended = await lily.client.wait_stopped()
    assert isinstance(ended, ConnectionClosed)
    assert ended.code == CloseCode.AUTH_FAILED
    assert time.monotonic() - began < 1.0


@pytest.mark.req("PF-01")
async def test_a_ticket_from_before_the_revocation_opens_nothing(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    await lily.leave()

    await house.app.accounts.revoke(shop.caller(), AccountId(lily.id))

    with pytest.raises(ConnectionClosed) as refused:
        await lily.arrive()
    assert refused.value.code == CloseCode.AUTH_FAILED


@pytest.mark.req("KS-18", "KS-14")
async def test_a_disabled_agents_conversations_go_back_to_the_queue(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)
    max_ = await shop.agent("Max")

    await house.app.changes.account_removed(shop.id, AccountId(lily.id))

    await ada.sees(conversation, state="active", owner=max_.id)


@pytest.mark.req("PF-01", "PF-04")
async def test_everybody_of_a_suspended_shop_is_out_within_a_second_and_nobody_else(house: House) -> None:
    shop, other = await house.shop(), await house.shop()
    people = [await shop.agent("Lily"), await shop.agent("Max"), await shop.customer("Ada")]
    bob = await other.customer("Bob")
    slug = (await house.app.shop_store.get(shop.id)).slug
    async with Setup(house.app.settings) as setup:
        began = time.monotonic()
        await setup.suspend(slug)

        for person in people:
            ended = await person.client.wait_stopped()
            assert isinstance(ended, ConnectionClosed)
            assert ended.code == CloseCode.SHOP_SUSPENDED
        assert time.monotonic() - began < 1.0
        assert bob.client.is_live
        with pytest.raises((ConnectionClosed, RequestError)) as refused:
            await people[0].arrive()
        assert "suspended" in str(refused.value)

        await setup.serve_again(slug)
    await until(lambda: _served(shop), what="the shop's being served")
    assert (await people[0].arrive()).client.is_live


async def _served(shop: Shop) -> bool:
    """Every node knows: facts are kept for a second."""
    facts = [await node.app.shops.get(shop.id) for node in shop.house.nodes]
    return not any(each.suspended for each in facts)
