"""What all people of a load have in common: a client, dice, a pen for the journal."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from loadtest.front_desk import ORIGIN, plain_http
from loadtest.journal import Journal, Pen
from loadtest.people.book import Book
from loadtest.people.pace import Pace
from loadtest.people.profile import Profile, Span
from protocol.client import Client, Patience, TicketSource
from protocol.codes import ErrorCode
from protocol.errors import ConnectionClosed, RequestError
from protocol.ids import new_id
from protocol.methods.messages import SendResult
from protocol.shapes import Shape

PATIENCE = Patience(first_s=0.25, longest_s=4.0, soon_s=1.0, reply_s=10.0)
"""A run lasts minutes, not days: come back a little quicker than a browser."""
ASK_AGAIN_S = 0.25
PAGE_S = 10.0


@dataclass(frozen=True, slots=True)
class World:
    """What people live in. `port`: where their sockets go."""

    port: int
    slug: str
    profile: Profile
    book: Book
    journal: Journal
    pace: Pace = field(default_factory=Pace)
    slow: bool = False
    """their network is"""


class Gone(Exception):
    """The client has stopped for good; the words say why. Nothing of the kind is expected in a run."""


class Person:
    """One person with one session. `name` is for people who read reports; `id` is who they are to the server."""

    def __init__(
        self,
        name: str,
        world: World,
        tickets: TicketSource,
        rng: random.Random,
        *,
        device: Any = "web",
        patience: Patience = PATIENCE,
    ) -> None:
        self.name = name
        self.world = world
        self.tickets = tickets
        self.rng = rng
        self.pen: Pen = world.journal.pen()
        self.client = Client(
            f"ws://127.0.0.1:{world.port}/ws",
            tickets,
            name="loadtest",
            device=device,
            origin=ORIGIN,
            on_event=self.pen.heard,
            patience=patience,
            rng=rng,
        )
        self.pen.of(self.client)

    @property
    def id(self) -> str:
        """Empty before the first hello."""
        session = self.client.session
        return "" if session is None else str(session.me.person.id)

    @property
    def shop(self) -> str:
        """The id of the shop that they came to; empty before the first hello."""
        session = self.client.session
        return "" if session is None else session.me.shop_id

    async def live(self) -> None:
        """Do what such a person does, until cancelled."""
        raise NotImplementedError

    async def say(self, conversation: str, text: str) -> SendResult:
        """Send one message, however often it takes. RequestError when it is refused for good."""
        name = new_id()
        self.pen.sent(conversation, name, text)
        return await self._journaled(
            conversation, name, self.client.send(conversation, text, client_message_id=name)
        )

    async def note(self, conversation: str, text: str, *, whisper: bool = False) -> SendResult:
        """The same, to colleagues only."""
        name = new_id()
        self.pen.sent(conversation, name, text, internal=True)
        note = self.client.note(conversation, text, client_message_id=name, whisper=whisper)
        return await self._journaled(conversation, name, note)

    async def ask(self, method: str, **members: Any) -> Shape:
        """A request, repeated while its outcome is unknown; the second is refused if the first was done, or gives the
        same. RequestError: refused for good."""
        while True:
            try:
                return await self.client.request(method, **members)
            except RequestError as refusal:
                if not refusal.retryable:
                    raise
                wait_s = (refusal.retry_after_ms or 0) / 1000
                await asyncio.sleep(max(wait_s, ASK_AGAIN_S) * self.rng.uniform(0.7, 1.3))

    async def pause(self, span: Span) -> None:
        """Wait for some time of this span."""
        await asyncio.sleep(self.rng.uniform(*span) * self.world.pace.factor)

    def chance(self, share: float) -> bool:
        """Whether something of this probability happens."""
        return share > 0 and self.rng.random() < share

    def double(self) -> Client:
        """A second client of the same person, which knows nothing yet and writes nothing down."""
        return Client(
            f"ws://127.0.0.1:{self.world.port}/ws",
            self.tickets,
            name="loadtest",
            origin=ORIGIN,
            whole_logs=False,
            patience=PATIENCE,
            rng=random.Random(0),
        )

    async def leave(self) -> None:
        """Go, with a goodbye."""
        await self.client.close()

    async def _journaled(self, conversation: str, name: str, sending: Any) -> SendResult:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            result: SendResult = await sending
        except RequestError as refusal:
            self.pen.refused(conversation, name, refusal)
            self.world.book.count(f"refused: {refusal.reason}")
            raise
        self.pen.acked(conversation, name, result)
        series = self.world.book.slow_sends if self.world.slow else self.world.book.sends
        series.add(loop.time() - began)
        self.world.book.count("messages")
        if self.chance(self.world.profile.drop):
            self.world.book.count("connections broken")
            self.client.drop()
        return result


OVERTAKEN = frozenset(
    {
        ErrorCode.STALE_ASSIGNMENT,
        ErrorCode.INVALID_STATE,
        ErrorCode.NOT_FOUND,
        ErrorCode.CONFLICT,
        ErrorCode.FORBIDDEN,
    }
)
"""Refusals that only say that somebody else was quicker: given to a colleague, ended, taken back."""


@asynccontextmanager
async def overtaken(person: Person) -> AsyncGenerator[None]:
    """What is in it may come too late, which is counted and forgotten. Any other refusal is raised; Gone: no client."""
    try:
        yield
    except RequestError as refusal:
        if refusal.code not in OVERTAKEN:
            raise
        person.world.book.count(f"overtaken: {refusal.reason}")
    except ConnectionClosed as closed:
        raise Gone(f"{person.name}: {closed}") from closed


def page_door(port: int, source: str) -> httpx.AsyncClient:
    """The HTTP side for people from one address; tickets are fetched through it."""
    return plain_http(port, source, timeout_s=PAGE_S)


def failed(task: "asyncio.Task[None]") -> BaseException | None:
    """What ended a life that should have gone on; None while it goes on, or when it was told to end."""
    if not task.done() or task.cancelled():
        return None
    return task.exception()
