"""One-time sign-in links and the demo's customers: for whoever sits at a demo's own machine, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from protocol.states import OrderState, Role
from server.services.demo_customers import DemoCustomers
from server.services.sign_in_links import SignInLinks, issue_link
from tests.server.http.world import PASSWORD, Shop, World


@pytest.fixture
async def here(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the server's own machine."""
    transport = httpx.ASGITransport(world.app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://pointsman.test") as client:
        yield client


def enter(browser: httpx.AsyncClient, link: str) -> Any:
    return browser.post("/v1/auth/links", json={"link": link})


async def link_for(world: World, shop: Shop, role: Role = Role.AGENT) -> str:
    return await issue_link(world.node.link, shop.id, shop.people[role])


async def test_a_link_signs_its_account_in(world: World, demo: Shop, here: httpx.AsyncClient) -> None:
    answer = await enter(here, await link_for(world, demo, Role.SUPERVISOR))
    assert answer.status_code == 200
    given = answer.json()
    assert given["shop"] == "demo"
    assert given["account"]["roles"] == ["supervisor"]
    me = await here.get("/v1/me", headers={"Authorization": f"Bearer {given['access_token']}"})
    assert me.json()["account"]["id"] == demo.people[Role.SUPERVISOR]
    again = await here.post("/v1/auth/refresh", json={"refresh_token": given["refresh_token"]})
    assert again.status_code == 200


@pytest.mark.req("TK-16")
async def test_a_link_works_once(world: World, demo: Shop, here: httpx.AsyncClient) -> None:
    link = await link_for(world, demo)
    assert (await enter(here, link)).status_code == 200
    second = await enter(here, link)
    assert (second.status_code, second.json()["reason"]) == (401, "link_invalid")
    assert "password" in second.json()["detail"], "what to do instead is said"


async def test_of_ten_browsers_at_once_one_gets_in(world: World, demo: Shop, here: httpx.AsyncClient) -> None:
    link = await link_for(world, demo)
    answers = await asyncio.gather(*(enter(here, link) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9


@pytest.mark.parametrize("link", ["x", "A" * 22, "." * 16_384])
async def test_a_made_up_link_is_refused(demo: Shop, here: httpx.AsyncClient, link: str) -> None:
    assert (await enter(here, link)).status_code == 401


async def test_a_link_lives_a_day_and_lies_nowhere_in_plain(world: World, demo: Shop) -> None:
    link = await link_for(world, demo)
    (key,) = await world.node.link.call("KEYS", "pm:link:*")
    assert link.encode() not in key
    assert 86_000 < await world.node.link.call("TTL", key) <= 86_400


async def test_from_another_machine_there_are_no_links(
    world: World, demo: Shop, here: httpx.AsyncClient
) -> None:
    link = await link_for(world, demo)
    refused = await enter(world.client, link)
    assert (refused.status_code, refused.json()["reason"]) == (404, "not_found")
    assert (await enter(here, link)).status_code == 200, "and the try has not used it up"


async def test_outside_demo_mode_there_are_no_links_and_no_customers(
    world: World, demo: Shop, here: httpx.AsyncClient
) -> None:
    links = SignInLinks(world.node.link, world.node.sign_in, demo=False)
    world.app.state.deps = replace(
        world.app.state.deps, sign_in_links=links, demo_customers=DemoCustomers(world.shops, links)
    )
    assert (await enter(here, await link_for(world, demo))).status_code == 404
    assert (await here.get("/v1/demo/identity?shop=demo")).status_code == 404


async def test_a_link_lets_nobody_in_who_may_not_sign_in(
    world: World, demo: Shop, here: httpx.AsyncClient
) -> None:
    link = await link_for(world, demo)
    await world.accounts.update(demo.id, demo.people[Role.AGENT], {"disabled": True})
    assert (await enter(here, link)).json()["reason"] == "account_disabled"


@pytest.mark.req("GP-03")
async def test_a_sign_in_by_link_is_in_the_audit_like_any_other(
    world: World, demo: Shop, here: httpx.AsyncClient
) -> None:
    await enter(here, await link_for(world, demo))
    await here.post(
        "/v1/auth/login", json={"shop": "demo", "email": demo.email(Role.AGENT), "password": PASSWORD}
    )
    rows = await world.db.fetch(
        "SELECT * FROM audit WHERE shop_id = $1 AND action = 'auth.signed_in' ORDER BY at, id", demo.id
    )
    by_link, by_password = ({**row, "id": 0, "at": 0} for row in rows)
    assert by_link == by_password
    assert by_link["actor_id"] == demo.people[Role.AGENT]


# --- the shop page's customers ---------------------------------------------------------------------------------------
async def test_the_shop_page_gets_customers_in_every_order_state(demo: Shop, here: httpx.AsyncClient) -> None:
    first = (await here.get("/v1/demo/identity?shop=demo&language=en")).json()
    asked = [await here.get(f"/v1/demo/identity?shop=demo&customer={n}") for n in range(first["count"])]
    orders = [order for answer in asked for order in answer.json()["orders"]]
    assert {order["state"] for order in orders} == set(OrderState) - {OrderState.NO_ACTIVE_ORDER}
    assert [] in [answer.json()["orders"] for answer in asked], "somebody has bought nothing yet"
    assert len({answer.json()["name"] for answer in asked}) == first["count"]


async def test_the_widget_believes_who_the_shop_page_says_it_is(
    world: World, demo: Shop, here: httpx.AsyncClient
) -> None:
    await world.shops.set_origins(demo.id, "widget", ("http://pointsman.test",))
    settings = {"identity_mode": "enforce", "anonymous_allowed": True}
    await world.saves("/v1/settings/widget", (demo, Role.OWNER), settings)
    given = (await here.get("/v1/demo/identity?shop=demo&language=en")).json()
    session = await here.post(
        "/v1/widget/sessions",
        json={"shop": "demo", "identity_token": given["identity_token"]},
        headers={"Origin": "http://pointsman.test"},
    )
    assert session.json()["identity"] == "accepted"
    customer = await world.db.fetchrow(
        "SELECT name, tags FROM customers WHERE id = $1::uuid", session.json()["customer_id"]
    )
    assert customer is not None
    assert (customer["name"], list(customer["tags"])) == ("Alice", ["VIP"])
    states = await world.db.fetch("SELECT state FROM orders WHERE shop_id = $1", demo.id)
    assert sorted(row["state"] for row in states) == sorted(order["state"] for order in given["orders"])


@pytest.mark.parametrize("query", ["shop=nowhere", "shop=demo&from=elsewhere"])
async def test_nobody_is_introduced_elsewhere(world: World, demo: Shop, query: str) -> None:
    assert (await world.client.get(f"/v1/demo/identity?{query}")).status_code == 404
