"""The live routing state of the shops, as services use it: the right engine, the right day, alive again when
it was lost.

Knows how durable facts become profiles and policies. It promises that a verb either happened (then its
decisions are in the outcome) or is refused with a `RequestError`; when the outcome is unknown the
unconfirmed decisions tell later.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import structlog

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, ShopId, new_id
from router.engine import Engine
from router.keys import prefix
from router.link import Link
from router.model import ConversationState, Done, Outcome, Place, Refusal, Refused
from router.policy import OfflineAfter
from router.redis_engine import RedisEngine
from router.redis_link import LinkError
from server.services.profiles import Profiles
from server.services.shops import Shops
from server.store.conversations import Conversations

log = structlog.get_logger("live")

REBUILD_LOCK_MS = 15_000
"""A rebuild that takes longer than this may be taken over by another node; both end in the same state."""
LIVE_WAIT_S = 3.0
"""How long a request waits for a rebuild that another node is doing."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every verb takes beside its own arguments. A repeated call uses the same stamp."""

    op_id: str
    day: int


Verb = Callable[[Engine, Stamp], Awaitable[Outcome]]
AnswerT = TypeVar("AnswerT")

NOT_LIVE_REASON = "rebuilding"
REFUSALS: Final[dict[Refusal, tuple[ErrorCode, str, str]]] = {
    Refusal.UNKNOWN_CONVERSATION: (
        ErrorCode.INVALID_STATE,
        "conversation_closed",
        "This conversation is closed already.",
    ),
    Refusal.UNKNOWN_AGENT: (ErrorCode.NOT_FOUND, "agent_not_found", "There is no such agent here."),
    Refusal.ALREADY_ROUTED: (
        ErrorCode.CONFLICT,
        "already_routed",
        "This conversation is being served or waits already.",
    ),
    Refusal.NOT_WAITING: (
        ErrorCode.CONFLICT,
        "not_waiting",
        "This conversation waits no longer; somebody was faster.",
    ),
    Refusal.NOT_ACTIVE: (
        ErrorCode.INVALID_STATE,
        "not_active",
        "This conversation is not in service now.",
    ),
    Refusal.NOT_OWNER: (
        ErrorCode.STALE_ASSIGNMENT,
        "not_owner",
        "Somebody else serves this conversation now.",
    ),
    Refusal.STALE_EPOCH: (
        ErrorCode.STALE_ASSIGNMENT,
        "stale_assignment",
        "The owner of this conversation has changed; look at it again.",
    ),
    Refusal.SAME_OWNER: (ErrorCode.CONFLICT, "same_owner", "This agent serves the conversation already."),
    Refusal.LOAD_CHANGED: (
        ErrorCode.CONFLICT,
        "load_changed",
        "This agent was given something else meanwhile; please try again.",
    ),
    Refusal.NOT_IN_WRAP_UP: (
        ErrorCode.INVALID_STATE,
        "not_in_wrap_up",
        "This conversation is not in wrap-up; nothing to undo.",
    ),
    Refusal.POOL_EMPTY: (ErrorCode.CONFLICT, "pool_empty", "Nobody waits there now."),
    Refusal.FENCED: (
        ErrorCode.UNAVAILABLE,
        "node_fenced",
        "This node is starting anew; please try again.",
    ),
    Refusal.NOT_LIVE: (
        ErrorCode.UNAVAILABLE,
        NOT_LIVE_REASON,
        "Routing is being rebuilt; please try again.",
    ),
}
RETRY_AFTER_MS = 500


def refused(refusal: Refusal) -> RequestError:
    """The error for a refusal. Each time a new one: what is raised again and again keeps every caller's frames."""
    code, reason, message = REFUSALS[refusal]
    retry_after_ms = RETRY_AFTER_MS if code is ErrorCode.UNAVAILABLE else None
    return RequestError(code, reason, message, retry_after_ms=retry_after_ms)


def routing_unavailable() -> RequestError:
    """Redis did not answer; what was sent may still happen, and is then delivered."""
    return RequestError(
        ErrorCode.UNAVAILABLE,
        "routing_unavailable",
        "Routing does not answer now; please try again.",
        retry_after_ms=1000,
    )


class Live:
    """Engines by shop. `node`: gives this node's name with its incarnation, which changes when it lost its lease."""

    def __init__(
        self,
        link: Link,
        node: Callable[[], str],
        shops: Shops,
        profiles: Profiles,
        conversations: Conversations,
    ) -> None:
        self._link = link
        self._node = node
        self._shops = shops
        self._profiles = profiles
        self._conversations = conversations
        self._engines: dict[ShopId, RedisEngine] = {}
        self._engines_of = ""
        self._rebuilding: dict[ShopId, asyncio.Task[None]] = {}

    @property
    def node(self) -> str:
        """This node's name with its incarnation."""
        return self._node()

    def engine(self, shop: ShopId) -> Engine:
        """The shop's engine, bound to this node's present incarnation."""
        node = self._node()
        if node != self._engines_of:
            self._engines.clear()
            self._engines_of = node
        engine = self._engines.get(shop)
        if engine is None:
            engine = self._engines[shop] = RedisEngine(self._link, shop, node=node)
        return engine

    async def stamp(self, shop: ShopId) -> Stamp:
        """A fresh operation on the shop's present day."""
        policy = (await self._shops.get(shop)).policy
        return Stamp(new_id(), datetime.now(ZoneInfo(policy.timezone)).toordinal())

    async def do(self, shop: ShopId, verb: Verb) -> Done:
        """Carry out one verb. Brings lost live state back first; repeats once, with the same stamp, when the
        link broke."""
        outcome = await self.attempt(shop, verb)
        if isinstance(outcome, Refused):
            raise refused(outcome.refusal)
        return outcome

    async def attempt(self, shop: ShopId, verb: Verb) -> Outcome:
        """Like `do`, with refusals as values (NOT_LIVE and FENCED are still raised)."""
        stamp = await self.stamp(shop)
        outcome = await self._call(shop, verb, stamp)
        if isinstance(outcome, Refused) and outcome.refusal is Refusal.NOT_LIVE:
            await self.ensure(shop)
            outcome = await self._call(shop, verb, stamp)
        if isinstance(outcome, Refused) and outcome.refusal in (Refusal.NOT_LIVE, Refusal.FENCED):
            raise refused(outcome.refusal)
        return outcome

    async def _call(self, shop: ShopId, verb: Verb, stamp: Stamp) -> Outcome:
        try:
            return await verb(self.engine(shop), stamp)
        except LinkError as error:
            if not error.outcome_unknown:
                raise routing_unavailable() from None
        try:  # the same op_id: what happened the first time does not happen again
            return await verb(self.engine(shop), stamp)
        except LinkError:
            raise routing_unavailable() from None

    async def ask(self, shop: ShopId, question: Callable[[Engine], Awaitable[AnswerT]]) -> AnswerT:
        """One question; empty answers while the shop is not live. Raises UNAVAILABLE when Redis does not answer."""
        try:
            return await question(self.engine(shop))
        except LinkError:
            raise routing_unavailable() from None

    async def place(self, shop: ShopId, conversation: ConversationId) -> Place | None:
        """Where it waits, for showing; None when it does not wait, and when nobody can say now (Redis is away):
        what the database knows is shown all the same."""
        try:
            return await self.engine(shop).place(conversation)
        except LinkError:
            return None

    async def ensure(self, shop: ShopId) -> None:
        """Live state is there when this returns. One node rebuilds, the others wait for it. Raises UNAVAILABLE."""
        task = self._rebuilding.get(shop)
        if task is None:
            task = asyncio.create_task(self._ensure(shop))
            self._rebuilding[shop] = task
            task.add_done_callback(lambda _: self._rebuilding.pop(shop, None))
        try:
            await asyncio.shield(task)
        except LinkError:
            raise routing_unavailable() from None

    async def _ensure(self, shop: ShopId) -> None:
        deadline = time.monotonic() + LIVE_WAIT_S
        while not await self.engine(shop).is_live():
            lock = f"pm:rebuild:{shop}"
            if await self._link.call("SET", lock, self._node(), "NX", "PX", str(REBUILD_LOCK_MS)) is not None:
                try:
                    await self.rebuild(shop)
                finally:
                    await self._link.call("DEL", lock)
                return
            if time.monotonic() > deadline:
                raise refused(Refusal.NOT_LIVE)
            await asyncio.sleep(0.05)  # another node is at it; its end is the condition of this loop

    async def rebuild(self, shop: ShopId) -> None:
        """Make live state from the database (reliability fault 4). Connections are registered again by each node."""
        facts = await self._shops.get(shop, fresh=True)
        profiles = await self._profiles.all(shop, facts.policy)
        open_ones: list[ConversationState] = []
        async for part in self._conversations.live(shop):
            open_ones.extend(part)
        stamp = await self.stamp(shop)
        zone = ZoneInfo(facts.policy.timezone)
        begins = datetime.combine(date.fromordinal(stamp.day), datetime.min.time(), zone)
        after, seen = facts.policy.offline_after_s, await self._profiles.last_seen(shop)
        remembered = replace(
            await self._conversations.remembered(shop, int(begins.timestamp() * 1000)),
            grace_ms={account: _ms(after.of(each.device)) for account, each in seen.items() if each.device},
            away=frozenset(account for account, each in seen.items() if each.away),
        )
        outcome = await self.engine(shop).rebuild(
            facts.live_policy,
            profiles,
            open_ones,
            op_id=stamp.op_id,
            day=stamp.day,
            offline_after_ms=_longest_grace_ms(after),
            remembered=remembered,
        )
        if isinstance(outcome, Refused):
            raise refused(outcome.refusal)
        await self._link.call("SET", epoch_key(shop), new_id())
        log.info("live_rebuilt", shop=shop, agents=len(profiles), conversations=len(open_ones))

    async def epoch(self, shop: ShopId) -> str:
        """Names the shop's present live state; another one after every rebuild, empty while there is none."""
        try:
            value = await self._link.call("GET", epoch_key(shop))
        except LinkError:
            raise routing_unavailable() from None
        return "" if value is None else value.decode()

    async def life(self, shop: ShopId) -> str:
        """Names the shop's present live state together with the life of the Redis that holds it: a Redis that was
        restarted, or failed over, may have forgotten its last moments. Raises UNAVAILABLE."""
        epoch = await self.epoch(shop)
        return f"{epoch}/{self._link.server_of(prefix(shop)).run_id}"

    # --- what admins change ------------------------------------------------------------------------------------------
    async def set_profile(self, shop: ShopId, account: AccountId) -> Done:
        """Bring one account's durable facts into live state."""
        facts = await self._shops.get(shop, fresh=True)
        profile = await self._profiles.one(shop, account, facts.policy)
        if profile is None:
            return await self.remove_agent(shop, account)
        return await self.do(
            shop, lambda engine, stamp: engine.set_profile(profile, op_id=stamp.op_id, day=stamp.day)
        )

    async def remove_agent(self, shop: ShopId, account: AccountId) -> Done:
        """Forget an account that serves no longer; one that is not known is forgotten already."""
        outcome = await self.attempt(
            shop, lambda engine, stamp: engine.remove_agent(account, op_id=stamp.op_id, day=stamp.day)
        )
        return outcome if isinstance(outcome, Done) else Done()

    async def set_policy(self, shop: ShopId) -> Done:
        """Bring the shop's settings into live state (KS-23: without restart)."""
        facts = await self._shops.get(shop, fresh=True)
        return await self.do(
            shop, lambda engine, stamp: engine.set_policy(facts.live_policy, op_id=stamp.op_id, day=stamp.day)
        )


def epoch_key(shop: ShopId) -> str:
    """String; written after every rebuild. Its change tells nodes to register their connections again."""
    return f"{prefix(shop)}epoch"


def _longest_grace_ms(after: OfflineAfter) -> int | None:
    """Of who is at work and was never connected: nobody is given up early, nor is it waited for ever for one who may
    never come."""
    known = [seconds for seconds in (after.web, after.desktop, after.mobile) if seconds is not None]
    return _ms(max(known, default=None))


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000
