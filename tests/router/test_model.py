"""The memory engine is the specification: after any verbs, the Redis engine answers the same and is in the same state.

`--model-sequences N` and `--model-seed S` choose how many sequences of 60 verbs and from which seed. A failure names
its seed and is cut down to the verbs that matter.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import count, zip_longest
from random import SystemRandom
from typing import Any

import pytest

from protocol.ids import ConversationId, ShopId
from router import scripts
from router.engine import Engine
from router.invariants import broken_between, violations
from router.memory_engine import MemoryEngine
from router.memory_state import LiveShop
from router.model import Done, Due, LivePolicy, Refused, Snapshot
from router.redis_engine import RedisEngine
from router.redis_link import RedisLink
from tests.router.model_verbs import AGENTS, CONVERSATIONS, DAY_MS, POOLS, START_MS, Author, Verb

LENGTH = 60
BY_HAND = {"assign", "pull"}
TIMELESS = {"confirm"}


class Disagreement(Exception):
    """What two engines, or an engine and the invariants, disagree about."""


def differ(what: str, specified: object, found: object) -> None:
    """Raise, naming the first part that differs, when two answers do."""
    if specified == found:
        return
    if isinstance(specified, Done | Due) and type(specified) is type(found):
        for part in specified.__dataclass_fields__:
            differ(f"{what}, {part}", getattr(specified, part), getattr(found, part))
    if isinstance(specified, list | tuple) and isinstance(found, list | tuple):
        for number, (one, other) in enumerate(zip_longest(specified, found)):
            differ(f"{what}, number {number}", one, other)
    raise Disagreement(f"{what}\n  specified {specified}\n  found     {found}")


async def call(engine: Engine, verb: Verb, now_ms: int) -> Any:
    args = dict(verb.args)
    if "node_at" in args:
        args["node"] = args.pop("node_at")
    if verb.name not in TIMELESS:
        args |= {"op_id": verb.op_id, "day": now_ms // DAY_MS, "now_ms": now_ms}
    return await getattr(engine, verb.name)(**args)


async def ask(engine: Engine, now_ms: int) -> list[Any]:
    """Every question, about everything that may be there."""
    answers: list[Any] = [await engine.is_live(), await engine.agents(), await engine.pools()]
    answers += [await engine.agent(name) for name in AGENTS]  # pyright: ignore[reportArgumentType]
    for name in CONVERSATIONS:
        conversation = ConversationId(name)
        answers += [await engine.conversation(conversation), await engine.explain(conversation)]
        answers.append(await engine.place(conversation))
    answers += [await engine.waiting(pool, limit=3) for pool in POOLS]
    answers.append(await engine.unconfirmed(1_000, limit=5, now_ms=now_ms))
    return answers


def changed(first: Snapshot, second: Snapshot) -> str:
    """The parts of two snapshots that differ."""
    parts: list[str] = []
    for part in Snapshot.__dataclass_fields__:
        ours, theirs = getattr(first, part), getattr(second, part)
        if isinstance(ours, tuple):
            parts += [f"  specified {one}" for one in ours if one not in theirs]
            parts += [f"  found     {one}" for one in theirs if one not in ours]
        elif ours != theirs:
            parts.append(f"  {part}: specified {ours}\n  {part}: found     {theirs}")
    return "\n".join(parts) or "  the order differs"


class Play:
    """One sequence on both engines, compared and checked after every verb."""

    def __init__(self, link: RedisLink, shop: ShopId) -> None:
        self.link = link
        self.shop = shop
        self.memory = LiveShop()
        self.now_ms = START_MS
        self.policy = LivePolicy()
        self.more = False
        """the last verb that could fill left room over"""

    async def run(self, verbs: Sequence[Verb]) -> None:
        """Raises Disagreement."""
        before = await MemoryEngine(self.memory).snapshot()
        for number, verb in enumerate(verbs):
            self.now_ms += verb.tick_ms
            specification = MemoryEngine(self.memory, node=verb.node)
            engine = RedisEngine(self.link, self.shop, node=verb.node)
            repeat = verb.op_id in self.memory.replies
            specified = await call(specification, verb, self.now_ms)
            differ(f"outcome of {verb.op_id} {verb.name}", specified, await call(engine, verb, self.now_ms))
            after = await specification.snapshot()
            found = await engine.snapshot()
            if after != found:
                raise Disagreement(f"snapshot after {verb.op_id} {verb.name}\n{changed(after, found)}")
            self.check(verb, specified, before, after, repeat=repeat)
            if number % 10 == 9:
                differ("answers", await ask(specification, self.now_ms), await ask(engine, self.now_ms))
            before = after

    def check(
        self,
        verb: Verb,
        outcome: Done | Due | Refused | None,
        before: Snapshot,
        after: Snapshot,
        *,
        repeat: bool,
    ) -> None:
        if repeat or isinstance(outcome, Refused):
            differ("a refusal or repeat changed something", before, after)
            return
        if verb.name in ("set_policy", "rebuild"):
            self.policy = verb.args["policy"]
        # Fenced or not live: a drain goes on being unfinished.
        barred = isinstance(outcome, Due) and before == after
        if isinstance(outcome, Done | Due) and not barred:
            self.more = outcome.more
        differ("invariants", [], violations(after, self.policy, more=self.more))
        if isinstance(outcome, Done | Due) and verb.name != "rebuild":
            by_hand = verb.name in BY_HAND
            differ("history", [], broken_between(before, after, outcome.decisions, by_hand=by_hand))


async def shortest(verbs: list[Verb], fails: Callable[[list[Verb]], Awaitable[str | None]]) -> list[Verb]:
    """The sequence without whatever is not needed for it to fail: halves first, single verbs last."""
    size = len(verbs) // 2
    while size >= 1:
        start = 0
        while start < len(verbs):
            shorter = verbs[:start] + verbs[start + size :]
            if shorter and await fails(shorter):
                verbs = shorter
            else:
                start += size
        size //= 2
    return verbs


@pytest.mark.req(
    "KS-01", "KS-02", "KS-09", "KS-18", "KS-19", "KS-20", "KS-21", "KS-22", "I3", "I4", "I8", "I9"
)
@pytest.mark.timeout(0)
async def test_both_engines_agree_after_every_verb(redis_url: str, request: pytest.FixtureRequest) -> None:
    sequences = int(request.config.getoption("--model-sequences", default=300))  # pyright: ignore[reportArgumentType]
    seed: int | None = request.config.getoption("--model-seed", default=None)
    first = SystemRandom().randrange(10**9) if seed is None else seed
    shops = count()
    link = RedisLink(redis_url, scripts=scripts.load())
    await link.open()

    async def fails(verbs: list[Verb]) -> str | None:
        try:
            await Play(link, ShopId(f"model-{next(shops)}")).run(verbs)
        except Exception as error:  # an engine's crash is a disagreement too
            return f"{type(error).__name__}: {error}"
        return None

    try:
        for number in range(first, first + sequences):
            verbs = Author(number).sequence(LENGTH)
            if await fails(verbs):
                verbs = await shortest(verbs, fails)
                steps = "\n".join(str(verb) for verb in verbs)
                pytest.fail(f"--model-seed {number}\n{steps}\n{await fails(verbs)}", pytrace=False)
    finally:
        await link.close()
