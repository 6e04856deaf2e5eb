"""An agent: answers, hands over, writes notes, takes words back, ends what the customer has thanked for."""

import asyncio
import random
from itertools import count

from loadtest.people.customer import GOODBYE
from loadtest.people.person import Person, World, overtaken
from protocol.client import TicketSource
from protocol.shapes import Message, TextBody

FINISH_S = 40.0


class Agent(Person):
    """Lives until cancelled. `colleagues`: ids of those to whom conversations may be handed."""

    def __init__(
        self,
        name: str,
        world: World,
        tickets: TicketSource,
        rng: random.Random,
        colleagues: list[str],
    ) -> None:
        super().__init__(name, world, tickets, rng, device="desktop")
        self._colleagues = colleagues
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._broken: BaseException | None = None
        self._turns = count(1)

    async def live(self) -> None:
        """Come online and answer until cancelled."""
        heard = self.client.subscribe()
        await self.client.start()
        await self.ask("agent.set_status", status="online")
        async for frame in heard:
            message = frame.params
            if isinstance(message, Message) and self._calls_for_me(message):
                self._react_soon(message)
            if self._broken is not None:
                raise self._broken

    @property
    def busy(self) -> bool:
        """Whether something was begun and is not finished."""
        return bool(self._busy)

    async def rest(self) -> None:
        """Finish what was begun."""
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=FINISH_S)
        for task in tuple(self._busy.values()):
            task.cancel()

    def _calls_for_me(self, message: Message) -> bool:
        """The newest words of a customer (a log that is handed over is old), or a goodbye."""
        if message.sender.kind != "customer":
            return False
        log = self.client.logs.get(message.conversation_id)
        return _is_goodbye(message) or (log is not None and log.head == message.seq)

    def _react_soon(self, message: Message) -> None:
        """One reaction at a time per conversation, as people type; a goodbye outranks an answer that is on its way."""
        conversation = message.conversation_id
        known = self._busy.get(conversation)
        if known is not None and not _is_goodbye(message):
            return
        task = asyncio.create_task(self._react(message, known))
        self._busy[conversation] = task
        task.add_done_callback(lambda done: self._done(conversation, done))

    def _done(self, conversation: str, task: asyncio.Task[None]) -> None:
        if self._busy.get(conversation) is task:
            del self._busy[conversation]
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()

    async def _react(self, message: Message, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        profile, conversation = self.world.profile, message.conversation_id
        if not _is_goodbye(message) and not self.chance(profile.answer):
            return
        if self.chance(profile.typing):
            await self.client.typing(conversation)
        await self.pause(profile.answer_after_s)
        async with overtaken(self):
            if _is_goodbye(message):
                if self._is_mine(conversation):
                    await self.ask("conversation.end", conversation_id=conversation)
                    self.world.book.count("conversations ended")
            elif self._colleagues and self.chance(profile.transfer):
                colleague = self.rng.choice(self._colleagues)
                await self.ask("conversation.transfer", conversation_id=conversation, account_id=colleague)
                self.world.book.count("transfers")
            else:
                await self._answer(conversation)

    async def _answer(self, conversation: str) -> None:
        profile = self.world.profile
        said = await self.say(conversation, f"{self.name} answers {next(self._turns)}")
        if self.chance(profile.recall):
            await self.ask("message.recall", conversation_id=conversation, message_id=said.message_id)
            self.world.book.count("recalls")
        if self.chance(profile.note):
            await self.note(conversation, f"{self.name} remarks")
            self.world.book.count("notes")
        if self.chance(profile.read):
            await self.ask("read.mark", conversation_id=conversation, seq=said.seq)
            self.pen.read(conversation, said.seq)

    def _is_mine(self, conversation: str) -> bool:
        known = self.client.view.conversations.get(conversation)
        return known is not None and known.owner is not None and known.owner.id == self.id


def _is_goodbye(message: Message) -> bool:
    return isinstance(message.body, TextBody) and message.body.text == GOODBYE
