"""Work of a conversation, divided among colleagues at their desks, and seen by a manager when it is late."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.faulty_line import FaultyLine
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
    [chosen] = owner.select_option("林小美")
    expect(work(lin).get_by_role("combobox", name="“查垫圈库存”的负责人")).to_have_value(chosen)

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


@pytest.mark.req("CO-08")
def test_who_was_chosen_is_shown_while_the_answer_is_on_its_way(
    shop: RunningShop, opens: Opens, line: FaultyLine
) -> None:
    zhou = Agent(opens().over(line)).comes_in(shop.link(seed.SECOND_HUMAN, "/work", node=line.address))
    zhou.is_online()
    visitor = Visitor(opens()).comes_to(shop.a).opens_the_chat()
    visitor.writes("你好")
    zhou.opens("小雨")
    work(zhou).get_by_role("textbox", name="新增事项").fill("联系仓库")
    zhou.page.keyboard.press("Enter")
    owner = work(zhou).get_by_role("combobox", name="“联系仓库”的负责人")
    expect(owner).to_be_visible()
    line.loses_answers()
    [chosen] = owner.select_option("周宁")
    work(zhou).get_by_role("button", name="“联系仓库”的到期时间").click()  # the list is drawn anew
    expect(work(zhou).get_by_label("“联系仓库”的到期时间")).to_be_focused()
    expect(owner).to_have_value(chosen)

    line.cut()
    line.mend()
    zhou.tries_now()
    zhou.page.reload()
    zhou.opens("小雨")
    expect(owner).to_have_value(chosen)
