"""Basic routing, spoken on both engines (KS-01 to KS-04, KS-12)."""

import pytest

from protocol.codes import Reason
from protocol.states import AgentStatus
from tests.router.desk import HOUR_MS, OFFLINE, PAUSED, Desk, spread


@pytest.mark.req("KS-01")
async def test_a_returning_customer_goes_to_the_last_agent(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    answer = await desk.asks("c1", last="bob")
    assert (answer.owner, answer.reason) == ("bob", Reason.LAST_AGENT)


@pytest.mark.req("KS-01")
async def test_the_last_agent_is_offline_so_a_random_other_one_serves(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cat", "dan"):
        await desk.hire(name)
    await desk.hire("eve", status=OFFLINE)
    served: set[str | None] = set()
    for number in range(12):
        desk.rand = number * 7
        answer = await desk.asks(f"c{number}", last="eve")
        assert answer.reason is Reason.RANDOM_ONLINE
        served.add(answer.owner)
    assert served == {"ann", "bob", "cat", "dan"}


@pytest.mark.req("KS-01")
async def test_the_draw_decides_among_the_agents_by_who_waited_longest(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cat"):
        await desk.hire(name)
    await desk.asks("c1")  # ann received last
    desk.rand = 2_147_483_647 // 3 * 3 + 2  # the third of three
    answer = await desk.asks("c2", last="nobody")
    assert answer.owner == "ann"


@pytest.mark.req("KS-01")
@pytest.mark.parametrize(("state", "outcome"), [("paused", Reason.PAUSED), ("full", Reason.FULL)])
async def test_a_last_agent_who_is_paused_or_full_counts_as_not_available(
    desk: Desk, state: str, outcome: Reason
) -> None:
    await desk.open()
    await desk.hire("ann", capacity=1)
    await desk.hire("bob")
    if state == "paused":
        await desk.status("ann", PAUSED)
    else:
        await desk.asks("busy", last="ann")
    answer = await desk.asks("c1", last="ann")
    assert (answer.owner, answer.reason) == ("bob", Reason.ANY_ONLINE)
    assert [(tried.tier, tried.outcome) for tried in answer.tried] == [
        (Reason.LAST_AGENT, outcome),
        (Reason.RANDOM_ONLINE, Reason.SOMEBODY_ONLINE),
        (Reason.ANY_ONLINE, Reason.TAKEN),
    ]


@pytest.mark.req("KS-01")
async def test_a_contact_older_than_the_window_is_forgotten(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    answer = await desk.asks("c1", last="bob", last_at=desk.now - 72 * HOUR_MS - 1)
    assert (answer.owner, answer.reason) == ("ann", Reason.ANY_ONLINE)


@pytest.mark.req("KS-02")
@pytest.mark.parametrize("distribution", ["even", "least_loaded"])
async def test_a_thousand_customers_over_ten_agents_differ_by_at_most_one(
    desk: Desk, distribution: str
) -> None:
    await desk.open(distribution=distribution)
    for number in range(10):
        await desk.hire(f"agent{number}", capacity=500)
    desk.checking = False
    counts = spread([await desk.asks(f"c{number}") for number in range(1_003)])
    assert sorted(counts.values()) == [100] * 7 + [101] * 3
    desk.checking = True
    await desk.asks("last")


@pytest.mark.req("KS-02")
async def test_even_means_fewest_received_today_whatever_the_load(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    await desk.asks("c1")  # ann
    await desk.asks("c2")  # bob
    await desk.close("c2")
    await desk.asks("c3")  # ann: she waited longest
    assert (await desk.asks("c4")).owner == "bob"
    await desk.close("c1")
    await desk.close("c3")
    assert (await desk.asks("c5")).owner == "ann", (
        "both received two; ann waited longest, though bob has a load"
    )


@pytest.mark.req("KS-02")
async def test_a_new_day_counts_from_nothing(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    for number in range(3):
        await desk.asks(f"c{number}")
    await desk.hire("bob")
    assert (await desk.asks("c3")).owner == "bob"
    desk.day += 1
    assert (await desk.asks("c4")).owner == "ann", "nobody received anything today, and ann waited longest"
    assert (await desk.asks("c5")).owner == "bob"
    states = {state.profile.agent: state.received_today for state in await desk.engine.agents()}
    assert states == {"ann": 1, "bob": 1}


@pytest.mark.req("KS-02")
async def test_a_new_day_beside_agents_of_the_old_one(desk: Desk) -> None:
    await desk.open()
    for name in ("ann", "bob", "cat"):
        await desk.hire(name)
    for number in range(9):
        await desk.asks(f"c{number}")
    desk.day += 1
    owners = [(await desk.asks(f"d{number}")).owner for number in range(6)]
    assert owners == ["ann", "bob", "cat", "ann", "bob", "cat"]


@pytest.mark.req("KS-02", "CO-11")
async def test_least_loaded_goes_by_load_for_the_capacity(desk: Desk) -> None:
    await desk.open(distribution="least_loaded")
    await desk.hire("ann", capacity=2)
    await desk.hire("bob", capacity=8)
    owners = [(await desk.asks(f"c{number}")).owner for number in range(6)]
    assert owners == ["ann", "bob", "bob", "bob", "bob", "ann"], "1/2 is more than 3/8, equal to 4/8"


@pytest.mark.req("KS-02")
async def test_changing_the_distribution_changes_who_is_next(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann")
    await desk.hire("bob")
    await desk.asks("c1")  # ann
    await desk.asks("c2", last="bob")
    await desk.asks("c3", last="bob")
    await desk.close("c2")
    await desk.close("c3")
    await desk.change_settings(distribution="least_loaded")
    assert (await desk.asks("c4")).owner == "bob"
    await desk.change_settings(distribution="even")
    assert (await desk.asks("c5")).owner == "ann"


@pytest.mark.req("KS-02")
async def test_everybody_full_or_paused_means_waiting_in_the_default_pool(desk: Desk) -> None:
    await desk.open(offline_routing=True, offline_list=["bob"])
    await desk.hire("ann", capacity=1)
    await desk.hire("bob", status=PAUSED, on_offline_list=True)
    await desk.asks("c1")
    answer = await desk.asks("c2")
    assert (answer.owner, answer.reason, answer.pool, answer.place) == (None, Reason.QUEUE_POOL, "default", 1)
    assert (answer.tried[-1].tier, answer.tried[-1].outcome) == (Reason.QUEUE_POOL, Reason.ALL_FULL)


@pytest.mark.req("KS-04")
async def test_managers_without_the_agent_role_receive_nothing(desk: Desk) -> None:
    await desk.open()
    await desk.hire("boss", routable=False, is_owner=True)
    await desk.hire("manager", routable=False)
    await desk.hire("ann", status=OFFLINE)
    answer = await desk.asks("c1", last="boss")
    assert answer.owner is None
    assert [(tried.tier, tried.outcome) for tried in answer.tried] == [
        (Reason.LAST_AGENT, Reason.NOT_AN_AGENT),
        (Reason.RANDOM_ONLINE, Reason.NOBODY_ONLINE),
        (Reason.ANY_ONLINE, Reason.NOBODY_ONLINE),
        (Reason.OWNER_FALLBACK, Reason.HAS_AGENTS),
        (Reason.QUEUE_POOL, Reason.NOBODY_ONLINE),
    ]


@pytest.mark.req("KS-04")
async def test_a_shop_without_agents_sends_everything_to_the_owner(desk: Desk) -> None:
    await desk.open(offline_routing=True, offline_list=["manager"])
    await desk.hire("boss", routable=False, is_owner=True, capacity=1)
    await desk.hire("manager", routable=False, on_offline_list=True)
    answers = [await desk.asks(f"c{number}") for number in range(3)]
    assert spread(answers) == {"boss": 3}
    assert {answer.reason for answer in answers} == {Reason.OWNER_FALLBACK}
    assert not any(answer.offline for answer in answers)


@pytest.mark.req("KS-04")
async def test_an_owner_who_is_away_answers_later_and_the_customer_is_told(desk: Desk) -> None:
    await desk.open()
    await desk.hire("boss", routable=False, is_owner=True, status=OFFLINE)
    answer = await desk.asks("c1")
    assert (answer.owner, answer.offline) == ("boss", True)


@pytest.mark.req("KS-04")
async def test_the_owner_receives_nothing_as_soon_as_an_agent_exists(desk: Desk) -> None:
    await desk.open()
    await desk.hire("boss", routable=False, is_owner=True)
    await desk.hire("ann")
    assert (await desk.asks("c1")).owner == "ann"
    await desk.fire("ann")
    assert (await desk.asks("c2")).owner == "boss"


@pytest.mark.req("KS-04", "KS-14")
async def test_an_owner_who_is_an_agent_too_is_one_of_them(desk: Desk) -> None:
    await desk.open()
    await desk.hire("boss", is_owner=True)
    await desk.hire("ann")
    assert spread([await desk.asks(f"c{number}") for number in range(4)]) == {"boss": 2, "ann": 2}


@pytest.mark.req("KS-04", "KS-14")
async def test_an_excluded_owner_receives_nothing_even_without_agents(desk: Desk) -> None:
    await desk.open()
    await desk.hire("boss", routable=False, is_owner=True, excluded=True)
    answer = await desk.asks("c1")
    assert answer.owner is None
    assert answer.tried[-2].outcome is Reason.EXCLUDED


@pytest.mark.req("KS-12")
async def test_grouped_mode_without_any_group_is_basic_mode(desk: Desk) -> None:
    await desk.open(mode="grouped", order_state_groups={"trade_done": ["post"]}, groups_exist=False)
    await desk.hire("ann", capacity=1)
    await desk.hire("bob")
    await desk.asks("c1", state="trade_done", last="ann")
    answer = await desk.asks("c2", state="trade_done", last="ann")
    assert (answer.owner, answer.pool) == ("bob", "default"), "basic mode never goes above capacity"


async def test_off_duty_counts_like_offline(desk: Desk) -> None:
    await desk.open()
    await desk.hire("ann", on_duty=False)
    answer = await desk.asks("c1", last="ann")
    assert answer.owner is None
    assert answer.tried[0].outcome is Reason.OFF_DUTY
    state = next(iter(await desk.engine.agents()))
    assert (state.status, state.availability) == (AgentStatus.ONLINE, Reason.OFF_DUTY)
