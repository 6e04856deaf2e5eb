"""An agent at the desk and a visitor in the shop, each in a browser of their own, on different nodes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop


@pytest.mark.req("KS-21", "KS-22")
def test_a_question_reaches_the_desk_and_its_answer_the_shop(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    lin.opens("小雨")
    lin.sees("我的退货到哪一步了？")
    expect(visitor.log.get_by_text("已读")).to_be_visible()
    lin.writes("已经收到包裹，今天退款。")
    visitor.sees("已经收到包裹，今天退款。")
    visitor.writes("太好了，谢谢！")
    lin.sees("太好了，谢谢！")


@pytest.mark.req("CO-05")
def test_what_colleagues_note_stays_among_them(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("在吗？")
    lin.opens("小雨")
    lin.page.get_by_role("tab", name="内部备注").click()
    note = lin.page.get_by_role("textbox", name="给同事的内部备注")
    note.fill("老客户，优先处理")
    note.press("Enter")
    lin.sees("老客户，优先处理")
    lin.page.get_by_role("tab", name="回复买家").click()
    lin.writes("您好，在的。")
    visitor.sees("您好，在的。")
    expect(visitor.panel.get_by_text("老客户，优先处理")).to_have_count(0)


def test_a_reload_loses_neither_the_conversation_nor_the_draft(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("有没有蓝色的？")
    lin.opens("小雨")
    lin.sees("有没有蓝色的？")
    lin.input.fill("我查一下库存")
    lin.page.reload()
    lin.sees("有没有蓝色的？")
    expect(lin.input).to_have_value("我查一下库存")


@pytest.mark.req("KS-20")
def test_the_end_is_asked_for_and_told_to_the_visitor(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("谢谢，没有问题了")
    lin.opens("小雨")
    lin.writes("不客气，再见！")
    visitor.sees("不客气，再见！")
    lin.page.get_by_role("button", name="结束会话").click()
    lin.page.get_by_role("dialog").get_by_role("button", name="结束会话").click()
    visitor.panel.get_by_role("radio", name="4 星").check(force=True)
    visitor.panel.get_by_role("button", name="提交评价").click()
    expect(visitor.panel.get_by_text("感谢您的 4 星评价。")).to_be_visible()


@pytest.mark.req("CO-12")
def test_a_supervisor_sees_the_conversation_on_the_wall(shop: RunningShop, opens: Opens) -> None:
    shop.colleague(seed.HUMAN)
    boss = Agent(opens()).comes_in(shop.link(seed.SUPERVISOR, "/wall"))
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("有人吗？")
    busy = boss.page.get_by_role("row").filter(has_text="林小美").filter(has_text="1/1")
    expect(busy).to_be_visible()
