"""Normalised clips of the study, to be drawn."""

from collections.abc import Iterable

import pandas as pd

from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.store import Skeletons
from msf_kedro.drawings.motion import Motion


def motions(
    skeletons: Skeletons, clips: pd.DataFrame, layout: Layout, names: Iterable[str]
) -> dict[str, Motion]:
    """Clip name → its motion; as the networks see it, the first body stays in place.

    Args:
        clips: the clip table, whose `frames` say how long a clip takes.
    """
    frames = clips.set_index("name").frames
    drawn = {}
    for name in names:
        bodies, _, _ = skeletons.batch(skeletons.places([name]))
        values = bodies.permute(0, 3, 2, 1).numpy().astype("float64")
        drawn[name] = Motion.of(values, layout, int(frames[name]))
    return drawn
