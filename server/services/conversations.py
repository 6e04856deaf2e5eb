"""Requests about the life of conversations, from their opening; how they end: `ending_requests`.

Who may do what to which conversation is decided in `Seeing`; the door has already let the caller's right in. What
somebody may not see does not exist for them (1004). How conversations change hands: `handing_over`.
"""

import time
from typing import Any

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state
from protocol.ids import ConversationId, CustomerId, new_id
from protocol.methods import conversations as m
from protocol.methods.messages import SendParams, SendResult
from protocol.shapes import SentBody, TextBody
from protocol.states import Life, OrderState, PersonKind
from router.model import Refusal
from router.orders import Order, choose_order
from server.services import views
from server.services.live import Live, refused
from server.services.messages import Messages
from server.services.names import Names
from server.services.pools import pool_named
from server.services.queue_feed import QueueFeed
from server.services.routing import Routing
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.views import Audience
from server.session import Session
from server.store.conversations import Conversations as Store
from server.store.orders import Orders
from server.store.rows import Opened


class ConversationRequests:
    """One method per request `conversation.*`; see `protocol.methods.conversations` for promises and shapes."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        shops: Shops,
        live: Live,
        routing: Routing,
        messages: Messages,
        seeing: Seeing,
        names: Names,
        queues: QueueFeed,
    ) -> None:
        self._store = store
        self._orders = orders
        self._shops = shops
        self._live = live
        self._routing = routing
        self._messages = messages
        self._seeing = seeing
        self._names = names
        self._queues = queues

    # --- the customer ------------------------------------------------------------------------------------------------
    async def open(self, session: Session, params: m.OpenParams) -> m.OpenResult:
        """`conversation.open`. The first message is in the log before routing begins; a routing that cannot be done now
        (Redis away) is done by a sweep, and the conversation waits."""
        shop, customer = session.shop_id, CustomerId(session.person_id)
        facts = await self._shops.get(shop)
        chosen = choose_order(
            [
                Order(order.order_id, order.state, order.changed_ms)
                for order in await self._orders.of_customer(shop, customer)
            ],
            named=params.order_id,
            now_ms=int(time.time() * 1000),
            lookback_ms=facts.policy.order_lookback_s * 1000,
        )
        opened, sent = await self._begin(session, params, chosen)
        row = opened.conversation
        if opened.created or row.live_rev == 0:
            try:
                await self._routing.route(row, opened.customer)
            except RequestError as error:
                if error.code is not ErrorCode.UNAVAILABLE:
                    raise
        return m.OpenResult(
            conversation=await self._show(session, row.id), created=opened.created, message=sent
        )

    async def _begin(
        self, session: Session, params: m.OpenParams, chosen: Order | None
    ) -> tuple[Opened, SendResult | None]:
        """The open conversation with the first message in its log. One that closes in between is not the open one."""
        while True:
            opened = await self._store.open(
                session.shop_id,
                CustomerId(session.person_id),
                ConversationId(new_id()),
                order_state=OrderState.NO_ACTIVE_ORDER if chosen is None else chosen.state,
                order_id=None if chosen is None else chosen.order,
            )
            if params.message is None:
                return opened, None
            first = SendParams(
                conversation_id=opened.conversation.id,
                client_message_id=params.message.client_message_id,
                body=_unquoted(params.message.body),
            )
            try:
                return opened, await self._messages.send(session, first)
            except RequestError as error:
                if opened.created or error.reason != "conversation_closed":
                    raise

    async def leave_queue(self, session: Session, params: m.ConversationParams) -> m.ConversationResult:
        """`conversation.leave_queue`: it closes. Refused when it waits no longer."""
        row = await self._seeing.conversation(session, params.conversation_id)
        if row.state is not Life.QUEUED:
            raise invalid_state(
                "not_waiting", "This conversation waits no longer; you can write to your agent."
            )
        await self._routing.do(  # an agent may be given it meanwhile: then it is not closed under their hands
            row.shop_id,
            lambda engine, stamp: engine.close(
                row.id, op_id=stamp.op_id, day=stamp.day, expected=Life.QUEUED
            ),
        )
        return m.ConversationResult(conversation=await self._show(session, row.id))

    async def hand_off(self, session: Session, params: m.FencedParams) -> m.ConversationResult:
        """`conversation.hand_off`: from the bot to people, by the bot or by its customer (KS-17)."""
        row = await self._seeing.conversation(session, params.conversation_id)
        if row.state is not Life.ACTIVE or row.owner_kind != "bot" or row.owner_id is None:
            raise invalid_state(
                "not_with_bot", "This conversation is not with the bot; people have it already."
            )
        if params.assign_epoch is not None and params.assign_epoch != row.assign_epoch:
            raise refused(Refusal.STALE_EPOCH)
        customer = await self._names.customer(row.shop_id, row.customer_id)
        await self._routing.reroute(row, customer, row.owner_id, via_bot=True)
        return m.ConversationResult(conversation=await self._show(session, row.id, passing=True))

    # --- looking -----------------------------------------------------------------------------------------------------
    async def get(self, session: Session, params: m.ConversationParams) -> m.ConversationResult:
        """`conversation.get`."""
        row = await self._seeing.conversation(session, params.conversation_id)
        return m.ConversationResult(conversation=await self._show(session, row.id))

    async def listing(self, session: Session, params: m.ListParams) -> m.ListResult:
        """`conversation.list`."""
        pool_named(params.pool)
        page = await self._seeing.page(session, params)
        shown = [await self._seeing.shown(each, Audience.STAFF) for each in page.rows]
        pools = await self._queues.seen_by(session) if params.scope == "queue" else ()
        return m.ListResult(
            conversations=shown, cursor=page.cursor, pools=[views.pool_card(pool) for pool in pools]
        )

    async def earlier(self, session: Session, params: m.EarlierParams) -> m.ListResult:
        """`conversation.earlier` (CO-02)."""
        page = await self._seeing.earlier(session, params)
        audience = Audience.CUSTOMER if session.kind is PersonKind.CUSTOMER else Audience.STAFF
        shown = [await self._seeing.shown(each, audience) for each in page.rows]
        return m.ListResult(conversations=shown, cursor=page.cursor)

    async def explain(self, session: Session, params: m.ConversationParams) -> m.ExplainResult:
        """`conversation.explain` (KS-22)."""
        row = await self._seeing.conversation(session, params.conversation_id)
        return await self._seeing.explain(row)

    # --- shared ------------------------------------------------------------------------------------------------------
    async def _show(self, session: Session, conversation_id: str, *, passing: bool = False) -> Any:
        """The conversation as it is now. `passing`: the caller has just given it away and may see it once more."""
        return await self._seeing.show(session, ConversationId(conversation_id), passing=passing)


def _unquoted(body: SentBody) -> SentBody:
    """What opens a conversation is about nothing that was said in it."""
    return body.model_copy(update={"quote": None}) if isinstance(body, TextBody) else body
