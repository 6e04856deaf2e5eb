"""Whatever is wrong: one clear sentence (or one JSON object), the right exit code, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import SECRET, CommandLine, Here

ACCOUNT = ("account", "create", "--shop", "acme", "--name", "Lin", "--role", "agent")


def test_all_faults_of_the_settings_are_told_together(here: Here) -> None:
    done = here.settings(port="99999", database_url="mysql://x").run("config", "check")
    assert done.code == 1
    for name in ("POINTSMAN_PORT", "POINTSMAN_DATABASE_URL", "POINTSMAN_REDIS_URL", "POINTSMAN_SECRET"):
        assert name in done.err


def test_the_same_faults_as_json(here: Here) -> None:
    done = here.run("config", "check", "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "settings_invalid"
    assert len(done.document["error"]["faults"]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("shop", "create"),
        ("serve", "--port", "70000"),
        ("shop", "create", "Not A Slug", "--owner-email", "boss@acme.example"),
        ("shop", "create", "other", "--owner-email", "no address"),
        ("account", "create", "--shop", "acme", "--email", "x@y.example", "--name", "X", "--role", "emperor"),
        ("chat", "customer", "--shop", "acme", "--name", "Alice"),
        ("chat", "agent", "--shop", "acme", "--email", "lin@acme.example"),
        ("demo", "--duration", "0"),
    ],
)
def test_a_wrong_command_line_is_exit_2(here: Here, arguments: tuple[str, ...]) -> None:
    done = here.run(*arguments)
    assert done.code == 2
    assert "pointsman --help" in done.err


def test_a_wrong_command_line_as_json(here: Here) -> None:
    done = here.run("no-such-command", "--json")
    assert (done.code, done.document["error"]["code"]) == (2, "wrong_use")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("shop", "create", "acme", "--owner-email", "boss@acme.example"), "slug_taken"),
        ((*ACCOUNT, "--email", "boss@acme.example"), "email_taken"),
        ((*ACCOUNT, "--email", "x@acme.example", "--group", "Nobody"), "group_not_found"),
        (
            (
                "account",
                "create",
                "--shop",
                "nope",
                "--name",
                "X",
                "--role",
                "agent",
                "--email",
                "x@x.example",
            ),
            "shop_not_found",
        ),
        (
            ("group", "create", "--shop", "acme", "--name", "G", "--member", "x@x.example"),
            "account_not_found",
        ),
        (("api-key", "create", "--shop", "nope", "--name", "K", "--scope", "orders:read"), "shop_not_found"),
        (("rebuild-live", "--shop", "nope"), "shop_not_found"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(shop: Here, arguments: tuple[str, ...], code: str) -> None:
    done = shop.run(*arguments, "--json")
    assert done.document["error"]["code"] == code
    assert done.document["error"]["message"]
    assert done.code == 1


def test_a_weak_password_makes_no_shop(shop: Here) -> None:
    arguments = ("shop", "create", "other", "--owner-email", "boss@other.example", "--password-stdin")
    assert shop.run(*arguments, "--json", stdin="aaaaaaaaaa\n").document["error"]["code"] == "weak_password"
    assert [row["slug"] for row in shop.json("shop", "list")] == ["acme"]


def test_a_password_file_that_is_not_there(shop: Here, tmp_path: Path) -> None:
    done = shop.run(*ACCOUNT, "--email", "x@acme.example", "--password-file", tmp_path / "none")
    assert done.code == 1
    assert "cannot be read" in done.err


@pytest.mark.parametrize("command", [("migrate",), ("config", "check", "--connect"), ("shop", "list")])
def test_a_database_that_does_not_answer(here: Here, command: tuple[str, ...]) -> None:
    nowhere = here.settings(
        database_url="postgresql://x@127.0.0.1:1/x", redis_url="redis://127.0.0.1:1/0", secret=SECRET
    )
    done = nowhere.run(*command, "--json")
    assert (done.code, done.document["error"]["code"]) == (1, "database_down")


def test_serving_without_redis_says_so(migrated_database_url: str) -> None:
    nowhere = CommandLine(
        database_url=migrated_database_url, redis_url="redis://127.0.0.1:1/0", secret=SECRET
    )
    done = nowhere.run("serve", "--port", "0", "--json")
    assert (done.code, done.document["error"]["code"]) == (1, "cannot_serve")
    assert "config check --connect" in done.document["error"]["message"]
