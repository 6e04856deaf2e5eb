"""Routes of roles: what each grants in this shop (GP-02, CO-06)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints, WithJsonSchema

from protocol.rights import BUILT_IN, FIXED_ROLES, OWNER_ONLY, REACH_OF, UNSCOPED, Right, words
from server.http.fields import ONE_LINE, Closed, RoleName, View
from server.http.guard import Asking, Given, GuardedRoute
from server.store.roles import RoleRow

router = APIRouter(prefix="/v1/roles", route_class=GuardedRoute, tags=["roles"])

Named = Annotated[RoleName, Path(description="A built-in role, or one of the shop's own.")]
Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z_.]+$")]
GRANTS: dict[str, Any] = {
    "type": "object",
    "description": "Right -> reach: `own`, `groups` or `all`. What is absent is not granted.",
    "examples": [{"conversation.serve": "own", "conversation.transfer": "groups"}],
    "properties": {
        right.value: {"enum": ["all"] if right in UNSCOPED else list(REACH_OF)}
        for right in Right
        if right not in OWNER_ONLY
    },
    "additionalProperties": False,
}
"""What grants may be, for the document; read as plain words, so that every fault can be said at once."""
Rev = Annotated[int, Field(ge=0, lt=2**53)]


class RoleBody(Closed):
    """All that a role grants; it replaces what it granted before. `rev` as it was read; 0 for a role that is new, or as
    it was built in."""

    name: Annotated[str, StringConstraints(max_length=80, pattern=ONE_LINE)] = ""
    grants: Annotated[
        dict[Word, Word],
        Field(max_length=64),
        WithJsonSchema(GRANTS),
    ]
    rev: Rev


class RoleView(View):
    """A role as it holds now."""

    role: str
    name: str = Field(description="As the shop calls it; empty: by its own name.")
    grants: dict[str, str] = Field(description="Right -> reach. Signing in goes without saying.")
    rev: int
    built_in: bool
    fixed: bool = Field(description="It cannot be changed.")


class RoleList(View):
    """All roles of the shop, the built-in ones first."""

    items: list[RoleView]


def role_view(row: RoleRow) -> RoleView:
    """As it is given out."""
    grants = {right: reach for right, reach in row.grants.items() if right is not Right.SIGN_IN}
    return RoleView(
        role=row.role,
        name=row.name,
        grants=words(grants),
        rev=row.rev,
        built_in=row.role in BUILT_IN,
        fixed=row.role in FIXED_ROLES,
    )


@router.get("")
async def list_roles(deps: Given, caller: Asking) -> RoleList:
    """All roles, and what each grants."""
    return RoleList(items=[role_view(row) for row in await deps.roles.list(caller)])


@router.put("/{role}")
async def put_role(deps: Given, caller: Asking, role: Named, body: RoleBody) -> RoleView:
    """Make a role of the shop's own, or change what a role grants; open sockets hear of it at once, other nodes judge
    by it within a second. Refused (409 `stale_rev`) when it was changed since; (403) when it grants what the caller
    does not hold; the roles `owner` and `bot` are fixed."""
    row = await deps.roles.put(caller, role, name=body.name, grants=body.grants, rev=body.rev)
    return role_view(row)


@router.delete("/{role}", status_code=204)
async def delete_role(
    deps: Given,
    caller: Asking,
    role: Named,
    rev: Annotated[int | None, Query(ge=0, lt=2**53, description="Only if it is at this revision.")] = None,
) -> None:
    """A built-in role is as it was built in again; one of the shop's own is no more (409 `role_in_use` while accounts
    have it)."""
    await deps.roles.delete(caller, role, rev=rev)
