"""Pictures of every surface, in three languages, light and dark, on a desk and on a phone.

    python -m tests.browser.screenshots [--folder .screenshots] [--only work,wall-agent,settings-*] [--missing]

Starts private servers and two nodes of its own, and lets people talk, so that there is something to be seen. Pictures
that are there already are left alone with `--missing`; what could not be shown is named at the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

from tests.browser.gallery import desk, oversight, settings, visitors
from tests.browser.gallery.stage import Stage, stage
from tests.browser.gallery.story import STORIES, Story
from tests.browser.gallery.surface import Scene, Surface
from tests.browser.people import (
    CHROMIUM,
    DESKTOP,
    FLAGS,
    LANGUAGES,
    PHONE,
    SCHEMES,
    SETTLED,
    Language,
    Scheme,
    Window,
)

SIZES: dict[str, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}
SURFACES: dict[str, Surface] = {
    **visitors.SURFACES,
    **desk.SURFACES,
    **oversight.SURFACES,
    **settings.SURFACES,
}
HIGHEST = 4800
"""No picture is higher."""
GROWN = """() => Math.max(0, ...[document.documentElement, ...document.querySelectorAll("main, main *")]
    .filter((each) => each === document.documentElement
        || (/auto|scroll/.test(getComputedStyle(each).overflowY) && getComputedStyle(each).maxHeight === "none"))
    .map((each) => each.scrollHeight - each.clientHeight))"""
"""How much higher the window would have to be for everything to be seen without scrolling."""
LOADED = """() => ![...document.querySelectorAll("[aria-busy=true], [role=status], .faint")].some((each) =>
    each.checkVisibility() && (each.ariaBusy === "true" || /^(加载中|載入中|Loading)/.test(each.textContent.trim())))"""
"""Nothing says that more is to come."""
SCENES: tuple[Scene, ...] = ("quiet", "busy")


@dataclass(slots=True)
class Wish:
    """Which pictures, and where to."""

    folder: Path
    names: list[str]
    languages: Sequence[Language]
    schemes: Sequence[Scheme]
    sizes: Sequence[str]
    missing: bool
    failed: list[str] = field(default_factory=list[str])

    def left(self, name: str, language: Language) -> list[tuple[Scheme, str, Path]]:
        """The looks of a surface in a language that are still to be taken."""
        wanted: list[tuple[Scheme, str, Path]] = []
        for size in self.sizes:
            for scheme in self.schemes:
                path = self.folder / f"{name}-{language}-{scheme}-{size}.png"
                if not (self.missing and path.exists()):
                    wanted.append((scheme, size, path))
        return wanted


def _take(stage: Stage, browser: Browser, wish: Wish, name: str, language: Language) -> None:
    """One surface, opened once, in all its looks."""
    surface = SURFACES[name]
    if not (left := wish.left(name, language)):
        return
    window = Window.open(browser, language)
    window.page.set_default_timeout(15_000)
    try:
        surface.shows(stage, window, language)
        for scheme, size, path in left:
            _picture(window.page, scheme, SIZES[size], path, whole=surface.whole)
        print(name, language, *window.faults, sep="\n  " if window.faults else " ", flush=True)
    except (Error, AssertionError, TimeoutError) as error:
        wish.failed.append(f"{name} {language}: {str(error).splitlines()[0]}")
        with suppress(Error):  # a machine that is too busy for the one may be for the other
            window.page.screenshot(path=wish.folder / f"failed-{name}-{language}.png")
    finally:
        window.close()


def _picture(page: Page, scheme: Scheme, size: ViewportSize, path: Path, *, whole: bool) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(size)
    page.wait_for_load_state("networkidle")
    with suppress(Error):  # what says so for longer means it
        page.wait_for_function(LOADED, timeout=5_000)
    page.evaluate(SETTLED)
    if whole:
        height = min(HIGHEST, size["height"] + int(page.evaluate(GROWN)))
        page.set_viewport_size({"width": size["width"], "height": height})
        page.evaluate(SETTLED)
    page.screenshot(path=path)


def _work(stage: Stage, wish: Wish, left: SimpleQueue[tuple[str, Language]]) -> None:
    """One worker: a browser of its own, until nothing is left."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        while True:
            try:
                name, language = left.get_nowait()
            except Empty:
                return
            _take(stage, browser, wish, name, language)


def _fill(stage: Stage) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stage.fills(browser)
    stage.has_a_past()


def take(wish: Wish, workers: int) -> None:
    """All pictures that are wished for."""
    wish.folder.mkdir(parents=True, exist_ok=True)
    for speech, story in STORIES.items():
        languages: list[Language] = [each for each in wish.languages if each.startswith(speech)]
        if any(wish.left(name, language) for name in wish.names for language in languages):
            _take_all(wish, workers, story, languages)


def _take_all(wish: Wish, workers: int, story: Story, languages: Sequence[Language]) -> None:
    """In languages in which one shop can be shown."""
    with stage(story) as there:
        for scene in SCENES:
            left: SimpleQueue[tuple[str, Language]] = SimpleQueue()
            for name in wish.names:
                for language in languages:
                    if SURFACES[name].scene == scene and wish.left(name, language):
                        left.put((name, language))
            if left.empty():
                continue
            if scene == "busy":
                _fill(there)
            threads = [Thread(target=_work, args=(there, wish, left)) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()


def main() -> int:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, default=Path(".screenshots"))
    parser.add_argument("--only", default="*", help="surfaces, with commas between; * stands for anything")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--schemes", default=",".join(SCHEMES))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--missing", action="store_true", help="leave alone what is there")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    patterns = asked.only.split(",")
    wish = Wish(
        asked.folder,
        [name for name in SURFACES if any(fnmatch(name, pattern) for pattern in patterns)],
        [each for each in LANGUAGES if each in asked.languages.split(",")],
        [each for each in SCHEMES if each in asked.schemes.split(",")],
        [each for each in SIZES if each in asked.sizes.split(",")],
        asked.missing,
    )
    take(wish, asked.workers)
    print(*wish.failed, sep="\n", file=sys.stderr)
    return 1 if wish.failed else 0


if __name__ == "__main__":
    sys.exit(main())
