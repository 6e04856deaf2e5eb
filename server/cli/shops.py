"""`pointsman shop`: make a shop with its owner, and see which there are."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from server.cli import kinds
from server.cli.answer import Json, give, run, table
from server.cli.secret import PasswordFile, PasswordStdin, choose
from server.settings import load

if TYPE_CHECKING:
    from server.setup import ShopMade
    from server.store.shops import ShopRow

shop = typer.Typer(help="Shops.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@shop.command("create")
def create(
    slug: Annotated[
        str, typer.Argument(help="Short name: small letters, digits and hyphens.", parser=kinds.slug)
    ],
    owner_email: Annotated[
        str, typer.Option(help="E-mail address of the owner, who may do everything.", parser=kinds.email)
    ],
    name: Annotated[
        str | None, typer.Option(help="The shop's name; the short name if not given.", parser=kinds.name)
    ] = None,
    owner_name: Annotated[str, typer.Option(help="The owner's name.", parser=kinds.name)] = "Owner",
    origin: Annotated[
        list[str],
        typer.Option(
            help="Where its widget and its desk are served from, such as https://shop.example; several times.",
            parser=kinds.origin,
        ),
    ] = [],  # noqa: B006
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Make a shop with its owner and a key for identity tokens. A generated password, and the key, are shown once."""
    from server.setup import Owner, Setup  # most of the program: not for every command

    password = choose(password_file, stdin=password_stdin)
    owner = Owner(owner_email, owner_name, password.text)

    async def work() -> "ShopMade":
        async with Setup(load()) as setup:
            return await setup.create_shop(slug=slug, name=name or slug, owner=owner, origins=tuple(origin))

    made = run(work())
    document = {
        "shop": _shown(made.shop),
        "owner": {"id": made.owner.id, "email": made.owner.email, **password.shown()},
        "identity_key": {"kid": made.identity_key.kid, "secret": made.identity_key.secret},
    }
    lines = [
        f"Shop {made.shop.slug} is there, owned by {made.owner.email}.",
        *password.told(),
        f"Key for identity tokens, shown once: {made.identity_key.kid}:{made.identity_key.secret}",
    ]
    give(document, "\n".join(lines), as_json=as_json)


@shop.command("list")
def list_shops(as_json: Json = False) -> None:
    """The shops of this server."""

    from server.setup import Setup  # most of the program: not for every command

    async def work() -> "tuple[ShopRow, ...]":
        async with Setup(load()) as setup:
            return await setup.shops()

    rows = run(work())
    lines = [("SHOP", "NAME", "STATUS"), *((row.slug, row.name, row.status) for row in rows)]
    give([_shown(row) for row in rows], table(lines), as_json=as_json)


@shop.command("suspend")
def suspend(
    slug: Annotated[str, typer.Argument(help="Short name of the shop.", parser=kinds.slug)],
    as_json: Json = False,
) -> None:
    """Serve a shop no longer: nobody of it gets in, and who is in is out within a second. Nothing is deleted."""
    _tell(slug, "suspend", "is suspended", as_json=as_json)


@shop.command("serve-again")
def serve_again(
    slug: Annotated[str, typer.Argument(help="Short name of the shop.", parser=kinds.slug)],
    as_json: Json = False,
) -> None:
    """End a shop's suspension."""
    _tell(slug, "serve_again", "is served again", as_json=as_json)


def _tell(slug: str, verb: Literal["suspend", "serve_again"], what: str, *, as_json: bool) -> None:
    from server.setup import Setup  # most of the program: not for every command

    async def work() -> "ShopRow":
        async with Setup(load()) as setup:
            return await (setup.suspend(slug) if verb == "suspend" else setup.serve_again(slug))

    row = run(work())
    give(_shown(row), f"Shop {row.slug} {what}.", as_json=as_json)


def _shown(row: "ShopRow") -> dict[str, str]:
    return {"id": row.id, "slug": row.slug, "name": row.name, "status": row.status}


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(shop, name="shop")
