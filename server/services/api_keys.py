"""API keys: how the shop's own systems prove who they are. `pmk_<prefix>_<secret>`; only a hash of it is kept."""

import hmac
import re
import secrets

from protocol.ids import ShopId
from server.services.callers import Caller
from server.services.tokens import token_hash, unauthenticated
from server.store.api_keys import ApiKeyRow
from server.store.api_keys import ApiKeys as ApiKeyStore

MARK = "pmk_"
_SHAPE = re.compile(r"^pmk_([A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$")
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


class ApiKeys:
    """Makes, lists, revokes and recognises keys."""

    def __init__(self, keys: ApiKeyStore) -> None:
        self._keys = keys

    async def list(self, shop: ShopId) -> tuple[ApiKeyRow, ...]:
        """All keys of the shop, newest first, revoked ones too."""
        return await self._keys.of_shop(shop)

    async def create(self, shop: ShopId, name: str, scopes: frozenset[str]) -> tuple[str, ApiKeyRow]:
        """A new key: the key itself, which nobody can show again, and what is kept of it."""
        prefix = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        key = f"{MARK}{prefix}_{secrets.token_urlsafe(32)}"
        row = await self._keys.add(shop, name=name, prefix=prefix, key_hash=token_hash(key), scopes=scopes)
        return key, row

    async def revoke(self, shop: ShopId, api_key_id: str) -> None:
        """Revoke; what was revoked stays so. Refused: NOT_FOUND."""
        await self._keys.revoke(shop, api_key_id)

    async def caller(self, key: str) -> Caller:
        """Whose key it is, or UNAUTHENTICATED `api_key_invalid`."""
        refused = unauthenticated("api_key_invalid", "The API key is not valid.")
        shape = _SHAPE.match(key)
        if shape is None:
            raise refused
        row = await self._keys.find(shape.group(1))
        if (
            row is None
            or row.revoked_ms is not None
            or not hmac.compare_digest(row.key_hash, token_hash(key))
        ):
            raise refused
        return Caller(shop_id=row.shop_id, name=row.name, scopes=frozenset(row.scopes), api_key_id=row.id)
