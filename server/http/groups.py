"""Routes of groups and their members (GP-01)."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from protocol.ids import AccountId, GroupId
from server.http.fields import Closed, Id, Name, Rev, View
from server.http.guard import Asking, Given, GuardedRoute
from server.http.people import AccountView, account_view
from server.services.revisions import revision_of
from server.store.groups import GroupRow

router = APIRouter(prefix="/v1/groups", route_class=GuardedRoute, tags=["groups"])

Kind = Annotated[
    Literal["region", "product_line", "customer_type", "other"],
    Field(description="What the group stands for."),
]


class NewGroupBody(Closed):
    """A new group."""

    name: Name
    kind: Kind = "other"


class GroupBody(Closed):
    """What is to change; what is absent stays."""

    name: Name | None = None
    kind: Kind | None = None
    rev: Rev


class GroupView(View):
    """A group."""

    id: str
    name: str
    kind: Kind
    rev: Rev


class GroupList(View):
    """All groups of the shop."""

    items: list[GroupView]


class MemberList(View):
    """The members of a group."""

    items: list[AccountView]


def group_view(row: GroupRow) -> GroupView:
    """As it is given out."""
    return GroupView.model_validate(
        {"id": row.id, "name": row.name, "kind": row.kind, "rev": revision_of(row.name, row.kind)}
    )


@router.get("")
async def list_groups(deps: Given, caller: Asking) -> GroupList:
    """All groups of the shop."""
    return GroupList(items=[group_view(row) for row in await deps.groups.list(caller)])


@router.post("", status_code=201)
async def create_group(deps: Given, caller: Asking, body: NewGroupBody) -> GroupView:
    """A new group. The first one makes grouped routing apply where it was chosen (KS-12)."""
    return group_view(await deps.groups.create(caller, body.name, body.kind))


@router.get("/{group_id}")
async def get_group(deps: Given, caller: Asking, group_id: Id) -> GroupView:
    """One group."""
    return group_view(await deps.groups.get(caller, GroupId(str(group_id))))


@router.patch("/{group_id}")
async def change_group(deps: Given, caller: Asking, group_id: Id, body: GroupBody) -> GroupView:
    """Rename a group, or say what it stands for."""
    return group_view(
        await deps.groups.change(caller, GroupId(str(group_id)), name=body.name, kind=body.kind, rev=body.rev)
    )


@router.delete("/{group_id}", status_code=204)
async def delete_group(deps: Given, caller: Asking, group_id: Id) -> None:
    """Delete a group. Refused (409 `group_in_use`) while an order state is bound to it."""
    await deps.groups.delete(caller, GroupId(str(group_id)))


@router.get("/{group_id}/members")
async def list_members(deps: Given, caller: Asking, group_id: Id) -> MemberList:
    """The members of a group."""
    rows = await deps.groups.members(caller, GroupId(str(group_id)))
    return MemberList(items=[account_view(row) for row in rows])


@router.put("/{group_id}/members/{account_id}", status_code=204)
async def add_member(deps: Given, caller: Asking, group_id: Id, account_id: Id) -> None:
    """Make an account a member; live routing follows at once. Repeating it is fine."""
    await deps.groups.add_member(caller, GroupId(str(group_id)), AccountId(str(account_id)))


@router.delete("/{group_id}/members/{account_id}", status_code=204)
async def remove_member(deps: Given, caller: Asking, group_id: Id, account_id: Id) -> None:
    """End a membership; live routing follows at once. Repeating it is fine."""
    await deps.groups.remove_member(caller, GroupId(str(group_id)), AccountId(str(account_id)))
