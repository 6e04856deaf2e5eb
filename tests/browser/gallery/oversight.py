"""What those see who look after the shop: the wall, customers, reports."""

from __future__ import annotations

from server.demo import seed
from tests.browser.gallery.desk import desk
from tests.browser.gallery.stage import Stage
from tests.browser.gallery.surface import Shows, Surface
from tests.browser.people import Language, Window


def _wall(press: str, seen: str = "dialog") -> Shows:
    def shown(stage: Stage, window: Window, language: Language) -> None:
        desk("/wall", seed.SUPERVISOR)(stage, window, language)
        window.page.locator(press).first.click()
        window.page.locator(seen).first.wait_for()

    return shown


def _wall_act(table: int, press: str) -> Shows:
    """What is asked before an act; `table`: of somebody who waits for an agent (0), or for an answer (1)."""

    def shown(stage: Stage, window: Window, language: Language) -> None:
        desk("/wall", seed.ADMIN)(stage, window, language)
        rows = window.page.locator(".wall .column:last-child table")
        rows.nth(table).locator(".acts button").nth(1).click()
        window.page.locator(press).click()
        window.page.get_by_role("dialog").nth(1).wait_for()

    return shown


def _report(query: str) -> Shows:
    def shown(stage: Stage, window: Window, language: Language) -> None:
        desk("/reports", seed.SUPERVISOR)(stage, window, language)
        window.page.goto(f"{stage.shop.a}/desk/reports?{query}")
        window.page.locator("table").first.wait_for()

    return shown


def _customer(stage: Stage, window: Window, language: Language) -> None:
    desk("/customers?q=shop-xiaoyu")(stage, window, language)
    window.page.locator("td .name").first.click()
    window.page.get_by_role("dialog").wait_for()


def _filtered(stage: Stage, window: Window, language: Language) -> None:
    desk("/customers")(stage, window, language)
    window.page.get_by_role("search").locator("select").last.select_option("after_sale")
    window.page.wait_for_url("**/customers?*after_sale*")


def _giving(stage: Stage, window: Window, language: Language) -> None:
    desk("/customers")(stage, window, language)
    window.page.locator("td.check input").nth(1).check()
    window.page.locator(".bar .el-button--primary").click()
    window.page.get_by_role("dialog").wait_for()


def _given(stage: Stage, window: Window, language: Language) -> None:
    _giving(stage, window, language)
    window.page.get_by_role("dialog").locator(".el-button--primary").click()
    window.page.wait_for_url("**/customers?*job=*")


SURFACES = {
    "wall": Surface(desk("/wall", seed.SUPERVISOR), whole=True),
    "wall-agent": Surface(_wall(".wall .column:first-child tbody button")),
    "wall-watch": Surface(_wall(".wall .column:last-child .acts button:last-child", "[role=dialog], dialog")),
    "wall-speak": Surface(_wall_act(1, ".drawer .acts button >> nth=0")),
    "wall-take-over": Surface(_wall_act(1, ".drawer .acts .danger")),
    "wall-assign": Surface(_wall_act(0, ".drawer .acts button >> nth=2")),
    "wall-end": Surface(_wall_act(1, ".drawer .acts button >> nth=-1")),
    "wall-why": Surface(_wall(".wall .column:last-child .acts button:first-child")),
    "customers": Surface(desk("/customers"), whole=True),
    "customers-filter": Surface(_filtered, whole=True),
    "customers-file": Surface(_customer),
    "customers-give": Surface(_giving),
    "customers-given": Surface(_given),
    "reports": Surface(_report("step=hour"), whole=True),
    "reports-day": Surface(_report("step=day&compare=before"), whole=True),
    "reports-agent": Surface(_report("step=total&by=agent"), whole=True),
    "reports-group": Surface(_report("step=total&by=group"), whole=True),
    "reports-state": Surface(_report("step=total&by=order_state"), whole=True),
}
