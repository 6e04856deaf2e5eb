"""One multiplexed connection to Redis for a whole process.

Concurrent calls are packed into one write and answered in order, which makes a call several times cheaper than one
through a pool. It knows nothing of shops or routing. It promises: a call ends within the time-out, with a reply or a
`LinkError` that says whether the command may have run; nothing that may have run is ever repeated here; a caller that
gave up never shifts the replies of the others.
"""

import asyncio
import random
import socket
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from hashlib import sha1
from typing import Any, ClassVar, NamedTuple, cast, final

import hiredis
from hiredis import HiredisError, Reader, ReplyError

from router.redis_address import Address

Reply = Any
"""bytes, int, list or None, as RESP2 has them; never an error."""
Argument = str | bytes | int | float

pack = cast("Callable[[tuple[Argument, ...]], bytes]", hiredis.pack_command)  # its stub knows 1-tuples only
_NOTHING = object()
WRITE_AT = 16
"""Commands after which a batch leaves before the turn of the loop ends, so that Redis and this process work at the same
time instead of in turns."""
OPEN_S = 3.0
"""How long the first connection may take. More than a call: a node does not end its start because a server, or itself,
was busy for a moment, and a SYN that gets lost is sent again after a second only (RFC 6298, section 2)."""
_REFUSED_UNTOUCHED = (
    "LOADING",
    "BUSY",
    "READONLY",
    "OOM",
    "MISCONF",
    "MASTERDOWN",
    "NOREPLICAS",
)
"""Error replies by which Redis says that it did not start the command and that it may do so later."""


class ServerId(NamedTuple):
    """A Redis server: its URL, and the name of its present life, another one after each restart."""

    url: str
    run_id: str


class LinkFault(StrEnum):
    """What became of a call without a reply."""

    UNAVAILABLE = "unavailable"
    """it was not run"""
    TIMEOUT = "timeout"
    """it was sent and not answered in time: it may have run, or may still"""
    LOST = "lost"
    """it was sent and the connection ended: it may have run"""


class LinkError(Exception):
    """A call that has no reply. `fault` says which, `outcome_unknown` whether it may have changed something."""

    def __init__(self, fault: LinkFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault

    @property
    def outcome_unknown(self) -> bool:
        """True: repeat it only with the same `op_id`. False: it did not run."""
        return self.fault is not LinkFault.UNAVAILABLE


class Script:
    """A Lua script by the name that metrics and errors use."""

    __slots__ = ("name", "sha", "source")

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.sha = sha1(source.encode(), usedforsecurity=False).hexdigest().encode()


Again = tuple[Script, bytes]
"""A script call, to be sent once more when Redis has forgotten the script (it was not run then)."""
Pending = tuple["asyncio.Future[Reply]", float, Again | None]
"""A call under way, with the loop time at which its caller gives up."""


@final
class _Wire(asyncio.Protocol):
    """The bytes of one connection: pairs replies with calls, in order."""

    def __init__(self, time_out_s: float, stall_s: float, on_lost: "Callable[[_Wire], None]") -> None:
        self.loop = asyncio.get_running_loop()
        self.on_lost = on_lost
        self.time_out_s = time_out_s
        self.stall_s = stall_s
        self.pending: deque[Pending] = deque()
        self.out: list[bytes] = []
        self.transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()
        self.stalled = False
        self.timer: asyncio.TimerHandle | None = None
        self.reader = Reader(notEnoughData=_NOTHING)
        self.timeouts = 0
        self.reloads = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(0)  # uvloop: send when told to, not at the end of the turn

    def send(self, packed: bytes, again: Again | None = None) -> "asyncio.Future[Reply]":
        """Queue a packed command; all of one turn of the loop leave in one write, or a few."""
        future: asyncio.Future[Reply] = self.loop.create_future()
        self.take_over(packed, future, again)
        return future

    def take_over(self, packed: bytes, future: "asyncio.Future[Reply]", again: Again | None) -> None:
        """`send` for a call whose caller waits already."""
        self.pending.append((future, self.loop.time() + self.time_out_s, again))
        if not self.out:
            self.loop.call_soon(self.flush)
            if self.timer is None:
                self.timer = self.loop.call_later(self.time_out_s, self.expire)
        self.out.append(packed)
        if len(self.out) >= WRITE_AT:
            self.flush()

    def flush(self) -> None:
        out, self.out = self.out, []
        if self.transport is not None and out:
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    def data_received(self, data: bytes) -> None:
        gets, popleft = self.reader.gets, self.pending.popleft
        try:
            self.reader.feed(data)
            while (reply := gets()) is not _NOTHING:
                future, _, again = popleft()
                if future.done():
                    continue  # its caller gave up: the reply is dropped, the order kept
                if isinstance(reply, ReplyError):
                    self._refused(reply, future, again)
                else:
                    future.set_result(reply)
        except (HiredisError, IndexError):
            # Not Redis, or more replies than calls: nothing on this connection can be trusted any more.
            self.abort()
        if self.stalled:
            self.stalled = False
            if self.timer is not None:
                self.timer.cancel()
            self.expire()

    def _refused(self, reply: ReplyError, future: "asyncio.Future[Reply]", again: Again | None) -> None:
        if again is None or not str(reply).startswith("NOSCRIPT"):
            future.set_exception(_error(reply))
            return
        script, packed = again
        self.reloads += 1
        self.send(pack(("SCRIPT", "LOAD", script.source))).add_done_callback(_look_at)
        self.take_over(packed, future, None)

    def expire(self) -> None:
        """Fail what is overdue. Calls are in order of their deadlines, so one timer serves all."""
        now = self.loop.time()
        self.timer = None
        for future, deadline, _ in self.pending:
            if deadline > now:
                self.timer = self.loop.call_at(deadline, self.expire)
                break
            self.stalled = True
            if not future.done():
                self.timeouts += 1
                future.set_exception(LinkError(LinkFault.TIMEOUT, f"no reply within {self.time_out_s} s"))
        if self.stalled and self.pending:
            gone = self.pending[0][1] - self.time_out_s + self.stall_s
            if now >= gone:
                self.abort()
            elif self.timer is None:
                self.timer = self.loop.call_at(gone, self.expire)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.transport = None
        pending, self.pending = self.pending, deque()
        for future, _, _ in pending:
            if not future.done():
                future.set_exception(
                    LinkError(LinkFault.LOST, "the connection to Redis ended before the reply")
                )
        self.lost.set()
        self.on_lost(self)


def _look_at(loading: "asyncio.Future[Reply]") -> None:
    loading.exception()  # if loading failed, the call that waits for the script says so


def _error(reply: ReplyError) -> Exception:
    if str(reply).startswith(_REFUSED_UNTOUCHED):
        return LinkError(LinkFault.UNAVAILABLE, f"Redis refuses for now: {reply}")
    return reply


class RedisLink:
    """The connection, kept up.

    While it is down, calls wait for the first attempt to reconnect (a blip is not seen by callers); once an attempt has
    failed they fail at once until it is up again. A server that stops answering makes later calls fail at once too,
    until it answers or, after `stall_s`, the connection is given up and made anew.

    Blocking commands, MULTI, SUBSCRIBE and SELECT must not go through it: it is shared.
    """

    spreads: ClassVar[bool] = False
    """All keys are on one server."""

    def __init__(
        self,
        url: str,
        *,
        scripts: Mapping[str, str] | None = None,
        time_out_s: float = 1.0,
        stall_s: float = 5.0,
        most_under_way: int = 4096,
        backoff_s: tuple[float, float] = (0.05, 2.0),
        name: str = "pointsman",
        member: bool = False,
    ) -> None:
        """`scripts`: name -> Lua source, loaded on every connect. `backoff_s`: shortest and longest pause between
        attempts to connect, doubled each time and jittered by half. `member`: one of a cluster; otherwise a server that
        has a part of the keys only is refused."""
        self._address = Address.parse(url)
        self._url = url
        self._member = member
        self._run_id = ""
        self._scripts = {key: Script(key, source) for key, source in (scripts or {}).items()}
        self._time_out_s = time_out_s
        self._stall_s = stall_s
        self._most = most_under_way
        self._backoff_s = backoff_s
        self._name = name
        self._wire: _Wire | None = None
        self._parked: list[tuple[bytes, Again | None, asyncio.Future[Reply]]] | None = None
        """calls that wait for a reconnect; None: they are refused"""
        self._closing = False
        self._keeper: asyncio.Task[None] | None = None
        self._timeouts = 0
        self._reloads = 0
        self.counts: Counter[str] = Counter()
        """`calls`, `unavailable`, `lost`, `connects` since start, for metrics."""

    @property
    def under_way(self) -> int:
        """Calls sent and not answered, those whose caller gave up included."""
        return len(self._wire.pending) if self._wire is not None else len(self._parked or ())

    @property
    def timeouts(self) -> int:
        """Calls that timed out, since start."""
        return self._timeouts + (self._wire.timeouts if self._wire is not None else 0)

    @property
    def reloads(self) -> int:
        """Calls for which a forgotten script was loaded again, since start."""
        return self._reloads + (self._wire.reloads if self._wire is not None else 0)

    @property
    def connected(self) -> bool:
        """Whether calls are being sent now."""
        return self._wire is not None and not self._wire.stalled

    def server_of(self, key: str) -> ServerId:
        """Where every key lives."""
        return ServerId(self._url, self._run_id)

    async def open(self, patience_s: float = OPEN_S) -> None:
        """Connect and keep connected. A server that does not answer in time is asked again for `patience_s`.

        Raises OSError, LinkError or ReplyError when nobody is there, it refuses, or it is silent for longer.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        while True:
            try:
                wire = await self._connect()
                break
            except LinkError as error:
                if error.fault is not LinkFault.TIMEOUT or loop.time() >= until:
                    raise
        self._keeper = asyncio.create_task(self._keep(wire), name="redis-link")

    async def close(self) -> None:
        """Let the calls under way end (within the time-out), then close. Later calls fail as unavailable."""
        self._closing = True
        wire = self._wire
        if wire is not None and wire.pending:
            last, _, _ = wire.pending[-1]
            await asyncio.wait([last], timeout=self._time_out_s)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        self._down("the link is closed")
        if wire is not None:
            wire.abort()
            await wire.lost.wait()

    def call(self, *args: Argument) -> Awaitable[Reply]:
        """One command. Raises LinkError, or hiredis.ReplyError for a command that Redis refuses for good."""
        return self._send(pack(args))

    def script(self, name: str, keys: tuple[Argument, ...], args: tuple[Argument, ...]) -> Awaitable[Reply]:
        """Run a script by name, in one round trip. Raises as `call` does.

        When Redis has forgotten the script, it was not run: it is loaded and then run, once (with the time-out anew).
        """
        script = self._scripts[name]
        packed = pack((b"EVALSHA", script.sha, len(keys), *keys, *args))
        return self._send(packed, (script, packed))

    def _send(self, packed: bytes, again: Again | None = None) -> "asyncio.Future[Reply]":
        wire = self._wire
        self.counts["calls"] += 1
        if wire is not None:
            if not wire.stalled and len(wire.pending) < self._most and not self._closing:
                return wire.send(packed, again)
            return self._refuse("Redis does not answer" if wire.stalled else "too many calls under way")
        if self._parked is None or len(self._parked) >= self._most or self._closing:
            return self._refuse("not connected to Redis")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._parked.append((packed, again, future))
        return future

    def _refuse(self, why: str) -> "asyncio.Future[Reply]":
        self.counts["unavailable"] += 1
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        future.set_exception(LinkError(LinkFault.UNAVAILABLE, why))
        return future

    def _down(self, why: str) -> None:
        """No hope for now: parked calls fail, and later ones at once."""
        parked, self._parked = self._parked, None
        for _, _, future in parked or ():
            if not future.done():
                self.counts["unavailable"] += 1
                future.set_exception(LinkError(LinkFault.UNAVAILABLE, why))

    async def _keep(self, wire: _Wire) -> None:
        """Reconnect whenever the connection ends, until cancelled."""
        shortest, longest = self._backoff_s
        while True:
            await wire.lost.wait()
            pause = shortest
            while wire.lost.is_set():
                try:
                    wire = await self._connect()
                except (OSError, LinkError, ReplyError) as error:
                    self._down(f"not connected to Redis: {error}")
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                    pause = min(pause * 2, longest)

    def _lost(self, wire: _Wire) -> None:
        """In the moment in which it happens, so that no call goes to a dead connection."""
        if wire is self._wire:
            self._timeouts += wire.timeouts
            self._reloads += wire.reloads
            self._wire, self._parked = None, None if self._closing else []
            self.counts["lost"] += 1

    async def _connect(self) -> _Wire:
        """One attempt: connect, introduce, load scripts, send what was parked."""
        wire = _Wire(self._time_out_s, self._stall_s, self._lost)
        try:
            async with asyncio.timeout(self._time_out_s):
                await self._address.connect(wire)
                _keep_alive(wire)
                await self._introduce(wire)
            if wire.lost.is_set():
                raise LinkError(LinkFault.LOST, "the connection to Redis ended at once")
        except TimeoutError as error:
            wire.abort()
            raise LinkError(LinkFault.TIMEOUT, f"no connection within {self._time_out_s} s") from error
        except BaseException:
            wire.abort()
            raise
        parked, self._parked = self._parked, None
        self._wire = wire
        self.counts["connects"] += 1
        for packed, again, future in parked or ():
            if not future.done():
                wire.take_over(packed, future, again)
        return wire

    async def _introduce(self, wire: _Wire) -> None:
        commands: list[tuple[Argument, ...]] = list(self._address.greeting())
        commands.append(("CLIENT", "SETNAME", self._name))
        commands += [("SCRIPT", "LOAD", script.source) for script in self._scripts.values()]
        commands.append(("INFO", "server"))
        replies = [wire.send(pack(command)) for command in commands]
        *_, about = await asyncio.gather(*replies)
        facts = dict(line.split(b":", 1) for line in cast("bytes", about).splitlines() if b":" in line)
        mode = facts.get(b"redis_mode") or facts.get(b"server_mode")  # Redis's word, Valkey's since 9
        if mode == b"cluster" and not self._member:
            raise LinkError(
                LinkFault.UNAVAILABLE, "this is one member of a cluster; its URL is redis-cluster://..."
            )
        self._run_id = facts.get(b"run_id", b"").decode()


def _keep_alive(wire: _Wire) -> None:
    """Notice a peer that vanished while nothing was being asked (15 s, then 3 probes of 5 s)."""
    sock = wire.transport.get_extra_info("socket") if wire.transport is not None else None
    if sock is None or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
