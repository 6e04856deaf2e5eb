"""What can be done with messages at the desk: quoted, taken back, looked at closely, read back in a long log."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

PICTURE = Path(__file__).parent / "kettle.png"
A_LONG_TALK = 90
"""More than one page of what was said, and more than one screen of that page."""
PASTE = """(field, bytes) => {
    const given = new DataTransfer();
    given.items.add(new File([new Uint8Array(bytes)], "", { type: "image/png" }));
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true }));
}"""
"""What a browser tells the page when a picture is pasted that was copied elsewhere: one without a name."""

READ_BACK = """(log) => new Promise((done) => {
    const top = (bubble) => bubble.getBoundingClientRect().top;
    const bubbles = () => [...log.querySelectorAll(".bubble")];
    let height, read, before;
    const since = (frames) => {
        if (frames > 0) requestAnimationFrame(() => since(frames - 1));
        else done([read, before, top(bubbles().find((each) => each.textContent === read))]);
    };
    const look = () => {
        if (height !== undefined && log.scrollHeight > height + 1000) since(10);
        else {
            const first = bubbles().find((each) => top(each) >= top(log));
            [height, read, before] = [log.scrollHeight, first.textContent, top(first)];
            requestAnimationFrame(look);
        }
    };
    const settled = (frames, at) => {
        const now = `${log.scrollHeight} ${log.scrollTop}`;
        if (frames > 0) requestAnimationFrame(() => settled(now === at ? frames - 1 : 15, now));
        else {
            log.scrollTop = 200;
            look();
        }
    };
    settled(15, "");
})"""
"""Once all stands still, goes up until an older page is put above: the first words in sight, and where they stood
before and after it."""


def entry(agent: Agent, text: str) -> Locator:
    """What was said, with what can be done about it."""
    return agent.thread.locator(".entry").filter(has_text=text)


@pytest.mark.req("PF-05")
def test_both_sides_quote_and_what_is_recalled_is_gone_wherever_it_is_quoted(
    zhou: Agent, visitor: Visitor
) -> None:
    zhou.writes("退款原路退回，三天内到账")
    visitor.writes("要几天？")
    entry(zhou, "你好").get_by_role("button", name="引用").click()
    expect(zhou.page.get_by_role("group", name="引用的消息")).to_contain_text("你好")
    zhou.page.get_by_role("button", name="取消引用").click()
    entry(zhou, "要几天？").get_by_role("button", name="引用").click()
    expect(zhou.input).to_be_focused()
    zhou.writes("看上一条")
    quoted = visitor.bubbles.filter(has_text="看上一条").get_by_role("button")
    expect(quoted).to_have_text("我 要几天？")

    answer = visitor.log.locator(".line").filter(has_text="退款原路退回")
    answer.get_by_role("button", name="引用").click()
    visitor.writes("是这条吗？")
    there = entry(zhou, "是这条吗？").get_by_role("button", name="周宁 退款原路退回")
    there.click()
    expect(zhou.thread.locator(".shown")).to_contain_text("退款原路退回")

    entry(zhou, "退款原路退回").filter(has_text="已读").get_by_role("button", name="撤回").press("Enter")
    expect(entry(zhou, "是这条吗？").get_by_role("button", name="周宁 引用的消息已撤回")).to_be_visible()
    expect(zhou.thread.get_by_text("退款原路退回")).to_have_count(0)
    expect(visitor.log.get_by_text("退款原路退回")).to_have_count(0)
    expect(visitor.bubbles.last).to_have_text("周宁 消息已撤回是这条吗？")


@pytest.mark.req("CO-05")
def test_a_note_is_quoted_to_colleagues_only(zhou: Agent, visitor: Visitor) -> None:
    zhou.notes("这位买家上周投诉过")
    entry(zhou, "上周投诉过").get_by_role("button", name="引用").click()
    expect(zhou.note).to_be_focused()
    zhou.page.get_by_role("tab", name="回复买家").click()
    expect(zhou.page.get_by_text("内部备注不会引用给买家")).to_be_visible()
    zhou.writes("您好，请讲")
    visitor.sees("您好，请讲")
    expect(visitor.panel.get_by_text("上周投诉过")).to_have_count(0)
    expect(visitor.bubbles.last).to_have_text("您好，请讲")


@pytest.mark.req("CO-04")
def test_a_pasted_picture_is_sent_and_looked_at_closely(zhou: Agent, visitor: Visitor) -> None:
    zhou.input.fill("看这个接口")
    zhou.input.evaluate(PASTE, list(PICTURE.read_bytes()))
    expect(visitor.log.get_by_role("img", name="图片")).to_be_visible()
    expect(zhou.input).to_have_value("看这个接口")
    small = zhou.thread.get_by_role("img", name="图片")
    before = small.bounding_box()
    small.click()
    whole = zhou.asked.get_by_role("img", name="图片")
    expect(whole).to_be_visible()
    assert whole.evaluate("async (image) => (await image.decode(), image.naturalWidth)") > 0
    after = whole.bounding_box()
    assert before is not None and after is not None and after["width"] > before["width"]
    with zhou.page.expect_download() as saved:
        zhou.answers("保存到本地")
    assert saved.value.suggested_filename.endswith(".png")
    zhou.page.keyboard.press("Escape")
    expect(zhou.asked).to_have_count(0)


def test_a_long_log_is_read_back_without_jumping_and_left_for_its_end(
    shop: RunningShop, opens: Opens
) -> None:
    typist = shop.colleague(seed.SECOND_HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("从头说起")
    talk = typist.gets("从头说起")
    for number in range(A_LONG_TALK):
        typist.says(talk, f"第{number}句")
    zhou = Agent(opens()).comes_in(shop.link(seed.SECOND_HUMAN, "/work", node=shop.b)).opens("小雨")
    newest = zhou.thread.get_by_text(f"第{A_LONG_TALK - 1}句", exact=True)
    expect(newest).to_be_in_viewport()

    # Up as far as is there; what comes before it is put above, and what one reads stays where it is.
    read, before, after = zhou.thread.evaluate(READ_BACK)
    assert abs(after - before) < 3, f"{read} jumped from {before} to {after}"
    first = zhou.thread.get_by_text(read, exact=True)
    expect(first).to_be_in_viewport()

    # Who reads old words is told of new ones, and not torn away.
    visitor.writes("还在吗？")
    down = zhou.page.get_by_role("button", name="1 条新消息")
    expect(down).to_be_visible()
    expect(first).to_be_in_viewport()
    down.click()
    expect(zhou.thread.get_by_text("还在吗？")).to_be_in_viewport()
    expect(down).to_have_count(0)
    visitor.writes("我再等等")
    expect(zhou.thread.get_by_text("我再等等")).to_be_in_viewport()
    expect(visitor.marks).to_have_text(["已读"])
