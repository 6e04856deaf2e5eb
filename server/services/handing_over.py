"""Conversations change hands: transfer, assign, pull, requeue (KS-07, KS-14, KS-21, CO-10), each within the reach of
whoever does it (GP-02, GP-03).

To a colleague, or to a department: then to the lightest of it. What colleagues should know of it (who gave it, why,
to which department) is an internal entry of the log, which no customer ever sees.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog

from protocol.errors import RequestError, invalid_state
from protocol.ids import AccountId, ConversationId, GroupId, ShopId
from protocol.methods import conversations as m
from protocol.rights import Right
from protocol.states import Life
from router.model import Done, Refusal, Refused
from server.services.delivery import Delivery
from server.services.live import Live
from server.services.live import refused as routing_refused
from server.services.names import Names
from server.services.pools import pool_named
from server.services.routing import Routing
from server.services.scope import Scope, Why, refusal
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.targets import Act, Choice, Targets, lightest, nobody_of, unfit
from server.session import Session
from server.store.entry import happening
from server.store.groups import GroupRow
from server.store.log import Log
from server.store.rows import ConversationRow

log = structlog.get_logger("handing_over")

CHOOSE_AGAIN: Final = 5
"""How often the lightest of a department is looked for again, when whom was found got something else meanwhile."""


@dataclass(frozen=True, slots=True)
class Giving:
    """How something is given, beside what and to whom. `by` None: one of the shop's rules does it."""

    by: AccountId | None
    epoch: int | None = None
    """refused when the owner changed since"""
    stay: bool = False
    """the former owner takes part from then on (CO-10)"""
    reason: str = ""


class HandingOver:
    """The requests, and the same for the shop's rules (`to_account`, `to_group`), who are not judged."""

    def __init__(
        self,
        live: Live,
        routing: Routing,
        shops: Shops,
        writer: Log,
        delivery: Delivery,
        names: Names,
        seeing: Seeing,
        scope: Scope,
        targets: Targets,
    ) -> None:
        self._live = live
        self._routing = routing
        self._shops = shops
        self._writer = writer
        self._delivery = delivery
        self._names = names
        self._seeing = seeing
        self._scope = scope
        self._targets = targets
        # Of those who give to one department at once, each sees what the one before did; those on other nodes are found
        # out by the load of whom they chose, and choose again.
        self._choosing: WeakValueDictionary[GroupId, asyncio.Lock] = WeakValueDictionary()

    # --- requests ----------------------------------------------------------------------------------------------------
    async def transfer(self, session: Session, params: m.TransferParams) -> m.ConversationResult:
        """`conversation.transfer`: an own conversation to a colleague or a department, over capacity if need be."""
        return await self._give(session, params, "transfer")

    async def assign(self, session: Session, params: m.AssignParams) -> m.ConversationResult:
        """`conversation.assign`: any conversation within reach, by a manager (KS-07)."""
        return await self._give(session, params, "assign")

    async def pull(self, session: Session, params: m.PullParams) -> m.ConversationResult:
        """`conversation.pull`: exactly one of several pullers wins; the others are told (KS-14, KS-21)."""
        pool = pool_named(params.pool)
        if params.conversation_id is not None:
            row = await self._seeing.changing(session, params.conversation_id)
            if row.state is Life.QUEUED:  # else nobody may pull it, and that is what they are told
                await self._scope.require(session, Right.PULL, "take this", conversation=row)
            return await self._pull(session, row.id, None)
        within = (await self._scope.cover(session, Right.PULL)).pools
        if within is None:
            return await self._pull(session, None, pool)
        if pool is not None and pool not in within:
            raise refusal(Why.OUT_OF_SCOPE, "take from this pool", Right.PULL)
        return await self._pull_first(session, within if pool is None else frozenset({pool}))

    async def requeue(self, session: Session, params: m.RequeueParams) -> m.ConversationResult:
        """`conversation.requeue`: back at its original age; it may be given out again at once. Into the pool of another
        department only as far as one may give to that."""
        row = await self._seeing.serving(session, params.conversation_id)
        pool = pool_named(params.pool)
        if pool is not None and pool != row.pool:
            await self._may_give_to_pool(session, row, pool)
        done = await self._routing.do(
            row.shop_id,
            lambda engine, stamp: engine.requeue(
                row.id,
                op_id=stamp.op_id,
                day=stamp.day,
                pool=pool,
                expected_epoch=_epoch(params, row),
                by=_by(session),
            ),
        )
        if params.reason:
            await self._record(row, done, Giving(_by(session), reason=params.reason), None)
        return await self._shown(session, row.id)

    # --- giving, for whoever may -------------------------------------------------------------------------------------
    async def to_account(self, row: ConversationRow, account: AccountId, giving: Giving) -> None:
        """Give a conversation to somebody, whatever their load. Raises RequestError when it is refused."""
        await self._hand(row, account, giving, None, None)

    async def to_group(self, row: ConversationRow, group: GroupRow, giving: Giving) -> None:
        """Give a conversation to the lightest of a department. INVALID_STATE when nobody of it can receive now,
        besides its owner (`targets.Nobody` says why); then nothing changes."""
        lock = self._choosing.setdefault(group.id, asyncio.Lock())
        async with lock:
            for last in (*[False] * CHOOSE_AGAIN, True):
                states = await self._live.ask(row.shop_id, lambda engine: engine.agents())
                account = lightest(states, group.id, but=row.owner_id)
                if account is None:
                    owner, by = row.owner_id, giving.by or AccountId("")
                    raise invalid_state(
                        nobody_of(states, group.id, owner=owner, by=by) or "nobody_online",
                        f"Nobody of {group.name} can receive now; leave it, or put it into the queue.",
                    )
                [load] = [each.load for each in states if each.profile.agent == account]
                if await self._hand(row, account, giving, group, None if last else load):
                    return

    # --- shared ------------------------------------------------------------------------------------------------------
    async def _give(self, session: Session, params: m.TransferParams, act: Act) -> m.ConversationResult:
        if (params.account_id is None) == (params.group_id is None):
            raise unfit("account_id", "one_target", "Name either a colleague or a department.")
        row = await self._seeing.changing(session, params.conversation_id)
        choice = await self._targets.choice(session, act, row)
        giving = Giving(_by(session), _epoch(params, row), params.stay, params.reason)
        await self._give_within(session, row, params, choice, giving)
        return await self._shown(session, row.id)

    async def _give_within(
        self, session: Session, row: ConversationRow, params: m.TransferParams, choice: Choice, giving: Giving
    ) -> None:
        if params.account_id is not None:
            account = AccountId(params.account_id)
            await self._targets.require_account(session, choice, account)
            await self.to_account(row, account, giving)
        elif params.group_id is not None:
            group = await self._targets.require_group(session, choice, GroupId(params.group_id))
            await self.to_group(row, group, giving)

    async def _hand(
        self,
        row: ConversationRow,
        account: AccountId,
        giving: Giving,
        group: GroupRow | None,
        load: int | None,
    ) -> bool:
        """False: the load by which they were chosen is theirs no longer, and nothing happened."""
        done = await self._routing.attempt(
            row.shop_id,
            lambda engine, stamp: engine.assign(
                row.id,
                account,
                by=giving.by,
                op_id=stamp.op_id,
                day=stamp.day,
                expected_epoch=giving.epoch,
                expected_load=load,
                stay=giving.reason if giving.stay and row.owner_kind == "agent" else None,
            ),
        )
        if done == Refused(Refusal.LOAD_CHANGED):
            return False
        if isinstance(done, Refused):
            raise routing_refused(done.refusal)
        await self._record(row, done, giving, group)
        return True

    async def _record(self, row: ConversationRow, done: Done, giving: Giving, group: GroupRow | None) -> None:
        """What colleagues should know, into the log. If that fails the conversation has changed hands all the same."""
        decision = done.decisions[0]
        data: dict[str, Any] = {
            "by": await self._party(row.shop_id, giving.by),
            "from": await self._party(row.shop_id, row.owner_id),
            "to": await self._party(row.shop_id, decision.owner),
            "group": None if group is None else {"id": group.id, "name": group.name},
            "pool": decision.pool,
            "stays": giving.stay,
            "reason": giving.reason,
        }
        entry = happening(
            row.shop_id, row.id, "handed_over", data, once=f"h:{decision.rev}", visibility="internal"
        )
        try:
            self._delivery.appended(entry, await self._writer.append(entry))
        except RequestError as error:
            log.warning("handing_over_unrecorded", conversation=row.id, reason=error.reason)

    async def _party(self, shop: ShopId, account: AccountId | None) -> dict[str, Any] | None:
        return None if account is None else (await self._names.party(shop, account)).model_dump()

    async def _pull(
        self, session: Session, conversation: ConversationId | None, pool: str | None
    ) -> m.ConversationResult:
        done = await self._routing.do(
            session.shop_id,
            lambda engine, stamp: engine.pull(
                _by(session), op_id=stamp.op_id, day=stamp.day, conversation=conversation, pool=pool
            ),
        )
        return await self._shown(session, done.decisions[0].conversation)

    async def _pull_first(self, session: Session, pools: frozenset[str]) -> m.ConversationResult:
        """The one that has waited longest in these pools."""
        states = await self._live.ask(session.shop_id, lambda engine: engine.pools())
        within = sorted((each for each in states if each.pool in pools), key=lambda each: each.oldest_ms or 0)
        for pool in within:
            outcome = await self._routing.attempt(
                session.shop_id,
                lambda engine, stamp, pool=pool: engine.pull(
                    _by(session), op_id=stamp.op_id, day=stamp.day, pool=pool.pool
                ),
            )
            if isinstance(outcome, Done):
                return await self._shown(session, outcome.decisions[0].conversation)
            if outcome != Refused(Refusal.POOL_EMPTY):
                raise routing_refused(outcome.refusal)
        raise routing_refused(Refusal.POOL_EMPTY)

    async def _may_give_to_pool(self, session: Session, row: ConversationRow, pool: str) -> None:
        """The pool of a department is like the department: whoever may give to one group bound to it may use it."""
        bound = (await self._shops.get(row.shop_id)).live_policy.pools.get(pool, ())
        right = Right.TRANSFER if row.owner_id == session.person_id else Right.ASSIGN
        within = (await self._scope.cover(session, right)).groups
        if bound and within is not None and within.isdisjoint(bound):
            raise refusal(Why.OUT_OF_SCOPE, "put it into this pool", right)

    async def _shown(self, session: Session, conversation: ConversationId) -> m.ConversationResult:
        """As it is now. Whoever has just given it away may see it once more."""
        shown = await self._seeing.show(session, conversation, passing=True)
        return m.ConversationResult(conversation=shown)


def _by(session: Session) -> AccountId:
    return AccountId(session.person_id)


def _epoch(params: m.TransferParams | m.RequeueParams, row: ConversationRow) -> int:
    """What the caller believes in; else what their right to do this was judged by (I3): if the owner has changed
    since, it may be a right no longer."""
    return row.assign_epoch if params.assign_epoch is None else params.assign_epoch
