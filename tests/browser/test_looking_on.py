"""Who only looks is told, too: the list of all and a colleague's conversation move by themselves, and nobody asks."""

from __future__ import annotations

import pytest
from playwright.sync_api import WebSocket, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

WITHIN_MS = 3000
"""Told within two seconds, and drawn."""


@pytest.mark.req("GP-02", "PF-03")
def test_the_list_of_all_and_what_is_read_in_it_move_by_themselves(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    boss = Agent(opens())
    asked: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: asked.append(str(frame)))

    boss.page.on("websocket", listen)
    boss.comes_in(shop.link(seed.SUPERVISOR, "/work"))
    boss.looks_at("全部")
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()

    visitor.writes("在吗？")

    cell = boss.list.get_by_role("button").filter(has_text="小雨").first
    expect(cell).to_contain_text("在吗？", timeout=WITHIN_MS + 2000)  # it may be opened and routed first
    cell.click()
    boss.sees("在吗？")
    asked.clear()
    visitor.writes("我的壶漏水了")
    expect(boss.thread.get_by_text("我的壶漏水了")).to_be_visible(timeout=WITHIN_MS)
    expect(cell).to_contain_text("我的壶漏水了")
    lin.says(lin.gets("我的壶漏水了"), "马上看")
    expect(boss.thread.get_by_text("马上看")).to_be_visible(timeout=WITHIN_MS)
    lists = [frame for frame in asked if "conversation.list" in frame or "conversation.get" in frame]
    assert lists == [], "nothing was asked for anew"
