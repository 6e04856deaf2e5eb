"""The shop's other settings: how customers prove who they are, where browsers may come from, identity keys."""

import secrets
from dataclasses import dataclass
from typing import Literal

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import ShopId
from server.services.accounts import invalid
from server.services.callers import Caller
from server.services.revisions import check_revision, revision_of
from server.store.editing import Editing
from server.store.shops import IdentityKeyRow, IdentityMode, Origins, ShopRow, Shops, WidgetSettings

KEYS_MAX = 2
"""The one in use, and its successor while it is rotated."""


@dataclass(frozen=True, slots=True)
class KeyIssued:
    """A new identity key, with the secret that is shown once."""

    kid: str
    secret: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class OriginLists:
    """From where browsers may connect, sorted."""

    widget: tuple[str, ...]
    desk: tuple[str, ...]

    @classmethod
    def of(cls, stored: Origins) -> "OriginLists":
        """As it is read by people."""
        return cls(tuple(sorted(stored.widget)), tuple(sorted(stored.desk)))

    def rev(self, surface: Literal["widget", "desk"]) -> str:
        """The revision of one list."""
        return revision_of(self.widget if surface == "widget" else self.desk)


def check_open(wanted: WidgetSettings, keys: tuple[IdentityKeyRow, ...]) -> None:
    """Refuse settings with which nobody could come in: INVALID_PARAMS."""
    if wanted.anonymous_allowed:
        return
    if wanted.identity_mode == "off":
        raise invalid("body.anonymous_allowed", "nobody could come in: with identity off all are anonymous")
    if not any(key.revoked_ms is None for key in keys):
        raise invalid(
            "body.anonymous_allowed", "nobody could come in: there is no identity key; make one first"
        )


class ShopSettings:
    """Reads and changes them."""

    def __init__(self, shops: Shops, editing: Editing) -> None:
        self._shops = shops
        self._editing = editing

    async def shop(self, shop: ShopId) -> ShopRow:
        """The shop itself."""
        return await self._shops.get(shop)

    async def widget(self, shop: ShopId) -> WidgetSettings:
        """How customers come in."""
        return (await self._shops.get(shop)).widget

    async def set_widget(
        self, caller: Caller, *, identity_mode: IdentityMode, anonymous_allowed: bool, rev: str
    ) -> WidgetSettings:
        """Change how customers come in. Refused (INVALID_PARAMS) when nobody could: anonymous visitors are not allowed,
        and no identity token can be accepted; CONFLICT `stale_rev`."""
        wanted = WidgetSettings(identity_mode=identity_mode, anonymous_allowed=anonymous_allowed)
        async with self._editing.of(caller.shop_id) as stored:
            check_revision(rev, revision_of((await stored.shops.get(caller.shop_id)).widget))
            check_open(wanted, await stored.shops.identity_keys(caller.shop_id))
            return await stored.shops.set_widget(caller.shop_id, wanted)

    async def origins(self, shop: ShopId) -> OriginLists:
        """The lists of the widget and of the desk, sorted."""
        return OriginLists.of(await self._shops.origins(shop))

    async def set_origins(
        self, caller: Caller, surface: Literal["widget", "desk"], origins: tuple[str, ...], *, rev: str
    ) -> OriginLists:
        """Replace one list. CONFLICT `stale_rev`."""
        async with self._editing.of(caller.shop_id) as stored:
            holds = OriginLists.of(await stored.shops.origins(caller.shop_id))
            check_revision(rev, holds.rev(surface))
            await stored.shops.set_origins(caller.shop_id, surface, origins)
        return await self.origins(caller.shop_id)

    async def identity_keys(self, shop: ShopId) -> tuple[IdentityKeyRow, ...]:
        """All keys, newest first."""
        return await self._shops.identity_keys(shop)

    async def new_identity_key(self, caller: Caller) -> KeyIssued:
        """A new key beside the one in use. Refused: CONFLICT `too_many_keys`."""
        holding = [key for key in await self.identity_keys(caller.shop_id) if key.revoked_ms is None]
        if len(holding) >= KEYS_MAX:
            raise RequestError(
                ErrorCode.CONFLICT,
                "too_many_keys",
                f"{KEYS_MAX} keys hold already; revoke the old one first.",
            )
        kid, secret = f"ik_{secrets.token_hex(6)}", secrets.token_urlsafe(32)
        row = await self._shops.add_identity_key(caller.shop_id, kid, secret)
        return KeyIssued(kid, secret, row.created_ms)

    async def revoke_identity_key(self, caller: Caller, kid: str) -> None:
        """Revoke; what was revoked stays so. Refused: NOT_FOUND."""
        if kid not in {key.kid for key in await self.identity_keys(caller.shop_id)}:
            raise not_found("identity_key")
        await self._shops.revoke_identity_key(caller.shop_id, kid)
