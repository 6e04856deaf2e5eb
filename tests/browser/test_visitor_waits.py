"""A customer who waits is told what for and how long; one who comes when nobody is there leaves a message."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from protocol.ids import new_id
from server.chat.identity import Person
from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.gallery.caller import Caller
from tests.browser.people import CORNERS, Visitor
from tests.browser.running_shop import RunningShop


@pytest.mark.req("KS-22")
def test_who_waits_is_told_the_place_and_about_how_long(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)  # who serves one at a time
    questions = [f"第 {n} 个问题" for n in range(6)]
    callers = [
        shop.backstage.do(
            Caller.asks(shop.b, shop.seeded.identity, Person(f"caller-{new_id()}", "若溪", (), ()), text)
        )
        for text in questions
    ]
    window = opens()
    # Nobody Lin has served before: those she would take beyond her slots.
    visitor = Visitor(window).comes_as_a_stranger_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    expect(visitor.panel.get_by_text("您排在第 6 位（共 6 位）。")).to_be_visible()
    for text in questions:
        lin.ends(lin.gets(text))
        if text == questions[4]:
            expect(visitor.panel.get_by_text("您排在第 1 位（共 1 位）。")).to_be_visible()
            expect(visitor.panel.get_by_text("预计还需约 1 分钟。")).to_be_visible()
            assert window.barriers(CORNERS) == []
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
    for caller in callers:
        shop.backstage.do(caller.hangs_up())


@pytest.mark.req("KS-11")
def test_when_nobody_is_there_one_leaves_a_message(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    expect(visitor.input).to_have_attribute("placeholder", "请输入消息")
    visitor.writes("明天能发货吗？")
    expect(visitor.panel.get_by_text("请直接留言，您可以先离开")).to_be_visible()
    expect(visitor.input).to_have_attribute("placeholder", "请留言")
    visitor.writes("请回电话。")
    lin = shop.colleague(seed.HUMAN)
    asked = lin.gets("请回电话。")
    assert lin.heard(asked) == ["明天能发货吗？", "请回电话。"]
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
    expect(visitor.input).to_have_attribute("placeholder", "请输入消息")


def test_the_head_of_the_panel_says_when_it_is_over(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("在吗？")
    asked = lin.gets("在吗？")
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
    lin.ends(asked)
    expect(visitor.panel.get_by_role("heading", name="会话已结束")).to_be_visible()
    visitor.writes("还有一个问题")
    lin.gets("还有一个问题")
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
