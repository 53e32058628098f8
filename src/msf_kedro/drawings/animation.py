"""A clip as an animated SVG, which moves as an image too, without any script.

Who asks for less motion gets a strip of poses laid over one another instead.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
from jaxtyping import Int

from msf_kedro.drawings.motion import Motion
from msf_kedro.drawings.pose import paths, style
from msf_kedro.drawings.view import OBLIQUE, View, box, project

GAP, CAPTION, SIZE = 12, 24, 200  # of a tile, units


def moving(motion: Motion, view: View = OBLIQUE) -> tuple[str, tuple[int, int, int, int]]:
    """The moving bodies as SVG, and the box that they move in."""
    points = project(motion, view)
    bodies = [_body(motion, points[b], b) for b in range(len(points)) if motion.present[b].any()]
    still = [
        f'<path class="{side}" d="{path}" opacity="{opacity}"/>'
        for body in range(len(points))
        for frame, opacity in _stills(motion, body)
        for side, path in paths(motion, points[body, frame]).items()
    ]
    return f'<g class="moving">{"".join(bodies)}</g><g class="still">{"".join(still)}</g>', box(
        motion, points
    )


def animation(clips: Sequence[tuple[str, Motion]], view: View = OBLIQUE) -> str:
    """Clips side by side, each with its name below, as one SVG."""
    tiles = []
    for place, (name, motion) in enumerate(clips):
        drawn, (left, top, width, height) = moving(motion, view)
        x = GAP + place * (SIZE + GAP)
        tiles.append(
            f'<svg x="{x}" y="{GAP}" width="{SIZE}" height="{SIZE}"'
            f' viewBox="{left} {top} {width} {height}">{drawn}</svg>'
            f'<text x="{x + SIZE / 2:g}" y="{GAP + SIZE + 17}" text-anchor="middle">'
            f"{escape(name)}</text>"
        )
    wide, high = GAP + len(clips) * (SIZE + GAP), SIZE + CAPTION + 2 * GAP
    told = "Moving skeletons: " + ", ".join(name for name, _ in clips)
    return picture("".join(tiles), wide, high, told)


def picture(drawn: str, width: int, height: int, told: str) -> str:
    """A picture that stands alone, from what it shows."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="{escape(told)}">'
        f"<title>{escape(told)}</title>{style()}{REDUCED}"
        f'<rect class="paper" width="100%" height="100%" rx="8"/>{drawn}</svg>\n'
    )


REDUCED = (
    "<style>.still{display:none}@media(prefers-reduced-motion:reduce)"
    "{.moving{display:none}.still{display:inline}}</style>"
)


def _body(motion: Motion, points: Int[np.ndarray, "T V 2"], body: int) -> str:
    """One body; where a frame does not hold it, it is hidden and stays in its nearest place."""
    held = motion.present[body]
    known = np.flatnonzero(held)
    frames = known[np.abs(known[None] - np.arange(len(held))[:, None]).argmin(axis=1)]
    poses = [paths(motion, points[frame]) for frame in frames.tolist()]
    clock = f'dur="{motion.seconds:.2f}s" repeatCount="indefinite"'
    lines = "".join(
        f'<path class="{side}" d="{first}"><animate attributeName="d" {clock}'
        f' values="{";".join(pose[side] for pose in poses)}"/></path>'
        for side, first in poses[0].items()
    )
    if not held.all():
        values = ";".join("inline" if there else "none" for there in held)
        lines += f'<animate attributeName="display" {clock} calcMode="discrete" values="{values}"/>'
    return f'<g class="{"second" if body else "first"}">{lines}</g>'


def _stills(motion: Motion, body: int) -> list[tuple[int, float]]:
    """A few frames that hold a body, fainter the earlier they are."""
    known = np.flatnonzero(motion.present[body])
    chosen = known[np.unique(np.rint(np.linspace(0, len(known) - 1, 3)).astype(int))].tolist()
    return list(zip(chosen, (0.25, 0.5, 1.0)[-len(chosen) :], strict=True))
