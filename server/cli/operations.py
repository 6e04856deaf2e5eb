"""Commands that look after a server: migrate, config, rebuild-live, doctor."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from hiredis import ReplyError
from pydantic import SecretStr

from router.link import link_to
from router.redis_link import LinkError
from server.cli.answer import Failure, Json, give, run, table
from server.embedded import doctor as machine
from server.settings import PREFIX, SECRETS, Settings, load

PROBE_S = 3.0
REBUILD_STEP_S = 60.0

config = typer.Typer(
    help="Look at the settings of a server.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


def migrate_database(as_json: Json = False) -> None:
    """Bring the database to the newest schema. Repeating it is harmless."""
    from server.store.migrate import MigrationError, migrate  # a large library, for this command alone

    url = load().database_url.get_secret_value()
    try:
        applied = run(migrate(url))
    except MigrationError as error:
        raise Failure("migration_refused", str(error)) from None
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise database_down(error) from None
    text = "\n".join(f"applied {name}" for name in applied) or "The schema is current; nothing to do."
    give({"applied": applied}, text, as_json=as_json)


def database_down(error: BaseException) -> Failure:
    """PostgreSQL does not answer, or refuses us."""
    why = str(error).rstrip(".") or type(error).__name__
    return Failure(
        "database_down", f"PostgreSQL cannot be used: {why}. Check {PREFIX}DATABASE_URL and that it runs."
    )


def redis_down(error: BaseException) -> Failure:
    """Redis does not answer, or refuses us."""
    why = str(error).rstrip(".") or type(error).__name__
    return Failure("redis_down", f"Redis cannot be used: {why}. Check {PREFIX}REDIS_URL and that it runs.")


@config.command("check")
def config_check(
    connect: Annotated[bool, typer.Option("--connect", help="Also ask PostgreSQL and Redis.")] = False,
    as_json: Json = False,
) -> None:
    """Validate all settings; every fault is reported, together."""
    settings = load()
    reached = run(reach(settings)) if connect else []
    give(
        {"ok": True, "settings": shown(settings), "servers": reached},
        "\n".join(["The settings are sound.", *(f"{part['name']}: {part['found']}" for part in reached)]),
        as_json=as_json,
    )


@config.command("list")
def config_list(as_json: Json = False) -> None:
    """All settings with their defaults and what they do."""
    rows: list[dict[str, Any]] = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        plain = default.get_secret_value() if isinstance(default, SecretStr) else default
        needed = name in SECRETS
        rows.append(
            {
                "name": f"{PREFIX}{name.upper()}",
                "default": None if needed or field.default_factory else plain,
                "required": needed,
                "description": field.description,
            }
        )
    lines = [
        (row["name"], "required" if row["required"] else str(row["default"]), str(row["description"]))
        for row in rows
    ]
    give(rows, table(lines), as_json=as_json)


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as they may be printed: secrets only as whether they are set."""
    return {
        name: ("set" if value.get_secret_value() else "not set") if isinstance(value, SecretStr) else value
        for name, value in ((name, getattr(settings, name)) for name in Settings.model_fields)
    }


async def reach(settings: Settings) -> list[dict[str, str]]:
    """PostgreSQL and Redis with their versions. Raises `Failure` for the first that does not answer."""
    try:
        async with asyncio.timeout(PROBE_S):
            connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=PROBE_S)
            postgres = connection.get_server_version()
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise database_down(error) from None
    link = link_to(settings.redis_url.get_secret_value(), time_out_s=PROBE_S, name="pointsman-check")
    try:
        await link.open()
        said: bytes = await link.call("INFO")
    except (OSError, LinkError, ReplyError) as error:
        raise redis_down(error) from None
    await link.close()
    facts: dict[str, str] = {}
    for line in said.decode().splitlines():
        name, _, value = line.partition(":")
        facts[name] = value
    version = facts.get("valkey_version") or facts.get("redis_version", "?")
    return [
        {"name": "PostgreSQL", "found": f"{postgres.major}.{postgres.minor}"},
        {"name": "Redis", "found": version},
    ]


def rebuild_live(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop; all when not given.")] = None,
    as_json: Json = False,
) -> None:
    """Make live routing state anew from the database. Nodes may run meanwhile; they wait for it."""

    from server.setup import Setup  # most of the program: not for every command

    async def work() -> list[str]:
        async with Setup(load()) as setup:
            return await setup.rebuild_live(shop)

    rebuilt = run(work())
    give(
        {"rebuilt": rebuilt}, "\n".join(f"rebuilt {slug}" for slug in rebuilt) or "No shop.", as_json=as_json
    )


def rebuild_statistics(as_json: Json = False) -> None:
    """Throw the sums of all reports away and make them again from the log. Nodes may run meanwhile; reports stay right,
    and are slower until it is done."""

    from server.store.database import Database
    from server.store.statistics import Statistics

    async def work() -> int:
        settings = load()
        database = Database(
            settings.database_url.get_secret_value(), pool_max=2, deadline_s=settings.database_deadline_s
        )
        await database.open()
        try:
            statistics = Statistics(database)
            await statistics.start_anew()
            quarters = 0
            while more := await statistics.sum_up(budget_s=REBUILD_STEP_S):
                quarters += more
            return quarters
        finally:
            await database.aclose()

    quarters = run(work())
    give({"summed_up": quarters}, f"Summed up {quarters} quarters of an hour.", as_json=as_json)


def doctor(
    port: Annotated[int | None, typer.Option(help="Where the server shall listen.", min=1, max=65535)] = None,
    as_json: Json = False,
) -> None:
    """What this machine lacks to run Pointsman, and how to mend it. Looks, and changes nothing."""
    checks = machine.examine(Path.cwd(), port=port)
    lacking = [check for check in checks if check.needed and not check.ok]
    document = {
        "ok": not lacking,
        "checks": [
            {"name": one.name, "ok": one.ok, "needed": one.needed, "found": one.found, "mend": one.mend}
            for one in checks
        ],
    }
    give(document, machine.report(checks), as_json=as_json)
    if lacking:
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("migrate")(migrate_database)
    app.add_typer(config, name="config")
    app.command("rebuild-live")(rebuild_live)
    app.command("rebuild-statistics")(rebuild_statistics)
    app.command("doctor")(doctor)
