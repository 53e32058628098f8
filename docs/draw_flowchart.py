"""Draw a Mermaid flowchart as SVG, for the site, which must not fetch Mermaid from elsewhere.

    print(draw("flowchart TD\\n    pipelines --> methods"))

It knows what `draw_rooms.py` writes: `flowchart TD`, groups of names, and arrows between names.
"""

import re
from graphlib import TopologicalSorter
from html import escape

HEIGHT, GAP, ROW, LETTER, MARGIN = 30, 18, 78, 7.6, 12
FILLS = ("#e8eefb", "#e5f4ec", "#fdf0dd", "#f6e6f2")
INK, LINE = "#1b2733", "#8a96a3"


def draw(chart: str) -> str:
    """A flowchart as an SVG picture on white.

    Raises:
        ValueError: a line is not understood.
    """
    groups, arrows = parse(chart)
    rows = layers(arrows, {name for members in groups.values() for name in members})
    fill = {name: FILLS[n % 4] for n, members in enumerate(groups.values()) for name in members}
    widths = [sum(map(_width, row)) + GAP * (len(row) - 1) for row in rows]
    total, places = max(widths), {}
    for number, (row, width) in enumerate(zip(rows, widths, strict=True)):
        x = MARGIN + (total - width) / 2
        for name in row:
            places[name] = (x, MARGIN + ROW * number)
            x += _width(name) + GAP
    lines = [_arrow(places, *arrow) for arrow in arrows]
    lines += [_box(name, *place, fill.get(name, "#ffffff")) for name, place in places.items()]
    bottom = MARGIN + ROW * len(rows) - HEIGHT
    lines += [_key(n, title, bottom) for n, title in enumerate(groups)]
    width, height = total + 2 * MARGIN, bottom + 22 * len(groups) + MARGIN
    told = "; ".join(f"{one} to {other}" for one, other in arrows)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" role="img"'
            f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif"'
            ' style="max-width: 100%; background: #ffffff">',
            f"<title>{escape(f'Arrows from {told}')}</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            f' markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{LINE}"/></marker>'
            "</defs>",
            *lines,
            "</svg>",
        ]
    )


def parse(chart: str) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Members by the groups' titles, and arrows.

    Raises:
        ValueError: a line is not understood.
    """
    first, *lines = (line.strip() for line in chart.strip().splitlines())
    groups: dict[str, list[str]] = {}
    arrows, inside = [], None
    for line in lines if first == "flowchart TD" else [first]:
        if group := re.fullmatch(r"subgraph \w+ \[(.*)\]", line):
            inside = groups.setdefault(group[1], [])
        elif line == "end":
            inside = None
        elif arrow := re.fullmatch(r"(\w+) --> (\w+)", line):
            arrows.append((arrow[1], arrow[2]))
        elif inside is not None and re.fullmatch(r"\w+", line):
            inside.append(line)
        else:
            raise ValueError(f"flowchart: {line!r} is not understood; see docs/draw_flowchart.py")
    return groups, arrows


def layers(arrows: list[tuple[str, str]], names: set[str]) -> list[list[str]]:
    """Names in rows, so that all arrows lead downwards; in a row, below what leads to them."""
    above: dict[str, list[str]] = {name: [] for name in sorted(names)}
    for one, other in arrows:
        above.setdefault(one, [])
        above.setdefault(other, []).append(one)
    depth: dict[str, int] = {}
    for name in TopologicalSorter(above).static_order():  # raises CycleError
        depth[name] = max((depth[one] + 1 for one in above[name]), default=0)
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in above:
        rows[depth[name]].append(name)
    place = {name: n - len(row) / 2 for row in rows for n, name in enumerate(row)}
    for row in rows:
        row.sort(key=lambda name: _mean([place[one] for one in above[name]]))
        place |= {name: n - len(row) / 2 for n, name in enumerate(row)}
    return rows


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _width(name: str) -> float:
    return LETTER * len(name) + 24


def _box(name: str, x: float, y: float, fill: str) -> str:
    middle = x + _width(name) / 2
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{_width(name):.0f}" height="{HEIGHT}" rx="5"'
        f' fill="{fill}" stroke="{INK}"/><text x="{middle:.0f}" y="{y + 20:.0f}" font-size="13"'
        f' text-anchor="middle" fill="{INK}">{name}</text>'
    )


def _arrow(places: dict[str, tuple[float, float]], one: str, other: str) -> str:
    (x1, y1), (x2, y2) = places[one], places[other]
    x1, x2, y1 = x1 + _width(one) / 2, x2 + _width(other) / 2, y1 + HEIGHT
    bend = (y2 - y1) / 2
    return (
        f'<path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f}'
        f' {x2:.0f} {y2:.0f}" fill="none" stroke="{LINE}" marker-end="url(#tip)"/>'
    )


def _key(number: int, title: str, bottom: float) -> str:
    y = bottom + 22 * number
    return (
        f'<rect x="{MARGIN}" y="{y:.0f}" width="14" height="14" rx="3" stroke="{INK}"'
        f' fill="{FILLS[number % 4]}"/><text x="{MARGIN + 22}" y="{y + 12:.0f}" font-size="13"'
        f' fill="{INK}">{escape(title)}</text>'
    )
