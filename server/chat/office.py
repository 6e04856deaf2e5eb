"""The HTTP side for a terminal: as the signed-in account, or, for the bytes of files, with a grant alone."""

import asyncio
from pathlib import Path
from typing import Any

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.chat.door import Door, SignIn


class Office:
    """Asks on behalf of whoever sits here. Without a sign-in (a customer) only grants work."""

    def __init__(self, door: Door, signed_in: SignIn | None = None) -> None:
        self._door = door
        self._signed_in = signed_in

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; the JSON of its answer. The access token is made anew when it is over."""
        signed_in = self._signed_in
        if signed_in is None:
            raise RequestError(ErrorCode.UNAUTHENTICATED, "token_missing", "This needs a sign-in.")
        try:
            return await self._door.ask(method, path, body, token=signed_in.access_token)
        except RequestError as error:
            if error.code is not ErrorCode.UNAUTHENTICATED:
                raise
        await self._door.ticket(signed_in)  # refreshes the sign-in on its way
        return await self._door.ask(method, path, body, token=signed_in.access_token)

    async def put(self, url: str, path: Path, media_type: str) -> None:
        """Send a file to where a grant says."""
        await self._door.put(url, await asyncio.to_thread(path.read_bytes), media_type)

    async def fetch(self, url: str, into: Path) -> None:
        """Get what a grant opens, into a file."""
        content = await self._door.fetch(url)
        await asyncio.to_thread(into.write_bytes, content)
