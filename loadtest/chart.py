"""Line charts as SVG, for pages without a network: drawn here, coloured by the page's style sheet. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 26
TICKS = 4
COLOURS = 8
"""How many the style sheet has: `.c0` to `.c7`."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over seconds. `lines`: name -> a value per entry of `at_s`. `marks`: what happened when."""

    title: str
    unit: str
    at_s: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    marks: Sequence[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    def svg(self) -> str:
        """The chart with its legend, as a `<figure>`."""
        span = max(self.at_s[-1] if self.at_s else 1.0, 1.0)
        top = _nice(max((max(values, default=0.0) for values in self.lines.values()), default=0.0))
        parts = [
            *self._grid(span, top),
            *self._marked(span),
            *(
                self._line(number, name, values, span, top)
                for number, (name, values) in enumerate(self.lines.items())
            ),
        ]
        legend = "".join(
            f'<span class="key c{number % COLOURS}">{escape(name)} <b>{_short(_mean(values))}</b></span>'
            for number, (name, values) in enumerate(self.lines.items())
        )
        return (
            f"<figure><figcaption>{escape(self.title)} <small>{escape(self.unit)}; mean in the legend</small>"
            f'</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">'
            f'{"".join(parts)}</svg><div class="legend">{legend}</div></figure>'
        )

    def _grid(self, span: float, top: float) -> list[str]:
        parts: list[str] = []
        for tick in range(TICKS + 1):
            value = top * tick / TICKS
            y = _y(value, top)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="y" x="{LEFT - 6}" y="{y + 4:.1f}">{_short(value)}</text>')
        for tick in range(7):
            second = span * tick / 6
            x = _x(second, span)
            parts.append(f'<text class="x" x="{x:.1f}" y="{HEIGHT - 8}">{_clock(second)}</text>')
        return parts

    def _marked(self, span: float) -> list[str]:
        return [
            f'<line class="mark" x1="{_x(at, span):.1f}" x2="{_x(at, span):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}">'
            f"<title>{_clock(at)} {escape(words)}</title></line>"
            for at, words in self.marks
        ]

    def _line(self, number: int, name: str, values: Sequence[float], span: float, top: float) -> str:
        places = " ".join(
            f"{_x(at, span):.1f},{_y(value, top):.1f}" for at, value in zip(self.at_s, values, strict=True)
        )
        return f'<polyline class="line c{number % COLOURS}" points="{places}"><title>{escape(name)}</title></polyline>'


def _x(second: float, span: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * second / span


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _nice(value: float) -> float:
    """The next round number to end an axis with."""
    if value <= 0:
        return 1.0
    step = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    for factor in (1, 2, 4, 5, 8, 10):
        if value <= step * factor:
            return step * factor
    return step * 10


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:.1f}M"
    if value >= 10_000:
        return f"{value / 1000:.0f}k"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
