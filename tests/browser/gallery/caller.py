"""A customer without a browser, of whom the shop's backend says who they are."""

from __future__ import annotations

from contextlib import AsyncExitStack

from protocol.ids import new_id
from protocol.methods.conversations import (
    ConversationParams,
    ConversationResult,
    FirstMessage,
    OpenParams,
    OpenResult,
)
from protocol.shapes import TextBody
from server.chat.door import Door
from server.chat.identity import IdentityKey, Person, identity_token
from server.chat.link import Link
from server.demo.seed import SHOP


class Caller:
    """Comes with a question; `says` more; `hangs_up` leaves the page."""

    def __init__(self, stack: AsyncExitStack, link: Link, conversation: str) -> None:
        self._stack = stack
        self._link = link
        self.conversation = conversation

    @classmethod
    async def asks(cls, url: str, key: IdentityKey, person: Person, text: str) -> Caller:
        """The conversation is open when this returns."""
        stack = AsyncExitStack()
        door = await stack.enter_async_context(Door(url))
        session = await door.customer(SHOP, identity_token=identity_token(key, SHOP, person))
        unused = [session.ticket]

        async def ticket() -> str:
            if unused:
                return unused.pop()
            return (await door.customer(SHOP, session_token=session.session_token)).ticket

        link = await stack.enter_async_context(
            Link(door.socket_url, ticket, name="caller", origin=door.origin)
        )
        first = FirstMessage(client_message_id=new_id(), body=TextBody(kind="text", text=text))
        order = person.orders[0].id if person.orders else None
        opened = await link.ask("conversation.open", OpenParams(order_id=order, message=first), OpenResult)
        return cls(stack, link, opened.conversation.conversation_id)

    async def says(self, text: str) -> None:
        """Another message."""
        await self._link.send(self.conversation, text, new_id())

    async def gives_up(self) -> None:
        """Leaves the queue."""
        params = ConversationParams(conversation_id=self.conversation)
        await self._link.ask("conversation.leave_queue", params, ConversationResult)

    async def hangs_up(self) -> None:
        """The page is closed."""
        await self._stack.aclose()
