"""Shops: the tenants, how their customers come in, and from where."""

from dataclasses import dataclass
from typing import Any, Literal

from protocol.errors import not_found
from protocol.ids import ShopId, new_id
from server.store.database import Database, Row
from server.store.failures import unique_taken

ShopStatus = Literal["active", "suspended"]
IdentityMode = Literal["off", "report", "enforce"]
Surface = Literal["widget", "desk"]


@dataclass(frozen=True, slots=True)
class WidgetSettings:
    """How customers come in. `identity_mode`: what an identity token that does not hold means."""

    identity_mode: IdentityMode = "off"
    anonymous_allowed: bool = True


@dataclass(frozen=True, slots=True)
class ShopRow:
    """A shop. `policy` are its routing settings as they were stored, valid by the rules of `policy_rev`'s day."""

    id: ShopId
    slug: str
    name: str
    status: ShopStatus
    created_ms: int
    policy: dict[str, Any]
    policy_rev: int
    widget: WidgetSettings
    collaboration: dict[str, Any]
    """settings for working together, as they were stored"""
    endings: dict[str, Any]
    """settings for the end of conversations, as they were stored"""


@dataclass(frozen=True, slots=True)
class Origins:
    """From where browsers may connect: exact origins per surface."""

    widget: frozenset[str]
    desk: frozenset[str]


@dataclass(frozen=True, slots=True)
class IdentityKeyRow:
    """A key with which the shop's backend signs identity tokens."""

    kid: str
    secret: str
    created_ms: int
    revoked_ms: int | None


class Shops:
    """All shops."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self,
        *,
        slug: str,
        name: str,
        policy: dict[str, Any],
        widget: WidgetSettings | None = None,
        collaboration: dict[str, Any] | None = None,
        shop_id: ShopId | None = None,
    ) -> ShopRow:
        """A new, active shop. CONFLICT `slug_taken`."""
        with unique_taken({"shops_slug_key": _SLUG_TAKEN}):
            row = await self._db.fetchrow(
                """
                INSERT INTO shops (id, slug, name, policy, widget_settings, collaboration)
                VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
                """,
                shop_id or new_id(),
                slug,
                name,
                policy,
                _widget_json(widget or WidgetSettings()),
                collaboration or {},
            )
        assert row is not None, "INSERT ... RETURNING gives a row"
        return _shop(row)

    async def get(self, shop_id: ShopId) -> ShopRow:
        """One shop. NOT_FOUND."""
        return _shop(_there(await self._db.fetchrow("SELECT * FROM shops WHERE id = $1", shop_id)))

    async def find(self, slug: str) -> ShopRow | None:
        """The shop of this name, if there is one."""
        row = await self._db.fetchrow("SELECT * FROM shops WHERE slug = $1", slug)
        return None if row is None else _shop(row)

    async def all(self) -> tuple[ShopRow, ...]:
        """Every shop, suspended ones included, oldest first."""
        return tuple(_shop(row) for row in await self._db.fetch("SELECT * FROM shops ORDER BY id"))

    async def active_ids(self) -> tuple[ShopId, ...]:
        """Every shop that is served, oldest first."""
        rows = await self._db.fetch("SELECT id FROM shops WHERE status = 'active' ORDER BY id")
        return tuple(row["id"] for row in rows)

    async def set_status(self, shop_id: ShopId, status: ShopStatus) -> ShopRow:
        """Suspend, or serve again. NOT_FOUND."""
        return _shop(
            _there(
                await self._db.fetchrow(
                    "UPDATE shops SET status = $2 WHERE id = $1 RETURNING *", shop_id, status
                )
            )
        )

    async def set_widget(self, shop_id: ShopId, widget: WidgetSettings) -> WidgetSettings:
        """Change how customers come in; what else is kept beside stays. NOT_FOUND."""
        row = await self._db.fetchrow(
            "UPDATE shops SET widget_settings = widget_settings || $2 WHERE id = $1 RETURNING *",
            shop_id,
            _widget_json(widget),
        )
        return _shop(_there(row)).widget

    async def collaboration(self, shop_id: ShopId) -> dict[str, Any]:
        """The shop's settings for working together, as they were stored. NOT_FOUND."""
        return _there(await self._db.fetchrow("SELECT collaboration FROM shops WHERE id = $1", shop_id))[
            "collaboration"
        ]

    async def set_collaboration(self, shop_id: ShopId, settings: dict[str, Any]) -> None:
        """Replace them. NOT_FOUND."""
        if not await self._db.execute("UPDATE shops SET collaboration = $2 WHERE id = $1", shop_id, settings):
            raise not_found("shop")

    async def endings(self, shop_id: ShopId) -> dict[str, Any]:
        """The shop's settings for the end of conversations, as they were stored. NOT_FOUND."""
        return _there(await self._db.fetchrow("SELECT endings FROM shops WHERE id = $1", shop_id))["endings"]

    async def set_endings(self, shop_id: ShopId, settings: dict[str, Any]) -> None:
        """Replace them. NOT_FOUND."""
        if not await self._db.execute("UPDATE shops SET endings = $2 WHERE id = $1", shop_id, settings):
            raise not_found("shop")

    async def origins(self, shop_id: ShopId) -> Origins:
        """The allow-lists of both surfaces; empty for a shop that is not there."""
        rows = await self._db.fetch("SELECT surface, origin FROM shop_origins WHERE shop_id = $1", shop_id)
        return Origins(
            widget=frozenset(row["origin"] for row in rows if row["surface"] == "widget"),
            desk=frozenset(row["origin"] for row in rows if row["surface"] == "desk"),
        )

    async def set_origins(self, shop_id: ShopId, surface: Surface, origins: tuple[str, ...]) -> None:
        """Replace the allow-list of a surface. NOT_FOUND."""
        async with self._db.transaction() as transaction:
            # Also makes two replacements wait for each other.
            _there(
                await transaction.fetchrow("SELECT id FROM shops WHERE id = $1 FOR NO KEY UPDATE", shop_id)
            )
            await transaction.execute(
                "DELETE FROM shop_origins WHERE shop_id = $1 AND surface = $2", shop_id, surface
            )
            await transaction.execute(
                "INSERT INTO shop_origins (shop_id, surface, origin) SELECT DISTINCT $1::uuid, $2, unnest($3::text[])",
                shop_id,
                surface,
                list(origins),
            )

    async def all_origins(self) -> frozenset[tuple[Surface, str]]:
        """Every origin of every active shop, for the check before a socket's shop is known."""
        rows = await self._db.fetch(
            """
            SELECT DISTINCT o.surface, o.origin FROM shop_origins o JOIN shops s ON s.id = o.shop_id
            WHERE s.status = 'active'
            """
        )
        return frozenset((row["surface"], row["origin"]) for row in rows)

    async def identity_keys(self, shop_id: ShopId) -> tuple[IdentityKeyRow, ...]:
        """All keys, revoked ones too, the newest first."""
        rows = await self._db.fetch(
            "SELECT * FROM identity_keys WHERE shop_id = $1 ORDER BY created_at DESC, kid", shop_id
        )
        return tuple(_key(row) for row in rows)

    async def add_identity_key(self, shop_id: ShopId, kid: str, secret: str) -> IdentityKeyRow:
        """A new key."""
        row = await self._db.fetchrow(
            "INSERT INTO identity_keys (shop_id, kid, secret) VALUES ($1, $2, $3) RETURNING *",
            shop_id,
            kid,
            secret,
        )
        assert row is not None, "INSERT ... RETURNING gives a row"
        return _key(row)

    async def revoke_identity_key(self, shop_id: ShopId, kid: str) -> None:
        """Revoke a key; a revoked one stays as it is. NOT_FOUND."""
        touched = await self._db.execute(
            "UPDATE identity_keys SET revoked_at = coalesce(revoked_at, now()) WHERE shop_id = $1 AND kid = $2",
            shop_id,
            kid,
        )
        if not touched:
            raise not_found("identity_key")


_SLUG_TAKEN = ("slug_taken", "Another shop has this short name.")


def _there(row: Row | None) -> Row:
    if row is None:
        raise not_found("shop")
    return row


def _widget_json(widget: WidgetSettings) -> dict[str, Any]:
    return {"identity_mode": widget.identity_mode, "anonymous_allowed": widget.anonymous_allowed}


def _shop(row: Row) -> ShopRow:
    widget = row["widget_settings"]
    return ShopRow(
        id=row["id"],
        slug=row["slug"],
        name=row["name"],
        status=row["status"],
        created_ms=row["created_at"],
        policy=row["policy"],
        policy_rev=row["policy_rev"],
        widget=WidgetSettings(widget["identity_mode"], widget["anonymous_allowed"]),
        collaboration=row["collaboration"],
        endings=row["endings"],
    )


def _key(row: Row) -> IdentityKeyRow:
    return IdentityKeyRow(row["kid"], row["secret"], row["created_at"], row["revoked_at"])
