"""Signing in, staying signed in, and the end of it (faults 23 and 33)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from protocol.errors import RequestError
from protocol.states import Role
from tests.server.http.world import PASSWORD, Shop, World


async def sign_in(
    world: World, shop: Shop, role: Role = Role.AGENT, password: str = PASSWORD
) -> httpx.Response:
    body = {"shop": shop.slug, "email": shop.email(role), "password": password}
    return await world.ask("POST", "/v1/auth/login", json=body)


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def refresh(world: World, token: str) -> Any:
    return world.ask("POST", "/v1/auth/refresh", json={"refresh_token": token})


async def test_an_agent_signs_in_and_asks_who_they_are(world: World, demo: Shop) -> None:
    signed_in = await sign_in(world, demo)
    assert signed_in.status_code == 200
    assert signed_in.json()["expires_in_s"] == 900
    me = await world.ask("GET", "/v1/me", headers=bearer(signed_in))
    assert me.json()["account"]["roles"] == ["agent"]
    assert me.json()["shop"]["slug"] == "demo"
    assert "password" not in me.text


async def test_an_address_is_found_whatever_its_case(world: World, demo: Shop) -> None:
    body = {"shop": "demo", "email": demo.email(Role.AGENT).upper(), "password": PASSWORD}
    assert (await world.ask("POST", "/v1/auth/login", json=body)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"password": "not it, not it"}, {"email": "nobody@demo.example"}, {"shop": "nowhere"}],
    ids=["password", "account", "shop"],
)
async def test_whatever_is_wrong_the_answer_is_one(world: World, demo: Shop, wrong: dict[str, str]) -> None:
    body = {"shop": "demo", "email": demo.email(Role.AGENT), "password": PASSWORD, **wrong}
    answer = await world.ask("POST", "/v1/auth/login", json=body)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:pointsman:problem:wrong_credentials",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Shop, e-mail address or password is wrong.",
        "code": 1001,
        "reason": "wrong_credentials",
        "retryable": False,
        "errors": [],
    }


async def test_an_account_without_a_password_lets_nobody_in(world: World, demo: Shop) -> None:
    await world.accounts.rehash(demo.id, demo.people[Role.AGENT], "")
    assert (await sign_in(world, demo, password="anything at all")).status_code == 401


async def test_no_such_account_costs_a_check_too(
    world: World, demo: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []
    really = world.passwords.matches

    async def counted(encoded: str | None, password: str) -> bool:
        checked.append(encoded)
        return await really(encoded, password)

    monkeypatch.setattr(world.passwords, "matches", counted)
    body = {"shop": "nowhere", "email": "nobody@demo.example", "password": PASSWORD}
    await world.ask("POST", "/v1/auth/login", json=body)
    assert checked == [None]


async def test_a_disabled_account_is_told_so_with_the_right_password_only(world: World, demo: Shop) -> None:
    await world.accounts.update(demo.id, demo.people[Role.AGENT], {"disabled": True})
    assert (await sign_in(world, demo)).json()["reason"] == "account_disabled"
    assert (await sign_in(world, demo, password="not it, not it")).json()["reason"] == "wrong_credentials"


async def test_nobody_of_a_suspended_shop_gets_in_or_stays_in(world: World, demo: Shop) -> None:
    before = await sign_in(world, demo)
    await world.shops.set_status(demo.id, "suspended")
    assert (await sign_in(world, demo)).json()["reason"] == "shop_suspended"
    assert (await world.ask("GET", "/v1/me", headers=bearer(before))).json()["reason"] == "shop_suspended"
    assert (await refresh(world, before.json()["refresh_token"])).status_code == 401
    key = {"Authorization": f"Bearer {demo.api_key}"}
    assert (await world.ask("GET", "/v1/customers/c-1", headers=key)).json()["reason"] == "shop_suspended"


# --- guessing --------------------------------------------------------------------------------------------------------
@pytest.mark.req("TK-16")
async def test_guessing_passwords_ends_with_a_time_to_wait(world: World, demo: Shop) -> None:
    guesses = [await sign_in(world, demo, password=f"guess number {i}") for i in range(11)]
    assert [guess.status_code for guess in guesses] == [401] * 10 + [429]
    assert guesses[-1].json()["reason"] == "too_many_tries"
    assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60
    assert (await sign_in(world, demo)).status_code == 429, "the right password does not tell itself apart"
    assert (await sign_in(world, demo, Role.OWNER)).status_code == 200, "others get in"


async def test_guessing_all_at_once_gets_no_more_guesses(world: World, demo: Shop) -> None:
    guesses = await asyncio.gather(*(sign_in(world, demo, password=f"guess number {i}") for i in range(25)))
    assert sorted(guess.status_code for guess in guesses) == [401] * 10 + [429] * 15


async def test_guessing_one_password_for_many_accounts_is_limited_by_address(
    world: World, demo: Shop
) -> None:
    body = {"shop": "demo", "password": "password of many"}
    codes = [
        (await world.ask("POST", "/v1/auth/login", json={**body, "email": f"p{i}@demo.example"})).status_code
        for i in range(51)
    ]
    assert codes == [401] * 50 + [429]


async def test_signing_in_rightly_is_never_limited(world: World, demo: Shop) -> None:
    assert {(await sign_in(world, demo)).status_code for _ in range(15)} == {200}


# --- refresh tokens --------------------------------------------------------------------------------------------------
async def test_a_refresh_token_gives_the_next_two(world: World, demo: Shop) -> None:
    first = (await sign_in(world, demo)).json()
    second = await refresh(world, first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert (await world.ask("GET", "/v1/me", headers=bearer(second))).status_code == 200


@pytest.mark.req("TK-16")
async def test_a_refresh_token_used_twice_ends_the_sign_in(world: World, demo: Shop) -> None:
    stolen = (await sign_in(world, demo)).json()["refresh_token"]
    theirs = (await refresh(world, stolen)).json()["refresh_token"]
    assert (await refresh(world, stolen)).json()["reason"] == "refresh_token_reused"
    assert (await refresh(world, theirs)).json()["reason"] == "refresh_token_invalid"
    assert (await sign_in(world, demo)).status_code == 200


async def test_of_ten_refreshes_at_once_at_most_one_succeeds(world: World, demo: Shop) -> None:
    token = (await sign_in(world, demo)).json()["refresh_token"]
    answers = await asyncio.gather(*(refresh(world, token) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9


@pytest.mark.parametrize("token", ["x", "A" * 43, "." * 16_384])
async def test_a_made_up_refresh_token_is_refused(world: World, demo: Shop, token: str) -> None:
    assert (await refresh(world, token)).json()["reason"] == "refresh_token_invalid"


async def test_another_device_of_the_same_account_stays_signed_in(world: World, demo: Shop) -> None:
    desktop, mobile = await sign_in(world, demo), await sign_in(world, demo)
    await world.ask("POST", "/v1/auth/logout", json={"refresh_token": mobile.json()["refresh_token"]})
    assert (await refresh(world, mobile.json()["refresh_token"])).status_code == 401
    assert (await refresh(world, desktop.json()["refresh_token"])).status_code == 200


@pytest.mark.req("KS-18")
async def test_signing_out_sets_an_agent_offline_once(world: World, demo: Shop) -> None:
    token = (await sign_in(world, demo)).json()["refresh_token"]
    for _ in range(2):
        answer = await world.ask("POST", "/v1/auth/logout", json={"refresh_token": token})
        assert answer.status_code == 204
    assert world.told.calls == [("signed_out", demo.people[Role.AGENT])]


# --- the end of a sign-in --------------------------------------------------------------------------------------------
async def everything_refused(world: World, demo: Shop, before: httpx.Response, ticket: str) -> None:
    """Access token, refresh token and ticket of before are void."""
    assert (await world.ask("GET", "/v1/me", headers=bearer(before))).json()["reason"] == "token_revoked"
    assert (await refresh(world, before.json()["refresh_token"])).status_code == 401
    with pytest.raises(RequestError) as refused:
        await world.authentication.by_ticket(ticket, "")
    assert refused.value.reason == "token_revoked"
    with pytest.raises(RequestError):
        await world.authentication.by_authorization(f"Bearer {before.json()['access_token']}")
    assert ("revoked", demo.people[Role.AGENT]) in world.told.calls


async def ticket_of(world: World, signed_in: httpx.Response) -> str:
    return (await world.ask("POST", "/v1/tickets", headers=bearer(signed_in))).json()["ticket"]


@pytest.mark.parametrize("by", [Role.OWNER, Role.ADMIN])
async def test_revoking_an_account_ends_everything_at_once(world: World, demo: Shop, by: Role) -> None:
    before = await sign_in(world, demo)
    ticket = await ticket_of(world, before)
    path = f"/v1/accounts/{demo.people[Role.AGENT]}/revoke"
    assert (await world.ask("POST", path, who=(demo, by))).status_code == 204
    await everything_refused(world, demo, before, ticket)
    assert (await sign_in(world, demo)).status_code == 200, "revoked is not disabled"


async def test_disabling_an_account_ends_everything_and_tells_live_routing(world: World, demo: Shop) -> None:
    before = await sign_in(world, demo)
    ticket = await ticket_of(world, before)
    agent = demo.people[Role.AGENT]
    changed = await world.ask(
        "PATCH", f"/v1/accounts/{agent}", who=(demo, Role.ADMIN), json={"disabled": True}
    )
    assert changed.json()["disabled_at"] is not None
    await everything_refused(world, demo, before, ticket)
    assert world.told.calls == [("revoked", agent), ("account_removed", agent)]


async def test_a_new_password_ends_every_other_sign_in(world: World, demo: Shop) -> None:
    elsewhere, here = await sign_in(world, demo), await sign_in(world, demo)
    ticket = await ticket_of(world, elsewhere)
    body = {"current_password": PASSWORD, "new_password": "a rather new pass phrase"}
    renewed = await world.ask("POST", "/v1/me/password", headers=bearer(here), json=body)
    assert renewed.status_code == 200
    await everything_refused(world, demo, elsewhere, ticket)
    assert (await world.ask("GET", "/v1/me", headers=bearer(renewed))).status_code == 200
    assert (await sign_in(world, demo)).status_code == 401
    assert (await sign_in(world, demo, password="a rather new pass phrase")).status_code == 200


@pytest.mark.req("TK-16")
@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "must have 10 to 128 characters"),
        ("aaaaaaaaaaaaaaa", "must use at least 5 different characters"),
        ("agent@demo.example", "must not contain your name or e-mail address"),
    ],
)
async def test_a_weak_password_is_refused_with_what_is_wrong(
    world: World, demo: Shop, password: str, problem: str
) -> None:
    body = {"current_password": PASSWORD, "new_password": password}
    answer = await world.ask("POST", "/v1/me/password", who=(demo, Role.AGENT), json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "body.new_password", "problem": problem}]


async def test_new_roles_void_the_access_token_and_not_the_sign_in(world: World, demo: Shop) -> None:
    before = await sign_in(world, demo)
    path = f"/v1/accounts/{demo.people[Role.AGENT]}"
    await world.ask("PATCH", path, who=(demo, Role.ADMIN), json={"roles": ["agent", "supervisor"]})
    assert (await world.ask("GET", "/v1/me", headers=bearer(before))).json()["reason"] == "token_revoked"
    again = await refresh(world, before.json()["refresh_token"])
    assert again.json()["account"]["roles"] == ["agent", "supervisor"]


# --- tickets ---------------------------------------------------------------------------------------------------------
async def test_a_ticket_opens_one_socket_from_where_it_was_asked_for(world: World, demo: Shop) -> None:
    headers = {**world.bearer(demo, Role.AGENT), "Origin": "https://desk.example"}
    given = await world.ask("POST", "/v1/tickets", headers=headers)
    assert given.status_code == 201
    assert given.json()["expires_in_s"] == 30
    who = await world.authentication.by_ticket(given.json()["ticket"], "https://desk.example")
    assert (who.person_id, who.kind) == (demo.people[Role.AGENT], "account")


async def test_a_bot_opens_its_socket_with_its_access_token(world: World, demo: Shop) -> None:
    token = world.tokens.access(demo.id, demo.people[Role.BOT], frozenset({Role.BOT}), 0)
    who = await world.authentication.by_authorization(f"Bearer {token}")
    assert (who.kind, who.roles) == ("bot", {Role.BOT})


async def test_secrets_are_kept_as_hashes_only(world: World, demo: Shop) -> None:
    signed_in = (await sign_in(world, demo)).json()
    rows = await world.db.fetch("SELECT token_hash::text AS kept FROM refresh_tokens")
    rows += await world.db.fetch("SELECT hash::text AS kept FROM api_keys")
    rows += await world.db.fetch("SELECT password_hash AS kept FROM accounts")
    kept = " ".join(row["kept"] for row in rows)
    assert signed_in["refresh_token"].encode().hex() not in kept
    assert demo.api_key.encode().hex() not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept
