"""Routes of the shop's other settings: the widget, allowed origins, identity keys."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from protocol.times import text_of_ms
from server.http.fields import Closed, Rev, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.services.revisions import revision_of
from server.services.shop_settings import KeyIssued, OriginLists
from server.store.shops import IdentityKeyRow
from server.store.shops import WidgetSettings as StoredWidget

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["shop settings"])

Mode = Annotated[
    Literal["off", "report", "enforce"],
    Field(
        description="`off`: identity tokens are ignored. `report`: a bad one is reported, the visitor stays anonymous. "
        "`enforce`: a bad one is refused."
    ),
]
Surface = Annotated[
    Literal["widget", "desk"], Path(description="The customer's widget, or the people's desk.")
]
Origin = Annotated[
    str,
    StringConstraints(
        max_length=255,
        pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$|^https?://\[[0-9a-f:]+\](:[0-9]{1,5})?$",
    ),
    Field(
        description="Scheme, host and port as browsers send them: no path, no wildcard.",
        examples=["https://shop.example"],
    ),
]
KeyId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class WidgetSettings(Closed):
    """How customers prove who they are, and whether they may stay anonymous."""

    identity_mode: Mode
    anonymous_allowed: bool
    rev: Rev


class OriginsBody(Closed):
    """The whole list; it replaces what was there."""

    origins: Annotated[list[Origin], Field(max_length=200)]
    rev: Rev


class OriginRevs(View):
    """The revision of each list."""

    widget: Rev
    desk: Rev


class Origins(View):
    """Where the widget may be embedded, and where the desk is served from. Compared exactly."""

    widget: list[str]
    desk: list[str]
    revs: OriginRevs


class IdentityKeyView(View):
    """A key with which the shop's backend signs identity tokens; its secret was shown once."""

    kid: str
    created_at: str
    revoked_at: str | None


class IdentityKeyList(View):
    """The shop's identity keys, newest first."""

    items: list[IdentityKeyView]


class NewIdentityKey(View):
    """The only time that the secret is shown."""

    kid: str
    secret: str
    created_at: str


def _key(row: IdentityKeyRow) -> IdentityKeyView:
    return IdentityKeyView(
        kid=row.kid, created_at=text_of_ms(row.created_ms), revoked_at=stamp_if(row.revoked_ms)
    )


def _widget(settings: StoredWidget) -> WidgetSettings:
    return WidgetSettings(
        identity_mode=settings.identity_mode,
        anonymous_allowed=settings.anonymous_allowed,
        rev=revision_of(settings),
    )


def _origins(lists: OriginLists) -> Origins:
    return Origins(
        widget=list(lists.widget),
        desk=list(lists.desk),
        revs=OriginRevs(widget=lists.rev("widget"), desk=lists.rev("desk")),
    )


def _issued(key: KeyIssued) -> NewIdentityKey:
    return NewIdentityKey(kid=key.kid, secret=key.secret, created_at=text_of_ms(key.created_ms))


@router.get("/widget")
async def get_widget(deps: Given, caller: Asking) -> WidgetSettings:
    """The widget's settings."""
    return _widget(await deps.shop_settings.widget(caller.shop_id))


@router.put("/widget")
async def set_widget(deps: Given, caller: Asking, body: WidgetSettings) -> WidgetSettings:
    """Change the widget's settings. Refused when nobody could come in any more."""
    settings = await deps.shop_settings.set_widget(
        caller, identity_mode=body.identity_mode, anonymous_allowed=body.anonymous_allowed, rev=body.rev
    )
    return _widget(settings)


@router.get("/origins")
async def get_origins(deps: Given, caller: Asking) -> Origins:
    """The origins from which browsers may connect."""
    return _origins(await deps.shop_settings.origins(caller.shop_id))


@router.put("/origins/{surface}")
async def set_origins(deps: Given, caller: Asking, surface: Surface, body: OriginsBody) -> Origins:
    """Replace one list."""
    origins = tuple(dict.fromkeys(body.origins))
    return _origins(await deps.shop_settings.set_origins(caller, surface, origins, rev=body.rev))


@router.get("/identity-keys")
async def list_identity_keys(deps: Given, caller: Asking) -> IdentityKeyList:
    """The shop's identity keys, without their secrets."""
    return IdentityKeyList(
        items=[_key(row) for row in await deps.shop_settings.identity_keys(caller.shop_id)]
    )


@router.post("/identity-keys", status_code=201)
async def create_identity_key(deps: Given, caller: Asking) -> NewIdentityKey:
    """A new key. To rotate: create one, let the backend sign with it, then revoke the old one; both hold meanwhile.
    At most two keys hold at once."""
    return _issued(await deps.shop_settings.new_identity_key(caller))


@router.delete("/identity-keys/{kid}", status_code=204)
async def revoke_identity_key(deps: Given, caller: Asking, kid: KeyId) -> None:
    """Revoke a key: tokens signed with it are refused from now on."""
    await deps.shop_settings.revoke_identity_key(caller, kid)
