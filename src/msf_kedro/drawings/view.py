"""Where a motion is looked at from: three dimensions to the plane of a picture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from msf_kedro.drawings.motion import Motion

MARGIN = 14  # around the joints: half a line and most of a head


@dataclass(frozen=True)
class View:
    """A place to look from.

    Attributes:
        yaw: radians from the front round to the person's right.
        pitch: radians upwards.
    """

    yaw: float
    pitch: float


FRONT, SIDE, ABOVE = View(0.0, 0.0), View(np.pi / 2, 0.0), View(0.0, np.pi / 2)
OBLIQUE = View(0.45, 0.12)  # what shows most of most movements


def project(motion: Motion, view: View) -> Int[np.ndarray, "B T V 2"]:
    """Joints in the picture: to the right and down, whole numbers. A 2-D motion is flat already."""
    if motion.dimensions == 2:
        return motion.points * (1, -1)
    x, y, z = np.moveaxis(motion.points, -1, 0)
    right = y * np.sin(view.yaw) - x * np.cos(view.yaw)
    ahead = x * np.sin(view.yaw) + y * np.cos(view.yaw)
    up = z * np.cos(view.pitch) - ahead * np.sin(view.pitch)
    return np.rint(np.stack([right, -up], axis=-1)).astype(np.int64)


def box(motion: Motion, points: Int[np.ndarray, "B T V 2"]) -> tuple[int, int, int, int]:
    """Left, top, width and height of all that a projected motion shows, with a margin."""
    shown = points[motion.present].reshape(-1, 2)
    low, high = shown.min(axis=0) - MARGIN, shown.max(axis=0) + MARGIN
    return *low.tolist(), *(high - low).tolist()
