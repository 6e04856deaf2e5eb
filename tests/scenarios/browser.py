"""A real browser without a window, driven over its DevTools protocol: as much of it as a screen share needs."""

import asyncio
import itertools
import json
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests often run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
    # Two browsers on one machine meet on loopback, and say so plainly.
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    # Somebody clicks "share this tab".
    "--use-fake-ui-for-media-stream",
)
LISTENS = re.compile(rb"DevTools listening on (ws://\S+)")


class Browser:
    """One browser with one page."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="pm-browser-", ignore_cleanup_errors=True)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *FLAGS,
            f"--user-data-dir={Path(self._folder.name)}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._socket: ClientConnection = await connect(await self._address(), max_size=None, proxy=None)
        self._reading = asyncio.create_task(self._read())
        self._draining = asyncio.create_task(self._drain())
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(Exception):
            await self._tell("Browser.close")
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._socket.close()
        for task in (self._reading, self._draining):
            task.cancel()
        await asyncio.gather(self._reading, self._draining, return_exceptions=True)
        self._folder.cleanup()

    async def opens(self, url: str) -> None:
        """Go to a page, whose own policy about scripts does not bind ours."""
        target = (await self._tell("Target.createTarget", url="about:blank"))["targetId"]
        session = await self._tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        await self._tell("Page.enable", page=True)
        await self._tell("Page.setBypassCSP", page=True, enabled=True)
        await self._tell("Page.bringToFront", page=True)
        await self._tell("Page.navigate", page=True, url=url)
        loaded = f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
        async with asyncio.timeout(30):
            while not await self.runs(loaded):
                await asyncio.sleep(0.02)

    async def runs(self, script: str) -> Any:
        """The value of a script, awaited there, as if somebody had clicked."""
        answer = await self._tell(
            "Runtime.evaluate",
            page=True,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def _tell(self, method: str, *, page: bool = False, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if page:
            message["sessionId"] = self._session
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(30):
            answer = await self._waiting[number]
        assert "error" not in answer, (method, answer)
        return answer["result"]

    async def _address(self) -> str:
        assert self._process.stderr is not None
        said: list[bytes] = []
        async with asyncio.timeout(30):
            async for line in self._process.stderr:
                found = LISTENS.search(line)
                if found:
                    return found.group(1).decode()
                said.append(line)
        raise AssertionError(b"".join(said).decode())

    async def _drain(self) -> None:
        assert self._process.stderr is not None
        while await self._process.stderr.read(4096):
            pass

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            waiting = self._waiting.pop(message.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
