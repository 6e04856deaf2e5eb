"""Rules and firings in the database: claimed once, whoever tries (CO-07)."""

import asyncio
from typing import Any

import pytest

from protocol.ids import ConversationId, new_id
from server.store.database import Database
from server.store.rule_facts import LOOK, RuleFacts
from server.store.rules import FIRING, RuleRow, Rules
from server.store.timers import Timers
from tests.server.store.world import World

CONTENT: dict[str, Any] = {
    "subject": "conversation",
    "name": "a rule",
    "enabled": True,
    "conditions": {"kind": "keyword", "any_of": ["x"]},
    "actions": [{"kind": "note", "text": "x"}],
    "cooldown_s": None,
    "valid_from_ms": None,
    "valid_until_ms": None,
}


@pytest.fixture
def rules(db: Database) -> Rules:
    return Rules(db, Timers(db))


@pytest.fixture
async def rule(world: World, rules: Rules) -> RuleRow:
    return await rules.add(world.shop, CONTENT, most=10)


def begin(rules: Rules, rule: RuleRow, subject: str, times: int = 0) -> Any:
    return rules.begin(rule, subject, times=times, matched=[], given={})


@pytest.mark.req("CO-07")
async def test_of_many_nodes_that_find_a_rule_to_hold_one_fires_it(
    world: World, rules: Rules, rule: RuleRow
) -> None:
    begun = await asyncio.gather(*(begin(rules, rule, world.talk) for _ in range(10)))
    assert sum(each is not None for each in begun) == 1


@pytest.mark.req("CO-07")
async def test_a_later_occasion_is_another_firing(world: World, rules: Rules, rule: RuleRow) -> None:
    assert (await begin(rules, rule, world.talk, 0)).occasion == 1
    assert await begin(rules, rule, world.talk, 0) is None
    assert (await begin(rules, rule, world.talk, 1)).occasion == 2


@pytest.mark.req("CO-07")
async def test_a_rule_that_is_off_or_gone_fires_no_more(world: World, rules: Rules, rule: RuleRow) -> None:
    off = await rules.change(world.shop, rule.id, {**CONTENT, "enabled": False}, expected_rev=1)
    assert await begin(rules, off, world.talk) is None
    await rules.delete(world.shop, rule.id)
    assert await begin(rules, rule, world.talk) is None


@pytest.mark.req("CO-07")
async def test_what_is_begun_is_due_to_be_finished_until_it_is(
    world: World, rules: Rules, rule: RuleRow
) -> None:
    firing = await begin(rules, rule, world.talk)
    (due,) = await world.db.fetch("SELECT kind, subject_id, due_at FROM timers")
    assert (due["kind"], due["subject_id"]) == (FIRING, firing.id)
    assert due["due_at"] > firing.at_ms
    assert await rules.unfinished(world.shop, firing.id) == firing
    await rules.finish(firing, [{"kind": "note", "outcome": "done"}])
    assert await rules.unfinished(world.shop, firing.id) is None
    assert await world.db.fetch("SELECT FROM timers") == []


@pytest.mark.req("CO-07")
async def test_places_are_given_one_after_the_other(world: World, rules: Rules) -> None:
    made = await asyncio.gather(*(rules.add(world.shop, CONTENT, most=10) for _ in range(6)))
    assert sorted(each.position for each in made) == [1, 2, 3, 4, 5, 6]


@pytest.mark.req("CO-07")
async def test_facts_of_a_conversation_come_in_one_question(
    world: World, db: Database, rules: Rules, rule: RuleRow
) -> None:
    facts = RuleFacts(db)
    await begin(rules, rule, world.talk)
    await Timers(db).set(world.shop, LOOK, world.talk, 5_000_000_000_000)
    found = await facts.conversation(world.shop, world.talk)
    assert found is not None
    assert (found.row.id, found.tags, found.said, found.groups) == (world.talk, (), (), ())
    assert found.queued_since_ms == found.row.opened_ms
    assert found.look_ms == 5_000_000_000_000
    times, last_ms = found.fired[rule.id]
    assert times == 1
    assert 0 <= found.now_ms - last_ms < 10_000
    assert await facts.conversation(world.shop, ConversationId(new_id())) is None


@pytest.mark.req("CO-07")
async def test_after_a_change_of_rules_every_open_conversation_is_looked_at(
    world: World, db: Database
) -> None:
    await RuleFacts(db).look_at_all(world.shop, after_ms=0)
    rows = await db.fetch("SELECT kind, subject_id FROM timers")
    assert [(row["kind"], row["subject_id"]) for row in rows] == [(LOOK, world.talk)]
    await Timers(db).set(world.shop, LOOK, world.talk, 1000)
    await RuleFacts(db).look_at_all(world.shop, after_ms=0)
    (row,) = await db.fetch("SELECT due_at FROM timers")
    assert row["due_at"] == 1000, "what was to be looked at earlier still is"
