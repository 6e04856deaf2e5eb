"""Running collaborations and their figures, as far as somebody's right to see figures reaches (CO-09)."""

from dataclasses import dataclass

from protocol.cards import Alarm, Collaboration
from protocol.ids import AccountId, ConversationId
from protocol.methods import collaboration as w
from protocol.methods.session import Nothing
from protocol.rights import Right
from protocol.shapes import Party
from protocol.times import text_of_ms
from server.services.alarms import Alarms
from server.services.names import Names
from server.services.scope import Cover, Scope, Why, takes_part
from server.services.seeing import Seeing
from server.services.viewer import Viewer
from server.services.views import Audience
from server.session import Session
from server.store.alarms import Alarms as AlarmStore
from server.store.collaborations import Collaborations as Store
from server.store.conversations import Conversations
from server.store.rows import ConversationRow


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """What somebody did in collaborations in a stretch of time. `median_s`: from an item's adding to its end."""

    agent: Party
    joined: int
    """conversations of others in which they took part"""
    items_done: int
    median_s: float | None
    """None: they finished nothing"""


class Collaborations:
    """`collaboration.list`, and the figures for HTTP."""

    def __init__(
        self,
        store: Store,
        alarm_store: AlarmStore,
        alarms: Alarms,
        conversations: Conversations,
        seeing: Seeing,
        scope: Scope,
        names: Names,
    ) -> None:
        self._store = store
        self._alarm_store = alarm_store
        self._alarms = alarms
        self._conversations = conversations
        self._seeing = seeing
        self._scope = scope
        self._names = names

    async def listing(self, session: Session, _params: Nothing) -> w.CollaborationsResult:
        """`collaboration.list`: the longest quiet first, and the open alarms."""
        cover = await self._scope.cover(session, Right.REPORT)
        alarms = await self._open_alarms(session, cover)
        of: dict[str, list[Alarm]] = {}
        for alarm in alarms:
            of.setdefault(alarm.conversation_id, []).append(alarm)
        running = await self._store.running(
            session.shop_id,
            owners=None if cover.accounts is None else tuple(cover.accounts),
            me=AccountId(session.person_id),
        )
        shown = [
            Collaboration(
                conversation=await self._seeing.shown(row.view, Audience.STAFF),
                began_at=text_of_ms(row.began_ms),
                last_activity_at=text_of_ms(row.last_activity_ms),
                alarms=of.get(row.view.conversation.id, []),
            )
            for row in running
            if await self._covers(session, cover, row.view.conversation)
        ]
        return w.CollaborationsResult(collaborations=shown, alarms=alarms)

    async def figures(self, viewer: Viewer, from_ms: int, to_ms: int) -> list[AgentFigures]:
        """For everybody within reach who took part in something or finished an item between the two moments (the later
        one exclusive), the busiest first."""
        cover = await self._scope.cover(viewer, Right.REPORT)
        rows = await self._store.figures(
            viewer.shop_id,
            from_ms,
            to_ms,
            accounts=None if cover.accounts is None else tuple(cover.accounts),
        )
        return [
            AgentFigures(
                agent=await self._names.party(viewer.shop_id, row.account_id),
                joined=row.joined,
                items_done=row.items_done,
                median_s=row.median_s,
            )
            for row in rows
        ]

    async def _open_alarms(self, viewer: Viewer, cover: Cover) -> list[Alarm]:
        rows = await self._alarm_store.open_alarms(viewer.shop_id)
        talks = await self._conversations.of_ids(
            viewer.shop_id, tuple({ConversationId(row.conversation_id) for row in rows})
        )
        seen = {talk.id for talk in talks if await self._covers(viewer, cover, talk)}
        return [await self._alarms.shown(row) for row in rows if row.conversation_id in seen]

    async def _covers(self, viewer: Viewer, cover: Cover, row: ConversationRow) -> bool:
        """As `Scope.judge` says, without asking again for each what is known of all."""
        if cover.accounts is None or takes_part(viewer.person_id, row):
            return True
        if row.owner_id is not None:
            return row.owner_id in cover.accounts
        return await self._scope.judge(viewer, Right.REPORT, conversation=row) is Why.PERMITTED
