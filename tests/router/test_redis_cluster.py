"""A real cluster of three masters: calls find their keys' master, and follow when slots move."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.ids import AccountId, ShopId
from protocol.states import AgentStatus
from router import scripts
from router.keys import prefix
from router.model import Done, LivePolicy, Profile
from router.redis_cluster import SLOTS, ClusterLink, seeds, slot_of
from router.redis_engine import RedisEngine
from router.redis_link import LinkError, LinkFault, RedisLink
from tests.live_cluster import LiveCluster, strict

pytestmark = pytest.mark.req("PF-05")
SHOPS = [ShopId(f"shop-{number}") for number in range(30)]


@pytest.fixture
async def link(cluster_url: str) -> AsyncIterator[ClusterLink]:
    link = ClusterLink(cluster_url, scripts=strict(scripts.load()), look_s=0.05)
    await link.open()
    yield link
    await link.close()


@pytest.mark.parametrize(
    "key", ["", "a", "pm:duty", "pm:{nodes}", "pm:{shop}:live", "{}x", "a{b}{c}", "x{", "{ü}", "}{y}"]
)
async def test_a_key_has_the_slot_that_the_cluster_says(link: ClusterLink, key: str) -> None:
    assert slot_of(key) == slot_of(key.encode()) == await link.call("CLUSTER", "KEYSLOT", key)


async def test_every_master_is_found_from_one_and_shops_are_spread_over_all(
    link: ClusterLink, cluster: LiveCluster
) -> None:
    assert len(link.masters) == 3
    for shop in SHOPS:
        engine = RedisEngine(link, shop, node="n")
        ann = (Profile(AccountId("ann"), capacity=1), AgentStatus.ONLINE)
        built = await engine.rebuild(LivePolicy(), [ann], [], op_id="1", day=1, offline_after_ms=None)
        assert isinstance(built, Done)
        assert [agent.profile.agent for agent in await engine.agents()] == ["ann"]
    assert min(cluster.keys()) > 0
    for shop in SHOPS:
        engine = RedisEngine(link, shop, node="n")
        assert [state.profile.agent for state in (await engine.snapshot()).agents] == ["ann"]


async def test_a_call_follows_a_slot_that_has_another_master(link: ClusterLink, cluster: LiveCluster) -> None:
    shop = prefix(SHOPS[0])
    slot, before = slot_of(shop), link.server_of(shop)
    old = next(master for master in cluster.masters if f":{master.port}" in before.url)
    new = next(master for master in cluster.masters if master is not old)
    cluster.move(slot, new)
    try:
        assert await link.call("SET", shop + "x", "1") == b"OK"
        assert link.server_of(shop).url.endswith(f":{new.port}")
        assert link.server_of(shop).run_id not in ("", before.run_id)
        assert new.client.get(shop + "x") == b"1"
        new.client.delete(shop + "x")
    finally:
        cluster.move(slot, old)


async def test_while_a_slot_is_being_moved_nothing_runs_there_and_elsewhere_all_goes_on(
    link: ClusterLink, cluster: LiveCluster
) -> None:
    shop = prefix(SHOPS[0])
    slot = slot_of(shop)
    old = next(each for each in cluster.masters if link.server_of(shop).url.endswith(f":{each.port}"))
    new = next(each for each in cluster.masters if each is not old)
    old_id, new_id = (each.client.execute_command("CLUSTER", "MYID") for each in (old, new))
    new.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", old_id)
    old.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", new_id)
    try:
        engine = RedisEngine(link, SHOPS[0], node="n")
        with pytest.raises(LinkError) as refused:
            await engine.rebuild(LivePolicy(), [], [], op_id="1", day=1, offline_after_ms=None)
        assert refused.value.fault is LinkFault.UNAVAILABLE
        assert cluster.keys() == [0, 0, 0]
        elsewhere = next(each for each in SHOPS if link.server_of(prefix(each)) != link.server_of(shop))
        there = RedisEngine(link, elsewhere, node="n")
        built = await there.rebuild(LivePolicy(), [], [], op_id="1", day=1, offline_after_ms=None)
        assert isinstance(built, Done)
    finally:
        for each in (old, new):
            each.client.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")


async def test_a_script_that_crosses_slots_is_refused_even_on_one_master(cluster_url: str) -> None:
    """What makes the contract suite on this cluster a proof."""
    one = next(f"{{{n}}}" for n in range(SLOTS) if slot_of(f"{{{n}}}") < 5000)
    other = next(f"{{{n}}}" for n in range(SLOTS) if slot_of(f"{{{n}}}") < 5000 and f"{{{n}}}" != one)
    crossing = {"crossing": "redis.call('SET', KEYS[1], 1) redis.call('SET', ARGV[1], 1)"}
    link: Any = ClusterLink(cluster_url, scripts=strict(crossing))
    await link.open()
    with pytest.raises(Exception, match="do not hash to the same slot"):
        await link.script("crossing", (one,), (other,))
    await link.close()


async def test_one_member_alone_is_refused_by_name(cluster: LiveCluster) -> None:
    member = RedisLink(seeds(cluster.url)[0])
    with pytest.raises(LinkError, match="redis-cluster://"):
        await member.open()
    await member.close()


def test_urls_of_members_keep_the_password() -> None:
    assert seeds("redis-cluster://u:p%40@a:1,b:2") == ["redis://u:p%40@a:1", "redis://u:p%40@b:2"]
    assert seeds("rediss-cluster://a:1?ssl_ca_certs=f") == ["rediss://a:1?ssl_ca_certs=f"]
    for wrong in ("redis://a:1", "redis-cluster://", "redis-cluster://a:1/2"):
        with pytest.raises(ValueError, match="cluster's URL"):
            seeds(wrong)
