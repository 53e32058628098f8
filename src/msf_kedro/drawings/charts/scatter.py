"""A map of points of several classes: what was generated, and what was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from msf_kedro.drawings.charts.frame import picture, words

WIDTH, HEIGHT, EDGE = 460, 420, 24
# Told apart by colour and by the names beside them; after the last, the first comes again.
COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#b5508f", "#a8760a", "#3aa0d8", "#7a5195", "#5c6873"),
)


@dataclass(frozen=True)
class Cloud:
    """A class's points.

    Attributes:
        name: of the class.
        drawn: points that were generated from its texts.
        real: points of its clips.
    """

    name: str
    drawn: Float[np.ndarray, "P 2"]
    real: Float[np.ndarray, "n 2"]


def scatter_chart(clouds: Sequence[Cloud], told: str) -> str:
    """Small faint dots are generated, rings are clips; a class has one colour."""
    points = np.concatenate([part for cloud in clouds for part in (cloud.drawn, cloud.real)])
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    inner = np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE - 24])

    def place(some: Float[np.ndarray, "n 2"]) -> np.ndarray:
        return EDGE + (some - low) / span * inner

    single = all(len(cloud.drawn) == 1 for cloud in clouds)
    r, opacity = (6, 0.9) if single else (2, 0.3)
    dots, rings, names = [], [], []
    taken: list[tuple[float, float]] = []
    for n, cloud in enumerate(clouds):
        colour = COLOURS[n % len(COLOURS)]
        for x, y in place(cloud.drawn):
            dots.append(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{r}" fill="{colour}" opacity="{opacity}"/>'
            )
        for x, y in place(cloud.real):
            rings.append(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="none" stroke="{colour}"'
                ' stroke-width="1.8"/>'
            )
        x, y = place(np.median(cloud.drawn, axis=0, keepdims=True))[0].tolist()
        y = _free(x, y, taken)
        kind = "middle name"
        x = min(max(x, 60), WIDTH - 60)
        halo = (
            ' style="paint-order:stroke;stroke:var(--paper);stroke-width:3;font-weight:600;'
            f'fill:{colour}"'
        )
        names.append(words(x, y, cloud.name, kind, halo))
    note = f"{'discs' if single else 'dots'}: from texts, rings: test clips; axes without unit"
    foot = words(EDGE, HEIGHT - 8, note)
    clouds_drawn = f'<g class="clouds">{"".join([*dots, *rings, *names])}</g>'
    return picture(clouds_drawn + foot, WIDTH, HEIGHT, told)


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> float:
    """A height near `y` where no other name stands."""
    while any(abs(x - a) < 90 and abs(y - b) < 14 for a, b in taken):
        y += 14
    taken.append((x, y))
    return y
