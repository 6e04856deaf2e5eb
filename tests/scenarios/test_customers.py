"""Customers have an owner; the list can be reassigned, singly and in bulk (GP-07), within everybody's scope (GP-03)."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from protocol.ids import AccountId, ConversationId, CustomerId, new_id
from protocol.rights import Reach, Right
from protocol.states import Role
from server.store.accounts import AccountRow
from tests.scenarios.house import House, Node, Shop, until

pytestmark = pytest.mark.req("GP-07")


@asynccontextmanager
async def http(shop: Shop, row: AccountRow, node: Node | None = None) -> AsyncGenerator[httpx.AsyncClient]:
    """The HTTP API of a node (the next one), with this account's access token."""
    node = node or shop.house.next_node()
    token = node.app.tokens.access(shop.id, row.id, row.roles, row.token_version)
    async with httpx.AsyncClient(
        base_url=node.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20
    ) as client:
        yield client


async def lead(shop: Shop, name: str, *groups: str) -> AccountRow:
    """Somebody who may give away the customers of the groups they are in."""
    if await shop.app.role_store.get(shop.id, "lead") is None:
        grants: dict[Right, Reach] = dict.fromkeys(
            (Right.CUSTOMER_VIEW, Right.CUSTOMER_EDIT, Right.CUSTOMER_ASSIGN, Right.VIEW), Reach.GROUPS
        )
        await shop.app.role_store.put(shop.id, "lead", name="Lead", grants=grants, expected_rev=0)
    return await shop.account(name, "lead", groups=groups)


async def customers(shop: Shop, *names: str, owner: AccountRow | None = None) -> list[str]:
    """Known customers of an owner; their ids."""
    ids = [(await shop.app.customer_store.put(shop.id, new_id(), name=name)).id for name in names]
    await shop.app.db.execute(
        "UPDATE customers SET owner_id = $2 WHERE id = ANY ($1)", ids, None if owner is None else owner.id
    )
    return list(ids)


async def owners(shop: Shop, ids: Sequence[str]) -> list[str | None]:
    """The names of the owners of these customers, in order."""
    rows = await shop.app.db.fetch(
        "SELECT c.id, a.name FROM customers c LEFT JOIN accounts a ON a.id = c.owner_id WHERE c.id = ANY ($1)",
        ids,
    )
    names = {row["id"]: row["name"] for row in rows}
    return [names[each] for each in ids]


async def done(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """A job when it is done."""

    async def finished() -> dict[str, Any] | None:
        answer = (await client.get(f"/v1/customers/reassignments/{job['id']}")).json()
        return answer if answer["state"] == "done" else None

    return await until(finished, what="the reassignment", within_s=60)


async def refused_of(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, str]:
    """The report of a job: customer -> why."""
    report: dict[str, str] = {}
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get(f"/v1/customers/reassignments/{job['id']}/refused", params=params)).json()
        report.update({each["customer_id"]: each["why"] for each in page["items"]})
        if page["cursor"] is None:
            return report
        params["cursor"] = page["cursor"]


async def test_one_customer_gets_an_owner_and_colleagues_who_serve_them_see_it(house: House) -> None:
    shop = await house.shop()
    boss = await shop.account("Boss", Role.SERVICE_ADMIN)
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    talk = await ada.opens("hello")
    before = await lily.sees(talk, owner=lily.id)
    assert before.customer.owner is None
    customers_revision = (await ada.asks("conversation.get", conversation_id=talk)).conversation.rev

    async with http(shop, boss) as client:
        answer = await client.post(
            "/v1/customers/reassignments", json={"customer_ids": [ada.id], "to": lily.id, "reason": "hers"}
        )
        assert (answer.status_code, answer.json()["state"], answer.json()["done"]) == (202, "done", 1)
        shown = (await client.get(f"/v1/customers/id/{ada.id}")).json()
    assert shown["owner"]["name"] == "Lily"
    assert shown["open_conversation_id"] == talk

    def knows() -> Any:
        known = lily.knows(talk)
        return known is not None and known.customer.owner is not None and known

    told = await until(knows, what="Lily's seeing whose customer it is")
    assert (told.customer.owner.name, told.rev > before.rev) == ("Lily", True)
    theirs = (await ada.asks("conversation.get", conversation_id=talk)).conversation
    assert (theirs.rev, theirs.customer.owner) == (customers_revision, None), "nothing for the customer"


async def test_what_another_node_remembered_is_put_right(house: House) -> None:
    """A node that had just looked at the customer tells of them as they were; the last word is the truth."""
    shop = await house.shop()
    boss = await shop.account("Boss", Role.SERVICE_ADMIN)
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    talk = await ada.opens("hello")
    await lily.sees(talk, owner=lily.id)
    for node in house.nodes:
        await node.app.names.customer(shop.id, CustomerId(ada.id))
    async with http(shop, boss, house.nodes[0]) as client:
        await client.post("/v1/customers/reassignments", json={"customer_ids": [ada.id], "to": lily.id})
    for node in house.nodes:
        row = await node.app.conversations.get(shop.id, ConversationId(talk))
        await node.app.delivery.changed_for_staff(row)

    def last_word() -> bool:
        known = lily.knows(talk)
        return known is not None and known.customer.owner is not None

    await until(last_word, what="the owner, in spite of what was remembered", within_s=12)
    row = await shop.app.conversations.get(shop.id, ConversationId(talk))
    await until(lambda: lily.has(talk).rev >= row.rev and last_word(), what="and it stays")


async def test_an_owner_does_not_change_who_serves(house: House) -> None:
    """Routing goes by its own rules: ownership is for those who look after customers between conversations."""
    shop = await house.shop()
    lily = await shop.agent("Lily", status="paused")
    kim = await shop.agent("Kim")
    ada = await shop.customer("Ada")
    await shop.app.db.execute("UPDATE customers SET owner_id = $2 WHERE id = $1", ada.id, lily.id)
    talk = await ada.opens("hello")
    seen = await kim.sees(talk, owner=kim.id)
    assert seen.customer.owner is not None
    assert seen.customer.owner.name == "Lily"


@pytest.mark.req("GP-03")
async def test_in_bulk_each_customer_is_judged_and_what_is_refused_is_reported_and_recorded(
    house: House,
) -> None:
    shop = await house.shop()
    await shop.group("North")
    await shop.group("South")
    head = await lead(shop, "Head", "North")
    lily = await shop.account("Lily", Role.AGENT, groups=("North",))
    nora = await shop.account("Nora", Role.AGENT, groups=("North",))
    sam = await shop.account("Sam", Role.AGENT, groups=("South",))
    ours = await customers(shop, "A", "B", owner=lily)
    nobodys = await customers(shop, "C")
    theirs = await customers(shop, "D", "E", "F", owner=sam)
    unknown = new_id()

    async with http(shop, head) as client:
        answer = await client.post(
            "/v1/customers/reassignments",
            json={
                "customer_ids": [*ours, *theirs, *nobodys, unknown],
                "to": nora.id,
                "reason": "Lily leaves",
            },
        )
        job = await done(client, answer.json())
        report = await refused_of(client, job)

    assert (job["total"], job["done"], job["refused"]) == (7, 3, 4)
    # Head does not see whom another department looks after: for them they do not exist.
    assert report == dict.fromkeys([*theirs, unknown], "not_found")
    assert await owners(shop, [*ours, *nobodys]) == ["Nora"] * 3
    assert await owners(shop, theirs) == ["Sam"] * 3, "a refused try changes nothing"
    (refusal,) = await shop.app.db.fetch(
        "SELECT actor_id, after, source FROM audit WHERE shop_id = $1 AND outcome = 'refused'", shop.id
    )
    assert (refusal["actor_id"], sorted(refusal["after"]["customer_ids"])) == (head.id, sorted(theirs))
    changes = await shop.app.db.fetch(
        "SELECT actor_id, subject_id, before, after FROM audit"
        " WHERE shop_id = $1 AND subject_kind = 'customer' AND outcome = 'done'",
        shop.id,
    )
    assert {row["subject_id"] for row in changes} == {*ours, *nobodys}
    assert {(row["actor_id"], row["after"]["owner_id"]) for row in changes} == {(head.id, nora.id)}


@pytest.mark.req("GP-03")
async def test_nobody_is_given_customers_out_of_reach_or_who_cannot_serve(house: House) -> None:
    shop = await house.shop()
    await shop.group("North")
    await shop.group("South")
    head = await lead(shop, "Head", "North")
    sam = await shop.account("Sam", Role.AGENT, groups=("South",))
    desk = await shop.account("Desk", Role.OPERATIONS, groups=("North",))
    mine = await customers(shop, "A")

    async with http(shop, head) as client:
        ask = {"customer_ids": mine, "reason": ""}
        far = await client.post("/v1/customers/reassignments", json={**ask, "to": sam.id})
        idle = await client.post("/v1/customers/reassignments", json={**ask, "to": desk.id})
        nobody = await client.post("/v1/customers/reassignments", json={**ask, "to": new_id()})
    assert (far.status_code, far.json()["reason"]) == (403, "out_of_scope")
    assert (idle.status_code, idle.json()["reason"]) == (409, "cannot_serve")
    assert (nobody.status_code, nobody.json()["reason"]) == (404, "account_not_found")
    assert await owners(shop, mine) == [None]
    recorded = await shop.app.db.fetch(
        "SELECT reason FROM audit WHERE shop_id = $1 AND outcome = 'refused' ORDER BY at", shop.id
    )
    assert [row["reason"] for row in recorded] == ["out_of_scope", "account_not_found"]


@pytest.mark.req("GP-03")
async def test_an_agent_may_reassign_nobody(house: House) -> None:
    shop = await house.shop()
    lily = await shop.account("Lily", Role.AGENT)
    mine = await customers(shop, "A", owner=lily)
    async with http(shop, lily) as client:
        refused = await client.post("/v1/customers/reassignments", json={"customer_ids": mine, "to": None})
    assert refused.status_code == 403
    assert await owners(shop, mine) == ["Lily"]


async def test_who_loses_the_right_meanwhile_changes_nothing_more(house: House) -> None:
    shop = await house.shop()
    boss = await shop.account("Boss", Role.SERVICE_ADMIN)
    lily = await shop.account("Lily", Role.AGENT)
    ids = await customers(shop, *(f"C{i}" for i in range(3)))
    work = shop.app.work.reassignments
    async with http(shop, boss) as client:
        job = (
            await client.post(
                "/v1/customers/reassignments", json={"filter": {"owner": "nobody"}, "to": lily.id}
            )
        ).json()
    assert job["done"] == 3
    # The same job, as if nothing of it had been done yet, and its author is an agent now.
    await shop.app.db.execute(
        "UPDATE reassignment_customers SET outcome = NULL, why = NULL WHERE reassignment_id = $1", job["id"]
    )
    await shop.app.db.execute(
        "UPDATE reassignments SET done = 0, refused = 0, state = 'running', finished_at = NULL, to_id = NULL"
        " WHERE id = $1",
        job["id"],
    )
    await shop.app.account_store.update(shop.id, boss.id, {"roles": frozenset({Role.AGENT})})
    await work.go_on()
    row = await until(lambda: _finished(shop, job["id"]), what="the job's end by whichever node", within_s=20)
    assert (row["done"], row["refused"]) == (0, 3)
    assert await owners(shop, ids) == ["Lily"] * 3


async def _finished(shop: Shop, job: str) -> Any:
    (row,) = await shop.app.db.fetch("SELECT * FROM reassignments WHERE id = $1", job)
    return row if row["state"] == "done" else None


@pytest.mark.req("GP-02")
async def test_the_list_shows_what_the_scope_reaches_and_filters_find_the_rest(house: House) -> None:
    shop = await house.shop()
    await shop.group("North")
    await shop.group("South")
    head = await lead(shop, "Head", "North")
    boss = await shop.account("Boss", Role.SERVICE_ADMIN)
    lily = await shop.agent("Lily", groups=("North",))
    sam = await shop.account("Sam", Role.AGENT, groups=("South",))
    lily_row = await shop.app.account_store.get(shop.id, AccountId(lily.id))
    hers = await customers(shop, "Ada", "Wilma", owner=lily_row)
    free = await customers(shop, "Cid")
    theirs = await customers(shop, "Dan", owner=sam)
    await shop.app.customer_store.put(
        shop.id,
        (await shop.app.customer_store.get(shop.id, CustomerId(hers[0]))).external_id or "",
        tags=("vip",),
    )

    async def listed(client: httpx.AsyncClient, **params: Any) -> set[str]:
        answer = await client.get("/v1/customers", params=params)
        assert answer.status_code == 200, answer.text
        return {each["name"] for each in answer.json()["items"]}

    async with http(shop, boss) as client:
        assert await listed(client) == {"Ada", "Wilma", "Cid", "Dan"}
        assert await listed(client, owner=lily.id) == {"Ada", "Wilma"}
        assert await listed(client, owner="nobody") == {"Cid"}
        assert await listed(client, tag="vip") == {"Ada"}
        assert await listed(client, q="LM") == {"Wilma"}
        first = (await client.get("/v1/customers", params={"limit": 3})).json()
        rest = (await client.get("/v1/customers", params={"limit": 3, "cursor": first["cursor"]})).json()
        assert [each["id"] for each in first["items"] + rest["items"]] == sorted(
            [*hers, *free, *theirs], reverse=True
        )
        assert rest["cursor"] is None
    async with http(shop, head) as client:
        assert await listed(client) == {"Ada", "Wilma", "Cid"}
        assert await listed(client, owner=sam.id) == set()
        hidden = await client.get(f"/v1/customers/id/{theirs[0]}")
        assert (hidden.status_code, hidden.json()["reason"]) == (404, "customer_not_found")


async def test_with_reach_own_one_sees_ones_own_and_whom_one_serves_now(house: House) -> None:
    shop = await house.shop()
    grants = {Right.CUSTOMER_VIEW: Reach.OWN, Right.CUSTOMER_EDIT: Reach.OWN}
    await shop.app.role_store.put(shop.id, "agent", name="", grants={
        **grants, Right.SERVE: Reach.OWN, Right.VIEW: Reach.OWN}, expected_rev=0)  # fmt: skip
    lily = await shop.agent("Lily")
    row = await shop.app.account_store.get(shop.id, AccountId(lily.id))
    await customers(shop, "Mine", owner=row)
    await customers(shop, "Nobody's")
    ada = await shop.customer("Ada")
    talk = await ada.opens("hello")
    await lily.sees(talk, owner=lily.id)

    async with http(shop, row) as client:
        page = (await client.get("/v1/customers")).json()
        assert {each["name"] for each in page["items"]} == {"Mine", "Ada"}
        edited = await client.patch(f"/v1/customers/id/{ada.id}", json={"tags": ["vip"]})
        assert edited.json()["tags"] == ["vip"]
    await until(lambda: lily.has(talk).customer.tags == ["vip"], what="Lily's seeing the tag")


async def bulk(shop: Shop, count: int, owner: AccountRow) -> None:
    """Many customers at once."""
    await shop.app.db.execute(
        """
        INSERT INTO customers (id, shop_id, external_id, name, anonymous, owner_id)
        SELECT gen_random_uuid(), $1, 'x' || n, 'X' || n, false, $2 FROM generate_series(1, $3::int) n
        """,
        shop.id,
        owner.id,
        count,
    )


async def test_five_thousand_customers_though_the_node_that_began_stops_in_the_middle(
    migrated_database_url: str, redis_url: str
) -> None:
    house = await House.start(migrated_database_url, redis_url, nodes=2, sweep_s=0.2)
    try:
        shop = await house.shop()
        boss = await shop.account("Boss", Role.SERVICE_ADMIN)
        lily = await shop.account("Lily", Role.AGENT)
        sam = await shop.account("Sam", Role.AGENT)
        await bulk(shop, 5_000, lily)
        first, second = house.nodes
        began = time.monotonic()
        async with http(shop, boss, first) as client:
            job = (
                await client.post(
                    "/v1/customers/reassignments", json={"filter": {"owner": lily.id}, "to": sam.id}
                )
            ).json()
        assert job["total"] == 5_000

        async def halfway() -> bool:
            return (await second.app.work.reassignments._store.get(shop.id, job["id"])).done >= 1_000

        await until(halfway, what="the middle")
        await first.stop()
        house.nodes.remove(first)
        async with http(shop, boss, second) as client:
            finished = await done(client, job)
        took_s = time.monotonic() - began
        assert (finished["done"], finished["refused"]) == (5_000, 0)
        rows = await second.app.db.fetch(
            "SELECT owner_id, count(*) AS n FROM customers WHERE shop_id = $1 GROUP BY owner_id", shop.id
        )
        assert [(row["owner_id"], row["n"]) for row in rows] == [(sam.id, 5_000)]
        audited = await second.app.db.fetch(
            "SELECT count(*) AS n FROM audit WHERE shop_id = $1 AND subject_kind = 'customer'", shop.id
        )
        assert audited[0]["n"] == 5_000, "each change of owner is recorded once"
        assert took_s < 60, f"5,000 customers took {took_s:.1f} s"
    finally:
        await house.stop()


async def test_two_bulks_over_the_same_customers_end_and_the_last_word_counts_for_each(house: House) -> None:
    shop = await house.shop()
    boss = await shop.account("Boss", Role.SERVICE_ADMIN)
    lily = await shop.account("Lily", Role.AGENT)
    sam = await shop.account("Sam", Role.AGENT)
    await bulk(shop, 600, lily)
    async with http(shop, boss) as one, http(shop, boss) as other:
        jobs = await asyncio.gather(
            one.post("/v1/customers/reassignments", json={"filter": {}, "to": sam.id}),
            other.post("/v1/customers/reassignments", json={"filter": {}, "to": None}),
        )
        ends = [await done(one, job.json()) for job in jobs]
    assert [(end["done"], end["refused"]) for end in ends] == [(600, 0), (600, 0)]
