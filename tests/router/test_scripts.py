"""The Lua scripts: their headers, and what each promises of Redis itself: one command, replay, fencing, no litter."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from protocol.codes import Reason
from protocol.ids import AccountId, ConnectionId, ConversationId, CustomerId, GroupId, PersonId, ShopId
from protocol.states import AgentStatus, Life
from router import scripts
from router.keys import at_key, live_key, prefix
from router.model import (
    PRIORITY,
    ConversationState,
    Done,
    Due,
    LivePolicy,
    Outcome,
    Plan,
    Profile,
    Refusal,
    Refused,
    Request,
    Tier,
    TierKind,
)
from router.redis_engine import REBUILD_PART, RedisEngine
from router.redis_link import RedisLink
from router.scripts import CALLERS, SOURCES, ScriptError, headers, load

SHOP = ShopId("shop")
DAY = 739_000
NOW = 1_800_000_000_000
ANN, BOB = AccountId("ann"), AccountId("bob")
LUA = Path(scripts.__file__).parent / "lua"


# --- headers -------------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the scripts, to spoil."""
    return Path(shutil.copytree(LUA, tmp_path / "lua"))


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / f"{name}.lua"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_script_says_what_it_is_for() -> None:
    for header in headers().values():
        assert header.purpose.endswith("."), header.name
        assert header.guarantee, header.name
        assert header.returns, header.name


@pytest.mark.parametrize("line", ["-- GUARANTEE:", "-- ARGV:", "-- RETURNS:", "-- KEYS:", "-- USES:"])
def test_a_header_with_a_line_missing_stops_the_start(folder: Path, line: str) -> None:
    spoil(folder, "close", line, "--")
    with pytest.raises(ScriptError, match=f"close.lua: the header lacks {line[3:-1]}"):
        load(folder)


def test_arguments_that_callers_do_not_pass_stop_the_start(folder: Path) -> None:
    spoil(folder, "close", "or_else by", "or_else by why")
    with pytest.raises(ScriptError, match=r"close\.lua takes ARGV"):
        load(folder)


def test_a_script_without_caller_stops_the_start(folder: Path) -> None:
    (folder / "open.lua").write_text((folder / "close.lua").read_text().replace("-- close:", "-- open:"))
    with pytest.raises(ScriptError, match="open"):
        load(folder)


def test_a_script_under_another_name_stops_the_start(folder: Path) -> None:
    spoil(folder, "close", "-- close:", "-- shut:")
    with pytest.raises(ScriptError, match="the first line"):
        load(folder)


# --- verbs ---------------------------------------------------------------------------------------------------------
@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    it = RedisLink(redis_url, scripts=SOURCES)
    await it.open()
    yield it
    await it.close()


@pytest.fixture
async def engine(link: RedisLink) -> RedisEngine:
    """A live shop. Ann serves `hers` and is full with `old`; Bob is paused; `early` and `late` wait."""
    engine = RedisEngine(link, SHOP, node="n1:aaaa")
    await engine.rebuild(
        LivePolicy(pools={"after_sale": (GroupId("hers"),)}),
        [
            (Profile(ANN, capacity=2, groups=(GroupId("hers"),)), AgentStatus.ONLINE),
            (Profile(BOB, capacity=2), AgentStatus.PAUSED),
        ],
        [
            held("old"),
            held("over", life=Life.WRAP_UP),
            queued("early", NOW - 2000),
            queued("late", NOW - 1000),
        ],
        op_id="furnish",
        day=DAY,
        offline_after_ms=60_000,
        now_ms=NOW,
    )
    return engine


def held(name: str, *, life: Life = Life.ACTIVE) -> ConversationState:
    until = NOW + 60_000 if life is Life.WRAP_UP else None
    return ConversationState(
        ConversationId(name), life, ANN, 1, 1, 1, NOW - 5000, "default", wrap_up_until_ms=until
    )


def queued(name: str, arrived: int) -> ConversationState:
    return ConversationState(ConversationId(name), Life.QUEUED, None, 0, 1, 1, arrived, "default")


def plan(name: str) -> Plan:
    request = Request(ConversationId(name), CustomerId("c"), NOW, "after_sale")
    return Plan(
        request,
        (
            Tier(TierKind.AGENT, Reason.LAST_AGENT, agent=BOB),
            Tier(TierKind.GROUPS, Reason.ORDER_STATE_GROUP, groups=(GroupId("hers"),), hold=True),
            Tier(TierKind.POOL, Reason.QUEUE_POOL, pool="after_sale"),
        ),
    )


Stamp = dict[str, object]
Verb = Callable[[RedisEngine, Stamp], Awaitable[Outcome | Due]]
VERBS: dict[str, Verb] = {
    "claim": lambda it, at: it.claim(plan("new"), rand=0, **at),  # pyright: ignore[reportArgumentType]
    "assign": lambda it, at: it.assign(ConversationId("old"), BOB, by=BOB, **at),  # pyright: ignore[reportArgumentType]
    "pull": lambda it, at: it.pull(BOB, **at),  # pyright: ignore[reportArgumentType]
    "requeue": lambda it, at: it.requeue(ConversationId("old"), **at),  # pyright: ignore[reportArgumentType]
    "end": lambda it, at: it.end(ConversationId("old"), wrap_up_ms=9, **at),  # pyright: ignore[reportArgumentType]
    "reopen": lambda it, at: it.reopen(ConversationId("over"), **at),  # pyright: ignore[reportArgumentType]
    "close": lambda it, at: it.close(ConversationId("old"), **at),  # pyright: ignore[reportArgumentType]
    "set_priority": lambda it, at: it.set_priority(ConversationId("late"), PRIORITY, **at),  # pyright: ignore[reportArgumentType]
    "fill": lambda it, at: it.fill(**at),  # pyright: ignore[reportArgumentType]
    "set_status": lambda it, at: it.set_status(BOB, AgentStatus.ONLINE, **at),  # pyright: ignore[reportArgumentType]
    "set_profile": lambda it, at: it.set_profile(Profile(ANN, capacity=9), **at),  # pyright: ignore[reportArgumentType]
    "remove_agent": lambda it, at: it.remove_agent(ANN, **at),  # pyright: ignore[reportArgumentType]
    "set_policy": lambda it, at: it.set_policy(LivePolicy("least_loaded"), **at),  # pyright: ignore[reportArgumentType]
    "connect": lambda it, at: it.connect(
        PersonId(BOB),
        ConnectionId("k"),
        node="n1:aaaa",
        offline_after_ms=None,
        **at,  # pyright: ignore[reportArgumentType]
    ),
    "disconnect": lambda it, at: it.disconnect(PersonId(BOB), ConnectionId("k"), node="n1:aaaa", **at),  # pyright: ignore[reportArgumentType]
    "expire": lambda it, at: it.expire(requeue_after_ms=9, **(at | {"now_ms": NOW + 90_000})),  # pyright: ignore[reportArgumentType]
    "reap": lambda it, at: it.reap("n2:bbbb", **at),  # pyright: ignore[reportArgumentType]
}
CHANGES = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())


def stamp(op_id: str) -> Stamp:
    return {"op_id": op_id, "day": DAY, "now_ms": NOW + 1}


async def dump(link: RedisLink) -> dict[bytes, bytes]:
    """Every key with its value."""
    keys = sorted(await link.call("KEYS", "*"))
    return {key: await link.call("DUMP", key) for key in keys}


async def evalshas(link: RedisLink) -> int:
    text = (await link.call("INFO", "commandstats")).decode()
    _, _, rest = text.partition("cmdstat_evalsha:calls=")
    return int(rest.partition(",")[0] or 0)


def test_every_script_that_changes_something_is_tried_here() -> None:
    changing = {name for name, header in headers().items() if "_prelude" in header.uses}
    assert changing - {"rebuild_begin", "rebuild_add", "rebuild_end"} == VERBS.keys()


@CHANGES
@pytest.mark.req("PF-02")
async def test_a_verb_is_one_command(engine: RedisEngine, link: RedisLink, verb: Verb) -> None:
    scripts_before, calls_before = await evalshas(link), link.counts["calls"]
    await verb(engine, stamp("once"))
    assert link.counts["calls"] - calls_before == 1
    assert await evalshas(link) - scripts_before == 1


@CHANGES
async def test_a_repeat_answers_the_same_and_changes_nothing(
    engine: RedisEngine, link: RedisLink, verb: Verb
) -> None:
    first = await verb(engine, stamp("again"))
    before = await dump(link)
    assert await verb(engine, stamp("again")) == first
    assert await dump(link) == before
    assert 59_000 < await link.call("PTTL", f"{prefix(SHOP)}op:again") <= 60_000


@CHANGES
async def test_a_fenced_node_changes_nothing(engine: RedisEngine, link: RedisLink, verb: Verb) -> None:
    other = RedisEngine(link, SHOP, node="n3:cccc")
    await other.reap("n1:aaaa", op_id="reap", day=DAY, now_ms=NOW)
    before = await dump(link)
    assert await verb(engine, stamp("late")) in (Refused(Refusal.FENCED), Due())
    assert await dump(link) == before
    day_ms = 24 * 3600 * 1000
    assert day_ms - 60_000 < await link.call("PTTL", f"{prefix(SHOP)}fence:n1:aaaa") <= day_ms


@CHANGES
async def test_without_live_state_nothing_changes(engine: RedisEngine, link: RedisLink, verb: Verb) -> None:
    await link.call("DEL", live_key(SHOP))
    before = await dump(link)
    outcome = await verb(engine, stamp("early"))
    if verb is VERBS["reap"]:
        assert outcome == Done(), "the fence matters even then"
        return
    assert outcome in (Refused(Refusal.NOT_LIVE), Due())
    assert await dump(link) == before
    assert not await engine.is_live()
    assert await engine.agents() == ()


async def test_redis_time_is_used_when_none_is_given(engine: RedisEngine, link: RedisLink) -> None:
    done = await engine.close(ConversationId("early"), op_id="x", day=DAY)
    assert isinstance(done, Done)
    seconds, micros = await link.call("TIME")
    assert abs(int(seconds) * 1000 + int(micros) // 1000 - done.decisions[0].at_ms) < 2000


# --- keys ----------------------------------------------------------------------------------------------------------
async def test_when_all_is_over_nothing_is_left_but_the_shop(engine: RedisEngine, link: RedisLink) -> None:
    for verb in VERBS:
        await VERBS[verb](engine, stamp(f"1-{verb}"))
    await engine.disconnect(PersonId(BOB), ConnectionId("k"), node="n1:aaaa", op_id="gone", day=DAY)
    for state in (await engine.snapshot()).conversations:
        await engine.close(state.conversation, op_id=f"close-{state.conversation}", day=DAY)
    for state in await engine.agents():
        await engine.remove_agent(state.profile.agent, op_id=f"remove-{state.profile.agent}", day=DAY)
    await engine.confirm(
        [(one.conversation, one.rev) for one in await engine.unconfirmed(0, now_ms=NOW + 10**6)]
    )
    left = {key.decode().removeprefix(prefix(SHOP)) for key in await link.call("KEYS", "*")}
    assert {key for key in left if not key.startswith(("op:", "fence:"))} == {"live", "seq", "groups"}


async def test_a_rebuild_forgets_all_that_was_there(engine: RedisEngine, link: RedisLink) -> None:
    for verb in VERBS:
        await VERBS[verb](engine, stamp(f"1-{verb}"))
    many = [queued(f"q{n}", NOW + n) for n in range(3000)]  # more than one call wipes
    for number, conversations in enumerate((many, [])):
        await engine.rebuild(
            LivePolicy(), [], conversations, op_id=f"new{number}", day=DAY, offline_after_ms=None
        )
    left = {key.decode().removeprefix(prefix(SHOP)) for key in await link.call("KEYS", "*")}
    assert {key for key in left if not key.startswith(("op:", "fence:"))} == {"live"}


async def test_of_two_rebuilds_at_once_one_wins_and_is_complete(link: RedisLink) -> None:
    conversations = [queued(f"q{n}", NOW + n) for n in range(3 * REBUILD_PART)]

    def rebuild(node: str) -> Awaitable[Outcome]:
        engine = RedisEngine(link, SHOP, node=node)
        return engine.rebuild(LivePolicy(), [], conversations, op_id=node, day=DAY, offline_after_ms=None)

    outcomes = await asyncio.gather(rebuild("n1"), rebuild("n2"))
    assert sorted(outcomes, key=str) == [Done(), Refused(Refusal.NOT_LIVE)]
    pools = await RedisEngine(link, SHOP, node="n1").pools()
    assert [(pool.pool, pool.length) for pool in pools] == [("default", len(conversations))]


async def test_shops_do_not_see_each_other(engine: RedisEngine, link: RedisLink) -> None:
    other = RedisEngine(link, ShopId("other"), node="n1:aaaa")
    await other.rebuild(LivePolicy(), [], [], op_id="o", day=DAY, offline_after_ms=None)
    before = await engine.snapshot()
    assert await other.conversation(ConversationId("old")) is None
    assert await other.close(ConversationId("old"), op_id="x", day=DAY) == Refused(
        Refusal.UNKNOWN_CONVERSATION
    )
    assert await engine.snapshot() == before


async def test_any_text_can_be_an_id(engine: RedisEngine, link: RedisLink) -> None:
    odd = '"quoted" {brace} 分流 \\ \n : *'
    await engine.set_profile(
        Profile(AccountId(odd), groups=(GroupId(odd),), capacity=1), op_id="p", day=DAY, now_ms=NOW
    )
    await engine.connect(
        PersonId(odd), ConnectionId(odd), node=odd, offline_after_ms=5, op_id="c", day=DAY, now_ms=NOW
    )
    await engine.set_status(AccountId(odd), AgentStatus.ONLINE, op_id="s", day=DAY, now_ms=NOW)
    owned = await engine.conversation(ConversationId("early"))
    assert owned is not None
    assert owned.owner == odd
    assert await link.call("HGETALL", at_key(SHOP, PersonId(odd))) == [odd.encode(), odd.encode()]
    assert await engine.reap(odd, op_id=odd, day=DAY, now_ms=NOW) == Done()
    due = await engine.expire(requeue_after_ms=0, op_id="e", day=DAY, now_ms=NOW + 5)
    assert due.counted_offline == (odd,)


def test_what_callers_pass_is_written_down_once() -> None:
    assert {name: header.argv for name, header in headers().items()} == CALLERS
