"""Routing settings: validated whole, from a known revision, with a history, in force at once (KS-23)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from protocol.states import OrderState, Role
from tests.server.http.world import Shop, World

PATH = "/v1/settings/routing"


async def put(
    world: World, shop: Shop, policy: dict[str, Any], rev: int = 1, **options: Any
) -> httpx.Response:
    body = {"rev": rev, "policy": policy, "note": options.pop("note", "")}
    return await world.ask(
        "PUT", PATH, who=(shop, options.pop("role", Role.SERVICE_ADMIN)), json=body, **options
    )


async def current(world: World, shop: Shop) -> dict[str, Any]:
    return (await world.ask("GET", PATH, who=(shop, Role.OWNER))).json()


@pytest.mark.req("KS-23")
async def test_a_change_holds_at_once_and_live_routing_hears_of_it(world: World, demo: Shop) -> None:
    changed = await put(world, demo, {"wrap_up_s": 60, "default_capacity": 7})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    now = await current(world, demo)
    assert (now["rev"], now["policy"]["wrap_up_s"], now["policy"]["default_capacity"]) == (2, 60, 7)
    assert world.told.calls == [("policy_changed", demo.id)]


@pytest.mark.req("KS-23")
async def test_every_change_is_recorded_with_who_when_and_what(world: World, demo: Shop) -> None:
    await put(world, demo, {"wrap_up_s": 60}, note="shorter, for the sale")
    await put(world, demo, {"wrap_up_s": 60, "offline_after_s": {"web": 30}}, rev=2, role=Role.OWNER)
    history = (await world.ask("GET", f"{PATH}/history", who=(demo, Role.SUPERVISOR))).json()
    second, first = history["items"]
    assert (first["rev"], first["by"], first["note"]) == (
        2,
        demo.people[Role.SERVICE_ADMIN],
        "shorter, for the sale",
    )
    assert first["diff"] == [{"field": "wrap_up_s", "before": 1200, "after": 60}]
    assert first["before"]["wrap_up_s"] == 1200
    assert second["diff"] == [{"field": "offline_after_s.web", "before": 60, "after": 30}]
    assert first["at"] <= second["at"]


async def test_the_history_comes_in_pages(world: World, demo: Shop) -> None:
    for rev in range(1, 6):
        await put(world, demo, {"wrap_up_s": rev}, rev=rev)
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await world.ask("GET", f"{PATH}/history?limit=2{cursor}", who=(demo, Role.OWNER))).json()
        seen += [change["rev"] for change in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert seen == [6, 5, 4, 3, 2]


CONTRADICTIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "offline routing without a list": ({"offline_routing": True}, {"policy.offline_list"}),
    "a bot that is nobody": ({"bot": {"enabled": True}}, {"policy.bot.account"}),
    "a wrap-up that is too long": ({"wrap_up_s": 7201}, {"policy.wrap_up_s"}),
    "a mode that does not exist": ({"mode": "both"}, {"policy.mode"}),
    "a group that does not exist": (
        {"order_state_groups": {"after_sale": ["nowhere"]}},
        {"policy.order_state_groups.after_sale"},
    ),
    "a setting that does not exist": ({"magic": 1}, {"policy.magic"}),
    "a time zone that does not exist": ({"timezone": "Mars/North"}, {"policy.timezone"}),
    "several at once": (
        {"wrap_up_s": -1, "default_capacity": 0, "offline_routing": True},
        {"policy.wrap_up_s", "policy.default_capacity", "policy.offline_list"},
    ),
}


@pytest.mark.req("KS-23")
@pytest.mark.parametrize("case", CONTRADICTIONS, ids=lambda case: case)
async def test_contradictory_settings_are_refused_whole_with_every_fault(
    world: World, demo: Shop, case: str
) -> None:
    policy, fields = CONTRADICTIONS[case]
    answer = await put(world, demo, {"recall_within_s": 5, **policy})
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_settings")
    assert {fault["field"] for fault in answer.json()["errors"]} == fields
    assert all(fault["problem"] for fault in answer.json()["errors"])
    now = await current(world, demo)
    assert (now["rev"], now["policy"]["recall_within_s"]) == (1, 120), "nothing of it was taken"
    assert world.told.calls == []


async def test_whoever_was_slower_is_told_so(world: World, demo: Shop) -> None:
    answers = await asyncio.gather(*(put(world, demo, {"wrap_up_s": second}) for second in range(1, 9)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["reason"] for answer in answers if answer.status_code == 409} == {"stale_rev"}
    assert (await current(world, demo))["rev"] == 2


async def test_the_etag_of_another_revision_is_refused(world: World, demo: Shop) -> None:
    answer = await put(world, demo, {}, headers={"If-Match": '"7"'})
    assert (answer.status_code, answer.json()["reason"]) == (412, "etag_mismatch")


async def test_the_same_settings_again_change_and_record_nothing(world: World, demo: Shop) -> None:
    assert (await put(world, demo, {})).json()["rev"] == 1
    assert (await world.ask("GET", f"{PATH}/history", who=(demo, Role.OWNER))).json()["items"] == []


@pytest.mark.req("KS-06", "KS-14")
async def test_warnings_name_unbound_states_and_void_entries(world: World, demo: Shop) -> None:
    agent = demo.people[Role.AGENT]
    await put(
        world,
        demo,
        {
            "mode": "grouped",
            "order_state_groups": {"after_sale": [demo.group]},
            "offline_routing": True,
            "offline_list": [agent],
        },
    )
    await world.ask("PATCH", f"/v1/accounts/{agent}", who=(demo, Role.SERVICE_ADMIN), json={"excluded": True})
    warnings = (await world.ask("GET", f"{PATH}/warnings", who=(demo, Role.OWNER))).json()["items"]
    unbound = {warning["about"] for warning in warnings if warning["word"] == "unbound_order_state"}
    assert unbound == set(OrderState) - {OrderState.AFTER_SALE}
    assert [warning["about"] for warning in warnings if warning["word"] == "void_when_excluded"] == [agent]


async def test_a_group_in_use_is_not_deleted(world: World, demo: Shop) -> None:
    await put(world, demo, {"order_state_groups": {"after_sale": [demo.group]}})
    path = f"/v1/groups/{demo.group}"
    refused = await world.ask("DELETE", path, who=(demo, Role.OWNER))
    assert (refused.status_code, refused.json()["reason"]) == (409, "group_in_use")
    await put(world, demo, {}, rev=2)
    assert (await world.ask("DELETE", path, who=(demo, Role.OWNER))).status_code == 204


# --- dry run ---------------------------------------------------------------------------------------------------------
async def dry_run(world: World, shop: Shop, **described: Any) -> dict[str, Any]:
    answer = await world.ask("POST", "/v1/routing/dry-run", who=(shop, Role.SUPERVISOR), json=described)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.req("KS-05", "KS-22")
async def test_a_dry_run_says_who_would_be_tried_and_why(world: World, demo: Shop) -> None:
    grouped = {"mode": "grouped", "order_state_groups": {"after_sale": [demo.group]}}
    await put(world, demo, grouped)
    recently = "2099-01-01T00:00:00Z"
    run = await dry_run(
        world,
        demo,
        orders=[{"order_id": "o-1", "state": "after_sale", "changed_at": recently}],
        last_contact={"account_id": demo.people[Role.AGENT], "at": recently},
    )
    assert (run["order_state"], run["order_id"], run["returning"]) == ("after_sale", "o-1", True)
    assert [tier["reason"] for tier in run["tiers"]] == [
        "last_agent",
        "order_state_group",
        "any_online",
        "owner_fallback",
        "queue_pool",
    ]
    assert run["tiers"][0]["agent"] == demo.people[Role.AGENT]
    assert run["tiers"][1]["groups"] == [demo.group]
    assert run["tiers"][1]["hold"] is True
    assert run["tiers"][-1]["pool"] == "after_sale"


async def test_a_dry_run_tries_proposed_settings_and_changes_nothing(world: World, demo: Shop) -> None:
    proposed = {"offline_routing": True, "offline_list": [demo.people[Role.AGENT]]}
    run = await dry_run(world, demo, policy=proposed)
    assert "offline_list" in [tier["reason"] for tier in run["tiers"]]
    assert (await current(world, demo))["rev"] == 1
    bad = {"policy": {"offline_routing": True}}
    refused = await world.ask("POST", "/v1/routing/dry-run", who=(demo, Role.OWNER), json=bad)
    assert refused.json()["reason"] == "invalid_settings"


@pytest.mark.req("KS-15")
async def test_a_dry_run_knows_new_customers(world: World, demo: Shop) -> None:
    run = await dry_run(
        world,
        demo,
        first_paid_at="2099-01-01T00:00:00Z",
        last_bought_at="2099-01-02T00:00:00Z",
        policy={"new_customer_priority": True},
    )
    assert (run["new_customer"], run["priority"]) == (True, True)
