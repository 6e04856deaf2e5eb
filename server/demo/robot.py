"""A robot agent: comes online, answers after a moment of thought, ends when the customer has said thanks. Whoever tries
the shop page is handed to whoever tries the desk, as soon as there is somebody.

A client like any other: it knows only what the server sends it.
"""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import ConversationChanged
from protocol.ids import new_id
from protocol.methods.agents import AgentResult, SetStatusParams
from protocol.methods.conversations import ChoicesResult, ConversationResult, EndParams, TransferParams
from protocol.methods.messages import HistoryParams, HistoryResult, ReadParams
from protocol.methods.session import Nothing
from protocol.shapes import Conversation, Message, TextBody
from protocol.states import AgentStatus, Life
from server.chat.link import Link, LinkDown, LinkEnded, Told
from server.demo.board import Board
from server.demo.phrases import Phrases

THINKS_S: Final = (1.0, 3.0)
LOOKS_S: Final = 0.5
SILENCE_S: Final = 25.0
"""After this long without a word from the customer, the robot says goodbye."""


class Served:
    """One conversation in a robot's hands."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.upto = 0
        """entries up to here were heard with the history"""
        self.task: asyncio.Task[None] | None = None


class Robot:
    """One robot at one connection. `run` until cancelled."""

    def __init__(self, link: Link, phrases: Phrases, board: Board) -> None:
        self._link = link
        self._phrases = phrases
        self._board = board
        self._served: dict[str, Served] = {}
        self._left = {each.conversation_id for each in link.hello.snapshot.conversations}
        """open since an earlier run: nobody sits behind them"""
        self.account_id = link.hello.me.person.id or ""
        self.name = link.hello.me.person.name

    async def run(self) -> None:
        """Work until cancelled; `LinkEnded` when the server ends the connection for good."""
        params = SetStatusParams(status=AgentStatus.ONLINE)
        await self._link.ask("agent.set_status", params, AgentResult)
        way = asyncio.create_task(self._give_way())
        try:
            for conversation in self._link.hello.snapshot.conversations:
                await self._changed(conversation)
            async for news in self._link.news():
                if isinstance(news, Told):
                    await self._told(news)
        finally:
            way.cancel()
            for served in self._served.values():
                if served.task is not None:
                    served.task.cancel()

    async def _told(self, told: Told) -> None:
        if isinstance(told.payload, ConversationChanged):
            await self._changed(told.payload.conversation)
        elif isinstance(told.payload, Message) and told.payload.sender.kind == "customer":
            served = self._served.get(told.payload.conversation_id)
            if served is None or told.payload.seq <= served.upto:
                return
            if isinstance(told.payload.body, TextBody):
                served.heard.put_nowait(told.payload.body.text)
                await self._tried(self._mark_read(told.payload.conversation_id, told.payload.seq))

    async def _changed(self, conversation: Conversation) -> None:
        mine = conversation.owner is not None and conversation.owner.id == self.account_id
        served = self._served.get(conversation.conversation_id)
        if not mine or conversation.state is not Life.ACTIVE:
            if served is not None:
                del self._served[conversation.conversation_id]
                if served.task is not None:
                    served.task.cancel()
            return
        if served is not None:
            if conversation.rev >= served.conversation.rev:
                served.conversation = conversation
            return
        served = self._served[conversation.conversation_id] = Served(conversation)
        served.task = asyncio.create_task(self._serve(served))

    async def _serve(self, served: Served) -> None:
        await self._tried(self._talk(served))

    async def _talk(self, served: Served) -> None:
        await self._catch_up(served)
        while True:
            try:
                text = await asyncio.wait_for(served.heard.get(), SILENCE_S)
            except TimeoutError:
                await self._end(served)
                return
            await asyncio.sleep(random.uniform(*THINKS_S))
            if self._phrases.is_thanks(text):
                await self._say(served, random.choice(self._phrases.goodbye))
                await self._end(served)
                return
            await self._say(served, self._phrases.answer(text))

    async def _catch_up(self, served: Served) -> None:
        """Hear what the customer said last, before this robot was here."""
        params = HistoryParams(conversation_id=served.conversation.conversation_id, limit=20)
        page = await self._link.ask("message.history", params, HistoryResult)
        served.upto = page.head_seq
        spoken = [one for one in page.messages if isinstance(one.body, TextBody)]
        if spoken and spoken[-1].sender.kind == "customer" and served.heard.empty():
            last = spoken[-1].body
            if isinstance(last, TextBody):
                served.heard.put_nowait(last.text)
        if page.messages:
            await self._mark_read(served.conversation.conversation_id, page.head_seq)

    async def _mark_read(self, conversation_id: str, seq: int) -> None:
        await self._link.ask("read.mark", ReadParams(conversation_id=conversation_id, seq=seq), Nothing)

    async def _say(self, served: Served, text: str) -> None:
        now = served.conversation
        await self._link.send(now.conversation_id, text, new_id(), now.assign_epoch)
        self._board.totals.messages += 1

    async def _end(self, served: Served) -> None:
        choices = await self._link.ask("conversation.choices", Nothing(), ChoicesResult)
        tags = [each.tag_id for each in choices.result_tags]
        likely = random.choices(tags, [2.0**-place for place in range(len(tags))]) if tags else []
        params = EndParams(
            conversation_id=served.conversation.conversation_id,
            assign_epoch=served.conversation.assign_epoch,
            result_tags=likely,
        )
        await self._link.ask("conversation.end", params, ConversationResult)

    async def transfer_one(self, colleagues: list[str]) -> bool:
        """Hand one conversation to a colleague, with words to the customer. False: there was none to hand."""
        served = next(iter(self._served.values()), None)
        if served is None or not colleagues:
            return False
        why = random.choice(self._phrases.transfer)
        await self._say(served, why)
        params = TransferParams(
            conversation_id=served.conversation.conversation_id,
            account_id=random.choice(colleagues),
            assign_epoch=served.conversation.assign_epoch,
            reason=why,
        )
        await self._link.ask("conversation.transfer", params, ConversationResult)
        self._board.totals.transfers += 1
        return True

    async def _give_way(self) -> None:
        """Hand over whom a person plays, to the desk where a person sits."""
        while True:
            await asyncio.sleep(LOOKS_S)
            for conversation_id, served in tuple(self._served.items()):
                human = self._board.human_with_room()
                customer = served.conversation.customer.customer_id
                if human is None or customer in self._board.played or conversation_id in self._left:
                    continue
                params = TransferParams(
                    conversation_id=conversation_id,
                    account_id=human,
                    assign_epoch=served.conversation.assign_epoch,
                    reason=random.choice(self._phrases.transfer),
                )
                await self._tried(self._hand(params))

    async def _hand(self, params: TransferParams) -> None:
        await self._link.ask("conversation.transfer", params, ConversationResult)
        self._board.totals.transfers += 1

    async def _tried(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it; a refusal is counted on the board, and the robot goes on."""
        try:
            await work
        except RequestError as error:
            # Somebody else owns it by now, or it is closed: its next state is on the way.
            if error.code not in {ErrorCode.STALE_ASSIGNMENT, ErrorCode.INVALID_STATE}:
                self._board.failed(f"{self.name}: {error.reason}")
        except (LinkDown, LinkEnded):
            return  # the link says so where the robot listens
