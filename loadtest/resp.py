"""One question to Redis, by hand: how many keys it has. The load test knows no client library."""

import asyncio
from urllib.parse import unquote, urlsplit

ANSWER_S = 5.0


async def size_of(url: str) -> int:
    """DBSIZE of that database. Raises OSError, TimeoutError; ValueError when Redis answers something else."""
    parts = urlsplit(url)
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
        try:
            if parts.password:
                writer.write(f"AUTH {unquote(parts.password)}\r\n".encode())
                await reader.readline()
            writer.write(f"SELECT {parts.path.strip('/') or '0'}\r\nDBSIZE\r\n".encode())
            await reader.readline()
            return int((await reader.readline()).removeprefix(b":"))
        finally:
            writer.close()
