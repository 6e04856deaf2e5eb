"""Who may see which conversation, and what they see of it.

Who may see what is judged by the scope engine; the rest does not exist for them: 1004, as for another shop's (I5).
"""

from dataclasses import replace

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, ConversationId, CustomerId
from protocol.methods import conversations as m
from protocol.rights import Right
from protocol.shapes import Conversation, Party, RoutingDecision, TriedTier, WaitExplanation, WaitReason
from protocol.states import Life, PersonKind
from protocol.times import text_of_ms
from router.model import EVERYBODY, PRIORITY, Decision, Refusal, Tried, Waiting
from server.services import views
from server.services.casts import Casts
from server.services.live import Live, refused
from server.services.names import Names
from server.services.queue_paces import QueuePaces
from server.services.scope import Scope, Why, takes_part
from server.services.viewer import Viewer
from server.services.views import Audience
from server.store.conversations import Conversations
from server.store.decisions import Decisions
from server.store.lists import Lists
from server.store.rows import ConversationRow, ConversationView, Page


class Seeing:
    """Reads, with the caller's eyes."""

    def __init__(
        self,
        conversations: Conversations,
        lists: Lists,
        decisions: Decisions,
        live: Live,
        paces: QueuePaces,
        names: Names,
        casts: Casts,
        scope: Scope,
    ) -> None:
        self._conversations = conversations
        self._lists = lists
        self._decisions = decisions
        self._live = live
        self._paces = paces
        self._names = names
        self._casts = casts
        self._scope = scope

    async def conversation(self, viewer: Viewer, conversation_id: str) -> ConversationRow:
        """A conversation that the caller may see, as the database has it. Raises NOT_FOUND."""
        row = await self._conversations.get(viewer.shop_id, ConversationId(conversation_id))
        if not await self._scope.may_see(viewer, row):
            raise not_found("conversation")
        return row

    async def changing(self, viewer: Viewer, conversation_id: str) -> ConversationRow:
        """As `conversation`, for what several may want at once: who was overtaken is told so, though they may not see
        it any more. STALE_ASSIGNMENT for who had it, CONFLICT for who might have taken it while it waited."""
        row = await self._conversations.get(viewer.shop_id, ConversationId(conversation_id))
        if await self._scope.may_see(viewer, row):
            return row
        raise await self._overtaken(viewer, row)

    async def _overtaken(self, viewer: Viewer, row: ConversationRow) -> RequestError:
        if viewer.kind is not PersonKind.ACCOUNT:
            return not_found("conversation")
        past = await self._decisions.past(row.shop_id, row.id, AccountId(viewer.person_id))
        if not past.owned:
            waiting = replace(row, state=Life.QUEUED, owner_id=None)
            might = await self._scope.judge(viewer, Right.PULL, conversation=waiting)
            if not past.waited or might is not Why.PERMITTED:
                return not_found("conversation")
        if row.state is Life.CLOSED:
            return refused(Refusal.UNKNOWN_CONVERSATION)
        return _somebody_elses(row) if past.owned else refused(Refusal.NOT_WAITING)

    async def serving(self, viewer: Viewer, conversation_id: str) -> ConversationRow:
        """A conversation that the caller owns, or may give to anybody as a manager. Raises as `changing`;
        STALE_ASSIGNMENT with the new epoch when somebody else serves it."""
        row = await self.changing(viewer, conversation_id)
        if row.owner_id == viewer.person_id:
            return row
        if await self._scope.judge(viewer, Right.ASSIGN, conversation=row) is Why.PERMITTED:
            return row
        raise _somebody_elses(row)

    async def show(
        self, viewer: Viewer, conversation_id: ConversationId, *, passing: bool = False
    ) -> Conversation:
        """A conversation in the caller's shape. `passing`: the caller had it until now."""
        audience = Audience.CUSTOMER if viewer.kind is PersonKind.CUSTOMER else Audience.STAFF
        view = await self._conversations.view(
            viewer.shop_id, conversation_id, for_customer=audience is Audience.CUSTOMER
        )
        if not passing and not await self._scope.may_see(viewer, view.conversation):
            raise not_found("conversation")
        return await self.shown(view, audience)

    async def shown(self, view: ConversationView, audience: Audience) -> Conversation:
        """A conversation as its audience sees it, with its place in the queue now."""
        row = view.conversation
        place = await self._live.place(row.shop_id, row.id) if row.state is Life.QUEUED else None
        staff = audience is Audience.STAFF
        cast = await (self._casts.of(row, view.customer) if staff else self._casts.for_customer(row))
        # How long it will take is for who waits.
        estimate = None if staff or place is None else await self._paces.estimate(row.shop_id, place)
        return views.conversation(
            row, view.customer, cast, audience, place=place, estimate_s=estimate, last=view.last_message
        )

    async def page(self, viewer: Viewer, params: m.ListParams) -> Page[ConversationView]:
        """The conversations of one list of the workbench, newest or longest waiting first."""
        shop, me = viewer.shop_id, AccountId(viewer.person_id)
        if params.scope == "mine":
            return Page(await self._lists.mine(shop, me), None)
        if params.scope == "shared":
            return Page(await self._lists.shared(shop, me), None)
        if params.scope == "queue":
            return await self._lists.queue(
                shop,
                within=await self._scope.within(viewer),
                pool=params.pool,
                cursor=params.cursor,
                limit=params.limit,
            )
        if params.scope == "recent":
            return await self._lists.recent(shop, me, cursor=params.cursor, limit=params.limit)
        within = await self._scope.within(viewer)
        return await self._lists.all(shop, within=within, cursor=params.cursor, limit=params.limit)

    async def earlier(self, viewer: Viewer, params: m.EarlierParams) -> Page[ConversationView]:
        """The customer's other conversations, newest first (CO-02): all of them for the customer and for those who take
        part in this one; for others, those that they may see anyway. Raises NOT_FOUND; INVALID_PARAMS when staff name
        none."""
        row = (
            None
            if params.conversation_id is None
            else await self.conversation(viewer, params.conversation_id)
        )
        if viewer.kind is PersonKind.CUSTOMER:
            return await self._lists.of_customer(
                viewer.shop_id,
                CustomerId(viewer.person_id),
                for_customer=True,
                without=None if row is None else row.id,
                cursor=params.cursor,
                limit=params.limit,
            )
        if row is None:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "invalid",
                "Name a conversation of the customer's.",
                detail=[{"field": "conversation_id", "problem": "is required of staff"}],
            )
        page = await self._lists.of_customer(
            row.shop_id, row.customer_id, without=row.id, cursor=params.cursor, limit=params.limit
        )
        if takes_part(viewer.person_id, row):
            return page
        seen = [view for view in page.rows if await self._scope.may_see(viewer, view.conversation)]
        return Page(tuple(seen), page.cursor)

    async def explain(self, row: ConversationRow) -> m.ExplainResult:
        """Every decision with every tier tried, and why it waits, if it does (KS-22)."""
        decisions = await self._decisions.of_conversation(row.shop_id, row.id)
        waiting = None
        if row.state is Life.QUEUED:
            waiting = await self._live.ask(row.shop_id, lambda engine: engine.explain(row.id))
        return m.ExplainResult(
            conversation_id=row.id,
            decisions=[await self._decision(row, each) for each in decisions],
            waiting=None if waiting is None else await self._waiting(row, waiting),
        )

    async def _party(self, row: ConversationRow, account: AccountId | None) -> Party | None:
        return None if account is None else await self._names.party(row.shop_id, account)

    async def _decision(self, row: ConversationRow, decision: Decision) -> RoutingDecision:
        return RoutingDecision(
            at=text_of_ms(decision.at_ms),
            change=decision.change.value,
            rev=decision.rev,
            assign_epoch=decision.epoch,
            owner=await self._party(row, decision.owner),
            previous_owner=await self._party(row, decision.previous_owner),
            reason=None if decision.reason is None else decision.reason.value,
            by=await self._party(row, decision.by),
            pool=decision.pool,
            place=decision.place,
            tried=[await self._tried(row, each) for each in decision.tried],
        )

    async def _tried(self, row: ConversationRow, tried: Tried) -> TriedTier:
        return TriedTier(
            tier=tried.tier.value,
            outcome=tried.outcome.value,
            agent=await self._party(row, tried.agent),
            groups=[group for group in tried.groups if group != EVERYBODY],
            pool=tried.pool,
        )

    async def _waiting(self, row: ConversationRow, waiting: Waiting) -> WaitExplanation:
        return WaitExplanation(
            pool=waiting.pool,
            place=waiting.place,
            length=waiting.length,
            priority=waiting.priority == PRIORITY,
            reason=waiting.reason.value,
            groups=list(waiting.groups),
            open_to_everybody=waiting.open_to_everybody,
            agents=[
                WaitReason(agent=await self._names.party(row.shop_id, agent), why=why.value)
                for agent, why in waiting.agents
            ],
        )


def _somebody_elses(row: ConversationRow) -> RequestError:
    return RequestError(
        ErrorCode.STALE_ASSIGNMENT,
        "not_owner",
        "Somebody else serves this conversation now.",
        detail={"assign_epoch": row.assign_epoch},
    )
