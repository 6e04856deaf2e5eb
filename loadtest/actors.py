"""People of the load: customers who ask and agents who answer, on the reference client, with a journal of it all."""

import asyncio
import random
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from loadtest.front_desk import ORIGIN, Door
from loadtest.invariants import Entry, Journal, Sent
from loadtest.profiles import Profile
from protocol.client import Client, Patience
from protocol.client.link import TicketSource
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import ConversationChanged
from protocol.ids import new_id
from protocol.methods.conversations import FirstMessage, OpenParams, OpenResult
from protocol.methods.messages import SendResult
from protocol.shapes import Message, TextBody
from protocol.states import Life

GOODBYE = "Thank you, goodbye."
"""A customer's last message; the agent ends the conversation on it."""
PATIENCE = Patience(first_s=0.1, longest_s=2.0, soon_s=0.3)
"""Loads are short: come back quickly."""


@dataclass(slots=True)
class Book:
    """Everything that happened in a run, by conversation, and how much of it."""

    journals: dict[str, Journal] = field(default_factory=dict[str, Journal])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    waits_s: list[float] = field(default_factory=list[float])
    """from the first message to having an agent"""
    send_s: list[float] = field(default_factory=list[float])
    """from sending to the acknowledgement, repeats included"""

    def journal(self, conversation: str) -> Journal:
        """Of that conversation."""
        return self.journals.setdefault(conversation, Journal())

    def count(self, what: str) -> None:
        """One more of these."""
        self.counts[what] = self.counts.get(what, 0) + 1


def entries(messages: Iterable[Message]) -> list[Entry]:
    """A log as the invariants compare it."""
    return [
        Entry(
            message.seq,
            message.message_id,
            message.client_message_id or message.message_id,
            message.body.text if isinstance(message.body, TextBody) else "",
            message.internal,
        )
        for message in messages
    ]


def client(port: int, tickets: TicketSource, rng: random.Random) -> Client:
    """The reference client on that node, which keeps what it hears."""
    return Client(
        f"ws://127.0.0.1:{port}/ws",
        tickets,
        name="loadtest",
        device="web",
        origin=ORIGIN,
        keep_messages=True,
        patience=PATIENCE,
        rng=rng,
    )


class Person:
    """What both kinds have in common: a client, dice, and the journal."""

    def __init__(self, name: str, talker: Client, book: Book, profile: Profile, rng: random.Random) -> None:
        self.name = name
        self.client = talker
        self._book = book
        self._profile = profile
        self._rng = rng

    async def say(self, conversation: str, text: str) -> None:
        """Send one message, journaled before it goes out: what is stored must be somebody's."""
        sent = self._book.journal(conversation).sent.setdefault(self.name, [])
        name = f"m-{new_id()}"
        sent.append(Sent(name, text))
        place = len(sent) - 1
        start = asyncio.get_running_loop().time()
        result = await self.client.send(conversation, text, client_message_id=name, timeout_s=30)
        self._book.send_s.append(asyncio.get_running_loop().time() - start)
        sent[place] = _acknowledged(sent[place], result)
        self._book.count("messages")
        if self._rng.random() < self._profile.drop:
            self._book.count("connections broken")
            self.client.drop()

    async def pause(self, bounds: tuple[float, float]) -> None:
        """Wait for a time between these bounds."""
        await asyncio.sleep(self._rng.uniform(*bounds))


def _acknowledged(sent: Sent, result: SendResult) -> Sent:
    return Sent(sent.name, sent.text, result.seq, result.message_id)


class Customer(Person):
    """Comes, asks, waits for an agent, says some more, thanks."""

    conversation = ""
    """once it is open"""

    async def live(self) -> None:
        """From coming to the goodbye. Returns early when told to stop (cancelled); raises RequestError when refused."""
        await self.client.start()
        texts = [f"{self.name} says {turn}" for turn in range(self._rng.randint(*self._profile.messages))]
        heard = self.client.subscribe()
        start = asyncio.get_running_loop().time()
        first = FirstMessage(client_message_id=f"m-{new_id()}", body=TextBody(kind="text", text=texts[0]))
        opened = await self.client.call("conversation.open", OpenParams(message=first), OpenResult)
        self.conversation = opened.conversation.conversation_id
        sent = self._book.journal(self.conversation).sent.setdefault(self.name, [])
        assert opened.message is not None, "sent with it"
        sent.append(_acknowledged(Sent(first.client_message_id, texts[0]), opened.message))
        self._book.count("messages")
        self._book.count("conversations")
        if opened.conversation.state is not Life.ACTIVE:
            self._book.count("waited in a queue")
            async for frame in heard:
                if (
                    isinstance(frame.params, ConversationChanged)
                    and frame.params.conversation.owner is not None
                ):
                    break
        heard.close()
        self._book.waits_s.append(asyncio.get_running_loop().time() - start)
        for text in (*texts[1:], GOODBYE):
            await self.pause(self._profile.pause_s)
            await self.say(self.conversation, text)
        self._book.count("conversations finished")


class Agent(Person):
    """Answers customers, hands some over, ends what the customer has said goodbye to. Lives until cancelled."""

    def __init__(
        self,
        name: str,
        talker: Client,
        book: Book,
        profile: Profile,
        rng: random.Random,
        colleagues: list[str],
    ) -> None:
        super().__init__(name, talker, book, profile, rng)
        self._colleagues = colleagues
        self._answers: set[asyncio.Task[None]] = set()
        self._turns = count(1)

    async def live(self) -> None:
        """Come online and answer until cancelled."""
        heard = self.client.subscribe()
        await self.client.start()
        await self.client.request("agent.set_status", status="online")
        async for frame in heard:
            message = frame.params
            if isinstance(message, Message) and self._calls_for_me(message):
                task = asyncio.create_task(self._react(message))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def rest(self) -> None:
        """Finish the answers that were begun."""
        if self._answers:
            await asyncio.wait(self._answers, timeout=40)
        for task in self._answers:
            task.cancel()

    def _calls_for_me(self, message: Message) -> bool:
        """Whether to react: to the newest words of a customer (a log that is handed over is old), or a goodbye."""
        if message.sender.kind != "customer":
            return False
        return _is_goodbye(message) or self.client.logs[message.conversation_id].head == message.seq

    async def _react(self, message: Message) -> None:
        conversation = message.conversation_id
        if not _is_goodbye(message) and self._rng.random() >= self._profile.answer:
            return
        await self.pause(self._profile.answer_after_s)
        try:
            if _is_goodbye(message):
                await self._ask("conversation.end", conversation_id=conversation)
                self._book.count("conversations ended")
            elif self._colleagues and self._rng.random() < self._profile.transfer:
                colleague = self._rng.choice(self._colleagues)
                await self._ask("conversation.transfer", conversation_id=conversation, account_id=colleague)
                self._book.count("transfers")
            else:
                await self.say(conversation, f"{self.name} answers {next(self._turns)}")
        except RequestError as refusal:
            # Given to a colleague, or ended, while we were typing: the colleague answers. Anything else is wrong.
            if refusal.code not in _OVERTAKEN:
                raise
            self._book.count("overtaken")

    async def _ask(self, method: str, **members: Any) -> None:
        """A request that is repeated while its outcome is unknown: the second one is refused if the first was done."""
        while True:
            try:
                await self.client.request(method, **members)
                return
            except RequestError as refusal:
                if not refusal.retryable:
                    raise
                await asyncio.sleep(0.1)


def _is_goodbye(message: Message) -> bool:
    return isinstance(message.body, TextBody) and message.body.text == GOODBYE


_OVERTAKEN = {
    ErrorCode.STALE_ASSIGNMENT,
    ErrorCode.INVALID_STATE,
    ErrorCode.NOT_FOUND,
    ErrorCode.CONFLICT,
}


def account_tickets(door: Door, shop: str, email: str, password: str) -> TicketSource:
    """Tickets of an account that signs in once (loads are shorter than a token's life)."""
    token = ""

    async def ticket() -> str:
        nonlocal token
        token = token or await door.sign_in(shop, email, password)
        return await door.account_ticket(token)

    return ticket


def visitor_tickets(door: Door, shop: str) -> TicketSource:
    """Tickets of one visitor, the same however often they come back."""
    session = ""

    async def ticket() -> str:
        nonlocal session
        body = {"shop": shop, **({"session_token": session} if session else {})}
        given = await door.ask("POST", "/v1/widget/sessions", body)
        session = str(given["session_token"])
        return str(given["ticket"])

    return ticket


async def leave(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel what still runs and wait for the end of it all; raises what one of them raised."""
    everybody = list(tasks)
    for task in everybody:
        task.cancel()
    for task in everybody:
        with suppress(asyncio.CancelledError):
            await task
