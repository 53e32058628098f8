"""The seen-unseen curve: what a gate gains on one side and loses on the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from msf_kedro.drawings.charts.frame import SEEN, UNSEEN, Axis, axes, line, picture, words

WIDTH, HEIGHT = 420, 380


@dataclass(frozen=True)
class Curve:
    """A gate's curve by one seed, in percent.

    Attributes:
        acc_seen: accuracy on seen clips, at every threshold.
        acc_unseen: accuracy on unseen clips.
        point: both where the gate's own threshold lies.
    """

    acc_seen: Float[np.ndarray, " t"]
    acc_unseen: Float[np.ndarray, " t"]
    point: tuple[float, float]


def curve_chart(curves: Sequence[Curve], told: str) -> str:
    """All seeds' curves and operating points, and a line of equal H through their middle."""
    x = Axis(0, 100, 44, WIDTH - 16, "accuracy on seen clips, %")
    y = Axis(0, 100, HEIGHT - 44, 26, "accuracy on unseen clips, %")
    parts = [axes(x, y)]
    seen, unseen = (sum(c.point[n] for c in curves) / len(curves) for n in (0, 1))
    if seen and unseen:
        mean = 2 * seen * unseen / (seen + unseen)
        xs = [mean / 2 + 0.5 + n * (99.5 - mean / 2) / 80 for n in range(81)]
        pairs = [(a, a * mean / (2 * a - mean)) for a in xs if 2 * a > mean]
        pairs = [(a, b) for a, b in pairs if 0 <= b <= 100]
        parts.append(line(x, y, *zip(*pairs, strict=True), "plain dashed"))
        a, b = pairs[0]
        parts.append(words(x(a) + 8, y(b) + 12, f"H = {mean:.1f}"))
    for one in curves:
        parts.append(line(x, y, one.acc_seen, one.acc_unseen, "seen faint"))
    for one in curves:
        parts.append(
            f'<circle class="dot {UNSEEN}" cx="{x(one.point[0])}" cy="{y(one.point[1])}" r="5"/>'
        )
    if curves:
        top = y(max(c.point[1] for c in curves))
        left = x(seen) > WIDTH - 140
        at = (x.end, top - 12) if left else (x(seen) + 9, top - 6)
        kind = f"{UNSEEN} end" if left else UNSEEN
        parts.append(words(*at, "the gate's threshold", kind))
        first = curves[0]
        parts.append(words(x(0) + 6, y(first.acc_unseen[0]) - 7, "every threshold", SEEN))
    return picture("".join(parts), WIDTH, HEIGHT, told)
