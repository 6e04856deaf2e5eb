"""Throws away what nobody can use any more."""

from server.store.tokens import RefreshTokens
from server.sweeps.runner import Counts


class Housekeeping:
    """Expired sign-ins. Until a whole family of tokens has expired, its reuse must still be recognised."""

    def __init__(self, refresh_tokens: RefreshTokens) -> None:
        self._refresh_tokens = refresh_tokens

    async def run(self) -> Counts:
        """Counts: `refresh_tokens`."""
        return {"refresh_tokens": await self._refresh_tokens.purge()}
