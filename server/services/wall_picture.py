"""What a wall shows, gathered and drawn: who is at work, who waits, what stalls (PF-01, CO-09).

Its cost follows what it shows (agents, pools, `most` who wait, so many collaborations and alarms) and what agents have
in hand; neither the length of a queue nor what was closed counts.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocol.cards import (
    AgentWork,
    Alarm,
    CollaborationLine,
    WaitingCard,
    Wall,
    WallThresholds,
)
from protocol.cards import WallFigures as FiguresShown
from protocol.ids import AccountId, GroupId, ShopId
from protocol.shapes import Participant, Party, Work
from protocol.times import text_of_ms
from router.model import AgentState, PoolState
from server.services import views
from server.services.live import Live
from server.services.shops import Shops
from server.services.wall_figures import WallFigures
from server.services.wall_reach import Variant, WallReach, sees_pool
from server.services.wall_settings import WallSettings
from server.store.alarms import AlarmRow, Alarms
from server.store.collaborations import Collaborations, RunningRow
from server.store.conversations import Conversations
from server.store.rows import ConversationRow, OwnerKind
from server.store.wall import HeldRows, WaitingRow, WallReads, WorkRow


@dataclass(frozen=True, slots=True)
class View:
    """A variant with what it covers now: `people` (None: everybody), and by `bound` which pools."""

    variant: Variant
    people: frozenset[AccountId] | None
    bound: Mapping[str, Sequence[GroupId]]

    def covers_account(self, account: AccountId) -> bool:
        """Whether somebody's work is shown."""
        return self.people is None or account in self.people

    def covers_pool(self, pool: str) -> bool:
        """Whether who waits there is shown."""
        return sees_pool(self.variant, self.bound.get(pool, ()))

    def covers(self, row: ConversationRow) -> bool:
        """Whether a conversation is shown, as the scope engine would judge it."""
        if row.owner_id is not None:
            return self.covers_account(row.owner_id)
        return row.pool is not None and self.covers_pool(row.pool)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a wall shows, without the moment at which it was looked at: equal facts are equal walls."""

    agents: tuple[tuple[AgentState, str], ...]
    pools: tuple[PoolState, ...]
    waiting: tuple[WaitingRow, ...]
    held: HeldRows
    collaborations: tuple[CollaborationLine, ...]
    alarms: tuple[Alarm, ...]
    thresholds: WallThresholds
    figures: FiguresShown | None


class Painter:
    """Gathers facts and draws them. `most`: who waits longest, collaborations and alarms, of each so many."""

    def __init__(
        self,
        live: Live,
        shops: Shops,
        reach: WallReach,
        reads: WallReads,
        conversations: Conversations,
        collaborations: Collaborations,
        alarms: Alarms,
        settings: WallSettings,
        figures: WallFigures,
        most: int,
    ) -> None:
        self._live = live
        self._shops = shops
        self._reach = reach
        self._reads = reads
        self._conversations = conversations
        self._collaborations = collaborations
        self._alarms = alarms
        self._settings = settings
        self._figures = figures
        self._most = most

    async def facts(self, shop: ShopId, variant: Variant) -> Facts:
        """What this variant of the wall shows now. Raises UNAVAILABLE."""
        view = await self._view(shop, variant)
        agents, pools = await self._live_ones(shop)
        shown = [
            state
            for state in agents
            if (state.profile.routable or state.load) and view.covers_account(state.profile.agent)
        ]
        seen = tuple(pool for pool in pools if view.covers_pool(pool.pool))
        running = await self._running(shop, view)
        alarms = await self._open_alarms(shop, view)
        people = {state.profile.agent for state in shown}
        people.update(account for each in running for account in each.view.conversation.speaking)
        people.update(each.acknowledged_by for each in alarms if each.acknowledged_by is not None)
        names = await self._reads.names(shop, tuple(people))
        return Facts(
            agents=tuple((state, names.get(state.profile.agent, "")) for state in shown),
            pools=seen,
            waiting=await self._reads.waiting(shop, tuple(pool.pool for pool in seen), self._most),
            held=await self._reads.held(
                shop, None if view.people is None else tuple(view.people), self._most
            ),
            collaborations=tuple(_line(each, names) for each in running),
            alarms=tuple(_alarm(each, names) for each in alarms),
            thresholds=(await self._settings.current(shop)).thresholds,
            figures=await self._figures.of(shop, variant.figures),
        )

    def paint(self, facts: Facts, at_ms: int) -> Wall:
        """The wall that shows these facts."""
        return Wall(
            agents=[views.agent_card(state, name) for state, name in facts.agents],
            pools=[views.pool_card(pool) for pool in facts.pools],
            waiting=[_waiting(row) for row in facts.waiting],
            unanswered=[_waiting(row) for row in facts.held.unanswered],
            waiting_most=self._most,
            queued=sum(pool.length for pool in facts.pools),
            in_service=facts.held.in_service,
            wrap_up=facts.held.wrap_up,
            collaborations=list(facts.collaborations),
            alarms=list(facts.alarms),
            at=text_of_ms(at_ms),
            work=[_work(row) for row in facts.held.work],
            thresholds=facts.thresholds,
            figures=facts.figures,
        )

    async def _view(self, shop: ShopId, variant: Variant) -> View:
        people = await self._reach.people(shop, variant)
        return View(variant, people, (await self._shops.get(shop)).live_policy.pools)

    async def _running(self, shop: ShopId, view: View) -> list[RunningRow]:
        if view.people is None:
            return list(await self._collaborations.running(shop, self._most))
        rows = await self._collaborations.running(shop, owners=tuple(view.people))
        return [each for each in rows if view.covers(each.view.conversation)][: self._most]

    async def _open_alarms(self, shop: ShopId, view: View) -> list[AlarmRow]:
        if view.people is None:
            return list(await self._alarms.open_alarms(shop, self._most))
        alarms = await self._alarms.open_alarms(shop)
        of = tuple({alarm.conversation_id for alarm in alarms})
        covered = {row.id for row in await self._conversations.of_ids(shop, of) if view.covers(row)}
        return [alarm for alarm in alarms if alarm.conversation_id in covered][: self._most]

    async def _live_ones(self, shop: ShopId) -> tuple[tuple[AgentState, ...], tuple[PoolState, ...]]:
        """Agents and pools; made from the database when live state was lost: nobody there is not the same."""
        if not await self._live.ask(shop, lambda engine: engine.is_live()):
            await self._live.ensure(shop)
        agents, pools = await asyncio.gather(
            self._live.ask(shop, lambda engine: engine.agents()),
            self._live.ask(shop, lambda engine: engine.pools()),
        )
        return agents, pools


def _owner(account: AccountId | None, kind: OwnerKind | None, name: str) -> Party | None:
    return None if account is None else Party(kind=kind or "agent", id=account, name=name)


def _waiting(row: WaitingRow) -> WaitingCard:
    return WaitingCard(
        conversation_id=row.id,
        customer_name=row.customer_name,
        state=row.state,
        pool=row.pool,
        owner=_owner(row.owner_id, row.owner_kind, row.owner_name),
        order_state=row.order_state,
        since=text_of_ms(row.since_ms),
    )


def _work(row: WorkRow) -> AgentWork:
    return AgentWork(
        account_id=row.account_id,
        in_service=row.in_service,
        unanswered=row.unanswered,
        unanswered_since=None if row.unanswered_ms is None else text_of_ms(row.unanswered_ms),
        wrote_at=None if row.wrote_ms is None else text_of_ms(row.wrote_ms),
    )


def _parties(accounts: Iterable[AccountId], names: Mapping[AccountId, str]) -> list[Party]:
    return [Party(kind="agent", id=account, name=names.get(account, "")) for account in accounts]


def _line(row: RunningRow, names: Mapping[AccountId, str]) -> CollaborationLine:
    conversation = row.view.conversation
    items = conversation.items_done + conversation.items_open
    return CollaborationLine(
        conversation_id=conversation.id,
        customer_name=row.view.customer.name,
        owner=_owner(conversation.owner_id, conversation.owner_kind, row.view.owner_name),
        participants=[
            *(
                Participant(person=party, role="collaborator")
                for party in _parties(conversation.collaborators, names)
            ),
            *(
                Participant(person=party, role="supervisor")
                for party in _parties(conversation.supervisors, names)
            ),
        ],
        work=Work(done=conversation.items_done, remaining=conversation.items_open) if items else None,
        began_at=text_of_ms(row.began_ms),
        last_activity_at=text_of_ms(row.last_activity_ms),
    )


def _alarm(row: AlarmRow, names: Mapping[AccountId, str]) -> Alarm:
    by = [] if row.acknowledged_by is None else _parties([row.acknowledged_by], names)
    return Alarm.model_validate(
        {
            "alarm_id": row.id,
            "rev": row.rev,
            "kind": row.kind,
            "conversation_id": row.conversation_id,
            "item_id": row.item_id,
            "since": text_of_ms(row.since_ms),
            "raised_at": text_of_ms(row.raised_ms),
            "acknowledged_by": by[0] if by else None,
        }
    )
