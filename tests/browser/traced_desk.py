"""The workbench of an agent with too much in hand, measured: loading, scrolling, news, switching, memory, rest."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from loadtest.pointsman_stand import SHOP
from tests.browser.full_shop import FullShop, Talk
from tests.browser.people import DESKTOP
from tests.browser.trace_events import Trace, tracing

SCRIPT: Final = Path(__file__).with_name("traced.js")
FRAME_MS: Final = 1000 / 60
LIST: Final = "[aria-label='会话列表']"
THREAD: Final = "[role=region][aria-label='消息记录']"
DOWN: Final = ".thread button.down"
CELL: Final = f"{LIST} .cell"
STILL: Final = (
    "<!doctype html><title>still</title><style>li{height:84px}</style><ul>"
    + "".join(f"<li>{number}" for number in range(500))
    + "</ul>"
)
"""A page with nothing to do, scrolled in turns with the desk: what this machine can show at best at that moment."""
PAGE: Final = 50
"""messages that the desk fetches at a time"""
Measures = dict[str, list[float]]


class TracedDesk:
    """The desk in a browser, signed in as the agent of a full shop. Made by `signed_in`."""

    def __init__(
        self,
        browser: Browser,
        context: BrowserContext,
        page: Page,
        cdp: CDPSession,
        shop: FullShop,
        measures: Measures,
    ) -> None:
        self.browser = browser
        self.context = context
        self.page = page
        self.cdp = cdp
        self.shop = shop
        self.measures = measures
        self._marks = 0

    @classmethod
    async def signed_in(cls, browser: Browser, shop: FullShop, measures: Measures) -> TracedDesk:
        context = await browser.new_context(locale="zh-CN", viewport=DESKTOP, timezone_id="Asia/Shanghai")
        page = await context.new_page()
        await page.goto(f"{shop.url}/desk/sign-in")
        await page.locator("input[name=shop]").fill(SHOP)
        await page.locator("input[name=email]").fill(shop.email)
        await page.locator("input[name=password]").fill(shop.password)
        await page.locator("button[type=submit]").click()
        await expect(page.locator(CELL).first).to_be_visible(timeout=60_000)
        await context.add_init_script(path=SCRIPT)
        return cls(browser, context, page, await context.new_cdp_session(page), shop, measures)

    def note(self, name: str, *values: float) -> None:
        self.measures.setdefault(name, []).extend(values)

    async def loads(self, *, cold: bool) -> None:
        """From the address to 500 conversations in the list, live."""
        await self.cdp.send("Network.enable")
        await self.cdp.send("Network.setCacheDisabled", {"cacheDisabled": cold})
        received: list[float] = []

        def arrived(event: dict[str, Any]) -> None:
            received.append(event["encodedDataLength"])

        self.cdp.on("Network.loadingFinished", arrived)
        name = "cold" if cold else "warm"
        async with tracing(self.browser, self.page) as trace:
            await self.page.goto(f"{self.shop.url}/desk/work", wait_until="commit")
            usable: float = await self.page.evaluate(f"__traced.shown({CELL!r}, '')")
            await self.page.wait_for_timeout(1500)  # what comes after is part of loading, too
        self.cdp.remove_listener("Network.loadingFinished", arrived)
        self.note(f"load {name}: usable, ms", usable)
        self.note(f"load {name}: main thread, ms", trace.busy_ms)
        self.note(f"load {name}: longest task, ms", max(trace.tasks_ms))
        self.note(f"load {name}: longest task, ms of CPU", max(trace.tasks_cpu_ms))
        self.note(f"load {name}: tasks over 50 ms", len(trace.long_ms))
        self.note(f"load {name}: received, KB", sum(received) / 1000)
        await self.cdp.send("Network.setCacheDisabled", {"cacheDisabled": False})

    async def opens(self, talk: Talk) -> None:
        await self.page.goto(f"{self.shop.url}/desk/work/{talk.id}")
        await self.page.evaluate(f"__traced.shown({THREAD!r}, {talk.id!r})")

    async def hears(self, talk: Talk, where: str, name: str) -> None:
        """From the frame's arrival, and from the customer's sending it, to paint."""
        self._marks += 1
        mark = f"traced-{self._marks}"
        shown = await self.page.evaluate_handle(f"({{ at: __traced.shown({where!r}, {mark!r}) }})")
        sent = time.time() * 1000
        talk.said += 1
        await self.shop.say(talk, f"{mark} {talk.newest()}")
        painted: float = await shown.evaluate("(each) => each.at")
        heard: float = await self.page.evaluate(f"__traced.heard[{mark!r}]")
        began: float = await self.page.evaluate("performance.timeOrigin")
        self.note(f"{name}: frame to paint, ms", painted - heard)
        self.note(f"{name}: sent to paint, ms", began + painted - sent)

    async def listed_but(self, talk: Talk, number: int) -> Talk:
        """Another talk whose cell is in sight."""
        text: str = await self.page.evaluate(f"document.querySelector({LIST!r}).textContent")
        shown = [each for each in self.shop.talks if each is not talk and each.id in text]
        return shown[number % len(shown)]

    async def switches(self, number: int) -> None:
        """From the click on the list's nth cell to that conversation's newest message, painted."""
        cell = self.page.locator(CELL).nth(number)
        before: str = await self.page.evaluate("location.pathname")
        box = await cell.bounding_box()
        assert box is not None
        await self.page.evaluate(
            "addEventListener('click', (event) => (__traced.clicked = event.timeStamp), { capture: true, once: true })"
        )
        await self.page.mouse.click(box["x"] + 60, box["y"] + 20)
        await self.page.evaluate(f"__traced.wentFrom({before!r})")
        opened = (await self.page.evaluate("location.pathname")).rsplit("/", 1)[1]
        painted: float = await self.page.evaluate(f"__traced.shown({THREAD!r}, {opened!r})")
        self.note("switch: click to paint, ms", painted - await self.page.evaluate("__traced.clicked"))

    async def scrolls(self, name: str, where: str, distance: int, page: Page | None = None) -> None:
        """One long gesture; the gaps between frames as the page's scripts see them."""
        there = page or self.page
        cdp = self.cdp if page is None else await self.context.new_cdp_session(page)
        box = await there.locator(where).first.bounding_box()
        assert box is not None
        gesture: dict[str, Any] = {
            "x": box["x"] + box["width"] / 2,
            "y": box["y"] + min(box["height"], 600) / 2,
            "yDistance": distance,
            "speed": 4000,
            "gestureSourceType": "mouse",
        }
        async with tracing(self.browser, there) as trace:
            await there.evaluate("__traced.watchFrames()")
            await cdp.send("Input.synthesizeScrollGesture", gesture)
            gaps: list[float] = await there.evaluate("__traced.endFrames()")
        self._frames(name, gaps, trace)

    def _frames(self, name: str, gaps: list[float], trace: Trace) -> None:
        ordered = sorted(gaps)
        self.note(f"{name}: gap p50, ms", ordered[len(ordered) // 2])
        self.note(f"{name}: gap p95, ms", ordered[int(len(ordered) * 0.95)])
        self.note(f"{name}: gap most, ms", ordered[-1])
        self.note(f"{name}: frames missed one after another", max(0, round(ordered[-1] / FRAME_MS) - 1))
        self.note(f"{name}: frames dropped, share", trace.dropped / max(1, trace.dropped + trace.drawn))
        self.note(f"{name}: longest task, ms", max(trace.tasks_ms))
        self.note(f"{name}: longest task, ms of CPU", max(trace.tasks_cpu_ms))

    async def reads_back(self, pages: int) -> None:
        """Up through a long log, page by page, as fast as it comes."""
        for _ in range(pages):
            self.note("older page: ms", await self.page.evaluate(f"__traced.readBack({THREAD!r})"))

    async def returns(self, talk: Talk) -> None:
        """From the old entries to the newest one, by the button for it: from the click to paint."""
        before: float = await self.page.evaluate("performance.now()")
        await self.page.locator(DOWN).click()
        painted: float = await self.page.evaluate(f"__traced.shown({THREAD!r}, {talk.newest()!r})")
        self.note("thread of all: back to its end, ms", painted - before)

    async def rests(self, seconds: float) -> None:
        """What the page costs while nothing happens but time."""
        before = await self._metrics()
        await self.page.wait_for_timeout(seconds * 1000)
        after = await self._metrics()
        self.note(
            "at rest: main thread, % of a core",
            100 * (after["TaskDuration"] - before["TaskDuration"]) / seconds,
        )

    async def weighs(self, name: str) -> None:
        await self.cdp.send("HeapProfiler.collectGarbage")
        metrics = await self._metrics()
        self.note(f"{name}: heap, MB", metrics["JSHeapUsedSize"] / 1e6)
        self.note(f"{name}: nodes", metrics["Nodes"])

    async def _metrics(self) -> dict[str, float]:
        await self.cdp.send("Performance.enable")
        found = await self.cdp.send("Performance.getMetrics")
        return {each["name"]: each["value"] for each in found["metrics"]}


async def measure(
    browser: Browser, shop: FullShop, rounds: int, measures: Measures, told: Callable[[str], None]
) -> None:
    """Everything, in turns; what was measured is in `measures` at once."""
    desk = await TracedDesk.signed_in(browser, shop, measures)
    still = await desk.context.new_page()
    await still.set_content(STILL)
    steps: list[tuple[str, Callable[[], Awaitable[None]]]] = []
    for each in range(rounds):
        steps.append((f"load {each + 1}", lambda: desk.loads(cold=True)))
        steps.append((f"load again {each + 1}", lambda: desk.loads(cold=False)))
    for name, step in steps:
        told(name)
        await step()
    await desk.weighs("list of all")
    await desk.rests(5)
    for each in range(rounds):
        told(f"scroll the list {each + 1}")
        await still.bring_to_front()
        await desk.scrolls("still page", "ul", -8000, still)
        await still.evaluate("scrollTo(0, 0)")
        await desk.page.bring_to_front()
        await desk.scrolls("list", f"{LIST} .scroll", -8000)
        await desk.scrolls("list", f"{LIST} .scroll", 8000)
    told("switch")
    for number in (1, 3, 0, 2, 4, 1, 3, 0, 2, 4):
        await desk.switches(number)
    long = shop.talks[0]
    told("the long talk")
    await desk.opens(long)
    for each in range(10):
        await desk.hears(long, THREAD, "news in the open talk")
        await desk.hears(await desk.listed_but(long, each), LIST, "news elsewhere")
    pages = long.said // PAGE
    await desk.reads_back(min(pages, 40) - 1)
    for _ in range(rounds):
        await desk.scrolls("thread of 2,000", THREAD, -8000)
        await desk.scrolls("thread of 2,000", THREAD, 8000)
    await desk.weighs("thread of 2,000")
    told("all of the long talk")
    await desk.reads_back(max(0, pages - 40))
    for _ in range(rounds):
        await desk.scrolls("thread of all", THREAD, -8000)
        await desk.scrolls("thread of all", THREAD, 8000)
    await desk.returns(long)
    for each in range(10):
        await desk.hears(long, THREAD, "news in the long talk, all of it loaded")
        await desk.hears(await desk.listed_but(long, each), LIST, "news elsewhere, then")
    await desk.weighs("thread of all")
    await desk.context.close()
