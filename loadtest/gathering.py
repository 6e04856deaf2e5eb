"""Conversations with many agents: a customer writes, everybody who takes part must have it."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count

from loadtest.front_desk import Asker, Door, address
from loadtest.line import Line, LineBroken
from loadtest.listeners import SPEECH, Listener
from loadtest.pointsman_stand import SHOP
from loadtest.speech import Heard

WINDOW = 4
"""messages that the customer keeps under way"""
BURST_S = 60.0
_numbers = count(1)


@dataclass(slots=True, eq=False)
class Gathering:
    """A conversation with `size` agents. A message is done when all of them have it and its sender knows that it is
    safe."""

    size: int
    customer: Line
    conversation: str
    left: dict[int, int] = field(default_factory=dict[int, int])
    """message -> deliveries and acknowledgement still to come"""
    to_send: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    refused: list[str] = field(default_factory=list[str])

    @classmethod
    async def open(cls, number: int, port: int, agents: dict[str, Listener], size: int) -> "Gathering":
        """A customer asks, the router finds an owner, the owner asks colleagues in until there are `size`."""
        async with Door(port, address(number)) as door:
            line, asker = await Asker.hello(door, await door.visitor_ticket(SHOP))
        first = {"client_message_id": "first", "body": {"kind": "text", "text": "Good morning"}}
        opened = (await asker.ask("conversation.open", {"message": first}))["conversation"]
        owner, conversation = str(opened["owner"]["id"]), str(opened["conversation_id"])
        invited = [each for each in agents if each != owner][: size - 1]
        if invited:
            await agents[owner].asks(
                "participant.invite", conversation_id=conversation, account_ids=invited, reason="load test"
            )
        for each in invited:
            await agents[each].asks("participant.join", conversation_id=conversation)
        gathering = cls(size, line, conversation)
        line.hear = gathering.customer_hears
        return gathering

    async def burst(self, messages: int) -> float:
        """So many messages; the seconds until everybody has the last. Raises LineBroken."""
        self.to_send = messages
        self.idle.clear()
        began = time.perf_counter()
        for _ in range(min(WINDOW, messages)):
            self._send()
        try:
            async with asyncio.timeout(BURST_S):
                await self.idle.wait()
        except TimeoutError:
            raise LineBroken(f"{len(self.left)} messages to {self.size} agents never arrived") from None
        if self.refused:
            raise LineBroken(f"refused: {self.refused[0]}")
        return time.perf_counter() - began

    def customer_hears(self, text: bytes) -> None:
        """For the customer's line; their own messages come back to them and are not counted."""
        heard = SPEECH.hear(text)
        if heard.what is Heard.ACKNOWLEDGED:
            self.arrived(heard.number)
        elif heard.what is Heard.PING:
            self.customer.say(SPEECH.pong)
        elif heard.what is Heard.REFUSED:
            self.refused.append(text[:300].decode(errors="replace"))
            self.idle.set()

    def arrived(self, number: int) -> None:
        """One more has this message."""
        left = self.left.get(number)
        if left is None:
            return  # another gathering's
        if left > 1:
            self.left[number] = left - 1
            return
        del self.left[number]
        if self.to_send:
            self._send()
        elif not self.left:
            self.idle.set()

    def _send(self) -> None:
        self.to_send -= 1
        number = next(_numbers)
        self.left[number] = self.size + 1
        self.customer.say(SPEECH.message(self.conversation, number))
