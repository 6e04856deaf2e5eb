"""The widget in somebody else's page, at another origin: it works where the shop says so, and neither side disturbs the
other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Request, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.host_page import NONCE, HostPage
from tests.browser.people import PHONE, Visitor, Window
from tests.browser.running_shop import RunningShop

PICTURE = Path(__file__).parent / "kettle.png"
LOUD = """
* { color: red !important; font-size: 40px !important; background: yellow !important; border: 9px solid lime !important;
    margin: 30px !important; letter-spacing: 1em !important; text-transform: uppercase !important; }
iframe, button { display: none !important; visibility: hidden !important; }
main, main * { all: revert !important; }
"""
Serves = Callable[..., HostPage]


@pytest.fixture
def serves(shop: RunningShop) -> Iterator[Serves]:
    """Puts a page of a shop somewhere."""
    pages: list[HostPage] = []

    def served(*, trusted: bool = True, **more: str) -> HostPage:
        pages.append(HostPage.serve(shop.backstage, shop.b, **more))
        if trusted:
            shop.trusts(*(page.address for page in pages))
        return pages[-1]

    yield served
    for page in pages:
        page.close(shop.backstage)


def at(window: Window, page: HostPage) -> Visitor:
    """A visitor of that page."""
    window.page.goto(page.address)
    return Visitor(window)


def strict(server: str) -> str:
    """A policy that allows the page nothing but what the documentation asks for; see docs/widget.md."""
    return (
        f"default-src 'none'; script-src 'nonce-{NONCE}' 'strict-dynamic'; style-src 'nonce-{NONCE}'; "
        f"img-src {server} data:; connect-src {server} {server.replace('http', 'ws')}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types pointsman"
    )


def test_a_page_of_another_origin_embeds_it_and_nobody_else_hears_of_it(
    shop: RunningShop, opens: Opens, serves: Serves
) -> None:
    lin = shop.colleague(seed.HUMAN)
    page, window = serves(), opens()
    asked: list[str] = []

    def noted(request: Request) -> None:
        asked.append(request.url)

    window.page.on("request", noted)
    visitor = at(window, page).opens_the_chat()
    visitor.writes("别家小店也能问吗？")
    asked_about = lin.gets("别家小店也能问吗？")
    lin.says(asked_about, "当然可以")
    visitor.sees("当然可以")
    hosts = {httpx.URL(url).netloc.decode() for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {httpx.URL(page.address).netloc.decode(), httpx.URL(shop.b).netloc.decode()}
    window.page.reload()
    visitor.opens_the_chat()
    visitor.sees("当然可以")
    assert window.page.evaluate("told.map(([name]) => name)")[:2] == ["ready", "opened"]


def test_a_page_that_is_not_on_the_list_is_told_so_and_goes_on(opens: Opens, serves: Serves) -> None:
    page, window = serves(trusted=False), opens()
    visitor = at(window, page).opens_the_chat()
    expect(visitor.panel.get_by_text("聊天暂时无法使用")).to_be_visible()
    expect(visitor.input).to_be_disabled()
    (said,) = window.faults
    assert said.startswith(f"pointsman: {page.address} is not on the shop's list of widget origins")
    window.faults.clear()
    assert ["error", {"reason": "origin_not_allowed"}] in window.page.evaluate("told")
    visitor.presses("close")
    window.page.get_by_role("button", name="加入购物车").click()


def test_a_strict_policy_with_the_documented_lines_lets_everything_work(
    shop: RunningShop, opens: Opens, serves: Serves
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = at(opens(), serves(policy=strict(shop.b))).opens_the_chat()
    visitor.writes("看看这张图")
    lin.gets("看看这张图")
    visitor.sends(PICTURE)
    picture = visitor.log.get_by_role("img", name="kettle.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.complete && image.naturalWidth > 0")
    assert visitor.frame.locator("html").evaluate("() => document.compatMode") == "CSS1Compat"


def test_a_policy_that_forbids_the_panel_leaves_a_button_that_says_so(
    shop: RunningShop, opens: Opens, serves: Serves
) -> None:
    loader_only = f"script-src 'unsafe-inline' {shop.b}/widget/loader.js"
    page, window = serves(policy=loader_only), opens()
    visitor = at(window, page)
    visitor.presses("chat")
    window.page.wait_for_function("told.some(([name]) => name === 'error')")
    assert any("The chat could not be loaded" in fault for fault in window.faults)
    window.faults.clear()
    expect(window.page.get_by_role("button", name="联系客服", exact=True)).to_be_visible()


def test_the_pages_styles_do_not_reach_the_widget(opens: Opens, serves: Serves) -> None:
    plain = at(opens(), serves()).opens_the_chat()
    loud = at(opens(), serves(style=LOUD)).opens_the_chat()
    look = """(element) => { const style = getComputedStyle(element), box = element.getBoundingClientRect();
        return [style.color, style.fontSize, style.borderTopWidth, style.textTransform, box.width, box.height]; }"""
    assert loud.panel.bounding_box() == plain.panel.bounding_box()
    for each in (loud.panel, loud.input, loud.panel.get_by_role("heading")):
        expect(each).to_be_visible()
    assert loud.input.evaluate(look) == plain.input.evaluate(look)
    for visitor in (loud, plain):
        visitor.presses("close")
    button = "button[aria-haspopup=dialog]"
    assert loud.page.locator(button).evaluate(look) == plain.page.locator(button).evaluate(look)


def test_keys_typed_in_the_chat_are_not_the_pages(opens: Opens, serves: Serves) -> None:
    visitor = at(opens(), serves()).opens_the_chat()
    expect(visitor.input).to_be_focused()
    visitor.page.keyboard.type("/s?")
    expect(visitor.input).to_have_value("/s?")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("button", name="联系客服", exact=True)).to_be_focused()
    assert visitor.page.evaluate("keys") == []


def test_a_page_with_a_button_of_its_own_gets_the_focus_back_there(opens: Opens, serves: Serves) -> None:
    visitor = at(opens(), serves(options='shop: "demo", language: "zh-CN", launcher: false'))
    own = visitor.page.get_by_role("button", name="加入购物车")
    expect(visitor.page.get_by_role("button", name="联系客服")).to_have_count(0)
    own.focus()
    visitor.page.evaluate("pointsman('open')")
    expect(visitor.input).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(own).to_be_focused()


def test_the_panel_grows_and_shrinks_with_the_window(opens: Opens, serves: Serves) -> None:
    visitor = at(opens(), serves()).opens_the_chat()
    for width, height, wanted in (
        (1440, 900, {"width": 380, "height": 640}),
        (700, 500, {"width": 380, "height": 460}),
        (PHONE["width"], PHONE["height"], {**PHONE}),
        (844, 390, {"width": 844, "height": 390}),
    ):
        visitor.page.set_viewport_size({"width": width, "height": height})
        box = visitor.panel.bounding_box()
        assert box is not None
        assert {"width": box["width"], "height": box["height"]} == wanted
