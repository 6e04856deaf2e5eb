"""Alarms (CO-09): somebody who may see the figures hears when a collaboration stalls, and when it moves again."""

from typing import Literal, cast

from protocol.cards import Alarm
from protocol.errors import not_found
from protocol.events import AlarmChanged
from protocol.ids import AccountId, ShopId
from protocol.methods import collaboration as w
from protocol.rights import Right
from protocol.times import text_of_ms
from server.bus import Bus
from server.push import push
from server.services.delivery import Delivery
from server.services.names import Names
from server.services.overseers import Overseers
from server.services.scope import Scope, Why, refusal
from server.services.shops import Shops
from server.services.views import when
from server.session import Session
from server.store.alarms import AlarmRow
from server.store.alarms import Alarms as Store
from server.store.conversations import Conversations
from server.store.decisions import Decisions
from server.store.rows import ConversationRow

Kind = Literal["collaboration_stalled", "customer_waits", "item_overdue"]


class Alarms:
    """Raises, clears, and `alarm.acknowledge`."""

    def __init__(
        self,
        store: Store,
        shops: Shops,
        conversations: Conversations,
        decisions: Decisions,
        overseers: Overseers,
        scope: Scope,
        names: Names,
        delivery: Delivery,
        bus: Bus,
    ) -> None:
        self._store = store
        self._shops = shops
        self._conversations = conversations
        self._decisions = decisions
        self._overseers = overseers
        self._scope = scope
        self._names = names
        self._delivery = delivery
        self._bus = bus

    async def look(self, shop: ShopId) -> dict[str, int]:
        """Raise what stalls, clear what moves, tell everybody concerned. Counts: `raised`, `cleared`."""
        counts = {"raised": 0, "cleared": 0}
        settings = (await self._shops.get(shop)).collaboration
        for move in await self._store.look(shop, settings.stalled_after_s):
            if move.entry is not None and move.appended is not None:
                self._delivery.appended(move.entry, move.appended)
                await self._delivery.changed_for_staff(move.conversation)
            counts["raised" if move.alarm.cleared_ms is None else "cleared"] += 1
            await self._tell(move.alarm, move.conversation)
        return counts

    async def acknowledge(self, session: Session, params: w.AlarmParams) -> w.AlarmResult:
        """`alarm.acknowledge`: the first who says so looks after it. NOT_FOUND for what one may not see, FORBIDDEN for
        what one may see, but not oversee."""
        alarm = await self._store.get(session.shop_id, params.alarm_id)
        row = await self._conversations.get(session.shop_id, alarm.conversation_id)
        why = await self._scope.judge(session, Right.REPORT, conversation=row)
        if why is not Why.PERMITTED:
            if not await self._scope.may_see(session, row):
                raise not_found("alarm")
            raise refusal(why, "look after this alarm", Right.REPORT)
        alarm, changed = await self._store.acknowledge(
            session.shop_id, alarm.id, AccountId(session.person_id)
        )
        if changed:
            await self._tell(alarm, row)
        return w.AlarmResult(alarm=await self.shown(alarm))

    async def tell_again(self, since: str | None) -> None:
        """Alarms that were raised, looked after or cleared since (see `Contacts.since`), if perhaps nobody heard of
        it."""
        for alarm in await self._store.written_since(since):
            await self._tell(alarm, await self._conversations.get(alarm.shop_id, alarm.conversation_id))

    async def open_alarms(self, shop: ShopId) -> list[Alarm]:
        """Every open alarm of a shop, the oldest first, as the wall shows them."""
        return [await self.shown(row) for row in await self._store.open_alarms(shop)]

    async def shown(self, row: AlarmRow) -> Alarm:
        """An alarm as it is given out."""
        by = row.acknowledged_by
        return Alarm(
            alarm_id=row.id,
            rev=row.rev,
            kind=cast(Kind, row.kind),
            conversation_id=row.conversation_id,
            item_id=row.item_id,
            since=text_of_ms(row.since_ms),
            raised_at=text_of_ms(row.raised_ms),
            acknowledged_by=None if by is None else await self._names.party(row.shop_id, by),
            cleared_at=when(row.cleared_ms),
        )

    async def _tell(self, alarm: AlarmRow, row: ConversationRow) -> None:
        """Those whose right covers the conversation; of one that is cleared also those who had heard of it under an
        owner before."""
        owners: set[AccountId] = set()
        if alarm.cleared_ms is not None:
            for decision in await self._decisions.of_conversation(row.shop_id, row.id):
                owners |= {each for each in (decision.owner, decision.previous_owner) if each is not None}
        people = await self._overseers.of(row, Right.REPORT, also=owners)
        if people:
            shape = AlarmChanged(alarm=await self.shown(alarm))
            self._bus.publish(
                row.shop_id, [push(people, "alarm.changed", shape, key=f"alarm:{alarm.id}", seq=alarm.rev)]
            )
