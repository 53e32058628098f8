"""Normalising a clip: choose bodies, fill gaps, centre, turn, bring to a fixed window.

There are two variants. `normalise_reference` does what the Shift-GCN line of work does;
`normalise_resampled` keeps one time axis for both bodies and resamples it to the window. Before
either, missing joints are filled in (`complete`). Poses in an image are not turned, as their
vertical is the image's, but made to point up. What is not in metres is scaled by the torso.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from msf_kedro.clips.complete import complete, missing_joints
from msf_kedro.clips.layouts import Layout, layouts_of

MAX_LISTED_BODIES = 4  # by place in the frame's list; a fifth body and later ones are ignored
MAX_BODIES = 2
MAX_WINDOW = 3000  # frames; a chunk of clips of two bodies then takes 0.2 GB
FARTHEST = 1e6  # of a coordinate; whatever its unit, no skeleton is farther away
DEGENERATE = 1e-6
TORSO = (0.02, 5.0)  # metres; what is shorter or longer is in other units


@dataclass(frozen=True)
class NormaliseConfig:
    """How clips become fixed-size tensors.

    Attributes:
        window: frames `T` of a normalised clip.
        resample: whether to resample the valid frames to the window by linear interpolation;
            otherwise they are repeated until the window is full, as in the reference.
        min_confidence: joints of which the estimator is less sure count as missing.
        max_missing: a body that lacks a larger share of its joints is left out.
    """

    window: int
    resample: bool
    min_confidence: float = 0.0
    max_missing: float = 1.0

    def __post_init__(self):
        for field in ("min_confidence", "max_missing"):
            if not 0 <= getattr(self, field) <= 1:
                raise ValueError(f"normalise.{field} is {getattr(self, field)}, expected 0 to 1")
        if not 2 <= self.window <= MAX_WINDOW:
            raise ValueError(
                f"normalise.window is {self.window}, expected 2 to {MAX_WINDOW} frames"
            )


def check_clip(clip: np.ndarray, layout: Layout, config: NormaliseConfig) -> str | None:
    """The reason why a raw clip cannot be used, or None if it can."""
    if reason := _misshapen(clip, layout):
        return reason
    points = clip[..., : layout.dimensions]
    near = np.abs(points) <= FARTHEST  # false where a coordinate is not a number
    if not near.all() and not (near := near | np.isnan(points)).all():
        frame = int(near.all(axis=(0, 2, 3)).argmin())
        what = f"beyond {FARTHEST:g}" if not np.isinf(points[:, frame]).any() else "not finite"
        return f"frame {frame + 1} holds a coordinate that is {what}"
    listed = clip[:MAX_LISTED_BODIES]
    whole = complete(listed, layout, config.min_confidence, config.max_missing)
    if occupied(whole).any():
        return _without_size(whole, layout)
    missing = missing_joints(listed, layout, config.min_confidence)
    if not missing.any():
        return "no body in any frame"
    share = missing[missing.any(axis=2)].mean()
    return (
        f"{share:.0%} of the joints are missing (not a number, or of a confidence below"
        f" {config.min_confidence:g}), accepted are {config.max_missing:.0%} of a body's"
        " (normalise.max_missing)"
    )


def _misshapen(clip: np.ndarray, layout: Layout) -> str | None:
    """The reason why an array is no clip of this layout, or None if it is."""
    channels = layout.dimensions
    if clip.ndim != 4 or clip.shape[-1] not in (channels, channels + 1):
        return (
            f"shape {clip.shape}, expected (bodies, frames, joints, {channels}), or {channels + 1}"
            " with confidences"
        )
    if clip.shape[0] == 0 or clip.shape[1] == 0:
        return "no body in any frame"
    if clip.shape[2] != layout.recorded:
        others = ", ".join(layouts_of(clip.shape[2])) or "none that comes along"
        return (
            f"{clip.shape[2]} joints, the layout has {layout.recorded} (clips.layout is"
            f" {layout.name}; of {clip.shape[2]} joints is {others})"
        )
    return None


def _without_size(clip: Float[np.ndarray, "M T V D"], layout: Layout) -> str | None:
    """The reason why a whole clip's torso has no length, or one that cannot be metres."""
    ends = clip[:, :, list(layout.upright)]
    lengths = np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=-1)
    lengths = lengths[ends.any(axis=-1).all(axis=-1) & (lengths > 0)]
    start, end = (layout.joints[joint] for joint in layout.upright)
    if layout.metre is None:
        return None if len(lengths) else f"{start} and {end} are in one place in every frame"
    length = float(np.median(lengths)) if len(lengths) else None
    if length is None or TORSO[0] <= length <= TORSO[1]:
        return None
    return (
        f"from {start} to {end} are {length:.3g} metres if coordinates are in {layout.units},"
        f" expected {TORSO[0]} to {TORSO[1]}; say with clips.units what they are in"
    )


def occupied(clip: Float[np.ndarray, "*M T V D"]) -> Bool[np.ndarray, "*M T"]:
    """Which frames hold a body: those whose coordinates do not sum to zero."""
    return clip.sum(axis=(-2, -1)) != 0


def normalise(
    clip: Float[np.ndarray, "M T V C"], layout: Layout, config: NormaliseConfig
) -> Float[np.ndarray, "B D W window"]:
    """The one or two bodies of a valid raw clip, normalised.

    Returns:
        float32; `W` are the layout's joints with the derived ones, `D` its dimensions.
    """
    clip = complete(clip, layout, config.min_confidence, config.max_missing)
    if config.resample:
        bodies = normalise_resampled(clip, layout, config.window)
    else:
        bodies = normalise_reference(clip, layout, config.window)
    return np.ascontiguousarray(bodies.transpose(0, 3, 2, 1), dtype=np.float32)


def normalise_reference(
    clip: Float[np.ndarray, "M T V D"], layout: Layout, window: int
) -> Float[np.ndarray, "B W V D"]:
    """Exactly the preprocessing of the 4-stream Shift-GCN line of work (`docs/fidelity.md`).

    Bodies absent from all frames are left out: in the reference they stay zero throughout.
    """
    bodies = select_bodies(clip.astype(np.float64))[:, :window]
    bodies = np.stack([_repeat_to(body, window) for body in bodies])
    return _oriented(centre(bodies, layout), layout)


def normalise_resampled(
    clip: Float[np.ndarray, "M T V D"], layout: Layout, window: int
) -> Float[np.ndarray, "B W V D"]:
    """The span of frames with a body, resampled to the window by linear interpolation.

    Unlike in the reference, gaps do not vanish: a body's empty frames are interpolated from the
    frames around them, so that two bodies stay synchronous.
    """
    bodies = select_bodies(clip.astype(np.float64))
    present = occupied(bodies)
    first, last = np.flatnonzero(present.any(axis=0))[[0, -1]]
    times = np.linspace(first, last, window)
    bodies = np.stack([_interpolate(b, p, times) for b, p in zip(bodies, present, strict=True)])
    return _oriented(centre(bodies, layout), layout)


def select_bodies(clip: Float[np.ndarray, "M T V D"]) -> Float[np.ndarray, "B T V D"]:
    """Of the bodies present in any frame, the two of largest energy (or one), the larger first.

    The energy of a body is std(x) + std(y) + std(z) (in 2-D without the last) over all joints of
    its non-empty frames. As in the reference there are always four places, and of equal energies
    the later comes first: a body that is a single point (energy 0) loses to an empty place after
    it.
    """
    present = occupied(clip[:MAX_LISTED_BODIES])
    held = present.any(axis=1)
    energy = np.zeros(MAX_LISTED_BODIES)
    for place in np.flatnonzero(held):
        energy[place] = clip[place, present[place]].std(axis=(0, 1)).sum()
    chosen = np.argsort(energy, kind="stable")[::-1][:MAX_BODIES]
    chosen = [place for place in chosen if place < len(held) and held[place]]
    return clip[chosen or np.flatnonzero(held)[:1]]  # a single point if there is nothing else


def centre(bodies: Float[np.ndarray, "B T V D"], layout: Layout) -> Float[np.ndarray, "B T V D"]:
    """Subtract the first body's centre joint, frame by frame, from every non-zero joint.

    In 3-D the reference's way of telling them: a joint is zero if its coordinates sum to zero. In
    whole pixels others do too.
    """
    if layout.dimensions == 3:
        present = bodies.sum(axis=-1, keepdims=True) != 0
    else:
        present = bodies.any(axis=-1, keepdims=True)
    return (bodies - bodies[:1, :, layout.centre : layout.centre + 1]) * present


def _oriented(bodies: Float[np.ndarray, "B T V D"], layout: Layout) -> Float[np.ndarray, "B T V D"]:
    """Centred bodies that point up, of a size that does not depend on an unknown unit."""
    bodies = turn(bodies, layout) if layout.dimensions == 3 else bodies * (1, -1)
    return bodies if layout.metre else bodies / _torso(bodies[0], layout)


def _torso(body: Float[np.ndarray, "T V D"], layout: Layout) -> float:
    """The length of a body's torso, the median over the frames where it has one; else 1."""
    start, end = layout.upright
    lengths = np.linalg.norm(body[:, end] - body[:, start], axis=-1)
    return float(np.median(lengths[lengths > 0])) if lengths.any() else 1.0


def turn(bodies: Float[np.ndarray, "B T V 3"], layout: Layout) -> Float[np.ndarray, "B T V 3"]:
    """Turn the whole clip so that the first body's first frame is upright (+z) and face-on (+x)."""
    for (start, end), axis in ((layout.upright, (0, 0, 1)), (layout.across, (1, 0, 0))):
        pose = bodies[0, 0]
        rotation = rotation_between(pose[end] - pose[start], np.array(axis, dtype=np.float64))
        turned = bodies @ rotation.T
        bodies = np.where(occupied(bodies)[..., None, None], turned, bodies)
    return bodies


def rotation_between(
    source: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """The rotation about source × target by the angle between them; identity if degenerate."""
    axis = np.cross(source, target)
    if min(np.abs(source).sum(), np.abs(target).sum()) < DEGENERATE:
        return np.eye(3)
    norms = np.linalg.norm(source) * np.linalg.norm(target)
    angle = np.arccos(np.clip(source @ target / norms, -1.0, 1.0))
    if np.abs(axis).sum() < DEGENERATE or abs(angle) < DEGENERATE:
        return np.eye(3)
    # Not SciPy's Rotation: importing it costs every worker process 30 MB and 0.2 s.
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _repeat_to(body: Float[np.ndarray, "T V D"], window: int) -> Float[np.ndarray, "W V D"]:
    """A body's frames repeated to fill the window, without its gaps if the first frame is empty.

    Gaps of a body that is there in the first frame stay zero, as in the reference.
    """
    present = occupied(body)
    if not present.any():  # all its frames are beyond the window
        return np.zeros((window, *body.shape[1:]))
    frames = body[: np.flatnonzero(present)[-1] + 1] if present[0] else body[present]
    return frames[np.arange(window) % len(frames)]


def _interpolate(
    body: Float[np.ndarray, "T V D"], present: Bool[np.ndarray, " T"], times: np.ndarray
) -> Float[np.ndarray, "W V D"]:
    """The body at fractional frame times, from its non-empty frames and constant beyond them."""
    known = np.flatnonzero(present)
    if len(known) == 1:
        return np.repeat(body[known], len(times), axis=0)
    left = np.clip(np.searchsorted(known, times, side="right") - 1, 0, len(known) - 2)
    start, end = known[left], known[left + 1]
    weight = np.clip((times - start) / (end - start), 0.0, 1.0)[:, None, None]
    return (1 - weight) * body[start] + weight * body[end]
