"""Shops, accounts, groups, customers, orders, keys, tokens, settings: what the tables promise to the services."""

import asyncio
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, CustomerId, GroupId, new_id
from protocol.states import AgentStatus, OrderState, Role
from router.policy import OfflineAfter
from server.store.accounts import Accounts, LastSeen
from server.store.agent_states import AgentStates
from server.store.api_keys import ApiKeys
from server.store.conversations import Conversations
from server.store.customers import Customers
from server.store.database import Database
from server.store.groups import Groups, Shift, ShiftRow
from server.store.log import Log
from server.store.orders import Orders
from server.store.policies import Policies
from server.store.shops import Shops, WidgetSettings
from server.store.tokens import RefreshTokens
from tests.server.store.world import World, now_ms

HOUR_MS = 3_600_000


# --- settings (KS-23)
# --------------------------------------------------------------------------------------------------
@pytest.mark.req("KS-23")
async def test_of_two_who_change_the_settings_one_is_told(world: World, db: Database) -> None:
    policies = Policies(db)
    row = await policies.get(world.shop)
    answers = await asyncio.gather(
        policies.update(world.shop, expected_rev=row.rev, policy={"rule": 2}, by=world.ann, note="a"),
        policies.update(world.shop, expected_rev=row.rev, policy={"rule": 3}, by=world.bob, note="b"),
        return_exceptions=True,
    )
    (refused,) = [answer for answer in answers if isinstance(answer, RequestError)]
    assert (refused.code, refused.reason, refused.detail) == (
        ErrorCode.CONFLICT,
        "stale_rev",
        {"rev": row.rev + 1},
    )
    assert (await policies.get(world.shop)).rev == row.rev + 1


@pytest.mark.req("KS-23")
async def test_every_change_is_in_the_history_and_no_change_is_not(world: World, db: Database) -> None:
    policies = Policies(db)
    for rev in (1, 2, 3):
        await policies.update(
            world.shop, expected_rev=rev, policy={"rule": rev + 1}, by=world.ann, note=f"n{rev}"
        )
    same = await policies.update(world.shop, expected_rev=4, policy={"rule": 4}, by=world.bob, note="same")
    assert same.rev == 4
    first = await policies.history(world.shop, limit=2)
    assert [(c.rev, c.before, c.after, c.by, c.note) for c in first.rows] == [
        (4, {"rule": 3}, {"rule": 4}, world.ann, "n3"),
        (3, {"rule": 2}, {"rule": 3}, world.ann, "n2"),
    ]
    rest = await policies.history(world.shop, limit=2, cursor=first.cursor)
    assert [(c.rev, c.before) for c in rest.rows] == [(2, {"rule": 1})]
    assert rest.cursor is None


# --- sign-ins
# ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def tokens(db: Database) -> RefreshTokens:
    return RefreshTokens(db)


async def test_a_refresh_token_works_once_and_a_second_use_ends_the_family(
    world: World, tokens: RefreshTokens
) -> None:
    until = now_ms() + HOUR_MS
    await tokens.begin(world.shop, world.ann, b"first", until)
    used = await tokens.rotate(b"first", b"second", until)
    assert (used.shop_id, used.account_id, used.reused) == (world.shop, world.ann, False)
    assert (await tokens.rotate(b"first", b"stolen", until)).reused is True
    ended = await tokens.rotate(b"second", b"third", until)
    assert (ended.account_id, ended.reused) == (None, False)


async def test_of_ten_uses_at_once_one_succeeds(world: World, tokens: RefreshTokens) -> None:
    until = now_ms() + HOUR_MS
    await tokens.begin(world.shop, world.ann, b"first", until)
    uses = await asyncio.gather(*(tokens.rotate(b"first", f"next {n}".encode(), until) for n in range(10)))
    assert sorted(use.reused for use in uses) == [False] + [True] * 9


async def test_another_sign_in_of_the_same_account_goes_on(world: World, tokens: RefreshTokens) -> None:
    until = now_ms() + HOUR_MS
    await tokens.begin(world.shop, world.ann, b"desk", until)
    await tokens.begin(world.shop, world.ann, b"phone", until)
    ended = await tokens.end(b"desk")
    assert ended is not None
    assert ended.account_id == world.ann
    assert await tokens.end(b"desk") is None
    assert (await tokens.rotate(b"phone", b"phone 2", until)).account_id == world.ann
    await tokens.end_all(world.shop, world.ann)
    assert (await tokens.rotate(b"phone 2", b"phone 3", until)).account_id is None


async def test_expired_and_unknown_tokens_are_nobody_s_and_are_forgotten(
    world: World, tokens: RefreshTokens
) -> None:
    await tokens.begin(world.shop, world.ann, b"old", now_ms() - 1000)
    await tokens.begin(world.shop, world.ann, b"new", now_ms() + HOUR_MS)
    for token in (b"old", b"never was"):
        answer = await tokens.rotate(token, b"next", now_ms() + HOUR_MS)
        assert (answer.account_id, answer.reused) == (None, False)
    assert await tokens.purge() == 1


async def test_api_keys_are_found_by_prefix_and_revoked_once(world: World, db: Database) -> None:
    keys = ApiKeys(db)
    key = await keys.add(
        world.shop, name="erp", prefix="abc", key_hash=b"h", scopes=frozenset({"orders", "read"})
    )
    assert await keys.find("abc") == key
    assert await keys.find("abd") is None
    await keys.revoke(world.shop, key.id)
    (revoked,) = await keys.of_shop(world.shop)
    assert revoked.revoked_ms is not None
    await keys.revoke(world.shop, key.id)
    assert await keys.of_shop(world.shop) == (revoked,)
    other = await World.make(db)
    with pytest.raises(RequestError):
        await keys.revoke(other.shop, key.id)


# --- accounts and groups
# -----------------------------------------------------------------------------------------------
@pytest.fixture
def accounts(db: Database) -> Accounts:
    return Accounts(db)


async def test_an_address_belongs_to_one_account_of_a_shop(world: World, accounts: Accounts) -> None:
    with pytest.raises(RequestError) as taken:
        await world.account("ANN", Role.AGENT)
    assert taken.value.reason == "email_taken"
    with pytest.raises(RequestError):
        await accounts.update(world.shop, world.bob, {"email": "ann@example.com"})
    found = await accounts.find_by_email(world.shop, "Ann@Example.com")
    assert found is not None
    assert found.id == world.ann
    assert (await World.make(world.db)).ann != world.ann


async def test_a_change_touches_what_is_given(world: World, accounts: Accounts) -> None:
    changed = await accounts.update(
        world.shop,
        world.ann,
        {"capacity": 7, "roles": frozenset({Role.AGENT, Role.SUPERVISOR}), "excluded": True},
    )
    assert (changed.capacity, changed.roles, changed.excluded) == (7, {Role.AGENT, Role.SUPERVISOR}, True)
    assert (changed.name, changed.status) == ("ann", AgentStatus.OFFLINE)
    disabled = await accounts.update(world.shop, world.ann, {"disabled": True})
    assert disabled.disabled_ms is not None
    assert (await accounts.update(world.shop, world.ann, {"disabled": False})).disabled_ms is None


async def test_a_shop_keeps_an_owner_even_when_two_disable_each_other(
    world: World, accounts: Accounts
) -> None:
    owners = [await world.account(name, Role.OWNER) for name in ("o1", "o2")]
    answers = await asyncio.gather(
        *(accounts.update(world.shop, owner, {"disabled": True}) for owner in owners), return_exceptions=True
    )
    (refused,) = [answer for answer in answers if isinstance(answer, RequestError)]
    assert (refused.code, refused.reason) == (ErrorCode.INVALID_STATE, "last_owner")


async def test_pages_of_accounts_leave_out_the_disabled_unless_asked(
    world: World, accounts: Accounts
) -> None:
    await accounts.update(world.shop, world.bob, {"disabled": True})
    first = await accounts.page(world.shop, limit=1)
    second = await accounts.page(world.shop, limit=1, cursor=first.cursor)
    assert [row.name for row in (*first.rows, *second.rows)] == ["ann", "robo"]
    assert second.cursor is None
    assert len((await accounts.page(world.shop, disabled=True)).rows) == 3


@pytest.mark.req("KS-18")
async def test_the_chosen_status_is_kept_with_its_time(world: World, accounts: Accounts) -> None:
    online = await accounts.set_status(world.shop, world.ann, AgentStatus.ONLINE)
    again = await accounts.set_status(world.shop, world.ann, AgentStatus.ONLINE)
    assert (again.status, again.status_ms) == (AgentStatus.ONLINE, online.status_ms)


@pytest.mark.req("KS-18")
async def test_the_most_patient_device_since_coming_to_work_is_kept(world: World, accounts: Accounts) -> None:
    after = OfflineAfter(web=60, desktop=90, mobile=None)

    async def comes_by(device: str) -> str:
        await accounts.came_by(world.shop, world.ann, device, after.as_patient(device))
        return (await accounts.last_seen(world.shop))[world.ann].device

    assert (await accounts.last_seen(world.shop))[world.ann] == LastSeen("", away=False)
    await accounts.set_status(world.shop, world.ann, AgentStatus.ONLINE)
    assert [await comes_by(each) for each in ("web", "desktop", "web", "mobile", "desktop", "web")] == [
        "web",
        "desktop",
        "desktop",
        "mobile",
        "mobile",
        "mobile",
    ]
    await accounts.set_status(world.shop, world.ann, AgentStatus.OFFLINE)
    assert await comes_by("web") == "web", "the next day begins with what it begins with"
    await accounts.set_status(world.shop, world.ann, AgentStatus.ONLINE)
    await AgentStates(world.db).away(world.shop, [world.ann])
    assert (await accounts.last_seen(world.shop))[world.ann] == LastSeen("web", away=True)


async def test_revoking_raises_the_token_version(world: World, accounts: Accounts) -> None:
    assert (await accounts.raise_token_version(world.shop, world.ann)).token_version == 1
    await accounts.rehash(world.shop, world.ann, "new")
    assert (await accounts.get(world.shop, world.ann)).password_hash == "new"


@pytest.mark.req("I5")
async def test_accounts_of_another_shop_do_not_exist(world: World, accounts: Accounts) -> None:
    other = await World.make(world.db)
    assert await accounts.find(other.shop, world.ann) is None
    for call in (
        accounts.get(other.shop, world.ann),
        accounts.update(other.shop, world.ann, {"name": "x"}),
        accounts.set_status(other.shop, world.ann, AgentStatus.ONLINE),
        accounts.rehash(other.shop, world.ann, "x"),
    ):
        with pytest.raises(RequestError) as refused:
            await call
        assert refused.value.code is ErrorCode.NOT_FOUND


@pytest.mark.req("GP-01")
async def test_an_account_may_be_in_several_groups(world: World, db: Database) -> None:
    groups = Groups(db)
    north, south = [await groups.add(world.shop, name=name, kind="region") for name in ("North", "South")]
    for group in (north, south, north):
        await groups.add_member(world.shop, group.id, world.ann)
    await groups.add_member(world.shop, north.id, world.bob)
    assert await groups.of_account(world.shop, world.ann) == (north.id, south.id)
    assert await groups.memberships(world.shop) == {world.ann: (north.id, south.id), world.bob: (north.id,)}
    await groups.remove_member(world.shop, north.id, world.ann)
    assert await groups.members(world.shop, north.id) == (world.bob,)
    await groups.delete(world.shop, north.id)
    assert [group.name for group in await groups.of_shop(world.shop)] == ["South"]


@pytest.mark.req("GP-01", "I5")
async def test_groups_take_members_of_their_own_shop_only(world: World, db: Database) -> None:
    groups, other = Groups(db), await World.make(db)
    group = await groups.add(world.shop, name="North")
    for shop, which, who, noun in (
        (world.shop, group.id, other.ann, "account"),
        (other.shop, group.id, other.ann, "group"),
        (world.shop, GroupId(new_id()), world.ann, "group"),
    ):
        with pytest.raises(RequestError) as refused:
            await groups.add_member(shop, which, who)
        assert refused.value.reason == f"{noun}_not_found"
    with pytest.raises(RequestError) as taken:
        await groups.add(world.shop, name="NORTH")
    assert taken.value.reason == "group_name_taken"


@pytest.mark.req("GP-06")
async def test_a_week_is_replaced_whole(world: World, db: Database) -> None:
    groups = Groups(db)
    group = await groups.add(world.shop, name="North")
    await groups.set_shifts(world.shop, world.ann, (Shift(0, 540, 1080), Shift(6, 0, 1440, group.id)))
    await groups.set_shifts(world.shop, world.bob, (Shift(3, 1, 2),))
    assert await groups.shifts(world.shop, world.ann) == (
        ShiftRow(0, 540, 1080, None, world.ann),
        ShiftRow(6, 0, 1440, group.id, world.ann),
    )
    assert len(await groups.shifts(world.shop)) == 3
    await groups.set_shifts(world.shop, world.ann, ())
    assert await groups.shifts(world.shop, world.ann) == ()
    for account, shift in (
        (AccountId(new_id()), Shift(0, 1, 2)),
        (world.ann, Shift(0, 1, 2, GroupId(new_id()))),
    ):
        with pytest.raises(RequestError) as refused:
            await groups.set_shifts(world.shop, account, (shift,))
        assert refused.value.code is ErrorCode.NOT_FOUND


# --- customers and orders
# ----------------------------------------------------------------------------------------------
@pytest.mark.req("KS-15")
async def test_facts_about_a_customer_may_come_twice_and_in_any_order(world: World, db: Database) -> None:
    customers = Customers(db)
    first = await customers.put(
        world.shop, "c-1", name="Li", tags=("vip",), first_paid_ms=2000, last_bought_ms=5000
    )
    later = await customers.put(world.shop, "c-1", first_paid_ms=1000, last_bought_ms=4000)
    assert (later.id, later.name, later.tags, later.anonymous) == (first.id, "Li", ("vip",), False)
    assert (later.first_paid_ms, later.last_bought_ms) == (1000, 5000)
    assert await customers.by_external_id(world.shop, "c-1") == later
    assert (await customers.put(world.shop, "c-1", tags=())).tags == ()


async def test_what_a_visitor_wrote_becomes_the_known_customer_s(
    world: World, log: Log, db: Database
) -> None:
    customers = Customers(db)
    known = await customers.put(world.shop, "c-1")
    assert await customers.merge(world.shop, world.cara, known.id) is True
    assert (await world.now()).customer_id == known.id
    assert (await log.append(world.entry(by=CustomerId(known.id)))).seq == 1
    assert await customers.merge(world.shop, world.cara, known.id) is True


async def test_of_two_open_conversations_the_visitor_s_stays_theirs(
    world: World, log: Log, db: Database
) -> None:
    customers = Customers(db)
    await world.close(log)
    still_open = (await world.open(world.cara)).id
    known = await customers.put(world.shop, "c-1")
    await world.open(known.id)
    assert await customers.merge(world.shop, world.cara, known.id) is False
    assert (await world.now()).customer_id == known.id
    left = await Conversations(db).get(world.shop, still_open)
    assert left.customer_id == world.cara


async def test_a_known_customer_is_merged_into_nobody(world: World, db: Database) -> None:
    customers = Customers(db)
    known = await customers.put(world.shop, "c-1")
    with pytest.raises(RequestError) as refused:
        await customers.merge(world.shop, known.id, world.cara)
    assert refused.value.reason == "not_anonymous"


@pytest.mark.req("KS-01")
async def test_the_last_contact_is_over_all_conversations(world: World, log: Log, db: Database) -> None:
    customers = Customers(db)
    assert await customers.last_contact(world.shop, world.cara) is None
    await world.assign(log, world.ann)
    answer = await log.append(world.entry("hi", by=world.ann))
    await world.close(log)
    await world.open(world.cara)
    contact = await customers.last_contact(world.shop, world.cara)
    assert contact is not None
    assert (contact.agent, contact.at_ms) == (world.ann, answer.created_ms)


@pytest.mark.req("KS-06")
async def test_an_older_fact_about_an_order_changes_nothing(world: World, db: Database) -> None:
    orders = Orders(db)
    facts: dict[str, Any] = {"customer_id": world.cara, "title": "Tea", "amount": "9.90"}
    await orders.put(world.shop, "A-1", state=OrderState.PAID_UNSHIPPED, changed_ms=2000, **facts)
    row = await orders.put(world.shop, "A-1", state=OrderState.PLACED_UNPAID, changed_ms=1000, **facts)
    assert (row.state, row.changed_ms) == (OrderState.PAID_UNSHIPPED, 2000)
    await orders.put(world.shop, "A-2", state=OrderState.AFTER_SALE, changed_ms=3000, **facts)
    assert [order.order_id for order in await orders.of_customer(world.shop, world.cara)] == ["A-2", "A-1"]
    with pytest.raises(RequestError):
        await orders.get((await World.make(db)).shop, "A-1")


# --- shops
# -------------------------------------------------------------------------------------------------------------
async def test_origins_are_replaced_per_surface(world: World, db: Database) -> None:
    shops = Shops(db)
    await shops.set_origins(
        world.shop, "widget", ("https://a.example", "https://b.example", "https://a.example")
    )
    await shops.set_origins(world.shop, "desk", ("https://desk.example",))
    await shops.set_origins(world.shop, "widget", ("https://c.example",))
    origins = await shops.origins(world.shop)
    assert (origins.widget, origins.desk) == ({"https://c.example"}, {"https://desk.example"})
    assert await shops.all_origins() == {("widget", "https://c.example"), ("desk", "https://desk.example")}
    await shops.set_status(world.shop, "suspended")
    assert await shops.all_origins() == frozenset()
    assert world.shop not in await shops.active_ids()


async def test_widget_settings_and_keys_of_a_shop(world: World, db: Database) -> None:
    shops = Shops(db)
    wanted = WidgetSettings(identity_mode="enforce", anonymous_allowed=False)
    assert await shops.set_widget(world.shop, wanted) == wanted
    assert (await shops.get(world.shop)).widget == wanted
    await shops.add_identity_key(world.shop, "k1", "secret")
    await shops.revoke_identity_key(world.shop, "k1")
    (key,) = await shops.identity_keys(world.shop)
    assert (key.kid, key.secret, key.revoked_ms is not None) == ("k1", "secret", True)
    with pytest.raises(RequestError):
        await shops.revoke_identity_key(world.shop, "k2")


async def test_a_short_name_belongs_to_one_shop(world: World, db: Database) -> None:
    shops = Shops(db)
    row = await shops.get(world.shop)
    assert await shops.find(row.slug) == row
    assert await shops.find("nobody") is None
    with pytest.raises(RequestError) as taken:
        await shops.add(slug=row.slug, name="Other", policy={})
    assert taken.value.reason == "slug_taken"
