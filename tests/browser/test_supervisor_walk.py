"""A supervisor's day at the wall: it moves, it explains, and from it one helps, step by step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import CORNERS, Agent, Visitor, Window
from tests.browser.running_shop import RunningShop


class Wall:
    """The wall in a supervisor's window, in Chinese."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.page: Page = window.page

    def part(self, title: str) -> Locator:
        """One of its panels."""
        return self.page.get_by_role("region", name=re.compile(f"^{title}"))

    def watches(self, customer: str) -> Locator:
        """Open a conversation beside the wall."""
        self.page.get_by_role("button", name=re.compile(f"^旁观.*{customer}")).first.click()
        drawer = self.page.get_by_role("dialog", name=f"与 {customer} 的会话")
        expect(drawer.get_by_text("您正在静默旁观")).to_be_visible()
        return drawer

    @property
    def top(self) -> Locator:
        """What lies on top of everything."""
        return self.page.get_by_role("dialog").last


@pytest.fixture
def wall(shop: RunningShop, opens: Opens) -> Wall:
    """On the second node; what happens, happens on the first."""
    window = opens()
    Agent(window).comes_in(shop.link(seed.SUPERVISOR, "/wall", node=shop.b))
    expect(window.page.get_by_role("heading", level=1, name="监控墙")).to_be_visible()
    return Wall(window)


@pytest.mark.req("CO-12", "KS-18")
def test_the_wall_moves_by_itself_and_shows_whom_one_wants_to_see(shop: RunningShop, wall: Wall) -> None:
    lin = shop.colleague(seed.HUMAN)
    agents = wall.part("客服")
    row = agents.get_by_role("row", name="林小美")
    expect(row).to_contain_text("在线")
    shop.backstage.do(lin.client.request("agent.set_status", status="paused"))
    expect(row).to_contain_text("挂起")
    agents.get_by_label("按状态筛选").select_option("挂起")
    expect(agents.get_by_role("row", name="周宁")).to_have_count(0)
    expect(row).to_be_visible()
    agents.get_by_label("按状态筛选").select_option("全部状态")
    wall.page.get_by_label("查看分组").select_option("物流组")
    expect(row).to_have_count(0)
    expect(agents.get_by_role("row", name="王磊")).to_be_visible()


@pytest.mark.req("CO-12")
def test_a_visitor_without_a_name_is_called_one_wherever_they_are_looked_at(
    shop: RunningShop, opens: Opens, wall: Wall
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.a).opens_the_chat()
    visitor.writes("你们几点关门？")
    lin.gets("你们几点关门？")
    row = wall.part("等待回复").get_by_role("row").filter(has_text="访客")
    row.get_by_role("button", name=re.compile("^为什么")).click()
    expect(wall.page.get_by_role("dialog", name=re.compile("访客"))).to_be_visible()
    wall.page.keyboard.press("Escape")
    wall.page.get_by_role("button", name=re.compile("^旁观.*访客")).first.click()
    expect(wall.page.get_by_role("dialog", name=re.compile(r"^与 访客 \w{4} 的会话$"))).to_be_visible()


@pytest.mark.req("CO-12", "KS-20")
def test_watch_whisper_speak_take_over_end(shop: RunningShop, opens: Opens, wall: Wall) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.a).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    lin.gets("我的退货到哪一步了？")
    drawer = wall.watches("小雨")
    expect(drawer.get_by_text("我的退货到哪一步了？")).to_be_visible()
    assert wall.window.barriers(CORNERS) == []

    hint = drawer.get_by_role("textbox", name="悄悄话")
    hint.fill("先看物流单号")
    hint.press("Enter")
    lin.gets("先看物流单号")
    expect(drawer.get_by_text("先看物流单号")).to_be_visible()

    drawer.get_by_role("button", name="加入发言").click()
    wall.top.get_by_role("button", name="加入发言").click()
    word = drawer.get_by_role("textbox", name="给客户的消息")
    word.fill("您好，我来一起看看。")
    word.press("Enter")
    visitor.sees("您好，我来一起看看。")
    expect(visitor.log.get_by_text("先看物流单号")).to_have_count(0)

    drawer.get_by_role("button", name="接管").click()
    wall.top.get_by_role("button", name="接管会话").click()
    expect(wall.top.get_by_text("请先填写原因。")).to_be_visible()
    wall.top.get_by_label("原因（必填，记入操作日志）").fill("客户投诉升级")
    assert wall.window.barriers(CORNERS) == []
    wall.page.keyboard.press("Escape")
    drawer.get_by_role("button", name="接管").click()
    expect(wall.top.get_by_label("原因（必填，记入操作日志）")).to_have_value("客户投诉升级")
    wall.top.get_by_role("button", name="接管会话").click()
    expect(drawer.get_by_text("您正在接待此会话。")).to_be_visible()

    drawer.get_by_role("button", name="结束会话").click()
    solved = wall.top.get_by_role("group", name="会话结果").get_by_role("checkbox").first
    solved.check()
    wall.top.get_by_label("原因（必填，记入操作日志）").fill("已处理完")
    wall.top.get_by_role("button", name="结束会话").click()
    expect(visitor.panel.get_by_role("radio", name="4 星")).to_be_attached()


@pytest.mark.req("KS-22")
def test_why_does_it_wait_and_why_here(shop: RunningShop, opens: Opens, wall: Wall) -> None:
    visitor = Visitor(opens()).comes_to(shop.a).opens_the_chat()
    visitor.writes("有人吗？")
    waiting = wall.part("等待分配").get_by_role("row", name="小雨")
    waiting.get_by_role("button", name="为什么在等待").click()
    expect(wall.top.get_by_role("heading", name="为什么在等待？", exact=True)).to_be_visible()
    expect(wall.top.get_by_text("排队第 1 位")).to_be_visible()
    assert wall.window.barriers(CORNERS) == []
    wall.page.keyboard.press("Escape")
    shop.colleague(seed.HUMAN).gets("有人吗？")
    unanswered = wall.part("等待回复").get_by_role("row", name="小雨")
    unanswered.get_by_role("button", name="为什么分流到这里").click()
    expect(wall.top.get_by_text("命中").first).to_be_visible()
    expect(wall.top.get_by_text("林小美").first).to_be_visible()


@pytest.mark.req("KS-18", "KS-19", "KS-22")
def test_a_manager_pauses_an_agent_with_a_reason(shop: RunningShop, opens: Opens) -> None:
    shop.colleague(seed.HUMAN)
    window = opens()
    Agent(window).comes_in(shop.link(seed.ADMIN, "/wall"))
    wall = Wall(window)
    row = wall.part("客服").get_by_role("row", name="林小美")
    row.get_by_role("button", name="详情").click()
    wall.top.get_by_role("radio", name="挂起").check()
    wall.top.get_by_label("原因（记入操作日志）").fill("会议")
    assert wall.window.barriers(CORNERS) == []
    wall.top.get_by_role("button", name="设置", exact=True).click()
    wall.page.keyboard.press("Escape")
    expect(row).to_contain_text("挂起")
    window.page.goto(shop.link(seed.ADMIN, "/settings/audit"))
    entry = window.page.locator("details").filter(has_text="agent.set_status").first
    entry.locator("summary").click()
    expect(entry).to_contain_text("会议")
