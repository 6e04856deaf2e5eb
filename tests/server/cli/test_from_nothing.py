"""A script sets a server up from nothing, with `--json` at every step, and somebody can sign in to it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.command_line import CommandLine, Here


@pytest.mark.req("KS-05", "GP-01")
def test_from_an_empty_database_to_a_working_shop(pointsman: CommandLine) -> None:
    assert pointsman.json("config", "check", "--connect")["ok"] is True
    assert pointsman.json("migrate")["applied"]

    made = pointsman.json("shop", "create", "acme", "--name", "Acme", "--owner-email", "boss@acme.example")
    group = pointsman.json(
        "group", "create", "--shop", "acme", "--name", "After-sale", "--order-state", "after_sale"
    )
    lin = pointsman.json(
        *("account", "create", "--shop", "acme", "--email", "lin@acme.example", "--name", "Lin"),
        *("--role", "agent", "--group", "After-sale", "--capacity", "3"),
    )
    key = pointsman.json("api-key", "create", "--shop", "acme", "--name", "erp", "--scope", "orders:write")
    assert [row["slug"] for row in pointsman.json("shop", "list")] == ["acme"]

    with pointsman.start("serve", "--port", "0", "--json") as node:
        port = int(node.expect('"port"').strip(" ,").removeprefix('"port": '))
        url = f"http://127.0.0.1:{port}"
        sign_in = {"shop": "acme", "email": "lin@acme.example", "password": lin["password"]}
        assert httpx.post(f"{url}/v1/auth/login", json=sign_in).status_code == 200
        owner = {"shop": "acme", "email": "boss@acme.example", "password": made["owner"]["password"]}
        token = httpx.post(f"{url}/v1/auth/login", json=owner).json()["access_token"]
        routing = httpx.get(f"{url}/v1/settings/routing", headers={"Authorization": f"Bearer {token}"}).json()
        assert routing["policy"]["mode"] == "grouped"
        assert routing["policy"]["order_state_groups"] == {"after_sale": [group["id"]]}
        order = {"customer_id": "c-1", "state": "after_sale", "changed_at": "2026-11-22T08:00:00.000Z"}
        put = httpx.put(f"{url}/v1/orders/o-1", json=order, headers={"Authorization": f"Bearer {key['key']}"})
        assert put.status_code == 200
        node.signal(signal.SIGTERM)
        assert node.ended() == 0


def test_migrating_twice_applies_nothing_the_second_time(pointsman: CommandLine) -> None:
    pointsman.json("migrate")
    assert pointsman.json("migrate") == {"applied": []}


def test_a_given_password_is_taken_from_a_file_and_not_shown(shop: Here, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")
    made = shop.json(
        *(
            "account",
            "create",
            "--shop",
            "acme",
            "--email",
            "a@acme.example",
            "--name",
            "A",
            "--role",
            "agent",
        ),
        *("--password-file", secret),
    )
    assert "password" not in made


def test_a_given_password_may_come_from_standard_input(shop: Here) -> None:
    made = shop.json(
        *(
            "account",
            "create",
            "--shop",
            "acme",
            "--email",
            "a@acme.example",
            "--name",
            "A",
            "--role",
            "agent",
        ),
        "--password-stdin",
        stdin="correct horse battery\n",
    )
    assert "password" not in made


def test_live_state_is_rebuilt_from_the_database(shop: Here) -> None:
    assert shop.json("rebuild-live") == {"rebuilt": ["acme"]}


def test_statistics_are_rebuilt_from_the_log(shop: Here) -> None:
    assert shop.json("rebuild-statistics") == {"summed_up": 0}


def test_every_setting_is_listed_with_what_it_does(here: Here) -> None:
    rows = {row["name"]: row for row in here.json("config", "list")}
    assert rows["POINTSMAN_DATABASE_URL"]["required"] is True
    assert all(row["description"] for row in rows.values())


def test_the_documents_of_the_protocol_are_printed(here: Here) -> None:
    assert json.loads(here.run("document", "openrpc").out)["openrpc"]
    assert json.loads(here.run("document", "asyncapi").out)["asyncapi"]


def test_doctor_says_what_is_there(here: Here) -> None:
    done = here.run("doctor", "--json")
    assert {"PostgreSQL", "Redis"} <= {check["name"] for check in done.document["checks"]}
    assert done.document["ok"] is (done.code == 0)
