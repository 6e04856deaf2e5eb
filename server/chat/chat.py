"""What a customer's and an agent's terminal have in common: reading lines, running commands, sending texts in order.

Texts go through one outbox: a text is shown as a line of the conversation when the server has it, waits there while the
connection is away, and is given back when it is refused. So nothing typed is ever lost without a word.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from protocol.errors import RequestError
from protocol.ids import ConversationId
from server.chat.language import Language
from server.chat.link import Link, LinkDown, LinkEnded, News
from server.chat.terminal import Terminal

Run = Callable[[str], Awaitable[None]]
UNTIL_S: Final = 120.0
LEAVE_S: Final = 5.0


@dataclass(slots=True)
class Draft:
    """A text on its way. Its id stays the same however often it is sent."""

    text: str
    conversation: ConversationId | None
    client_message_id: str = field(default_factory=lambda: secrets.token_urlsafe(12))


class Part(Protocol):
    """Whom the terminal plays: a customer or an agent."""

    commands: dict[str, Run]
    """name without the slash -> what it does with the rest of the line"""

    def toolbar(self) -> str:
        """The status line: in one glance, how things stand."""
        ...

    async def begin(self) -> None:
        """The connection is there: show what is open."""
        ...

    def draft(self, text: str) -> Draft | None:
        """Where a typed text goes; None when nowhere (and then that was said)."""
        ...

    async def send(self, draft: Draft) -> None:
        """Send it, and show it as a line. Raises `RequestError` or `LinkDown`."""
        ...

    async def hear(self, news: News) -> None:
        """Something came from the server."""
        ...


class UntilFailed(Exception):
    """A script waited for a line that did not come."""


class Chat:
    """One run of the terminal client."""

    def __init__(self, words: Language, terminal: Terminal, link: Link) -> None:
        self.words = words
        self.link = link
        self._terminal = terminal
        self._outbox: deque[Draft] = deque()
        self._posted = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._recent: deque[str] = deque(maxlen=2000)
        self._shown = asyncio.Event()

    def say(self, key: str, /, **facts: object) -> None:
        """Show a sentence of the language."""
        self.show(self.words(key, **facts))

    def show(self, line: str) -> None:
        """Show a line as it is."""
        self._terminal.say(line)
        self._recent.append(line)
        self._shown.set()

    def refuse(self, error: RequestError) -> None:
        """Show why a request was refused."""
        self.say("error.failed", why=error.message)

    async def run(self, part: Part) -> None:
        """Talk until the person leaves. Raises `LinkEnded` when the server ends it, `UntilFailed` for scripts."""
        self._terminal.status = part.toolbar
        await self._terminal.run(self._run(part))

    async def _run(self, part: Part) -> None:
        await part.begin()
        tasks = [
            asyncio.create_task(self._listen(part)),
            asyncio.create_task(self._post(part)),
            asyncio.create_task(self._type(part)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for draft in self._outbox:
                self.say("connection.nothing_lost", text=draft.text)

    async def _listen(self, part: Part) -> None:
        async for news in self.link.news():
            await part.hear(news)

    async def _type(self, part: Part) -> None:
        while True:
            try:
                line = await self._terminal.read()
            except (EOFError, KeyboardInterrupt):
                break
            if line.strip() == "/quit":
                break
            await self._obey(part, line.strip())
        try:
            await asyncio.wait_for(self._empty.wait(), LEAVE_S)
        except TimeoutError:
            return  # what is left is shown on the way out

    async def _obey(self, part: Part, line: str) -> None:
        if not line:
            return
        if not line.startswith("/") or line.startswith("//"):
            draft = part.draft(line.removeprefix("/") if line.startswith("//") else line)
            if draft is None:
                self._terminal.give_back(line)
                return
            self._outbox.append(draft)
            self._empty.clear()
            self._posted.set()
            if not self.link.up:
                self.say("connection.kept", text=draft.text)
            return
        name, _, rest = line[1:].partition(" ")
        # A command speaks of what was typed before it.
        if self.link.up:
            await self._empty.wait()
        try:
            if name == "help":
                self._help(part)
            elif name == "until":
                await self._until(rest.strip())
            elif name in part.commands:
                await part.commands[name](rest.strip())
            else:
                self.say("help.unknown", command=f"/{name}")
        except RequestError as error:
            self.refuse(error)
        except LinkDown as down:
            self.say("error.failed", why=str(down))

    def _help(self, part: Part) -> None:
        self.say("help.head")
        for name in (*part.commands, "help", "quit", "until"):
            self.show(f"  {self.words(f'help.{name}')}")

    async def _until(self, text: str) -> None:
        try:
            async with asyncio.timeout(UNTIL_S):
                while True:
                    while self._recent:
                        if text in self._recent.popleft():
                            return
                    self._shown.clear()
                    await self._shown.wait()
        except TimeoutError:
            raise UntilFailed(text) from None

    async def _post(self, part: Part) -> None:
        while True:
            await self._posted.wait()
            while self._outbox:
                draft = self._outbox[0]
                try:
                    await part.send(draft)
                except RequestError as error:
                    if error.retryable:
                        await asyncio.sleep((error.retry_after_ms or 1000) / 1000)
                        continue
                    self.say("connection.refused", why=error.message, text=draft.text)
                    self._terminal.give_back(draft.text)
                except LinkDown:
                    await self.link.wait_up()
                    continue
                self._outbox.popleft()
            self._posted.clear()
            self._empty.set()


__all__ = ["Chat", "Draft", "LinkDown", "LinkEnded", "Part", "Run", "UntilFailed"]
