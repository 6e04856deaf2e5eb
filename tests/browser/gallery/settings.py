"""The settings, page by page, and what was changed there."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.gallery.desk import desk
from tests.browser.gallery.stage import Stage
from tests.browser.gallery.surface import Shows, Surface
from tests.browser.office import PAGES
from tests.browser.people import Language, Window


def _page(name: str) -> Shows:
    def shown(stage: Stage, window: Window, language: Language) -> None:
        desk(f"/settings/{name}")(stage, window, language)
        expect(window.page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()
        window.page.wait_for_load_state("networkidle")

    return shown


def _history(name: str) -> Shows:
    def shown(stage: Stage, window: Window, language: Language) -> None:
        _page(name)(stage, window, language)
        changed = (
            "details.history" if window.page.locator("details.history").count() else "section.card details"
        )
        window.page.locator(f"{changed} summary").last.click()
        window.page.locator(f"{changed}[open]").last.wait_for()

    return shown


def _adds(name: str, button: str = "main .pm-button.main") -> Shows:
    """What opens to make a new one."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        _page(name)(stage, window, language)
        window.page.locator(button).first.click()

    return shown


def _unsaved(stage: Stage, window: Window, language: Language) -> None:
    _page("routing")(stage, window, language)
    window.page.locator("main input[type=checkbox]").first.click()
    window.page.locator("main nav.menu a").nth(1).click()
    window.page.get_by_role("dialog").wait_for()


SURFACES = (
    {f"settings-{name}": Surface(_page(name), whole=True) for name in PAGES}
    | {
        f"settings-{name}-history": Surface(_history(name), whole=True)
        for name in ("routing", "endings", "widget", "workbench", "collaboration", "files", "holidays")
    }
    | {
        f"settings-{name}-new": Surface(_adds(name), whole=True)
        for name in ("accounts", "rules", "quick_replies", "keys")
    }
    | {"settings-unsaved": Surface(_unsaved)}
)
