"""Routes of API keys, with which the shop's own systems ask."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from protocol.times import text_of_ms
from server.http.fields import Closed, Id, Name, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.http.rights import Scope
from server.store.api_keys import ApiKeyRow

router = APIRouter(prefix="/v1/api-keys", route_class=GuardedRoute, tags=["api keys"])


class NewApiKeyBody(Closed):
    """A new key: for whom, and what it may do."""

    name: Name
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=len(Scope))]


class ApiKeyView(View):
    """A key; the key itself was shown once. `prefix`: how it begins."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: str
    revoked_at: str | None


class NewApiKey(View):
    """The only time that the key is shown."""

    key: str
    api_key: ApiKeyView


class ApiKeyList(View):
    """The shop's keys."""

    items: list[ApiKeyView]


def _view(row: ApiKeyRow) -> ApiKeyView:
    return ApiKeyView(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=sorted(row.scopes),
        created_at=text_of_ms(row.created_ms),
        revoked_at=stamp_if(row.revoked_ms),
    )


@router.get("")
async def list_api_keys(deps: Given, caller: Asking) -> ApiKeyList:
    """The shop's API keys."""
    return ApiKeyList(items=[_view(row) for row in await deps.api_keys.list(caller.shop_id)])


@router.post("", status_code=201)
async def create_api_key(deps: Given, caller: Asking, body: NewApiKeyBody) -> NewApiKey:
    """A new API key, shown this once. Send it as `Authorization: Bearer <key>`."""
    key, row = await deps.api_keys.create(caller.shop_id, body.name, frozenset(body.scopes))
    return NewApiKey(key=key, api_key=_view(row))


@router.delete("/{api_key_id}", status_code=204)
async def revoke_api_key(deps: Given, caller: Asking, api_key_id: Id) -> None:
    """Revoke a key; it is refused from now on. Repeating it is fine."""
    await deps.api_keys.revoke(caller.shop_id, str(api_key_id))
