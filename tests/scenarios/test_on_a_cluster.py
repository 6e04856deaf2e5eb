"""The same scenarios with Redis as a cluster of three masters: two nodes, and every script of the server (PF-05)."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.redis_cluster import ClusterLink
from router.scripts import SOURCES
from server.node import NODES_KEY
from server.scripts import SCRIPTS
from server.services.attempts import Allowance
from server.storeys import clients
from tests.live_cluster import LiveCluster, strict
from tests.scenarios import test_main_job as main_job
from tests.scenarios import test_screen as screen
from tests.scenarios import test_supervision as supervision
from tests.scenarios import test_typing as typing
from tests.scenarios.house import House, until

pytestmark = pytest.mark.req("PF-05")

ONE_REDIS = {"bus_publish"}
"""Scripts for one Redis; on a cluster `bus_where` and `bus_enter` do their work."""


SELDOM = {"bus_gap", "bus_everywhere"}
"""After a backlog that ran over, and when a shop is suspended: `test_bus` runs them on the same cluster."""


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The scripts that ran. Every key of another slot than the first is refused."""
    monkeypatch.setattr(clients, "SCRIPTS", strict(SCRIPTS))
    monkeypatch.setattr(clients, "SOURCES", strict(SOURCES))
    names: set[str] = set()
    run = ClusterLink.script

    def script(link: ClusterLink, name: str, keys: Any, args: Any) -> Any:
        names.add(name)
        return run(link, name, keys, args)

    monkeypatch.setattr(ClusterLink, "script", script)
    return names


@pytest.fixture
async def house(migrated_database_url: str, cluster_url: str) -> AsyncIterator[House]:
    """Two nodes, in which nobody is waited for long."""
    house = await House.start(
        migrated_database_url,
        cluster_url,
        nodes=2,
        lease_s=2,
        lease_renew_s=0.5,
        sweep_s=0.2,
        watch_away_s=1,
        screen_away_s=1,
        screen_answer_s=2,
        ice_servers=json.dumps(screen.ICE),
    )
    yield house
    await house.stop()


async def test_every_script_of_the_server_keeps_to_one_slot(house: House, ran: set[str]) -> None:
    """Those of routing are run by the engines' contract suite, on the same cluster."""
    await main_job.test_a_customer_writes_and_an_agent_answers(house)
    await main_job.test_the_second_customer_waits_is_told_why_and_gets_the_freed_slot(house)
    await typing.test_of_two_who_begin_to_answer_the_second_is_told_who_was_first(house)
    await screen.test_the_customer_is_asked_agrees_and_both_are_told(house)
    await screen.test_who_offers_agrees_by_it_and_signals_come_in_order(house)
    await screen.test_shares_leave_nothing_behind(house)
    await watching_ends_with_a_long_absence(house)
    await tries_are_counted_and_given_back(house)
    await a_node_that_stops_is_reaped(house)
    assert SCRIPTS.keys() - ran == ONE_REDIS | SELDOM


async def watching_ends_with_a_long_absence(house: House) -> None:
    scene = await supervision.setting(house)
    await scene.sue_watches()
    await scene.sue.leave()
    await until(lambda: supervision.nobody_watches(scene), what="the end of watching")


async def tries_are_counted_and_given_back(house: House) -> None:
    attempts = house.app.attempts
    subject = (Allowance("test", 1), "somebody")
    await attempts.begin(subject)
    await attempts.succeeded(subject)
    await attempts.begin(subject)


async def a_node_that_stops_is_reaped(house: House) -> None:
    gone, stays = house.nodes
    await gone.stop()
    house.nodes.remove(gone)

    async def reaped() -> bool:
        return await stays.app.link.call("HLEN", NODES_KEY) == 1

    await until(reaped, what="the reaping of the node that left")


async def test_shops_are_spread_over_all_masters(house: House, cluster: LiveCluster) -> None:
    """By chance: of so many shops none on one of three masters, once in a billion times."""
    found: set[int] = set()
    for _ in range(54):
        if len(found) == len(cluster.masters):
            return
        shop = await house.shop()
        lily = await shop.agent("Lily")
        ada = await shop.customer("Ada")
        await lily.sees(await ada.opens("good morning"), owner=lily.id)
        found |= {at for at, master in enumerate(cluster.masters) if master.client.keys(f"pm:{{{shop.id}}}*")}
    pytest.fail(f"shops are on {found} only")


async def test_what_was_wiped_is_made_anew(house: House, cluster: LiveCluster) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    talk = await ada.opens("good morning")
    await lily.sees(talk, owner=lily.id)
    epochs = [node.app.node.epoch for node in house.nodes]
    connections = {person: person.client.connections for person in (lily, ada)}
    cluster.empty()

    def begun_anew() -> bool:
        come_back = all(person.client.connections > before for person, before in connections.items())
        return come_back and all(node.app.node.epoch not in epochs for node in house.nodes)

    await until(begun_anew, what="everybody's coming back to nodes that have begun anew")
    bob = await shop.customer("Bob")
    await lily.sees(await bob.opens("me too"), owner=lily.id)
    await ada.says(talk, "still there?")
    await lily.reads(talk, "still there?")
    assert await shop.invariants() == {"I3": 0, "I4": 0, "I8": 0}
