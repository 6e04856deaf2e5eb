"""Figures are exactly what the raw log says (GP-05, CO-09), however much of it is summed up already.

Logs are made up by chance: nothing in them has to make sense, all of it has to be counted right.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from protocol.ids import AccountId, GroupId, ShopId, new_id
from server.store.agent_states import AgentStates
from server.store.database import Database
from server.store.outcomes import Outcomes
from server.store.statistics import By, Figure, Statistics, Visible
from tests.recount import facts_of, outcomes, recount, state_times, terms_of

pytestmark = pytest.mark.req("GP-05", "CO-09")

BEGIN = 1_795_000_000_000 - 1_795_000_000_000 % 900_000
DAY = 86_400_000
STATES = ("no_active_order", "placed_unpaid", "after_sale")
BYS: tuple[By, ...] = ("shop", "agent", "group", "order_state")


class Chance:
    """A shop with people, and logs of which every entry is drawn by lot."""

    def __init__(self, db: Database, seed: int) -> None:
        self.db = db
        self.lot = random.Random(seed)
        self.shop = ShopId(new_id())
        self.agents = [new_id() for _ in range(4)]
        self.bot = new_id()
        self.groups = [new_id() for _ in range(3)]
        self.bound = {"after_sale": [self.groups[0]], "placed_unpaid": self.groups[1:]}

    async def people(self) -> None:
        await self.db.execute(
            "INSERT INTO shops (id, slug, name, policy, widget_settings) VALUES ($1, $2, 'Shop', '{}', $3)",
            self.shop,
            f"s{self.shop[-12:]}",
            {"identity_mode": "off", "anonymous_allowed": True},
        )
        for account in (*self.agents, self.bot):
            await self.db.execute(
                "INSERT INTO accounts (id, shop_id, email, name, password_hash, roles)"
                " VALUES ($1, $2, $3, 'x', '', $4)",
                account,
                self.shop,
                account,
                ["bot" if account == self.bot else "agent"],
            )
        for group in self.groups:
            await self.db.execute(
                "INSERT INTO groups (id, shop_id, name) VALUES ($1, $2, $3)", group, self.shop, group
            )
        for account in self.agents[:-1]:
            for group in self.lot.sample(self.groups, self.lot.randint(1, 2)):
                await self.db.execute(
                    "INSERT INTO group_members VALUES ($1, $2, $3)", self.shop, group, account
                )
                await self.once_in(group, account)
        for account in (*self.agents, self.bot):
            await self.states(account)

    async def once_in(self, group: str, account: str) -> None:
        """In a group for some time, perhaps with a break in it, perhaps still."""
        joined = BEGIN - DAY + self.lot.randrange(2 * DAY)
        left = self.lot.choice((None, joined + 900_000 - joined % 900_000, joined + self.lot.randrange(DAY)))
        await self.db.execute(
            "UPDATE group_terms SET joined_at = $3, left_at = $4 WHERE group_id = $1 AND account_id = $2",
            group,
            account,
            joined,
            left,
        )
        if left is not None and self.lot.random() < 0.5:
            await self.db.execute(
                "INSERT INTO group_terms (shop_id, group_id, account_id, joined_at) VALUES ($1, $2, $3, $4)",
                self.shop,
                group,
                account,
                left + self.lot.choice((0, 1, 5_000_000)),
            )

    async def states(self, account: str) -> None:
        """From one state into another, somewhere in two days; the last one lasts for ever or ends."""
        await self.db.execute("DELETE FROM agent_states WHERE account_id = $1", account)
        at = BEGIN - self.lot.randrange(3_600_000)
        for _ in range(self.lot.randint(6, 16)):
            ends = at + self.lot.choice((0, 1, 700, 900_000, 3_600_000, 20_000_000))
            await self.db.execute(
                "INSERT INTO agent_states VALUES ($1, $2, $3, $4, $5)",
                self.shop,
                account,
                self.lot.choice(("online", "paused", "offline", "away")),
                at,
                ends,
            )
            at = ends

    async def conversation(self) -> str:
        """A conversation, somewhere in two days; its log goes on for up to some hours."""
        lot, id, customer = self.lot, new_id(), new_id()
        at = BEGIN + lot.randrange(2 * DAY)
        opened = at
        await self.db.execute(
            "INSERT INTO customers (id, shop_id, anonymous) VALUES ($1, $2, true)", customer, self.shop
        )
        rows: list[Sequence[Any]] = []
        decisions: list[Sequence[Any]] = []
        owner: str | None = None
        state, closed = lot.choice(STATES), None
        for seq in range(1, lot.randint(1, 30)):
            # Some at the very same millisecond, some on the edge of a quarter, some much later.
            at += lot.choice((0, 1, 700, 15_000, 120_000, 180_000, 181_000, 2_000_000))
            at = lot.choice((at, at, at, at + 900_000 - at % 900_000))
            kind = lot.choice(("customer", "customer", "agent", "agent", "bot", "system", "system"))
            if kind == "system" and closed is None:
                change = lot.choice(("assigned", "assigned", "queued", "ended", "reopened", "closed"))
                owner = (
                    lot.choice((*self.agents, self.bot))
                    if change in ("assigned", "reopened")
                    else owner
                    if change == "ended"
                    else None
                )
                closed = at if change == "closed" else None
                decisions.append((id, seq, self.shop, at, change, owner))
                rows.append((id, seq, self.shop, kind, None, f"d:{seq}", "public", at))
            elif kind == "system":
                rows.append((id, seq, self.shop, kind, None, f"note {seq}", "internal", at))
            else:
                sender = {"customer": customer, "bot": self.bot}.get(kind) or lot.choice(self.agents)
                hidden = kind == "agent" and lot.random() < 0.2
                rows.append(
                    (id, seq, self.shop, kind, sender, f"c{seq}", "internal" if hidden else "public", at)
                )
        await self.db.execute(
            "INSERT INTO conversations (id, shop_id, customer_id, state, order_state, opened_at, arrived_at,"
            " closed_at, last_owner_id, rating) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)",
            id,
            self.shop,
            customer,
            "active" if closed is None else "closed",
            state,
            opened,
            closed,
            lot.choice((None, *self.agents)),
            None if closed is None else lot.choice((None, 1, 3, 5)),
        )
        for row in decisions:
            await self.db.execute(
                "INSERT INTO decisions (conversation_id, rev, shop_id, at, change, epoch, owner, priority, arrived_at,"
                " offline, tried) VALUES ($1, $2, $3, $4, $5, $2, $6, 1, $4, false, '[]')",
                *row,
            )
        for row in rows:
            await self.db.execute(
                "INSERT INTO messages (conversation_id, seq, customer_seq, shop_id, message_id, sender_kind, sender_id,"
                " sender_name, client_message_id, body, body_hash, visibility, created_at, node)"
                " VALUES ($1, $2, CASE WHEN $7 = 'public' THEN $2::bigint END, $3, gen_random_uuid(), $4, $5, 'x', $6,"
                " '{}', '', $7, $8, 'n')",
                *row,
            )
        return id

    async def beside(self, conversation: str) -> None:
        """What is no entry of a log: refused tries, who joined, work that was done."""
        at = BEGIN + self.lot.randrange(2 * DAY)
        who = self.lot.choice(self.agents)
        await self.db.execute(
            "INSERT INTO audit (id, shop_id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,"
            " outcome, reason, source)"
            " VALUES (gen_random_uuid(), $1, $2, 'account', $3, '', 'x', '', '', $4, $5, '{}')",
            self.shop,
            at,
            who,
            self.lot.choice(("refused", "done")),
            self.lot.choice(("out_of_scope", "out_of_scope", "no_right")),
        )
        left = self.lot.choice((None, at + 60_000))
        await self.db.execute(
            "INSERT INTO participations (shop_id, conversation_id, account_id, role, joined_at, left_at, ended_by,"
            " reason) VALUES ($1, $2, $3, $4, $5, $6, $7, '')",
            self.shop,
            conversation,
            who,
            self.lot.choice(("collaborator", "supervisor", "watcher")),
            at,
            left,
            None if left is None else "left",
        )
        await self.db.execute(
            "INSERT INTO items (conversation_id, id, shop_id, rev, text, by_id, added, created_at, done, done_at,"
            " done_by) VALUES ($1, gen_random_uuid(), $2, 1, 'x', $3, '{}', $4, true, $5, $3)",
            conversation,
            self.shop,
            who,
            at - 5000,
            at,
        )

    async def both(
        self, edges: Sequence[int], by: By
    ) -> tuple[dict[tuple[int, str | None, str], Figure], dict[tuple[int, str | None, str], Figure]]:
        """As the product counts, and as the raw log says."""
        counted = await Statistics(self.db).figures(
            self.shop,
            edges,
            by,
            Visible(),
            {state: [GroupId(group) for group in groups] for state, groups in self.bound.items()},
        )
        truth = recount(
            await facts_of(self.db, self.shop),
            edges,
            by,
            terms=await terms_of(self.db, self.shop),
            bound=self.bound,
        )
        return {(one.bucket, one.key, one.measure): one for one in counted}, truth


async def a_shop(db: Database, seed: int, conversations: int = 25) -> Chance:
    chance = Chance(db, seed)
    await chance.people()
    for n in range(conversations):
        conversation = await chance.conversation()
        if n % 4 == 0:
            await chance.beside(conversation)
    return chance


async def summed_up(db: Database, upto: int) -> None:
    """Sum up every quarter that had ended a minute before."""
    await db.execute("UPDATE statistics_mark SET upto = $1 WHERE upto > $1", BEGIN)
    await Statistics(db).sum_up(budget_s=60, now_ms=upto + 60_000)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("by", BYS)
async def test_figures_are_what_the_raw_log_says(db: Database, seed: int, by: By) -> None:
    chance = await a_shop(db, seed)
    await a_shop(db, seed + 100, 5)
    ends = BEGIN + 4 * DAY

    for upto in (BEGIN, BEGIN + DAY + 900_000, ends):  # nothing summed up, half of it, all
        await summed_up(db, upto)
        counted, truth = await chance.both(
            [BEGIN, BEGIN + 1_800_000, BEGIN + DAY, BEGIN + DAY + 3_600_000, ends], by
        )
        assert counted == truth
    measures = {measure for _, _, measure in truth}
    assert len(measures) == 20, measures


@pytest.mark.req("KS-18")
@pytest.mark.parametrize("by", ["shop", "agent", "group"])
async def test_times_in_each_state_are_what_was_written_down(db: Database, by: By) -> None:
    chance = await a_shop(db, 21, 0)
    await a_shop(db, 22, 0)
    edges = [BEGIN + 450_001, BEGIN + 1_800_000, BEGIN + 3_600_000, BEGIN + DAY, BEGIN + 4 * DAY]

    told = await AgentStates(db).times(chance.shop, edges, by, Visible())

    assert {(one.bucket, one.key, one.state): one.ms for one in told} == await state_times(
        db, chance.shop, edges, by, BEGIN + 4 * DAY
    )
    assert {one.state for one in told} == {"online", "paused", "offline", "away"}


@pytest.mark.parametrize("shift_ms", [0, 1, 450_001, 899_999])
async def test_a_stretch_may_begin_and_end_within_a_quarter(db: Database, shift_ms: int) -> None:
    chance = await a_shop(db, 7)
    await summed_up(db, BEGIN + 3 * DAY)

    for length in (1000, 900_000, 5_000_000, DAY):
        counted, truth = await chance.both([BEGIN + shift_ms, BEGIN + shift_ms + length], "agent")
        assert counted == truth


async def test_a_log_that_goes_on_is_counted_whether_summed_up_or_not(db: Database) -> None:
    chance = await a_shop(db, 8, 10)
    await summed_up(db, BEGIN + 2 * DAY)
    later = Chance(db, 9)
    later.shop, later.agents, later.bot = chance.shop, chance.agents, chance.bot
    closed = await db.fetchrow("SELECT id FROM conversations WHERE state = 'closed' LIMIT 1")
    assert closed is not None
    await db.execute("UPDATE conversations SET rating = 2 WHERE id = $1", closed["id"])

    counted, truth = await chance.both([BEGIN, BEGIN + 4 * DAY], "agent")

    assert counted == truth


async def test_summing_up_again_and_anew_changes_nothing(db: Database) -> None:
    chance = await a_shop(db, 10)
    edges = [BEGIN, BEGIN + 4 * DAY]
    await summed_up(db, edges[1])
    before = await chance.both(edges, "agent")
    sums = await db.fetch("SELECT * FROM statistics ORDER BY quarter, measure, agent, order_state")

    await Statistics(db).start_anew()
    nothing_summed = await chance.both(edges, "agent")
    await summed_up(db, edges[1])

    assert nothing_summed == before == await chance.both(edges, "agent")
    again = await db.fetch("SELECT * FROM statistics ORDER BY quarter, measure, agent, order_state")
    assert [sum_["n"] for sum_ in again] == [sum_["n"] for sum_ in sums]


async def test_only_one_node_sums_up_at_a_time(db: Database) -> None:
    await a_shop(db, 11, 3)
    await db.execute("UPDATE statistics_mark SET upto = $1", BEGIN)

    async with db.transaction() as other:
        await other.execute("SELECT FROM statistics_mark FOR UPDATE")
        assert await Statistics(db).sum_up(budget_s=60, now_ms=BEGIN + DAY) == 0

    assert await Statistics(db).sum_up(budget_s=60, now_ms=BEGIN + DAY) > 0


async def test_a_quarter_that_is_not_over_is_not_summed_up(db: Database) -> None:
    await db.execute("UPDATE statistics_mark SET upto = $1", BEGIN)
    statistics = Statistics(db)

    assert await statistics.sum_up(budget_s=60, now_ms=BEGIN + 900_000 + 59_000) == 0
    assert await statistics.sum_up(budget_s=60, now_ms=BEGIN + 900_000 + 60_000) == 1


async def test_who_sees_some_agents_counts_their_work_and_what_waits_for_them(db: Database) -> None:
    chance = await a_shop(db, 12)
    await summed_up(db, BEGIN + DAY)
    mine = frozenset({AccountId(chance.agents[0])})

    counted = await Statistics(db).figures(
        chance.shop,
        [BEGIN, BEGIN + 4 * DAY],
        "shop",
        Visible(mine, frozenset({"after_sale"})),
        {},
    )

    facts = [
        fact
        for fact in await facts_of(db, chance.shop)
        if fact.agent in mine or (fact.agent is None and fact.order_state == "after_sale")
    ]
    truth = recount(facts, [BEGIN, BEGIN + 4 * DAY], "shop")
    assert {(one.bucket, one.key, one.measure): one for one in counted} == truth


@pytest.mark.parametrize("by", ["shop", "agent", "order_state", "group"])
async def test_tags_and_reasons_are_what_the_conversations_say(db: Database, by: By) -> None:
    chance = await a_shop(db, seed=7)
    await db.execute(
        """
        UPDATE conversations c SET result_tags = t.tags,
            rating_reasons = CASE WHEN rating IS NULL THEN '{}' ELSE t.why END
        FROM (
            SELECT id, (ARRAY['a', 'b', 'c'])[1 : (row_number() OVER (ORDER BY id)) % 4] AS tags,
                (ARRAY['x', 'y'])[1 : (row_number() OVER (ORDER BY id)) % 3] AS why
            FROM conversations WHERE shop_id = $1
        ) t WHERE c.id = t.id
        """,
        chance.shop,
    )
    edges = (BEGIN, BEGIN + 4 * DAY)
    bound = {state: [GroupId(group) for group in groups] for state, groups in chance.bound.items()}
    counted = await Outcomes(db).counted(chance.shop, *edges, by, Visible(), bound)
    truth = await outcomes(
        db, chance.shop, edges, by, terms=await terms_of(db, chance.shop), bound=chance.bound
    )
    assert {(one.key, one.kind, one.id): (one.n, one.of, one.rated, one.stars) for one in counted} == truth
    assert {kind for _, kind, _ in truth} == {"result_tag", "rating_reason"}


async def test_who_sees_some_agents_counts_the_outcomes_of_their_work(db: Database) -> None:
    chance = await a_shop(db, seed=8)
    edges = (BEGIN, BEGIN + 4 * DAY)
    whole = {
        one.key: one.of for one in await Outcomes(db).counted(chance.shop, *edges, "agent", Visible(), {})
    }
    agent = next(key for key in whole if key is not None)
    seen = Visible(frozenset({AccountId(agent)}))
    mine = await Outcomes(db).counted(chance.shop, *edges, "agent", seen, {})
    assert {one.key: one.of for one in mine} == {agent: whole[agent]}
