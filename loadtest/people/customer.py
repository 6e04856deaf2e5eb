"""A customer: comes, asks, waits for an agent, says some more, thanks, goes away, and comes back."""

import asyncio
from collections.abc import Callable

from loadtest.people.person import OVERTAKEN, Person, overtaken
from protocol.client import Subscription
from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.methods.conversations import OpenResult
from protocol.states import Life

GOODBYE = "Thank you, goodbye."
"""A customer's last message; the agent ends the conversation on it."""
ENDED_WITHIN_S = 20.0
"""After the goodbye; then the customer goes anyway."""
OWNED_WITHIN_S = 30.0
"""Then a customer who still waits leaves the queue."""


class Customer(Person):
    """Lives visit by visit. `finishing`: the present visit is the last."""

    conversation = ""
    """the present or last visit's"""
    finishing = False
    visiting = False
    waiting = False
    """for an agent"""
    visits = 0

    async def live(self) -> None:
        """Visits, until cancelled, or `finishing` at the end of one."""
        await self.client.start()
        while not self.finishing:
            await self.world.pace.turn()
            self.visiting = True
            with_events = self.client.subscribe()
            try:
                async with overtaken(self):
                    await self._visit(with_events)
            finally:
                with_events.close()
                self.visiting = False
            if not self.finishing:
                await self.pause(self.world.profile.away_s)

    async def _visit(self, events: Subscription) -> None:
        profile, book = self.world.profile, self.world.book
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.visits += 1
        await self._open(f"{self.name} comes for the {self.visits}. time")
        book.count("visits")
        if not self._owned():
            book.count("waited in a queue")
            self.waiting = True
            owned = await self._told(events, self._owned, OWNED_WITHIN_S)
            self.waiting = False
            if not owned:
                book.count("gave up waiting")
                await self.ask("conversation.leave_queue", conversation_id=self.conversation)
                return
        if not self.world.slow:
            book.waits.add(loop.time() - began)
        for turn in range(1, self.rng.randint(*profile.messages)):
            if self.finishing:
                break
            await self.pause(profile.pause_s)
            if self.chance(profile.typing):
                await self.client.typing(self.conversation, True, "I was wond")
            await self.say(self.conversation, f"{self.name} says {self.visits}.{turn}")
            if self.chance(profile.read):
                await self._read()
        await self.say(self.conversation, GOODBYE)
        if await self._told(events, self._over, ENDED_WITHIN_S):
            book.count("visits finished")

    async def _open(self, text: str) -> None:
        """Ask for service with the first words. Who was not sent away last time is still in that conversation."""
        name = new_id()
        message = {"client_message_id": name, "body": {"kind": "text", "text": text}}
        began = asyncio.get_running_loop().time()
        self.pen.sent("", name, text)  # which conversation that will be is known with the reply
        opened = await self.ask("conversation.open", message=message)
        assert isinstance(opened, OpenResult)
        assert opened.message is not None, "sent with it"
        self.conversation = opened.conversation.conversation_id
        self.pen.acked(self.conversation, name, opened.message)
        if not self.world.slow:
            self.world.book.opens.add(asyncio.get_running_loop().time() - began)
        self.world.book.count("messages")
        self.client.view.put(opened.conversation)

    async def _read(self) -> None:
        seq = self.client.cursors.get(self.conversation, 0)
        if seq:
            try:
                await self.ask("read.mark", conversation_id=self.conversation, seq=seq)
            except RequestError as refusal:
                if refusal.code not in OVERTAKEN:
                    raise
            else:
                self.pen.read(self.conversation, seq)

    async def _told(self, events: Subscription, what: Callable[[], bool], within_s: float) -> bool:
        """Until events have made this true, or in vain for so long."""
        try:
            async with asyncio.timeout(within_s):
                while not what():
                    await anext(events)
        except TimeoutError:
            return False
        return True

    def _owned(self) -> bool:
        known = self.client.view.conversations.get(self.conversation)
        return known is not None and known.state is not Life.QUEUED

    def _over(self) -> bool:
        known = self.client.view.conversations.get(self.conversation)
        return known is not None and known.state in (Life.WRAP_UP, Life.CLOSED)
