"""The questions of the HTTP side about conversations and live state (its `ConversationReads` and `LiveReads`)."""

from collections.abc import Sequence
from dataclasses import replace

from protocol.ids import AccountId, ConversationId, ShopId
from protocol.methods.agents import SlotsResult
from protocol.methods.conversations import ExplainResult, ListParams, ListResult
from protocol.shapes import AgentCard, Conversation, Message, PoolCard
from router.census import census
from server.services import views
from server.services.agents import Agents
from server.services.callers import Caller, CallerEyes
from server.services.live import Live
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.views import Audience
from server.store.conversations import Conversations
from server.store.finding import Finding, Wanted
from server.store.history import History
from server.store.rows import ConversationView, Page

WATCHED = ("I3", "I4", "I8")
"""Invariants that can be counted on live data."""


class ConversationReads:
    """Conversations with the caller's eyes."""

    def __init__(self, seeing: Seeing, finding: Finding, history: History, scope: Scope) -> None:
        self._scope = scope
        self._seeing = seeing
        self._finding = finding
        self._history = history

    async def list(self, caller: Caller, params: ListParams) -> ListResult:
        """One page of a list, as `conversation.list` on the wire."""
        return await self._page(await self._seeing.page(CallerEyes(caller), params))

    async def search(self, caller: Caller, wanted: Wanted, *, cursor: str | None, limit: int) -> ListResult:
        """One page of those that match, newest first; nobody finds what they may not see."""
        wanted = replace(wanted, within=await self._scope.within(CallerEyes(caller)))
        page = await self._finding.conversations(caller.shop_id, wanted, cursor=cursor, limit=limit)
        return await self._page(page)

    async def get(self, caller: Caller, conversation: ConversationId) -> Conversation:
        """One conversation, in the staff numbering."""
        return await self._seeing.show(CallerEyes(caller), conversation)

    async def transcript(
        self, caller: Caller, conversation: ConversationId
    ) -> tuple[Conversation, Sequence[Message]]:
        """The whole log, as staff see it."""
        shown = await self.get(caller, conversation)
        parts = self._history.transcript(caller.shop_id, conversation)
        return shown, [views.message(row, Audience.STAFF) async for part in parts for row in part]

    async def explain(self, caller: Caller, conversation: ConversationId) -> ExplainResult:
        """Why here, and why it waits (KS-22)."""
        row = await self._seeing.conversation(CallerEyes(caller), conversation)
        return await self._seeing.explain(row)

    async def _page(self, page: Page[ConversationView]) -> ListResult:
        shown = [await self._seeing.shown(view, Audience.STAFF) for view in page.rows]
        return ListResult(conversations=shown, cursor=page.cursor)


class LiveReads:
    """Live state of one shop."""

    def __init__(self, agents: Agents, live: Live, conversations: Conversations) -> None:
        self._agents = agents
        self._live = live
        self._conversations = conversations

    async def agents(self, shop: ShopId) -> list[AgentCard]:
        """All agents with status and load."""
        return (await self._agents.everybody(shop)).agents

    async def slots(self, shop: ShopId, account: AccountId) -> SlotsResult:
        """Who holds an agent's slots (KS-22)."""
        return await self._agents.ledger(shop, account)

    async def pools(self, shop: ShopId) -> list[PoolCard]:
        """Every non-empty queue pool."""
        return (await self._agents.everybody(shop)).pools

    async def invariants(self, shop: ShopId) -> dict[str, int]:
        """Violations by invariant, counted on live data: always 0."""
        active = await self._conversations.active(shop)
        found = await self._live.ask(shop, lambda engine: census(engine, active))
        return {name: sum(each.invariant == name for each in found) for name in WATCHED}
