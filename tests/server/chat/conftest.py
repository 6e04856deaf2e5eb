"""A running node with a shop of one agent and one group, and people at terminals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from protocol.states import OrderState, Role
from server.chat.door import Door
from server.embedded.ports import free_port
from server.services.accounts import NewAccount
from server.settings import load
from server.setup import Owner, Setup
from tests.command_line import SECRET, CommandLine, Running

PASSWORD = "correct horse battery"


@dataclass
class House:
    """One node on a fixed port, so that it can come back, and the terminals that talk to it."""

    pointsman: CommandLine
    port: int
    folder: Path
    key: Path
    running: list[Running] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> Running:
        """Start the node."""
        node = self.pointsman.start("serve", "--port", str(self.port))
        self.running.append(node)
        node.expect("Listening on")
        return node

    def agent(self, name: str = "lin") -> Running:
        """An agent sits down."""
        terminal = self.pointsman.start(
            *("chat", "agent", "--url", self.url, "--shop", "acme", "--lang", "en"),
            *("--email", f"{name}@acme.example", "--password-file", self.folder / "password"),
        )
        self.running.append(terminal)
        terminal.expect("Connected to Acme")
        return terminal

    def customer(self, name: str = "", *, order_state: str = "after_sale", lang: str = "en") -> Running:
        """A customer sits down: known to the shop by that name, or an anonymous visitor."""
        known = ("--name", name, "--order-state", order_state, "--identity-key", self.key) if name else ()
        terminal = self.pointsman.start(
            *("chat", "customer", "--url", self.url, "--shop", "acme", "--lang", lang), *known
        )
        self.running.append(terminal)
        return terminal

    def quick_reply(self, **content: str) -> None:
        """The boss writes a quick reply for the whole shop."""
        asyncio.run(self._quick_reply({"whose": "shop", **content}))

    async def _quick_reply(self, body: dict[str, str]) -> None:
        async with Door(self.url) as door:
            boss = await door.sign_in("acme", "boss@acme.example", PASSWORD)
            await door.ask("POST", "/v1/quick-replies", body, token=boss.access_token)


@pytest.fixture
def house(
    migrated_database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """The shop `acme`: Lin (room for one) and Chen serve its after-sale group, Vera supervises; the node runs."""
    settings = {"database_url": migrated_database_url, "redis_url": redis_url, "secret": SECRET}
    for name, value in settings.items():
        monkeypatch.setenv(f"POINTSMAN_{name.upper()}", value)
    pointsman = CommandLine(**settings, drain_wave_percent="100")
    port = free_port()
    (tmp_path / "password").write_text(f"{PASSWORD}\n")

    async def make() -> str:
        async with Setup(load()) as setup:
            owner = Owner("boss@acme.example", "Boss", PASSWORD)
            made = await setup.create_shop(
                slug="acme", name="Acme", owner=owner, origins=(f"http://127.0.0.1:{port}",)
            )
            for name in ("Lin", "Chen"):
                roles = frozenset({Role.AGENT})
                new = NewAccount(f"{name.lower()}@acme.example", name, roles, PASSWORD, capacity=1)
                await setup.create_account("acme", new, [])
            vera = NewAccount("vera@acme.example", "Vera", frozenset({Role.SUPERVISOR}), PASSWORD)
            await setup.create_account("acme", vera, [])
            bot = NewAccount("robo@acme.example", "Robo", frozenset({Role.BOT}), PASSWORD)
            await setup.create_account("acme", bot, [])
            members = ["lin@acme.example", "chen@acme.example"]
            await setup.create_group("acme", "After-sale", "other", members, [OrderState.AFTER_SALE])
            return f"{made.identity_key.kid}:{made.identity_key.secret}"

    key = tmp_path / "identity.key"
    key.write_text(asyncio.run(make()))
    found = House(pointsman, port, tmp_path, key)
    found.serve()
    yield found
    for terminal in reversed(found.running):
        terminal.__exit__()
