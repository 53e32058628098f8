"""One pose as SVG paths: a path for each side of the body."""

import numpy as np
from jaxtyping import Int

from msf_kedro.drawings.motion import SIDES, Motion

HEAD = 8  # its radius
# Orange and blue are told apart with any colour vision, and in grey by their lightness.
LIGHT = {"left": "#c2570c", "right": "#1d4ed8", "middle": "#6b7280", "ink": "#1f2933"}
DARK = {"left": "#fb923c", "right": "#7aa8ff", "middle": "#9ca3af", "ink": "#e5e7eb"}
PAPER = {"light": "#ffffff", "dark": "#12161c"}


def paths(motion: Motion, pose: Int[np.ndarray, "V 2"]) -> dict[str, str]:
    """Side → the path of its bones, and `head` → its circle."""
    lines = dict.fromkeys(SIDES, "")
    for (joint, parent), side in zip(motion.bones, motion.sides, strict=True):
        (a, b), (c, d) = pose[parent].tolist(), pose[joint].tolist()
        lines[SIDES[side]] += f"M{a} {b}L{c} {d}"
    if motion.head is not None:
        x, y = pose[motion.head].tolist()
        lines["head"] = (
            f"M{x - HEAD} {y}a{HEAD} {HEAD} 0 1 0 {2 * HEAD} 0a{HEAD} {HEAD} 0 1 0 {-2 * HEAD} 0"
        )
    return {side: path for side, path in lines.items() if path}


def style() -> str:
    """The look of poses in a picture that stands alone: light or dark as the reader's system."""
    return (
        "<style>path{fill:none;stroke-width:4;stroke-linecap:round;stroke-linejoin:round}"
        f"{_rules(LIGHT, PAPER['light'])}"
        f"@media(prefers-color-scheme:dark){{{_rules(DARK, PAPER['dark'])}}}"
        ".second path{stroke-width:2.2}"
        "text{font:13px system-ui,'DejaVu Sans',sans-serif}</style>"
    )


def _rules(colours: dict[str, str], paper: str) -> str:
    rules = [f".{side}{{stroke:{colours[side]}}}" for side in SIDES]
    rules.append(f".head{{stroke:{colours['middle']}}}.first .head{{fill:{colours['middle']}}}")
    return "".join(rules) + f".paper{{fill:{paper}}}text{{fill:{colours['ink']}}}"
