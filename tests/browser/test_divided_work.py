"""Work of a conversation, divided among colleagues at their desks, and seen by a manager when it is late."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop


def work(agent: Agent) -> Locator:
    """The list of what is to be done, beside the conversation."""
    return agent.page.get_by_role("complementary").locator("section").filter(has_text="协作事项")


@pytest.mark.req("CO-08", "CO-09", "CO-03")
def test_work_is_divided_done_and_missed_when_it_is_late(
    shop: RunningShop, opens: Opens, zhou: Agent, visitor: Visitor
) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work", node=shop.b)).is_online()
    boss = Agent(opens()).comes_in(shop.link(seed.SUPERVISOR, "/wall"))
    zhou.presses("邀请")
    zhou.asked.get_by_role("checkbox", name="林小美").check()
    zhou.answers("发送邀请")
    lin.list.get_by_role("button", name="加入").click()
    lin.sees("你好")

    for text in ("查垫圈库存", "联系仓库"):
        work(zhou).get_by_role("textbox", name="新增事项").fill(text)
        zhou.page.keyboard.press("Enter")
        expect(work(lin).get_by_role("checkbox", name=text)).to_be_visible()
    owner = work(zhou).get_by_role("combobox", name="“查垫圈库存”的负责人")
    owner.select_option("林小美")
    expect(work(lin).get_by_role("combobox", name="“查垫圈库存”的负责人")).to_have_value(owner.input_value())

    # By when: on the shop's clock, with the keys alone. Esc leaves it as it was, and ends no conversation.
    late = work(zhou).get_by_role("button", name="“查垫圈库存”的到期时间")
    late.press("Enter")
    when = work(zhou).get_by_label("“查垫圈库存”的到期时间")
    expect(when).to_be_focused()
    when.press("Escape")
    expect(zhou.asked).to_have_count(0)
    expect(late).to_be_focused()
    expect(late).to_have_text("未设到期时间")
    late.press("Enter")
    when.fill("2026-11-20T18:00")
    when.press("Enter")
    expect(late).to_be_focused()
    expect(work(lin).get_by_role("button", name="“查垫圈库存”的到期时间")).to_contain_text("已超期")

    alarms = boss.page.get_by_role("main").get_by_role("listitem").filter(has_text="事项超时")
    expect(alarms).to_contain_text("小雨")
    alarms.get_by_role("button", name="我来跟进").click()
    expect(alarms).to_contain_text("主管")
    work(lin).get_by_role("checkbox", name="查垫圈库存").check()
    expect(work(zhou).get_by_role("heading")).to_have_text("协作事项 1/2")
    expect(alarms).to_have_count(0)
    expect(zhou.list.get_by_role("button", name="小雨")).to_contain_text("1 项待办")
    work(zhou).get_by_role("button", name="取消事项“联系仓库”").click()
    expect(work(lin).get_by_role("checkbox")).to_have_count(1)
    expect(visitor.panel.get_by_text("垫圈")).to_have_count(0)
