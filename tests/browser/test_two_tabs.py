"""One agent, two tabs: both show the same, and neither undoes what the other wrote."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.faulty_line import FaultyLine
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

ZHOU = seed.SECOND_HUMAN
ALSO = "工作台已在另一个标签页打开"


def signed_in(shop: RunningShop, opens: Opens) -> tuple[Agent, Agent, Visitor]:
    """Zhou in two tabs, with a visitor's conversation open in both."""
    first = Agent(opens()).signs_in(shop.a, seed.SHOP, ZHOU.email, seed.PASSWORD).is_online()
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    visitor.writes("有人吗？")
    first.opens("访客")
    first.sees("有人吗？")
    second = Agent(first.window.another_tab())
    second.page.goto(first.page.url)
    second.sees("有人吗？")
    return first, second, visitor


@pytest.mark.req("CO-02")
def test_both_tabs_show_the_same_and_the_second_says_so(shop: RunningShop, opens: Opens) -> None:
    first, second, visitor = signed_in(shop, opens)
    expect(second.page.get_by_text(ALSO)).to_be_visible()
    expect(first.page.get_by_text(ALSO)).to_have_count(0)
    first.writes("在的")
    visitor.sees("在的")
    visitor.writes("太好了")
    second.writes("请讲")
    visitor.sees("请讲")
    said = ["有人吗？", "在的", "太好了", "请讲"]
    expect(first.bubbles).to_have_text(said)
    expect(second.bubbles).to_have_text(said)
    second.sets("挂起")
    expect(first.status("挂起")).to_have_attribute("aria-pressed", "true")
    first.page.close()
    expect(second.page.get_by_text(ALSO)).to_have_count(0)


def test_there_is_one_draft_wherever_it_is_written(shop: RunningShop, opens: Opens) -> None:
    first, second, visitor = signed_in(shop, opens)
    first.input.press_sequentially("您的壶")
    expect(second.input).to_have_value("您的壶")
    second.page.get_by_role("tab", name="内部备注").click()
    second.note.fill("第二个标签页里的备注")
    first.input.press_sequentially("昨天寄出")
    first.page.reload()
    first.sees("有人吗？")
    expect(first.input).to_have_value("您的壶昨天寄出")
    first.page.get_by_role("tab", name="内部备注").click()
    expect(first.note).to_have_value("第二个标签页里的备注")
    second.page.get_by_role("tab", name="回复买家").click()
    second.input.press("Enter")
    visitor.sees("您的壶昨天寄出")
    first.page.get_by_role("tab", name="回复买家").click()
    expect(first.input).to_have_value("")
    expect(first.bubbles).to_have_text(["有人吗？", "您的壶昨天寄出"])


@pytest.mark.req("PF-05", "I1")
def test_what_a_closed_tab_could_not_send_the_other_sends_once(
    shop: RunningShop, opens: Opens, line: FaultyLine
) -> None:
    first = Agent(opens().over(line)).signs_in(line.address, seed.SHOP, ZHOU.email, seed.PASSWORD).is_online()
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.a).opens_the_chat()
    visitor.writes("有人吗？")
    first.opens("访客")
    first.sees("有人吗？")
    second = Agent(first.window.another_tab())
    second.page.goto(first.page.url)
    second.sees("有人吗？")
    line.cut()
    expect(first.page.get_by_text("网络已断开")).to_be_visible()
    first.writes("第一句")
    first.writes("第二句")
    expect(first.page.get_by_text("2 条待发送")).to_be_visible()
    first.page.close()
    expect(second.bubbles).to_have_text(["有人吗？", "第一句", "第二句"])
    line.mend()
    second.tries_now()
    visitor.sees("第二句")
    expect(visitor.bubbles).to_have_text(["有人吗？", "第一句", "第二句"])
    expect(second.bubbles).to_have_text(["有人吗？", "第一句", "第二句"])


def test_signing_out_in_one_tab_ends_the_other(shop: RunningShop, opens: Opens) -> None:
    first, second, _ = signed_in(shop, opens)
    first.presses("我的菜单: 周宁")
    first.presses("退出登录")
    for tab in (first, second):
        expect(tab.page.get_by_label("密码", exact=True)).to_be_visible()
