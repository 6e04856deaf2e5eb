"""Pictures of every surface, in three languages, light and dark, on a desk and on a phone.

    python -m tests.browser.screenshots [--folder .screenshots] [--only work,wall]

Starts private servers and two nodes of its own, and lets people talk, so that there is something to be seen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from server.demo import seed
from server.embedded import servers
from server.store.migrate import migrate
from tests.browser.backstage import Backstage
from tests.browser.people import (
    CHROMIUM,
    DESKTOP,
    FLAGS,
    LANGUAGES,
    PHONE,
    SCHEMES,
    Language,
    Visitor,
    Window,
)
from tests.browser.running_shop import RunningShop

SIZES: dict[str, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}
QUESTIONS = ("我的退货到哪一步了？", "订单能改地址吗？", "这款壶有小一号的吗？")

Surface = Callable[[RunningShop, Window, Language], None]


def _sign_in(shop: RunningShop, window: Window, _: Language) -> None:
    window.page.goto(f"{shop.a}/desk/sign-in")
    expect(window.page.get_by_role("heading").first).to_be_visible()


def _shop(shop: RunningShop, window: Window, language: Language) -> None:
    Visitor(window, language).comes_to(shop.b)


def _welcome(shop: RunningShop, window: Window, language: Language) -> None:
    Visitor(window, language).comes_as_a_stranger_to(shop.b).opens_the_chat()


def _chat(shop: RunningShop, window: Window, language: Language) -> None:
    visitor = Visitor(window, language).comes_as_a_stranger_to(shop.b).opens_the_chat()
    visitor.writes(QUESTIONS[0])
    visitor.sees(QUESTIONS[0])


def _ended(shop: RunningShop, window: Window, language: Language) -> None:
    visitor = Visitor(window, language).comes_as_a_stranger_to(shop.b).opens_the_chat()
    question = f"{QUESTIONS[2]} {time.time_ns()}"  # found again by its words
    visitor.writes(question)
    lin = shop.colleague(seed.HUMAN)
    asked = lin.gets(question)
    lin.says(asked, "有的，今天发货。")
    visitor.sees("有的，今天发货。")
    lin.ends(asked)
    expect(visitor.panel.get_by_role("radio").first).to_be_attached()


def _conversation(shop: RunningShop, window: Window, _: Language) -> None:
    window.page.goto(shop.link(seed.SECOND_HUMAN, "/work"))
    cells = window.page.get_by_role("tabpanel").first.get_by_role("button")
    expect(cells.first).to_be_visible()
    cells.first.click()
    expect(window.page.get_by_role("textbox").first).to_be_visible()


def _desk(page: str, person: seed.Person = seed.ADMIN) -> Surface:
    def shown(shop: RunningShop, window: Window, _: Language) -> None:
        window.page.goto(shop.link(person, page))
        expect(window.page.get_by_role("navigation", name="Pointsman")).to_be_visible()

    return shown


SURFACES: dict[str, Surface] = {
    "sign-in": _sign_in,
    "shop": _shop,
    "welcome": _welcome,
    "chat": _chat,
    "ended": _ended,
    "work": _conversation,
    "wall": _desk("/wall", seed.SUPERVISOR),
    "customers": _desk("/customers"),
    "reports": _desk("/reports"),
    "settings": _desk("/settings"),
}


@contextmanager
def _served() -> Generator[RunningShop]:
    backstage = Backstage()
    with TemporaryDirectory(prefix="pm-screenshots-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        running = backstage.do(servers.start(state_dir=place / "servers"))
        try:
            backstage.do(migrate(running.database_url))
            shop = RunningShop.start(backstage, running.database_url, running.redis_url, place)
            try:
                yield shop
            finally:
                shop.everybody_leaves()
                shop.stop()
        finally:
            backstage.do(running.aclose())
            backstage.close()


def _talk(shop: RunningShop, browser: Browser) -> None:
    """Some customers ask the second agent, who answers one of them."""
    zhou = shop.colleague(seed.SECOND_HUMAN)
    for number, question in enumerate(QUESTIONS):
        visitor = Visitor(Window.open(browser)).comes_to(shop.b)
        for _ in range(number):
            visitor.presses("another")
        visitor.opens_the_chat()
        visitor.writes(question)
        asked = zhou.gets(question)
        if number == 0:
            zhou.says(asked, "已经收到包裹，今天退款。")
            visitor.sees("已经收到包裹，今天退款。")


def _settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # transitions; only pictures depend on it


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".screenshots"))
    parser.add_argument("--only", default=",".join(SURFACES), help="surfaces, with commas between")
    asked = parser.parse_args()
    names = [name for name in SURFACES if name in asked.only.split(",")]
    asked.folder.mkdir(parents=True, exist_ok=True)
    with _served() as shop, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _talk(shop, browser)
        for name in names:
            for language in LANGUAGES:
                for scheme in SCHEMES:
                    for size, pixels in SIZES.items():
                        window = Window.open(browser, language, scheme, pixels)
                        SURFACES[name](shop, window, language)
                        _settled(window.page)
                        path = asked.folder / f"{name}-{language}-{scheme}-{size}.png"
                        window.page.screenshot(path=path)
                        window.close()
                        print(path, *window.faults, sep="\n  ", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
