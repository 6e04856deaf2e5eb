"""Quick replies over HTTP: who reads and writes which, what is refused, and many at once as a table."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from protocol.ids import AccountId, GroupId
from protocol.rights import Reach, Right
from protocol.states import Role
from tests.server.http.world import Shop, World

PATH = "/v1/quick-replies"
REPLY = {
    "folder": "售后/退款",
    "shortcut": "tk",
    "title": "退款多久到账",
    "text": "{customer}您好，三天内到账。",
}


@pytest.fixture
async def demo(world: World, demo: Shop) -> Shop:
    """The shop, without the quick reply that it has for the tests of rights."""
    await world.db.execute("DELETE FROM quick_replies WHERE shop_id = $1", demo.id)
    return demo


async def ask(
    world: World, shop: Shop, role: Role, method: str, path: str = "", body: Any = None, **options: Any
) -> httpx.Response:
    given = {} if body is None else {"json": body}
    return await world.ask(method, f"{PATH}{path}", who=(shop, role), **given, **options)


async def made(world: World, shop: Shop, role: Role = Role.ADMIN, **members: Any) -> dict[str, Any]:
    answer = await ask(world, shop, role, "POST", body={"whose": "shop", **REPLY, **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def shortcuts(world: World, shop: Shop, role: Role, purpose: str = "use") -> dict[str, bool]:
    listed = (await ask(world, shop, role, "GET", params={"for": purpose})).json()["items"]
    return {each["shortcut"]: each["editable"] for each in listed}


async def joins(world: World, shop: Shop, role: Role) -> None:
    await world.db.execute(
        "INSERT INTO group_members (shop_id, group_id, account_id) VALUES ($1, $2, $3)",
        shop.id,
        shop.group,
        shop.people[role],
    )


# --- one at a time ---------------------------------------------------------------------------------------------------
async def test_a_quick_reply_is_kept_in_order_and_found_by_pinyin(world: World, demo: Shop) -> None:
    reply = await made(world, demo, shortcut="/TK", folder=" 售后 / 退款 ")
    assert reply == {
        "id": reply["id"],
        "whose": "shop",
        "group_id": None,
        **REPLY,
        "pinyin": "tui kuan duo jiu dao zhang",
        "initials": "tkdjdz",
        "editable": True,
        "rev": 1,
        "changed_at": reply["changed_at"],
    }
    listed = (await ask(world, demo, Role.ADMIN, "GET")).json()
    assert listed == {"items": [reply], "rev": 1, "limits": {"shop": 1000, "group": 500, "own": 200}}


async def test_a_change_keeps_what_it_does_not_name_and_finds_the_new_title(world: World, demo: Shop) -> None:
    reply = await made(world, demo)
    answer = await ask(world, demo, Role.ADMIN, "PATCH", f"/{reply['id']}", {"rev": 1, "title": "发货"})
    changed = answer.json()
    assert changed == reply | {
        "title": "发货",
        "pinyin": "fa huo",
        "initials": "fh",
        "rev": 2,
        "changed_at": changed["changed_at"],
    }
    stale = await ask(world, demo, Role.ADMIN, "PATCH", f"/{reply['id']}", {"rev": 1, "title": "x"})
    assert (stale.status_code, stale.json()["reason"]) == (409, "stale_rev")
    assert (await ask(world, demo, Role.ADMIN, "DELETE", f"/{reply['id']}")).status_code == 204
    assert (await ask(world, demo, Role.ADMIN, "GET")).json()["items"] == []


async def test_without_a_shortcut_the_title_gives_one(world: World, demo: Shop) -> None:
    made_ones = [
        (await made(world, demo, shortcut="", title=title))["shortcut"] for title in ("发货", "发火", "😀")
    ]
    assert made_ones == ["fh", "fh2", "r"]


async def test_everything_wrong_is_said_at_once(world: World, demo: Shop) -> None:
    body = {
        "whose": "shop",
        "title": " ",
        "text": "{custmer}您好",
        "shortcut": "a b",
        "folder": "a/" * 9 + "b",
    }
    answer = await ask(world, demo, Role.ADMIN, "POST", body=body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_quick_reply")
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "body.title",
        "body.shortcut",
        "body.folder",
        "body.text",
    ]


@pytest.mark.parametrize("members", [{"whose": "group"}, {"whose": "shop", "group_id": "{group}"}])
async def test_a_group_is_named_for_a_groups_quick_reply_and_only_then(
    world: World, demo: Shop, members: dict[str, str]
) -> None:
    body = REPLY | {name: value.format(group=demo.group) for name, value in members.items()}
    answer = await ask(world, demo, Role.ADMIN, "POST", body=body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "one_shelf")


async def test_a_shortcut_stands_for_one_thing_on_its_shelf(world: World, demo: Shop) -> None:
    await made(world, demo)
    answer = await ask(world, demo, Role.ADMIN, "POST", body={"whose": "shop", **REPLY})
    assert (answer.status_code, answer.json()["reason"]) == (409, "shortcut_taken")
    await made(world, demo, whose="own")
    await made(world, demo, whose="group", group_id=demo.group)


# --- who -------------------------------------------------------------------------------------------------------------
@pytest.mark.req("GP-02", "GP-03")
async def test_agents_keep_their_own_and_change_nobody_elses(world: World, demo: Shop) -> None:
    of_shop = await made(world, demo, shortcut="shop")
    own = await made(world, demo, Role.AGENT, whose="own", shortcut="mine")
    assert await shortcuts(world, demo, Role.AGENT) == {"mine": True, "shop": False}
    for body in ({"whose": "shop", **REPLY}, {"whose": "group", "group_id": demo.group, **REPLY}):
        answer = await ask(world, demo, Role.AGENT, "POST", body=body)
        assert (answer.status_code, answer.json()["reason"]) == (403, "out_of_scope")
    for method, body in (("PATCH", {"rev": 1, "title": "x"}), ("DELETE", None)):
        answer = await ask(world, demo, Role.AGENT, method, f"/{of_shop['id']}", body)
        assert (answer.status_code, answer.json()["reason"]) == (403, "out_of_scope")
    # What somebody keeps for themselves does not exist for others, whatever their reach.
    for method, body in (("PATCH", {"rev": 1, "title": "x"}), ("DELETE", None)):
        assert (await ask(world, demo, Role.OWNER, method, f"/{own['id']}", body)).status_code == 404
    assert await shortcuts(world, demo, Role.OWNER, "edit") == {"shop": True}
    assert await shortcuts(world, demo, Role.AGENT) == {"mine": True, "shop": False}


@pytest.mark.req("GP-02")
async def test_a_groups_quick_replies_are_for_its_members(world: World, demo: Shop) -> None:
    await made(world, demo, whose="group", group_id=demo.group, shortcut="north")
    assert await shortcuts(world, demo, Role.AGENT) == {}
    await joins(world, demo, Role.AGENT)
    assert await shortcuts(world, demo, Role.AGENT) == {"north": False}
    # Who may change them and is no member is not offered them while writing.
    assert await shortcuts(world, demo, Role.ADMIN) == {}
    assert await shortcuts(world, demo, Role.ADMIN, "edit") == {"north": True}


@pytest.mark.req("GP-02", "GP-03")
async def test_a_lead_changes_those_of_their_groups(world: World, demo: Shop) -> None:
    grants = {Right.REPLIES: Reach.GROUPS}
    await world.node.role_store.put(demo.id, "lead", name="", grants=grants, expected_rev=0)
    lead = await world.accounts.add(
        demo.id, email="lead@demo.example", name="Lead", password_hash="", roles=frozenset({"lead"})
    )
    south = await world.groups.add(demo.id, name="South")
    await world.groups.add_member(demo.id, GroupId(demo.group), AccountId(lead.id))
    world.node.scope.forget(demo.id)
    token = world.tokens.access(demo.id, lead.id, lead.roles, 0)
    headers = {"Authorization": f"Bearer {token}"}
    answers = {
        whose: (await world.ask("POST", PATH, headers=headers, json=REPLY | body)).status_code
        for whose, body in {
            "own": {"whose": "own"},
            "own group": {"whose": "group", "group_id": demo.group},
            "other group": {"whose": "group", "group_id": south.id},
            "shop": {"whose": "shop"},
        }.items()
    }
    assert answers == {"own": 201, "own group": 201, "other group": 403, "shop": 403}
    listed = (await world.ask("GET", PATH, headers=headers)).json()["items"]
    assert {(each["whose"], each["editable"]) for each in listed} == {("own", True), ("group", True)}


@pytest.mark.req("GP-03")
async def test_another_shops_group_has_no_shelf_here(world: World, demo: Shop, other: Shop) -> None:
    body = {"whose": "group", "group_id": other.group, **REPLY}
    assert (await ask(world, demo, Role.OWNER, "POST", body=body)).json()["reason"] == "group_not_found"
    params = {"whose": "group", "group_id": other.group}
    assert (await ask(world, demo, Role.OWNER, "GET", "/table", params=params)).status_code == 404


# --- as a table ------------------------------------------------------------------------------------------------------
async def test_a_table_comes_in_whole_goes_out_and_comes_in_again(world: World, demo: Shop) -> None:
    table = "快捷词,标题,内容,分类\nfh,发货,今天发货,售前\ntk,退款,三天内到账,\n"
    body: dict[str, Any] = {"whose": "shop", "csv": table}
    rehearsed = await ask(world, demo, Role.ADMIN, "POST", "/table", {**body, "dry_run": True})
    assert rehearsed.json() == {"added": 2, "changed": 0, "same": 0}
    assert await shortcuts(world, demo, Role.ADMIN) == {}
    assert (await ask(world, demo, Role.ADMIN, "POST", "/table", body)).json() == rehearsed.json()
    out = await ask(world, demo, Role.ADMIN, "GET", "/table", params={"whose": "shop"})
    assert out.headers["content-type"] == "text/csv; charset=utf-8"
    assert out.text == "\ufeffshortcut,title,text,folder\r\ntk,退款,三天内到账,\r\nfh,发货,今天发货,售前\r\n"
    again = out.text.replace("今天", "明天") + "x,新,新的,\r\n"
    brought = await ask(world, demo, Role.ADMIN, "POST", "/table", {"whose": "shop", "csv": again})
    assert brought.json() == {"added": 1, "changed": 1, "same": 1}
    assert await shortcuts(world, demo, Role.ADMIN) == {"fh": True, "tk": True, "x": True}


async def test_a_table_with_faults_changes_nothing_and_says_each_line(world: World, demo: Shop) -> None:
    table = "shortcut,title,text\nok,Fine,fine\na b,No,x\nok,Twice,{custmer}\n"
    answer = await ask(world, demo, Role.ADMIN, "POST", "/table", {"whose": "shop", "csv": table})
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_table")
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "line.3.shortcut",
        "line.4.text",
        "line.4.shortcut",
    ]
    assert await shortcuts(world, demo, Role.ADMIN) == {}


async def test_a_table_may_be_larger_than_other_bodies_and_has_a_limit_too(world: World, demo: Shop) -> None:
    lines = "".join(f"s{n},Title {n},{'x' * 900}\n" for n in range(500))
    body = {"whose": "shop", "csv": f"shortcut,title,text\n{lines}"}
    assert (await ask(world, demo, Role.ADMIN, "POST", "/table", body)).json()["added"] == 500
    too_large = {"whose": "shop", "csv": "x" * 2 * 1024 * 1024}
    assert (await ask(world, demo, Role.ADMIN, "POST", "/table", too_large)).status_code == 413


@pytest.mark.req("GP-02", "GP-03")
async def test_agents_bring_a_table_of_their_own_only(world: World, demo: Shop) -> None:
    table = {"csv": "shortcut,title,text\na,A,a\n"}
    own = await ask(world, demo, Role.AGENT, "POST", "/table", {"whose": "own", **table})
    assert own.json()["added"] == 1
    for method, options in (
        ("POST", {"body": {"whose": "shop", **table}}),
        ("GET", {"params": {"whose": "shop"}}),
    ):
        answer = await ask(world, demo, Role.AGENT, method, "/table", **options)
        assert (answer.status_code, answer.json()["reason"]) == (403, "out_of_scope")
