"""A strip of poses: a clip in a still picture, time from left to right."""

from html import escape

import numpy as np

from msf_kedro.drawings.motion import Motion
from msf_kedro.drawings.pose import paths, style
from msf_kedro.drawings.view import OBLIQUE, View, box, project

POSES = 6


def strip(
    motion: Motion, told: str, view: View = OBLIQUE, poses: int = POSES, alone: bool = True
) -> str:
    """The strip as SVG.

    Args:
        told: what it shows, for those who cannot see it.
        poses: how many.
        alone: whether it brings its colours along; else the page gives them to the classes
            `left`, `right` and `middle`.
    """
    points = project(motion, view)
    left, top, width, height = box(motion, points)
    frames = np.rint(np.linspace(0, points.shape[1] - 1, poses)).astype(int)
    drawn = []
    for place, frame in enumerate(frames.tolist()):
        for body in np.flatnonzero(motion.present[:, frame]).tolist():
            lines = paths(motion, points[body, frame])
            kind = "second" if body else "first"
            drawn.append(
                f'<g class="{kind}" transform="translate({place * width - left} {-top})">'
                + "".join(f'<path class="{side}" d="{path}"/>' for side, path in lines.items())
                + "</g>"
            )
    size = f"0 0 {poses * width} {height}"
    paper = '<rect class="paper" width="100%" height="100%"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img"'
        f' aria-label="{escape(told)}">{style() + paper if alone else ""}{"".join(drawn)}</svg>'
    )
