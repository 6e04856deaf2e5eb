"""Tickets: exactly one hello succeeds, soon, from where it was asked for (fault 24). Tries are counted (fault 33)."""

from __future__ import annotations

import asyncio
import time

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import PersonId, ShopId
from protocol.states import Role
from router.link import Link
from server.services.attempts import Allowance, Attempts, address_of
from server.services.tickets import Tickets, ticket_key
from server.services.tokens import Principal

ORIGIN = "https://desk.example"
AGENT = Principal(ShopId("s"), PersonId("a"), "account", frozenset({Role.AGENT}), "Lin", 0, 4)


async def redeemed(tickets: Tickets, ticket: str, origin: str = ORIGIN) -> str:
    try:
        return (await tickets.redeem(ticket, origin)).person_id
    except RequestError as error:
        return f"{error.code.name} {error.reason}"


async def test_a_ticket_brings_back_whom_it_was_given_to(link: Link) -> None:
    tickets = Tickets(link, session_s=3600)
    ticket, until_ms = await tickets.issue(AGENT, ORIGIN)
    who = await tickets.redeem(ticket, ORIGIN)
    assert (who.shop_id, who.person_id, who.kind, who.roles, who.token_version) == (
        "s",
        "a",
        "account",
        {"agent"},
        4,
    )
    assert who.expires_at_ms == until_ms
    assert abs(until_ms / 1000 - time.time() - 3600) < 5


@pytest.mark.req("PF-01")
async def test_of_fifty_hellos_at_once_exactly_one_succeeds(link: Link) -> None:
    tickets = Tickets(link)
    ticket, _ = await tickets.issue(AGENT, ORIGIN)
    answers = await asyncio.gather(*(redeemed(tickets, ticket) for _ in range(50)))
    assert sorted(answers) == ["UNAUTHENTICATED ticket_invalid"] * 49 + ["a"]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://desk.example.evil.example", "null", ""])
async def test_a_ticket_shown_from_another_origin_is_refused_and_spent(link: Link, origin: str) -> None:
    tickets = Tickets(link)
    ticket, _ = await tickets.issue(AGENT, ORIGIN)
    assert await redeemed(tickets, ticket, origin) == "UNAUTHENTICATED ticket_invalid"
    assert await redeemed(tickets, ticket) == "UNAUTHENTICATED ticket_invalid"


@pytest.mark.parametrize("ticket", ["", "a", "a" * 22, "*" * 22, "a" * 10_000, "pm:ticket:x"])
async def test_a_made_up_ticket_is_refused(link: Link, ticket: str) -> None:
    assert await redeemed(Tickets(link), ticket) == "UNAUTHENTICATED ticket_invalid"


async def test_a_ticket_lives_for_half_a_minute(link: Link) -> None:
    ticket, _ = await Tickets(link).issue(AGENT, ORIGIN)
    assert 29 <= await link.call("TTL", ticket_key(ticket)) <= 30


async def test_a_customers_session_ends_with_their_token(link: Link) -> None:
    soon = int(time.time() * 1000) + 60_000
    customer = Principal(ShopId("s"), PersonId("c"), "customer", frozenset({Role.CUSTOMER}), "", soon)
    _, until_ms = await Tickets(link, session_s=3600).issue(customer, ORIGIN)
    assert until_ms == soon


# --- tries -----------------------------------------------------------------------------------------------------------
THREE = Allowance("test", 3, window_s=60)


async def tried(attempts: Attempts, subject: str) -> str:
    try:
        await attempts.begin((THREE, subject))
    except RequestError as error:
        return error.reason
    return "ok"


async def test_whoever_tries_too_often_is_told_how_long_to_wait(link: Link) -> None:
    attempts = Attempts(link)
    for _ in range(3):
        await attempts.begin((THREE, "lin"))
    with pytest.raises(RequestError) as refused:
        await attempts.begin((THREE, "lin"))
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert 0 < (refused.value.retry_after_ms or 0) <= 60_000


async def test_a_hundred_tries_at_once_are_a_hundred_tries(link: Link) -> None:
    attempts = Attempts(link)
    answers = await asyncio.gather(*(tried(attempts, "lin") for _ in range(100)))
    assert sorted(answers) == ["ok"] * 3 + ["too_many_tries"] * 97


async def test_somebody_else_has_tries_of_their_own(link: Link) -> None:
    attempts = Attempts(link)
    assert [await tried(attempts, "lin") for _ in range(4)][-1] == "too_many_tries"
    assert await tried(attempts, "wang") == "ok"


async def test_a_try_that_was_right_does_not_count(link: Link) -> None:
    attempts = Attempts(link)
    for _ in range(10):
        assert await tried(attempts, "lin") == "ok"
        await attempts.succeeded((THREE, "lin"))


async def test_no_name_is_kept_in_the_counters(link: Link) -> None:
    await tried(Attempts(link), "lin@example.com")
    assert all(b"lin" not in key for key in await link.call("KEYS", "*"))


@pytest.mark.parametrize(
    ("host", "subscriber"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_counted_by_subscriber(host: str, subscriber: str) -> None:
    assert address_of(host) == subscriber
