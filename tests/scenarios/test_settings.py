"""Settings (KS-13, KS-23): changed over HTTP on one node, in force on all of them, refused whole when contradictory."""

from typing import Any

import httpx
import pytest

from protocol.states import Role
from server.store.accounts import AccountRow
from tests.scenarios.house import House, Node, Shop, until


def signed_in(shop: Shop, row: AccountRow, node: Node) -> httpx.AsyncClient:
    """The HTTP API of a node, with this account's access token."""
    token = node.app.tokens.access(shop.id, row.id, row.roles, row.token_version)
    return httpx.AsyncClient(
        base_url=node.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=10
    )


@pytest.mark.req("KS-23")
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.SERVICE_ADMIN])
async def test_owner_admin_and_service_admin_change_settings(house: House, role: Role) -> None:
    shop = await house.shop()
    row = await shop.account("Boss", role)
    async with signed_in(shop, row, house.nodes[0]) as http:
        current = (await http.get("/v1/settings/routing")).json()
        changed = await http.put(
            "/v1/settings/routing",
            json={
                "rev": current["rev"],
                "policy": {**current["policy"], "wrap_up_s": 60},
                "note": "busy day",
            },
        )
        history = (await http.get("/v1/settings/routing/history")).json()

    assert changed.status_code == 200
    latest = history["items"][0]
    assert (latest["by"], latest["note"]) == (row.id, "busy day")
    assert [(each["field"], each["after"]) for each in latest["diff"]] == [("wrap_up_s", 60)]


@pytest.mark.req("KS-23")
@pytest.mark.parametrize("role", [Role.AGENT, Role.OPERATIONS, Role.SUPERVISOR])
async def test_nobody_else_does(house: House, role: Role) -> None:
    shop = await house.shop()
    row = await shop.account("Lily", role)
    async with signed_in(shop, row, house.nodes[0]) as http:
        refused = await http.put("/v1/settings/routing", json={"rev": 1, "policy": {"wrap_up_s": 60}})

    assert refused.status_code == 403
    assert (await shop.app.policies.current(shop.id)).policy.wrap_up_s == 20 * 60


@pytest.mark.req("KS-23")
async def test_a_change_on_one_node_is_in_force_on_the_other_without_restart(house: House) -> None:
    shop = await house.shop()
    here, there = house.nodes[0], house.nodes[-1]
    boss = await shop.account("Boss", Role.OWNER)
    lily = await shop.agent("Lily", capacity=500, node=there)
    customers = [await shop.customer(f"C{i}", node=there) for i in range(20)]
    async with signed_in(shop, boss, here) as http:
        current = (await http.get("/v1/settings/routing")).json()
        policy = {**current["policy"], "wrap_up_s": 0}
        changed = await http.put("/v1/settings/routing", json={"rev": current["rev"], "policy": policy})
    assert changed.status_code == 200
    left = iter(customers)

    async def closes_at_once() -> bool:
        conversation = await next(left).opens()
        ended = await lily.asks("conversation.end", conversation_id=conversation)
        return ended.conversation.state == "closed"

    await until(closes_at_once, what="the new length of wrap-up on the other node", within_s=5)


@pytest.mark.req("KS-23", "KS-19")
async def test_a_change_that_opens_room_drains_the_queue_on_every_node(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    boss = await shop.account("Boss", Role.ADMIN)
    await shop.agent("Lily", groups=("Refunds",), status="paused")
    max_ = await shop.agent("Max", node=house.nodes[-1])
    ada = await shop.customer("Ada", order_state="after_sale", node=house.nodes[-1])
    assert await ada.waits() == ("after_sale", 1, "all_full")

    async with signed_in(shop, boss, house.nodes[0]) as http:
        current = (await http.get("/v1/settings/routing")).json()
        policy = {**current["policy"], "mode": "basic"}
        await http.put("/v1/settings/routing", json={"rev": current["rev"], "policy": policy})

    await ada.sees((await ada.service()).conversation_id, state="active", owner=max_.id)


CONTRADICTIONS: list[dict[str, Any]] = [
    {"offline_routing": True, "offline_list": []},
    {"bot": {"enabled": True, "account": None}},
    {"returning_customer_priority": True, "sticky_over_capacity": 3},
    {"new_customer_bought_within_s": 999 * 86400, "new_customer_first_paid_within_s": 86400},
    {"mode": ["basic", "grouped"]},
    {"order_state_groups": {"after_sale": ["01900000-0000-7000-8000-000000000000"]}},
]


@pytest.mark.req("KS-13", "KS-23")
@pytest.mark.parametrize("contradiction", CONTRADICTIONS, ids=lambda each: "+".join(each))
async def test_contradictory_settings_are_refused_whole(house: House, contradiction: dict[str, Any]) -> None:
    shop = await house.shop()
    boss = await shop.account("Boss", Role.OWNER)
    async with signed_in(shop, boss, house.nodes[0]) as http:
        current = (await http.get("/v1/settings/routing")).json()
        refused = await http.put(
            "/v1/settings/routing",
            json={"rev": current["rev"], "policy": {**current["policy"], "wrap_up_s": 60, **contradiction}},
        )
        after = (await http.get("/v1/settings/routing")).json()

    assert refused.status_code == 422
    assert {error["field"].split(".")[1] for error in refused.json()["errors"]} <= set(contradiction)
    assert after == current


@pytest.mark.req("KS-23")
async def test_settings_made_from_an_older_revision_are_refused(house: House) -> None:
    shop = await house.shop()
    boss = await shop.account("Boss", Role.OWNER)
    async with signed_in(shop, boss, house.nodes[0]) as http:
        current = (await http.get("/v1/settings/routing")).json()
        body = {"rev": current["rev"], "policy": {**current["policy"], "wrap_up_s": 60}}
        assert (await http.put("/v1/settings/routing", json=body)).status_code == 200
        stale = await http.put("/v1/settings/routing", json={**body, "policy": {**current["policy"]}})

    assert (stale.status_code, stale.json()["reason"]) == (409, "stale_rev")


@pytest.mark.req("KS-06", "KS-23")
async def test_every_order_state_without_a_group_is_warned_of(house: House) -> None:
    shop = await house.shop()
    await shop.grouped({"after_sale": "Refunds"})
    boss = await shop.account("Boss", Role.OWNER)
    async with signed_in(shop, boss, house.nodes[0]) as http:
        warned = (await http.get("/v1/settings/routing/warnings")).json()["items"]

    assert {each["about"] for each in warned} == {
        "no_active_order",
        "placed_unpaid",
        "paid_unshipped",
        "shipped_unsigned",
        "trade_done",
    }
