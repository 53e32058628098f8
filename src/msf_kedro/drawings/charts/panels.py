"""Small charts side by side: how trainings went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msf_kedro.drawings.charts.frame import LETTER, Axis, Number, axes, line, picture, words

WIDTH, HEIGHT, ACROSS = 210, 170, 2


@dataclass(frozen=True)
class Panel:
    """One small chart.

    Attributes:
        title: above it.
        x: what the horizontal axis counts.
        y: what the vertical axis measures.
        lines: colour (`seen`, `unseen` or `plain`) → name, places and values.
        top: where the vertical axis ends; None for the largest value.
    """

    title: str
    x: str
    y: str
    lines: Mapping[str, tuple[str, Sequence[Number], Sequence[Number]]]
    top: Number | None = None


def panels_chart(panels: Sequence[Panel], told: str) -> str:
    """All panels, two in a row."""
    if not panels:
        return picture(words(2, 16, "nothing was trained step by step"), 2 * WIDTH, 24, told)
    across = min(ACROSS, len(panels))
    parts = []
    for n, panel in enumerate(panels):
        x, y = WIDTH * (n % across), (HEIGHT + 26) * (n // across)
        parts.append(f'<g transform="translate({x} {y})">{_panel(panel)}</g>')
    rows = -(-len(panels) // across)
    return picture("".join(parts), WIDTH * across, rows * (HEIGHT + 26), told)


def _panel(panel: Panel) -> str:
    xs = [value for _, places, _ in panel.lines.values() for value in places]
    ys = [value for _, _, values in panel.lines.values() for value in values]
    top = panel.top or max([*ys, 1e-9]) * 1.05
    x = Axis(min(xs), max(xs), 44, WIDTH - 16, panel.x, whole=True, most=4)
    y = Axis(0, top, HEIGHT - 30, 44, panel.y, most=5)
    parts = [words(2, 12, panel.title, "name", ' style="font-weight:600"'), axes(x, y)]
    for kind, (_, places, values) in panel.lines.items():
        parts.append(line(x, y, places, values, kind))
        if len(places) == 1:
            parts.append(
                f'<circle class="dot {kind}" cx="{x(places[0])}" cy="{y(values[0])}" r="4"/>'
            )
    return "".join([*parts, *_names(panel)])


def _names(panel: Panel) -> list[str]:
    """The lines' names in their colours, above the chart."""
    if len(panel.lines) < 2:
        return []
    names = {kind: name for kind, (name, _, _) in panel.lines.items()}
    left = WIDTH - 16 - LETTER * (sum(map(len, names.values())) + 1.5 * (len(names) - 1))
    named = []
    for kind, name in names.items():
        named.append(words(left, 35, name, kind))
        left += LETTER * (len(name) + 1.5)
    return named
