"""Everything is reached and left by the keyboard, and one always sees where one is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop
from tests.browser.tab_stops import lost_stops


@pytest.mark.parametrize(
    "page",
    [
        "/work",
        "/wall",
        "/customers",
        "/reports",
        "/settings/routing",
        "/settings/accounts",
        "/settings/widget",
        "/me",
    ],
)
def test_tab_goes_around_a_page_and_is_always_seen(shop: RunningShop, opens: Opens, page: str) -> None:
    window = opens()
    window.page.emulate_media(reduced_motion="reduce")
    desk = Agent(window).comes_in(shop.link(seed.ADMIN, page))
    expect(desk.page.get_by_role("main").get_by_role("heading", level=1).first).to_be_visible()
    desk.page.wait_for_load_state("networkidle")
    stops, lost = lost_stops(desk.page)
    assert lost == []
    assert stops >= 10
    assert desk.page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count() == 0


def test_tab_goes_around_a_conversation(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    window.page.emulate_media(reduced_motion="reduce")
    lin = Agent(window).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    lin.opens("小雨").writes("已经收到包裹，今天退款。")
    lin.sees("已经收到包裹，今天退款。")
    lin.page.locator("#main").focus()
    stops, lost = lost_stops(lin.page)
    assert lost == []
    assert stops >= 20


def test_the_first_stop_skips_the_bar(shop: RunningShop, opens: Opens) -> None:
    desk = Agent(opens()).comes_in(shop.link(seed.ADMIN, "/reports"))
    desk.page.keyboard.press("Tab")
    skip = desk.page.get_by_role("link", name="跳到内容")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("main")).to_be_focused()
    desk.page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.closest('main') !== null")


def _esc_leads_back(desk: Agent, opener: Locator, opened: Locator) -> None:
    opener.focus()
    desk.page.keyboard.press("Enter")
    expect(opened).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    expect(opener).to_be_focused()


def test_esc_closes_what_opened_and_gives_the_focus_back(shop: RunningShop, opens: Opens) -> None:
    shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    desk = Agent(opens()).comes_in(shop.link(seed.ADMIN, "/wall"))
    page = desk.page
    wall = page.get_by_role("region")
    _esc_leads_back(desk, wall.get_by_role("button", name="详情").first, desk.asked)
    _esc_leads_back(desk, wall.get_by_role("button", name="旁观").first, desk.asked)
    _esc_leads_back(desk, page.get_by_role("button", name="我的菜单: 管理员"), page.locator("#me-menu"))
    page.get_by_role("link", name="客户", exact=True).click()
    _esc_leads_back(desk, page.get_by_role("button", name="小雨", exact=True), desk.asked)
    page.get_by_role("link", name="设置", exact=True).click()
    for place, button in (("账号", "新建账号"), ("自动化规则", "新建规则"), ("快捷回复", "新建快捷回复")):
        page.get_by_role("navigation", name="设置页面").get_by_role("link", name=place, exact=True).click()
        _esc_leads_back(desk, page.get_by_role("button", name=button, exact=True), desk.asked)


def test_esc_leads_back_into_the_workbench(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(seed.SECOND_HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    zhou.opens("小雨")
    for name in ("转接", "邀请", "为什么分流到这里？", "结束会话"):
        _esc_leads_back(zhou, zhou.page.get_by_role("button", name=name, exact=True), zhou.asked)
    _esc_leads_back(zhou, zhou.page.get_by_role("button", name="接待量"), zhou.asked)
    cell = zhou.list.get_by_role("button", name="小雨")
    cell.focus()
    for key in ("Control+k", "?"):
        zhou.page.keyboard.press(key)
        expect(zhou.asked).to_be_visible()
        zhou.page.keyboard.press("Escape")
        expect(zhou.asked).to_have_count(0)
        expect(cell).to_be_focused()


def test_esc_closes_the_chat_and_leads_back_to_its_button(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_to(shop.b)
    button = visitor.page.get_by_role("button", name="联系客服", exact=True)
    button.focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.input).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.panel).to_be_hidden()
    expect(button).to_be_focused()
