"""The customer list over HTTP (GP-07): facts, tags, notes, paging, and who may what (GP-03)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from protocol.ids import CustomerId, new_id
from protocol.states import Role
from tests.server.http.world import Shop, World

pytestmark = pytest.mark.req("GP-07")
UNHEARD_OF = "01930000-0000-7000-8000-000000000000"


async def listed(world: World, shop: Shop, role: Role = Role.SERVICE_ADMIN, **params: Any) -> Any:
    answer = await world.ask("GET", "/v1/customers", who=(shop, role), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def known(world: World, shop: Shop, name: str, **facts: Any) -> CustomerId:
    return (await world.customers.put(shop.id, f"c-{name}", name=name, **facts)).id


async def file_of(world: World, shop: Shop, customer: str, role: Role = Role.SERVICE_ADMIN) -> httpx.Response:
    return await world.ask("GET", f"/v1/customers/id/{customer}", who=(shop, role))


async def test_a_customer_is_shown_with_everything_colleagues_know(world: World, demo: Shop) -> None:
    lin = await known(world, demo, "林", tags=("vip",), first_paid_ms=1_795_000_000_000)
    order = {
        "customer_id": "c-1",
        "state": "after_sale",
        "changed_at": "2026-11-22T08:00:00Z",
        "title": "Tea",
    }
    made = await world.ask("PUT", "/v1/orders/o-1", who=(demo, Role.OWNER), json=order)
    assert made.status_code == 200
    first = (await world.customers.by_external_id(demo.id, "c-1")).id
    shown = (await file_of(world, demo, first)).json()
    assert [(each["order_id"], each["state"], each["title"]) for each in shown["orders"]] == [
        ("o-1", "after_sale", "Tea")
    ]
    assert (shown["conversations"], shown["open_conversation_id"]) == (0, None)

    shown = (await file_of(world, demo, lin)).json()
    assert (shown["name"], shown["tags"], shown["owner"], shown["notes"]) == ("林", ["vip"], None, [])
    visitor = (await file_of(world, demo, demo.customer)).json()
    assert (visitor["anonymous"], visitor["conversations"]) == (True, 1)
    assert visitor["open_conversation_id"] == demo.conversation


async def test_pages_follow_each_other_without_holes_or_repeats(world: World, demo: Shop) -> None:
    ids = [await known(world, demo, f"n{i}") for i in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page = await listed(world, demo, limit=3, **({} if cursor is None else {"cursor": cursor}))
        seen += [each["id"] for each in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == sorted([*ids, demo.customer], reverse=True)
    bad = await world.ask("GET", "/v1/customers", who=(demo, Role.OWNER), params={"cursor": "bm8"})
    assert bad.json()["reason"] == "bad_cursor"


@pytest.mark.parametrize("wild", ["%", "_", "\\"])
async def test_a_text_is_no_pattern(world: World, demo: Shop, wild: str) -> None:
    await known(world, demo, "plain")
    odd = await known(world, demo, "odd")
    await world.db.execute("UPDATE customers SET name = $2 WHERE id = $1", odd, f"a{wild}b")
    assert [each["id"] for each in (await listed(world, demo, q=wild))["items"]] == [odd]


async def test_filters_hold_together(world: World, demo: Shop) -> None:
    both = await known(world, demo, "Both", tags=("vip", "late"))
    await known(world, demo, "Tagged", tags=("vip",))
    for name in ("Both", "Ordered"):
        order = {"customer_id": f"c-{name}", "state": "paid_unshipped", "changed_at": "2026-11-22T08:00:00Z"}
        await world.ask("PUT", f"/v1/orders/o-{name}", who=(demo, Role.OWNER), json=order)
    page = await listed(world, demo, tag="vip", order_state="paid_unshipped", owner="nobody")
    assert [each["id"] for each in page["items"]] == [both]
    assert (await listed(world, demo, owner="me"))["items"] == []
    assert (await listed(world, demo, owner=UNHEARD_OF))["items"] == []


async def test_tags_are_replaced_as_a_whole_and_each_stands_once(world: World, demo: Shop) -> None:
    lin = await known(world, demo, "Lin", tags=("old",))
    who = (demo, Role.SUPERVISOR)
    changed = await world.ask("PATCH", f"/v1/customers/id/{lin}", who=who, json={"tags": ["a", "b", "a"]})
    assert changed.json()["tags"] == ["a", "b"]
    assert (await file_of(world, demo, lin)).json()["tags"] == ["a", "b"]
    (row,) = await world.db.fetch("SELECT * FROM audit WHERE shop_id = $1 AND subject_id = $2", demo.id, lin)
    assert (row["before"], row["after"], row["actor_id"]) == (
        {"tags": ["old"]},
        {"tags": ["a", "b"]},
        demo.people[Role.SUPERVISOR],
    )


async def test_notes_are_kept_in_order_with_who_wrote_them(world: World, demo: Shop) -> None:
    lin = await known(world, demo, "Lin")
    for text in ("likes tea", "not on Mondays\nplease", "moved house"):
        made = await world.ask(
            "POST", f"/v1/customers/id/{lin}/notes", who=(demo, Role.SUPERVISOR), json={"text": text}
        )
        assert (made.status_code, made.json()["by"]["name"]) == (201, "demo supervisor")
    path = f"/v1/customers/id/{lin}/notes"
    first = (await world.ask("GET", path, who=(demo, Role.OWNER), params={"limit": 2})).json()
    rest = (await world.ask("GET", path, who=(demo, Role.OWNER), params={"cursor": first["cursor"]})).json()
    assert [note["text"] for note in first["items"] + rest["items"]] == [
        "moved house",
        "not on Mondays\nplease",
        "likes tea",
    ]
    assert (await file_of(world, demo, lin)).json()["notes"][0]["text"] == "moved house"


async def test_what_a_visitor_was_comes_with_them_when_they_are_recognised(world: World, demo: Shop) -> None:
    lin = await known(world, demo, "Lin")
    await world.ask(
        "POST",
        f"/v1/customers/id/{demo.customer}/notes",
        who=(demo, Role.SUPERVISOR),
        json={"text": "asked about tea"},
    )
    agent = demo.people[Role.AGENT]
    await world.db.execute("UPDATE customers SET owner_id = $2 WHERE id = $1", demo.customer, agent)
    await world.customers.merge(demo.id, demo.customer, lin)
    shown = (await file_of(world, demo, lin)).json()
    assert [note["text"] for note in shown["notes"]] == ["asked about tea"]
    assert shown["owner"]["id"] == agent


@pytest.mark.req("GP-03")
async def test_an_agent_edits_whom_they_look_after_and_no_others(world: World, demo: Shop) -> None:
    mine, other = await known(world, demo, "Mine"), await known(world, demo, "Other")
    agent = demo.people[Role.AGENT]
    await world.db.execute("UPDATE customers SET owner_id = $2 WHERE id = $1", mine, agent)
    who = (demo, Role.AGENT)
    allowed = await world.ask("PATCH", f"/v1/customers/id/{mine}", who=who, json={"tags": ["vip"]})
    assert allowed.json()["owner"] == {"kind": "agent", "id": agent, "name": "demo agent"}
    for method, path, body in (
        ("PATCH", f"/v1/customers/id/{other}", {"tags": ["vip"]}),
        ("POST", f"/v1/customers/id/{other}/notes", {"text": "hello"}),
    ):
        refused = await world.ask(method, path, who=who, json=body)
        assert (refused.status_code, refused.json()["reason"]) == (403, "out_of_scope")
    shown = (await file_of(world, demo, other)).json()
    assert (shown["tags"], shown["notes"]) == ([], []), "a refused try changes nothing"
    assert [row["reason"] for row in await world.refusals(demo)] == ["out_of_scope", "out_of_scope"]
    assert {each["id"] for each in (await listed(world, demo, Role.AGENT, owner="me"))["items"]} == {mine}


@pytest.mark.req("GP-03")
@pytest.mark.parametrize(
    "body",
    [
        {"to": None},
        {"to": None, "customer_ids": []},
        {"to": None, "customer_ids": [UNHEARD_OF], "filter": {}},
        {"customer_ids": [UNHEARD_OF]},
        {"to": "somebody", "customer_ids": [UNHEARD_OF]},
        {"to": None, "filter": {"owner": "who?"}},
    ],
)
async def test_a_reassignment_that_says_too_little_or_too_much_is_refused(
    world: World, demo: Shop, body: dict[str, Any]
) -> None:
    answer = await world.ask("POST", "/v1/customers/reassignments", who=(demo, Role.OWNER), json=body)
    assert answer.status_code == 422


@pytest.mark.req("GP-03")
async def test_customers_of_another_shop_are_nobody(world: World, demo: Shop, other: Shop) -> None:
    theirs = await known(world, other, "Theirs")
    answer = await world.ask(
        "POST",
        "/v1/customers/reassignments",
        who=(demo, Role.OWNER),
        json={"customer_ids": [theirs], "to": demo.people[Role.AGENT]},
    )
    job = answer.json()
    assert (job["done"], job["refused"], job["state"]) == (0, 1, "done")
    path = f"/v1/customers/reassignments/{job['id']}/refused"
    report = (await world.ask("GET", path, who=(demo, Role.OWNER))).json()
    assert report["items"] == [{"customer_id": theirs, "why": "not_found"}]
    assert (await world.customers.get(other.id, theirs)).owner_id is None
    foreign = await world.ask(
        "POST",
        "/v1/customers/reassignments",
        who=(demo, Role.OWNER),
        json={"customer_ids": [demo.customer], "to": other.people[Role.AGENT]},
    )
    assert (foreign.status_code, foreign.json()["reason"]) == (404, "account_not_found")


async def test_no_customer_at_all_is_a_job_that_is_done(world: World, demo: Shop) -> None:
    answer = await world.ask(
        "POST",
        "/v1/customers/reassignments",
        who=(demo, Role.OWNER),
        json={"filter": {"tag": "none has this"}, "to": None},
    )
    assert (answer.status_code, answer.json()["state"], answer.json()["total"]) == (202, "done", 0)


async def test_notes_of_different_people_at_once_are_all_kept(world: World, demo: Shop) -> None:
    lin = await known(world, demo, "Lin")
    texts = [f"note {new_id()}" for _ in range(8)]
    await asyncio.gather(
        *(
            world.ask("POST", f"/v1/customers/id/{lin}/notes", who=(demo, Role.OWNER), json={"text": text})
            for text in texts
        )
    )
    assert {note["text"] for note in (await file_of(world, demo, lin)).json()["notes"]} == set(texts)
