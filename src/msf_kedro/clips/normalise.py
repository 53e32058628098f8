"""Normalising a clip: choose bodies, fill gaps, centre, turn, bring to a fixed window.

There are two variants. `normalise_reference` does what the Shift-GCN line of work does;
`normalise_resampled` keeps one time axis for both bodies and resamples it to the window.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from msf_kedro.clips.layouts import Layout

MAX_LISTED_BODIES = 4  # by place in the frame's list; a fifth body and later ones are ignored
MAX_BODIES = 2
MAX_WINDOW = 3000  # frames; a chunk of clips of two bodies then takes 0.2 GB
FARTHEST = 1e6  # of a coordinate; whatever its unit, no skeleton is farther away
DEGENERATE = 1e-6


@dataclass(frozen=True)
class NormaliseConfig:
    """How clips become fixed-size tensors.

    Attributes:
        window: frames `T` of a normalised clip.
        resample: whether to resample the valid frames to the window by linear interpolation;
            otherwise they are repeated until the window is full, as in the reference.
    """

    window: int
    resample: bool

    def __post_init__(self):
        if not 2 <= self.window <= MAX_WINDOW:
            raise ValueError(
                f"normalise.window is {self.window}, expected 2 to {MAX_WINDOW} frames"
            )


def check_clip(clip: np.ndarray, layout: Layout) -> str | None:
    """The reason why a raw clip cannot be used, or None if it can."""
    if clip.ndim != 4 or clip.shape[-1] != 3:
        return f"shape {clip.shape}, expected (bodies, frames, joints, 3)"
    if clip.shape[0] == 0 or clip.shape[1] == 0:
        return "no body in any frame"
    if clip.shape[2] != len(layout.joints):
        return f"{clip.shape[2]} joints, the layout has {len(layout.joints)}"
    near = np.abs(clip) <= FARTHEST  # false where a coordinate is not a number
    if not near.all():
        frame = int(near.all(axis=(0, 2, 3)).argmin())
        what = f"beyond {FARTHEST:g}" if np.isfinite(clip[:, frame]).all() else "not finite"
        return f"frame {frame + 1} holds a coordinate that is {what}"
    if not occupied(clip[:MAX_LISTED_BODIES]).any():
        return "no body in any frame"
    return None


def occupied(clip: Float[np.ndarray, "*M T V 3"]) -> Bool[np.ndarray, "*M T"]:
    """Which frames hold a body: those whose coordinates do not sum to zero."""
    return clip.sum(axis=(-2, -1)) != 0


def normalise(
    clip: Float[np.ndarray, "M T V 3"], layout: Layout, config: NormaliseConfig
) -> Float[np.ndarray, "B 3 V W"]:
    """The one or two bodies of a valid clip, normalised, as `(B, 3, V, window)` float32."""
    if config.resample:
        bodies = normalise_resampled(clip, layout, config.window)
    else:
        bodies = normalise_reference(clip, layout, config.window)
    return np.ascontiguousarray(bodies.transpose(0, 3, 2, 1), dtype=np.float32)


def normalise_reference(
    clip: Float[np.ndarray, "M T V 3"], layout: Layout, window: int
) -> Float[np.ndarray, "B W V 3"]:
    """Exactly the preprocessing of the 4-stream Shift-GCN line of work (`docs/fidelity.md`).

    Bodies absent from all frames are left out: in the reference they stay zero throughout.
    """
    bodies = select_bodies(clip.astype(np.float64))[:, :window]
    bodies = np.stack([_repeat_to(body, window) for body in bodies])
    return turn(centre(bodies, layout), layout)


def normalise_resampled(
    clip: Float[np.ndarray, "M T V 3"], layout: Layout, window: int
) -> Float[np.ndarray, "B W V 3"]:
    """The span of frames with a body, resampled to the window by linear interpolation.

    Unlike in the reference, gaps do not vanish: a body's empty frames are interpolated from the
    frames around them, so that two bodies stay synchronous.
    """
    bodies = select_bodies(clip.astype(np.float64))
    present = occupied(bodies)
    first, last = np.flatnonzero(present.any(axis=0))[[0, -1]]
    times = np.linspace(first, last, window)
    bodies = np.stack([_interpolate(b, p, times) for b, p in zip(bodies, present, strict=True)])
    return turn(centre(bodies, layout), layout)


def select_bodies(clip: Float[np.ndarray, "M T V 3"]) -> Float[np.ndarray, "B T V 3"]:
    """Of the bodies present in any frame, the two of largest energy (or one), the larger first.

    The energy of a body is std(x) + std(y) + std(z) over all joints of its non-empty frames. As
    in the reference there are always four places, and of equal energies the later comes first:
    a body that is a single point (energy 0) loses to an empty place after it.
    """
    present = occupied(clip[:MAX_LISTED_BODIES])
    held = present.any(axis=1)
    energy = np.zeros(MAX_LISTED_BODIES)
    for place in np.flatnonzero(held):
        energy[place] = clip[place, present[place]].std(axis=(0, 1)).sum()
    chosen = np.argsort(energy, kind="stable")[::-1][:MAX_BODIES]
    chosen = [place for place in chosen if place < len(held) and held[place]]
    return clip[chosen or np.flatnonzero(held)[:1]]  # a single point if there is nothing else


def centre(bodies: Float[np.ndarray, "B T V 3"], layout: Layout) -> Float[np.ndarray, "B T V 3"]:
    """Subtract the first body's centre joint, frame by frame, from every non-zero joint."""
    present = bodies.sum(axis=-1, keepdims=True) != 0
    return (bodies - bodies[:1, :, layout.centre : layout.centre + 1]) * present


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


def _repeat_to(body: Float[np.ndarray, "T V 3"], window: int) -> Float[np.ndarray, "W V 3"]:
    """A body's frames repeated to fill the window, without its gaps if the first frame is empty.

    Gaps of a body that is there in the first frame stay zero, as in the reference.
    """
    present = occupied(body)
    if not present.any():  # all its frames are beyond the window
        return np.zeros((window, *body.shape[1:]))
    frames = body[: np.flatnonzero(present)[-1] + 1] if present[0] else body[present]
    return frames[np.arange(window) % len(frames)]


def _interpolate(
    body: Float[np.ndarray, "T V 3"], present: Bool[np.ndarray, " T"], times: np.ndarray
) -> Float[np.ndarray, "W V 3"]:
    """The body at fractional frame times, from its non-empty frames and constant beyond them."""
    known = np.flatnonzero(present)
    if len(known) == 1:
        return np.repeat(body[known], len(times), axis=0)
    left = np.clip(np.searchsorted(known, times, side="right") - 1, 0, len(known) - 2)
    start, end = known[left], known[left + 1]
    weight = np.clip((times - start) / (end - start), 0.0, 1.0)[:, None, None]
    return (1 - weight) * body[start] + weight * body[end]
