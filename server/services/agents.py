"""Requests about agents: status, capacity, who is there, and what holds their slots (KS-18, KS-19, KS-22)."""

from collections.abc import Sequence

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, ConversationId, PersonId, ShopId
from protocol.methods import agents as a
from protocol.methods.session import Nothing
from protocol.rights import Right
from protocol.shapes import AgentCard, SlotCard
from protocol.states import AgentStatus
from router.model import AgentState
from server.services import views
from server.services.agent_feed import AgentFeed
from server.services.audit import Audit
from server.services.live import Live
from server.services.names import Names
from server.services.routing import Routing
from server.services.scope import Scope
from server.session import Session
from server.store.accounts import Accounts
from server.store.agent_states import AgentStates
from server.store.conversations import Conversations


class Agents:
    """`agent.*`, and the same questions for HTTP."""

    def __init__(
        self,
        live: Live,
        routing: Routing,
        accounts: Accounts,
        conversations: Conversations,
        names: Names,
        feed: AgentFeed,
        scope: Scope,
        states: AgentStates,
        audit: Audit,
    ) -> None:
        self._live = live
        self._routing = routing
        self._accounts = accounts
        self._conversations = conversations
        self._names = names
        self._feed = feed
        self._scope = scope
        self._states = states
        self._audit = audit

    async def arrived(self, shop: ShopId, account: AccountId, device: str, as_patient: Sequence[str]) -> None:
        """Somebody is connected (again): reports count them as what they chose, and `device` is kept unless one of
        `as_patient` is."""
        await self._states.back(shop, account)
        await self._accounts.came_by(shop, account, device, as_patient)

    async def set_status(self, session: Session, params: a.SetStatusParams) -> a.AgentResult:
        """`agent.set_status`. Going offline with conversations in service needs a word about them."""
        account = await self._whose(session, params.account_id, "set somebody else's status")
        in_service = in_service_of(await self.state(session.shop_id, account))
        if params.status is AgentStatus.OFFLINE and in_service and params.open_conversations is None:
            raise RequestError(
                ErrorCode.INVALID_STATE,
                "open_conversations",
                f"{len(in_service)} conversations are still in service: say in open_conversations whether to keep "
                "them or to give them back to the queue (requeue).",
                detail={"conversations": in_service},
            )
        if account != session.person_id:
            await self._audit.done(
                session.shop_id,
                "agent.set_status",
                "account",
                account,
                reason=params.reason,
                after={"status": params.status.value},
            )
        await self.change_status(session.shop_id, account, params.status)
        if params.status is AgentStatus.OFFLINE and params.open_conversations == "requeue":
            # Looked at again: offline now, they get nothing more, but something may just have come.
            in_service = in_service_of(await self.state(session.shop_id, account))
            await self.give_back(session.shop_id, account, in_service, by=AccountId(session.person_id))
        return a.AgentResult(agent=await self.card(session.shop_id, account))

    async def change_status(self, shop: ShopId, account: AccountId, status: AgentStatus) -> None:
        """Set the chosen status, live and durably; conversations stay with whom they are. Raises NOT_FOUND."""
        await self._routing.do(
            shop, lambda engine, stamp: engine.set_status(account, status, op_id=stamp.op_id, day=stamp.day)
        )
        await self._accounts.set_status(shop, account, status)
        self._feed.touch(shop, [PersonId(account)])

    async def set_capacity(self, session: Session, params: a.SetCapacityParams) -> a.AgentResult:
        """`agent.set_capacity`: raising it drains the queue at once (KS-19)."""
        account = await self._whose(session, params.account_id, "set somebody else's capacity")
        await self.state(session.shop_id, account)  # who serves nobody has none
        if params.reason:  # the change itself is recorded by the database
            await self._audit.done(
                session.shop_id, "agent.set_capacity", "account", account, reason=params.reason
            )
        await self._accounts.set_capacity(session.shop_id, account, params.capacity)
        await self.profile_changed(session.shop_id, account)
        return a.AgentResult(agent=await self.card(session.shop_id, account))

    async def profile_changed(self, shop: ShopId, account: AccountId) -> None:
        """An account's durable facts changed (capacity, groups, roles, marks, duty): live state follows,
        queues drain."""
        self._names.forget(shop, account)
        await self._routing.follow(shop, await self._live.set_profile(shop, account))
        self._feed.touch(shop, [PersonId(account)])

    async def everyone(self, session: Session, _params: Nothing) -> a.AgentListResult:
        """`agent.list`."""
        return await self.everybody(session.shop_id)

    async def everybody(self, shop: ShopId) -> a.AgentListResult:
        """All agents of a shop, and its pools. Accounts that serve nobody (managers without conversations)
        are left out."""
        states = await self._live.ask(shop, lambda engine: engine.agents())
        pools = await self._live.ask(shop, lambda engine: engine.pools())
        return a.AgentListResult(
            agents=[
                await self._card(shop, state) for state in states if state.profile.routable or state.load
            ],
            pools=[views.pool_card(pool) for pool in pools],
        )

    async def slots(self, session: Session, params: a.SlotsParams) -> a.SlotsResult:
        """`agent.slots`: the ledger of KS-22."""
        return await self.ledger(session.shop_id, AccountId(params.account_id or session.person_id))

    async def ledger(self, shop: ShopId, account: AccountId) -> a.SlotsResult:
        """For every held slot, why it is held. Raises NOT_FOUND."""
        state = await self.state(shop, account)
        cards: list[SlotCard] = []
        for slot in state.slots:
            row = await self._conversations.get(shop, ConversationId(slot.conversation))
            customer = await self._names.customer(shop, row.customer_id)
            cards.append(views.slot_card(slot, customer.name))
        return a.SlotsResult(agent=await self._card(shop, state), slots=cards)

    async def state(self, shop: ShopId, account: AccountId) -> AgentState:
        """One agent's live state, made from the database when it was lost. Raises NOT_FOUND."""
        state = await self._live.ask(shop, lambda engine: engine.agent(account))
        if state is None and not await self._live.ask(shop, lambda engine: engine.is_live()):
            await self._live.ensure(shop)
            state = await self._live.ask(shop, lambda engine: engine.agent(account))
        if state is None:
            raise not_found("agent")
        return state

    async def card(self, shop: ShopId, account: AccountId) -> AgentCard:
        """One agent for showing. Raises NOT_FOUND."""
        return await self._card(shop, await self.state(shop, account))

    async def _card(self, shop: ShopId, state: AgentState) -> AgentCard:
        return views.agent_card(state, (await self._names.party(shop, state.profile.agent)).name)

    async def give_back(
        self, shop: ShopId, account: AccountId, conversations: list[ConversationId], *, by: AccountId | None
    ) -> None:
        """Back to the queue, each at its original age (KS-18); one that somebody took meanwhile stays there."""
        for conversation in conversations:
            row = await self._conversations.get(shop, conversation)
            if row.owner_id == account:
                await self._routing.attempt(
                    shop,
                    lambda engine, stamp, row=row: engine.requeue(
                        row.id, op_id=stamp.op_id, day=stamp.day, expected_epoch=row.assign_epoch, by=by
                    ),
                )

    async def _whose(self, session: Session, account_id: str | None, act: str) -> AccountId:
        if account_id is None or account_id == session.person_id:
            return AccountId(session.person_id)
        account = AccountId(account_id)
        await self._scope.require(session, Right.AGENT_MANAGE, act, account=account)
        return account


def in_service_of(state: AgentState) -> list[ConversationId]:
    """The conversations that hold a slot of this agent and are not in wrap-up."""
    return [slot.conversation for slot in state.slots if slot.why == "in_service"]
