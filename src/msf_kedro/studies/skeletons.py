"""Which joint layouts fit some clips, the likeliest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.complete import complete
from msf_kedro.clips.layouts import LAYOUTS, UNITS, Layout, get_layout, layouts_of
from msf_kedro.clips.normalise import NormaliseConfig, check_clip, occupied

PIXELS = 10  # a larger coordinate beside a number from 0 to 1 is no metre
BONES = 5.0  # metres, of a person's bones together
ENOUGH = 0.8  # of the clips that a layout must fit


@dataclass(frozen=True)
class Fit:
    """A layout that clips fit.

    Attributes:
        layout: its name.
        units: of the coordinates, where they are not the layout's.
        length: of all bones together, taken as in the layout's units, the median over frames.
    """

    layout: str
    units: str | None
    length: float

    @property
    def shown(self) -> str:
        """The layout and, where they are not its own, the units."""
        return f"{self.layout} in {self.units}" if self.units else self.layout


def fitting(clips: Sequence[np.ndarray], config: NormaliseConfig) -> list[Fit]:
    """Layouts that come along and fit the clips; where bones are shortest first.

    Of two layouts with as many joints the wrong one connects joints that are far apart.

    Args:
        clips: arrays `(bodies, frames, joints, values)`.
        config: how much of a body may be missing.
    """
    fits = []
    for name in LAYOUTS if clips else ():
        layout = get_layout(name)
        if _dimensions(clips) != layout.dimensions or _joints(clips) != layout.recorded:
            continue
        found = [fit for units in _units(layout) if (fit := _fit(clips, layout, units, config))]
        if found:  # of several units those in which people are of the usual size
            fits.append(min(found, key=lambda fit: abs(log(_metres(fit, layout) / BONES))))
    return sorted(fits, key=lambda fit: (fit.length, LAYOUTS.index(fit.layout)))


def _units(layout: Layout) -> list[str | None]:
    """Units to try: the layout's, and where these are a length, others."""
    if not layout.metre:
        return [None]
    return [None, *(unit for unit, metre in UNITS.items() if metre and unit != layout.units)]


def _fit(
    clips: Sequence[np.ndarray], layout: Layout, units: str | None, config: NormaliseConfig
) -> Fit | None:
    """How the clips fit a layout in some units, if enough of them do."""
    found = get_layout(layout.name, units=units)
    good = [clip for clip in clips if check_clip(clip, found, config) is None]
    if len(good) < ENOUGH * len(clips):
        return None
    return Fit(layout.name, units, _bones(good, layout, config))


def _metres(fit: Fit, layout: Layout) -> float:
    """The length of all bones, in metres if there are some."""
    metre = UNITS[fit.units or layout.units]
    return fit.length * metre / (layout.metre or 1) if metre else fit.length


def describe(clips: Sequence[np.ndarray]) -> str:
    """What the clips hold: how many joints, and values of each."""
    shapes = sorted({(clip.shape[2], clip.shape[3]) for clip in clips})
    return ", ".join(f"{joints} joints of {values} values" for joints, values in shapes)


def why_none(clips: Sequence[np.ndarray], config: NormaliseConfig) -> str:
    """Why no layout fits."""
    several = len({clip.shape[2:] for clip in clips}) > 1
    if several:
        return f"the clips hold {describe(clips)}, expected the same in all"
    same = layouts_of(_joints(clips))
    if not same:
        return (
            f"the clips hold {describe(clips)}, and no layout that comes along has so many joints:"
            " write your own (docs/own_data.md, 'A layout of your own')"
        )
    reason = check_clip(clips[0], get_layout(same[0]), config)
    return f"the clips hold {describe(clips)}; {same[0]} does not fit: {reason}"


def _joints(clips: Sequence[np.ndarray]) -> int:
    return clips[0].shape[2]


def _dimensions(clips: Sequence[np.ndarray]) -> int:
    """2 for coordinates in an image and perhaps a confidence, which lies between 0 and 1."""
    values = clips[0].shape[3]
    if values != 3:
        return 2 if values == 2 else 3
    points = np.concatenate([clip.reshape(-1, 3) for clip in clips])
    points = points[~np.isnan(points).any(axis=1)]
    if not len(points):
        return 3
    confidence = points[:, 2].min() >= 0 and points[:, 2].max() <= 1
    image = points[:, :2].min() >= 0 or np.abs(points[:, :2]).max() > PIXELS
    return 2 if confidence and image else 3


def _bones(clips: Sequence[np.ndarray], layout: Layout, config: NormaliseConfig) -> float:
    lengths: list[Float[np.ndarray, " n"]] = []
    for clip in clips:
        whole = complete(clip, layout, config.min_confidence, config.max_missing)
        bones = np.linalg.norm(whole - whole[:, :, list(layout.parents)], axis=-1).sum(axis=-1)
        lengths.append(bones[occupied(whole)])
    return float(np.median(np.concatenate(lengths)))
