"""What the Tab key comes by on a page, and whether one sees where one is."""

from __future__ import annotations

from playwright.sync_api import Page

LOOK = """() => {
    let at = document.activeElement;
    if (!at || at === document.body) return null;
    for (let inner = at; inner && inner.localName !== "body"; ) {
        at = inner;
        inner = (at.shadowRoot ?? at.contentDocument)?.activeElement;
    }
    const page = at.ownerDocument, view = page.defaultView;
    const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
            const value = (/^color\\(srgb/.test(colour) ? Number(part) : Number(part) / 255);
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    // "rgba(0, 0, 0, 0)", "color(srgb 0.1 0.3 0.8 / 0.07)": what lies beneath is the ground.
    const clear = (colour) => {
        const alpha = colour.match(/(?:rgba.*,|\\/)\\s*([\\d.]+)\\)$/);
        return colour === "transparent" || Number(alpha?.[1] ?? 1) < 0.5;
    };
    const ground = (element) => {
        for (let each = element.parentElement; each; each = each.parentElement) {
            const colour = getComputedStyle(each).backgroundColor;
            if (!clear(colour)) return colour;
        }
        return getComputedStyle(page.body).backgroundColor;
    };
    // A field may leave the mark to the box around it, a hidden input to what stands for it.
    const marked = [at, at.parentElement, at.parentElement?.parentElement, at.nextElementSibling, at.closest("label")];
    const seen = () => marked.some((each) => {
        if (!each) return false;
        const style = getComputedStyle(each);
        if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) return false;
        if (clear(style.outlineColor)) return false;
        const [one, other] = [light(style.outlineColor), light(ground(each))].sort((a, b) => b - a);
        return (one + 0.05) / (other + 0.05) >= 3;
    });
    const root = document.documentElement;
    const before = root.classList.contains("dark");
    const missing = [false, true].filter((dark) => {
        root.classList.toggle("dark", dark);
        return !seen();
    });
    root.classList.toggle("dark", before);
    const box = at.getBoundingClientRect();
    return {
        what: at.outerHTML.slice(0, 160),
        first: at.__stopped === true || !(at.__stopped = true),
        missing: missing.map((dark) => (dark ? "dark" : "light")),
        outside: box.bottom <= 0 || box.right <= 0 || box.top >= view.innerHeight || box.left >= view.innerWidth,
    };
}"""


def lost_stops(page: Page, most: int = 120) -> tuple[int, list[str]]:
    """Goes once around with Tab. How many stops there were, and those at which one does not see where one is, in light
    or in dark."""
    lost: list[str] = []
    for count in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(LOOK)
        if stop is None or stop["first"]:
            return count, lost
        if stop["missing"]:
            lost.append(f"no mark ({', '.join(stop['missing'])}): {stop['what']}")
        if stop["outside"]:
            lost.append(f"out of sight: {stop['what']}")
    return most, lost
