"""Chromium's own trace of a page: what its main thread did, and which frames were shown or missed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page

LONG_MS = 50.0
"""A task that keeps people waiting (W3C Long Tasks)."""
CATEGORIES = [
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "devtools.timeline.frame",
    "blink.user_timing",
    "loading",
]


@dataclass(slots=True)
class Trace:
    """Of the page's main thread, in milliseconds."""

    busy_ms: float = 0.0
    script_ms: float = 0.0
    tasks_ms: list[float] = field(default_factory=list[float])
    tasks_cpu_ms: list[float] = field(default_factory=list[float])
    """what they took of a core: the same on a machine that others want, too"""
    drawn: int = 0
    dropped: int = 0
    worst_burst: int = 0
    """most frames dropped one after another"""

    @property
    def long_ms(self) -> list[float]:
        return sorted((each for each in self.tasks_ms if each > LONG_MS), reverse=True)


@asynccontextmanager
async def tracing(browser: Browser, page: Page) -> AsyncGenerator[Trace]:
    """Filled in when the block ends."""
    trace = Trace()
    await browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield trace
    finally:
        read(json.loads(await browser.stop_tracing())["traceEvents"], trace)


def read(events: list[dict[str, Any]], trace: Trace) -> None:
    """Take what matters out of a trace's events."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    work: dict[tuple[int, int], float] = dict.fromkeys(mains, 0.0)
    for event in events:
        at = (event["pid"], event["tid"])
        if at in work and event["name"] == "RunTask":
            work[at] += event.get("dur", 0) / 1000
    if not work:
        return
    main = max(work, key=lambda each: work[each])
    trace.busy_ms = work[main]
    frames: list[tuple[float, bool]] = []
    for event in events:
        name, mine = event["name"], (event["pid"], event["tid"]) == main
        if mine and name == "RunTask":
            trace.tasks_ms.append(event.get("dur", 0) / 1000)
            trace.tasks_cpu_ms.append(event.get("tdur", 0) / 1000)
        elif mine and name in ("FunctionCall", "EvaluateScript", "v8.compile"):
            trace.script_ms += event.get("dur", 0) / 1000
        elif event["pid"] == main[0] and name in ("DrawFrame", "DroppedFrame"):
            frames.append((event["ts"], name == "DrawFrame"))
    burst = 0
    for _, drawn in sorted(frames):
        trace.drawn += drawn
        trace.dropped += not drawn
        burst = 0 if drawn else burst + 1
        trace.worst_burst = max(trace.worst_burst, burst)
