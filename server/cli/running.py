"""Commands that run a server: `serve` for one node, `demo` for a whole shop on this machine."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from router.redis_link import LinkError
from server.cli.answer import Failure, Json, give, run
from server.cli.chat import Lang, words_for
from server.cli.operations import redis_down
from server.settings import PREFIX, load


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = None,
    node: Annotated[str | None, typer.Option(help="This node's name; unique among running nodes.")] = None,
    as_json: Json = False,
) -> None:
    """Run one node until SIGTERM or Ctrl+C; then it drains. Settings come from the environment (`config list`).

    Says on standard output where it listens, once it answers; logs go to standard error.
    """
    import uvloop

    from server.serve import serve as serve_node  # the whole server: not for the other commands

    overrides = {"host": host, "port": port, "node": node}
    settings = load(**{name: value for name, value in overrides.items() if value is not None})

    def listening(at: str, number: int) -> None:
        document = {"host": at, "port": number, "node": settings.node}
        give(document, f"Listening on http://{at}:{number} as {settings.node}.", as_json=as_json)
        sys.stdout.flush()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_node(settings, listening=listening))
    except LinkError as error:
        raise redis_down(error) from None
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        sentence = f"This node cannot listen on {where} or reach Redis: {error.strerror or error}."
        raise Failure("cannot_serve", f"{sentence} `pointsman config check --connect` tells which.") from None


class Servers(StrEnum):
    """Where private servers come from."""

    AUTO = "auto"
    INSTALLED = "installed"
    WHEELS = "wheels"


def demo(
    state_dir: Annotated[Path, typer.Option(help="Where the demo's data stays between runs.")] = Path(".run"),
    port: Annotated[
        int, typer.Option(help="Port of the first node; the second takes the next. 0: free ones.", min=0)
    ] = 8000,
    database_url: Annotated[
        str | None,
        typer.Option(envvar=f"{PREFIX}DATABASE_URL", help="A PostgreSQL to use instead of a private one."),
    ] = None,
    redis_url: Annotated[
        str | None, typer.Option(envvar=f"{PREFIX}REDIS_URL", help="A Redis to use instead of a private one.")
    ] = None,
    servers: Annotated[
        Servers, typer.Option(envvar=f"{PREFIX}EMBEDDED", help="Where private servers come from.")
    ] = Servers.AUTO,
    once: Annotated[bool, typer.Option("--once", help="End when the first conversation was served.")] = False,
    duration_s: Annotated[
        float | None, typer.Option("--duration", help="End after so many seconds.", min=1)
    ] = None,
    customers: Annotated[bool, typer.Option(help="Customers come by themselves.")] = True,
    bot: Annotated[bool, typer.Option("--bot", help="A sample bot speaks first.")] = False,
    lang: Lang = None,
) -> None:
    """Play a whole shop on this machine: private servers, two nodes, robots, customers, a live board."""
    from server.demo import play  # most of the program: not for the other commands

    wishes = play.Wishes(
        state_dir=state_dir,
        database_url=database_url or None,
        redis_url=redis_url or None,
        prefer=servers.value,
        port=port,
        once=once,
        duration_s=duration_s,
        bot=bot,
        customers=customers,
    )
    try:
        run(play.Demo(wishes, words_for(lang)).run())
    except (play.DemoFailed, play.NodeFailed) as error:
        raise Failure("demo_failed", str(error)) from None


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("serve")(serve)
    app.command("demo")(demo)
