"""Routes of the shop's accounts."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from protocol.ids import AccountId
from protocol.states import PauseMode
from server.http.fields import Closed, Cursor, Email, Id, Limit, Name, Password, RoleName, View
from server.http.guard import Asking, Given, GuardedRoute
from server.http.people import AccountView, account_view
from server.services.accounts import AccountChange, NewAccount

router = APIRouter(prefix="/v1/accounts", route_class=GuardedRoute, tags=["accounts"])

Roles = Annotated[
    list[RoleName],
    Field(
        min_length=1,
        max_length=12,
        description="Built-in roles or the shop's own; `bot` stands alone, `customer` is no account's.",
    ),
]
Capacity = Annotated[int, Field(ge=1, le=500, description="Conversations at once (KS-19).")]
PauseAt = Annotated[int, Field(ge=1, le=500, description="N of pause mode `at_n`.")]
Mode = Annotated[PauseMode, Field(strict=False)]


class NewAccountBody(Closed):
    """A new account. Without a password it cannot sign in until one is set."""

    email: Email
    name: Name
    roles: Roles
    password: Password | None = None
    capacity: Capacity | None = None
    pause_mode: Mode = PauseMode.BY_HAND
    pause_at: PauseAt | None = None
    excluded: bool = False


class AccountBody(Closed):
    """What is to change; what is absent stays. `capacity` null: the shop's default."""

    email: Email | None = None
    name: Name | None = None
    roles: Roles | None = None
    capacity: Capacity | None = None
    pause_mode: Mode | None = None
    pause_at: PauseAt | None = None
    excluded: bool | None = None
    disabled: bool | None = None


class NewPasswordBody(Closed):
    """A password for somebody else."""

    password: Password


class AccountPage(View):
    """One page; `cursor` asks for the next, null: that was all."""

    items: list[AccountView]
    cursor: str | None


@router.get("")
async def list_accounts(
    deps: Given,
    caller: Asking,
    disabled: Annotated[bool, Query(description="Also those that were disabled.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccountPage:
    """The shop's accounts."""
    page = await deps.accounts.list(caller, disabled=disabled, limit=limit, cursor=cursor)
    return AccountPage(items=[account_view(row) for row in page.rows], cursor=page.cursor)


@router.post("", status_code=201)
async def create_account(deps: Given, caller: Asking, body: NewAccountBody) -> AccountView:
    """A new account. Nobody gives roles that hold more of the shop than they do: only the owner makes owners."""
    new = NewAccount(
        email=body.email,
        name=body.name,
        roles=frozenset(body.roles),
        password=body.password,
        capacity=body.capacity,
        pause_mode=body.pause_mode,
        pause_at=body.pause_at,
        excluded=body.excluded,
    )
    return account_view(await deps.accounts.create(caller, new))


@router.get("/{account_id}")
async def get_account(deps: Given, caller: Asking, account_id: Id) -> AccountView:
    """One account."""
    return account_view(await deps.accounts.get(caller, AccountId(str(account_id))))


@router.patch("/{account_id}")
async def change_account(deps: Given, caller: Asking, account_id: Id, body: AccountBody) -> AccountView:
    """Change an account; live routing follows at once. E-mail, name, roles and disabling need `account.manage`, and
    nobody so changes whom the shop trusts with more than them; the shop keeps at least one owner. Disabling ends all
    sign-ins within a second."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return account_view(await deps.accounts.change(caller, AccountId(str(account_id)), AccountChange(given)))


@router.post("/{account_id}/password", status_code=204)
async def set_password(deps: Given, caller: Asking, account_id: Id, body: NewPasswordBody) -> None:
    """Set somebody's password; all their sign-ins end within a second."""
    await deps.accounts.set_password(caller, AccountId(str(account_id)), body.password)


@router.post("/{account_id}/revoke", status_code=204)
async def revoke_account(deps: Given, caller: Asking, account_id: Id) -> None:
    """End all sign-ins of an account: tokens are void at once, sockets are closed within a second."""
    await deps.accounts.revoke(caller, AccountId(str(account_id)))
