"""The desk on a phone: everything can be read and answered at 390 px, and nothing is wider than the screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import DESKTOP, PHONE, Agent, Visitor
from tests.browser.running_shop import RunningShop

AGENTS_PAGES = ("/desk/customers", "/desk/reports", "/desk/me")


def fits(page: Page) -> None:
    """Nobody has to scroll sideways."""
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


def within(page: Page, there: Locator) -> None:
    """It is there as a whole."""
    box = there.bounding_box()
    assert box is not None and page.viewport_size is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"], f"{there}: {box}"


def test_an_agent_serves_from_a_phone(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens(size=PHONE)).comes_in(shop.link(seed.SECOND_HUMAN, "/work")).is_online()
    page = zhou.page
    fits(page)
    visitor = Visitor(opens(size=PHONE)).comes_to(shop.b).opens_the_chat()
    visitor.writes("壶嘴歪了，" * 30)
    zhou.opens("小雨")
    expect(zhou.list).to_be_hidden()
    expect(zhou.thread.get_by_text("壶嘴歪了")).to_be_visible()
    fits(page)
    for name in ("返回列表", "邀请", "转接", "结束会话", "详情", "添加附件", "快捷回复", "发送"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_visible()
        within(page, button)
    zhou.input.fill("请发张照片")
    page.get_by_role("button", name="发送", exact=True).click()
    visitor.sees("请发张照片")
    entry = zhou.thread.locator(".entry").filter(has_text="请发张照片")
    within(page, entry.get_by_role("button", name="撤回"))
    page.get_by_role("button", name="详情", exact=True).click()
    side = page.get_by_role("complementary", name="详情")
    expect(side.get_by_text("手冲细口壶")).to_be_visible()
    within(page, side)
    side.get_by_role("button", name="关闭").click()
    expect(side).to_be_hidden()
    zhou.presses("转接")
    within(page, zhou.asked)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="返回列表").click()
    expect(zhou.list.get_by_role("button", name="小雨")).to_be_visible()
    for address in AGENTS_PAGES:
        page.goto(f"{shop.a}{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        fits(page)


@pytest.mark.req("CO-12")
def test_a_supervisor_reads_the_wall_on_a_phone(shop: RunningShop, opens: Opens) -> None:
    shop.colleague(seed.HUMAN)
    boss = Agent(opens(size=PHONE)).comes_in(shop.link(seed.SUPERVISOR, "/wall"))
    expect(boss.page.get_by_text("林小美").first).to_be_visible()
    fits(boss.page)


def test_an_empty_workbench_says_so_once(shop: RunningShop, opens: Opens) -> None:
    """Not a second time where nobody sees it: what is in the page twice is in it twice for a moment as it is turned."""
    lin = Agent(opens(size=PHONE)).comes_in(shop.link(seed.HUMAN, "/work"))
    said = lin.page.get_by_role("heading", name="您当前离线", include_hidden=True)
    for size in (PHONE, DESKTOP, PHONE):
        lin.page.set_viewport_size(size)
        expect(said).to_be_visible()
