"""Refresh tokens: each works once, and a second use ends the sign-in it belongs to (RFC 9700, section 4.14).

Only hashes are kept. All tokens of one sign-in are a family; ending it is one update.
"""

from dataclasses import dataclass

from protocol.ids import AccountId, ShopId, new_id
from server.store.database import Database


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a refresh token that was shown. No account: it was never one, or it has ended. `reused`: it was
    used before, and whoever's it was is signed out."""

    shop_id: ShopId | None
    account_id: AccountId | None
    reused: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """Whose sign-in was ended."""

    shop_id: ShopId
    account_id: AccountId


class RefreshTokens:
    """All refresh tokens. A token proves its shop by itself: the questions do not name one."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, shop_id: ShopId, account_id: AccountId, token_hash: bytes, expires_ms: int) -> None:
        """The first token of a new sign-in."""
        await self._db.execute(
            """
            INSERT INTO refresh_tokens (token_hash, family, shop_id, account_id, expires_at) VALUES ($1, $2, $3, $4, $5)
            """,
            token_hash,
            new_id(),
            shop_id,
            account_id,
            expires_ms,
        )

    async def rotate(self, token_hash: bytes, successor_hash: bytes, expires_ms: int) -> Rotated:
        """Use a token up, and keep its successor. Of several who try at once exactly one succeeds; the others are a
        reuse, which revokes the family, the successor included."""
        async with self._db.transaction() as transaction:
            token = await transaction.fetchrow(
                """
                SELECT family, shop_id, account_id, used_at IS NOT NULL AS used,
                    revoked_at IS NULL AND expires_at > clock_timestamp() AS holds
                FROM refresh_tokens WHERE token_hash = $1 FOR UPDATE
                """,
                token_hash,
            )
            if token is None:
                return Rotated(None, None, reused=False)
            if token["used"]:
                await transaction.execute(
                    "UPDATE refresh_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE family = $1",
                    token["family"],
                )
                return Rotated(token["shop_id"], token["account_id"], reused=True)
            if not token["holds"]:
                return Rotated(None, None, reused=False)
            await transaction.execute(
                "UPDATE refresh_tokens SET used_at = clock_timestamp() WHERE token_hash = $1", token_hash
            )
            await transaction.execute(
                """
                INSERT INTO refresh_tokens (token_hash, family, shop_id, account_id, expires_at)
                VALUES ($1, $2, $3, $4, $5)
                """,
                successor_hash,
                token["family"],
                token["shop_id"],
                token["account_id"],
                expires_ms,
            )
        return Rotated(token["shop_id"], token["account_id"], reused=False)

    async def end(self, token_hash: bytes) -> Ended | None:
        """End the sign-in of this token. None: there is none that still holds."""
        row = await self._db.fetchrow(
            """
            UPDATE refresh_tokens SET revoked_at = now()
            WHERE revoked_at IS NULL AND family = (SELECT family FROM refresh_tokens WHERE token_hash = $1)
            RETURNING shop_id, account_id
            """,
            token_hash,
        )
        return None if row is None else Ended(row["shop_id"], row["account_id"])

    async def end_all(self, shop_id: ShopId, account_id: AccountId) -> None:
        """End every sign-in of an account."""
        await self._db.execute(
            """
            UPDATE refresh_tokens SET revoked_at = now()
            WHERE shop_id = $1 AND account_id = $2 AND revoked_at IS NULL
            """,
            shop_id,
            account_id,
        )

    async def purge(self) -> int:
        """Forget families that have wholly expired; how many tokens went. Until then a reuse is recognised."""
        return await self._db.execute(
            """
            DELETE FROM refresh_tokens t WHERE t.expires_at < now() AND NOT EXISTS (
                SELECT FROM refresh_tokens f WHERE f.family = t.family AND f.expires_at >= now()
            )
            """
        )
