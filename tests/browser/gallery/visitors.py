"""What a customer sees."""

from __future__ import annotations

import re

from playwright.sync_api import WebSocketRoute, expect

from tests.browser.gallery.stage import KETTLE, Stage
from tests.browser.gallery.surface import Surface
from tests.browser.people import Language, Visitor, Window

SOCKET = re.compile(r"/ws$")


def _shop(stage: Stage, window: Window, language: Language) -> None:
    Visitor(window, language).comes_to(stage.shop.b)


def _stranger(stage: Stage, window: Window, language: Language) -> Visitor:
    return Visitor(window, language).comes_as_a_stranger_to(stage.shop.b).opens_the_chat()


def _welcome(stage: Stage, window: Window, language: Language) -> None:
    _stranger(stage, window, language)


def _nobody(stage: Stage, window: Window, language: Language) -> None:
    visitor = _stranger(stage, window, language)
    visitor.writes(stage.story.ships)
    visitor.sees(stage.story.ships)
    expect(visitor.panel.locator(".queue")).to_be_visible()


def _queue(stage: Stage, window: Window, language: Language) -> None:
    # The first customer of the shop page has an after-sale order, and that group is full.
    visitor = Visitor(window, language).comes_to(stage.shop.b)
    for _ in range(5):
        visitor.presses("another")
    visitor.opens_the_chat()
    visitor.writes(stage.story.cracked)
    expect(visitor.panel.locator(".queue")).to_be_visible()


def _served_by_lin(stage: Stage, window: Window, language: Language) -> tuple[Visitor, str]:
    visitor = _stranger(stage, window, language)
    question = stage.story.smaller.format(n=next(stage.asked))
    visitor.writes(question)
    visitor.sees(question)
    asked = stage.gives_lin(question)
    stage.lin.says(asked, stage.story.smaller_answer)
    visitor.sees(stage.story.smaller_answer)
    return visitor, question


def _served(stage: Stage, window: Window, language: Language) -> None:
    visitor, _ = _served_by_lin(stage, window, language)
    visitor.sends(KETTLE)
    visitor.log.locator("img").first.wait_for()
    visitor.writes(stage.story.engraved)
    visitor.sees(stage.story.engraved)


def _ended(stage: Stage, window: Window, language: Language) -> None:
    visitor, question = _served_by_lin(stage, window, language)
    stage.lin.ends(stage.lin.gets(question))
    expect(visitor.panel.get_by_role("radio").first).to_be_attached()


def _rated(stage: Stage, window: Window, language: Language) -> None:
    _ended(stage, window, language)
    panel = Visitor(window, language).panel
    panel.get_by_role("radio").nth(1).check(force=True)
    panel.locator("form button[type=submit]").first.wait_for()


def _unread(stage: Stage, window: Window, language: Language) -> None:
    visitor, question = _served_by_lin(stage, window, language)
    visitor.presses("close")
    stage.lin.says(stage.lin.gets(question), stage.story.reserved)
    window.page.locator("#pointsman b").get_by_text("1").wait_for()


def _offline(stage: Stage, window: Window, language: Language) -> None:
    lines: list[WebSocketRoute] = []
    cut = False

    def route(line: WebSocketRoute) -> None:
        if cut:
            line.close()
        else:
            line.connect_to_server()
            lines.append(line)

    window.page.context.route_web_socket(SOCKET, route)
    visitor = _stranger(stage, window, language)
    visitor.writes(stage.story.invoice)
    visitor.sees(stage.story.invoice)
    cut = True
    for line in lines:
        line.close()
    visitor.panel.locator(".banner").wait_for()
    visitor.writes(stage.story.invoice_more)


SURFACES = {
    "shop": Surface(_shop, "quiet", whole=True),
    "widget-nobody": Surface(_nobody, "quiet"),
    "widget-welcome": Surface(_welcome),
    "widget-queue": Surface(_queue),
    "widget-served": Surface(_served),
    "widget-ended": Surface(_ended),
    "widget-rating": Surface(_rated),
    "widget-unread": Surface(_unread),
    "widget-offline": Surface(_offline),
}
