"""Histograms of the gate's score, of seen and of unseen clips."""

from collections.abc import Sequence

import numpy as np

from msf_kedro.drawings.charts.frame import SEEN, UNSEEN, Axis, axes, picture, words

WIDTH, HEIGHT, BINS = 420, 300, 24


def histogram_chart(
    seen: Sequence[float], unseen: Sequence[float], thresholds: Sequence[float], told: str
) -> str:
    """Scores of both sides' clips, each side's bars adding up to 100 %, and the thresholds.

    Args:
        thresholds: of all seeds; clips to the right of one are called seen.
    """
    values = [*seen, *unseen, *thresholds]
    low, high = min(values), max(values)
    low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    bounds = np.linspace(low, high, BINS + 1)
    shares = [100 * np.histogram(side, bounds)[0] / max(len(side), 1) for side in (seen, unseen)]
    top = max(float(share.max()) for share in shares) or 1.0
    x = Axis(low, high, 44, WIDTH - 16, "the gate's score that a clip is of a seen class")
    y = Axis(0, top * 1.12, HEIGHT - 44, 26, "share of each side's clips, %")
    parts = [axes(x, y)]
    for share, kind in zip(shares, (SEEN, UNSEEN), strict=True):
        steps = f"M{x(low)} {y(0)}" + "".join(
            f"V{y(v)}H{x(bounds[n + 1])}" for n, v in enumerate(share)
        )
        parts.append(f'<path class="area {kind}" d="{steps}V{y(0)}Z"/>')
        parts.append(f'<path class="line {kind}" d="{steps}V{y(0)}"/>')
        peak = int(share.argmax())
        middle = x((bounds[peak] + bounds[peak + 1]) / 2)
        parts.append(
            words(min(max(middle, 70), WIDTH - 50), y(share[peak]) - 5, kind, f"middle {kind}")
        )
    for value in sorted({round(threshold, 3) for threshold in thresholds}):
        parts.append(f'<path class="line plain dashed" d="M{x(value)} {y.start}V{y.end}"/>')
    if len(thresholds):
        middle = float(np.mean(thresholds))
        right = x(middle) > WIDTH - 140
        parts.append(
            words(x(middle) + (-5 if right else 5), 36, "called seen →", "end" if right else "")
        )
    return picture("".join(parts), WIDTH, HEIGHT, told)
