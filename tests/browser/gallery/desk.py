"""What the people of the shop see, beside the settings."""

from __future__ import annotations

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from server.demo import seed
from tests.browser.gallery.stage import Stage
from tests.browser.gallery.surface import Shows, Surface
from tests.browser.gallery.visitors import SOCKET
from tests.browser.people import Language, Window

CELLS = ".lists .cell"


def _sign_in(stage: Stage, window: Window, _: Language) -> None:
    window.page.goto(f"{stage.shop.a}/desk/sign-in")
    expect(window.page.get_by_role("heading").first).to_be_visible()


def _refused(stage: Stage, window: Window, language: Language) -> None:
    _sign_in(stage, window, language)
    for box, words in zip(
        window.page.locator("input").all(), (seed.SHOP, seed.HUMAN.email, "forgotten"), strict=True
    ):
        box.fill(words)
    window.page.keyboard.press("Enter")
    window.page.get_by_role("alert").first.wait_for()


def _used_link(stage: Stage, window: Window, _: Language) -> None:
    window.page.goto(f"{stage.shop.a}/desk/link/used-long-ago?next=/work")
    window.page.get_by_role("alert").first.wait_for()


def desk(page: str, person: seed.Person = seed.ADMIN) -> Shows:
    """A page of the desk."""

    def shown(stage: Stage, window: Window, _: Language) -> None:
        window.page.goto(stage.shop.link(person, page))
        expect(window.page.get_by_role("navigation", name="Pointsman")).to_be_visible()

    return shown


def _conversation(stage: Stage, window: Window, language: Language) -> Page:
    desk(f"/work/{stage.shown}", seed.SECOND_HUMAN)(stage, window, language)
    expect(window.page.locator(".thread .bubble").first).to_be_visible()
    expect(window.page.locator(".thread img").first).to_be_visible()
    return window.page


def _work(*keys: str, seen: str = "body") -> Shows:
    """The conversation after these keys, until this is there."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        page = _conversation(stage, window, language)
        page.locator(CELLS).first.focus()
        for key in keys:
            page.keyboard.press(key)
        page.locator(seen).first.wait_for()

    return shown


def _list(of: str, opens: bool = False) -> Shows:
    def shown(stage: Stage, window: Window, language: Language) -> None:
        desk("/work", seed.SECOND_HUMAN)(stage, window, language)
        window.page.locator(f"#list-{of}").click()
        window.page.locator(CELLS).first.wait_for()
        if opens:
            window.page.locator(CELLS).first.click()
            window.page.locator(".thread .bubble").first.wait_for()

    return shown


def _quick(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.locator("textarea").first.fill("/")
    page.get_by_role("option").first.wait_for()


def _mention(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.locator(CELLS).first.focus()
    page.keyboard.press("n")
    page.keyboard.type("@")
    page.get_by_role("option").first.wait_for()


def _why_here(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.locator("button.why").click()
    page.get_by_role("dialog").wait_for()


def _going(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.locator(".bar [aria-pressed=false]").last.click()
    page.get_by_role("dialog").wait_for()


def _side(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("button.side").click()


def _shared(stage: Stage, window: Window, language: Language) -> None:
    desk(f"/work/{stage.shown}", seed.HUMAN)(stage, window, language)
    window.page.locator("#list-shared").click()
    window.page.locator(".thread .bubble").first.wait_for()


def _image(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.locator(".thread img").first.click()
    page.get_by_role("dialog").locator("img").wait_for()


def _me_menu(stage: Stage, window: Window, language: Language) -> None:
    page = _conversation(stage, window, language)
    page.locator("[aria-controls=me-menu]").click()


def _connecting(stage: Stage, window: Window, language: Language) -> None:
    window.page.route_web_socket(SOCKET, lambda _: None)
    window.page.goto(stage.shop.link(seed.SECOND_HUMAN, "/work"))
    window.page.get_by_role("status").first.wait_for()


def _cut(stage: Stage, window: Window, language: Language) -> None:
    lines: list[WebSocketRoute] = []
    cut = False

    def route(line: WebSocketRoute) -> None:
        if cut:
            line.close()
        else:
            line.connect_to_server()
            lines.append(line)

    window.page.route_web_socket(SOCKET, route)
    page = _conversation(stage, window, language)
    cut = True
    for line in lines:
        line.close()
    page.locator("textarea").first.fill(stage.story.draft)
    page.locator(".connection, .banner").first.wait_for()


def _failing(path: str, address: str) -> Shows:
    """What a page says when the server has no answer."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        window.page.route(re.compile(path), lambda route: route.fulfill(status=503, body="{}"))
        desk(address)(stage, window, language)
        window.page.get_by_role("alert").first.wait_for()

    return shown


def _second_tab(stage: Stage, window: Window, language: Language) -> None:
    _sign_in(stage, window, language)
    who = (seed.SHOP, seed.SECOND_HUMAN.email, seed.PASSWORD)
    for box, words in zip(window.page.locator("input").all(), who, strict=True):
        box.fill(words)
    window.page.keyboard.press("Enter")
    window.page.locator(CELLS).first.wait_for()
    first = window.page
    window.page = window.another_tab().page
    window.page.goto(first.url)
    window.page.locator(".banner").first.wait_for()


def _first(page: str) -> Shows:
    """A page of the shop that was founded a minute ago."""

    def shown(stage: Stage, window: Window, _: Language) -> None:
        window.page.goto(stage.office.link("店主", page))
        expect(window.page.get_by_role("main").get_by_role("heading").first).to_be_visible()

    return shown


SURFACES = {
    "sign-in": Surface(_sign_in, "quiet"),
    "sign-in-refused": Surface(_refused, "quiet"),
    "sign-in-used-link": Surface(_used_link, "quiet"),
    "first-work": Surface(_first("/work"), "quiet"),
    "first-wall": Surface(_first("/wall"), "quiet", whole=True),
    "first-customers": Surface(_first("/customers"), "quiet"),
    "first-reports": Surface(_first("/reports"), "quiet", whole=True),
    "first-settings": Surface(_first("/settings"), "quiet", whole=True),
    "first-groups": Surface(_first("/settings/groups"), "quiet"),
    "first-accounts": Surface(_first("/settings/accounts"), "quiet"),
    "first-quick-replies": Surface(_first("/settings/quick_replies"), "quiet"),
    "first-rules": Surface(_first("/settings/rules"), "quiet"),
    "first-me": Surface(_first("/me"), "quiet"),
    "work-empty": Surface(desk("/work", seed.HUMAN), "quiet"),
    "wall-quiet": Surface(desk("/wall", seed.SUPERVISOR), "quiet", whole=True),
    "edge-not-found": Surface(desk("/no/such/page"), "quiet"),
    "edge-no-such-settings": Surface(desk("/settings/nothing"), "quiet"),
    "edge-no-such-conversation": Surface(desk("/work/0198c1f0-0000-7000-8000-000000000000"), "quiet"),
    "edge-forbidden": Surface(desk("/wall", seed.HUMAN), "quiet"),
    "edge-connecting": Surface(_connecting, "quiet"),
    "edge-customers-fail": Surface(_failing("/v1/customers", "/customers"), "quiet"),
    "edge-reports-fail": Surface(_failing("/v1/statistics", "/reports"), "quiet"),
    "edge-settings-fail": Surface(_failing("/v1/settings/routing", "/settings/routing"), "quiet"),
    "work": Surface(_work()),
    "work-list": Surface(_list("mine")),
    "work-queue": Surface(_list("queue", opens=True)),
    "work-recent": Surface(_list("recent", opens=True)),
    "work-all": Surface(_list("all")),
    "work-quick": Surface(_quick),
    "work-mention": Surface(_mention),
    "work-quote": Surface(_work("q")),
    "work-transfer": Surface(_work("t", seen="dialog [role=radio], dialog input[type=radio]")),
    "work-invite": Surface(_work("i", seen="dialog input[type=checkbox]")),
    "work-end": Surface(_work("Escape", seen="dialog")),
    "work-slots": Surface(_work("l", seen="dialog")),
    "work-shortcuts": Surface(_work("?", seen="dialog")),
    "work-palette": Surface(_work("Control+k", seen="[role=option]")),
    "work-why": Surface(_why_here),
    "work-offline-choice": Surface(_going),
    "work-side": Surface(_side),
    "work-shared": Surface(_shared),
    "work-image": Surface(_image),
    "work-me-menu": Surface(_me_menu),
    "work-cut": Surface(_cut),
    "work-second-tab": Surface(_second_tab),
    "me": Surface(desk("/me", seed.SECOND_HUMAN), whole=True),
}
