"""Screen sharing between two real browsers, which capture a real page and speak only through our sockets (CO-04)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from protocol.states import Role
from tests.scenarios.browser import Browser
from tests.scenarios.house import House, Person

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
PAGE = (Path(__file__).parent / "screen_page.js").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.req("CO-04"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (Debian: apt-get install chromium)"),
]


class Visitor:
    """Somebody at a browser of their own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    async def arrives(self, person: Person) -> None:
        """Open the node's own page, and a socket from it."""
        person.node = person.shop.house.next_node()
        await self._browser.opens(f"{person.node.url}/livez")
        await self._browser.runs(f"{PAGE}; 0")
        socket = person.node.url.replace("http", "ws") + "/ws"
        await self.does("arrives", socket, await person.ticket())

    async def does(self, what: str, *arguments: Any) -> Any:
        """Call something of the page."""
        given = ", ".join(json.dumps(argument) for argument in arguments)
        return await self._browser.runs(f"side.{what}({given})")

    async def state(self) -> dict[str, Any]:
        """What the page has counted."""
        return await self._browser.runs("side.state")


async def test_a_customers_page_is_seen_in_the_agents_browser(house: House) -> None:
    shop = await house.shop()
    ann = await shop.person(await shop.account("Ann", Role.AGENT), arrive=False)
    async with Browser(CHROMIUM) as first, Browser(CHROMIUM) as second:
        agent, customer = Visitor(first), Visitor(second)
        await agent.arrives(ann)
        await agent.does("ask", "agent.set_status", {"status": "online"})
        cara = await shop.customer("Cara")
        await cara.leave()
        await customer.arrives(cara)
        talk = (await customer.does("ask", "conversation.open", {}))["conversation"]["conversation_id"]
        await agent.does("waits", "conversation.assigned")

        asked = await agent.does("ask", "screen.ask", {"conversation_id": talk, "sharer_id": cara.id})
        share = asked["share"]["share_id"]
        assert (await customer.does("waits", "screen.changed"))["share"]["state"] == "asked"
        await customer.does("ask", "screen.answer", {"share_id": share, "agree": True})
        await agent.does("follows", share)
        await customer.does("follows", share)
        await customer.does("shows")
        assert await agent.does("connected") == await customer.does("connected") == "connected"

        picture = await agent.does("pictures")
        assert picture["width"] > 100 and picture["height"] > 100
        shown, seen = await customer.state(), await agent.state()
        assert shown["from"] == "browser"  # a captured tab, not a drawing
        assert shown["sent"] >= 2 and seen["sent"] >= 2  # a description and candidates, each way
        assert (shown["gaps"], seen["gaps"]) == (0, 0)
        assert (shown["last"], seen["last"]) == (seen["sent"], shown["sent"])
