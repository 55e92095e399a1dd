"""Bars as SVG, by hand: one series, readable in light and dark, every bar labelled with its figure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import attrs

from bench.book import Spread
from bench.table import figure

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 720, 190, 96, 64, 34, 18
STYLE = """\
svg { background: #fcfcfb } text { font: 13px system-ui, sans-serif; fill: #0b0b0b }
.title { font-size: 15px; font-weight: 600 } .sub { fill: #52514e } .figure { font-variant-numeric: tabular-nums }
.ours { fill: #2a78d6 } .other { fill: #a8a79f } .whisker { stroke: #0b0b0b; stroke-width: 1.5 } .axis { stroke: #c3c2b7 }
@media (prefers-color-scheme: dark) {
  svg { background: #1a1a19 } text { fill: #ffffff } .sub { fill: #c3c2b7 }
  .ours { fill: #3987e5 } .other { fill: #6d6c66 } .whisker { stroke: #ffffff } .axis { stroke: #52514e }
}"""


@attrs.frozen
class Bar:
    """One bar: its median, with a whisker from the least to the most; ``ours`` stands out."""

    label: str
    spread: Spread
    ours: bool = False


def bars(title: str, subtitle: str, every: Sequence[Bar]) -> str:
    """The chart as an SVG document; lengths begin at zero."""
    height = TOP + ROW * len(every) + 12
    scale = (WIDTH - LEFT - RIGHT) / max((bar.spread.most for bar in every), default=1)
    told = "; ".join(f"{bar.label}: {figure(bar.spread.median)}" for bar in every)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(subtitle)}. {escape(told)}</desc>',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        f'<text class="sub" x="16" y="46">{escape(subtitle)}</text>',
        f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP - 4}" y2="{height - 8}"/>',
    ]
    for place, bar in enumerate(every):
        lines += _row(bar, TOP + ROW * place + (ROW - BAR) // 2, scale)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _row(bar: Bar, top: int, scale: float) -> list[str]:
    middle, low = top + BAR // 2, top + BAR // 2 + 5
    least, median, most = (
        LEFT + scale * value for value in (bar.spread.least, bar.spread.median, bar.spread.most)
    )
    kind = "ours" if bar.ours else "other"
    width = max(1.0, median - LEFT)
    return [
        f'<text x="{LEFT - 10}" y="{low}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR}" rx="3"/>',
        f'<line class="whisker" x1="{least:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}"/>',
        f'<text class="figure" x="{most + 8:.1f}" y="{low}">{figure(bar.spread.median)}</text>',
    ]
