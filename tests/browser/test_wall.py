"""The wall marks what the shop wants marked, and moves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop


class Office(Agent):
    """Somebody at the wall, or at its thresholds."""

    def tile(self, name: str) -> Locator:
        return self.page.get_by_role("region", name="总览").locator("dl > div").filter(has_text=name)

    def saves(self) -> None:
        self.page.get_by_role("button", name="保存", exact=True).click()
        expect(self.page.get_by_text("已保存")).to_be_visible()


@pytest.mark.req("KS-23", "CO-09")
def test_a_threshold_that_the_admin_sets_marks_the_tile_on_the_wall(shop: RunningShop, opens: Opens) -> None:
    boss = Office(opens())
    boss.comes_in(shop.link(seed.SUPERVISOR, "/wall"))
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("有人吗？")
    expect(boss.tile("排队人数").locator(".value")).to_have_text("1")
    expect(boss.tile("排队人数")).to_contain_text("正常")
    expect(boss.tile("当前 3 分钟回复率")).to_be_visible()

    admin = Office(opens())
    admin.comes_in(shop.link(seed.ADMIN, "/settings/wall"))
    wanted = admin.page.get_by_role("checkbox", name="排队人数")
    wanted.check()
    admin.page.get_by_role("spinbutton", name="注意：排队人数").fill("3")
    admin.page.get_by_role("spinbutton", name="需处理：排队人数").fill("1")
    admin.page.get_by_role("button", name="保存", exact=True).click()
    expect(admin.page.get_by_text("「需处理」的值不能低于「注意」的值。").first).to_be_visible()
    admin.page.get_by_role("spinbutton", name="注意：排队人数").fill("1")
    admin.saves()

    expect(boss.tile("排队人数")).to_contain_text("需处理")
    history = admin.page.get_by_role("region", name="变更历史")
    expect(history.get_by_text("管理员").first).to_be_visible()
    wanted.uncheck()
    admin.saves()
    expect(boss.tile("排队人数")).to_contain_text("正常")
