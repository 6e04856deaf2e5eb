"""A demo customer: comes with an order, asks, listens, says thanks; or loses patience in the queue."""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from protocol.events import ConversationChanged
from protocol.ids import new_id
from protocol.methods.conversations import (
    ChoicesResult,
    ConversationParams,
    ConversationResult,
    FirstMessage,
    OpenParams,
    OpenResult,
    RateParams,
)
from protocol.methods.session import Nothing
from protocol.shapes import Conversation, Message, TextBody
from protocol.states import Life
from server.chat.door import Door
from server.chat.identity import IdentityKey, Person, identity_token
from server.chat.link import Link, Told
from server.demo.board import Board
from server.demo.phrases import Phrases
from server.demo.seed import SHOP

READS_S: Final = (1.0, 3.0)
LONGEST_S: Final = 180.0


@dataclass(frozen=True, slots=True)
class Errand:
    """Why a customer comes: how their order stands, how much they ask, how long they wait at most."""

    person: Person
    order_state: str
    questions: int = 2
    patience_s: float = LONGEST_S


class Customer:
    """One customer on one errand."""

    def __init__(self, errand: Errand, phrases: Phrases, board: Board) -> None:
        self._errand = errand
        self._phrases = phrases
        self._board = board
        self._conversation: Conversation | None = None
        self._answered = False
        self._asked = 0

    async def run(self, door: Door, key: IdentityKey) -> None:
        """The whole errand, from the door to the goodbye."""
        token = identity_token(key, SHOP, self._errand.person)
        session = await door.customer(SHOP, identity_token=token)
        unused = [session.ticket]

        async def ticket() -> str:
            if unused:
                return unused.pop()
            return (await door.customer(SHOP, session_token=session.session_token)).ticket

        async with Link(door.socket_url, ticket, name="pointsman-demo", origin=door.origin) as link:
            self._board.played.add(link.hello.me.person.id or "")
            async with asyncio.timeout(LONGEST_S):
                await self._open(link)
                patience = asyncio.create_task(self._lose_patience(link))
                try:
                    await self._listen(link)
                finally:
                    patience.cancel()

    async def _open(self, link: Link) -> None:
        orders = self._errand.person.orders
        text = self._phrases.question(self._errand.order_state)
        body = TextBody(kind="text", text=text)
        params = OpenParams(
            order_id=orders[0].id if orders else None,
            message=FirstMessage(client_message_id=new_id(), body=body),
        )
        result = await link.ask("conversation.open", params, OpenResult)
        self._conversation = result.conversation
        self._asked = 1
        self._board.totals.opened += 1
        self._board.totals.messages += 1

    async def _lose_patience(self, link: Link) -> None:
        await asyncio.sleep(self._errand.patience_s)
        now = self._conversation
        if now is None or now.state is not Life.QUEUED:
            return
        params = ConversationParams(conversation_id=now.conversation_id)
        await link.ask("conversation.leave_queue", params, ConversationResult)

    async def _listen(self, link: Link) -> None:
        async for news in link.news():
            if not isinstance(news, Told):
                continue
            if isinstance(news.payload, ConversationChanged):
                before, self._conversation = self._conversation, news.payload.conversation
                if self._conversation.state is Life.WRAP_UP:
                    self._board.totals.closed += 1
                    await self._rate(link)
                    return
                if self._conversation.state is Life.CLOSED:
                    self._board.totals.abandoned += before is not None and before.state is Life.QUEUED
                    return
            elif isinstance(news.payload, Message) and news.payload.sender.kind in {"agent", "bot"}:
                await self._heard(link, news.payload)

    async def _heard(self, link: Link, message: Message) -> None:
        if not isinstance(message.body, TextBody):
            return
        if not self._answered:
            self._answered = True
            self._board.served(message.conversation_id, self._errand.person.name, message.sender.name)
        if message.body.text in self._phrases.goodbye or message.body.text in self._phrases.transfer:
            return
        await asyncio.sleep(random.uniform(*READS_S))
        if self._asked < self._errand.questions:
            text = random.choice(self._phrases.more)
        elif self._asked == self._errand.questions:
            text = random.choice(self._phrases.thanks)
        else:
            return
        self._asked += 1
        await link.send(message.conversation_id, text, new_id())
        self._board.totals.messages += 1

    async def _rate(self, link: Link) -> None:
        now = self._conversation
        if now is None or random.random() < 0.5:
            return
        rating = random.choice((3, 4, 4, 5, 5, 5))
        choices = await link.ask("conversation.choices", Nothing(), ChoicesResult)
        reasons = [one for one in choices.rating_reasons if one.stars_from <= rating <= one.stars_to]
        params = RateParams(
            conversation_id=now.conversation_id,
            rating=rating,
            reasons=[one.reason_id for one in random.sample(reasons, min(1, len(reasons)))],
            comment=random.choice(self._phrases.comments),
        )
        await link.ask("conversation.rate", params, ConversationResult)
