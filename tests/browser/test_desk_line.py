"""The agent's line breaks, or their node dies: they go on writing, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from server.demo import seed
from server.demo.nodes import NodeProcess
from tests.browser.conftest import Opens
from tests.browser.faulty_line import CUT_S, FaultyLine
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

ZHOU = seed.SECOND_HUMAN
LOST = "网络已断开"


def serving(shop: RunningShop, opens: Opens, line: FaultyLine) -> tuple[Agent, Visitor]:
    """Zhou at a desk on this line, with a visitor whose own line is good."""
    zhou = Agent(opens().over(line)).comes_in(shop.link(ZHOU, "/work", node=line.address)).is_online()
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.a).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    zhou.opens("访客")
    zhou.sees("我的退货到哪一步了？")
    return zhou, visitor


@pytest.mark.req("PF-05", "I1", "KS-18")
def test_cut_for_20_s_while_writing(shop: RunningShop, opens: Opens, line: FaultyLine) -> None:
    zhou, visitor = serving(shop, opens, line)
    zhou.input.press_sequentially("您的包裹", delay=20)
    line.cut()
    expect(zhou.page.get_by_text(LOST)).to_be_visible()
    zhou.input.press_sequentially("昨天到仓", delay=20)
    expect(zhou.input).to_have_value("您的包裹昨天到仓")
    visitor.writes("在吗？")
    zhou.input.press("Enter")
    expect(zhou.thread.get_by_text("发送中…")).to_be_visible()
    expect(zhou.page.get_by_text("1 条待发送")).to_be_visible()
    visitor.writes("还在吗？")
    zhou.writes("今天退款")
    zhou.input.fill("还没写完")
    line.mend(cut_for=CUT_S)
    zhou.tries_now()
    visitor.sees("今天退款")
    expect(zhou.page.get_by_text(LOST)).to_have_count(0)
    expect(zhou.thread.get_by_text("发送中…")).to_have_count(0)
    expect(zhou.input).to_have_value("还没写完")
    said = ["我的退货到哪一步了？", "在吗？", "还在吗？", "您的包裹昨天到仓", "今天退款"]
    expect(zhou.bubbles).to_have_text(said)
    expect(visitor.bubbles).to_have_text(said)
    zhou.holds("1/5")
    expect(zhou.status("在线")).to_have_attribute("aria-pressed", "true")


@pytest.mark.req("PF-05", "I1")
def test_a_reply_whose_answer_got_lost_is_there_once(
    shop: RunningShop, opens: Opens, line: FaultyLine
) -> None:
    zhou, visitor = serving(shop, opens, line)
    line.loses_answers()
    zhou.writes("只说一次")
    visitor.sees("只说一次")
    expect(zhou.thread.get_by_text("发送中…")).to_be_visible()
    line.cut()
    expect(zhou.page.get_by_text(LOST)).to_be_visible()
    line.mend()
    zhou.tries_now()
    expect(zhou.page.get_by_text(LOST)).to_have_count(0)
    expect(zhou.thread.get_by_text("发送中…")).to_have_count(0)
    expect(zhou.bubbles).to_have_text(["我的退货到哪一步了？", "只说一次"])
    expect(visitor.bubbles).to_have_text(["我的退货到哪一步了？", "只说一次"])
    assert line.answers_lost > 0


@pytest.mark.req("PF-05")
def test_a_reload_while_the_line_is_cut_sends_what_was_written(
    shop: RunningShop, opens: Opens, line: FaultyLine
) -> None:
    zhou, visitor = serving(shop, opens, line)
    line.loses_answers()
    zhou.writes("重新打开页面也不会丢")
    visitor.sees("重新打开页面也不会丢")
    line.cut()
    zhou.writes("这一句还没出去")
    expect(zhou.page.get_by_text("条待发送")).to_be_visible()
    line.mend()
    zhou.page.reload()
    zhou.sees("我的退货到哪一步了？")
    visitor.sees("这一句还没出去")
    said = ["我的退货到哪一步了？", "重新打开页面也不会丢", "这一句还没出去"]
    expect(zhou.bubbles).to_have_text(said)
    expect(visitor.bubbles).to_have_text(said)


@pytest.mark.req("PF-04", "PF-05")
def test_a_node_killed_under_the_agent(
    shop: RunningShop, opens: Opens, balancer: FaultyLine, spare: NodeProcess
) -> None:
    zhou, visitor = serving(shop, opens, balancer)
    zhou.input.fill("写了一半")
    spare.kill()
    visitor.writes("还在吗？")
    zhou.input.press("Enter")
    zhou.writes("第二句")
    visitor.sees("第二句")
    zhou.sees("还在吗？")
    expect(zhou.page.get_by_text(LOST)).to_have_count(0)
    expect(zhou.bubbles.filter(has_text="写了一半")).to_have_count(1)
    seen = visitor.bubbles.all_inner_texts()
    assert sorted(seen) == sorted(["我的退货到哪一步了？", "还在吗？", "写了一半", "第二句"])
    assert seen.index("写了一半") < seen.index("第二句")
    expect(zhou.bubbles).to_have_text(seen)
    zhou.holds("1/5")
