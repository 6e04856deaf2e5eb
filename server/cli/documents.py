"""`pointsman document`: the protocol's own descriptions, for tools and people."""

from enum import StrEnum
from typing import Annotated

import typer

from protocol.schema.asyncapi import asyncapi
from protocol.schema.openrpc import openrpc
from server.cli.answer import Json, give


class Document(StrEnum):
    """What describes the protocol."""

    OPENRPC = "openrpc"
    ASYNCAPI = "asyncapi"


def document(
    name: Annotated[
        Document, typer.Argument(help="openrpc: the requests; asyncapi: with the notifications.")
    ],
    as_json: Json = True,
) -> None:
    """Print the OpenRPC or AsyncAPI document of the wire protocol (always JSON)."""
    del as_json
    give(openrpc() if name is Document.OPENRPC else asyncapi(), "", as_json=True)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("document")(document)
