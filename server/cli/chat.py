"""`pointsman chat`: be a customer or an agent at this terminal, or by a script through a pipe."""

import locale
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from protocol.ids import new_id
from protocol.states import OrderState
from server.chat.language import Language, load, preferred
from server.cli.answer import Failure, run
from server.cli.secret import read_secret

if TYPE_CHECKING:
    from server.chat.identity import IdentityKey

chat = typer.Typer(
    help="Talk through a Pointsman from this terminal.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


class Tongue(StrEnum):
    """The languages of the terminal."""

    EN = "en"
    ZH_CN = "zh-CN"
    ZH_TW = "zh-TW"


Url = Annotated[str, typer.Option("--url", help="Where a node listens.")]
Shop = Annotated[str, typer.Option("--shop", help="The shop's short name.")]
Origin = Annotated[
    str | None,
    typer.Option("--origin", help="The page we pretend to be; the server's own address when not given."),
]
Lang = Annotated[Tongue | None, typer.Option("--lang", help="Language; this system's when not given.")]

HERE = "http://127.0.0.1:8000"


def words_for(tongue: Tongue | None) -> Language:
    """The chosen language, or the one that this system speaks."""
    if tongue is not None:
        return load(tongue.value)
    name, _ = locale.getlocale()
    return load(preferred(name or ""))


@chat.command("customer")
def customer(
    shop: Shop,
    url: Url = HERE,
    name: Annotated[str, typer.Option(help="Who you are to the shop (needs a key).")] = "",
    customer_id: Annotated[
        str, typer.Option("--id", help="The shop's id of you; a new one when not given.")
    ] = "",
    order_state: Annotated[
        OrderState | None, typer.Option(help="How your order stands; decides who serves you (needs a key).")
    ] = None,
    order: Annotated[str | None, typer.Option(help="The order that your question is about.")] = None,
    identity: Annotated[
        str | None, typer.Option(help="An identity token that the shop's backend signed.")
    ] = None,
    identity_key: Annotated[
        Path | None, typer.Option(help="A file with KID:SECRET to sign for --name and --order-state with.")
    ] = None,
    origin: Origin = None,
    lang: Lang = None,
) -> None:
    """Be a customer: ask, wait, read who serves you. Without identity you are an anonymous visitor."""
    from server.chat import session  # the whole client: not for the other commands
    from server.chat.identity import Order, Person

    wants_person = bool(name or customer_id or order_state)
    if wants_person and identity_key is None:
        raise typer.BadParameter(
            "--name, --id and --order-state need --identity-key FILE (`pointsman demo` prints one)."
        )
    if wants_person and identity is not None:
        raise typer.BadParameter(
            "--identity says already who you are; leave --name, --id and --order-state out."
        )
    order_id = order or (f"{new_id()[-8:]}" if order_state else None)
    person = None
    if wants_person:
        orders = (
            (Order(order_id, order_state.value),) if order_state is not None and order_id is not None else ()
        )
        person = Person(customer_id or new_id(), name, orders=orders)
    entry = session.CustomerEntry(
        shop, identity, person, _key(identity_key) if identity_key is not None else None, order_id, origin
    )
    words = words_for(lang)
    _talk(session.customer(url, entry, words), words)


@chat.command("agent")
def agent(
    shop: Shop,
    email: Annotated[str, typer.Option(help="The account's e-mail address.")],
    url: Url = HERE,
    password: Annotated[
        str | None, typer.Option(help="Its password; better --password-file, or be asked.")
    ] = None,
    password_file: Annotated[Path | None, typer.Option(help="A file with the password.")] = None,
    stay: Annotated[
        bool, typer.Option("--stay", help="Do not sign out on leaving: the status stays.")
    ] = False,
    origin: Origin = None,
    lang: Lang = None,
) -> None:
    """Be an agent: receive, answer, transfer, end, pull, pause; and ask why anything is where it is."""
    from server.chat import session  # the whole client: not for the other commands

    if password is None and password_file is not None:
        password = read_secret(password_file, "password")
    if password is None:
        if not sys.stdin.isatty():
            raise typer.BadParameter(
                "Give the password with --password-file: standard input is not a terminal."
            )
        password = str(typer.prompt("Password", hide_input=True))
    entry = session.AgentEntry(shop, email, password, stay, origin)
    words = words_for(lang)
    _talk(session.agent(url, entry, words), words)


def _key(path: Path) -> "IdentityKey":
    from server.chat.identity import IdentityKey

    try:
        return IdentityKey.parse(read_secret(path, "identity key"))
    except ValueError as error:
        raise Failure("identity_key_invalid", f"The file {path} cannot be used: {error}.") from None


def _talk(work: Coroutine[Any, Any, None], words: Language) -> None:
    from server.chat.chat import UntilFailed
    from server.chat.link import LinkEnded
    from server.chat.session import NotIn

    try:
        run(work)
    except NotIn as error:
        raise Failure("not_in", str(error)) from None
    except LinkEnded as error:
        raise Failure("connection_ended", words("connection.ended", why=str(error))) from None
    except UntilFailed as error:
        raise Failure("until_failed", f"Waited in vain for a line with {str(error)!r}.") from None


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(chat, name="chat")
