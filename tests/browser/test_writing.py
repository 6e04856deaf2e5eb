"""Writing at the desk: input methods, Esc, drafts, and all of it without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import CDPSession, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop

ZHOU = seed.SECOND_HUMAN


def composes(cdp: CDPSession, text: str) -> None:
    """An input method shows this, underlined, and nothing is chosen yet."""
    cdp.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )


def key_of_the_input_method(cdp: CDPSession, key: str, code: int) -> None:
    """A key that the input method takes for itself, as browsers tell it to the page: with the code 229, or with its own
    while something is composed. No character comes of it."""
    for told in (229, code):
        for kind in ("rawKeyDown", "keyUp"):
            cdp.send(
                "Input.dispatchKeyEvent",
                {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": told},
            )


def test_choosing_a_word_in_an_input_method_sends_nothing(zhou: Agent, visitor: Visitor) -> None:
    cdp = zhou.page.context.new_cdp_session(zhou.page)
    zhou.input.click()
    for typed in ("n", "ni", "ni h", "ni hao"):
        composes(cdp, typed)
    key_of_the_input_method(cdp, "Enter", 13)
    key_of_the_input_method(cdp, "Escape", 27)
    expect(zhou.asked).to_have_count(0)
    cdp.send("Input.insertText", {"text": "你好"})
    expect(zhou.input).to_have_value("你好")
    composes(cdp, "xie xie")
    key_of_the_input_method(cdp, "Enter", 13)
    cdp.send("Input.insertText", {"text": "，谢谢"})
    expect(zhou.input).to_have_value("你好，谢谢")
    expect(zhou.bubbles).to_have_text(["你好"])
    zhou.page.keyboard.press("Enter")
    visitor.sees("你好，谢谢")
    expect(zhou.bubbles).to_have_text(["你好", "你好，谢谢"])
    expect(zhou.input).to_have_value("")


@pytest.mark.req("KS-20")
def test_esc_ends_only_after_a_yes_until_one_wants_none(zhou: Agent, visitor: Visitor) -> None:
    zhou.input.fill("等一下")
    zhou.page.keyboard.press("Escape")
    expect(zhou.asked.get_by_role("button", name="结束会话", exact=True)).to_be_focused()
    zhou.page.keyboard.press("Escape")
    expect(zhou.asked).to_have_count(0)
    expect(zhou.input).to_be_focused()
    expect(zhou.input).to_have_value("等一下")
    zhou.holds("1/5")

    zhou.presses("我的菜单: 周宁")
    zhou.page.get_by_role("link", name="个人设置").click()
    zhou.page.get_by_role("checkbox", name="结束会话前先确认").uncheck()
    zhou.page.go_back()
    zhou.sees("你好")
    zhou.input.press("Escape")
    expect(visitor.panel.get_by_role("radio", name="5 星")).to_be_attached()
    expect(zhou.asked).to_have_count(0)


def test_drafts_stay_with_their_conversation_over_a_reload(
    shop: RunningShop, opens: Opens, zhou: Agent, visitor: Visitor
) -> None:
    other = Visitor(opens()).comes_to(shop.b)
    other.presses("another")
    other.opens_the_chat()
    other.writes("发货了吗？")
    zhou.input.fill("给小雨的半句")
    zhou.page.get_by_role("tab", name="内部备注").click()
    zhou.note.fill("关于小雨的半句")
    zhou.list.get_by_role("button", name="发货了吗？").click()
    zhou.sees("发货了吗？")
    expect(zhou.input).to_have_value("")
    zhou.input.fill("给另一位的半句")
    zhou.page.reload()
    zhou.sees("发货了吗？")
    expect(zhou.input).to_have_value("给另一位的半句")
    cell = zhou.list.get_by_role("button", name="小雨")
    expect(cell).to_contain_text("[草稿]")
    cell.click()
    zhou.sees("你好")
    expect(zhou.input).to_have_value("给小雨的半句")
    zhou.page.get_by_role("tab", name="内部备注").click()
    expect(zhou.note).to_have_value("关于小雨的半句")
    zhou.page.get_by_role("tab", name="回复买家").click()
    zhou.input.press("Enter")
    visitor.sees("给小雨的半句")
    expect(zhou.input).to_have_value("")


@pytest.mark.req("KS-21", "KS-20")
def test_a_whole_service_without_a_mouse(shop: RunningShop, opens: Opens) -> None:
    zhou = Agent(opens()).comes_in(shop.link(ZHOU, "/work"))
    keys = zhou.page.keyboard

    def palette(typed: str) -> None:
        keys.press("Control+k")
        expect(zhou.page.get_by_role("combobox", name="输入命令、买家或同事")).to_be_focused()
        keys.type(typed)
        expect(zhou.page.get_by_role("option").first).to_be_visible()
        keys.press("Enter")

    palette("挂起")
    expect(zhou.status("挂起")).to_have_attribute("aria-pressed", "true")
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("壶盖裂了")
    expect(visitor.panel.get_by_text("您排在第 1 位")).to_be_visible()
    keys.press("p")
    expect(zhou.input).to_be_focused()
    keys.type("您好，请发张照片。")
    keys.press("Enter")
    visitor.sees("您好，请发张照片。")
    palette("内部备注")
    expect(zhou.note).to_be_focused()
    keys.type("可能要换壶盖")
    keys.press("Enter")
    zhou.sees("可能要换壶盖")
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work", node=shop.b)).is_online()
    palette("邀请 林小美")
    expect(zhou.asked.get_by_role("checkbox", name="林小美")).to_be_checked()
    zhou.asked.get_by_label("邀请说明").focus()
    keys.type("看看有没有库存")
    keys.press("Enter")
    expect(zhou.asked).to_have_count(0)
    expect(lin.list.get_by_text("看看有没有库存")).to_be_visible()
    palette("回复买家")
    keys.type("壶盖给您补发。")
    keys.press("Enter")
    visitor.sees("壶盖给您补发。")
    keys.press("Escape")
    expect(zhou.asked.get_by_role("button", name="结束会话", exact=True)).to_be_focused()
    keys.press("Enter")
    expect(visitor.panel.get_by_role("radio", name="5 星")).to_be_attached()
    zhou.holds("0/5")
    keys.press("?")
    expect(zhou.asked.get_by_text("快速跳转与操作")).to_be_visible()
    keys.press("Escape")
    expect(zhou.asked).to_have_count(0)


@pytest.mark.req("CO-05")
def test_a_note_names_a_colleague_and_is_sent_once(
    shop: RunningShop, opens: Opens, zhou: Agent, visitor: Visitor
) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work", node=shop.b)).is_online()
    zhou.page.get_by_role("tab", name="内部备注").click()
    zhou.note.press_sequentially("请看一下 @林")
    expect(zhou.page.get_by_role("option", name="林小美")).to_be_visible()
    zhou.note.press("Enter")
    expect(zhou.note).to_have_value("请看一下 @林小美 ")
    zhou.note.press("Enter")
    zhou.note.press("Enter")
    expect(lin.list.get_by_text("周宁 提到了您")).to_be_visible()
    lin.list.get_by_role("button", name="周宁 提到了您").click()
    lin.sees("请看一下 @林小美")
    expect(lin.list.get_by_text("周宁 提到了您")).to_have_count(0)
    expect(zhou.bubbles).to_have_text(["你好", "请看一下 @林小美"])
