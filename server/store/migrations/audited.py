"""Lets the database record every change of a table in the audit (step 0005), whoever makes it and however."""

from server.store.migrations.sql import run


def audited(
    table: str,
    subject: str,
    *,
    named_by: str = "id",
    secret: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    on: str = "INSERT OR UPDATE OR DELETE",
    only_people: bool = False,
) -> None:
    """One record per changed row: `<table>.added`, `.changed`, `.removed`, with what differs.

    `subject`, `named_by`: what the row is, and the column with its id. `secret`: columns of which only is said that
    they were set or changed. `without`: columns that do not matter. `only_people`: not what the server does by itself.
    The table needs `shop_id` (or to be `shops`).
    """
    arguments = (
        subject, named_by, ",".join(secret), ",".join(without), "people" if only_people else "all",
    )  # fmt: skip
    _attach(table, on, "audit_row", arguments)


def audited_set(
    table: str, subject: str, *, named_by: str, without: tuple[str, ...] = (), within: str = ""
) -> None:
    """One record per transaction for rows that together are a set of some subject: `<table>.changed`, with the members
    that went and those that came. `named_by`: the column with the subject's id. `within`: the table whose set these
    rows belong to as well, and which is named instead."""
    arguments = (subject, named_by, ",".join(without), within or table)
    _attach(table, "INSERT OR UPDATE OR DELETE", "audit_member", arguments)


def _attach(table: str, on: str, function: str, arguments: tuple[str, ...]) -> None:
    quoted = ", ".join(f"'{argument}'" for argument in arguments)
    run(
        f"CREATE TRIGGER audited AFTER {on} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}({quoted})",
    )
