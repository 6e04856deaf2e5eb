"""The whole configuration of a shop as one file: out of one, into another, and what is refused (KS-23)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.ids import AccountId
from protocol.states import Role
from server.services.configuration.shapes import SECTIONS
from server.services.configuration.text import read
from tests.scenarios.audit_desk import KEPT, Desk
from tests.scenarios.house import House, Shop, until

pytestmark = pytest.mark.req("KS-23")
EXPORT, IMPORT, REHEARSE = (
    "GET /v1/settings/export",
    "POST /v1/settings/import",
    "POST /v1/settings/import?dry_run=true",
)
HOURS = {"start_minute": 540, "end_minute": 1080}


@pytest.fixture
async def desk(migrated_database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    """A shop on one node, with its owner at the settings."""
    house = await House.start(migrated_database_url, redis_url)
    desk = await Desk.of(house)
    yield desk
    await desk.http.aclose()
    await house.stop()


async def exported(desk: Desk, **who: Any) -> str:
    answer = await desk.ask(EXPORT, **who)
    assert answer.status_code == 200, answer.text
    return answer.text


async def furnished(desk: Desk) -> None:
    """Something other than the default on every page of the settings."""
    ann, north = desk.agent.id, desk.ids["group_id"]
    bo = (await desk.shop.account("Bo", Role.BOT)).id
    await desk.does("PUT /v1/groups/{group_id}/members/{account_id}")
    await desk.does("PUT /v1/roles/{role}", {"grants": {"conversation.view": "groups"}, "name": "主管"})
    desk.ids["role"] = "night_shift"
    await desk.does("PUT /v1/roles/{role}", {"grants": {"conversation.serve": "own"}, "rev": 0})
    policy = {"mode": "grouped", "order_state_groups": {"after_sale": [north]}, "bot": {"account": bo}}
    await desk.does("PUT /v1/settings/routing", {"policy": policy})
    week = [
        {"weekday": 0, **HOURS},
        {"weekday": 6, "start_minute": 1320, "end_minute": 1800, "group_id": north},
    ]
    await desk.does("PUT /v1/accounts/{account_id}/schedules", {"hours": week})
    await desk.does("PUT /v1/accounts/{account_id}/dates/{day}", {"hours": [HOURS], "note": "Eve"})
    holidays = [
        {"date": "2026-12-25", "name": "圣诞", "hours": [HOURS]},
        {"date": "2027-01-01", "name": "no"},
    ]
    await desk.does("PUT /v1/settings/holidays", {"holidays": holidays})
    await desk.does("PUT /v1/settings/files", {"kinds": ["image", "text"]})
    tags = [{"tag_id": "solved", "name": "已解决", "colour": "green"}]
    await desk.does("PUT /v1/settings/endings", {"rating_reasons": KEPT, "result_tags": tags})
    await desk.does("PUT /v1/settings/collaboration", {"watchers_max": 7})
    await desk.does("PUT /v1/settings/wall", {"thresholds": {"queued": {"warn": 3, "bad": 9}}})
    for name, conditions in (
        ("second", {"kind": "group", "any_of": [north]}),
        ("first", {"kind": "not", "of": {"kind": "keyword", "any_of": ["group", "yes"]}}),
    ):
        actions = [
            {"kind": "hand_on", "group_id": north},
            {"kind": "notify", "account_ids": [ann], "text": "two\nlines"},
        ]
        await desk.does(
            "POST /v1/rules",
            {
                "name": name,
                "conditions": conditions,
                "actions": actions,
                "valid_until": "2030-01-01T00:00:00.000Z",
            },
        )
    for shelf in ({"whose": "shop"}, {"whose": "group", "group_id": north}, {"whose": "own"}):
        reply = {
            **shelf,
            "shortcut": "hi",
            "title": "你好",
            "text": "您好，{customer}！\n请稍等",
            "folder": "a/b",
        }
        await desk.does("POST /v1/quick-replies", reply)
    await desk.does("PUT /v1/settings/widget", {"identity_mode": "report", "anonymous_allowed": True})
    await desk.does("PUT /v1/settings/origins/{surface}", {"origins": ["https://desk.example.com"]})


async def a_fresh_one(desk: Desk) -> Desk:
    """Another shop, in which only the same people are."""
    other = await Desk.of(desk.house)
    theirs: Shop = other.shop
    await theirs.account("Bo", Role.BOT)
    await other.does("DELETE /v1/groups/{group_id}")
    emails = {row.name: row.email for row in await desk.app.account_store.of_shop(desk.shop.id)}
    for row in await desk.app.account_store.of_shop(theirs.id):
        await desk.app.account_store.update(theirs.id, row.id, {"email": emails[row.name]})
    return other


def without_heading(text: str) -> str:
    return text[text.index("format:") :]


async def test_what_comes_out_of_one_shop_goes_into_a_fresh_one_and_comes_out_the_same(desk: Desk) -> None:
    await furnished(desk)
    text = await exported(desk)
    assert set(read(text).data) == {"format", *SECTIONS}
    other = await a_fresh_one(desk)

    shown = await other.does(REHEARSE, {"yaml": text})
    unchanged = without_heading(await exported(other))
    done = await other.does(IMPORT, {"yaml": text, "rev": shown["rev"]})

    assert without_heading(await exported(other)) == without_heading(text) != unchanged
    assert (shown["applied"], done["applied"]) == (False, True)
    assert shown["sections"] == done["sections"]
    assert {each["section"] for each in done["sections"]} == set(SECTIONS)
    again = await other.does(IMPORT, {"yaml": text})
    assert again["sections"] == [], "the same again changes nothing"
    await other.http.aclose()


async def test_every_section_is_in_the_history_with_who_brought_it(desk: Desk) -> None:
    await furnished(desk)
    text = await exported(desk)
    other = await a_fresh_one(desk)
    known = len(await other.records())
    await other.does(IMPORT, {"yaml": text})

    rows = (await other.records())[known:]
    assert {row.action.split(".")[0] for row in rows} == {
        "groups",
        "group_members",
        "roles",
        "shops",
        "schedules",
        "dated_days",
        "holidays",
        "file_settings",
        "wall_settings",
        "rules",
        "quick_replies",
        "shop_origins",
    }
    assert {(row.actor_id, row.source["request"]) for row in rows} == {(other.owner.id, IMPORT)}
    latest = (await other.does("GET /v1/settings/routing/history"))["items"][0]
    assert (latest["by"], latest["note"]) == (other.owner.id, "import")
    known = len(await other.records())
    await other.does(IMPORT, {"yaml": text})
    assert len(await other.records()) == known, "what stays as it is, is no change"
    await other.http.aclose()


async def test_no_secret_and_nothing_personal_is_in_it(desk: Desk) -> None:
    await furnished(desk)
    key = await desk.does("POST /v1/settings/identity-keys")
    await desk.does(
        "POST /v1/quick-replies", {"whose": "own", "shortcut": "mine", "title": "Mine", "text": "Mine"}
    )
    text = await exported(desk)
    for secret in (key["secret"], key["kid"], "argon2", "Mine"):
        assert secret not in text


async def test_what_is_brought_in_holds_at_once(desk: Desk) -> None:
    lily = await desk.shop.agent("Lily")
    email = (await desk.app.account_store.get(desk.shop.id, AccountId(lily.id))).email
    off = f"format: 1\nschedules:\n  {email}:\n    week:\n      mon: [00:00-00:01]\n"
    await desk.does(IMPORT, {"yaml": off})

    async def is_off() -> bool:
        return (await lily.card()).availability == "off_duty"

    await until(is_off, what="nobody on duty but in the first minute of Monday")


async def test_all_of_it_or_nothing(desk: Desk) -> None:
    before = await exported(desk)
    text = (
        "format: 1\n"
        "collaboration:\n  watchers_max: 9\n"
        "groups:\n  West:\n    members: [nobody@example.com]\n"
        "routing:\n  mode: both\n  offline_list: [also-nobody@example.com]\n"
    )
    refused = await desk.ask(IMPORT, {"yaml": text})
    assert (refused.status_code, refused.json()["reason"]) == (422, "invalid_configuration")
    assert [(each["field"], each["line"]) for each in refused.json()["errors"]] == [
        ("groups.West.members.0", 6),
        ("routing.offline_list.0", 9),
    ]
    assert await exported(desk) == before


WRONG: dict[str, tuple[str, str, int]] = {
    "format: 2": ("format", "Input should be 1", 1),
    "": ("", "there is nothing in it", 0),
    "format: 1\nmade_up: 1": ("made_up", "Extra inputs are not permitted", 2),
    "format: 1\nrouting:\n  wrap_up_s: -1": ("routing.wrap_up_s", "greater than or equal to 0", 3),
    "format: 1\ncollaboration:\n  watchers_max: 0": ("collaboration.watchers_max", "greater than", 3),
    "format: 1\nendings:\n  rating_reasons: []": ("endings.rating_reasons", "archive it instead", 3),
    "format: 1\nwall:\n  queued: {warn: 9, bad: 3}": ("wall.queued", "must not be below", 3),
    "format: 1\nfiles:\n  kinds: [image, hologram]": ("files.kinds.1", "does not take", 3),
    "format: 1\nholidays:\n  '2026-02-30': {name: x}": ("holidays.2026-02-30", "no such date", 3),
    "format: 1\nroles:\n  owner: {grants: {}}": ("roles.owner", "cannot be changed", 3),
    "format: 1\nroles:\n  x: {grants: {fly: all}}": ("roles.x.grants.fly", "no such right", 3),
    "format: 1\nrules:\n- name: x\n  conditions: {kind: keyword, any_of: [a]}\n  actions: []": (
        "rules.0.actions",
        "at least 1",
        5,
    ),
    "format: 1\nquick_replies:\n  shop:\n    'a b': {title: x, text: y}": (
        "quick_replies.shop.a b",
        "must not contain spaces",
        4,
    ),
    "format: 1\nquick_replies:\n  groups:\n    Nowhere: {}": ("quick_replies.groups.Nowhere", "no group", 4),
    "format: 1\nwidget:\n  identity_mode: 'off'\n  anonymous_allowed: false\n  origins: {widget: [], desk: []}": (
        "widget.anonymous_allowed",
        "nobody could come in",
        4,
    ),
    "format: 1\nschedules:\n  {email}:\n    week: {mon: [09:00-08:00]}": (
        "schedules.{email}.week",
        "must end after it begins",
        4,
    ),
    "format: 1\nschedules:\n  {email}:\n    week: {mon: [09:00-18:00 North]}": (
        "schedules.{email}.week.mon.0",
        "not in group North",
        4,
    ),
}


async def test_every_fault_is_told_with_its_place_and_line(desk: Desk) -> None:
    email = (await desk.app.account_store.get(desk.shop.id, desk.agent.id)).email
    for text, (place, problem, line) in WRONG.items():
        refused = await desk.ask(REHEARSE, {"yaml": text.replace("{email}", email)})
        assert refused.status_code == 422, text
        (fault, *_) = refused.json()["errors"]
        assert (fault["field"], fault.get("line", 0)) == (place.replace("{email}", email), line), text
        assert problem in fault["problem"], text


async def test_a_group_that_is_bound_is_not_left_out(desk: Desk) -> None:
    await furnished(desk)
    refused = await desk.ask(IMPORT, {"yaml": "format: 1\ngroups: {}"})
    assert "unbind it first" in refused.json()["errors"][0]["problem"]
    gone = "format: 1\ngroups: {}\nrouting: {}\nquick_replies: {}\nrules: []"
    await desk.does(IMPORT, {"yaml": gone})
    assert read(await exported(desk)).data["groups"] == {}


async def test_from_something_older_nothing_is_changed(desk: Desk) -> None:
    text = "format: 1\ncollaboration:\n  watchers_max: 9\n"
    shown = await desk.does(REHEARSE, {"yaml": text})
    await desk.does("PUT /v1/settings/files", {"kinds": ["image"]})
    refused = await desk.ask(IMPORT, {"yaml": text, "rev": shown["rev"]})
    assert (refused.status_code, refused.json()["reason"]) == (409, "stale_rev")


async def test_nobody_sees_or_changes_by_a_file_what_they_could_not_otherwise(desk: Desk) -> None:
    supervisor = await desk.somebody(Role.SUPERVISOR)
    seen = set(read(await exported(desk, who=supervisor)).data) - {"format"}
    assert seen == set(SECTIONS) - {"roles", "rules", "quick_replies"}
    boss = await desk.somebody(Role.SERVICE_ADMIN)
    roles = "format: 1\nroles:\n  mine: {grants: {integration.manage: all}}"
    refused = await desk.ask(IMPORT, {"yaml": roles}, who=boss)
    assert refused.json()["errors"][0]["field"] == "roles.mine.grants.integration.manage"
    harmless = "format: 1\nroles:\n  mine: {grants: {conversation.view: own}}"
    refused = await desk.ask(IMPORT, {"yaml": harmless}, who=boss)
    assert (refused.status_code, refused.json()["reason"]) == (403, "no_right")
    widget = (
        "format: 1\nwidget: {identity_mode: report, anonymous_allowed: true, origins: {widget: [], desk: []}}"
    )
    refused = await desk.ask(IMPORT, {"yaml": widget}, who=boss)
    assert refused.status_code == 403
