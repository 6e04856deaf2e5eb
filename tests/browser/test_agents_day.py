"""A day at the desk: coming, serving, asking colleagues, giving on, taking from the queue, ending, going."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

ZHOU, LIN = seed.SECOND_HUMAN, seed.HUMAN
"""Five slots, and one."""


def asking(shop: RunningShop, opens: Opens, text: str, *, another: int = 0) -> Visitor:
    """A visitor who has asked; `another`: which one of the shop's customers."""
    visitor = Visitor(opens()).comes_to(shop.b)
    for _ in range(another):
        visitor.presses("another")
    visitor.opens_the_chat()
    visitor.writes(text)
    return visitor


@pytest.mark.req("CO-01", "CO-03", "CO-05", "KS-21")
def test_asked_noted_joined_and_handed_over(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(ZHOU, "/work")).is_online()
    zhou.holds("0/5")
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    visitor.writes("我的壶漏水了")
    zhou.opens("访客")
    zhou.holds("1/5")
    zhou.writes("您好，我马上看。")
    visitor.sees("您好，我马上看。")
    zhou.notes("像是垫圈的问题")
    lin = Agent(opens()).comes_in(shop.link(LIN, "/work", node=shop.b)).is_online()

    zhou.presses("邀请")
    zhou.asked.get_by_role("checkbox", name="林小美").check()
    zhou.asked.get_by_label("邀请说明").fill("你熟悉这款壶")
    zhou.answers("发送邀请")
    expect(lin.list.get_by_text("你熟悉这款壶")).to_be_visible()
    lin.list.get_by_role("button", name="加入").click()
    lin.sees("像是垫圈的问题")
    zhou.page.get_by_role("tab", name="回复买家").click()
    zhou.input.press_sequentially("垫圈可以免费寄", delay=10)
    expect(lin.page.get_by_text("垫圈可以免费寄")).to_be_visible()
    zhou.input.fill("")
    lin.writes("我来帮您查垫圈的型号。")
    visitor.sees("我来帮您查垫圈的型号。")

    zhou.presses("转接")
    zhou.asked.get_by_role("radio", name="林小美").check()
    zhou.asked.get_by_label("转接原因").fill("需要配件")
    zhou.asked.get_by_label("给接手客服的备注").fill("买家希望今天寄出")
    zhou.answers("转接")
    lin.holds("1/1")
    zhou.holds("0/5")
    lin.sees("买家希望今天寄出")
    expect(lin.thread.get_by_text("需要配件")).to_be_visible()
    lin.writes("垫圈今天寄出。")
    visitor.sees("垫圈今天寄出。")
    expect(visitor.bubbles).to_have_text(
        ["我的壶漏水了", "您好，我马上看。", "我来帮您查垫圈的型号。", "垫圈今天寄出。"]
    )
    expect(visitor.panel.get_by_text(re.compile("垫圈的问题|希望今天寄出|需要配件"))).to_have_count(0)


@pytest.mark.req("KS-20", "KS-21", "KS-19")
def test_taken_from_the_queue_and_ended(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(ZHOU, "/work")).is_online()
    zhou.sets("挂起")
    expect(zhou.status("挂起")).to_have_attribute("aria-pressed", "true")
    visitor = asking(shop, opens, "有人吗？")
    expect(visitor.panel.get_by_text("您排在第 1 位")).to_be_visible()
    zhou.looks_at("排队")
    zhou.presses("接待下一位")
    zhou.sees("有人吗？")
    zhou.holds("1/5")
    zhou.writes("在的，您请说。")
    visitor.sees("在的，您请说。")
    visitor.writes("没事了，谢谢")
    zhou.sees("没事了，谢谢")

    zhou.presses("结束会话")
    zhou.answers("结束会话")
    expect(visitor.panel.get_by_role("radio", name="5 星")).to_be_attached()
    zhou.holds("0/5")
    zhou.looks_at("最近")
    expect(zhou.list.get_by_role("button", name="没事了，谢谢").first).to_be_visible()


@pytest.mark.req("KS-18")
def test_who_goes_offline_says_what_becomes_of_open_conversations(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(ZHOU, "/work")).is_online()
    visitor = asking(shop, opens, "还在吗？")
    zhou.opens("小雨")

    zhou.sets("离线")
    expect(zhou.asked.get_by_text("您还有 1 个接待中的会话")).to_be_visible()
    zhou.answers("暂不离线")
    expect(zhou.status("在线")).to_have_attribute("aria-pressed", "true")
    zhou.sets("离线")
    zhou.asked.get_by_role("button", name="继续保留").click()
    expect(zhou.status("离线")).to_have_attribute("aria-pressed", "true")
    zhou.holds("1/5")
    zhou.is_online()
    zhou.sets("离线")
    zhou.asked.get_by_role("button", name="放回排队池").click()
    expect(zhou.status("离线")).to_have_attribute("aria-pressed", "true")
    zhou.holds("0/5")
    expect(visitor.panel.get_by_text("您排在第 1 位")).to_be_visible()
    zhou.is_online()
    zhou.holds("1/5")
    zhou.sees("还在吗？")


@pytest.mark.req("KS-22")
def test_who_holds_my_slots(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(ZHOU, "/work")).is_online()
    asking(shop, opens, "在吗？")
    zhou.holds("1/5")
    zhou.page.get_by_role("button", name="接待量").click()
    expect(zhou.asked.get_by_role("button", name=re.compile("小雨.*接待中"))).to_be_visible()
    zhou.page.keyboard.press("Escape")
    expect(zhou.asked).to_have_count(0)
    expect(zhou.page.get_by_role("button", name="接待量")).to_be_focused()
