"""What the database records by itself: every change of a right, a setting or an owner, once, and for good."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson
import pytest

from protocol.states import AgentStatus, Role
from server.store.accounts import Accounts
from server.store.acting import AUDITED, acting, concerns_audit
from server.store.api_keys import ApiKeys
from server.store.audit import AuditRow, AuditStore, Wanted
from server.store.customers import Customers
from server.store.database import Database
from server.store.groups import Groups, Shift
from server.store.policies import Policies
from server.store.shops import Shops, WidgetSettings
from tests.server.store.world import World

pytestmark = pytest.mark.req("GP-03", "KS-23")

NO_SETTINGS = {
    # what is said and done in conversations: they have their log
    "conversations",
    "messages",
    "invitations",
    "participations",
    "mentions",
    "files",
    "items",
    "alarms",
    # what has its own history
    "decisions",
    "policy_history",
    "rule_firings",
    # what systems bring, and what the server keeps for itself
    "orders",
    "refresh_tokens",
    "timers",
    "node_contacts",
    "quick_reply_books",
    "statistics",
    "statistics_mark",
    "agent_states",
    "group_terms",
    "customer_notes",
    "reassignments",
    "reassignment_customers",
    "audit",
    "audit_pending",
    "alembic_version",
}


class Somebody:
    """An actor with a name that tries to end the literal it travels in."""

    def plain(self) -> dict[str, Any]:
        return {
            "kind": "account",
            "id": "7",
            "name": "O'Hara\\'; DROP TABLE audit; --",
            "source": {"via": "http", "address": "192.0.2.9", "request": "PATCH /v1/x"},
        }


async def recorded(world: World, *, since: int = 0) -> list[AuditRow]:
    """The shop's audit, oldest first, without its first `since` records."""
    page = await AuditStore(world.db).search(world.shop, Wanted(), limit=200)
    return list(page.rows[::-1][since:])


@pytest.fixture
async def before(world: World) -> int:
    """How many records making the world left."""
    return len(await recorded(world))


async def test_a_change_is_recorded_with_who_when_from_where_and_what_differs(
    world: World, before: int
) -> None:
    with acting(Somebody()):
        await Accounts(world.db).update(world.shop, world.ann, {"capacity": 7, "name": "ann"})
    (row,) = await recorded(world, since=before)
    assert (row.action, row.subject_kind, row.subject_id) == ("accounts.changed", "account", world.ann)
    assert (row.before, row.after) == ({"capacity": None}, {"capacity": 7})
    assert (row.actor_kind, row.actor_id, row.actor_name) == ("account", "7", Somebody().plain()["name"])
    assert row.source == Somebody().plain()["source"]
    assert row.outcome == "done"


async def test_who_acts_reaches_a_single_statement_as_well(world: World, before: int) -> None:
    with acting(Somebody()):
        group = await Groups(world.db).add(world.shop, name="North")
    (row,) = await recorded(world, since=before)
    assert (row.action, row.actor_id, row.subject_id) == ("groups.added", "7", group.id)
    assert (row.before, row.after) == (None, {"name": "North", "kind": "other"})


async def test_who_acted_is_forgotten_with_the_transaction(world: World, before: int) -> None:
    one = Database(world.db._url, pool_max=1)
    await one.open()
    with acting(Somebody()):
        await Groups(one).add(world.shop, name="North")
        await Accounts(one).update(world.shop, world.ann, {"capacity": 7})
    await Groups(one).add(world.shop, name="South")
    await one.aclose()
    kinds = [row.actor_kind for row in await recorded(world, since=before)]
    assert kinds == ["account", "account", "system"]


async def test_what_is_refused_is_rolled_back_with_its_record(world: World, before: int) -> None:
    one = Database(world.db._url, pool_max=1)
    await one.open()
    with acting(Somebody()):
        await Groups(one).add(world.shop, name="North")
        with pytest.raises(Exception, match="Another group"):
            await Groups(one).add(world.shop, name="north")
        await Groups(one).add(world.shop, name="South")  # the connection is none the worse
    await one.aclose()
    assert [row.after["name"] for row in await recorded(world, since=before) if row.after] == [
        "North",
        "South",
    ]


async def test_what_agents_do_all_day_is_no_change_of_settings(world: World, before: int) -> None:
    accounts = Accounts(world.db)
    await accounts.set_status(world.shop, world.ann, AgentStatus.ONLINE)
    await accounts.came_by(world.shop, world.ann, "web", ["web"])
    await accounts.raise_token_version(world.shop, world.ann)
    await accounts.update(world.shop, world.ann, {"name": "ann"})
    assert await recorded(world, since=before) == []


async def test_nothing_secret_is_recorded(world: World, before: int) -> None:
    await Accounts(world.db).rehash(world.shop, world.ann, "SECRET-new-hash")
    await Accounts(world.db).add(
        world.shop,
        email="new@example.com",
        name="new",
        password_hash="SECRET-hash",
        roles=frozenset({Role.AGENT}),
    )
    await Shops(world.db).add_identity_key(world.shop, "k1", "SECRET-identity")
    await Shops(world.db).revoke_identity_key(world.shop, "k1")
    key = await ApiKeys(world.db).add(
        world.shop, name="erp", prefix="p1", key_hash=b"SECRET-key", scopes=frozenset({"orders:read"})
    )
    await ApiKeys(world.db).revoke(world.shop, key.id)
    rows = await recorded(world, since=before)
    assert [row.action for row in rows] == [
        "accounts.changed",
        "accounts.added",
        "identity_keys.added",
        "identity_keys.changed",
        "api_keys.added",
        "api_keys.changed",
    ]
    assert rows[0].after == {"password_hash": "changed"} and rows[0].before == {}
    told = orjson.dumps([(row.before, row.after) for row in rows]).decode()
    assert "SECRET" not in told and b"SECRET-key".hex() not in told


async def test_of_settings_only_what_differs_is_recorded(world: World, before: int) -> None:
    policies = Policies(world.db)
    await policies.update(world.shop, expected_rev=1, policy={"rule": 2, "kept": 1}, by=None)
    await policies.update(world.shop, expected_rev=2, policy={"rule": 3, "kept": 1}, by=None)
    await Shops(world.db).set_widget(world.shop, WidgetSettings("enforce", True))
    rows = await recorded(world, since=before)
    assert [(row.before, row.after) for row in rows] == [
        ({"policy": {"rule": 1}}, {"policy": {"rule": 2, "kept": 1}}),
        ({"policy": {"rule": 2}}, {"policy": {"rule": 3}}),
        (
            {"widget_settings": {"identity_mode": "off"}},
            {"widget_settings": {"identity_mode": "enforce"}},
        ),
    ]


async def test_a_column_that_is_added_later_is_recorded_too(world: World, before: int) -> None:
    await world.db.execute("ALTER TABLE shops ADD COLUMN later jsonb NOT NULL DEFAULT '{\"a\": 1}'")
    await world.db.execute("UPDATE shops SET later = '{\"a\": 2}' WHERE id = $1", world.shop)
    (row,) = await recorded(world, since=before)
    assert (row.before, row.after) == ({"later": {"a": 1}}, {"later": {"a": 2}})


async def test_a_set_that_is_replaced_leaves_one_record_of_what_came_and_went(
    world: World, before: int
) -> None:
    shops, groups = Shops(world.db), Groups(world.db)
    await shops.set_origins(world.shop, "desk", ("https://a.example", "https://b.example"))
    await shops.set_origins(world.shop, "desk", ("https://b.example", "https://c.example"))
    await shops.set_origins(world.shop, "desk", ("https://c.example", "https://b.example"))
    await groups.set_shifts(world.shop, world.ann, (Shift(0, 540, 1080), Shift(1, 540, 1080)))
    await groups.set_shifts(world.shop, world.ann, (Shift(0, 540, 1080), Shift(1, 600, 1080)))
    rows = await recorded(world, since=before)
    assert [(row.action, row.subject_kind, row.subject_id) for row in rows] == [
        ("shop_origins.changed", "origins", "desk"),
        ("shop_origins.changed", "origins", "desk"),
        ("schedules.changed", "account", world.ann),
        ("schedules.changed", "account", world.ann),
    ]
    assert (rows[1].before, rows[1].after) == (
        {"shop_origins": [{"origin": "https://a.example"}]},
        {"shop_origins": [{"origin": "https://c.example"}]},
    )
    went, came = rows[3].before, rows[3].after
    assert went is not None and [shift["start_minute"] for shift in went["schedules"]] == [540]
    assert came is not None and [shift["start_minute"] for shift in came["schedules"]] == [600]
    assert await world.db.fetch("SELECT FROM audit_pending") == []


async def test_a_group_that_goes_is_recorded_with_its_members(world: World, before: int) -> None:
    groups = Groups(world.db)
    group = await groups.add(world.shop, name="North")
    await groups.add_member(world.shop, group.id, world.ann)
    await groups.delete(world.shop, group.id)
    rows = await recorded(world, since=before)
    assert [row.action for row in rows][-2:] == ["groups.removed", "group_members.changed"]
    assert rows[-1].before == {"group_members": [{"account_id": world.ann}]}


async def test_a_customers_tags_are_recorded_when_somebody_changes_them(world: World, before: int) -> None:
    customers = Customers(world.db)
    known = await customers.put(world.shop, "c1", tags=("new",))
    await customers.put(world.shop, "c1", tags=("vip",))
    with acting(Somebody()):
        await customers.put(world.shop, "c1", name="Cara", tags=("vip", "gold"))
    (row,) = await recorded(world, since=before)
    assert (row.action, row.subject_kind, row.subject_id) == ("customers.changed", "customer", known.id)
    assert (row.before, row.after) == ({"tags": ["vip"]}, {"tags": ["vip", "gold"]})


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor_name = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "TRUNCATE shops CASCADE",
    ],
)
async def test_nobody_can_change_what_is_recorded(world: World, before: int, change: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await world.db.execute(change)
    assert len(await recorded(world)) == before > 0


async def test_a_shop_that_goes_takes_its_audit_along(world: World, before: int) -> None:
    groups = Groups(world.db)
    group = await groups.add(world.shop, name="North")
    await groups.add_member(world.shop, group.id, world.ann)
    await world.db.execute("DELETE FROM conversations WHERE shop_id = $1", world.shop)
    await world.db.execute("DELETE FROM shops WHERE id = $1", world.shop)
    assert await world.db.fetch("SELECT FROM audit") == []


async def test_the_search_finds_by_every_filter_and_goes_on_where_it_stopped(world: World) -> None:
    store = AuditStore(world.db)
    with acting(Somebody()):
        for number in range(5):
            await Groups(world.db).add(world.shop, name=f"North {number}%")
    await Groups(world.db).add(world.shop, name="South")
    all_rows = (await store.search(world.shop, Wanted(), limit=200)).rows

    async def names(**wanted: Any) -> list[str]:
        page = await store.search(world.shop, Wanted(**wanted), limit=200)
        return [row.after["name"] for row in page.rows if row.after]

    assert await names(actor="7") == [f"North {number}%" for number in (4, 3, 2, 1, 0)]
    assert await names(action="groups.", text="sou") == ["South"]
    assert await names(text="3%") == ["North 3%"]
    assert await names(text="h_") == []
    assert await names(action="groups_") == []
    assert await names(actor="7", outcome="refused") == []
    third = all_rows[2]
    assert await names(subject_kind="group", subject_id=third.subject_id) == ["North 3%"]
    assert third.id not in {
        row.id for row in (await store.search(world.shop, Wanted(before_ms=third.at_ms), limit=200)).rows
    }
    assert (
        all_rows[-1] in (await store.search(world.shop, Wanted(from_ms=all_rows[-1].at_ms), limit=200)).rows
    )

    walked: list[str] = []
    cursor = None
    while True:
        page = await store.search(world.shop, Wanted(), cursor=cursor, limit=2)
        walked += [row.id for row in page.rows]
        if page.cursor is None:
            break
        cursor = page.cursor
    assert walked == [row.id for row in all_rows]


async def test_another_shop_sees_nothing_of_it(world: World) -> None:
    other = await World.make(world.db)
    with acting(Somebody()):
        await Accounts(world.db).update(world.shop, world.ann, {"capacity": 7})
    assert (await AuditStore(world.db).search(other.shop, Wanted(actor="7"))).rows == ()


async def test_the_tables_that_tell_who_acts_are_those_with_a_trigger(world: World) -> None:
    rows = await world.db.fetch(
        "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'audited'"
    )
    assert {row["name"] for row in rows} == AUDITED


async def test_what_is_said_and_decided_pays_nothing_for_it(world: World) -> None:
    rows = await world.db.fetch(
        """
        SELECT tgrelid::regclass::text AS name FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN ('conversations'::regclass, 'messages'::regclass, 'decisions'::regclass)
            AND tgname LIKE 'audit%'
        """
    )
    assert rows == []


async def test_of_every_table_it_was_decided_whether_its_changes_are_recorded(world: World) -> None:
    rows = await world.db.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    undecided = {row["name"] for row in rows} - AUDITED - NO_SETTINGS
    assert undecided == set(), (
        "audited (acting.AUDITED and a trigger), or no right, setting or owner (NO_SETTINGS)?"
    )


@pytest.mark.parametrize(
    ("sql", "concerns"),
    [
        ("UPDATE accounts SET name = $1", True),
        ("WITH x AS (\n    INSERT INTO\n roles (role) VALUES ($1) RETURNING 1) SELECT * FROM x", True),
        ("DELETE FROM groups WHERE id = $1", True),
        ("SELECT * FROM accounts FOR UPDATE", False),
        ("INSERT INTO orders (id) VALUES ($1) ON CONFLICT DO UPDATE SET x = 1", False),
        ("UPDATE conversations c SET owner_id = a.id FROM accounts a", False),
        ("SELECT * FROM append_entries($1, $2, $3, $4)", False),
    ],
)
def test_only_changes_of_audited_tables_say_who_acts(sql: str, concerns: bool) -> None:
    assert concerns_audit(sql) is concerns
