"""The commands put together, and the one place where errors become a sentence and an exit code."""

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from server.cli import accounts, chat, configuration, documents, keys, operations, running, shops
from server.cli.answer import DONE, FAILED, INTERRUPTED, WRONG_USE, Failure, explain, fail

app = typer.Typer(
    name="pointsman",
    help="Real-time chat routing: every customer reaches the right agent, and no message is lost.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
running.add_to(app)
operations.add_to(app)
shops.add_to(app)
accounts.add_to(app)
keys.add_to(app)
documents.add_to(app)
configuration.add_to(app)
chat.add_to(app)


@app.callback()
def pointsman(
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the whole traceback of an unexpected error.")
    ] = False,
) -> None:
    """Real-time chat routing: every customer reaches the right agent, and no message is lost."""
    # Read from the arguments by `run`, since errors come before any command as well.
    del traceback


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The entry point: runs one command and exits with its code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code. Expected errors are printed, never raised."""
    as_json = "--json" in arguments
    try:
        answer = typer.main.get_command(app).main(arguments, prog_name="pointsman", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return DONE  # whoever read our output has read enough
    except typer.TyperException as error:
        sentence = f"{error.format_message()} `pointsman --help` lists commands and options."
        fail(Failure("wrong_use", sentence), as_json=as_json)
        return WRONG_USE
    except Exception as error:
        failure = explain(error)
        if failure is None:
            if "--traceback" in arguments:
                raise
            what = f"{type(error).__name__}: {error}"
            failure = Failure(
                "bug", f"This is a bug in Pointsman ({what}). Run with --traceback to report it."
            )
        fail(failure, as_json=as_json)
        return FAILED
    return answer if isinstance(answer, int) else DONE
