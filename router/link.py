"""How the program speaks to Redis, whatever stands behind the URL: one server, or a cluster of them."""

from collections.abc import Awaitable, Mapping
from typing import ClassVar, Protocol

from router.redis_cluster import ClusterLink, is_cluster
from router.redis_link import Argument, RedisLink, Reply, ServerId


class Link(Protocol):
    """Calls and scripts, as `RedisLink` promises them. All keys of one script are in one slot of a cluster."""

    @property
    def under_way(self) -> int:
        """Calls sent and not answered, those whose caller gave up included."""
        ...

    spreads: ClassVar[bool]
    """Whether keys are spread over servers: then a script reaches the keys of one hash tag, and no others."""

    async def open(self) -> None:
        """Connect once and keep connected. Raises OSError, LinkError or ReplyError when the first connect fails."""
        ...

    async def close(self) -> None:
        """Let the calls under way end (within the time-out), then close."""
        ...

    def call(self, *args: Argument) -> Awaitable[Reply]:
        """One command; its key, if it has one, is its first argument. Raises LinkError or ReplyError."""
        ...

    def script(self, name: str, keys: tuple[Argument, ...], args: tuple[Argument, ...]) -> Awaitable[Reply]:
        """Run a script by name, where its first key lives. Raises as `call` does."""
        ...

    def server_of(self, key: str) -> ServerId:
        """The server on which a key lives, as it was when last connected."""
        ...


def link_to(
    url: str, *, scripts: Mapping[str, str] | None = None, time_out_s: float = 1.0, name: str = "pointsman"
) -> Link:
    """The link for a URL: `redis://`, `rediss://`, `unix://` for one server, `redis-cluster://`, `rediss-cluster://`
    for a cluster. Raises ValueError for what is none of them."""
    kind = ClusterLink if is_cluster(url) else RedisLink
    return kind(url, scripts=scripts, time_out_s=time_out_s, name=name)
