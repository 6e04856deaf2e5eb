"""People at browsers. They find things by role and name, as somebody who cannot see the page does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Locator, Page, ViewportSize, expect

from tests.browser.faulty_line import FaultyLine

WEB = Path(__file__).resolve().parents[2] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]

Language = Literal["zh-CN", "en", "zh-TW"]
Scheme = Literal["light", "dark"]
SETTLED = """new Promise((settled) => requestAnimationFrame(() => requestAnimationFrame(settled)))
    .then(() => Promise.allSettled(document.getAnimations().map((each) => each.finished)))
    .then(() => true)"""
"""Two frames on, and without anything that still fades."""
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en", "zh-TW")
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
UNCONNECTED = (
    r"WebSocket connection to 'ws://{host}/ws' failed: "
    r"(Error in connection establishment: net::ERR_|Connection closed before receiving a handshake response)"
)
"""The browser's own report, of whatever page, when nobody answers at an address."""
Look = tuple[Scheme, ViewportSize]
EVERY_LOOK: tuple[Look, ...] = tuple((scheme, size) for scheme in SCHEMES for size in (DESKTOP, PHONE))
CORNERS: tuple[Look, ...] = (("light", DESKTOP), ("dark", PHONE))
"""For the many that are made of the same parts."""
expect.set_options(timeout=45_000)


@dataclass
class Window:
    """One browser window: a page with storage of its own, and what went wrong in it."""

    page: Page
    faults: list[str] = field(default_factory=list)
    _line: str = ""

    @classmethod
    def open(
        cls,
        browser: Browser,
        language: Language = "zh-CN",
        scheme: Scheme = "light",
        size: ViewportSize = DESKTOP,
        zone: str = "Asia/Shanghai",
    ) -> Window:
        context = browser.new_context(locale=language, color_scheme=scheme, viewport=size, timezone_id=zone)
        window = cls(context.new_page())
        window._listen()
        return window

    def another_tab(self) -> Window:
        """A second page of the same browser: what one keeps, the other finds. Closed with this window."""
        tab = Window(self.page.context.new_page(), self.faults, self._line)
        tab._listen()
        return tab

    def _listen(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def over(self, line: FaultyLine) -> Window:
        """This window reaches the shop over a line that will break: that the browser could not connect its socket
        there is no fault of the page's."""
        self._line = line.host
        return self

    def _heard(self, message: ConsoleMessage) -> None:
        # Refused requests are said in the page, and tested there; the browser notes them too.
        if message.type not in ("error", "warning") or "Failed to load resource" in message.text:
            return
        if self._line and re.match(UNCONNECTED.format(host=re.escape(self._line)), message.text):
            return
        self.faults.append(f"{message.text} ({message.location})")

    def close(self) -> None:
        self.page.context.close()

    def barriers(self, looks: Sequence[Look] = EVERY_LOOK) -> list[str]:
        """What axe-core finds on the page as it is now, light and dark, on a desk and on a phone: nothing, or what to
        mend."""
        found: list[str] = []
        size_before = self.page.viewport_size
        for scheme, size in looks:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.set_viewport_size(size)
            self.page.evaluate(SETTLED)
            found += [f"{scheme} {size['width']}: {barrier}" for barrier in self._barriers()]
        if size_before is not None:
            self.page.set_viewport_size(size_before)
            self.page.evaluate(SETTLED)
        return found

    def _barriers(self) -> list[str]:
        # In the DevTools' world: the page's own policy lets no foreign script in, and stays in force. The frame of the
        # widget has no address, which axe would call another origin.
        for frame in self.page.frames:
            frame.evaluate(AXE.read_text(encoding="utf-8"))
            frame.evaluate("axe.configure({ allowedOrigins: ['<unsafe_all_origins>'] })")
        found: dict[str, Any] = self.page.evaluate("axe.run()")
        return [
            f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]


class Visitor:
    """Somebody in the shop."""

    IN_THE_PANEL = frozenset({"close"})
    WORDS: dict[Language, dict[str, str]] = {
        "zh-CN": {
            "chat": "联系客服",
            "message": "请输入消息",
            "another": "换一位买家",
            "stranger": "变成新访客",
            "close": "关闭",
            "try now": "立即重试",
        },
        "en": {
            "chat": "Chat with us",
            "message": "Write a message",
            "another": "Be another customer",
            "stranger": "Be a new visitor",
            "close": "Close",
            "try now": "Try now",
        },
        "zh-TW": {
            "chat": "聯絡客服",
            "message": "請輸入訊息",
            "another": "換一位買家",
            "stranger": "變成新訪客",
            "close": "關閉",
            "try now": "立即重試",
        },
    }

    def __init__(self, window: Window, language: Language = "zh-CN") -> None:
        self.window = window
        self.page = window.page
        self.words = self.WORDS[language]

    def comes_to(self, node: str) -> Visitor:
        self.page.goto(f"{node}/shop/")
        expect(self.page.get_by_role("status").first).not_to_be_empty()
        return self

    def comes_as_a_stranger_to(self, node: str) -> Visitor:
        """Nobody whom the shop knows, without a past."""
        self.comes_to(node).presses("stranger")
        return self

    @property
    def frame(self) -> FrameLocator:
        """The document of the widget's own."""
        return self.page.frame_locator(f"iframe[title='{self.words['chat']}']")

    @property
    def panel(self) -> Locator:
        return self.frame.get_by_role("dialog", name=self.words["chat"])

    @property
    def log(self) -> Locator:
        return self.panel.get_by_role("log")

    @property
    def input(self) -> Locator:
        return self.panel.get_by_role("textbox", name=self.words["message"])

    @property
    def bubbles(self) -> Locator:
        """What was said, by whomever, in the order in which it stands there."""
        return self.log.locator(".bubble")

    @property
    def marks(self) -> Locator:
        """How far the visitor's last words have come."""
        return self.log.locator(".meta .mark")

    def presses(self, word: str) -> None:
        """A button of the page or of the panel."""
        name = self.words[word]
        where = self.panel if word in self.IN_THE_PANEL else self.page
        where.get_by_role("button", name=name, exact=True).click()

    def opens_the_chat(self) -> Visitor:
        self.presses("chat")
        expect(self.panel).to_be_visible()
        frame = self.page.locator(f"iframe[title='{self.words['chat']}']")
        frame.evaluate("(frame) => Promise.all(frame.getAnimations().map((each) => each.finished))")
        return self

    def tries_now(self) -> None:
        """Does not wait for the next try to connect, unless that has come meanwhile."""
        again = self.panel.get_by_role("button", name=self.words["try now"], exact=True)
        again.evaluate_all("(buttons) => buttons.forEach((button) => button.click())")

    def writes(self, text: str) -> None:
        self.input.fill(text)
        self.input.press("Enter")

    def sends(self, file: Path) -> None:
        self.panel.locator("input[type=file]").set_input_files(file)

    def sees(self, text: str) -> None:
        expect(self.log.get_by_text(text)).to_be_visible()


class Agent:
    """Somebody of the shop at the desk, in Chinese."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.page = window.page

    def comes_in(self, link: str) -> Agent:
        self.page.goto(link)
        expect(self.page.get_by_role("navigation", name="Pointsman")).to_be_visible()
        return self

    def signs_in(self, node: str, shop: str, email: str, password: str) -> Agent:
        """With a password: for all tabs of this browser."""
        self.page.goto(f"{node}/desk/sign-in?next=/work")
        for label, value in (("店铺", shop), ("邮箱", email), ("密码", password)):
            self.page.get_by_label(label, exact=True).fill(value)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_role("navigation", name="Pointsman")).to_be_visible()
        return self

    def sets(self, status: str) -> None:
        """Chooses a status; what is asked for thereupon is the caller's."""
        self.status(status).click()

    def status(self, status: str) -> Locator:
        """The choice of a status: pressed when it is the present one."""
        return self.page.get_by_role("group", name="我的状态").get_by_role("button", name=status)

    def is_online(self) -> Agent:
        self.sets("在线")
        expect(self.status("在线")).to_have_attribute("aria-pressed", "true")
        return self

    def holds(self, load: str) -> None:
        """Sees this load above the page: "1/5"."""
        expect(self.page.get_by_role("button", name="接待量")).to_contain_text(load)

    @property
    def list(self) -> Locator:
        return self.page.get_by_role("region", name="会话列表")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("region", name="消息记录")

    @property
    def input(self) -> Locator:
        return self.page.get_by_role("textbox", name="回复买家")

    @property
    def note(self) -> Locator:
        return self.page.get_by_role("textbox", name="给同事的内部备注")

    @property
    def bubbles(self) -> Locator:
        """What was said and noted, in the order in which it stands there."""
        return self.thread.locator(".bubble")

    @property
    def asked(self) -> Locator:
        """The dialog that is open."""
        return self.page.get_by_role("dialog")

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def tries_now(self) -> None:
        """Does not wait for the next try to connect, unless that has come meanwhile."""
        again = self.page.get_by_role("button", name="立即重试", exact=True)
        again.evaluate_all("(buttons) => buttons.forEach((button) => button.click())")

    def answers(self, name: str) -> None:
        """In the dialog that is open."""
        self.asked.get_by_role("button", name=name, exact=True).click()

    def looks_at(self, of: str) -> None:
        """Another list."""
        self.page.get_by_role("tablist", name="会话列表").get_by_role("tab", name=of).click()

    def notes(self, text: str) -> None:
        self.page.get_by_role("tab", name="内部备注").click()
        self.note.fill(text)
        self.note.press("Enter")

    def opens(self, customer: str) -> Agent:
        self.list.get_by_role("button", name=customer).click()
        expect(self.page.get_by_role("heading", name=customer)).to_be_visible()
        return self

    def writes(self, text: str) -> None:
        self.input.fill(text)
        self.input.press("Enter")

    def sees(self, text: str) -> None:
        expect(self.thread.get_by_text(text)).to_be_visible()
