"""The customer's session: anonymous by default, known only by the shop's word (identity tokens)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from protocol.ids import CustomerId, new_id
from protocol.states import Role
from server.store.shops import IdentityMode, WidgetSettings
from tests.server.http.world import Shop, World


async def mode(world: World, shop: Shop, identity_mode: IdentityMode, *, anonymous: bool = True) -> None:
    await world.shops.set_widget(shop.id, WidgetSettings(identity_mode, anonymous))


def identity(shop: Shop, customer: str = "c-1", **members: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": shop.slug,
        "aud": "pointsman",
        "sub": customer,
        "jti": new_id(),
        "iat": now,
        "exp": now + 600,
        **members,
    }
    key = OctKey.import_key(shop.identity_secret.encode())
    return jwt.encode({"alg": "HS256", "kid": shop.identity_kid}, claims, key, algorithms=["HS256"])


async def begin(world: World, shop: Shop, *, origin: str = "", **members: Any) -> httpx.Response:
    headers = {"Origin": origin} if origin else {}
    return await world.ask(
        "POST", "/v1/widget/sessions", json={"shop": shop.slug, **members}, headers=headers
    )


async def test_a_visitor_gets_a_session_and_a_ticket_without_saying_anything(
    world: World, demo: Shop
) -> None:
    begun = await begin(world, demo)
    assert begun.status_code == 201
    session = begun.json()
    assert (session["anonymous"], session["identity"]) == (True, "absent")
    who = await world.authentication.by_ticket(session["ticket"], "")
    assert (who.person_id, who.kind, who.roles) == (session["customer_id"], "customer", {Role.CUSTOMER})


async def test_a_visitor_who_comes_back_is_the_same_visitor(world: World, demo: Shop) -> None:
    first = (await begin(world, demo)).json()
    again = (await begin(world, demo, session_token=first["session_token"])).json()
    assert again["customer_id"] == first["customer_id"]


async def test_a_session_of_another_shop_is_refused(world: World, demo: Shop, other: Shop) -> None:
    theirs = (await begin(world, other)).json()["session_token"]
    answer = await begin(world, demo, session_token=theirs)
    assert (answer.status_code, answer.json()["reason"]) == (401, "token_invalid")


async def test_an_access_token_is_no_session(world: World, demo: Shop) -> None:
    token = world.bearer(demo, Role.OWNER)["Authorization"].removeprefix("Bearer ")
    assert (await begin(world, demo, session_token=token)).status_code == 401


# --- known customers -------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-06")
async def test_the_shops_word_makes_a_customer_known_with_their_orders(world: World, demo: Shop) -> None:
    await mode(world, demo, "enforce")
    order = {
        "id": "o-1",
        "state": "after_sale",
        "changed_at": 1_790_000_000,
        "title": "手机壳",
        "amount": "¥9",
    }
    token = identity(demo, name="林小姐", tags=["vip"], orders=[order], first_paid_at=1_700_000_000)
    session = (await begin(world, demo, identity_token=token)).json()
    assert (session["anonymous"], session["identity"]) == (False, "accepted")
    customer = await world.customers.get(demo.id, session["customer_id"])
    assert (customer.external_id, customer.name, customer.tags) == ("c-1", "林小姐", ("vip",))
    known = (await world.ask("GET", "/v1/orders/o-1", who=(demo, Role.AGENT))).json()
    assert (known["state"], known["customer_id"], known["title"]) == (
        "after_sale",
        session["customer_id"],
        "手机壳",
    )


async def test_a_known_customer_stays_known_by_our_own_session(world: World, demo: Shop) -> None:
    await mode(world, demo, "enforce", anonymous=False)
    first = (await begin(world, demo, identity_token=identity(demo))).json()
    again = (await begin(world, demo, session_token=first["session_token"])).json()
    assert (again["customer_id"], again["anonymous"]) == (first["customer_id"], False)


async def test_what_a_visitor_wrote_becomes_the_known_customers(world: World, demo: Shop) -> None:
    await mode(world, demo, "enforce")
    token, _ = world.tokens.customer(demo.id, demo.customer, known=False)
    known = (await begin(world, demo, session_token=token, identity_token=identity(demo))).json()
    row = await world.db.fetchrow("SELECT customer_id FROM conversations WHERE id = $1", demo.conversation)
    assert row is not None
    assert row["customer_id"] == known["customer_id"]
    assert known["customer_id"] != demo.customer


async def test_merging_takes_more_than_a_guess(world: World, demo: Shop) -> None:
    await mode(world, demo, "report")
    token, _ = world.tokens.customer(demo.id, demo.customer, known=False)
    forged = identity(demo)[:-4] + "AAAA"
    session = (await begin(world, demo, session_token=token, identity_token=forged)).json()
    assert (session["customer_id"], session["anonymous"], session["identity"]) == (
        demo.customer,
        True,
        "token_invalid",
    )


async def test_an_identity_token_is_exchanged_once_however_many_try(world: World, demo: Shop) -> None:
    await mode(world, demo, "enforce")
    token = identity(demo)
    answers = await asyncio.gather(*(begin(world, demo, identity_token=token) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 9
    assert {answer.json()["reason"] for answer in answers if answer.status_code == 401} == {
        "identity_token_used"
    }


async def test_a_customer_made_known_is_not_had_by_the_visitors_old_token(world: World, demo: Shop) -> None:
    known = await world.customers.put(demo.id, "c-9")
    token, _ = world.tokens.customer(demo.id, CustomerId(known.id), known=False)
    assert (await begin(world, demo, session_token=token)).status_code == 401


# --- modes -----------------------------------------------------------------------------------------------------------
BAD = {"identity_token": "not.a.token"}
MODES: list[tuple[IdentityMode, bool, dict[str, str], int, str]] = [
    ("off", True, {}, 201, "absent"),
    ("off", True, BAD, 201, "ignored"),
    ("report", True, {}, 201, "absent"),
    ("report", True, BAD, 201, "token_invalid"),
    ("report", False, BAD, 403, "anonymous_not_allowed"),
    ("enforce", True, {}, 201, "absent"),
    ("enforce", True, BAD, 401, "token_invalid"),
    ("enforce", False, {}, 403, "anonymous_not_allowed"),
    ("enforce", False, BAD, 401, "token_invalid"),
]


@pytest.mark.parametrize(("identity_mode", "anonymous", "members", "status", "word"), MODES)
async def test_each_mode_does_with_a_bad_token_what_it_says(
    world: World,
    demo: Shop,
    identity_mode: IdentityMode,
    anonymous: bool,
    members: dict[str, str],
    status: int,
    word: str,
) -> None:
    await mode(world, demo, identity_mode, anonymous=anonymous)
    answer = await begin(world, demo, **members)
    assert (answer.status_code, answer.json().get("reason") or answer.json()["identity"]) == (status, word)


async def test_keys_are_rotated_without_a_gap(world: World, demo: Shop) -> None:
    await mode(world, demo, "enforce")
    owner = (demo, Role.OWNER)
    new = (await world.ask("POST", "/v1/settings/identity-keys", who=owner)).json()
    third = await world.ask("POST", "/v1/settings/identity-keys", who=owner)
    assert (third.status_code, third.json()["reason"]) == (409, "too_many_keys")
    old_token = identity(demo)
    assert (await begin(world, demo, identity_token=identity(demo))).status_code == 201, (
        "the old one still holds"
    )
    path = f"/v1/settings/identity-keys/{demo.identity_kid}"
    assert (await world.ask("DELETE", path, who=owner)).status_code == 204
    assert (await begin(world, demo, identity_token=old_token)).status_code == 401
    demo.identity_kid, demo.identity_secret = new["kid"], new["secret"]
    assert (await begin(world, demo, identity_token=identity(demo))).status_code == 201
    listed = await world.ask("GET", "/v1/settings/identity-keys", who=owner)
    assert new["secret"] not in listed.text


@pytest.mark.parametrize("settings", [{"identity_mode": "off", "anonymous_allowed": False}])
async def test_settings_that_let_nobody_in_are_refused(
    world: World, demo: Shop, settings: dict[str, Any]
) -> None:
    path = "/v1/settings/widget"
    answer = await world.saves(path, (demo, Role.OWNER), settings)
    assert answer.status_code == 422
    assert (await world.ask("GET", path, who=(demo, Role.OWNER))).json()["anonymous_allowed"] is True


async def test_anonymous_visitors_are_only_shut_out_when_a_key_can_let_others_in(
    world: World, demo: Shop
) -> None:
    owner = (demo, Role.OWNER)
    strict = {"identity_mode": "enforce", "anonymous_allowed": False}
    held = await world.saves("/v1/settings/widget", owner, strict)
    assert held.json() == {**strict, "rev": held.json()["rev"]}
    await world.shops.revoke_identity_key(demo.id, demo.identity_kid)
    assert (await world.saves("/v1/settings/widget", owner, strict)).status_code == 422


# --- origins (fault 26, over HTTP) -----------------------------------------------------------------------------------
SHOP_PAGE = "https://shop.example"


async def allow(world: World, shop: Shop, *origins: str) -> httpx.Response:
    who = (shop, Role.ADMIN)
    read = (await world.ask("GET", "/v1/settings/origins", who=who)).json()
    body = {"origins": list(origins), "rev": read["revs"]["widget"]}
    return await world.ask("PUT", "/v1/settings/origins/widget", who=who, json=body)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "null",
        "https://shop.example/",
    ],
)
async def test_a_page_that_is_not_on_the_list_gets_no_session(world: World, demo: Shop, origin: str) -> None:
    await allow(world, demo, SHOP_PAGE)
    answer = await begin(world, demo, origin=origin)
    assert (answer.status_code, answer.json()["reason"]) == (403, "origin_not_allowed")
    assert answer.headers["access-control-allow-origin"] == origin, "the page can tell its maker why"


async def test_a_page_on_the_list_can_read_that_a_session_is_over(world: World, demo: Shop) -> None:
    await allow(world, demo, SHOP_PAGE)
    answer = await begin(world, demo, origin=SHOP_PAGE, session_token="of.another.age")
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == SHOP_PAGE


async def test_a_page_on_the_list_gets_a_session_bound_to_it(world: World, demo: Shop) -> None:
    await allow(world, demo, SHOP_PAGE)
    preflight = await world.ask("OPTIONS", "/v1/widget/sessions", headers={"Origin": SHOP_PAGE})
    assert preflight.headers["access-control-allow-origin"] == SHOP_PAGE
    assert "access-control-allow-credentials" not in preflight.headers
    answer = await begin(world, demo, origin=SHOP_PAGE)
    assert answer.headers["access-control-allow-origin"] == SHOP_PAGE
    assert (await world.authentication.by_ticket(answer.json()["ticket"], SHOP_PAGE)).kind == "customer"


@pytest.mark.parametrize(
    "origin", ["https://*.shop.example", "shop.example", "https://shop.example/path", "*", "null"]
)
async def test_only_whole_origins_get_on_the_list(world: World, demo: Shop, origin: str) -> None:
    assert (await allow(world, demo, origin)).status_code == 422


# --- the shop's own systems ------------------------------------------------------------------------------------------
@pytest.mark.req("KS-06")
async def test_facts_about_customers_and_orders_may_come_twice_and_late(world: World, demo: Shop) -> None:
    key, _ = await world.api_keys.create(
        demo.id, "erp", frozenset({"orders:write", "orders:read", "customers:read"})
    )
    headers = {"Authorization": f"Bearer {key}"}

    async def told(state: str, at: str) -> dict[str, Any]:
        body = {"customer_id": "c-7", "state": state, "changed_at": at}
        return (await world.ask("PUT", "/v1/orders/o-7", headers=headers, json=body)).json()

    await told("placed_unpaid", "2026-11-22T08:00:00Z")
    paid = await told("paid_unshipped", "2026-11-22T09:00:00+00:00")
    assert paid["state"] == "paid_unshipped"
    assert await told("paid_unshipped", "2026-11-22T17:00:00+08:00") == paid
    assert await told("placed_unpaid", "2026-11-22T08:00:00Z") == paid, "what is older changes nothing"
    customer = (await world.ask("GET", "/v1/customers/c-7", headers=headers)).json()
    assert customer["id"] == paid["customer_id"]


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-22",
        "2026-11-22T08:00:00",
        "1.5",
        1.5,
        1790000000,
        "2026-02-30T08:00:00Z",
        "1999-12-31T23:59:59Z",
        None,
    ],
)
async def test_a_time_without_an_offset_or_out_of_reason_is_refused(
    world: World, demo: Shop, at: Any
) -> None:
    body = {"customer_id": "c-7", "state": "after_sale", "changed_at": at}
    answer = await world.ask("PUT", "/v1/orders/o-7", who=(demo, Role.OWNER), json=body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["body.changed_at"]


@pytest.mark.parametrize(
    "at", ["2026-11-22T08:00:00.1234567+20:36", "2199-12-31T23:59:59-23:59", "2000-01-01T00:00:00Z"]
)
async def test_a_time_is_kept_to_the_millisecond_in_utc(world: World, demo: Shop, at: str) -> None:
    body = {"customer_id": "c-7", "state": "after_sale", "changed_at": at}
    answer = await world.ask("PUT", "/v1/orders/o-7", who=(demo, Role.OWNER), json=body)
    assert answer.json()["changed_at"] in {
        "2026-11-21T11:24:00.123Z",
        "2200-01-01T23:58:59.000Z",
        "2000-01-01T00:00:00.000Z",
    }
