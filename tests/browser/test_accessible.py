"""No barriers: axe-core finds nothing on any surface, in light and in dark, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import CORNERS, DESKTOP, Agent, Visitor
from tests.browser.running_shop import RunningShop


def test_the_shop_and_its_chat(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    window = opens()
    visitor = Visitor(window).comes_to(shop.b)
    assert window.barriers() == []
    visitor.opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    asked = lin.gets("我的退货到哪一步了？")
    lin.says(asked, "已经收到包裹，今天退款。")
    visitor.sees("已经收到包裹，今天退款。")
    assert window.barriers() == []
    lin.ends(asked)
    expect(visitor.panel.get_by_role("radio", name="5 星")).to_be_attached()
    assert window.barriers() == []


def test_signing_in(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    window.page.goto(f"{shop.a}/desk/sign-in")
    expect(window.page.get_by_role("button", name="登录")).to_be_visible()
    assert window.barriers() == []


@pytest.mark.parametrize("page", ["/work", "/wall", "/customers", "/reports", "/settings", "/me"])
def test_the_desk(shop: RunningShop, opens: Opens, page: str) -> None:
    window = opens()
    desk = Agent(window).comes_in(shop.link(seed.ADMIN, page))
    expect(desk.page.get_by_role("main").get_by_role("heading", level=1).first).to_be_visible()
    assert window.barriers() == []


def test_a_conversation_at_the_desk(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    lin = Agent(window).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    lin.opens("小雨")
    lin.writes("已经收到包裹，今天退款。")
    lin.sees("已经收到包裹，今天退款。")
    assert window.barriers() == []


def test_what_opens_over_the_desk(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    zhou = Agent(window).comes_in(shop.link(seed.SECOND_HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    zhou.opens("小雨")
    for key, there in (
        ("Control+k", zhou.page.get_by_role("option").first),
        ("t", zhou.asked.get_by_role("radio").first),
        ("i", zhou.asked.get_by_role("checkbox").first),
        ("l", zhou.asked.get_by_role("button", name="小雨")),
        ("?", zhou.asked.get_by_text("快速跳转与操作")),
        ("Escape", zhou.asked.get_by_role("button", name="结束会话", exact=True)),
    ):
        zhou.list.get_by_role("button", name="小雨").focus()
        zhou.page.keyboard.press(key)
        expect(there).to_be_visible()
        assert window.barriers() == [], key
        zhou.page.keyboard.press("Escape")
        expect(zhou.asked).to_have_count(0)
        zhou.page.set_viewport_size(DESKTOP)
    zhou.presses("我的菜单: 周宁")
    expect(zhou.page.get_by_role("link", name="个人设置")).to_be_visible()
    assert window.barriers() == []


def test_the_list_of_quick_replies(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    zhou = Agent(window).comes_in(shop.link(seed.SECOND_HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    zhou.opens("小雨").input.fill("/")
    expect(zhou.page.get_by_role("option").first).to_be_visible()
    assert window.barriers(CORNERS) == []


def test_the_page_of_quick_replies_and_its_form(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    desk = Agent(window).comes_in(shop.link(seed.ADMIN, "/settings/quick_replies"))
    expect(desk.page.get_by_role("main").get_by_text("/cd", exact=True)).to_be_visible()
    assert window.barriers(CORNERS) == []
    desk.presses("新建快捷回复")
    expect(desk.asked).to_be_visible()
    assert window.barriers(CORNERS) == []


def test_a_sign_in_link_that_was_used(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    window.page.goto(f"{shop.a}/desk/link/used-long-ago")
    expect(window.page.get_by_role("alert")).to_be_visible()
    assert window.barriers(CORNERS) == []
