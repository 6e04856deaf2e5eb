"""A Redis Cluster as one link: every call goes to the master that has its key's slot.

One multiplexed connection per master (`RedisLink`). It promises what that promises; what a master refuses because a
slot has moved was not run and is sent to the right one. While a slot is just being moved, or has no master, calls for
its keys fail as unavailable: a script whose keys are in two places at once must not run.

`redis-cluster://[user[:password]@]host:port[,host:port...]`: any members, the others are found; `rediss-cluster://`
with TLS (`?ssl_ca_certs=file` for an own authority).
"""

import asyncio
from binascii import crc_hqx
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final, final
from urllib.parse import urlsplit

from hiredis import ReplyError

from router.redis_link import Argument, LinkError, LinkFault, RedisLink, Reply, ServerId

SLOTS: Final = 16384
REDIRECTS: Final = 5
"""How often a call is sent on before the cluster counts as unsettled."""
LOOK_S: Final = 1.0
"""Pause between looks at who has which slots, while something is amiss."""
REST_S: Final = 30.0
"""The same, while all is well."""
_NOT_NOW: Final = ("ASK ", "TRYAGAIN", "CLUSTERDOWN")
"""The slot is being moved, or nobody has it; the command was not run."""
_SCHEMES: Final = {"redis-cluster": "redis", "rediss-cluster": "rediss"}


def is_cluster(url: str) -> bool:
    """Whether a URL names a cluster."""
    return urlsplit(url).scheme in _SCHEMES


def slot_of(key: Argument) -> int:
    """The slot of a key: by what stands in its first braces, else by all of it."""
    name = key if isinstance(key, bytes) else str(key).encode()
    begin = name.find(b"{") + 1
    end = name.find(b"}", begin) if begin else -1
    return crc_hqx(name[begin:end] if end > begin else name, 0) % SLOTS


def seeds(url: str) -> list[str]:
    """URLs of the members that a cluster URL names. Raises ValueError, without repeating the password."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError("a cluster's URL starts with redis-cluster:// or rediss-cluster://")
    signs, at, hosts = parts.netloc.rpartition("@")
    if not hosts or parts.path.strip("/"):
        raise ValueError("a cluster's URL is redis-cluster://host:port,host:port and has no database")
    query = f"?{parts.query}" if parts.query else ""
    return [f"{_SCHEMES[parts.scheme]}://{signs}{at}{host}{query}" for host in hosts.split(",")]


@final
class ClusterLink:
    """The connections to all masters, kept up; masters that come and go are followed."""

    spreads: ClassVar[bool] = True

    def __init__(
        self,
        url: str,
        *,
        scripts: Mapping[str, str] | None = None,
        time_out_s: float = 1.0,
        name: str = "pointsman",
        look_s: float = LOOK_S,
    ) -> None:
        """As `RedisLink`. `look_s`: pause between looks at the cluster while something is amiss."""
        self._seeds = seeds(url)
        self._scripts = scripts
        self._time_out_s = time_out_s
        self._name = name
        self._look_s = look_s
        self._masters: dict[str, RedisLink] = {}
        """by URL"""
        self._by_slot: list[RedisLink | None] = [None] * SLOTS
        self._looking = asyncio.Lock()
        self._looks = 0
        self._amiss = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """Calls sent and not answered, those whose caller gave up included."""
        return sum(link.under_way for link in self._masters.values())

    @property
    def masters(self) -> tuple[str, ...]:
        """URLs of the masters that are connected."""
        return tuple(sorted(self._masters))

    async def open(self) -> None:
        """Connect to every master. Raises OSError, LinkError or ReplyError when no member answers."""
        failed: Exception | None = None
        for seed in self._seeds:
            link = self._link(seed)
            try:
                await link.open()
                await self._take_up(seed, await link.call("CLUSTER", "SLOTS"))
            except (OSError, LinkError, ReplyError) as error:
                failed = error
            else:
                self._keeper = asyncio.create_task(self._keep(), name="redis-cluster")
                return
            finally:
                with suppress(LinkError):
                    await link.close()
        raise failed or LinkError(LinkFault.UNAVAILABLE, "the URL names no member of the cluster")

    async def close(self) -> None:
        """Let the calls under way end (within the time-out), then close."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await asyncio.gather(*self._leaving, *(link.close() for link in self._masters.values()))

    def server_of(self, key: str) -> ServerId:
        """The master that has a key, as it was when last connected."""
        found = self._by_slot[slot_of(key)]
        return ServerId(self._seeds[0], "") if found is None else found.server_of(key)

    def call(self, *args: Argument) -> Awaitable[Reply]:
        """One command, by the slot of its first argument; one without a key goes to the master of slot 0."""
        slot = slot_of(args[1]) if len(args) > 1 else 0
        return self._routed(slot, lambda link: link.call(*args))

    def script(self, name: str, keys: tuple[Argument, ...], args: tuple[Argument, ...]) -> Awaitable[Reply]:
        """Run a script where its first key lives."""
        return self._routed(slot_of(keys[0]), lambda link: link.script(name, keys, args))

    async def _routed(self, slot: int, send: Callable[[RedisLink], Awaitable[Reply]]) -> Reply:
        for _ in range(REDIRECTS):
            link, looks = self._by_slot[slot], self._looks
            if link is None:
                self._amiss.set()
                raise LinkError(LinkFault.UNAVAILABLE, "no master has these keys")
            try:
                return await send(link)
            except LinkError:
                self._amiss.set()  # its slots may have another master by now
                raise
            except ReplyError as error:
                said = str(error)
                if said.startswith(_NOT_NOW):
                    self._amiss.set()
                    raise LinkError(LinkFault.UNAVAILABLE, f"the cluster refuses for now: {said}") from None
                if not said.startswith("MOVED "):
                    raise
            if looks == self._looks:
                await self._look([link])
        raise LinkError(LinkFault.UNAVAILABLE, "the cluster has not agreed where these keys are")

    async def _keep(self) -> None:
        """Look at the cluster now and then, and soon after something was amiss."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._amiss.wait(), REST_S)
            self._amiss.clear()
            await self._look(list(self._masters.values()))
            await asyncio.sleep(self._look_s)

    async def _look(self, asked: list[RedisLink]) -> None:
        """Ask until one tells who has which slots. Nobody does: it stays as it was, and is looked at again."""
        async with self._looking:
            for link in asked:
                with suppress(LinkError, ReplyError):
                    await self._take_up(link.server_of("").url, await link.call("CLUSTER", "SLOTS"))
                    return
        self._amiss.set()

    async def _take_up(self, teller: str, slots: list[Any]) -> None:
        """Follow what one member says: connect to new masters, part from those that are none any more."""
        ranges = [(first, last, _url(teller, master)) for first, last, master, *_ in slots]
        wanted = {url for _, _, url in ranges}
        for url in wanted - self._masters.keys():
            link = self._link(url)
            try:
                await link.open(patience_s=0)  # the other masters must not wait for it; it is looked at again
            except (OSError, LinkError, ReplyError):
                self._amiss.set()
                await link.close()
            else:
                self._masters[url] = link
        by_slot: list[RedisLink | None] = [None] * SLOTS
        for first, last, url in ranges:
            by_slot[first : last + 1] = [self._masters.get(url)] * (last + 1 - first)
        self._by_slot = by_slot
        self._looks += 1
        for url in self._masters.keys() - wanted:
            parting = asyncio.create_task(self._masters.pop(url).close())
            self._leaving.add(parting)
            parting.add_done_callback(self._leaving.discard)

    def _link(self, url: str) -> RedisLink:
        return RedisLink(
            url, scripts=self._scripts, time_out_s=self._time_out_s, name=self._name, member=True
        )


def _url(teller: str, master: list[Any]) -> str:
    """The URL of a master that another member named; one that gives no host is where the teller is."""
    parts = urlsplit(teller)
    signs, at, _ = parts.netloc.rpartition("@")
    host = master[0].decode() if master[0] else parts.hostname or "127.0.0.1"
    return parts._replace(netloc=f"{signs}{at}{f'[{host}]' if ':' in host else host}:{master[1]}").geturl()
