"""A shop on a stage: made over the command line and HTTP as the documentation says, with its people's accounts."""

import asyncio
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from loadtest.children import run
from loadtest.front_desk import ORIGIN, Door, Refused

PASSWORD = secrets.token_urlsafe(12)
"""Of every account of every run of this process."""

BUSY_S = 60.0
_spare_numbers = count(1000)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of the shop who can sign in, with `PASSWORD`."""

    id: str
    email: str


@dataclass(slots=True)
class Shop:
    """Made by `found`; `port` is where its people come in, `open_doors` lets them."""

    slug: str
    port: int = 0
    owner_token: str = ""
    agents: list[Account] = field(default_factory=list[Account])
    supervisors: list[Account] = field(default_factory=list[Account])
    bots: list[Account] = field(default_factory=list[Account])
    managers: list[Account] = field(default_factory=list[Account])
    """service admins: they assign, and set others' status"""
    spare: list[Account] = field(default_factory=list[Account])
    """of whom nobody makes a person"""

    @classmethod
    async def found(cls, slug: str, environment: Mapping[str, str]) -> "Shop":
        """A new shop with its owner; no node has to run. Raises ChildFailed."""
        owner = f"owner@{slug}.example"
        create = ("shop", "create", slug, "--owner-email", owner, "--password-stdin", "--json")
        await run((sys.executable, "-m", "server", *create), environment, PASSWORD)
        return cls(slug)

    async def open_doors(self) -> None:
        """Pages may come from `ORIGIN`. Raises Refused."""
        await self.renew()
        async with Door(self.port) as door:
            for surface in ("widget", "desk"):
                path = f"/v1/settings/origins/{surface}"
                revs = (await door.ask("GET", "/v1/settings/origins", token=self.owner_token))["revs"]
                body = {"origins": [ORIGIN], "rev": revs[surface]}
                await door.ask("PUT", path, body, token=self.owner_token)

    async def employ(
        self, *, agents: int = 0, supervisors: int = 0, bots: int = 0, managers: int = 0, capacity: int = 10
    ) -> None:
        """So many more accounts of each kind; agents hold `capacity` conversations. Raises Refused."""
        async with Door(self.port) as door:
            for kind, many, known in (
                ("agent", agents, self.agents),
                ("supervisor", supervisors, self.supervisors),
                ("bot", bots, self.bots),
                ("service_admin", managers, self.managers),
            ):
                for _ in range(many):
                    known.append(await self._employ(door, kind, len(known) + 1, capacity))

    async def hire(self, kind: str, capacity: int = 1) -> Account:
        """One more account that is in none of the lists. Raises Refused."""
        async with Door(self.port) as door:
            return await self._employ(door, kind, next(_spare_numbers), capacity)

    async def change_policy(self, **members: Any) -> None:
        """Change the shop's routing settings. Raises Refused."""
        async with Door(self.port) as door:
            current = await door.ask("GET", "/v1/settings/routing", token=self.owner_token)
            body = {
                "rev": current["rev"],
                "policy": {**current["policy"], **members},
                "note": "set up for a load test",
            }
            await door.ask("PUT", "/v1/settings/routing", body, token=self.owner_token)

    async def renew(self) -> None:
        """A fresh token for the owner: an access token lives for a quarter of an hour. Raises Refused.

        Who has just mended something may find the server busy: it is asked again for a while.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with Door(self.port) as door:
            while True:
                try:
                    self.owner_token = await door.sign_in(self.slug, f"owner@{self.slug}.example", PASSWORD)
                except Refused as refusal:
                    if not refusal.later or loop.time() - began > BUSY_S:
                        raise
                    await asyncio.sleep(0.5)
                else:
                    return

    async def violations(self) -> dict[str, int]:
        """The server's own count of broken invariants on live data, those that are not 0. Raises Refused."""
        await self.renew()
        async with Door(self.port) as door:
            counted = await door.ask("GET", "/v1/invariants", token=self.owner_token)
        return {name: times for name, times in cast("dict[str, int]", counted["violations"]).items() if times}

    async def _employ(self, door: Door, kind: str, number: int, capacity: int) -> Account:
        email = f"{kind}{number}@{self.slug}.example"
        body: dict[str, Any] = {
            "email": email,
            "name": f"{kind.capitalize()} {number}",
            "roles": [kind],
            "password": PASSWORD,
        }
        if kind == "agent":
            body["capacity"] = capacity
        made = await door.ask("POST", "/v1/accounts", body, token=self.owner_token)
        return Account(str(made["id"]), email)
