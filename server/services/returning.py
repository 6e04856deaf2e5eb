"""A customer who writes where nobody expects it: in wrap-up (KS-20), or to an agent who was away for too long (KS-18).

Called after the message is in the log. What fails or is cut off here, the sweep `repairs` finds by the log itself.
"""

import hashlib

from protocol.ids import ClientMessageId, ConversationId, new_id
from protocol.states import Life
from router.model import Refusal, Refused
from server.services.delivery import Delivery
from server.services.live import Live
from server.services.names import Names
from server.services.quotes import unquoted
from server.services.routing import Routing
from server.store.conversations import Conversations
from server.store.log import Entry, Log
from server.store.rows import ConversationRow


class Returning:
    """Brings people back together. Every method may be repeated."""

    def __init__(
        self,
        live: Live,
        routing: Routing,
        conversations: Conversations,
        writer: Log,
        delivery: Delivery,
        names: Names,
    ) -> None:
        self._live = live
        self._routing = routing
        self._conversations = conversations
        self._writer = writer
        self._delivery = delivery
        self._names = names

    async def written(self, entry: Entry, row: ConversationRow) -> None:
        """A customer's message is in the log of this conversation, which it left like that."""
        refusal = await self.bring_back(row)
        if refusal is Refusal.UNKNOWN_CONVERSATION and row.state is Life.WRAP_UP:
            await self._begin_anew(entry, row)

    async def bring_back(self, row: ConversationRow) -> Refusal | None:
        """The agent of a wrap-up is back; a conversation whose agent is gone is routed anew. None: done, or nothing to
        do; else why live state refused."""
        if row.state is Life.WRAP_UP:
            outcome = await self._routing.attempt(
                row.shop_id, lambda engine, stamp: engine.reopen(row.id, op_id=stamp.op_id, day=stamp.day)
            )
            if isinstance(outcome, Refused):
                return outcome.refusal
            owner = outcome.decisions[0].owner
            if owner is None or await self._live.ask(row.shop_id, lambda engine: engine.agent(owner)):
                return None
            row = await self._conversations.get(row.shop_id, row.id)  # whose agent has left the shop
        elif row.detached_ms is None:
            return None
        if row.state is Life.ACTIVE and row.owner_id is not None:
            customer = await self._names.customer(row.shop_id, row.customer_id)
            await self._routing.reroute(row, customer, row.owner_id, via_bot=True)
        return None

    async def _begin_anew(self, entry: Entry, row: ConversationRow) -> None:
        """Wrap-up was over already, only the log did not know it yet: what was written opens a new conversation."""
        unsettled = await self._live.ask(row.shop_id, lambda engine: engine.unconfirmed(0))
        await self._routing.settle(row.shop_id, [each for each in unsettled if each.conversation == row.id])
        opened = await self._conversations.open(
            row.shop_id,
            row.customer_id,
            ConversationId(new_id()),
            order_state=row.order_state,
            order_id=row.order_id,
        )
        if opened.conversation.id == row.id:
            return  # it did not close after all
        again = Entry(
            shop_id=row.shop_id,
            conversation_id=opened.conversation.id,
            sender_kind="customer",
            sender_id=entry.sender_id,
            sender_name=entry.sender_name,
            client_message_id=ClientMessageId(
                f"again:{hashlib.blake2b(entry.client_message_id.encode(), digest_size=16).hexdigest()}"
            ),
            body=unquoted(entry.body),
            body_hash=entry.body_hash,
        )
        self._delivery.appended(again, await self._writer.append(again))
        if opened.conversation.live_rev == 0:
            await self._routing.route(opened.conversation, opened.customer)
