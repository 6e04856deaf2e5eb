"""The settings, page by page, and what was changed there."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import FilePayload, expect

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
        if window.page.locator(f"{changed} summary").count():
            window.page.locator(f"{changed} summary").last.click()
            window.page.locator(f"{changed}[open] :is(li, dl, p)").first.wait_for()

    return shown


def _adds(name: str, button: str = "main .pm-button.main") -> Shows:
    """What opens to make a new one."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        _page(name)(stage, window, language)
        window.page.locator(button).first.click()

    return shown


def _key(stage: Stage, window: Window, language: Language) -> None:
    _page("keys")(stage, window, language)
    form = window.page.locator("main form")
    form.locator("input").first.fill({"zh-CN": "订单同步", "en": "Order sync", "zh-TW": "訂單同步"}[language])
    for box in form.get_by_role("checkbox").all()[2:4]:
        box.check()
    form.locator("button").last.click()
    window.page.locator(".pm-notice.good").wait_for()


def _dry_run(stage: Stage, window: Window, language: Language) -> None:
    _page("routing")(stage, window, language)
    form = window.page.locator("form.card").last
    form.locator("select").first.select_option("after_sale")
    form.locator("button.main").click()
    window.page.locator(".answer li").first.wait_for()


def _edits(name: str) -> Shows:
    """The first that is there, opened."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        _page(name)(stage, window, language)
        window.page.locator("main tbody .pm-button.small").first.click()
        window.page.get_by_role("dialog").wait_for()

    return shown


def _table(stage: Stage, window: Window, language: Language) -> None:
    """Quick replies as a file, with lines that must be mended."""
    _page("quick_replies")(stage, window, language)
    window.page.locator("main .tools .pm-button").first.click()
    table = "快捷词,标题,内容\nyf,运费,满 99 元包邮\nyf,重复,{custmer}\n"
    file: FilePayload = {"name": "replies.csv", "mimeType": "text/csv", "buffer": table.encode()}
    window.page.get_by_role("dialog").locator("input[type=file]").set_input_files(files=[file])
    window.page.get_by_role("dialog").locator("tbody tr").first.wait_for()


def _file(change: tuple[str, str]) -> Shows:
    """The shop's configuration as a file in which this was changed."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        _page("configuration")(stage, window, language)
        with window.page.expect_download() as taken:
            window.page.locator("main .pm-button").first.click()
        text = Path(taken.value.path()).read_text(encoding="utf-8")
        assert change[0] in text, change[0]
        file: FilePayload = {
            "name": "demo.yaml",
            "mimeType": "application/yaml",
            "buffer": text.replace(*change).encode(),
        }
        window.page.locator("input[type=file]").set_input_files(files=[file])
        window.page.locator("main :is(.diff, .pm-notice)").first.wait_for()

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
        for name in ("accounts", "rules", "quick_replies")
    }
    | {f"settings-{name}-edit": Surface(_edits(name), whole=True) for name in ("accounts", "quick_replies")}
    | {
        "settings-keys-new": Surface(_key, whole=True),
        "settings-routing-dry-run": Surface(_dry_run, whole=True),
        "settings-quick_replies-import": Surface(_table),
        "settings-configuration-import": Surface(_file(("watchers_max: 20", "watchers_max: 7")), whole=True),
        "settings-configuration-faults": Surface(_file(("watchers_max: 20", "watchers_max: 0")), whole=True),
    }
    | {"settings-unsaved": Surface(_unsaved)}
)
