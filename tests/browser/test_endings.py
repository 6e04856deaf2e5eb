"""Ends: taken back in time, said what became of it; and the customer's rating, with reasons, thought better of."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.other_settings import routing
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop


def result(agent: Agent) -> Locator:
    """What stands beside the conversation of how it ended."""
    return agent.page.get_by_role("complementary").locator("section").filter(has_text="会话结果")


@pytest.mark.req("KS-20")
def test_a_slip_is_taken_back_before_the_customer_has_noticed(
    shop: RunningShop, zhou: Agent, visitor: Visitor
) -> None:
    zhou.input.fill("正在查")
    with routing(shop, wrap_up_s=60):
        zhou.presses("结束会话")
        expect(zhou.asked.get_by_text("买家最后的消息还未回复。")).to_be_visible()
        zhou.page.keyboard.press("1")
        expect(zhou.asked.get_by_role("checkbox", name="已解决")).to_be_checked()
        zhou.asked.get_by_role("textbox", name="结束备注").fill("已给运费券")
        zhou.answers("结束会话")
        offer = zhou.page.get_by_role("status").filter(has_text="已结束：小雨 · 已解决")
        expect(offer.get_by_role("button", name="撤销结束")).to_be_visible()
        zhou.page.keyboard.press("z")
        expect(zhou.page.get_by_role("heading", name="小雨")).to_be_visible()
        expect(offer).to_have_count(0)
        expect(zhou.input).to_have_value("正在查")
    zhou.input.press("Enter")
    visitor.sees("正在查")
    expect(visitor.log.locator(".event").last).to_have_text("周宁 为您服务。")
    expect(visitor.panel.get_by_role("radio", name="5 星")).to_have_count(0)
    expect(result(zhou).get_by_role("checkbox", name="已解决")).to_be_checked()


def test_a_rating_says_why_and_may_be_thought_better_of(zhou: Agent, visitor: Visitor) -> None:
    zhou.presses("结束会话")
    zhou.asked.get_by_role("checkbox", name="退换货").check()
    zhou.answers("结束会话")
    zhou.looks_at("最近")
    zhou.list.get_by_role("button", name="小雨").filter(has_text="退换货").first.click()
    panel = visitor.panel
    panel.get_by_role("radio", name="2 星").check(force=True)
    why = panel.get_by_role("group", name="评价原因")
    expect(why.get_by_role("checkbox", name="回复及时")).to_have_count(0)
    why.get_by_text("回复太慢").click()
    panel.get_by_role("textbox", name="补充说明").fill("等了半天")
    panel.get_by_role("button", name="提交评价").click()
    expect(result(zhou)).to_contain_text("退换货")
    expect(result(zhou).get_by_role("img", name="买家评价：2 分")).to_be_visible()
    expect(result(zhou)).to_contain_text("回复太慢")
    expect(result(zhou)).to_contain_text("等了半天")

    panel.get_by_role("button", name="修改评价").click()
    panel.get_by_role("radio", name="5 星").check(force=True)
    why.get_by_text("回复及时").click()
    panel.get_by_role("textbox", name="补充说明").fill("后来解决了")
    panel.get_by_role("button", name="提交评价").click()
    expect(panel.get_by_text("感谢您的 5 星评价。")).to_be_visible()
    expect(result(zhou).get_by_role("img", name="买家评价：5 分")).to_be_visible()
    expect(result(zhou)).to_contain_text("后来解决了")
    expect(result(zhou).get_by_text("回复太慢")).to_have_count(0)
