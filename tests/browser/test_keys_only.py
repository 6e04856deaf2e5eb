"""An agent's day with the keys alone: what is pressed is all that is done here, no element is pointed at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.other_settings import routing
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

FAR = 40
"""No control is further from another one than so many times Tab."""


class Keyboard:
    """Somebody's keys."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.press = agent.page.keyboard.press
        self.type = agent.page.keyboard.type

    def reaches(self, there: Locator, key: str = "Tab") -> None:
        """By this key, pressed again and again."""
        expect(there).to_be_visible()
        for _ in range(FAR):
            if there.evaluate("(element) => element === document.activeElement"):
                return
            self.press(key)
        raise AssertionError(f"{key} does not lead to {there}")

    def commands(self, typed: str) -> None:
        """Through the palette, which opens when no dialog is open any more."""
        expect(self.agent.asked).to_have_count(0)
        self.press("Control+k")
        expect(self.agent.page.get_by_role("combobox", name="输入命令、买家或同事")).to_be_focused()
        self.type(typed)
        expect(self.agent.page.get_by_role("option").first).to_be_visible()
        self.press("Enter")


@pytest.mark.req("KS-18", "KS-21", "KS-22")
def test_from_coming_online_to_a_slip_that_is_taken_back(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(seed.SECOND_HUMAN, "/work"))
    keys = Keyboard(zhou)
    keys.commands("在线")
    expect(zhou.status("在线")).to_have_attribute("aria-pressed", "true")
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("什么时候发货？")
    cell = zhou.list.get_by_role("button", name="什么时候发货？")
    expect(cell).to_be_visible()
    keys.press("j")
    expect(cell).to_be_focused()
    keys.press("Enter")
    expect(zhou.input).to_be_focused()

    # A quick reply; a quote of what was said last; a slip that is taken back.
    keys.type("/fh")
    expect(zhou.page.get_by_role("option", name="发货时间")).to_have_attribute("aria-selected", "true")
    keys.press("Enter")
    keys.press("Enter")
    visitor.sees("48 小时内发货")
    visitor.writes("能快一点吗？")
    zhou.sees("能快一点吗？")
    keys.press("Shift+Tab")
    keys.press("q")
    expect(zhou.page.get_by_role("group", name="引用的消息")).to_contain_text("能快一点吗？")
    keys.type("明天就发 ")
    keys.press("Enter")
    expect(visitor.bubbles.last).to_contain_text("能快一点吗？")
    slip = zhou.thread.locator(".entry").filter(has_text="明天就发").get_by_role("button", name="撤回")
    keys.reaches(slip, "Shift+Tab")
    keys.press("Enter")
    expect(visitor.bubbles.last).to_have_text("消息已撤回")

    # Why here, who holds my slots.
    keys.reaches(zhou.page.get_by_role("button", name="为什么分流到这里？"), "Shift+Tab")
    keys.press("Enter")
    expect(zhou.asked.get_by_role("heading", name="为什么分流到这里？")).to_be_visible()
    expect(zhou.asked.get_by_role("listitem").filter(has_text="周宁").first).to_be_visible()
    keys.press("Escape")
    expect(zhou.asked).to_have_count(0)
    keys.press("l")
    expect(zhou.asked.get_by_role("button", name="小雨")).to_be_visible()
    keys.press("Escape")
    expect(zhou.asked).to_have_count(0)


@pytest.mark.req("KS-18", "KS-20", "KS-21")
def test_from_an_end_that_is_taken_back_to_going_offline(
    shop: RunningShop, zhou: Agent, visitor: Visitor
) -> None:
    keys = Keyboard(zhou)
    with routing(shop, wrap_up_s=60):
        keys.press("Escape")
        expect(zhou.asked.get_by_role("button", name="结束会话", exact=True)).to_be_focused()
        keys.press("1")
        keys.press("Enter")
        expect(zhou.page.get_by_role("status").filter(has_text="已结束：小雨 · 已解决")).to_be_visible()
        keys.press("z")
        expect(zhou.page.get_by_role("heading", name="小雨")).to_be_visible()
    expect(zhou.input).to_be_focused()

    # Given on to a colleague, who says no more than that; then the day is over.
    shop.colleague(seed.HUMAN)
    keys.commands("转接 林小美")
    expect(zhou.asked.get_by_role("radio", name="林小美")).to_be_checked()
    keys.reaches(zhou.asked.get_by_label("转接原因"))
    keys.type("请继续")
    keys.reaches(zhou.asked.get_by_role("button", name="转接", exact=True))
    keys.press("Enter")
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
    zhou.holds("0/5")
    keys.commands("离线")
    expect(zhou.status("离线")).to_have_attribute("aria-pressed", "true")


@pytest.mark.req("KS-18", "KS-22")
def test_leaving_with_somebody_in_hand_and_why_they_wait_then(
    shop: RunningShop, zhou: Agent, visitor: Visitor
) -> None:
    keys = Keyboard(zhou)
    keys.commands("离线")
    expect(zhou.asked.get_by_text("您还有 1 个接待中的会话")).to_be_visible()
    keys.reaches(zhou.asked.get_by_role("button", name="放回排队池"))
    keys.press("Enter")
    expect(zhou.status("离线")).to_have_attribute("aria-pressed", "true")
    expect(visitor.panel.get_by_text("您排在第 1 位")).to_be_visible()
    keys.commands("排队")
    waiting = zhou.list.get_by_role("button", name="小雨")
    expect(waiting).to_be_visible()
    keys.reaches(waiting)
    keys.press("Enter")
    keys.reaches(zhou.page.get_by_role("button", name="为什么在排队？"))
    keys.press("Enter")
    expect(zhou.asked.get_by_text("排第 1 位，共 1 人")).to_be_visible()
    keys.press("Escape")
    expect(zhou.asked).to_have_count(0)
