"""The visitor's line breaks, or their node dies: they go on writing, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from server.demo import seed
from server.demo.nodes import NodeProcess
from tests.browser.conftest import Opens
from tests.browser.faulty_line import CUT_S, FaultyLine
from tests.browser.people import Visitor
from tests.browser.running_shop import RunningShop


@pytest.mark.req("PF-05", "I1")
def test_what_is_written_while_the_line_is_cut_arrives_once_and_in_order(
    shop: RunningShop, opens: Opens, line: FaultyLine
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens().over(line)).comes_as_a_stranger_to(line.address).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    asked = lin.gets("我的退货到哪一步了？")
    visitor.input.press_sequentially("订单号是 A-20", delay=20)
    line.cut()
    expect(visitor.panel.get_by_text("网络已断开")).to_be_visible()
    visitor.input.press_sequentially("471", delay=20)
    expect(visitor.input).to_have_value("订单号是 A-20471")
    lin.says(asked, "我查一下")
    visitor.input.press("Enter")
    expect(visitor.log.get_by_text("发送中…")).to_be_visible()
    visitor.writes("包裹是周二寄出的")
    lin.says(asked, "请稍等")
    visitor.input.fill("还没写完")
    line.mend(cut_for=CUT_S)
    visitor.tries_now()
    lin.gets("包裹是周二寄出的")
    expect(visitor.panel.get_by_text("网络已断开")).to_be_hidden()
    expect(visitor.input).to_have_value("还没写完")
    said = ["我的退货到哪一步了？", "我查一下", "请稍等", "订单号是 A-20471", "包裹是周二寄出的"]
    expect(visitor.bubbles).to_have_text(said)
    assert lin.heard(asked) == said


@pytest.mark.req("PF-05", "I1")
def test_a_message_whose_answer_got_lost_is_there_once(
    shop: RunningShop, opens: Opens, line: FaultyLine
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens().over(line)).comes_as_a_stranger_to(line.address).opens_the_chat()
    visitor.writes("在吗？")
    asked = lin.gets("在吗？")
    line.loses_answers()
    visitor.writes("只说一次")
    lin.gets("只说一次")
    expect(visitor.log.get_by_text("发送中…")).to_be_visible()
    line.cut()
    expect(visitor.panel.get_by_text("网络已断开")).to_be_visible()
    line.mend()
    expect(visitor.panel.get_by_text("网络已断开")).to_be_hidden()
    expect(visitor.log.get_by_text("发送中…")).to_be_hidden()
    expect(visitor.bubbles).to_have_text(["在吗？", "只说一次"])
    assert lin.heard(asked) == ["在吗？", "只说一次"]
    assert line.answers_lost > 0


@pytest.mark.req("PF-04", "PF-05")
def test_a_node_that_is_killed_under_a_visitor_is_hardly_noticed(
    shop: RunningShop, opens: Opens, balancer: FaultyLine, spare: NodeProcess
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens().over(balancer)).comes_as_a_stranger_to(balancer.address).opens_the_chat()
    visitor.writes("第一句")
    asked = lin.gets("第一句")
    visitor.input.fill("写了一半")
    spare.kill()
    lin.says(asked, "我在看")
    visitor.sees("我在看")
    expect(visitor.input).to_have_value("写了一半")
    visitor.input.press("Enter")
    lin.gets("写了一半")
    expect(visitor.bubbles).to_have_text(["第一句", "我在看", "写了一半"])
    assert lin.heard(asked) == ["第一句", "我在看", "写了一半"]
