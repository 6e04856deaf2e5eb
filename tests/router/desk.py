"""A shop under test, spoken to the way its people would: an engine, its settings, a clock that only the test moves.

After every verb the live state is checked against `router.invariants`, and the way there too.
"""

from collections import Counter
from collections.abc import Awaitable
from itertools import count
from typing import Any

from protocol.ids import AccountId, ConnectionId, ConversationId, CustomerId, GroupId, PersonId
from protocol.states import AgentStatus
from router.engine import Engine
from router.invariants import broken_between, violations
from router.model import (
    AgentState,
    Contact,
    ConversationState,
    Decision,
    Done,
    Due,
    LivePolicy,
    Outcome,
    Profile,
    Refusal,
    Refused,
    Request,
    Slot,
    Tried,
)
from router.policy import Policy
from router.rules import plan

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
ONLINE, PAUSED, OFFLINE = AgentStatus.ONLINE, AgentStatus.PAUSED, AgentStatus.OFFLINE


class Desk:
    """One shop. Methods that act return the decisions made, in order; `refused` is for verbs that must not work."""

    def __init__(self, engine: Engine, *, node: str = "n1:aaaa") -> None:
        self.engine = engine
        self.node = node
        self.now = 1_800_000_000_000
        self.day = 739_000
        self.rand = 0
        self.policy = Policy()
        self.groups_exist = True
        self.live = LivePolicy()
        self.checking = True
        self.more = False
        self._ops = count(1)
        self._profiles: dict[str, Profile] = {}

    def stamp(self) -> dict[str, Any]:
        """What every verb takes: a fresh op id, the day, the time."""
        return {"op_id": f"op{next(self._ops)}", "day": self.day, "now_ms": self.now}

    def later(self, ms: int) -> None:
        """Time passes."""
        self.now += ms

    async def act(self, verb: Awaitable[Outcome], *, by_hand: bool = False) -> tuple[Decision, ...]:
        """Await one verb that must work, and check what it did."""
        before = await self.engine.snapshot() if self.checking else None
        outcome = await verb
        assert isinstance(outcome, Done), outcome
        self.more = outcome.more
        if before is not None:
            after = await self.engine.snapshot()
            assert violations(after, self.live, more=outcome.more) == []
            assert broken_between(before, after, outcome.decisions, by_hand=by_hand) == []
        return outcome.decisions

    @staticmethod
    async def refused(verb: Awaitable[Outcome]) -> Refusal:
        """Await one verb that must not work."""
        outcome = await verb
        assert isinstance(outcome, Refused), outcome
        return outcome.refusal

    # --- the shop --------------------------------------------------------------------------------------------------
    async def open(
        self, *conversations: ConversationState, groups_exist: bool = True, **settings: Any
    ) -> None:
        """Make the shop live with these settings, without agents."""
        self._settle(settings, groups_exist)
        await self.engine.rebuild(
            self.live, [], list(conversations), offline_after_ms=MINUTE_MS, **self.stamp()
        )

    async def change_settings(self, **settings: Any) -> tuple[Decision, ...]:
        """Exchange the settings."""
        self._settle(settings, self.groups_exist)
        return await self.act(self.engine.set_policy(self.live, **self.stamp()))

    def _settle(self, settings: dict[str, Any], groups_exist: bool) -> None:
        self.policy, self.groups_exist = Policy.parse(settings), groups_exist
        self.live = self.policy.live(groups_exist=groups_exist)

    async def hire(
        self,
        name: str,
        *groups: str,
        capacity: int = 10,
        status: AgentStatus = ONLINE,
        offline_after_ms: int | None = MINUTE_MS,
        **profile: Any,
    ) -> tuple[Decision, ...]:
        """A new account: its profile, a connection (`<name>-web`) and its status."""
        made = await self.edit(
            name, groups=tuple(GroupId(group) for group in groups), capacity=capacity, **profile
        )
        made += await self.connect(name, f"{name}-web", offline_after_ms=offline_after_ms)
        if status is not OFFLINE:
            made += await self.status(name, status)
        return made

    async def edit(self, name: str, **changes: Any) -> tuple[Decision, ...]:
        """Change some of an account's profile."""
        old = self._profiles.get(name, Profile(AccountId(name)))
        fields = {field: getattr(old, field) for field in Profile.__dataclass_fields__}
        self._profiles[name] = Profile(**(fields | changes))
        return await self.act(self.engine.set_profile(self._profiles[name], **self.stamp()))

    async def fire(self, name: str) -> tuple[Decision, ...]:
        """The account is removed."""
        del self._profiles[name]
        return await self.act(self.engine.remove_agent(AccountId(name), **self.stamp()))

    async def status(self, name: str, status: AgentStatus) -> tuple[Decision, ...]:
        """The agent chooses a status."""
        return await self.act(self.engine.set_status(AccountId(name), status, **self.stamp()))

    async def connect(
        self, name: str, connection: str, *, offline_after_ms: int | None = MINUTE_MS, node: str | None = None
    ) -> tuple[Decision, ...]:
        """A connection of somebody appears."""
        return await self.act(
            self.engine.connect(
                PersonId(name),
                ConnectionId(connection),
                node=node or self.node,
                offline_after_ms=offline_after_ms,
                **self.stamp(),
            )
        )

    async def disconnect(
        self, name: str, connection: str, *, node: str | None = None
    ) -> tuple[Decision, ...]:
        """A connection is lost."""
        return await self.act(
            self.engine.disconnect(
                PersonId(name), ConnectionId(connection), node=node or self.node, **self.stamp()
            )
        )

    async def expire(self, *, requeue_after_ms: int = 10 * MINUTE_MS, limit: int = 100) -> Due:
        """Whatever is due happens."""
        due = await self.engine.expire(requeue_after_ms=requeue_after_ms, limit=limit, **self.stamp())
        assert violations(await self.engine.snapshot(), self.live, more=due.more) == []
        return due

    # --- conversations ---------------------------------------------------------------------------------------------
    def request(
        self,
        name: str,
        *,
        last: str | None = None,
        last_at: int | None = None,
        state: str = "no_active_order",
        new: bool = False,
        bot: str | None = None,
        via_bot: bool = False,
        arrived: int | None = None,
        epoch: int = 0,
        rev: int = 0,
    ) -> Request:
        """A customer's wish to talk; `last`: the agent of the last contact, an hour ago unless `last_at` says when."""
        at = self.now - HOUR_MS if last_at is None else last_at
        return Request(
            ConversationId(name),
            CustomerId(f"customer-{name}"),
            arrived_ms=self.now if arrived is None else arrived,
            order_state=state,
            last_contact=None if last is None else Contact(AccountId(last), at),
            new_customer_priority=new,
            via_bot=via_bot,
            bot=None if bot is None else AccountId(bot),
            epoch=epoch,
            rev=rev,
        )

    async def asks(self, name: str, **facts: Any) -> Decision:
        """A customer writes: what became of the conversation in that verb, and that a look before foresaw it.
        `takes_from`: whom it is taken from."""
        new = "takes_from" not in facts
        foreseen = await self.preview(name, **facts) if self.checking and new else ()
        decisions = await self.act(self._claim(name, facts))
        if foreseen:
            claimed = next(decision for decision in decisions if decision.conversation == name)
            assert claimed.tried == foreseen
        return next(decision for decision in reversed(decisions) if decision.conversation == name)

    async def preview(self, name: str, **facts: Any) -> tuple[Tried, ...]:
        """What would be tried for a customer who came now."""
        made = plan(self.request(name, **facts), self.policy, now_ms=self.now, groups_exist=self.groups_exist)
        return await self.engine.preview(made, day=self.day, rand=self.rand)

    async def asks_in_vain(self, name: str, **facts: Any) -> Refusal:
        """A claim that must be refused."""
        return await self.refused(self._claim(name, facts))

    def _claim(self, name: str, facts: dict[str, Any]) -> Awaitable[Outcome]:
        takes_from = facts.pop("takes_from", None)
        request = self.request(name, **facts)
        made = plan(request, self.policy, now_ms=self.now, groups_exist=self.groups_exist)
        return self.engine.claim(made, rand=self.rand, takes_from=takes_from, **self.stamp())

    async def assign(self, name: str, agent: str, *, by: str = "boss", **more: Any) -> tuple[Decision, ...]:
        """Somebody gives a conversation to an agent."""
        verb = self.engine.assign(
            ConversationId(name), AccountId(agent), by=AccountId(by), **more, **self.stamp()
        )
        return await self.act(verb, by_hand=True)

    async def pull(self, agent: str, **what: Any) -> tuple[Decision, ...]:
        """An agent takes a waiting conversation."""
        return await self.act(self.engine.pull(AccountId(agent), **what, **self.stamp()), by_hand=True)

    async def requeue(self, name: str, **more: Any) -> tuple[Decision, ...]:
        """Back to the pool."""
        return await self.act(self.engine.requeue(ConversationId(name), **more, **self.stamp()))

    async def end(self, name: str, *, wrap_up_ms: int = 20 * MINUTE_MS, **more: Any) -> tuple[Decision, ...]:
        """The agent ends it."""
        return await self.act(
            self.engine.end(ConversationId(name), wrap_up_ms=wrap_up_ms, **more, **self.stamp())
        )

    async def reopen(self, name: str) -> tuple[Decision, ...]:
        """The customer writes during wrap-up."""
        return await self.act(self.engine.reopen(ConversationId(name), **self.stamp()))

    async def close(self, name: str) -> tuple[Decision, ...]:
        """It is over."""
        return await self.act(self.engine.close(ConversationId(name), **self.stamp()))

    async def set_priority(self, name: str, priority: int) -> tuple[Decision, ...]:
        """It waits in another class from now on."""
        return await self.act(self.engine.set_priority(ConversationId(name), priority, **self.stamp()))

    # --- looking ---------------------------------------------------------------------------------------------------
    async def owner(self, name: str) -> str | None:
        """Who owns a live conversation now."""
        state = await self.engine.conversation(ConversationId(name))
        assert state is not None, f"{name} is not live"
        return state.owner

    async def loads(self) -> dict[str, int]:
        """Agent -> load."""
        return {state.profile.agent: state.load for state in await self.engine.agents()}

    async def slots(self, name: str) -> tuple[Slot, ...]:
        """An agent's slot ledger."""
        return (await self.agent(name)).slots

    async def agent(self, name: str) -> AgentState:
        """All about an agent."""
        state = await self.engine.agent(AccountId(name))
        assert state is not None, f"{name} is not known"
        return state

    async def queue(self, pool: str = "default") -> list[str]:
        """A pool in queue order."""
        return [state.conversation for state in await self.engine.waiting(pool)]


def receivers(decisions: tuple[Decision, ...]) -> list[tuple[str, str | None]]:
    """(conversation, owner) of each decision."""
    return [(decision.conversation, decision.owner) for decision in decisions]


def spread(decisions: list[Decision]) -> Counter[str | None]:
    """How many each owner got."""
    return Counter(decision.owner for decision in decisions)
