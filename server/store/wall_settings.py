"""The shop's settings of the wall. Knows nothing of what they mean."""

from dataclasses import dataclass
from typing import Any

from protocol.ids import ShopId
from server.store.database import Database


@dataclass(frozen=True, slots=True)
class WallSettingsRow:
    """What was set, and its revision."""

    settings: dict[str, Any]
    rev: int


class WallSettings:
    """Settings of all shops."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, shop_id: ShopId) -> WallSettingsRow | None:
        """What holds; None: never set."""
        row = await self._db.fetchrow("SELECT settings, rev FROM wall_settings WHERE shop_id = $1", shop_id)
        return None if row is None else WallSettingsRow(row["settings"], row["rev"])

    async def put(self, shop_id: ShopId, settings: dict[str, Any], *, rev: int) -> bool:
        """Set them, if the revision is still `rev` (0: never set), which then is one more. False: it is another."""
        return bool(
            await self._db.execute(
                """
                INSERT INTO wall_settings (shop_id, settings, rev) SELECT $1, $2, 1 WHERE $3::bigint = 0
                ON CONFLICT DO NOTHING
                """
                if rev == 0
                else "UPDATE wall_settings SET settings = $2, rev = rev + 1 WHERE shop_id = $1 AND rev = $3::bigint",
                shop_id,
                settings,
                rev,
            )
        )
