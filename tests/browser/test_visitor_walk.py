"""A visitor's way from the first look to the rating; and what they may write, which is text whatever it looks like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from protocol.shapes import Conversation
from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

PICTURE = Path(__file__).parent / "kettle.png"
TRICKY = (
    "<img src=x onerror=\"top.hurt = 1; document.title = 'hurt'\">",
    "<script>top.hurt = 1</script>",
    "**粗体** _斜体_ [链接](javascript:top.hurt=1) # 标题",
    "\u202eلا شيء\u202c مرحبا بكم",  # right to left, and back
    "长" * 40 + "W" * 300,
    "👩🏽‍🚀🏳️‍🌈 ok",
    "https://example.com/?a=1&b=<2>#c",
    "&amp; &lt;b&gt; {{ 7 * 7 }} ${7*7} %s \\n",
)


@pytest.mark.req("KS-09", "KS-11", "KS-20")
def test_from_the_first_visit_to_the_rating(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    expect(visitor.log.get_by_text("您好！有什么可以帮您？")).to_be_visible()
    visitor.writes("新人问一下，壶还有货吗？")
    expect(visitor.panel.get_by_text("您排在第 1 位，共 1 位")).to_be_visible()
    expect(visitor.marks).to_have_text(["已发送"])

    lin = shop.colleague(seed.HUMAN)
    asked = lin.gets("新人问一下，壶还有货吗？")
    expect(visitor.panel.get_by_role("heading", name="林小美 正在为您服务")).to_be_visible()
    visitor.sees("林小美 为您服务。")
    expect(visitor.marks).to_have_text(["已送达"])
    lin.reads(asked)
    expect(visitor.marks).to_have_text(["已读"])
    visitor.sends(PICTURE)
    expect(visitor.log.get_by_role("img", name="kettle.png")).to_be_visible()
    lin.says(asked, "有的，今天发货。")
    visitor.sees("有的，今天发货。")

    lin.ends(asked)
    visitor.sees("会话已结束。")
    visitor.panel.get_by_role("radio", name="5 星").check(force=True)
    visitor.panel.get_by_role("button", name="提交评价").click()
    expect(visitor.panel.get_by_text("感谢您的 5 星评价。")).to_be_visible()


def test_who_comes_back_finds_what_was_said_before(shop: RunningShop, opens: Opens) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    visitor.writes("第一次来")
    asked = lin.gets("第一次来")
    lin.ends(asked)
    visitor.sees("会话已关闭。")
    visitor.page.reload()
    visitor.opens_the_chat()
    visitor.sees("第一次来")
    visitor.writes("第二次来")
    lin.gets("第二次来")
    expect(visitor.bubbles).to_have_text(["第一次来", "第二次来"])


def test_a_picture_may_be_the_first_thing_that_is_said(shop: RunningShop, opens: Opens) -> None:
    shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    expect(visitor.input).to_be_enabled()
    visitor.sends(PICTURE)
    expect(visitor.log.get_by_role("img", name="kettle.png")).to_be_visible()


def test_answers_that_come_to_a_closed_panel_are_counted_at_the_button(
    shop: RunningShop, opens: Opens
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("在吗？")
    asked = lin.gets("在吗？")
    visitor.presses("close")
    lin.says(asked, "在的")
    lin.says(asked, "请讲")
    expect(visitor.page.get_by_role("button", name="联系客服，未读消息：2")).to_be_visible()
    visitor.page.reload()
    visitor.page.get_by_role("button", name="联系客服，未读消息：2").click()
    visitor.sees("请讲")
    visitor.presses("close")
    expect(visitor.page.get_by_role("button", name="联系客服", exact=True)).to_be_visible()


@pytest.mark.req("KS-21")
def test_a_conversation_that_changes_hands_says_so(shop: RunningShop, opens: Opens) -> None:
    lin, zhou = shop.colleague(seed.HUMAN), shop.colleague(seed.SECOND_HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("退货找谁？")
    asked = lin.gets("退货找谁？")
    lin.transfers(asked, zhou)
    visitor.sees("已为您转接，周宁 为您服务。")
    expect(visitor.panel.get_by_role("heading", name="周宁 正在为您服务")).to_be_visible()


# --- what is written is text -----------------------------------------------------------------------------------------
def unhurt(page: Page) -> None:
    assert page.evaluate("[typeof top.hurt, document.querySelectorAll('img[src=x]').length]") == [
        "undefined",
        0,
    ]


def test_whatever_is_written_is_shown_as_text_on_both_sides(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work")).is_online()
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    for text in TRICKY:
        visitor.writes(text)
        expect(visitor.bubbles.last).to_have_text(text)
    lin.opens("小雨")
    for text in TRICKY:
        expect(lin.thread.get_by_text(text, exact=True)).to_be_visible()
        lin.writes(text)
        expect(visitor.bubbles.last).to_have_text(text)
    assert visitor.bubbles.all_inner_texts()[-2 * len(TRICKY) :] == [*TRICKY, *TRICKY]
    for page in (visitor.page, lin.page):
        unhurt(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing grows too wide"
    assert visitor.log.evaluate("(log) => log.scrollWidth <= log.clientWidth")


def composing(page: Page) -> Iterator[None]:
    """Types "nihao" as a Chinese keyboard does; the candidates are open until the next step, which takes one."""
    keyboard = page.context.new_cdp_session(page)
    for shown in ("n", "ni", "ni h", "ni hao"):
        keyboard.send(
            "Input.imeSetComposition",
            {"text": shown, "selectionStart": len(shown), "selectionEnd": len(shown)},
        )
    yield
    keyboard.send("Input.insertText", {"text": "你好"})
    keyboard.detach()
    yield


def test_choosing_a_candidate_with_enter_does_not_send(shop: RunningShop, opens: Opens) -> None:
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    expect(visitor.input).to_be_focused()
    keyboard = composing(visitor.page)
    next(keyboard)
    expect(visitor.input).to_have_value("ni hao")
    visitor.input.evaluate(KEY_WHILE_COMPOSING, "Enter")
    visitor.input.evaluate(KEY_WHILE_COMPOSING, "Escape")
    next(keyboard)
    expect(visitor.panel).to_be_visible()
    expect(visitor.input).to_have_value("你好")
    expect(visitor.bubbles).to_have_count(0)
    visitor.input.press("Enter")
    expect(visitor.bubbles).to_have_text(["你好"])


KEY_WHILE_COMPOSING = """(input, key) => input.dispatchEvent(
    new KeyboardEvent("keydown", { key, keyCode: 229, isComposing: true, bubbles: true, cancelable: true }))"""
"""What browsers send while candidates are open; the DevTools protocol has no list of them to press it on."""


def test_waiting_is_not_for_ever(shop: RunningShop, opens: Opens) -> None:
    """Who does not want to wait any more leaves the queue, and may come again."""
    visitor = Visitor(opens()).comes_as_a_stranger_to(shop.b).opens_the_chat()
    visitor.writes("有人吗？")
    visitor.panel.get_by_role("button", name="取消排队").click()
    visitor.panel.get_by_role("button", name="继续等待").click()
    visitor.panel.get_by_role("button", name="取消排队").click()
    visitor.panel.get_by_role("button", name="确定").click()
    visitor.sees("会话已关闭。")
    lin = shop.colleague(seed.HUMAN)
    visitor.writes("我又来了")
    again: Conversation = lin.gets("我又来了")
    assert again.owner is not None
