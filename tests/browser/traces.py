"""How fast the pages are, by Chromium's own measure.

    python -m tests.browser.traces [--talks 500] [--messages 10000] [--longest 10000] [--rounds 3] [--json FILE]

Starts private servers and two nodes, gives one agent all those conversations, and opens the built desk and the widget.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import async_playwright

from loadtest.machine import describe, sentence
from tests.browser import traced_desk, traced_widget
from tests.browser.full_shop import FullShop
from tests.browser.people import CHROMIUM, FLAGS
from tests.browser.traced_desk import Measures


async def run(given: argparse.Namespace, measures: Measures) -> None:
    """Every measure's values by its name, in `measures`."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="pointsman-traces-")))
        told("servers")
        shop = await FullShop.opened(stack, folder, given.talks)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.push_async_callback(browser.close)
        if "widget" in given.only:
            await traced_widget.measure(browser, shop, given.rounds, measures, told)
        if "desk" in given.only:
            told("conversations and messages")
            await shop.fill(given.talks, given.messages, given.longest)
            await traced_desk.measure(browser, shop, given.rounds, measures, told)


def table(measures: Measures) -> str:
    """For people: the median, and the ends."""
    lines = ["| | median | least to most | n |", "|---|---|---|---|"]
    for name, values in measures.items():
        median, least, most = (_short(each) for each in (statistics.median(values), min(values), max(values)))
        lines.append(f"| {name} | {median} | {least} to {most} | {len(values)} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"


def told(step: str) -> None:
    sys.stderr.write(f"{step} ...\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.traces", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--talks", type=int, default=500, help="open conversations of the agent")
    parser.add_argument("--messages", type=int, default=10_000, help="messages over all of them")
    parser.add_argument("--longest", type=int, default=10_000, help="more messages in one of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="widget,desk", type=lambda text: text.split(","))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    machine = describe()
    measures: Measures = {}
    try:
        asyncio.run(run(given, measures))
    finally:  # what was measured before a failure is told as well
        if given.json:
            found = {"machine": machine, "measures": measures}
            given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
        sys.stdout.write(f"{sentence(machine)}\n\n{table(measures)}\n")


if __name__ == "__main__":
    main()
