"""A visitor of the demo's shop writes in the widget; somebody answers."""

from __future__ import annotations

import gzip

import httpx
import pytest
from playwright.sync_api import Request, expect

from server.demo import seed
from server.http.pages import FOLDER
from tests.browser.conftest import Opens
from tests.browser.people import PHONE, Visitor
from tests.browser.running_shop import RunningShop

KIB = 1024


def test_a_visitor_asks_and_gets_an_answer(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    asked = lin.gets("我的退货到哪一步了？")
    assert asked.customer.name == "小雨", "the shop said who the customer is"
    assert asked.order_state == "after_sale"
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
    lin.says(asked, "已经收到包裹，今天退款。")
    visitor.sees("已经收到包裹，今天退款。")


def test_the_order_that_one_asks_about_goes_along(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b)
    orders = visitor.page.get_by_role("region", name="我的订单")
    orders.get_by_role("button", name="咨询客服：手冲细口壶").click()
    visitor.writes("可以换货吗？")
    asked = lin.gets("可以换货吗？")
    assert asked.order_id == "A-20471"
    expect(visitor.log.get_by_text("订单 A-20471")).to_be_visible()


def test_a_reload_loses_nothing(shop: RunningShop, opens: Opens) -> None:
    shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("第一句")
    visitor.sees("第一句")
    visitor.input.fill("写了一半")
    visitor.page.reload()
    visitor.opens_the_chat()
    visitor.sees("第一句")
    expect(visitor.input).to_have_value("写了一半")


def test_another_customer_finds_nothing_of_the_one_before(shop: RunningShop, opens: Opens) -> None:
    zhou = shop.colleague(seed.SECOND_HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我是小雨")
    zhou.gets("我是小雨")
    visitor.input.fill("没写完的话")
    visitor.presses("close")
    visitor.presses("another")
    expect(visitor.page.get_by_text("您现在是：浩然")).to_be_visible()
    visitor.opens_the_chat()
    expect(visitor.input).to_have_value("")
    visitor.writes("我是另一位")
    asked = zhou.gets("我是另一位")
    assert asked.customer.name == "浩然"
    visitor.sees("我是另一位")
    expect(visitor.log.get_by_text("我是小雨")).to_have_count(0)


def test_a_stranger_may_ask_too(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b)
    visitor.presses("stranger")
    visitor.opens_the_chat()
    visitor.writes("有人吗？")
    assert lin.gets("有人吗？").customer.anonymous


@pytest.mark.req("KS-11")
def test_who_waits_sees_their_place_and_may_leave(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("现在有人吗？")
    waiting = visitor.panel.get_by_text("您排在第 1 位，共 1 位")
    expect(waiting).to_be_visible()
    visitor.panel.get_by_role("button", name="取消排队").click()
    visitor.panel.get_by_role("button", name="确定").click()
    expect(waiting).to_be_hidden()


def test_a_keyboard_that_composes_never_sends(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.input.fill("nihao")
    visitor.input.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(visitor.input).to_have_value("nihao")
    visitor.input.press("Shift+Enter")
    expect(visitor.input).to_have_value("nihao\n")
    expect(visitor.log.get_by_text("nihao")).to_have_count(0)


def test_who_types_is_seen_typing_and_what_is_read_is_marked(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("在吗？")
    asked = lin.gets("在吗？")
    lin.types(asked)
    expect(visitor.log.get_by_text("林小美 正在输入…")).to_be_visible()
    lin.says(asked, "在的")
    expect(visitor.log.get_by_text("林小美 正在输入…")).to_have_count(0)


@pytest.mark.req("KS-20")
def test_the_end_is_told_and_can_be_rated(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("谢谢")
    asked = lin.gets("谢谢")
    lin.says(asked, "不客气")
    visitor.sees("不客气")
    lin.ends(asked)
    visitor.panel.get_by_role("radio", name="5 星").check(force=True)
    visitor.panel.get_by_role("button", name="提交评价").click()
    expect(visitor.panel.get_by_text("感谢您的 5 星评价。")).to_be_visible()


def test_escape_closes_the_panel_and_gives_the_focus_back(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    expect(visitor.input).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.panel).to_be_hidden()
    expect(visitor.page.get_by_role("button", name="联系客服", exact=True)).to_be_focused()


def test_on_a_phone_the_panel_is_the_whole_screen(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens(size=PHONE)).comes_to(shop.b).opens_the_chat()
    assert visitor.panel.bounding_box() == {"x": 0, "y": 0, **PHONE}


# --- what it costs a shop's page -------------------------------------------------------------------------------------
def test_a_page_loads_the_launcher_alone_until_somebody_opens_the_chat(
    shop: RunningShop, opens: Opens
) -> None:
    window = opens()
    asked: list[str] = []

    def noted(request: Request) -> None:
        asked.append(request.url)

    window.page.on("request", noted)
    visitor = Visitor(window).comes_to(shop.b)
    assert [url for url in asked if "/widget/" in url] == [f"{shop.b}/widget/loader.js"]
    visitor.opens_the_chat()
    hosts = {httpx.URL(url).netloc for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {httpx.URL(shop.b).netloc}, "nobody else is told who visits the shop"


def test_the_widget_stays_small() -> None:
    zipped = {path.name: len(gzip.compress(path.read_bytes())) for path in (FOLDER / "widget").glob("*.js")}
    languages = [size for name, size in zipped.items() if name.startswith(("en-", "zh-"))]
    everything = sum(zipped.values()) - sum(languages) + max(languages)
    assert zipped["loader.js"] <= 5 * KIB
    assert everything <= 35 * KIB
