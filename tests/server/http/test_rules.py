"""Rules over HTTP: written, refused with every fault, ordered, tried out, and what they did (CO-07)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from protocol.ids import new_id
from protocol.states import Role
from server.store.rules import Rules
from server.store.timers import Timers
from tests.server.http.world import Shop, World

PATH = "/v1/rules"
KEYWORD = {"kind": "keyword", "any_of": ["refund", "退款"]}
NOTE = {"kind": "note", "text": "look at it"}
RULE: dict[str, Any] = {"name": "money", "conditions": KEYWORD, "actions": [NOTE]}
AT = "2026-11-22T08:00:00.000Z"


@pytest.fixture
async def demo(world: World, demo: Shop) -> Shop:
    """The shop, without the rule that it has for the tests of rights."""
    await world.db.execute("DELETE FROM rules WHERE shop_id = $1", demo.id)
    return demo


@pytest.fixture
async def other(world: World, other: Shop) -> Shop:
    """Another one, without a rule too."""
    await world.db.execute("DELETE FROM rules WHERE shop_id = $1", other.id)
    return other


async def ask(
    world: World, shop: Shop, method: str, path: str = "", body: Any = None, *, role: Role = Role.ADMIN
) -> httpx.Response:
    given = {} if body is None else {"json": body}
    return await world.ask(method, f"{PATH}{path}", who=(shop, role), **given)


async def made(world: World, shop: Shop, **members: Any) -> dict[str, Any]:
    answer = await ask(world, shop, "POST", body=RULE | members)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def names(world: World, shop: Shop) -> list[str]:
    return [rule["name"] for rule in (await ask(world, shop, "GET")).json()["items"]]


@pytest.mark.req("CO-07")
async def test_a_rule_is_kept_as_it_was_written(world: World, demo: Shop) -> None:
    rule = await made(world, demo, cooldown_s=60, valid_from=AT, valid_until="2026-11-23T08:00:00.000Z")
    assert rule == {
        "id": rule["id"],
        "subject": "conversation",
        "position": 1,
        "name": "money",
        "enabled": True,
        "conditions": KEYWORD,
        "actions": [NOTE],
        "cooldown_s": 60,
        "valid_from": AT,
        "valid_until": "2026-11-23T08:00:00.000Z",
        "rev": 1,
        "created_at": rule["created_at"],
        "changed_at": rule["created_at"],
    }
    assert (await ask(world, demo, "GET", f"/{rule['id']}")).json() == rule
    assert (await ask(world, demo, "GET")).json() == {"items": [rule]}


@pytest.mark.req("CO-07")
async def test_a_contradictory_rule_is_refused_whole_with_every_fault(world: World, demo: Shop) -> None:
    answer = await ask(
        world,
        demo,
        "POST",
        body=RULE
        | {
            "conditions": {
                "kind": "all",
                "of": [
                    {"kind": "state", "any_of": ["active"]},
                    {"kind": "in_queue", "longer_than_s": 60},
                    {"kind": "group", "any_of": [new_id()]},
                ],
            },
            "actions": [
                {"kind": "hand_on", "group_id": new_id()},
                {"kind": "notify", "account_ids": [demo.people[Role.BOT]], "text": "x"},
            ],
        },
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [
        "rule.conditions.of.2.any_of",
        "rule.conditions.of",
        "rule.actions.0.group_id",
        "rule.actions.1.account_ids",
    ]
    assert await names(world, demo) == []


@pytest.mark.req("CO-07")
async def test_a_change_says_what_it_was_made_from(world: World, demo: Shop) -> None:
    rule = await made(world, demo, cooldown_s=60)
    path = f"/{rule['id']}"
    changed = (await ask(world, demo, "PATCH", path, {"rev": 1, "enabled": False, "cooldown_s": None})).json()
    assert (changed["rev"], changed["enabled"], changed["cooldown_s"]) == (2, False, None)
    assert changed["conditions"] == KEYWORD, "what is absent stays"
    stale = await ask(world, demo, "PATCH", path, {"rev": 1, "enabled": True})
    assert (stale.status_code, stale.json()["reason"]) == (409, "stale_rev")
    unfit = await ask(world, demo, "PATCH", path, {"rev": 2, "actions": []})
    assert (unfit.status_code, unfit.json()["errors"][0]["field"]) == (422, "rule.actions")
    assert (await ask(world, demo, "DELETE", path)).status_code == 204
    assert (await ask(world, demo, "GET", path)).status_code == 404
    assert (await ask(world, demo, "DELETE", path)).status_code == 404


@pytest.mark.req("CO-07")
async def test_rules_are_in_the_order_that_they_are_put_into(world: World, demo: Shop) -> None:
    first, second, third = [await made(world, demo, name=name) for name in ("first", "second", "third")]
    ids = [third["id"], first["id"], second["id"]]
    ordered = (await ask(world, demo, "POST", "/order", {"ids": ids})).json()["items"]
    assert [(rule["name"], rule["position"]) for rule in ordered] == [
        ("third", 1),
        ("first", 2),
        ("second", 3),
    ]
    assert await names(world, demo) == ["third", "first", "second"]
    for wrong in (ids[:2], [*ids, ids[0]], [*ids[:2], new_id()]):
        refused = await ask(world, demo, "POST", "/order", {"ids": wrong})
        assert (refused.status_code, refused.json()["reason"]) == (409, "other_rules")


@pytest.mark.req("CO-07")
async def test_the_number_of_rules_is_bounded(
    world: World, demo: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.services.rules.MOST_RULES", 2)
    await made(world, demo)
    await made(world, demo)
    refused = await ask(world, demo, "POST", body=RULE)
    assert (refused.status_code, refused.json()["reason"]) == (409, "too_many_rules")


@pytest.mark.req("CO-07")
async def test_a_dry_run_on_a_described_conversation_says_what_would_be_and_why(
    world: World, demo: Shop
) -> None:
    waits = {
        "kind": "all",
        "of": [{"kind": "customer_waits", "longer_than_s": 300}, {"kind": "customer_tag", "any_of": ["vip"]}],
    }
    facts = {
        "said": ["我要退款"],
        "words": {"customer_tag": ["vip"]},
        "lasted_s": {"customer_waits": 60},
        "at": AT,
    }
    body = {"facts": facts, "rule": RULE | {"conditions": waits}}
    ran = (await ask(world, demo, "POST", "/dry-run", body)).json()
    (tried,) = ran["rules"]
    assert (tried["holds"], tried["fires"]) == (False, False)
    assert tried["next_look_at"] == "2026-11-22T08:04:00.000Z"
    assert [(each["path"], each["kind"], each["found"], each["holds"]) for each in tried["findings"]] == [
        ("", "all", 1, False),
        ("of.0", "customer_waits", 60, False),
        ("of.1", "customer_tag", ["vip"], True),
    ]
    (tried,) = (await ask(world, demo, "POST", "/dry-run", {"facts": facts, "rule": RULE})).json()["rules"]
    assert (tried["holds"], tried["fires"], tried["actions"]) == (True, True, [NOTE])
    assert await names(world, demo) == [], "nothing was made by it"


@pytest.mark.req("CO-07")
async def test_a_dry_run_on_a_conversation_tries_all_rules_and_does_nothing(world: World, demo: Shop) -> None:
    waiting = {"kind": "state", "any_of": ["queued"]}
    on = await made(world, demo, name="on", conditions=waiting)
    await made(world, demo, name="off", conditions=waiting, enabled=False)
    await made(world, demo, name="other", conditions=KEYWORD)
    ran = (await ask(world, demo, "POST", "/dry-run", {"conversation_id": demo.conversation})).json()
    assert [(rule["name"], rule["holds"], rule["fires"]) for rule in ran["rules"]] == [
        ("on", True, True),
        ("off", True, False),
        ("other", False, False),
    ]
    one = {"conversation_id": demo.conversation, "rule_id": on["id"]}
    assert len((await ask(world, demo, "POST", "/dry-run", one)).json()["rules"]) == 1
    log = await world.db.fetch("SELECT FROM messages WHERE conversation_id = $1", demo.conversation)
    assert log == []
    assert (await ask(world, demo, "GET", f"/{on['id']}/firings")).json() == {"items": [], "cursor": None}


@pytest.mark.req("CO-07")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "one_subject"),
        ({"facts": {"at": AT}, "conversation_id": new_id()}, "one_subject"),
        ({"facts": {"at": AT}, "rule": RULE, "rule_id": new_id()}, "one_rule"),
        ({"facts": {"at": AT, "numbers": {"moons": 1}}}, "unknown_fact"),
        ({"facts": {"at": AT}, "rule": RULE | {"actions": []}}, "invalid_rule"),
    ],
)
async def test_what_cannot_be_tried(world: World, demo: Shop, body: dict[str, Any], reason: str) -> None:
    refused = await ask(world, demo, "POST", "/dry-run", body)
    assert (refused.status_code, refused.json()["reason"]) == (422, reason)


@pytest.mark.req("CO-07")
async def test_what_a_rule_fired_is_told_latest_first_and_outlives_it(world: World, demo: Shop) -> None:
    rule = await made(world, demo)
    store = Rules(world.db, Timers(world.db))
    row = await store.get(demo.id, rule["id"])
    begun = [
        await store.begin(row, new_id(), times=0, matched=[], given={"assign_epoch": 0}) for _ in range(3)
    ]
    assert begun[0] is not None
    await store.finish(begun[0], [{"kind": "note", "outcome": "done"}])
    path = f"/{rule['id']}/firings"
    first = (await ask(world, demo, "GET", f"{path}?limit=2")).json()
    rest = (await ask(world, demo, "GET", f"{path}?limit=2&cursor={first['cursor']}")).json()
    told = [*first["items"], *rest["items"]]
    assert [each["id"] for each in told] == [each.id for each in reversed(begun) if each]
    assert (told[2]["outcomes"], told[2]["done_at"] is None) == ([{"kind": "note", "outcome": "done"}], False)
    assert (told[0]["outcomes"], told[0]["done_at"], told[0]["actions"]) == ([], None, [NOTE])
    await ask(world, demo, "DELETE", f"/{rule['id']}")
    assert len((await ask(world, demo, "GET", path)).json()["items"]) == 3


@pytest.mark.req("CO-07", "GP-03")
async def test_rules_are_for_those_with_the_right_and_of_ones_own_shop(
    world: World, demo: Shop, other: Shop
) -> None:
    rule = await made(world, demo)
    for role in (Role.AGENT, Role.SUPERVISOR, Role.OPERATIONS):
        assert (await ask(world, demo, "GET", role=role)).status_code == 403
    for method, path, body in (
        ("GET", f"/{rule['id']}", None),
        ("PATCH", f"/{rule['id']}", {"rev": 1, "enabled": False}),
        ("DELETE", f"/{rule['id']}", None),
        ("GET", f"/{rule['id']}/firings", None),
        ("POST", "/dry-run", {"facts": {"at": AT}, "rule_id": rule["id"]}),
        ("POST", "/dry-run", {"conversation_id": demo.conversation}),
    ):
        assert (await ask(world, other, method, path, body)).status_code == 404, (method, path)
    assert await names(world, other) == []
    assert (await ask(world, demo, "GET", f"/{rule['id']}")).json()["rev"] == 1


@pytest.mark.req("CO-07", "KS-23")
async def test_changes_of_rules_are_in_the_audit(world: World, demo: Shop) -> None:
    rule = await made(world, demo)
    await ask(world, demo, "PATCH", f"/{rule['id']}", {"rev": 1, "enabled": False})
    rows = await world.db.fetch(
        "SELECT action, actor_id, before, after FROM audit WHERE shop_id = $1 AND subject_id = $2 ORDER BY at, id",
        demo.id,
        rule["id"],
    )
    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("rules.added", demo.people[Role.ADMIN]),
        ("rules.changed", demo.people[Role.ADMIN]),
    ]
    assert (rows[1]["before"], rows[1]["after"]) == ({"enabled": True}, {"enabled": False})


@pytest.mark.req("CO-07")
async def test_a_rule_of_another_version_of_the_server_harms_no_other(world: World, demo: Shop) -> None:
    known, unknown = await made(world, demo, name="known"), await made(world, demo, name="unknown")
    await world.db.execute(
        """UPDATE rules SET conditions = '{"kind": "phase_of_the_moon"}' WHERE id = $1""", unknown["id"]
    )
    assert await names(world, demo) == ["known", "unknown"]
    facts = {"facts": {"at": AT}}
    tried = (await ask(world, demo, "POST", "/dry-run", facts)).json()["rules"]
    assert [each["rule_id"] for each in tried] == [known["id"]]
    alone = await ask(world, demo, "POST", "/dry-run", facts | {"rule_id": unknown["id"]})
    assert (alone.status_code, alone.json()["reason"]) == (409, "unknown_rule")
