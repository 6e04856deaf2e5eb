"""Where the client's lines go and a person's lines come from: a terminal with a prompt, or a pipe with a script.

Both promise that a line shown never mixes with a line being typed, and that reading does not block the event loop.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.patch_stdout import patch_stdout


class Terminal(Protocol):
    """One person's screen and keyboard."""

    status: Callable[[], str]
    """what the status line says now; set by whoever the terminal plays"""

    def say(self, line: str) -> None:
        """Show one line."""
        ...

    def give_back(self, text: str) -> None:
        """Put text that could not be sent back under the cursor (a pipe: nothing to do, it was said)."""
        ...

    async def read(self) -> str:
        """The next line, without its end. Raises `EOFError` at the end of input."""
        ...

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the client with this terminal set up, and put everything back afterwards."""
        ...


class Prompt:
    """A terminal with line editing, history and a status line; lines appear above the prompt."""

    def __init__(self) -> None:
        self.status: Callable[[], str] = str
        self._session: PromptSession[str] = PromptSession(
            message="> ",
            bottom_toolbar=lambda: FormattedText([("", self.status())]),
            # What was typed is shown when the server has accepted it, as a line of the conversation.
            erase_when_done=True,
            refresh_interval=1.0,
        )
        self._returned = ""

    def say(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")

    def give_back(self, text: str) -> None:
        if self._session.app.is_running:
            self._session.default_buffer.insert_text(text)
        else:
            self._returned += text

    async def read(self) -> str:
        text, self._returned = self._returned, ""
        return await self._session.prompt_async(default=text)

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        with patch_stdout(raw=True):
            await work


class Pipe:
    """Lines of a script on standard input, lines of text on standard output, each flushed at once."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self.status: Callable[[], str] = str
        self._source = source
        self._target = target
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def say(self, line: str) -> None:
        self._target.write(f"{line}\n")
        self._target.flush()

    def give_back(self, text: str) -> None:
        return

    async def read(self) -> str:
        line = await self._lines.get()
        if line is None:
            raise EOFError
        return line

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.get_running_loop()
        # Files cannot be polled and a pipe can be anything: a thread of its own reads, and dies with the process.
        threading.Thread(target=self._pump, args=(loop,), daemon=True).start()
        await work

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for line in self._source:
                loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\r\n"))
            loop.call_soon_threadsafe(self._lines.put_nowait, None)
        except RuntimeError:
            return  # the loop is closed: the client has ended, nobody reads any more


def terminal() -> Terminal:
    """A prompt when a person sits there, a pipe otherwise."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Prompt()
    return Pipe(sys.stdin, sys.stdout)
