"""API keys of the shop's own systems. Only hashes are kept; the prefix finds a key."""

from dataclasses import dataclass

from protocol.errors import not_found
from protocol.ids import ShopId, new_id
from server.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """What is kept of a key."""

    id: str
    shop_id: ShopId
    name: str
    prefix: str
    key_hash: bytes
    scopes: frozenset[str]
    created_ms: int
    revoked_ms: int | None


class ApiKeys:
    """Keys of all shops."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, shop_id: ShopId, *, name: str, prefix: str, key_hash: bytes, scopes: frozenset[str]
    ) -> ApiKeyRow:
        """A new key. Its prefix must be unique over all shops: random, and long enough."""
        row = await self._db.fetchrow(
            """
            INSERT INTO api_keys (id, shop_id, name, prefix, hash, scopes) VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
            """,
            new_id(),
            shop_id,
            name,
            prefix,
            key_hash,
            sorted(scopes),
        )
        assert row is not None, "INSERT ... RETURNING gives a row"
        return _key(row)

    async def find(self, prefix: str) -> ApiKeyRow | None:
        """The key with this prefix, revoked or not, if there is one."""
        row = await self._db.fetchrow("SELECT * FROM api_keys WHERE prefix = $1", prefix)
        return None if row is None else _key(row)

    async def of_shop(self, shop_id: ShopId) -> tuple[ApiKeyRow, ...]:
        """All keys, revoked ones too, the newest first."""
        rows = await self._db.fetch(
            "SELECT * FROM api_keys WHERE shop_id = $1 ORDER BY created_at DESC, id DESC", shop_id
        )
        return tuple(_key(row) for row in rows)

    async def revoke(self, shop_id: ShopId, api_key_id: str) -> None:
        """Revoke a key; a revoked one stays as it is. NOT_FOUND."""
        touched = await self._db.execute(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE shop_id = $1 AND id = $2",
            shop_id,
            api_key_id,
        )
        if not touched:
            raise not_found("api_key")


def _key(row: Row) -> ApiKeyRow:
    return ApiKeyRow(
        id=row["id"],
        shop_id=row["shop_id"],
        name=row["name"],
        prefix=row["prefix"],
        key_hash=row["hash"],
        scopes=frozenset(row["scopes"]),
        created_ms=row["created_at"],
        revoked_ms=row["revoked_at"],
    )
