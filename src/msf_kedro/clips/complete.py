"""Whole clips from raw ones: missing joints filled in, derived ones added, in metres."""

import numpy as np
from jaxtyping import Bool, Float

from msf_kedro.clips.layouts import Layout


def complete(
    clip: Float[np.ndarray, "M T V C"], layout: Layout, min_confidence: float, max_missing: float
) -> Float[np.ndarray, "M T W D"]:
    """The clip's coordinates, all of them numbers, with the layout's derived joints.

    A joint is missing where a coordinate or its confidence is not a number, where its confidence is
    below `min_confidence`, and, in 2-D, where it lies at (0, 0), as estimators say that they did
    not find it. A frame that lacks all of a body's joints does not hold the body. In the others
    a joint is interpolated linearly between the frames that have it, and stays where it was first
    or last seen before and after them. A joint that all frames lack takes its parent's place (a
    root the mean of the body's joints). A body with more than `max_missing` of its joints missing,
    over the frames that hold it, is left out.

    Where nothing is missing and nothing is to be added, this is the clip itself.

    Returns:
        Coordinates, without confidence; a body is all zeros in the frames that do not hold it.
    """
    points = clip[..., : layout.dimensions]
    if clip.shape[-1] > 3 or layout.dimensions == 2 or np.isnan(clip).any():
        lacking = missing_joints(clip, layout, min_confidence)
        if lacking.any() or np.isnan(points).any():
            points = _filled(points, lacking, layout, max_missing)
    if layout.derived:
        points = np.concatenate([points, _derived(points, layout)], axis=2)
    factor = layout.metre
    return points if factor in (None, 1.0) else points * np.float32(factor)


def missing_joints(
    clip: Float[np.ndarray, "M T V C"], layout: Layout, min_confidence: float
) -> Bool[np.ndarray, "M T V"]:
    """Which joints are missing, in frames that hold their body; see `complete`."""
    points = clip[..., : layout.dimensions]
    lacking = np.isnan(points).any(axis=-1)
    if clip.shape[-1] > layout.dimensions:
        lacking |= ~(clip[..., -1] >= min_confidence)
    if layout.dimensions == 2:
        lacking |= ~points.any(axis=-1)
    held = np.nan_to_num(points).any(axis=(2, 3))
    return lacking & held[..., None]


def _filled(
    points: Float[np.ndarray, "M T V D"],
    lacking: Bool[np.ndarray, "M T V"],
    layout: Layout,
    max_missing: float,
) -> Float[np.ndarray, "M T V D"]:
    """The bodies with their missing joints filled in, zeros where they are not."""
    filled = np.nan_to_num(points)
    present = filled.any(axis=(2, 3)) & ~lacking.all(axis=2)
    filled[~present] = 0
    for body in range(len(filled)):
        frames = np.flatnonzero(present[body])
        missing = lacking[body, frames]
        if not missing.any():
            continue
        if missing.mean() > max_missing:
            filled[body] = 0
        else:
            filled[body, frames] = _fill(filled[body, frames], missing, frames, layout)
    return filled


def _fill(
    body: Float[np.ndarray, "T V D"],
    missing: Bool[np.ndarray, "T V"],
    frames: np.ndarray,
    layout: Layout,
) -> Float[np.ndarray, "T V D"]:
    """One body over the frames that hold it, whose numbers are given."""
    whole = body.copy()
    for joint in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)):
        known = ~missing[:, joint]
        for axis in range(body.shape[-1]):
            whole[:, joint, axis] = np.interp(frames, frames[known], body[known, joint, axis])
    lost = missing.all(axis=0)
    if lost.any():
        centre = whole[:, ~lost].mean(axis=1)
        for joint in np.flatnonzero(lost).tolist():
            whole[:, joint] = _place(whole, joint, lost, centre, layout)
    return whole


def _place(
    body: Float[np.ndarray, "T V D"],
    joint: int,
    lost: Bool[np.ndarray, " V"],
    centre: Float[np.ndarray, "T D"],
    layout: Layout,
) -> Float[np.ndarray, "T D"]:
    """Where the nearest joint above a lost one is that some frame has."""
    while layout.parents[joint] != joint:
        joint = layout.parents[joint]
        made_of = layout.derived[joint - layout.recorded] if joint >= layout.recorded else (joint,)
        known = [source for source in made_of if not lost[source]]
        if known:
            return body[:, known].mean(axis=1)
    return centre


def _derived(
    points: Float[np.ndarray, "M T V D"], layout: Layout
) -> Float[np.ndarray, "M T derived D"]:
    return np.stack([points[:, :, list(of)].mean(axis=2) for of in layout.derived], axis=2)
