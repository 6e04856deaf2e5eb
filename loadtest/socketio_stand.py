"""The peer: two Node processes with socket.io and the Redis Streams adapter (`peers/socketio`)."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from loadtest.children import Child
from loadtest.crowd import Crowd
from loadtest.line import Line, LineBroken
from loadtest.speech import SocketIoSpeech

PEER = Path(__file__).parent / "peers" / "socketio"
ANSWER_S = 10.0


class NoPeer(Exception):
    """The peer cannot run here; the words say what is missing."""


async def install() -> str:
    """Make the peer ready to run (`npm ci` when it is not); the path of node. Raises NoPeer."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoPeer("node and npm are not installed here (Debian: apt-get install nodejs npm)")
    lock, stamp = PEER / "package-lock.json", PEER / "node_modules" / ".installed-lock"
    wanted = await asyncio.to_thread(lock.read_bytes)
    if stamp.exists() and await asyncio.to_thread(stamp.read_bytes) == wanted:
        return node
    process = await asyncio.create_subprocess_exec(
        *(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        cwd=PEER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise NoPeer(f"npm ci in {PEER} failed:\n{output.decode(errors='replace').strip()}")
    await asyncio.to_thread(stamp.write_bytes, wanted)
    return node


class SocketIoStand:
    """Two nodes, customers on the first, agents on the second. Made by `start`."""

    name = "socket.io"

    def __init__(self, nodes: list[Child], redis_pid: int) -> None:
        self._nodes = nodes
        self.crowd = Crowd(SocketIoSpeech())
        self.pids = {"node A": nodes[0].pid, "node B": nodes[1].pid, "redis": redis_pid}

    @classmethod
    async def start(
        cls, node: str, folder: Path, *, redis_url: str, redis_pid: int, customers: int, agents: int
    ) -> "SocketIoStand":
        """Start both nodes on this Redis and connect the crowd. Raises ChildFailed, LineBroken."""
        command = (node, str(PEER / "server.js"), redis_url)
        nodes = [await Child.start(f"socketio-{letter}", command, folder, {}) for letter in "ab"]
        stand = cls(nodes, redis_pid)
        try:
            first, second = [int((await each.first_word())["port"]) for each in nodes]
            await stand._connect(first, second, customers, agents)
        except BaseException:
            await stand.stop()
            raise
        return stand

    async def stop(self) -> None:
        """As `Stand.stop`."""
        await self.crowd.leave()
        for node in self._nodes:
            await node.stop()

    async def _connect(self, first: int, second: int, customers: int, agents: int) -> None:
        rooms = [f"room-{number:031d}" for number in range(customers)]  # as long as our conversation ids
        writing = [(await join(first, [room]), room) for room in rooms]
        reading = [await join(second, rooms[number::agents]) for number in range(agents)]
        self.crowd.attach(writing, reading)


async def join(port: int, rooms: list[str]) -> Line:
    """A connected member of these rooms."""
    speech = SocketIoSpeech()
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    line = await Line.open("127.0.0.1", port, "/socket.io/?EIO=4&transport=websocket", heard.put_nowait)
    try:
        async with asyncio.timeout(ANSWER_S):
            _expect(await heard.get(), b"0{")
            line.say(speech.open)
            _expect(await heard.get(), b"40{")
            line.say(speech.join(0, rooms))
            answer: Any = json.loads(_expect(await heard.get(), b"430")[3:])
    except TimeoutError:
        raise LineBroken("the peer did not answer") from None
    if answer != [len(rooms)]:
        raise LineBroken(f"the peer joined {answer} rooms instead of {len(rooms)}")
    return line


def _expect(text: bytes, start: bytes) -> bytes:
    if not text.startswith(start):
        raise LineBroken(f"the peer said {text[:200]!r} instead of {start!r}...")
    return text
