"""Where a Redis is, and how to say hello to it: the parsed form of its URL.

`redis://[user[:password]@]host[:port][/db]`, `rediss://...` (TLS; `?ssl_ca_certs=file` for an own authority) and
`unix://[user[:password]@]/path/to/socket[?db=n]`.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """One Redis server and database. `path` is set for Unix sockets, `host` and `port` otherwise."""

    host: str
    port: int
    path: str
    tls: bool
    ca_file: str | None
    user: str
    password: str
    db: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError, without repeating the password, for what is not such a URL."""
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError("a Redis URL starts with redis://, rediss:// or unix://")
        unix = parts.scheme == "unix"
        if unix and not parts.path:
            raise ValueError("a unix:// URL needs the path of the socket")
        db = query.get("db", "") or ("" if unix else parts.path.strip("/")) or "0"
        if not db.isdecimal():
            raise ValueError("the database of a Redis URL is a number")
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 6379,
            path=unquote(parts.path) if unix else "",
            tls=parts.scheme == "rediss",
            ca_file=query.get("ssl_ca_certs"),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            db=int(db),
        )

    async def connect(self, protocol: asyncio.Protocol) -> None:
        """Connect `protocol`. Raises OSError (ssl.SSLError is one)."""
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(lambda: protocol, self.path)
            return
        context = ssl.create_default_context(cafile=self.ca_file) if self.tls else None
        await loop.create_connection(lambda: protocol, self.host, self.port, ssl=context)

    def greeting(self) -> list[tuple[str | int, ...]]:
        """The commands that open a session, in order."""
        commands: list[tuple[str | int, ...]] = []
        if self.password:
            commands.append(("AUTH", self.user, self.password) if self.user else ("AUTH", self.password))
        if self.db:
            commands.append(("SELECT", self.db))
        return commands
