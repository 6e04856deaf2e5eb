"""`pointsman settings`: a shop's whole configuration out as one YAML file, and in again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from server.cli.answer import Failure, Json, give, run
from server.settings import load

if TYPE_CHECKING:
    from server.services.configuration.configurations import Brought

settings = typer.Typer(
    help="A shop's settings as one file.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
ShopName = Annotated[str, typer.Argument(help="The shop's short name.")]


@settings.command("export")
def export(
    shop: ShopName,
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; standard output if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write all settings of a shop as YAML, in a stable order and without any secret."""
    from server.setup import Setup  # most of the program: not for every command

    async def work() -> str:
        async with Setup(load()) as setup:
            return await setup.export_settings(shop)

    text = run(work())
    if to is not None:
        try:
            to.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failure("file_not_written", f"{to} cannot be written: {error.strerror}.") from None
        give({"shop": shop, "file": str(to)}, f"The settings of {shop} are in {to}.", as_json=as_json)
        return
    give({"shop": shop, "yaml": text}, text.removesuffix("\n"), as_json=as_json)


@settings.command("import")
def import_(
    shop: ShopName,
    file: Annotated[Path, typer.Argument(help="The file; - for standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change; nothing does.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a shop be as the file says: all of it or nothing. Sections that are left out stay as they are."""
    from server.setup import Setup  # most of the program: not for every command

    text = _text_of(file)

    async def work() -> "Brought":
        async with Setup(load()) as setup:
            return await setup.import_settings(shop, text, rehearse=dry_run)

    brought = run(work())
    changes = [
        {"section": each.section, "place": place, "before": before, "after": after}
        for each in brought.sections
        for place, before, after in each.changes
    ]
    lines = [
        f"{change['section']}: {change['place']}: {_said(change['before'])} -> {_said(change['after'])}"
        for change in changes
    ]
    if not changes:
        lines.append(f"Nothing differs from what holds in {shop}.")
    elif dry_run:
        lines.append("Nothing was changed; leave out --dry-run to do it.")
    else:
        lines.append(f"Imported into {shop}.")
    document = {"shop": shop, "applied": brought.applied, "changes": changes}
    give(document, "\n".join(lines), as_json=as_json)


def _text_of(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise Failure("file_not_read", f"{file} cannot be read: {why}.") from None


def _said(value: Any) -> str:
    return orjson.dumps(value).decode()


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(settings, name="settings")
