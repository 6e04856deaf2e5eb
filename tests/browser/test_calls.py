"""What an agent is called for, and how they like it: by sounds, by notices of the system, by one merged warning."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.other_settings import routing
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

EAR = """
window.ear = { notes: [], notices: [], away: false };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) {
    ear.notes.push(this.frequency.value);
    return start.apply(this, given);
};
window.Notification = class {
    static permission = "granted";
    constructor(title, { body }) { ear.notices.push(`${title}|${body}`); }
    close() {}
};
Object.defineProperty(document, "visibilityState", { get: () => (ear.away ? "hidden" : "visible") });
"""
"""What a machine without loudspeakers or notices would have let hear and see; and somebody who looks elsewhere."""
ASSIGNED, MESSAGE = [659, 880], [784]


def hears(agent: Agent, notes: list[int]) -> None:
    agent.page.wait_for_function("(notes) => notes.every((note) => ear.notes.includes(note))", arg=notes)


def is_shown(agent: Agent, notice: str) -> None:
    agent.page.wait_for_function("(notice) => ear.notices.includes(notice)", arg=notice)


def test_sounds_and_notices_as_one_likes_them(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    window.page.add_init_script(EAR)
    zhou = Agent(window).comes_in(shop.link(seed.SECOND_HUMAN, "/me")).is_online()
    zhou.page.get_by_role("button", name="试听: 新会话接入").click()
    hears(zhou, ASSIGNED)
    likes = zhou.page.get_by_role("main").get_by_role("checkbox")
    for call in ("新会话接入", "买家发来消息"):
        likes.and_(zhou.page.get_by_label(f"{call}: 提示音", exact=True)).uncheck()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("你好")
    zhou.holds("1/5")
    visitor.writes("在吗？")
    expect(visitor.marks).to_have_text(["已送达"])
    zhou.page.reload()
    zhou.holds("1/5")
    assert zhou.page.evaluate("ear.notes.length") == 0, "what was switched off stays so"

    zhou.page.get_by_label("买家发来消息: 提示音", exact=True).check()
    visitor.writes("有人吗？")
    hears(zhou, MESSAGE)
    assert zhou.page.evaluate("ear.notices") == [], "no notice for whoever looks at the desk"
    zhou.page.evaluate("ear.away = true")
    visitor.writes("壶裂了")
    is_shown(zhou, "小雨|壶裂了")
    zhou.page.get_by_role("checkbox", name="桌面通知中显示消息内容").uncheck()
    visitor.writes("卡号 6222")
    is_shown(zhou, "小雨|")


@pytest.mark.req("CO-07")
def test_slow_replies_are_one_warning_that_leads_to_the_longest(
    shop: RunningShop, opens: Opens, zhou: Agent, visitor: Visitor
) -> None:
    with routing(shop, workbench={"slow_reply_s": 5, "first_reply_s": 30}):
        warning = zhou.list.get_by_role("status")
        expect(warning).to_contain_text("1 位买家等待回复已超过 5 秒")
        expect(zhou.page.get_by_role("heading", name="小雨").locator("..")).to_contain_text("首次回复")
        other = Visitor(opens()).comes_to(shop.b)
        other.presses("another")
        other.opens_the_chat()
        other.writes("发货了吗？")
        zhou.list.get_by_role("button", name="发货了吗？").click()
        zhou.sees("发货了吗？")
        expect(warning).to_contain_text("2 位买家等待回复已超过 5 秒")
        zhou.list.get_by_role("button", name="回复最久的").click()
        zhou.sees("你好")
        zhou.list.get_by_role("button", name="知道了").click()
        expect(warning).to_be_empty()
        zhou.writes("您好，请讲")
        visitor.sees("您好，请讲")
    expect(zhou.list.get_by_role("button", name="小雨")).not_to_contain_text("已等待")
