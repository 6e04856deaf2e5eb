"""`pointsman api-key`: keys with which a shop's own systems ask."""

from typing import TYPE_CHECKING, Annotated

import typer

from server.cli import kinds
from server.cli.answer import Json, give, run
from server.http.rights import Scope
from server.settings import load

if TYPE_CHECKING:
    from server.store.api_keys import ApiKeyRow

api_key = typer.Typer(
    help="Keys for a shop's own systems.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@api_key.command("create")
def create(
    shop: Annotated[str, typer.Option("--shop", help="The shop's short name.")],
    name: Annotated[str, typer.Option(help="What the key is for.", parser=kinds.name)],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be given several times.")],
    as_json: Json = False,
) -> None:
    """Make an API key. It is shown once; send it as `Authorization: Bearer KEY`."""

    from server.setup import Setup  # most of the program: not for every command

    async def work() -> "tuple[str, ApiKeyRow]":
        async with Setup(load()) as setup:
            return await setup.create_api_key(shop, name, frozenset(scope))

    key, row = run(work())
    document = {"id": row.id, "shop": shop, "name": row.name, "scopes": sorted(row.scopes), "key": key}
    give(document, f"API key {row.name}, shown once: {key}", as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(api_key, name="api-key")
