"""What all charts share: colours and letters, axes, and the picture around them."""

from dataclasses import dataclass
from html import escape

import numpy as np

Number = int | float
SEEN, UNSEEN = "seen", "unseen"
LIGHT = (
    "--ink:#1b1f24;--quiet:#57606a;--rule:#d5dbe1;--seen:#0072b2;--unseen:#c4520a;--paper:#fff;"
    "--heat:#0b4f8a"
)
DARK = (
    "--ink:#e5e9ee;--quiet:#9aa4af;--rule:#333c46;--seen:#56b4e9;--unseen:#ff9b52;--paper:#0f1318;"
    "--heat:#8cc8ff"
)
STYLE = (
    f".chart{{{LIGHT}}}"
    f"@media screen and (prefers-color-scheme:dark){{.chart{{{DARK}}}"
    ".chart .clouds{filter:brightness(1.45)}}"
    ".chart text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:var(--quiet)}"
    ".chart .name{fill:var(--ink)}"
    ".chart .middle{text-anchor:middle}.chart .end{text-anchor:end}"
    ".chart .paper{fill:var(--paper)}"
    ".chart .grid{stroke:var(--rule);stroke-width:1}"
    ".chart .line{fill:none;stroke-width:1.8;stroke-linejoin:round}"
    ".chart .seen{stroke:var(--seen)}.chart .unseen{stroke:var(--unseen)}"
    ".chart .plain{stroke:var(--quiet)}"
    ".chart .area{stroke:none;fill-opacity:.35}"
    ".chart .area.seen,.chart .dot.seen,.chart text.seen{fill:var(--seen);stroke:none}"
    ".chart .area.unseen,.chart .dot.unseen,.chart text.unseen{fill:var(--unseen);stroke:none}"
    ".chart .dot{stroke:var(--paper);stroke-width:1.5}"
    ".chart .faint{opacity:.3}.chart .dashed{stroke-dasharray:4 3}"
    ".chart .heat{fill:var(--heat)}"
)
SIZE = 12  # of letters
LETTER = 6.4  # their mean width


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes:
        low: value at its start.
        high: value at its end.
        start: its place in the picture.
        end: the other one; an upright axis ends above its start.
        label: what it measures, with its unit.
        whole: whether it counts, so that only whole numbers stand along it.
        most: how many values stand along it at most, about.
    """

    low: Number
    high: Number
    start: Number
    end: Number
    label: str
    whole: bool = False
    most: int = 6

    def __call__(self, value: Number) -> Number:
        part = (value - self.low) / ((self.high - self.low) or 1)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Round values along the axis."""
        span = (self.high - self.low) or 1
        rough = max(span / self.most, 1.0 if self.whole else 0.0)
        power = 10.0 ** np.floor(np.log10(rough))
        step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough * 0.999)
        first = np.ceil(self.low / step - 1e-9) * step
        return [
            float(v) + 0.0
            for v in np.arange(first, self.high + step * 1e-6, step)  # no -0
        ]


def axes(x: Axis, y: Axis) -> str:
    """Both axes: lines at round values, the values, and what they are."""
    parts = []
    for value in y.ticks():
        parts.append(f'<path class="grid" d="M{x.start} {y(value)}H{x.end}"/>')
        parts.append(words(x.start - 6, y(value) + 4, f"{value:g}", "end"))
    parts.append(f'<path class="grid" d="M{x.start} {y.start}H{x.end}"/>')
    for value in x.ticks():
        parts.append(f'<path class="grid" d="M{x(value)} {y.start}v4"/>')
        parts.append(words(x(value), y.start + 17, f"{value:g}", "middle"))
    parts.append(words((x.start + x.end) / 2, y.start + 34, x.label, "middle name"))
    parts.append(words(2, y.end - 9, y.label, "name"))
    return "".join(parts)


def words(x: Number, y: Number, text: str, kind: str = "", extra: str = "") -> str:
    """A text in the picture."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{extra}>{escape(text)}</text>'


def line(x: Axis, y: Axis, xs, ys, kind: str) -> str:
    """A line through points."""
    points = "L".join(f"{x(a)} {y(b)}" for a, b in zip(xs, ys, strict=True))
    return f'<path class="line {kind}" d="M{points}"/>'


def picture(parts: str, width: Number, height: Number, told: str) -> str:
    """A chart, from its parts.

    Args:
        told: what it shows, in a sentence, for those who cannot see it.
    """
    size = f"{width:.0f} {height:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {size}"'
        f' width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{escape(told)}">'
        f"<style>{STYLE}</style>"
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>{parts}</svg>\n'
    )
