"""A shop's page with and without the widget, in turns: what the widget adds to its loading, and how soon it opens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from playwright.async_api import Browser, Page, Route

from loadtest.pointsman_stand import SHOP
from tests.browser.full_shop import FullShop
from tests.browser.people import DESKTOP
from tests.browser.trace_events import tracing
from tests.browser.traced_desk import SCRIPT, Measures

SNIPPET: Final = f"""<script>
window.pointsman ||= function () {{ (window.pointsman.q ||= []).push(arguments); }};
pointsman("boot", {{ shop: "{SHOP}", language: "zh-CN" }});
</script><script src="/widget/loader.js" async></script>"""
GOODS: Final = "".join(f"<article><h2>水壶 {number}</h2><p>一壶好茶。</p></article>" for number in range(200))


def host(snippet: str) -> str:
    """A shop's page, with this in its head."""
    return f"<!doctype html><html lang=zh-CN><meta charset=utf-8><title>shop</title>{snippet}<h1>shop</h1>{GOODS}"


def answering(html: str) -> Callable[[Route], Awaitable[None]]:
    """A route that gives this page."""

    async def answer(route: Route) -> None:
        await route.fulfill(body=html, content_type="text/html")

    return answer


async def may_be_written_into(page: Page) -> None:
    """Returns when the panel has its text box, on the page or in a frame of its own."""
    places = (page.get_by_role("textbox"), page.frame_locator("iframe").get_by_role("textbox"))
    waiting = [asyncio.create_task(place.first.wait_for()) for place in places]
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def measure(
    browser: Browser, shop: FullShop, rounds: int, measures: Measures, told: Callable[[str], None]
) -> None:
    """Loads in turns, each in a fresh context: nothing is cached."""

    def note(name: str, value: float) -> None:
        measures.setdefault(name, []).append(value)

    for each in range(rounds * 2):
        told(f"a shop's page {each + 1}")
        for name, snippet in (("without", ""), ("with", SNIPPET)):
            context = await browser.new_context(viewport=DESKTOP, locale="zh-CN")
            page = await context.new_page()
            await page.add_init_script(path=SCRIPT)
            await page.route("**/host-page", answering(host(snippet)))
            cdp = await context.new_cdp_session(page)
            await cdp.send("Network.enable")
            received: list[float] = []
            cdp.on(
                "Network.loadingFinished",
                lambda event, kept=received: kept.append(event["encodedDataLength"]),
            )
            async with tracing(browser, page) as trace:
                await page.goto(f"{shop.url}/host-page")
                if snippet:
                    await page.get_by_role("button", name="联系客服").wait_for()
                await page.wait_for_timeout(1000)
            note(f"page {name} widget: main thread, ms", trace.busy_ms)
            note(f"page {name} widget: longest task, ms", max(trace.tasks_ms))
            note(f"page {name} widget: longest task, ms of CPU", max(trace.tasks_cpu_ms))
            note(f"page {name} widget: tasks over 50 ms", len(trace.long_ms))
            if snippet:
                note("widget before use: received, KB", sum(received[1:]) / 1000)
                received.clear()
                began = time.perf_counter()
                async with tracing(browser, page) as opening:
                    await page.get_by_role("button", name="联系客服").click()
                    await may_be_written_into(page)
                    note("widget opens: click to text box, ms", (time.perf_counter() - began) * 1000)
                    await page.wait_for_timeout(500)
                note("widget opens: longest task, ms", max(opening.tasks_ms))
                note("widget opens: longest task, ms of CPU", max(opening.tasks_cpu_ms))
                note("widget opens: received, KB", sum(received) / 1000)
            await context.close()
