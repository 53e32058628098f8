"""Confusion matrices: what clips of each class were taken for."""

from collections.abc import Sequence
from html import escape

import numpy as np
from jaxtyping import Float

from msf_kedro.drawings.charts.frame import LETTER, SEEN, UNSEEN, picture, words

LONGEST = 22  # letters of a label


def matrix_chart(
    shares: Float[np.ndarray, "K P"],
    rows: Sequence[str],
    columns: Sequence[str],
    first_unseen: tuple[int, int],
    told: str,
) -> str:
    """Rows are true classes, columns what their clips were taken for.

    Args:
        shares: percent of a row's clips; darker is more.
        rows: labels of the true classes, seen ones first.
        columns: labels of the predicted ones, seen ones first.
        first_unseen: how many rows, and columns, are of seen classes.
    """
    cell = 15 if len(rows) <= 40 else 9
    names = [_short(name) for name in rows], [_short(name) for name in columns]
    left, top = (LETTER * max(map(len, some), default=0) + 14 for some in names)
    top += 18
    parts = [words(2, 12, "true class ↓   taken for →", "name")]
    for n, name in enumerate(names[0]):
        kind = SEEN if n < first_unseen[0] else UNSEEN
        parts.append(words(left - 6, top + (n + 0.5) * cell + 4, name, f"end {kind}", _small(cell)))
    for n, name in enumerate(names[1]):
        kind = SEEN if n < first_unseen[1] else UNSEEN
        x, y = left + (n + 0.5) * cell + 4, top - 6
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' + _small(cell)
        parts.append(words(x, y, name, kind, turned))
    for (row, column), share in np.ndenumerate(shares):
        if share <= 0:
            continue
        title = f"{rows[row]} taken for {columns[column]}: {share:.0f} %"
        parts.append(
            f'<rect class="heat" x="{left + column * cell:.1f}" y="{top + row * cell:.1f}"'
            f' width="{cell - 1}" height="{cell - 1}" fill-opacity="{0.08 + share / 109:.2f}">'
            f"<title>{escape(title)}</title></rect>"
        )
    width, height = left + len(columns) * cell, top + len(rows) * cell
    down, right = top + first_unseen[0] * cell - 0.5, left + first_unseen[1] * cell - 0.5
    parts.append(
        f'<path class="grid" d="M{left:.1f} {top:.1f}H{width:.1f}V{height:.1f}H{left:.1f}Z'
        f'M{left:.1f} {down:.1f}H{width:.1f}M{right:.1f} {top:.1f}V{height:.1f}" fill="none"/>'
    )
    return picture("".join(parts), width + 8, height + 8, told)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _small(cell: int) -> str:
    return ' style="font-size:11px"' if cell > 10 else ' style="font-size:8px"'
