"""`pointsman account` and `pointsman group`: the people of a shop, and how they are grouped."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from protocol.states import OrderState, PauseMode, Role
from server.cli import kinds
from server.cli.answer import Json, give, run
from server.cli.secret import PasswordFile, PasswordStdin, choose
from server.settings import load

if TYPE_CHECKING:
    from server.store.accounts import AccountRow
    from server.store.groups import GroupRow

account = typer.Typer(
    help="Accounts of a shop.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
group = typer.Typer(
    help="Groups of a shop.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)

Shop = Annotated[str, typer.Option("--shop", help="The shop's short name.")]


class Kind(StrEnum):
    """What a group stands for."""

    REGION = "region"
    PRODUCT_LINE = "product_line"
    CUSTOMER_TYPE = "customer_type"
    OTHER = "other"


@account.command("create")
def create_account(
    shop: Shop,
    email: Annotated[
        str, typer.Option(help="E-mail address; the account signs in with it.", parser=kinds.email)
    ],
    name: Annotated[str, typer.Option(help="Name, as customers and colleagues see it.", parser=kinds.name)],
    role: Annotated[list[Role], typer.Option(help="What the account may do; may be given several times.")],
    capacity: Annotated[
        int | None,
        typer.Option(help="Conversations at once; the shop's default if not given.", min=1, max=500),
    ] = None,
    pause_at: Annotated[
        int | None, typer.Option(help="Pauses by itself at this load.", min=1, max=500)
    ] = None,
    groups: Annotated[
        list[str], typer.Option("--group", help="Name of a group; may be given several times.")
    ] = [],  # noqa: B006
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Make an account. A generated password is shown once."""
    from server.services.accounts import NewAccount
    from server.setup import Setup  # most of the program: not for every command

    password = choose(password_file, stdin=password_stdin)
    new = NewAccount(
        email=email,
        name=name,
        roles=frozenset(role),
        password=password.text,
        capacity=capacity,
        pause_mode=PauseMode.BY_HAND if pause_at is None else PauseMode.AT_N,
        pause_at=pause_at,
    )

    async def work() -> "AccountRow":
        async with Setup(load()) as setup:
            return await setup.create_account(shop, new, groups)

    row = run(work())
    document = {
        "id": row.id,
        "shop": shop,
        "email": row.email,
        "name": row.name,
        "roles": sorted(row.roles),
        "capacity": row.capacity,
        "groups": groups,
        **password.shown(),
    }
    lines = [f"{row.name} <{row.email}> is there: {', '.join(sorted(row.roles))}.", *password.told()]
    give(document, "\n".join(lines), as_json=as_json)


@group.command("create")
def create_group(
    shop: Shop,
    name: Annotated[str, typer.Option(help="The group's name.", parser=kinds.name)],
    kind: Annotated[Kind, typer.Option(help="What it stands for.")] = Kind.OTHER,
    members: Annotated[list[str], typer.Option("--member", help="E-mail of a member; several times.")] = [],  # noqa: B006
    order_states: Annotated[
        list[OrderState],
        typer.Option(
            "--order-state", help="Serves customers of this order state (grouped routing); several times."
        ),
    ] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Make a group. With --order-state it is bound to those states, and routing by groups is switched on."""

    from server.setup import Setup  # most of the program: not for every command

    async def work() -> "GroupRow":
        async with Setup(load()) as setup:
            return await setup.create_group(shop, name, kind.value, members, order_states)

    row = run(work())
    document = {
        "id": row.id,
        "shop": shop,
        "name": row.name,
        "kind": row.kind,
        "members": members,
        "order_states": order_states,
    }
    bound = f", bound to {', '.join(order_states)}" if order_states else ""
    give(document, f"Group {row.name} is there with {len(members)} member(s){bound}.", as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(account, name="account")
    app.add_typer(group, name="group")
