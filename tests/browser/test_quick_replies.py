"""Quick replies in the browser: found by a stroke and a few letters, chosen by keys, read by the visitor."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop


def option(agent: Agent, title: str) -> Locator:
    return agent.page.get_by_role("listbox", name="快捷回复").get_by_role("option").filter(has_text=title)


@pytest.mark.req("KS-21")
def test_a_few_letters_and_enter_answer_the_visitor(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("今天能寄出吗？")
    lin.opens("小雨")

    # By initials of the title; the first is chosen already.
    lin.input.press_sequentially("/fh")
    chosen = option(lin, "发货时间")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(lin.input).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    lin.input.press("Enter")
    expect(lin.input).to_have_value(re.compile("48 小时内发货"))
    expect(visitor.log.get_by_text("48 小时内发货")).to_have_count(0)
    lin.input.press("Enter")
    visitor.sees("48 小时内发货")

    # Variables come from the conversation; Esc closes the list and nothing else; arrows choose.
    lin.input.press_sequentially("/huanying")
    expect(option(lin, "欢迎光临")).to_be_visible()
    lin.input.press("Escape")
    expect(option(lin, "欢迎光临")).to_have_count(0)
    expect(lin.input).to_have_value("/huanying")
    lin.input.fill("")
    lin.input.press_sequentially("/")
    lin.input.press("ArrowUp")
    lin.input.press("ArrowDown")
    lin.input.press_sequentially("hi")
    lin.input.press("Tab")
    expect(lin.input).to_have_value(re.compile("^小雨您好，欢迎光临一间小店"))
    lin.input.press("Enter")
    visitor.sees("小雨您好，欢迎光临一间小店")


def test_what_is_not_filled_in_is_not_sent_by_accident(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b)
    visitor.presses("stranger")
    visitor.opens_the_chat()
    visitor.writes("我的订单呢？")
    lin.list.get_by_role("button").filter(has_text="访客").click()
    lin.sees("我的订单呢？")
    lin.input.press_sequentially("/ddcx")
    lin.input.press("Enter")
    # The first thing that nobody knows is marked: what is typed takes its place.
    lin.input.press("Enter")
    expect(lin.page.get_by_role("alert").filter(has_text="未发送")).to_be_visible()
    lin.page.keyboard.type("20261122-7")
    lin.page.get_by_role("button", name="订单状态").click()
    lin.page.keyboard.type("已发货")
    expect(lin.input).to_have_value(re.compile("订单 20261122-7 目前是“已发货”"))
    lin.input.press("Enter")
    visitor.sees("订单 20261122-7 目前是“已发货”")


def test_a_typing_error_after_a_stroke_is_not_sent_and_an_input_method_chooses_nothing(
    shop: RunningShop, opens: Opens
) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("在吗？")
    lin.opens("小雨")
    lin.input.press_sequentially("/zzzz")
    lin.input.press("Enter")
    expect(lin.input).to_have_value("/zzzz")
    lin.input.fill("/fh")
    expect(option(lin, "发货时间")).to_be_visible()
    # What an input method sends while it composes: Enter takes its word.
    lin.input.dispatch_event(
        "keydown", {"key": "Enter", "keyCode": 229, "isComposing": True, "bubbles": True}
    )
    expect(lin.input).to_have_value("/fh")
    expect(option(lin, "发货时间")).to_be_visible()


def test_an_agent_keeps_what_they_wrote_and_finds_it_at_once(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("有礼品包装吗？")
    lin.opens("小雨")
    lin.input.fill("礼品包装免费，下单时请备注。")
    lin.page.get_by_role("button", name="快捷回复").click()
    option(lin, "将输入框文字存为快捷回复").click()
    form = lin.page.get_by_role("dialog", name="新建快捷回复")
    form.get_by_label("标题").fill("礼品包装")
    form.get_by_role("button", name="保存").click()
    expect(lin.page.get_by_text("已存为 /lpbz")).to_be_visible()
    expect(lin.input).to_have_value("礼品包装免费，下单时请备注。")
    lin.input.fill("")
    lin.input.press_sequentially("/lp")
    expect(option(lin, "礼品包装")).to_be_visible()
    # They are changed where the list leads to, also by somebody who sees no other settings.
    option(lin, "管理快捷回复").click()
    expect(lin.page.get_by_role("heading", name="快捷回复", exact=True)).to_be_visible()
    expect(lin.page.get_by_role("navigation", name="设置").get_by_role("link")).to_have_count(1)
    lin.page.get_by_role("button", name="删除: 礼品包装").click()
    lin.page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(lin.page.get_by_role("row").filter(has_text="礼品包装")).to_have_count(0)


def test_a_table_is_mended_by_its_lines_and_comes_in_whole(shop: RunningShop, opens: Opens) -> None:
    page = opens().page
    page.goto(shop.link(seed.ADMIN, "/settings/quick_replies"))
    expect(page.get_by_role("row").filter(has_text="发货时间")).to_be_visible()
    page.get_by_role("button", name="导入", exact=True).click()
    form = page.get_by_role("dialog", name="导入快捷回复")
    heading = "快捷词,标题,内容\n"

    def give(table: str) -> None:
        file: FilePayload = {
            "name": "table.csv",
            "mimeType": "text/csv",
            "buffer": (heading + table).encode("gb18030"),
        }
        form.get_by_label("CSV 文件").set_input_files(files=[file])

    give("yf,运费,满 99 元包邮\nyf,重复,{custmer}\n")
    expect(form.get_by_role("row").filter(has_text="没有变量 {custmer}")).to_contain_text("3")
    expect(form.get_by_role("row").filter(has_text="与第 2 行的快捷词重复")).to_be_visible()
    expect(form.get_by_role("button", name="确认导入")).to_be_disabled()
    give("yf,运费,满 99 元包邮\n")
    expect(form.get_by_role("status")).to_have_text("新增 1 条，覆盖 0 条，未变 0 条。")
    form.get_by_role("button", name="确认导入").click()
    page.get_by_role("searchbox").fill("yunf")
    expect(page.get_by_role("row").filter(has_text="满 99 元包邮")).to_be_visible()
    page.get_by_role("button", name="删除: 运费").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(page.get_by_text("没有符合条件的快捷回复")).to_be_visible()
