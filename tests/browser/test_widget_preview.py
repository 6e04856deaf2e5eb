"""The preview of the widget in the settings: the real one, as it will look, and with nothing behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Request, expect

from tests.browser.conftest import Opens
from tests.browser.office import Office, SettingsPage
from tests.browser.people import CORNERS
from tests.browser.running_shop import RunningShop


@pytest.fixture
def office(shop: RunningShop) -> Iterator[Office]:
    office = Office(shop)
    yield office
    office.close()


@pytest.fixture
def desk(office: Office, opens: Opens) -> SettingsPage:
    """The owner at the page of the widget."""
    return office.settings(opens(), "店主", "widget")


def page_of(desk: SettingsPage) -> FrameLocator:
    """What stands in for a page of the shop."""
    return desk.page.frame_locator("iframe[title='预览']")


def panel_of(desk: SettingsPage) -> FrameLocator:
    return page_of(desk).frame_locator("iframe")


def test_it_follows_every_edit(desk: SettingsPage) -> None:
    welcome = panel_of(desk).get_by_role("log")
    expect(welcome).to_contain_text("您好")
    desk.fills("欢迎语", "欢迎来到小店 <3")
    expect(welcome).to_contain_text("欢迎来到小店 <3")
    desk.page.get_by_label("主题色").fill("#ffcc00")
    top = panel_of(desk).locator(".top")
    expect(top).to_have_css("background-color", "rgb(255, 204, 0)")
    expect(top).to_have_css("color", "rgb(0, 0, 0)")
    desk.page.get_by_label("外观").last.select_option("深色")
    expect(panel_of(desk).locator(".panel")).to_have_css("background-color", "rgb(22, 27, 36)")
    frame = page_of(desk).locator("iframe")
    expect(frame).to_have_css("right", "20px")
    desk.page.get_by_label("位置").select_option("左下角")
    expect(frame).to_have_css("left", "20px")
    desk.page.get_by_label("语言").last.select_option("English")
    expect(panel_of(desk).get_by_placeholder("Write a message")).to_be_visible()
    expect(desk.page.get_by_label("欢迎语")).to_have_value("欢迎来到小店 <3")
    code = desk.page.get_by_role("region", name="网页接入代码")
    expect(code).to_contain_text('greeting: "欢迎来到小店 \\u003c3"')
    expect(code).to_contain_text('position: "left"')


SITUATIONS = {
    "排队中": "您排在第 3 位",
    "无人在线，留言": "现在无人在线",
    "接待中": "小美 正在输入",
    "网络断开": "网络已断开",
    "结束后评价": "请评价本次服务",
}


def test_it_shows_what_a_visitor_may_meet(desk: SettingsPage) -> None:
    for n, (situation, seen) in enumerate(SITUATIONS.items()):
        desk.page.get_by_label("访客遇到的情形").select_option(situation)
        expect(panel_of(desk).get_by_role("dialog")).to_contain_text(seen)
        assert desk.window.barriers([CORNERS[n % 2]]) == [], situation


def test_it_can_be_tried_and_nothing_comes_of_it(office: Office, desk: SettingsPage) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.frame != desk.page.main_frame and "/widget/preview/" not in request.url:
            asked.append(request.url)

    desk.page.get_by_label("访客遇到的情形").select_option("已收起，有未读消息")
    button = page_of(desk).get_by_role("button", name="联系客服，未读消息：2")
    expect(button).to_be_visible()
    desk.page.get_by_title("预览").scroll_into_view_if_needed()
    desk.page.on("request", note)
    button.click()
    field = panel_of(desk).get_by_placeholder("请输入消息")
    expect(field).to_be_focused()
    field.fill("有人吗？")
    field.press("Enter")
    expect(panel_of(desk).get_by_role("log")).to_contain_text("有人吗？")
    desk.page.get_by_label("访客遇到的情形").select_option("结束后评价")
    panel_of(desk).get_by_role("radio", name="5 星").check()
    panel_of(desk).get_by_role("button", name="提交评价").click()
    expect(panel_of(desk).get_by_text("感谢您")).to_be_visible()
    panel_of(desk).get_by_role("button", name="关闭").click()
    expect(desk.page.get_by_label("访客遇到的情形")).to_have_value("closed")
    assert asked == []
    assert office.asks("GET", "/v1/conversations")["conversations"] == []


def test_an_edit_leaves_the_focus_where_it_is(desk: SettingsPage) -> None:
    expect(panel_of(desk).get_by_role("log")).to_be_visible()
    greeting = desk.page.get_by_label("欢迎语")
    greeting.press_sequentially("欢迎")
    expect(panel_of(desk).get_by_role("log")).to_contain_text("欢迎")
    expect(greeting).to_be_focused()


def test_only_the_settings_page_tells_it_what_to_show(desk: SettingsPage) -> None:
    expect(panel_of(desk).get_by_role("log")).to_be_visible()
    (preview,) = (frame for frame in desk.page.frames if "/widget/preview" in frame.url)
    # By a window that is not the settings' (its own): heard by everybody who listens, and followed by nobody.
    preview.evaluate("""new Promise((heard) => {
        addEventListener("message", heard, { once: true });
        const look = { language: "en", theme: "", accent: "#ff0000", position: "left", greeting: "", launcher: true };
        postMessage({ preview: "show", situation: "closed", reasons: [], look });
    }).then(() => true)""")
    expect(panel_of(desk).locator(".top")).to_have_css("background-color", "rgb(36, 86, 214)")
    expect(panel_of(desk).get_by_role("log")).to_be_visible()
